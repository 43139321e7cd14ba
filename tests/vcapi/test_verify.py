"""POST /credentials/verify: who signed what with which key, and every way of it that is not good enough."""

import base64
import json
import time
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.jwk import OKPKey

from app.access.principals import Scope
from app.proofs.multikey import encode_multikey
from tests.conftest import Partner
from tests.vcapi.clients import NOW, Signatory, codes, vcapi_client
from tests.vcdm.documents import EXAMPLES, VC, credential, credential_1, presentation

pytestmark = pytest.mark.anyio

ENVELOPE = {"@context": VC, "type": "EnvelopedVerifiableCredential", "id": "data:application/vc+jwt,eyJh.eyJi.c2ln"}


def of(signatory: Signatory, **members: Any) -> dict[str, Any]:
    return credential(issuer=signatory.did, **members)


@pytest.mark.parametrize("make", [Signatory.ed25519, Signatory.p256, Signatory.p384])
@pytest.mark.parametrize("form", ["rdfc", "jcs"])
async def test_credentials_of_others_with_did_key(partner: Partner, make: Any, form: str) -> None:
    issuer = make()
    suite = {"rdfc": "eddsa-rdfc-2022", "jcs": "eddsa-jcs-2022"}[form]
    if not isinstance(issuer.key, Ed25519PrivateKey):
        suite = {"rdfc": "ecdsa-rdfc-2019", "jcs": "ecdsa-jcs-2019"}[form]
    secured = issuer.sign(of(issuer), suite=suite)
    async with vcapi_client(partner) as client:
        assert (await client.verify(secured))["verified"] is True
        told = await client.verify({**secured, "credentialSubject": {"alumniOf": "Another"}})
        assert told["verified"] is False
        assert codes(told) == {"proof_failed"}
        assert told["problemDetails"][0]["type"] == "https://w3id.org/security#PROOF_VERIFICATION_ERROR"


async def test_did_jwk(partner: Partner) -> None:
    issuer = Signatory.ed25519()
    raw = issuer.key.public_key().public_bytes_raw()  # type: ignore[union-attr]
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": base64.urlsafe_b64encode(raw).decode().rstrip("=")}
    did = "did:jwk:" + base64.urlsafe_b64encode(json.dumps(jwk).encode()).decode().rstrip("=")
    document = credential(issuer=did)
    async with vcapi_client(partner) as client:
        assert (await client.verify(issuer.sign(document, method=f"{did}#0")))["verified"] is True
        assert codes(await client.verify(issuer.sign(document, method=f"{did}#1"))) == {"verification_method"}


async def test_a_proof_set_and_a_chain(partner: Partner) -> None:
    issuer, witness = Signatory.ed25519(), Signatory.p256()
    document = of(issuer)
    mine = issuer.prove(document, id="urn:uuid:mine")
    theirs = witness.prove(document, suite="ecdsa-rdfc-2019", id="urn:uuid:theirs")
    covering = issuer.prove({**document, "proof": [mine, theirs]}, previousProof=["urn:uuid:mine", "urn:uuid:theirs"])
    spoiled = {**theirs, "proofValue": mine["proofValue"]}
    async with vcapi_client(partner) as client:
        for proofs in ([mine, theirs], [theirs, mine], [mine, theirs, covering]):
            assert (await client.verify({**document, "proof": proofs}))["verified"] is True
        for proofs, code in (
            ([mine, spoiled], "proof_failed"),  # all of them have to verify
            ([theirs], "controller"),  # somebody else's word alone
            ([mine, covering], "malformed_proof"),  # a proof that it covers is missing
            ([{**mine, "id": "urn:uuid:else"}, theirs, covering], "malformed_proof"),
            ([mine, theirs, {**covering, "previousProof": "urn:uuid:mine"}], "proof_failed"),
            ([mine] * 9, "malformed_proof"),
        ):
            assert code in codes(await client.verify({**document, "proof": proofs})), proofs


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"type": None}, "malformed_proof"),
        ({"type": "Ed25519Signature2018"}, "proof_unsupported"),
        ({"cryptosuite": "rot13-2026"}, "proof_unsupported"),
        ({"cryptosuite": None}, "proof_unsupported"),
        ({"proofPurpose": None}, "malformed_proof"),
        ({"proofPurpose": "authentication"}, "proof_purpose"),
        ({"proofPurpose": "capabilityInvocation"}, "proof_purpose"),
        ({"verificationMethod": None}, "malformed_proof"),
        ({"verificationMethod": 4}, "malformed_proof"),
        ({"verificationMethod": "did:example:1#key"}, "verification_method"),
        ({"verificationMethod": "did:web:127.0.0.1#key"}, "verification_method"),
        ({"verificationMethod": "http://issuer.example/key"}, "verification_method"),
        ({"proofValue": None}, "malformed_proof"),
        ({"proofValue": "uAAAA"}, "malformed_proof"),
        ({"proofValue": "z111"}, "malformed_proof"),
        ({"created": "2026-06-01"}, "malformed_proof"),
        ({"expires": "2026-06-02T00:00:00Z"}, "proof_failed"),
        ({"domain": "elsewhere.example"}, "proof_failed"),
        ({"challenge": "another"}, "proof_failed"),
        ({"nonce": "another"}, "proof_failed"),
        ({"previousProof": "urn:uuid:nothing"}, "malformed_proof"),
        ({"@context": ["https://w3id.org/security/v1"]}, "malformed_proof"),
        ({"undefined": "member"}, "malformed_proof"),
    ],
)
async def test_proofs_that_are_not_good_enough(partner: Partner, change: dict[str, Any], code: str) -> None:
    issuer = Signatory.ed25519()
    # Where a catch-all would give the extra member a meaning, the proof would fail for another reason.
    document = {
        "@context": [VC],
        "type": ["VerifiableCredential"],
        "issuer": issuer.did,
        "credentialSubject": {"id": "urn:x:1"},
    }
    proof = {**issuer.prove(document), **change}
    proof = {name: value for name, value in proof.items() if value is not None}
    async with vcapi_client(partner) as client:
        told = await client.verify({**document, "proof": proof})
        assert told["verified"] is False
        assert code in codes(told), told


@pytest.mark.parametrize("proof", [None, [], "proof", 4, [None], [[]], {}])
async def test_no_proof_worth_the_name(partner: Partner, proof: Any) -> None:
    async with vcapi_client(partner) as client:
        told = await client.verify(credential(proof=proof))
        assert codes(told) & {"no_proof", "malformed_proof"}
        assert codes(await client.verify(credential())) == {"no_proof"}


async def test_a_proof_of_the_future(partner: Partner) -> None:
    issuer = Signatory.ed25519()
    async with vcapi_client(partner) as client:
        later = client.world.clock.now() + timedelta(minutes=2)
        assert codes(await client.verify(issuer.sign(of(issuer), created=later))) == {"proof_failed"}
        assert (await client.verify(issuer.sign(of(issuer), created=NOW)))["verified"] is True


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"validFrom": "2999-01-01T00:00:00Z"}, "period"),
        ({"validUntil": "2026-01-02T00:00:00Z"}, "period"),
        ({"validFrom": "yesterday"}, "malformed"),
        ({"validFrom": "2026-02-01T00:00:00Z", "validUntil": "2026-01-01T00:00:00Z"}, "malformed"),
        ({"type": "ExampleAlumniCredential"}, "malformed"),
        ({"credentialSubject": {}}, "malformed"),
        ({"credentialSubject": [{"alumniOf": "A"}, {}]}, "malformed"),
        ({"evidence": {"id": "urn:video:1"}}, "malformed"),
        ({"relatedResource": {"id": VC, "digestSRI": "sha256-AAAA"}}, "related_resource"),
        ({"issuer": "did:example:another"}, "controller"),
        ({"issuer": {"id": "did:example:another"}}, "controller"),
    ],
)
async def test_signed_and_still_not_good(partner: Partner, members: dict[str, Any], code: str) -> None:
    issuer = Signatory.ed25519()
    async with vcapi_client(partner) as client:
        assert (await client.verify(issuer.sign(of(issuer))))["verified"] is True
        told = await client.verify(issuer.sign(credential(**{"issuer": issuer.did, **members})))
        assert told["verified"] is False
        assert code in codes(told)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"@context": [VC, EXAMPLES, "https://elsewhere.example/c"]}, "unknown_context"),
        ({"@context": [VC, EXAMPLES, {"@import": "https://elsewhere.example/c"}]}, "unknown_context"),
        ({"@context": [VC, EXAMPLES, {"name": "https://e.example/#n"}]}, "malformed_proof"),
        ({"@context": "https://www.w3.org/ns/credentials/v2"}, "malformed"),
        ({"@context": [VC, EXAMPLES, EXAMPLES]}, "unknown_context"),
        ({"@graph": [{"id": "urn:x:1", "alumniOf": "A"}]}, "unsafe_document"),
        ({"@included": [{"id": "urn:x:1", "alumniOf": "A"}]}, "unsafe_document"),
        ({"@id": "urn:x:1"}, "unsafe_document"),
        ({"description": None}, "malformed"),
        ({"credentialSubject": {"id": "did:example:subject", "alumniOf": "An Academy", "age": 10**30}}, None),
        ({"credentialSubject": {"alumniOf": {"@context": None, "name": "A"}}}, "unknown_context"),
    ],
)
async def test_tricks_of_json_ld(partner: Partner, change: dict[str, Any], code: str | None) -> None:
    """Each changes what a signed document means, or would be read so by somebody."""
    issuer = Signatory.ed25519()
    secured = issuer.sign(of(issuer))
    async with vcapi_client(partner) as client:
        answer = await client.post("/credentials/verify", {"verifiableCredential": {**secured, **change}})
        if code is None:
            assert (answer.status_code, answer.json()["code"]) == (
                400,
                "malformed_json",
            )  # a number that no double holds
        else:
            assert answer.json()["verified"] is False
            assert code in codes(answer.json()), answer.text


async def test_proofs_do_not_fit_other_documents(partner: Partner) -> None:
    issuer = Signatory.ed25519()
    first, second = issuer.sign(of(issuer)), issuer.sign(of(issuer, id="urn:uuid:2", name="Another"))
    async with vcapi_client(partner) as client:
        assert codes(await client.verify({**first, "proof": second["proof"]})) == {"proof_failed"}
        assert codes(await client.verify({**first, "proof": [first["proof"], second["proof"]]})) == {"proof_failed"}


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"verifiableCredential": None},
        {"verifiableCredential": []},
        {"verifiableCredential": 4},
        {"verifiableCredential": "not a JWT"},
        {"verifiableCredential": "https://issuer.example/credentials/1"},
        {"verifiableCredential": {**ENVELOPE, "id": "eyJh.eyJi.c2ln"}},
        {"verifiableCredential": {**ENVELOPE, "id": "data:text/plain,eyJh.eyJi.c2ln"}},
        {"verifiableCredential": {**ENVELOPE, "@context": []}},
        {"verifiableCredential": {name: value for name, value in ENVELOPE.items() if name != "@context"}},
        {"verifiableCredential": {**ENVELOPE, "type": ["EnvelopedVerifiableCredential", "VerifiableCredential"]}},
    ],
)
async def test_what_cannot_be_read(partner: Partner, sent: dict[str, Any]) -> None:
    async with vcapi_client(partner) as client:
        answer = await client.post("/credentials/verify", sent)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_credential")


async def test_options(partner: Partner) -> None:
    issuer = Signatory.ed25519()
    secured = issuer.sign(of(issuer))
    async with vcapi_client(partner) as client:
        told = await client.verify(secured, returnCredential=True, returnProblemDetails=False, checks=["proof"])
        assert told == {"verified": True, "credential": secured}
        body = {"verifiableCredential": secured, "options": {"skipSignature": True}}
        answer = await client.post("/credentials/verify", body)
        assert answer.status_code == 400
        assert answer.json()["type"] == "https://www.w3.org/TR/vcalm#UNKNOWN_OPTION_PROVIDED"


async def test_vocabularies_of_their_own_are_for_clients_that_may(partner: Partner) -> None:
    issuer = Signatory.ed25519()
    plain = {
        "@context": [VC],
        "type": ["VerifiableCredential"],
        "issuer": issuer.did,
        "credentialSubject": {"id": "urn:x:1"},
    }
    async with vcapi_client(partner, (Scope.VCAPI_VERIFY,)) as client:
        assert (await client.verify(issuer.sign(plain)))["verified"] is True
        assert codes(await client.verify(issuer.sign(of(issuer)))) == {"unknown_context"}
        inline = credential_1(issuer=issuer.did)
        inline["@context"].append("https://w3id.org/security/data-integrity/v2")
        assert codes(await client.verify(issuer.sign(inline))) == {"unknown_context"}


async def test_documents_that_take_much(partner: Partner) -> None:
    """Each is answered, whatever with, and whoever judges is there for the next."""
    issuer = Signatory.ed25519()
    entangled = [{"alumniOf": [{"name": "A"} for _ in range(40)]} for _ in range(40)]
    many_terms = {f"t{index}": f"https://e.example/#{index}" for index in range(400)}
    deep: dict[str, Any] = {"name": "end"}
    for _ in range(55):
        deep = {"alumniOf": deep}
    clique = [{"id": f"_:b{i}", "alumniOf": [{"id": f"_:b{j}"} for j in range(9) if j != i]} for i in range(9)]
    wide = [{"id": f"urn:x:{i}", "alumniOf": "A"} for i in range(9_000)]
    async with vcapi_client(partner) as client:
        for change in (
            {"credentialSubject": entangled},
            {"@context": [VC, EXAMPLES, *({**many_terms, f"u{i}": "urn:x:u"} for i in range(30))]},
            {"credentialSubject": deep},
            {"credentialSubject": clique},
            {"credentialSubject": wide},
        ):
            begun = time.monotonic()
            sent = {**issuer.sign(of(issuer)), **change}
            answer = await client.post("/credentials/verify", {"verifiableCredential": sent})
            assert answer.status_code == 200, answer.text
            assert answer.json()["verified"] is ("credentialSubject" not in change)
            assert time.monotonic() - begun < 20  # two seconds of judging, and a slow machine
        assert (await client.verify(issuer.sign(of(issuer))))["verified"] is True


async def test_keys_are_told_apart_by_their_controllers(partner: Partner) -> None:
    """A key whose name is the issuer's, and which is another's."""
    issuer, other = Signatory.ed25519(1), Signatory.ed25519(2)
    name = f"{issuer.did}#{encode_multikey(other.key.public_key())}"
    async with vcapi_client(partner) as client:
        secured = other.sign(credential(issuer=issuer.did), method=name)
        assert codes(await client.verify(secured)) == {"verification_method"}


def token(issuer: Signatory, credential: dict[str, Any], **header: Any) -> str:
    """The credential as vc-jose-cose, made with joserfc."""
    assert isinstance(issuer.key, Ed25519PrivateKey)
    parts = {"d": issuer.key.private_bytes_raw(), "x": issuer.key.public_key().public_bytes_raw()}
    jwk = {name: base64.urlsafe_b64encode(part).decode().rstrip("=") for name, part in parts.items()}
    key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", **jwk})
    protected = {"alg": "Ed25519", "typ": "vc+jwt", "kid": issuer.method, **header}
    return jws.serialize_compact(protected, json.dumps(credential), key, ["Ed25519"])


async def test_enveloped_credentials_and_tokens(partner: Partner) -> None:
    issuer = Signatory.ed25519()
    good = token(issuer, of(issuer))
    head, _, signature = good.split(".")
    other = base64.urlsafe_b64encode(json.dumps(of(issuer, name="Another")).encode()).decode().rstrip("=")
    async with vcapi_client(partner) as client:
        for sent in (good, {**ENVELOPE, "id": f"data:application/vc+jwt,{good}"}):
            told = await client.verify(sent)
            assert told["verified"] is True, told
        for text, code in (
            (f"{head}.{other}.{signature}", "invalid_token"),
            (f"{head}.{other}.", "invalid_token"),
            (token(issuer, of(issuer), typ="JWT"), "invalid_token"),
            (token(issuer, of(issuer), jku="https://elsewhere.example/jwks"), "invalid_token"),
            (token(issuer, credential(issuer="did:example:another")), "invalid_token"),
            (token(issuer, of(issuer, validUntil="2026-01-02T00:00:00Z")), "period"),
            (token(issuer, of(issuer, credentialSubject={})), "malformed"),
        ):
            for sent in (text, {**ENVELOPE, "id": f"data:application/vc+jwt,{text}"}):
                told = await client.verify(sent)
                assert told["verified"] is False
                assert code in codes(told), (text, told)
        within = {**ENVELOPE, "id": f"data:application/vc+jwt,{good}"}
        shown = issuer.sign(presentation(verifiableCredential=[within], holder=issuer.did), purpose="authentication")
        assert (await client.verify_presentation(shown))["verified"] is True
