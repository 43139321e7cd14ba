"""Registries of known issuers: what they say of an issuer, beside a verification."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.net.client import OutboundClient
from app.settings import Settings
from app.strict_json import MalformedDocument
from app.verification.registries import LIFETIME, MAX_REGISTRY, OLDEST, RETRY, Registries
from app.verification.registry import Listing, read_registry
from app.verification.verify import Verifier
from tests.net.tls_site import CertificateAuthority, FakeResolver, Site, client_for, serve
from tests.verification.badges import NOW, Document, badge, did_key_issuer, put, sign
from tests.verification.open_badges_2 import Issuer2
from tests.verification.test_shelf import Seconds
from tests.verification.test_verify import InProcessJudges, OwnDocuments

NAME = "registry.example"
ISSUER, STRANGER = did_key_issuer(), did_key_issuer("a stranger")
SIGNED = sign(badge(ISSUER), ISSUER)


def registry(*issuers: str) -> Document:
    entry = {"name": "An Issuer", "location": "Cambridge, MA, USA", "url": "https://issuer.example"}
    return {"meta": {"created": "2026-01-01T00:00:00Z"}, "registry": dict.fromkeys(issuers, entry)}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("ca"))


def story(authority: CertificateAuthority, play: Callable[[Site, OutboundClient], Awaitable[None]]) -> None:
    async def run() -> None:
        async with serve(authority, NAME) as site, client_for(authority, NAME) as client:
            await play(site, client)

    asyncio.run(run())


def verifier(client: OutboundClient, registries: Registries) -> Verifier:
    return Verifier(
        outbound=client,
        judges=InProcessJudges(),
        own_documents=OwnDocuments(),
        now=lambda: NOW,
        registries=registries,
    )


def test_each_registry_says_whether_it_knows_the_issuer(authority: CertificateAuthority, tmp_path: Path) -> None:
    file = tmp_path / "partners.json"
    file.write_text(json.dumps(registry(STRANGER.id)))

    async def play(site: Site, client: OutboundClient) -> None:
        url = f"https://{NAME}:{site.port}/registry.json"
        site.put_json("/registry.json", registry(ISSUER.id))
        missing = str(tmp_path / "missing.json")
        verifies = verifier(client, Registries([url, str(file), missing], client))
        found = await verifies.verify(SIGNED)
        assert found.valid
        assert found.registries == [
            Listing(url, "known", "An Issuer", "Cambridge, MA, USA", "https://issuer.example"),
            Listing("partners.json", "unknown"),
            Listing("missing.json", "unavailable"),
        ]
        assert [(each.url, each.purpose, each.outcome) for each in found.fetched] == [(url, "registry", "fetched")]
        assert str(tmp_path) not in str(found)
        again = await verifies.verify(SIGNED)
        assert (again.registries, again.fetched) == (found.registries, [])
        assert len(site.requests) == 1

    story(authority, play)


def test_being_known_makes_no_badge_valid_and_is_said_of_no_forgery(authority: CertificateAuthority) -> None:
    async def play(site: Site, client: OutboundClient) -> None:
        url = f"https://{NAME}:{site.port}/registry.json"
        site.put_json("/registry.json", registry(ISSUER.id))
        verifies = verifier(client, Registries([url], client))
        expired = await verifies.verify(sign(badge(ISSUER, validUntil="2026-11-02T00:00:00Z"), ISSUER))
        assert not expired.valid
        assert [each.status for each in expired.registries] == ["known"]
        for forged in (put(SIGNED, "/issuer/name", "Another"), sign(badge(ISSUER), STRANGER), badge(ISSUER)):
            found = await verifies.verify(forged)
            assert (found.valid, found.registries) == (False, [])

    story(authority, play)


def test_issuers_of_open_badges_2_are_looked_up_too(authority: CertificateAuthority) -> None:
    async def play(site: Site, client: OutboundClient) -> None:
        issuer = Issuer2(site, NAME)
        issuer.settle()
        site.put_json("/registry.json", registry(f"{issuer.base}/issuer"))
        verifies = verifier(client, Registries([f"{issuer.base}/registry.json"], client))
        assert [each.status for each in (await verifies.verify(issuer.hosted())).registries] == ["known"]

    story(authority, play)


def test_a_registry_is_read_anew_and_its_last_copy_serves_meanwhile(authority: CertificateAuthority) -> None:
    async def play(site: Site, client: OutboundClient) -> None:
        clock = Seconds()
        registries = Registries([f"https://{NAME}:{site.port}/registry.json"], client, clock=clock)

        async def status() -> str:
            listings, _ = await registries.find(ISSUER.id)
            for each in registries._registries:
                if each.reading:
                    await each.reading
            return listings[0].status

        site.put_json("/registry.json", registry())
        assert await status() == "unknown"
        site.put_json("/registry.json", registry(ISSUER.id))
        clock.now += LIFETIME - 1
        assert await status() == "unknown"
        clock.now += 2
        assert await status() == "unknown"  # nobody waits for it
        assert await status() == "known"

        site.put("/registry.json", b"", status="500 Oops")
        clock.now += LIFETIME
        requests = len(site.requests)
        assert [await status(), await status()] == ["known", "known"]
        assert len(site.requests) == requests + 1  # not again before RETRY
        clock.now += RETRY
        assert await status() == "known"
        assert len(site.requests) == requests + 2
        clock.now += OLDEST
        assert await status() == "unavailable"
        await registries.close()

    story(authority, play)


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"{}",
        b'{"registry": []}',
        b'{"registry": {}, "registry": {}}',
        b"<html>",
        b"\xff",
        b" " * MAX_REGISTRY + b"{}",
    ],
    ids=["list", "empty", "no object", "twice", "html", "no text", "too large"],
)
def test_what_is_no_registry_is_unavailable(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "registry.json"
    file.write_bytes(content)
    outbound = OutboundClient(resolver=FakeResolver({}))
    for source in (str(file), f"https://{NAME}/registry.json"):
        listings, _ = asyncio.run(Registries([source], outbound).find(ISSUER.id))
        assert [each.status for each in listings] == ["unavailable"]


def test_an_issuer_is_known_by_its_id_letter_for_letter(tmp_path: Path) -> None:
    file = tmp_path / "registry.json"
    file.write_text(json.dumps(registry("did:web:issuer.example") | {"extra": 1}))
    outbound = OutboundClient(resolver=FakeResolver({}))
    for issuer, status in (
        ("did:web:issuer.example", "known"), ("did:web:ISSUER.example", "unknown"),
        ("did:web:issuer.example:a", "unknown"), ("", "unknown"),
    ):  # fmt: skip
        listings, _ = asyncio.run(Registries([str(file)], outbound).find(issuer))
        assert [each.status for each in listings] == [status]


def test_entries_may_say_nothing_more() -> None:
    assert read_registry({"registry": {"did:a": None, "did:b": {"name": 5}}}) == {"did:a": {}, "did:b": {"name": 5}}
    with pytest.raises(MalformedDocument):
        read_registry(None)


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        (["a.json", "/b.json", "https://c.example/d"], True),
        (["http://c.example"], False),
        ([""], False),
        (["ftp://c"], False),
    ],
)
def test_settings_name_files_and_https_addresses(value: list[str], fits: bool) -> None:
    if fits:
        assert Settings(issuer_registries=value).issuer_registries == value
    else:
        with pytest.raises(ValidationError):
            Settings(issuer_registries=value)
