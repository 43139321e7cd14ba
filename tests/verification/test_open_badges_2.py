"""Assertions of Open Badges 2.0, over TLS, as anybody would hand them in."""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jws
from joserfc.jwk import OctKey
from openbadgeslib import baking as other_baking
from openbadgeslib.ob2 import Assertion, IdentityObject, OB2Signer
from openbadgeslib.ob2 import Verification as OtherVerification

from app.openbadges.badge_image import draw_badge
from app.openbadges.baking import wrap_png
from app.openbadges.open_badges_2 import InvalidOpenBadge2, verify_signature
from app.verification.answer import Verification
from app.verification.recipient import names_recipient
from app.verification.verdict import NAMES
from app.verification.verify import Verifier
from tests.net.tls_site import CertificateAuthority, client_for, serve
from tests.verification.badges import put
from tests.verification.open_badges_2 import P256, RSA, Document, Issuer2, private_pem, public_pem, sign_compact
from tests.verification.test_verify import failed, outcomes, verifier

NAME, ELSEWHERE = "badges.example", "elsewhere.example"
PNG = draw_badge("A badge", "An issuer", "seed")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("ca"))


@asynccontextmanager
async def settled(authority: CertificateAuthority) -> AsyncIterator[tuple[Issuer2, Verifier]]:
    async with serve(authority, NAME, ELSEWHERE) as site, client_for(authority, NAME, ELSEWHERE) as client:
        yield Issuer2(site, NAME), verifier(client)


def story(authority: CertificateAuthority, play: Callable[[Issuer2, Verifier], Awaitable[None]]) -> None:
    async def run() -> None:
        async with settled(authority) as (issuer, verifies):
            await play(issuer, verifies)

    asyncio.run(run())


async def verify_token(verifies: Verifier, token: str) -> Verification:
    return await verifies.verify_picture(other_baking.bake_png(PNG, token))


# hosted


def test_a_hosted_assertion_is_valid_and_every_fetch_is_told(authority: CertificateAuthority) -> None:
    async def play(issuer: Issuer2, verifies: Verifier) -> None:
        issuer.settle()
        assertion = issuer.hosted()
        for found in (await verifies.verify(assertion), await verifies.verify_url(assertion["id"])):
            assert failed(found) == []
            assert found.valid
            assert found.standard == "Open Badges 2.0, hosted"
            assert [(each.url.removeprefix(issuer.base), each.purpose, each.outcome) for each in found.fetched] == [
                ("/assertions/1", "credential", "fetched"),
                ("/badge", "badge_class", "fetched"),
                ("/issuer", "issuer_profile", "fetched"),
            ]
            assert outcomes(found) == {
                "shape": ["open_badges_2"],
                "proof": ["hosted_verified"],
                "issuer_binding": ["hosted_by_issuer"],
                "validity": ["in_validity_period"],
                "status": ["status_clear"],
            }
            assert found.credential_id == assertion["id"]
            assert found.issuer is not None
            assert (found.issuer.id, found.issuer.name) == (f"{issuer.base}/issuer", "An Issuer")
            assert found.achievement is not None
            assert found.achievement.name == "Checking for Understanding"
            assert found.achievement.id == f"{issuer.base}/badge"
            assert (found.valid_from, found.valid_until) == (assertion["issuedOn"], assertion["expires"])

    story(authority, play)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"revoked": True, "revocationReason": "By mistake"}, ("status", "revoked_for")),
        ({"revoked": True}, ("status", "revoked")),
        ({"expires": "2026-11-22T00:00:00Z"}, ("validity", "expired")),
        ({"issuedOn": "2026-11-24T00:00:00Z"}, ("validity", "not_yet_valid")),
        ({"id": "https://badges.example/assertions/other"}, ("proof", "hosted_elsewhere")),
        ({"type": "BadgeClass"}, ("shape", "hosted_invalid")),
        ({"issuedOn": 1_700_000_000}, ("shape", "hosted_invalid")),
        ({"recipient": "learner@example.org"}, ("shape", "hosted_invalid")),
        ({"recipient": {"type": "email", "hashed": True, "identity": "sha256$00"}}, ("proof", "hosted_differs")),
    ],
)
def test_what_stands_at_the_address_decides(
    authority: CertificateAuthority, members: Document, expected: tuple[str, str]
) -> None:
    async def play(issuer: Issuer2, verifies: Verifier) -> None:
        issuer.settle()
        handed_in = issuer.hosted()
        assert (await verifies.verify(handed_in)).valid
        issuer.site.put_json("/assertions/1", issuer.assertion(**members))
        found = await verifies.verify(handed_in)
        assert expected in failed(found) or expected[1] in [each.code for each in found.checks]
        assert not found.valid
        assert {each.name for each in found.checks} == set(NAMES)

    story(authority, play)


def test_an_assertion_that_is_gone_is_revoked(authority: CertificateAuthority) -> None:
    async def play(issuer: Issuer2, verifies: Verifier) -> None:
        issuer.settle()
        assertion = issuer.hosted()
        assert (await verifies.verify(assertion)).valid
        issuer.site.put("/assertions/1", b'{"revoked": true}', status="410 Gone")
        assert failed(await verifies.verify(assertion)) == [("proof", "hosted_gone"), ("status", "revoked")]
        issuer.site.put("/assertions/1", b"", status="404 Not Found")
        assert failed(await verifies.verify(assertion)) == [("proof", "hosted_unavailable")]

    story(authority, play)


@pytest.mark.parametrize(
    ("members", "valid"),
    [
        ({"issuedOn": "2026-10-01T00:00:00Z"}, False),
        ({"evidence": "https://badges.example/evidence"}, False),
        ({"badge": "https://elsewhere.example/badge"}, False),
        ({"expires": None}, True),
        ({"@context": ["https://w3id.org/openbadges/v2"]}, True),
    ],
)
def test_a_copy_that_was_changed_is_refused(authority: CertificateAuthority, members: Document, valid: bool) -> None:
    async def play(issuer: Issuer2, verifies: Verifier) -> None:
        issuer.settle()
        issuer.hosted()
        found = await verifies.verify(issuer.assertion(**members))
        assert found.valid is valid
        assert failed(found) == ([] if valid else [("proof", "hosted_differs")])

    story(authority, play)


def test_an_embedded_copy_of_a_published_badge_class_is_not_believed(authority: CertificateAuthority) -> None:
    async def play(issuer: Issuer2, verifies: Verifier) -> None:
        issuer.settle()
        issuer.hosted()
        boasting = issuer.assertion(badge={"type": "BadgeClass", "id": f"{issuer.base}/badge", "name": "Much More"})
        found = await verifies.verify(boasting)
        assert found.valid
        assert found.achievement is not None
        assert found.achievement.name == "Checking for Understanding"

    story(authority, play)


@pytest.mark.parametrize(
    ("verification", "valid"),
    [
        (None, False),
        ({"allowedOrigins": "elsewhere.example:{port}"}, True),
        ({"allowedOrigins": ["https://elsewhere.example:{port}", "badges.example"]}, True),
        ({"allowedOrigins": "elsewhere.example"}, False),
        ({"allowedOrigins": "http://elsewhere.example:{port}"}, False),
        ({"startsWith": "https://elsewhere.example:{port}/"}, False),
        (
            {
                "allowedOrigins": "elsewhere.example:{port}",
                "startsWith": ["https://elsewhere.example:{port}/assertions/"],
            },
            True,
        ),
        ({"allowedOrigins": "elsewhere.example:{port}", "startsWith": "https://elsewhere.example:{port}/mine/"}, False),
    ],
)
def test_an_assertion_stands_where_its_issuer_lets_it(
    authority: CertificateAuthority, verification: Document | None, valid: bool
) -> None:
    """`badges.example` is the issuer; the assertion is on `elsewhere.example`."""

    async def play(issuer: Issuer2, verifies: Verifier) -> None:
        said = json.loads(json.dumps(verification).replace("{port}", str(issuer.site.port)))
        issuer.settle(**({} if said is None else {"verification": said}))
        host = f"https://{ELSEWHERE}:{issuer.site.port}"
        assertion = issuer.assertion(id=f"{host}/assertions/1")
        issuer.site.put_json("/assertions/1", assertion)
        found = await verifies.verify(assertion)
        assert failed(found) == ([] if valid else [("issuer_binding", "hosted_out_of_scope")])
        assert found.valid is valid

    story(authority, play)


def test_a_path_that_leads_elsewhere_than_it_begins_is_out_of_scope(authority: CertificateAuthority) -> None:
    async def play(issuer: Issuer2, verifies: Verifier) -> None:
        issuer.settle(verification={"startsWith": f"{issuer.base}/mine/"})
        for path in ("/mine/../theirs/1", "/mine/%2e%2e/theirs/1"):
            assertion = issuer.assertion(id=f"{issuer.base}{path}")
            for served in (path, "/theirs/1"):
                issuer.site.put_json(served, assertion)
            assert ("issuer_binding", "hosted_out_of_scope") in failed(await verifies.verify(assertion))
        assert (await verifies.verify(issuer.hosted(id=f"{issuer.base}/mine/1"))).valid

    story(authority, play)


@pytest.mark.parametrize(
    ("path", "document", "expected"),
    [
        ("/badge", {"type": "Issuer"}, ("shape", "badge_class_invalid")),
        ("/badge", {"id": "https://badges.example/b"}, ("shape", "badge_class_invalid")),
        ("/badge", {"issuer": "urn:uuid:1"}, ("issuer_binding", "issuer_profile_refused")),
        ("/issuer", {"id": "https://badges.example/another"}, ("issuer_binding", "issuer_profile_invalid")),
        ("/issuer", {"type": "Assertion"}, ("issuer_binding", "issuer_profile_invalid")),
    ],
)
def test_badge_class_and_profile_are_what_they_should_be(
    authority: CertificateAuthority, path: str, document: Document, expected: tuple[str, str]
) -> None:
    async def play(issuer: Issuer2, verifies: Verifier) -> None:
        issuer.settle()
        assertion = issuer.hosted()
        assert (await verifies.verify(assertion)).valid
        sound = {
            "type": "BadgeClass" if path == "/badge" else "Issuer",
            "name": "A name",
            "issuer": f"{issuer.base}/issuer",
        }
        issuer.publish(path, sound | document)
        assert expected in failed(await verifies.verify(assertion))
        issuer.site.put(path, b"", status="503 Busy")
        kind = "badge_class" if path == "/badge" else "issuer_profile"
        name = "shape" if path == "/badge" else "issuer_binding"
        assert (name, f"{kind}_unavailable") in failed(await verifies.verify(assertion))

    story(authority, play)


# signed


@pytest.mark.parametrize("key", [RSA, P256], ids=["RS256", "ES256"])
def test_a_signed_assertion_is_valid(authority: CertificateAuthority, key: Any) -> None:
    async def play(issuer: Issuer2, verifies: Verifier) -> None:
        issuer.settle_signing(key)
        found = await verify_token(verifies, sign_compact(issuer.to_sign(), key))
        assert failed(found) == []
        assert found.valid
        assert found.standard == "Open Badges 2.0, signed"
        assert [each.url.removeprefix(issuer.base) for each in found.fetched] == [
            "/badge",
            "/issuer",
            "/key",
            "/revoked",
        ]
        assert outcomes(found)["issuer_binding"] == ["signed_by_issuer"]

    story(authority, play)


def test_a_key_that_the_profile_writes_out_needs_no_fetch_and_no_creator(authority: CertificateAuthority) -> None:
    async def play(issuer: Issuer2, verifies: Verifier) -> None:
        issuer.settle()
        key = {"type": "CryptographicKey", "id": f"{issuer.base}/issuer#key", "publicKeyPem": public_pem(RSA)}
        other = key | {"id": f"{issuer.base}/issuer#old", "publicKeyPem": public_pem(P256)}
        issuer.settle(publicKey=[other, key])
        for verification in ({"type": "SignedBadge"}, {"type": "SignedBadge", "creator": key["id"]}):
            found = await verify_token(verifies, sign_compact(issuer.to_sign(verification=verification)))
            assert failed(found) == []
            assert found.valid
            assert outcomes(found)["status"] == ["no_status"]
            assert len(found.fetched) == 2

    story(authority, play)


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ("urn:uuid:11111111-2222-4333-8444-555555555555", "revoked"),
        ({"id": "urn:uuid:11111111-2222-4333-8444-555555555555"}, "revoked"),
        ({"uid": "urn:uuid:11111111-2222-4333-8444-555555555555", "revocationReason": "Fraud"}, "revoked_for"),
        ({"id": "urn:uuid:1"}, None),
    ],
)
def test_the_list_of_the_profile_revokes(authority: CertificateAuthority, entry: Any, code: str | None) -> None:
    async def play(issuer: Issuer2, verifies: Verifier) -> None:
        issuer.settle_signing()
        listed = {"type": "RevocationList", "issuer": f"{issuer.base}/issuer", "revokedAssertions": [entry]}
        issuer.publish("/revoked", listed)
        token = sign_compact(issuer.to_sign())
        assert failed(await verify_token(verifies, token)) == ([("status", code)] if code else [])
        issuer.publish("/revoked", listed | {"issuer": "https://elsewhere.example/issuer"})
        assert failed(await verify_token(verifies, token)) == [("status", "status_list_wrong_issuer")]
        issuer.publish("/revoked", listed | {"revokedAssertions": "none"})
        assert failed(await verify_token(verifies, token)) == [("status", "status_list_invalid")]
        issuer.site.put("/revoked", b"", status="500 Oops")
        assert failed(await verify_token(verifies, token)) == [("status", "status_list_unavailable")]

    story(authority, play)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ({"owner": "https://elsewhere.example/issuer"}, ("issuer_binding", "key_not_of_issuer")),
        ({"owner": None}, ("issuer_binding", "key_not_of_issuer")),
        ({"id": "https://badges.example/another"}, ("issuer_binding", "key_not_of_issuer")),
        ({"publicKeyPem": public_pem(rsa.generate_private_key(65537, 2048))}, ("proof", "signature_invalid")),
        ({"publicKeyPem": public_pem(P256)}, ("proof", "signature_invalid")),
        ({"publicKeyPem": public_pem(rsa.generate_private_key(65537, 1024))}, ("proof", "signing_key_invalid")),
        ({"publicKeyPem": public_pem(ec.generate_private_key(ec.SECP384R1()))}, ("proof", "signing_key_invalid")),
        ({"publicKeyPem": "-----BEGIN PUBLIC KEY-----\nx"}, ("proof", "signing_key_invalid")),
        ({"publicKeyPem": None}, ("proof", "signing_key_invalid")),
        ({"publicKeyPem": None, "publicKeyJwk": {"kty": "oct", "k": "c2VjcmV0"}}, ("proof", "signing_key_invalid")),
        ({"publicKeyPem": "-----BEGIN PRIVATE KEY-----\nx"}, ("proof", "signing_key_invalid")),
    ],
)
def test_the_key_is_the_issuers_and_of_a_known_kind(
    authority: CertificateAuthority, key: Document, expected: tuple[str, str]
) -> None:
    async def play(issuer: Issuer2, verifies: Verifier) -> None:
        issuer.settle_signing()
        token = sign_compact(issuer.to_sign())
        assert (await verify_token(verifies, token)).valid
        sound = {"type": "CryptographicKey", "owner": f"{issuer.base}/issuer", "publicKeyPem": public_pem(RSA)}
        issuer.publish("/key", sound | key)
        assert failed(await verify_token(verifies, token)) == [expected]

    story(authority, play)


def test_a_key_that_the_profile_does_not_name_is_nobodys(authority: CertificateAuthority) -> None:
    """An attacker's key may say that the issuer owns it; the issuer does not say so."""

    async def play(issuer: Issuer2, verifies: Verifier) -> None:
        issuer.settle_signing()
        stolen = {"type": "CryptographicKey", "owner": f"{issuer.base}/issuer", "publicKeyPem": public_pem(P256)}
        issuer.publish("/attacker", stolen)
        claim = issuer.to_sign(verification={"type": "signed", "creator": f"{issuer.base}/attacker"})
        found = await verify_token(verifies, sign_compact(claim, P256))
        assert failed(found) == [("issuer_binding", "key_not_of_issuer")]

    story(authority, play)


def _tamper(token: str, **members: Any) -> str:
    head, payload, signature = token.split(".")
    document = json.loads(base64.urlsafe_b64decode(payload + "==")) | members
    changed = base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()
    return f"{head}.{changed}.{signature}"


def _header(token: str, header: Document) -> str:
    encoded = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    return ".".join([encoded, *token.split(".")[1:]])


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_tricks_with_the_signature_are_refused(authority: CertificateAuthority) -> None:
    async def play(issuer: Issuer2, verifies: Verifier) -> None:
        issuer.settle_signing()
        token = sign_compact(issuer.to_sign())
        document = json.dumps(issuer.to_sign()).encode()
        as_secret = OctKey.import_key(public_pem(RSA).encode().replace(b"PUBLIC", b"PUBLIK"))
        tricks = {
            "changed": _tamper(token, issuedOn="2026-10-01T00:00:00Z"),
            "none": _header(token, {"alg": "none"}),
            "HS256 with the public key": jws.serialize_compact(
                {"alg": "HS256"}, document, as_secret, algorithms=["HS256"]
            ),
            "another algorithm of RSA": sign_compact(issuer.to_sign(), algorithm="PS256"),
            "unknown crit": _header(token, {"alg": "RS256", "crit": ["exp"], "exp": 1}),
            "key in the header": sign_compact(
                issuer.to_sign(), P256, jwk={"kty": "EC", "crv": "P-256"}, jku=f"{issuer.base}/jku"
            ),
        }
        for name, trick in tricks.items():
            before = len(issuer.site.requests)
            found = await verify_token(verifies, trick)
            assert failed(found) == [("proof", "signature_invalid")], name
            assert not any("/jku" in each for each in issuer.site.requests[before:]), name

    story(authority, play)


def test_a_signed_assertion_without_its_signature_is_refused(authority: CertificateAuthority) -> None:
    async def play(issuer: Issuer2, verifies: Verifier) -> None:
        issuer.settle_signing()
        assert failed(await verifies.verify(issuer.to_sign())) == [("proof", "unsigned_assertion")]

    story(authority, play)


def test_keys_as_jwk_are_read_and_giants_refused() -> None:
    token = sign_compact({"a": 1})
    numbers = RSA.public_key().public_numbers()
    jwk = {"kty": "RSA", "e": "AQAB", "n": _base64(numbers.n.to_bytes(256))}
    verify_signature(token, {"publicKeyJwk": jwk})
    for changed in ({"n": _base64(b"\xff" * 2048)}, {"n": 5}, {"n": "ö"}, {"e": None}, {"kty": "EC"}, {"d": "AQAB"}):
        with pytest.raises(InvalidOpenBadge2):
            verify_signature(token, {"publicKeyJwk": jwk | changed})


def _base64(number: bytes) -> str:
    return base64.urlsafe_b64encode(number).rstrip(b"=").decode()


# baked


def test_pictures_of_open_badges_2_are_unbaked(authority: CertificateAuthority) -> None:
    async def play(issuer: Issuer2, verifies: Verifier) -> None:
        issuer.settle_signing()
        token, hosted = sign_compact(issuer.to_sign()), issuer.hosted()
        svg = wrap_png(PNG)
        texts = [token, json.dumps(hosted), hosted["id"]]
        pictures = [*(other_baking.bake_png(PNG, text) for text in texts), other_baking.bake_svg(svg, token)]
        for picture in pictures:
            found = await verifies.verify_picture(picture)
            assert failed(found) == []
            assert found.valid
        issuer.site.put("/picture.png", pictures[0])
        assert (await verifies.verify_url(f"{issuer.base}/picture.png")).standard == "Open Badges 2.0, signed"

    story(authority, play)


# other people's software


def test_what_openbadgeslib_signs_is_accepted(authority: CertificateAuthority) -> None:
    async def play(issuer: Issuer2, verifies: Verifier) -> None:
        issuer.settle_signing()
        assertion = Assertion(
            recipient=IdentityObject.create("learner@example.org", "a salt"),
            badge=f"{issuer.base}/badge",
            verification=OtherVerification(type="SignedBadge", creator=f"{issuer.base}/key"),
            issued_on=datetime(2026, 11, 1, tzinfo=UTC),
        )
        signer = OB2Signer(private_pem(RSA))
        for picture in (signer.sign_into_png(assertion, PNG), signer.sign_into_svg(assertion, wrap_png(PNG))):
            examined = await verifies.examine_picture(picture)
            assert failed(examined.verification) == []
            assert examined.verification.valid
            assert names_recipient(examined.credential, "learner@example.org")
            assert not names_recipient(examined.credential, "another@example.org")

    story(authority, play)


# any document


def _pointers(value: Any, at: str = "") -> list[str]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [pointer for key, each in items for pointer in (f"{at}/{key}", *_pointers(each, f"{at}/{key}"))]


def test_no_assertion_whatever_makes_verifying_raise(authority: CertificateAuthority) -> None:
    async def play(issuer: Issuer2, verifies: Verifier) -> None:
        issuer.settle()
        sound = issuer.hosted(revoked=False, evidence=["https://a.example/1"])
        assert (await verifies.verify(sound)).valid
        for value in (None, 5, [[]], {"a": []}):
            for pointer in _pointers(sound):
                found = await verifies.verify(put(sound, pointer, value))
                assert {each.name for each in found.checks} >= set(NAMES), (pointer, value)
                issuer.site.put_json("/assertions/1", put(sound, pointer, value))
                found = await verifies.verify(sound)
                assert {each.name for each in found.checks} >= set(NAMES), (pointer, value)
                issuer.site.put_json("/assertions/1", sound)

    story(authority, play)


def test_the_recipient_is_in_the_clear_or_hashed() -> None:
    md5 = "md5$" + hashlib.md5(b"example@example.orgdeadsea").hexdigest()
    hashed = {
        "type": "email",
        "hashed": True,
        "salt": "deadsea",
        "identity": "sha256$" + hashlib.sha256(b"example@example.orgdeadsea").hexdigest(),
    }
    assertion = {"type": "Assertion", "recipient": hashed}
    assert names_recipient(assertion, "example@example.org")
    assert not names_recipient(assertion, "Example@example.org")
    assert not names_recipient(assertion, "another@example.org")
    assert not names_recipient(assertion | {"recipient": hashed | {"salt": ""}}, "example@example.org")
    assert names_recipient(assertion | {"recipient": hashed | {"identity": md5}}, "example@example.org")
    assert not names_recipient(assertion | {"recipient": hashed | {"identity": md5}}, "another@example.org")
    assert not names_recipient(assertion | {"recipient": hashed | {"identity": "sha1$00"}}, "example@example.org")
    plain = {"type": "email", "hashed": False, "identity": "example@example.org"}
    assert names_recipient({"type": "Assertion", "recipient": plain}, "example@example.org")
    assert not names_recipient({"type": "Assertion", "recipient": plain}, "another@example.org")
    assert not names_recipient({"type": "Assertion"}, "")
