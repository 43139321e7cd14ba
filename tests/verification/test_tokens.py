"""Badges secured as a JWT: each profile, and each trick that a header can play."""

import asyncio
import hashlib
import hmac
import json
from typing import Any

import pytest

from app.net.client import OutboundClient
from app.verification.answer import Verification
from app.verification.tokens import MAX_TOKEN
from tests.net.tls_site import FakeResolver
from tests.verification.badges import Document, Issuer, badge, issuer_at, sign, status_entry, status_list
from tests.verification.jose import (
    Key,
    claims_of,
    did_jwk,
    encode,
    forge,
    issue,
    new_key,
    private,
    public,
    with_header,
)
from tests.verification.test_verify import OwnDocuments, alone, failed, outcomes, verifier

HOST = "https://own.example"
ISSUER_URL = f"{HOST}/issuers/a"
ISSUER_DID = "did:web:own.example:issuers:a"
KEY_URL = f"{HOST}/keys/1"
OB_1 = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json"


def web_document(key: Key, *, purpose: str = "assertionMethod") -> Document:
    """did.json of ISSUER_DID with `key` as its one key."""
    method = {"id": f"{ISSUER_DID}#k", "type": "JsonWebKey", "controller": ISSUER_DID, "publicKeyJwk": public(key)}
    return {"id": ISSUER_DID, "verificationMethod": [method], purpose: ["#k"]}


def known(key: Key, **others: Any) -> OwnDocuments:
    """A world in which the key is published as one JWK and in did.json."""
    documents = {KEY_URL: public(key), f"{ISSUER_URL}/did.json": web_document(key)}
    return OwnDocuments(documents | others)


def ob3(issuer_id: str = ISSUER_URL, alg: str = "RS256", kind: str = "RSA", **header: Any) -> str:
    head = {"alg": alg, "typ": "JWT", "kid": KEY_URL} | header
    kept = {name: value for name, value in head.items() if value is not None}
    return issue(kept, claims_of(badge(issuer_at(issuer_id))), new_key(kind))


def jose_cose(
    alg: str, kind: str, issuer_id: str = ISSUER_DID, kid: str | None = f"{ISSUER_DID}#k", **header: Any
) -> str:
    head = {"alg": alg, "typ": "vc+jwt", "cty": "vc"} | ({"kid": kid} if kid else {}) | header
    return issue(head, badge(issuer_at(issuer_id)), new_key(kind))


def verify(sent: Document | str, own: OwnDocuments | None = None) -> Verification:
    return asyncio.run(alone(own).verify(sent))


def codes(found: Verification, name: str) -> list[str]:
    return outcomes(found)[name]


# what is good


@pytest.mark.parametrize(("alg", "kind"), [("RS256", "RSA"), ("ES256", "P-256")])
def test_the_profile_of_open_badges_verifies(alg: str, kind: str) -> None:
    found = verify(ob3(alg=alg, kind=kind), known(new_key(kind)))
    assert failed(found) == []
    assert found.valid
    assert outcomes(found) == {
        "shape": ["well_formed"],
        "proof": ["proof_verified"],
        "issuer_binding": ["issuer_bound_by_host"],
        "validity": ["in_validity_period"],
        "status": ["no_status"],
    }
    assert found.credential_id == "https://badges.example/credentials/1"


@pytest.mark.parametrize(
    ("alg", "kind"),
    [("EdDSA", "Ed25519"), ("ES256", "P-256"), ("ES384", "P-384"), ("RS256", "RSA"), ("PS256", "RSA")],
)
def test_the_profile_of_w3c_verifies(alg: str, kind: str) -> None:
    found = verify(jose_cose(alg, kind), known(new_key(kind)))
    assert (failed(found), found.valid) == ([], True)
    assert codes(found, "issuer_binding") == ["issuer_bound"]


def test_a_jwt_of_data_model_1_says_some_things_in_claims_alone() -> None:
    whole = badge(
        issuer_at(ISSUER_DID),
        **{"@context": ["https://www.w3.org/2018/credentials/v1", OB_1]},
        validFrom=None,
        validUntil=None,
        issuanceDate="2026-11-01T00:00:00Z",
        expirationDate="2027-11-01T00:00:00Z",
    )
    claims = {name: value for name, value in claims_of(whole).items() if name in ("iss", "jti", "sub", "nbf", "exp")}
    subject = {name: value for name, value in whole["credentialSubject"].items() if name != "id"}
    left_out = ("id", "issuer", "issuanceDate", "expirationDate")
    rest = {name: value for name, value in whole.items() if name not in left_out} | {"credentialSubject": subject}
    header = {"alg": "ES256", "typ": "JWT", "kid": f"{ISSUER_DID}#k"}
    key = new_key("P-256")
    for credential in (whole, rest):
        found = verify(issue(header, claims | {"vc": credential}, key), known(key))
        assert (failed(found), found.valid) == ([], True)
        assert found.credential_id == whole["id"]
        assert found.valid_from == "2026-11-01T00:00:00Z"
    assert found.issuer is not None
    assert found.issuer.id == ISSUER_DID
    other = whole | {"id": "https://badges.example/credentials/2"}
    assert failed(verify(issue(header, claims | {"vc": other}, key), known(key))) == [("proof", "token_claim_mismatch")]


def test_an_enveloped_credential_is_opened() -> None:
    token = jose_cose("ES256", "P-256")
    envelope = {
        "@context": "https://www.w3.org/ns/credentials/v2",
        "type": "EnvelopedVerifiableCredential",
        "id": f"data:application/vc+jwt,{token}",
    }
    own = known(new_key("P-256"))
    assert verify(envelope, own).valid
    assert verify(envelope | {"type": ["EnvelopedVerifiableCredential"]}, own).valid
    wrong: list[Document] = [
        {"@context": None},
        {"@context": "https://www.w3.org/2018/credentials/v1"},
        {"id": token},
        {"id": None},
        {"id": f"data:application/vc+jwt;base64,{token}"},
        {"name": "Nobody signed this"},
    ]
    for members in wrong:
        assert failed(verify(envelope | members, own)) == [("shape", "invalid_envelope")], members
    other = verify(envelope | {"id": f"data:application/vp+jwt,{token}"}, own)
    assert failed(other) == [("shape", "unsupported_envelope")]


@pytest.mark.parametrize("media_type", ["application/vc+sd-jwt", "application/dc+sd-jwt"])
def test_selective_disclosure_jwts_are_said_to_be_not_supported(media_type: str) -> None:
    token = jose_cose("ES256", "P-256") + "~WyJzYWx0IiwgIm5hbWUiLCAiQSJd~"
    envelope = {
        "@context": "https://www.w3.org/ns/credentials/v2",
        "type": "EnvelopedVerifiableCredential",
        "id": f"data:{media_type},{token}",
    }
    for sent in (envelope, token):
        found = verify(sent, known(new_key("P-256")))
        [shape] = [each for each in found.checks if each.name == "shape"]
        assert (shape.code, shape.fault) == ("unsupported_envelope", "verifier")
        assert "SD-JWT" in shape.detail


def test_a_did_jwk_is_its_own_key_whatever_the_kind() -> None:
    for kind, alg in (("RSA", "RS256"), ("P-256", "ES256"), ("Ed25519", "EdDSA")):
        did = did_jwk(new_key(kind))
        for kid in (f"{did}#0", "#0", "0", None):
            assert verify(jose_cose(alg, kind, issuer_id=did, kid=kid)).valid, (kind, kid)
        assert not verify(jose_cose(alg, kind, issuer_id=did, kid=f"{did}#1")).valid


def test_a_key_in_the_header_counts_when_the_issuer_lists_it() -> None:
    key = new_key("P-256")
    token = ob3(ISSUER_DID, alg="ES256", kind="P-256", kid=None, jwk=public(key))
    assert verify(token, known(key)).valid
    stranger = OwnDocuments({f"{ISSUER_URL}/did.json": web_document(new_key("P-256", "another"))})
    assert failed(verify(token, stranger)) == [("proof", "verification_method_invalid")]
    other_purpose = OwnDocuments({f"{ISSUER_URL}/did.json": web_document(key, purpose="authentication")})
    assert failed(verify(token, other_purpose)) == [("proof", "verification_method_invalid")]


def test_kid_wins_over_the_key_in_the_header() -> None:
    key, mine = new_key("P-256"), new_key("P-256", "the attacker")
    header = {"alg": "ES256", "kid": KEY_URL, "jwk": public(mine)}
    token = issue(header, claims_of(badge(issuer_at(ISSUER_URL))), mine)
    assert failed(verify(token, known(key))) == [("proof", "signature_invalid")]


def test_a_jwk_is_the_issuers_when_its_host_publishes_it_or_its_document_lists_it() -> None:
    key = new_key("RSA")
    # the DID's document lists the key that is also at KEY_URL
    assert codes(verify(ob3(ISSUER_DID), known(key)), "issuer_binding") == ["issuer_bound"]
    elsewhere = "https://keys.example/1"
    for issuer_id in (ISSUER_URL, "did:web:own.example:issuers:b"):
        found = verify(ob3(issuer_id, kid=elsewhere), known(key, **{elsewhere: public(key)}))
        assert not found.valid
        assert codes(found, "proof")[0].startswith("verification_method_")
    # it says itself whose it is
    found = verify(ob3(), OwnDocuments({KEY_URL: public(key) | {"iss": f"{HOST}/issuers/b"}}))
    assert failed(found) == [("issuer_binding", "controller_mismatch")]


def test_a_status_list_may_be_a_token_too() -> None:
    list_url = f"{HOST}/status-lists/1"
    key, issuer = new_key("P-256"), issuer_at(ISSUER_DID)
    entry = status_entry(id=f"{list_url}#7", statusListCredential=list_url)
    header = {"alg": "ES256", "typ": "vc+jwt", "kid": f"{ISSUER_DID}#k"}
    token = issue(header, badge(issuer, credentialStatus=entry), key)
    stranger = new_key("P-256", "a stranger")
    for ones, signer, code in (
        ([], key, "status_clear"),
        ([7], key, "revoked"),
        ([], stranger, "status_list_proof_failed"),
    ):
        served = issue(header, status_list(issuer, ones=ones, id=list_url), signer)
        envelope = {
            "@context": "https://www.w3.org/ns/credentials/v2",
            "type": "EnvelopedVerifiableCredential",
            "id": f"data:application/vc+jwt,{served}",
        }
        assert codes(verify(token, known(key, **{list_url: envelope})), "status") == [code]


def test_embedded_proofs_within_a_token_have_to_be_good_too() -> None:
    key, issuer = new_key("P-256"), issuer_at(ISSUER_DID)
    document = web_document(key)
    document["verificationMethod"] += issuer.document["verificationMethod"]
    document["assertionMethod"] += issuer.document["assertionMethod"]
    own = OwnDocuments({f"{ISSUER_URL}/did.json": document})
    header = {"alg": "ES256", "typ": "vc+jwt", "kid": f"{ISSUER_DID}#k"}
    signed = sign(badge(issuer), issuer)
    assert verify(issue(header, signed, key), own).valid
    changed = verify(issue(header, signed | {"name": "Another"}, key), own)
    assert failed(changed) == [("proof", "signature_invalid")]


# what is wrong with a token


def changed_payload(token: str, **members: Any) -> str:
    header, _, signature = token.split(".")
    return f"{header}.{encode(claims_of(badge(issuer_at(ISSUER_URL))) | members)}.{signature}"


def test_a_change_after_signing_fails_the_proof() -> None:
    own = known(new_key("RSA"))
    assert failed(verify(changed_payload(ob3(), name="Another"), own)) == [("proof", "signature_invalid")]
    head, payload, _ = ob3().split(".")
    assert failed(verify(f"{head}.{payload}.{encode(bytes(256))}", own)) == [("proof", "signature_invalid")]
    assert failed(verify(f"{head}.{payload}.", own)) == [("proof", "signature_invalid")]


@pytest.mark.parametrize("alg", ["none", "None", "NONE"])
def test_alg_none_is_refused(alg: str) -> None:
    token = forge({"alg": alg, "typ": "JWT", "kid": KEY_URL}, claims_of(badge(issuer_at(ISSUER_URL))))
    assert failed(verify(token, known(new_key("RSA")))) == [("proof", "token_unsigned")]


def test_a_public_key_is_no_secret_to_make_a_mac_with() -> None:
    claims = claims_of(badge(issuer_at(ISSUER_URL)))
    for secret in (new_key("RSA").as_pem(private=False), json.dumps(public(new_key("RSA"))).encode()):
        unsigned = forge({"alg": "HS256", "typ": "JWT", "kid": KEY_URL}, claims).removesuffix(".")
        token = f"{unsigned}.{encode(hmac.digest(secret, unsigned.encode(), hashlib.sha256))}"
        assert failed(verify(token, known(new_key("RSA")))) == [("proof", "token_algorithm_refused")]


@pytest.mark.parametrize("alg", ["RS512", "ES256K", "ES512", "A128GCM", 5, ["RS256"]])
def test_other_algorithms_are_refused(alg: Any) -> None:
    token = with_header(ob3(), alg=alg)
    assert failed(verify(token, known(new_key("RSA")))) == [("proof", "token_algorithm_refused")]


def test_the_profile_of_open_badges_takes_two_algorithms() -> None:
    token = ob3(alg="PS256")
    assert failed(verify(token, known(new_key("RSA")))) == [("proof", "token_algorithm_refused")]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("jku", "https://own.example/jwks.json"),
        ("x5u", "https://own.example/chain.pem"),
        ("x5c", ["MIIB"]),
        ("x5t", "abc"),
        ("b64", False),
        ("zip", "DEF"),
    ],
)
@pytest.mark.parametrize("token", [ob3, lambda: jose_cose("RS256", "RSA")], ids=["ob3-jwt", "vc-jose-cose"])
def test_a_header_that_leads_elsewhere_is_refused_and_leads_nowhere(token: Any, member: str, value: Any) -> None:
    own = known(new_key("RSA"))
    found = verify(with_header(token(), **{member: value}), own)
    assert failed(found) == [("proof", "token_header_refused")]
    assert found.fetched == []
    assert not any("jwks" in url or "chain" in url or "/keys/" in url for url in own.asked)


def test_the_profile_of_open_badges_has_no_further_header() -> None:
    own = known(new_key("RSA"))
    assert failed(verify(ob3(cty="vc"), own)) == [("proof", "token_header_refused")]
    assert verify(ob3(typ=None), own).valid


def test_a_private_key_in_the_header_is_refused() -> None:
    key = new_key("P-256")
    token = ob3(ISSUER_DID, alg="ES256", kind="P-256", kid=None, jwk=private(key))
    assert failed(verify(token, known(key))) == [("proof", "token_key_private")]
    published = OwnDocuments({KEY_URL: private(key)})
    assert failed(verify(ob3(alg="ES256", kind="P-256"), published)) == [("proof", "verification_method_invalid")]


@pytest.mark.parametrize("crit", [["exp"], ["b64"], ["https://example.org/x"], [], "exp"])
def test_an_extension_that_is_critical_is_not_known(crit: Any) -> None:
    token = with_header(ob3(), crit=crit)
    assert failed(verify(token, known(new_key("RSA")))) == [("proof", "token_critical_refused")]


@pytest.mark.parametrize("typ", ["at+jwt", "vp+jwt", "vc+sd-jwt", "jwt", 5, ["JWT"], None])
def test_a_token_of_another_type_is_refused(typ: Any) -> None:
    token = with_header(ob3(), typ=typ)
    assert failed(verify(token, known(new_key("RSA")))) == [("proof", "token_type_refused")]


def test_a_token_without_a_word_on_its_key() -> None:
    found = verify(ob3(kid=None), known(new_key("RSA")))
    assert failed(found) == [("proof", "verification_method_invalid")]


@pytest.mark.parametrize(
    "kid",
    [
        "http://own.example/keys/1",
        "https://inside.example/keys/1",
        "https://127.0.0.1/keys/1",
        "https://nowhere.example/",
    ],
)
def test_a_key_at_a_place_that_is_not_public_is_not_fetched(kid: str) -> None:
    outbound = OutboundClient(resolver=FakeResolver({"inside.example": [["10.0.0.1"]]}))
    found = asyncio.run(verifier(outbound, OwnDocuments(base="-")).verify(ob3(kid=kid)))
    assert failed(found) == [("proof", "verification_method_refused")]
    assert [(each.url, each.outcome) for each in found.fetched] == [(kid, "refused")]


@pytest.mark.parametrize("kid", ["urn:uuid:1", "ftp://own.example/k", "did:example:1#k", "x:", "did:web:#k", 5, {}])
def test_a_key_of_a_kind_that_cannot_be_resolved(kid: Any) -> None:
    found = verify(with_header(ob3(), kid=kid), OwnDocuments())
    assert failed(found) == [("proof", "verification_method_invalid")]


def _jwk_set(key: Key) -> Document:
    return {"keys": [public(key)]}


def test_what_is_published_at_kid_must_be_one_usable_jwk() -> None:
    rsa, p256, p384 = new_key("RSA"), new_key("P-256"), new_key("P-384")
    unusable = [
        _jwk_set(rsa),
        {},
        {"kty": "RSA", "n": 5, "e": []},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"},
        # 1,024 bits: nobody has factored it, and nobody should have to
        {"kty": "RSA", "e": "AQAB", "n": encode(b"\xc5" + bytes(126) + b"\x01")},
    ]
    for document in unusable:
        found = verify(ob3(), OwnDocuments({KEY_URL: document}))
        assert failed(found) == [("proof", "verification_method_invalid")], document
    unfit = [(ob3(alg="ES256", kind="P-256"), each) for each in (public(p384), public(rsa), public(new_key("Ed25519")))]
    unfit += [(ob3(), public(rsa) | more) for more in ({"use": "enc"}, {"alg": "PS256"}, {"key_ops": ["encrypt"]})]
    for token, document in unfit:
        assert failed(verify(token, OwnDocuments({KEY_URL: document}))) == [("proof", "token_key_unfit")], document
    assert verify(ob3(), OwnDocuments({KEY_URL: public(rsa) | {"use": "sig", "alg": "RS256"}})).valid
    assert verify(ob3(alg="ES256", kind="P-256"), OwnDocuments({KEY_URL: public(p256)})).valid


def test_a_key_that_has_expired_or_been_revoked_verifies_nothing() -> None:
    key = new_key("P-256")
    for member in ("expires", "revoked"):
        for moment, valid in (("2026-11-22T00:00:00Z", False), ("2026-12-22T00:00:00Z", True)):
            document = web_document(key)
            document["verificationMethod"][0][member] = moment
            found = verify(jose_cose("ES256", "P-256"), OwnDocuments({f"{ISSUER_URL}/did.json": document}))
            assert found.valid is valid


# claims


@pytest.mark.parametrize(
    ("claim", "value", "pointer"),
    [
        ("iss", "https://own.example/issuers/b", "/issuer"),
        ("sub", "did:example:another", "/credentialSubject/id"),
        ("jti", "https://badges.example/credentials/2", "/id"),
        ("nbf", 1, "/validFrom"),
        ("nbf", "1761955200", "/validFrom"),
        ("nbf", True, "/validFrom"),
        ("exp", 1e308, "/validUntil"),
        ("exp", [], "/validUntil"),
    ],
)
def test_the_claims_say_what_the_credential_says(claim: str, value: Any, pointer: str) -> None:
    key = new_key("RSA")
    claims = claims_of(badge(issuer_at(ISSUER_URL))) | {claim: value}
    found = verify(issue({"alg": "RS256", "kid": KEY_URL}, claims, key), known(key))
    assert [(each.code, each.pointer) for each in found.checks if each.outcome == "failed"] == [
        ("token_claim_mismatch", pointer)
    ]


@pytest.mark.parametrize("claim", ["iss", "jti", "nbf", "sub", "exp"])
def test_the_claims_of_open_badges_must_be_there(claim: str) -> None:
    key = new_key("RSA")
    claims = {name: value for name, value in claims_of(badge(issuer_at(ISSUER_URL))).items() if name != claim}
    found = verify(issue({"alg": "RS256", "kid": KEY_URL}, claims, key), known(key))
    assert failed(found) == [("proof", "token_claim_missing")]


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": 1_700_000_000}, "proof_expired"),
        ({"exp": "never"}, "proof_expired"),
        ({"nbf": 1_900_000_000}, "proof_not_yet_valid"),
        ({"iat": 1_900_000_000}, "proof_not_yet_valid"),
        ({"iss": "did:web:own.example"}, "token_claim_mismatch"),
        ({"iss": ISSUER_DID, "iat": 1_700_000_000, "exp": 1_900_000_000}, None),
    ],
)
def test_a_token_has_its_own_dates(claims: Document, code: str | None) -> None:
    key = new_key("P-256")
    header = {"alg": "ES256", "typ": "vc+jwt", "kid": f"{ISSUER_DID}#k"}
    found = verify(issue(header, badge(issuer_at(ISSUER_DID)) | claims, key), known(key))
    assert failed(found) == ([("proof", code)] if code else [])


# what is no token


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "a.b.c",
        "a.b",
        "a.b.c.d",
        ob3() + "=",
        ob3().replace(".", ". ", 1),
        forge(b'{"alg":"RS256","alg":"none"}', {}),
        forge({"alg": "RS256"}, b'{"id":"urn:a","id":"urn:b"}'),
        forge({"alg": "RS256"}, b'{"a":12345678901234567890}'),
        forge({"alg": "RS256"}, b'{"a":"\\ud800"}'),
        forge({"alg": "RS256"}, b"[]"),
        forge([], {}),
        forge({"alg": "RS256"}, b"\xff"),
        forge({"alg": "RS256"}, b"[" * 100_000),
    ],
    ids=range(15),
)
def test_what_is_no_token_is_a_verdict(text: str) -> None:
    found = verify(text)
    assert failed(found) == [("shape", "token_malformed")]


def test_bits_left_over_are_no_second_spelling() -> None:
    token = ob3()
    last = token[-1]
    other = next(each for each in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if each != last)
    own = known(new_key("RSA"))
    assert verify(token, own).valid
    assert not verify(token[:-1] + other, own).valid


def test_a_token_larger_than_any_badge_is_not_read() -> None:
    found = verify(forge({"alg": "RS256"}, {"a": "x" * MAX_TOKEN}))
    assert failed(found) == [("shape", "token_too_large")]


def test_members_that_no_context_defines_are_refused_in_a_token_too() -> None:
    key = new_key("RSA")
    claims = claims_of(badge(issuer_at(ISSUER_URL))) | {"grade": "A+"}
    found = verify(issue({"alg": "RS256", "kid": KEY_URL}, claims, key), known(key))
    assert [(each.code, each.pointer) for each in found.checks if each.outcome == "failed"] == [
        ("unsafe_document", "/grade")
    ]


def test_nothing_a_header_holds_makes_verifying_raise() -> None:
    key, issuer = new_key("P-256"), Issuer(ISSUER_DID, issuer_at(ISSUER_DID).key)
    token = issue({"alg": "ES256", "typ": "vc+jwt", "kid": f"{ISSUER_DID}#k"}, badge(issuer), key)
    for member in ("alg", "typ", "kid", "jwk", "crit", "cty", "iss"):
        for value in (None, 5, "x", [], [[]], {"a": []}, -0.5):
            found = verify(with_header(token, **{member: value}), known(key))
            assert not found.valid, (member, value)
