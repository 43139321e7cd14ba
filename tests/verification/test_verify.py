import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from app.errors import Broken, NotFound
from app.net.client import OutboundClient
from app.openbadges.badge_image import draw_badge
from app.openbadges.baking import bake_png, bake_svg, wrap_png
from app.verification.answer import Verification
from app.verification.checks import judge
from app.verification.gathered import Gathered
from app.verification.judge import JudgePool
from app.verification.library import MAX_FETCHES
from app.verification.verdict import NAMES, Check
from app.verification.verdicts import CHECKS_VERSION
from app.verification.verify import Verifier
from tests.net.tls_site import CertificateAuthority, FakeResolver, Site, client_for, serve
from tests.verification.badges import (
    CONTEXTS,
    LIST_URL,
    NOW,
    Document,
    Issuer,
    badge,
    did_key_issuer,
    issuer_at,
    put,
    sign,
    status_entry,
    status_list,
)

NAME = "badges.example"
ISSUER = did_key_issuer()


class InProcessJudges:
    async def judge(self, gathered: Gathered, now: datetime) -> list[Check]:
        return judge(gathered, now, contexts=CONTEXTS)

    async def judge_all(self, gathered: Sequence[Gathered], now: datetime) -> list[list[Check]]:
        return [await self.judge(each, now) for each in gathered]


@dataclass
class OwnDocuments:
    """What the service publishes, by URL; under `base` everything else is absent."""

    documents: dict[str, Document | Exception] = field(default_factory=dict)
    base: str = "https://own.example/"
    asked: list[str] = field(default_factory=list)

    async def __call__(self, url: str) -> Mapping[str, Any] | None:
        self.asked.append(url)
        found = self.documents.get(url)
        if isinstance(found, Exception):
            raise found
        if found is None and url.startswith(self.base):
            raise NotFound("Nothing is published here.")
        return found


def verifier(outbound: OutboundClient, own: OwnDocuments | None = None) -> Verifier:
    return Verifier(outbound=outbound, judges=InProcessJudges(), own_documents=own or OwnDocuments(), now=lambda: NOW)


def alone(own: OwnDocuments | None = None) -> Verifier:
    """A verifier for which nothing on the network answers."""
    return verifier(OutboundClient(resolver=FakeResolver({})), own)


def outcomes(found: Verification) -> dict[str, list[str]]:
    return {name: [each.code for each in found.checks if each.name == name] for name in NAMES}


def failed(found: Verification) -> list[tuple[str, str]]:
    return [(each.name, each.code) for each in found.checks if each.outcome == "failed"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("ca"))


@asynccontextmanager
async def published(authority: CertificateAuthority) -> AsyncIterator[tuple[Site, Verifier, Issuer]]:
    """A did:web issuer whose documents are on a TLS server, and a verifier that can reach it."""
    async with serve(authority, NAME) as site, client_for(authority, NAME) as client:
        issuer = issuer_at(f"did:web:{NAME}%3A{site.port}:issuers:a")
        site.put_json("/issuers/a/did.json", issuer.document)
        yield site, verifier(client), issuer


def revocable(site: Site, issuer: Issuer) -> Document:
    url = f"https://{NAME}:{site.port}/status-lists/1"
    return sign(badge(issuer, credentialStatus=status_entry(id=f"{url}#7", statusListCredential=url)), issuer)


# a badge that was sent


def test_a_good_badge_is_valid_and_summarized() -> None:
    found = asyncio.run(alone().verify(sign(badge(ISSUER), ISSUER)))
    assert found.valid
    assert (found.checks_version, found.checked_at) == (CHECKS_VERSION, NOW)
    assert found.credential_id == "https://badges.example/credentials/1"
    assert found.issuer is not None
    assert (found.issuer.id, found.issuer.name) == (ISSUER.id, "An Issuer")
    assert found.achievement is not None
    assert found.achievement.name == "Checking for Understanding"
    assert found.achievement.image == "https://badges.example/images/1.png"
    assert (found.valid_from, found.valid_until) == ("2026-11-01T00:00:00Z", "2027-11-01T00:00:00Z")


def test_did_web_and_status_list_over_tls(authority: CertificateAuthority) -> None:
    async def story() -> None:
        async with published(authority) as (site, verifier, issuer):
            signed = revocable(site, issuer)
            site.put_json(
                "/status-lists/1",
                sign(status_list(issuer, id=signed["credentialStatus"]["statusListCredential"]), issuer),
            )
            found = await verifier.verify(signed)
            assert failed(found) == []
            assert found.valid
            # the key serves the badge and the list, and was fetched once
            assert sorted(head.split(" ")[1] for head in site.requests) == ["/issuers/a/did.json", "/status-lists/1"]

            site.put_json(
                "/status-lists/1",
                sign(status_list(issuer, ones=[7], id=signed["credentialStatus"]["statusListCredential"]), issuer),
            )
            assert failed(await verifier.verify(signed)) == [("status", "revoked")]

    asyncio.run(story())


def test_a_key_that_is_no_longer_published_fails(authority: CertificateAuthority) -> None:
    async def story() -> None:
        async with published(authority) as (site, verifier, issuer):
            signed = sign(badge(issuer), issuer)
            assert (await verifier.verify(signed)).valid
            site.put_json("/issuers/a/did.json", issuer.document | {"assertionMethod": []})
            assert failed(await verifier.verify(signed)) == [("proof", "verification_method_invalid")]
            site.put_json("/issuers/a/did.json", issuer.document | {"id": "did:web:another.example"})
            assert failed(await verifier.verify(signed)) == [("proof", "verification_method_invalid")]

    asyncio.run(story())


def test_a_fetch_that_fails_is_recorded_and_the_rest_is_checked(authority: CertificateAuthority) -> None:
    async def story() -> None:
        async with published(authority) as (site, verifier, issuer):
            signed = revocable(site, issuer)
            site.put("/status-lists/1", b"", status="500 Oops")
            found = await verifier.verify(signed)
            assert failed(found) == [("status", "status_list_unavailable")]
            assert outcomes(found)["proof"] == ["proof_verified"]

            site.put("/status-lists/1", b'{"a": 1, "a": 2}')
            assert failed(await verifier.verify(signed)) == [("status", "status_list_invalid")]
            site.put("/status-lists/1", b"[]")
            assert failed(await verifier.verify(signed)) == [("status", "status_list_invalid")]

            site.put("/issuers/a/did.json", b"", status="404 Not Found")
            found = await verifier.verify(signed)
            assert failed(found)[0] == ("proof", "verification_method_unavailable")
            assert [each.fault for each in found.checks if each.name == "proof"] == ["network"]
            assert outcomes(found)["validity"] == ["in_validity_period"]

    asyncio.run(story())


def test_an_issuer_on_a_private_address_is_refused() -> None:
    issuer = issuer_at("did:web:inside.example")
    outbound = OutboundClient(resolver=FakeResolver({"inside.example": [["10.0.0.1"]]}))
    found = asyncio.run(verifier(outbound).verify(sign(badge(issuer), issuer)))
    assert failed(found) == [("proof", "verification_method_refused")]
    assert "10.0.0.1" not in str(found)


def test_a_badge_cannot_make_us_fetch_without_end(authority: CertificateAuthority) -> None:
    async def story() -> None:
        async with serve(authority, NAME) as site, client_for(authority, NAME) as client:
            base = f"https://{NAME}:{site.port}"
            keys = [{"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022"} for _ in range(3)]
            many = [proof | {"verificationMethod": f"{base}/a{number}#k"} for number, proof in enumerate(keys)]
            for number in range(2):
                proofs = [proof | {"verificationMethod": f"{base}/l{number}k{key}#k"} for key, proof in enumerate(keys)]
                site.put_json(f"/list{number}", {"proof": proofs})
            entries = [status_entry(statusListCredential=f"{base}/list{number}") for number in range(2)]
            for head in ("a0", "a1", "a2", *(f"l{n}k{k}" for n in range(2) for k in range(3))):
                site.put_json(f"/{head}", {})
            found = await verifier(client).verify(badge(ISSUER, proof=many, credentialStatus=entries))
            assert len(site.requests) == MAX_FETCHES
            assert not found.valid

    asyncio.run(story())


# our own documents


def test_own_documents_are_judged_without_http() -> None:
    issuer = issuer_at("did:web:own.example:issuers:a")
    url = "https://own.example/status-lists/1"
    entry = status_entry(id=f"{url}#7", statusListCredential=url)
    credential_url = "http://127.0.0.1:8000/credentials/1"  # a development server: no outbound client would go there
    own = OwnDocuments(
        {
            "https://own.example/issuers/a/did.json": issuer.document,
            url: sign(status_list(issuer, id=url), issuer),
            credential_url: sign(badge(issuer, credentialStatus=entry), issuer),
        }
    )
    found = asyncio.run(alone(own).verify_url(credential_url))
    assert failed(found) == []
    assert found.valid
    own.documents[url] = sign(status_list(issuer, ones=[7], id=url), issuer)
    assert failed(asyncio.run(alone(own).verify_url(credential_url))) == [("status", "revoked")]


def test_own_documents_that_are_absent_are_not_asked_for_over_http() -> None:
    issuer = issuer_at("did:web:own.example:issuers:b")
    found = asyncio.run(alone().verify(sign(badge(issuer), issuer)))
    assert failed(found) == [("proof", "verification_method_unavailable")]


def test_a_broken_promise_of_ours_is_an_incident_not_a_verdict() -> None:
    own = OwnDocuments({LIST_URL: Broken("The list does not verify.")})
    with pytest.raises(Broken):
        asyncio.run(alone(own).verify(sign(badge(ISSUER, credentialStatus=status_entry()), ISSUER)))


# a badge at a URL


def test_a_badge_is_fetched_and_verified(authority: CertificateAuthority) -> None:
    async def story() -> None:
        async with published(authority) as (site, verifier, issuer):
            site.put_json("/credentials/1", sign(badge(issuer), issuer))
            assert (await verifier.verify_url(f"https://{NAME}:{site.port}/credentials/1")).valid

    asyncio.run(story())


@pytest.mark.parametrize(
    ("url", "code", "fault"),
    [
        ("http://badges.example/credentials/1", "credential_refused", "holder"),
        ("https://127.0.0.1/", "credential_refused", "holder"),
        ("https://unknown.example/", "credential_refused", "holder"),
        ("file:///etc/passwd", "credential_refused", "holder"),
        ("https://own.example/credentials/unknown", "credential_unavailable", "network"),
    ],
)
def test_a_url_that_gives_no_badge_is_a_verdict(url: str, code: str, fault: str) -> None:
    found = asyncio.run(alone().verify_url(url))
    assert not found.valid
    assert [(each.name, each.code) for each in found.checks] == [
        (name, code if name == "shape" else "not_checked") for name in NAMES
    ]
    assert found.checks[0].fault == fault
    assert (found.credential_id, found.issuer, found.achievement) == (None, None, None)


def test_what_is_no_json_is_a_verdict(authority: CertificateAuthority) -> None:
    async def story() -> None:
        async with published(authority) as (site, verifier, _):
            site.put("/credentials/1", b"<html>secret inside</html>")
            found = await verifier.verify_url(f"https://{NAME}:{site.port}/credentials/1")
            assert failed(found) == [("shape", "credential_invalid")]
            assert "secret" not in str(found)

    asyncio.run(story())


def test_a_picture_at_a_url_is_unbaked(authority: CertificateAuthority) -> None:
    async def story() -> None:
        async with published(authority) as (site, verifier, issuer):
            document = sign(badge(issuer), issuer)
            png = draw_badge("A badge", "An issuer", "seed")
            tampered = json.dumps(document | {"name": "Another"}).encode()
            site.put("/badge.png", bake_png(png, json.dumps(document).encode()))
            site.put("/badge.svg", bake_svg(wrap_png(png), json.dumps(document).encode()))
            site.put("/tampered.png", bake_png(png, tampered))
            site.put("/bare.png", png)
            for name in ("badge.png", "badge.svg"):
                assert (await verifier.verify_url(f"https://{NAME}:{site.port}/{name}")).valid, name
            found = await verifier.verify_url(f"https://{NAME}:{site.port}/tampered.png")
            assert failed(found) == [("proof", "signature_invalid")]
            found = await verifier.verify_url(f"https://{NAME}:{site.port}/bare.png")
            assert failed(found) == [("shape", "credential_invalid")]

    asyncio.run(story())


# documents of any kind


def _nested(depth: int) -> Document:
    document: Document = {}
    for _ in range(depth):
        document = {"a": document}
    return document


@pytest.mark.parametrize(
    "document",
    [_nested(70), _nested(100_000), {"a": float("nan")}, {"a": 2**60}, {"a": "\ud800"}, {"a": "\x00"}],
    ids=["deep", "very deep", "nan", "large", "surrogate", "nul"],
)
def test_what_strict_json_refuses_is_a_verdict(document: Document) -> None:
    found = asyncio.run(alone().verify(document))
    assert failed(found) == [("shape", "credential_invalid")]


@pytest.mark.parametrize("document", [{}, {"issuer": 5}, {"proof": "x", "credentialStatus": [[]]}])
def test_what_is_no_badge_is_a_verdict(document: Document) -> None:
    found = asyncio.run(alone().verify(document))
    assert not found.valid
    assert {each.name for each in found.checks} == set(NAMES)


@pytest.mark.parametrize("image", ["javascript:alert(1)", {"id": "data:image/png;base64,AAAA"}, 5, None])
def test_only_web_images_are_summarized(image: object) -> None:
    document = put(badge(ISSUER), "/credentialSubject/achievement/image", image)
    found = asyncio.run(alone().verify(document))
    assert found.achievement is not None
    assert found.achievement.image is None


def test_with_the_real_judges() -> None:
    async def story() -> None:
        judges = JudgePool(size=1)
        await judges.start()
        try:
            real = Verifier(
                outbound=OutboundClient(resolver=FakeResolver({})),
                judges=judges,
                own_documents=OwnDocuments({LIST_URL: sign(status_list(ISSUER, ones=[7]), ISSUER)}),
                now=lambda: NOW,
            )
            assert (await real.verify(sign(badge(ISSUER), ISSUER))).valid
            revoked = await real.verify(sign(badge(ISSUER, credentialStatus=status_entry()), ISSUER))
            assert failed(revoked) == [("status", "revoked")]
        finally:
            await judges.close()

    asyncio.run(story())
