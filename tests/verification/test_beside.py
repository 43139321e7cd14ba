"""What is looked at beside the badge, where somebody asks: the recipient, and the evidence."""

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import base58
import pytest

from app.openbadges.identity import compose_identity_objects
from app.verification.answer import Verification
from app.verification.beside import MAX_FILES, Asked
from app.verification.verdict import Check
from app.verification.verify import Verifier
from tests.net.tls_site import CertificateAuthority, Site, client_for, serve
from tests.verification.badges import Document, badge, did_key_issuer, put, sign
from tests.verification.open_badges_2 import EMAIL, Issuer2
from tests.verification.test_verify import alone, failed, verifier

NAME = "badges.example"
ISSUER = did_key_issuer()
FILE = b"what a learner did"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("ca"))


def story(authority: CertificateAuthority, play: Callable[[Site, Verifier], Awaitable[None]]) -> None:
    async def run() -> None:
        async with serve(authority, NAME) as site, client_for(authority, NAME) as client:
            await play(site, verifier(client))

    asyncio.run(run())


def named(found: Verification, name: str) -> list[Check]:
    return [each for each in found.checks if each.name == name]


# recipient


def with_identifiers(*entries: Any) -> Document:
    document = badge(ISSUER)
    document["credentialSubject"]["identifier"] = list(entries)
    return sign(document, ISSUER)


HASHED = compose_identity_objects(email="ada@example.org", name="Ada", salt="a salt")
PLAIN = {"type": "IdentityObject", "hashed": False, "identityHash": "A-17", "identityType": "sourcedId"}


@pytest.mark.parametrize(
    ("recipient", "code"),
    [
        ("ada@example.org", "recipient_named"),
        ("A-17", "recipient_named"),
        ("did:example:learner", "recipient_named"),
        ("Ada@example.org", "recipient_differs"),
        ("ben@example.org", "recipient_differs"),
        ("Ada", "recipient_differs"),  # a name is no identifier
        (str(HASHED[0]["identityHash"]), "recipient_differs"),
        ("did:example:learner2", "recipient_differs"),
    ],
)
def test_the_badge_names_the_recipient_or_does_not(recipient: str, code: str) -> None:
    found = asyncio.run(alone().verify(with_identifiers(*HASHED, PLAIN), Asked(recipient=recipient)))
    assert [each.code for each in named(found, "recipient")] == [code]
    assert found.valid is (code == "recipient_named")
    assert recipient not in str(found.checks)


def test_nothing_is_said_of_a_recipient_that_was_not_asked_for() -> None:
    found = asyncio.run(alone().verify(with_identifiers(*HASHED)))
    assert named(found, "recipient") == named(found, "evidence") == []
    assert found.valid
    unread = asyncio.run(alone().verify({"a": float("nan")}, Asked(recipient="ada@example.org")))
    assert failed(unread) == [("shape", "credential_invalid")]


def test_identifiers_of_any_shape_are_looked_at() -> None:
    for entry in (None, 5, "x", [], {}, {"identityHash": 5}, {"identityHash": "a", "hashed": True, "salt": 5}):
        document = put(badge(ISSUER), "/credentialSubject/identifier", [entry])
        found = asyncio.run(alone().verify(document, Asked(recipient="ada@example.org")))
        assert ("recipient", "recipient_differs") in failed(found)


def test_the_recipient_of_an_assertion_of_open_badges_2(authority: CertificateAuthority) -> None:
    async def play(site: Site, verifies: Verifier) -> None:
        issuer = Issuer2(site, NAME)
        issuer.settle()
        assertion = issuer.hosted()
        assert (await verifies.verify(assertion, Asked(recipient=EMAIL))).valid
        found = await verifies.verify(assertion, Asked(recipient="ben@example.org"))
        assert failed(found) == [("recipient", "recipient_differs")]

    story(authority, play)


# evidence


def sri(content: bytes, name: str = "sha256") -> str:
    return f"{name}-{base64.b64encode(hashlib.new(name, content).digest()).decode()}"


def multibase(content: bytes, name: str = "sha256", code: int = 0x12, base: str = "z") -> str:
    digest = hashlib.new(name, content).digest()
    raw = bytes([code, len(digest)]) + digest
    encoded = base58.b58encode(raw) if base == "z" else base64.urlsafe_b64encode(raw).rstrip(b"=")
    return base + encoded.decode()


@pytest.mark.parametrize(
    ("digests", "code"),
    [
        ({"digestSRI": sri(FILE)}, "evidence_unchanged"),
        ({"digestSRI": sri(FILE, "sha384")}, "evidence_unchanged"),
        ({"digestSRI": f"{sri(b'x')} {sri(FILE, 'sha512')}"}, "evidence_unchanged"),
        ({"digestSRI": f"{sri(FILE)} {sri(b'x', 'sha512')}"}, "evidence_changed"),
        ({"digestSRI": sri(b"x")}, "evidence_changed"),
        ({"digestSRI": "sha256-!"}, "evidence_digest_unknown"),
        ({"digestSRI": "md5-AAAA"}, "evidence_digest_unknown"),
        ({"digestMultibase": multibase(FILE)}, "evidence_unchanged"),
        ({"digestMultibase": multibase(FILE, base="u")}, "evidence_unchanged"),
        ({"digestMultibase": multibase(FILE, "sha384", 0x20)}, "evidence_unchanged"),
        ({"digestMultibase": multibase(FILE, "sha512", 0x13)}, "evidence_unchanged"),
        ({"digestMultibase": multibase(b"x")}, "evidence_changed"),
        ({"digestMultibase": multibase(FILE, "sha256", 0x99)}, "evidence_digest_unknown"),
        ({"digestMultibase": "z0OIl"}, "evidence_digest_unknown"),
        ({"digestMultibase": "u"}, "evidence_digest_unknown"),
        ({"digestSRI": sri(FILE), "digestMultibase": multibase(b"x")}, "evidence_changed"),
        ({"digestSRI": sri(FILE), "digestMultibase": multibase(FILE)}, "evidence_unchanged"),
    ],
)
def test_a_file_is_compared_with_what_was_signed(authority: CertificateAuthority, digests: Document, code: str) -> None:
    async def play(site: Site, verifies: Verifier) -> None:
        site.put("/film.mp4", FILE)
        url = f"https://{NAME}:{site.port}/film.mp4"
        evidence = [{"id": url, "type": ["Evidence"]} | digests]
        signed = sign(badge(ISSUER, evidence=evidence), ISSUER)
        assert (await verifies.verify(signed)).fetched == []
        found = await verifies.verify(signed, Asked(check_evidence=True))
        [said] = named(found, "evidence")
        assert (said.code, said.pointer) == (code, "/evidence/0")
        assert found.valid is (code != "evidence_changed")
        assert [(each.url, each.purpose) for each in found.fetched] == [(url, "evidence")]

    story(authority, play)


def test_related_resources_are_files_too_and_only_so_many_are_fetched(authority: CertificateAuthority) -> None:
    async def play(site: Site, verifies: Verifier) -> None:
        base = f"https://{NAME}:{site.port}"
        site.put("/0", FILE)
        named_by = [{"id": f"{base}/{number}", "digestSRI": sri(FILE)} for number in range(MAX_FILES + 5)]
        related = sign(badge(ISSUER, relatedResource=named_by), ISSUER)
        found = await verifies.verify(related, Asked(check_evidence=True))
        assert [each.code for each in named(found, "evidence")] == [
            "evidence_unchanged",
            *["evidence_unavailable"] * (MAX_FILES - 1),
            "evidence_not_checked",
        ]
        assert len(site.requests) == MAX_FILES
        assert found.valid  # what could not be had is said, and is no fault of the badge

    story(authority, play)


def test_without_digests_there_is_nothing_to_compare(authority: CertificateAuthority) -> None:
    async def play(site: Site, verifies: Verifier) -> None:
        evidence = [{"id": f"https://{NAME}:{site.port}/1", "type": ["Evidence"]}]
        found = await verifies.verify(sign(badge(ISSUER, evidence=evidence), ISSUER), Asked(check_evidence=True))
        assert [each.code for each in named(found, "evidence")] == ["no_evidence_digest"]
        assert (found.fetched, found.valid) == ([], True)

    story(authority, play)


@pytest.mark.parametrize("value", [None, 5, "x", [[]], {}, {"id": 5, "digestSRI": 5}, [{"digestSRI": ""}]])
def test_evidence_of_any_shape_is_looked_at(value: object) -> None:
    document = put(badge(ISSUER), "/name", "A name") | {"evidence": value, "relatedResource": value}
    found = asyncio.run(alone().verify(document, Asked(check_evidence=True)))
    assert [each.code for each in named(found, "evidence")] == ["no_evidence_digest"]


def test_evidence_on_a_private_address_is_not_fetched() -> None:
    evidence = [{"id": "https://127.0.0.1/", "type": ["Evidence"], "digestSRI": sri(FILE)}]
    found = asyncio.run(alone().verify(sign(badge(ISSUER, evidence=evidence), ISSUER), Asked(check_evidence=True)))
    assert [each.code for each in named(found, "evidence")] == ["evidence_unavailable"]
    assert [each.outcome for each in found.fetched] == ["refused"]
