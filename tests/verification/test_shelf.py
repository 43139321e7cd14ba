"""What verifications share: copies for a short while, and how often one host is asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.verification.shelf import (
    KEPT_AT_MOST,
    KEPT_BY_DEFAULT,
    MAX_BYTES,
    MAX_DOCUMENTS_OF_HOST,
    MAX_HOSTS,
    MAX_PER_MINUTE,
    HostBusy,
    Shelf,
)
from app.verification.verify import Verifier
from tests.net.tls_site import CertificateAuthority, Site, client_for, serve
from tests.verification.badges import NOW, Issuer, badge, issuer_at, key_of, sign
from tests.verification.test_verify import InProcessJudges, OwnDocuments, failed, revocable, status_list

URL = "https://badges.example/list"
NAME = "badges.example"


class Seconds:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def keep(shelf: Shelf, url: str = URL, *, max_age: int | None = None, size: int = 10, ttl: Any = None) -> None:
    document = {"a": url} if ttl is None else {"credentialSubject": {"ttl": ttl}}
    shelf.keep(url, document, size=size, max_age=max_age)


@pytest.mark.parametrize(
    ("max_age", "ttl", "seconds"),
    [
        (None, None, KEPT_BY_DEFAULT),
        (10, None, 10),
        (86_400, None, KEPT_AT_MOST),
        (0, None, 0),
        (None, 5_000, 5),
        (200, 5_000, 5),
        (10, 86_400_000, 10),
        (None, 0, 0),
        (10, "x", 10),
        (10, -5, 10),
        (10, True, 10),
    ],
)
def test_a_copy_serves_as_long_as_its_publisher_allows_up_to_a_ceiling(
    max_age: int | None, ttl: Any, seconds: float
) -> None:
    clock = Seconds()
    shelf = Shelf(clock=clock)
    keep(shelf, max_age=max_age, ttl=ttl)
    assert (shelf.find(URL) is not None) == (seconds > 0)
    clock.now += seconds - 0.001
    assert (shelf.find(URL) is not None) == (seconds > 0)
    clock.now += 0.002
    assert shelf.find(URL) is None
    assert shelf.find("https://badges.example/another") is None


def test_the_shelf_is_bounded() -> None:
    shelf = Shelf(clock=Seconds())
    for number in range(MAX_DOCUMENTS_OF_HOST + 1):
        keep(shelf, f"{URL}{number}")
    assert shelf.find(f"{URL}0") is None
    assert shelf.find(f"{URL}1") is not None
    keep(shelf, "https://other.example/1")
    assert shelf.find(f"{URL}1") is not None
    keep(shelf, "https://other.example/2", size=MAX_BYTES)
    assert shelf.find("https://other.example/2") is not None
    assert shelf.find(f"{URL}{MAX_DOCUMENTS_OF_HOST}") is None
    for _ in range(3):  # the same again does not count twice
        keep(shelf, "https://other.example/2", size=MAX_BYTES)
    assert shelf.find("https://other.example/2") is not None


def test_a_host_is_asked_so_often_and_no_more() -> None:
    clock = Seconds()
    shelf = Shelf(per_host=10, clock=clock)
    for number in range(10):
        shelf.admit(f"https://Badges.example:8443/{number}")
    for url in ("https://badges.example/a", "https://badges.example:8443/b"):
        with pytest.raises(HostBusy):
            shelf.admit(url)
    shelf.admit("https://other.example/a")
    clock.now += 6.001  # a tenth of a minute
    shelf.admit(URL)
    with pytest.raises(HostBusy):
        shelf.admit(URL)
    clock.now += 3600
    for _ in range(10):
        shelf.admit(URL)
    with pytest.raises(HostBusy):
        shelf.admit(URL)


def test_all_hosts_together_are_asked_so_often_and_no_more() -> None:
    shelf = Shelf(clock=Seconds())
    for number in range(MAX_PER_MINUTE):
        shelf.admit(f"https://h{number}.example/")
    with pytest.raises(HostBusy):
        shelf.admit("https://another.example/")


def test_hosts_are_forgotten_in_the_end() -> None:
    shelf = Shelf(clock=Seconds())
    for number in range(MAX_HOSTS + 50):
        try:
            shelf.admit(f"https://h{number}.example/")
        except HostBusy:
            continue
    assert len(shelf._hosts) == MAX_HOSTS


# in a verification


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("ca"))


@asynccontextmanager
async def published(
    authority: CertificateAuthority, clock: Seconds, per_host: int = 60
) -> AsyncIterator[tuple[Site, Verifier, Issuer]]:
    async with serve(authority, NAME) as site, client_for(authority, NAME) as client:
        issuer = issuer_at(f"did:web:{NAME}%3A{site.port}:issuers:a")
        site.put_json("/issuers/a/did.json", issuer.document)
        shelf = Shelf(per_host=per_host, clock=clock)
        verifier = Verifier(
            outbound=client, judges=InProcessJudges(), own_documents=OwnDocuments(), now=lambda: NOW, shelf=shelf
        )
        yield site, verifier, issuer


def test_keys_and_lists_are_kept_and_the_answer_says_so(authority: CertificateAuthority) -> None:
    async def story() -> None:
        clock = Seconds()
        async with published(authority, clock) as (site, verifier, issuer):
            signed = revocable(site, issuer)
            url = signed["credentialStatus"]["statusListCredential"]
            site.put_json("/status-lists/1", sign(status_list(issuer, id=url), issuer))
            first = await verifier.verify(signed)
            assert {(each.purpose, each.outcome) for each in first.fetched} == {
                ("verification_method", "fetched"),
                ("status_list", "fetched"),
            }
            again = await verifier.verify(signed)
            assert again.valid
            assert {each.outcome for each in again.fetched} == {"kept"}
            assert len(site.requests) == 2

            site.put_json("/status-lists/1", sign(status_list(issuer, ones=[7], id=url), issuer))
            assert (await verifier.verify(signed)).valid
            clock.now += KEPT_AT_MOST  # the list says 300 seconds, its answer nothing
            assert failed(await verifier.verify(signed)) == [("status", "revoked")]

    asyncio.run(story())


def test_a_key_that_a_copy_lacks_is_asked_for_again_once(authority: CertificateAuthority) -> None:
    async def story() -> None:
        async with published(authority, Seconds()) as (site, verifier, issuer):
            assert (await verifier.verify(sign(badge(issuer), issuer))).valid
            rotated = Issuer(issuer.id, key_of("the next key"))
            signed = sign(badge(rotated), rotated)
            site.requests.clear()
            assert failed(await verifier.verify(signed)) == [("proof", "verification_method_invalid")]
            assert len(site.requests) == 1
            site.put_json("/issuers/a/did.json", rotated.document)
            assert (await verifier.verify(signed)).valid
            assert (await verifier.verify(signed)).fetched[0].outcome == "kept"

    asyncio.run(story())


def test_no_badge_is_had_from_a_copy(authority: CertificateAuthority) -> None:
    async def story() -> None:
        async with published(authority, Seconds()) as (site, verifier, issuer):
            url = f"https://{NAME}:{site.port}/credentials/1"
            site.put_json("/credentials/1", sign(badge(issuer), issuer))
            assert (await verifier.verify_url(url)).valid
            site.put("/credentials/1", b"", status="404 Not Found")
            assert failed(await verifier.verify_url(url)) == [("shape", "credential_unavailable")]

    asyncio.run(story())


def test_a_host_cannot_be_flooded_by_verifying(authority: CertificateAuthority) -> None:
    async def story() -> None:
        async with published(authority, Seconds(), per_host=6) as (site, verifier, _):
            base = f"https://{NAME}:{site.port}"
            for _ in range(20):
                found = await verifier.verify_url(f"{base}/nothing")
                assert failed(found) == [("shape", "credential_unavailable")]
            assert len(site.requests) == 6
            assert "asked too often" in found.checks[0].detail
            assert found.fetched[0].outcome == "failed"

    asyncio.run(story())


def test_what_hosts_say_of_keeping_is_read() -> None:
    from app.net.client import _read_max_age

    for said, seconds in (
        ("", None), ("max-age=60", 60), ("public, MAX-AGE=60", 60), ("max-age=60, s-maxage=5", 5), ('max-age="7"', 7),
        ("no-store", 0), ("max-age=60, private", 0), ("no-cache", 0), ("max-age=soon", None), ("max-age=-1", None),
    ):  # fmt: skip
        assert _read_max_age(said) == seconds, said
