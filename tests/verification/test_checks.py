from datetime import timedelta
from typing import Any

import pytest

from app.verification.envelopes import open_sent
from app.verification.gathered import Missing
from app.verification.proofs import methods_needed
from app.verification.status import status_lists_needed
from app.verification.verdict import NAMES, is_valid
from app.verification.verdicts import VERDICTS
from tests.verification.badges import (
    LIST_URL,
    NOW,
    Document,
    Issuer,
    badge,
    issuer_at,
    put,
    sign,
    status_entry,
    status_list,
)
from tests.verification.judging import ISSUER, STRANGER, codes, failed, judged


def test_a_good_badge_passes_every_check() -> None:
    checks = judged(sign(badge(ISSUER), ISSUER))
    assert codes(checks) == {
        "shape": ["well_formed"],
        "proof": ["proof_verified"],
        "issuer_binding": ["issuer_bound"],
        "validity": ["in_validity_period"],
        "status": ["no_status"],
    }
    assert is_valid(checks)


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/credentialSubject/achievement/name", "Another"),
        ("/credentialSubject/id", "did:example:another"),
        ("/validUntil", "2037-11-01T00:00:00Z"),
        ("/issuer/name", "Another"),
        ("/id", "https://badges.example/credentials/2"),
        ("/proof/0/created", "2026-11-22T13:00:01Z"),
    ],
)
def test_a_change_after_signing_fails_the_proof_and_nothing_else(pointer: str, value: str) -> None:
    checks = judged(put(sign(badge(ISSUER), ISSUER), pointer, value))
    assert failed(checks) == [("proof", "signature_invalid", "/proof/0/proofValue")]


def test_a_proof_of_another_badge_fails() -> None:
    one, other = sign(badge(ISSUER), ISSUER), sign(badge(ISSUER, id="https://badges.example/credentials/2"), ISSUER)
    assert is_valid(judged(one))
    assert failed(judged(one | {"proof": other["proof"]})) == [("proof", "signature_invalid", "/proof/0/proofValue")]


def test_a_single_proof_need_not_be_in_a_list() -> None:
    signed = sign(badge(ISSUER), ISSUER)
    assert is_valid(judged(signed | {"proof": signed["proof"][0]}))


# shape


@pytest.mark.parametrize(
    ("members", "code", "pointer"),
    [
        ({"@context": "https://www.w3.org/ns/credentials/v2"}, "invalid_context", "/@context"),
        ({"@context": ["https://www.w3.org/ns/credentials/v2"]}, "invalid_context", "/@context"),
        ({"@context": ["https://www.w3.org/ns/credentials/v2", {"a": "urn:a"}]}, "invalid_context", "/@context"),
        (
            {"@context": ["https://www.w3.org/ns/credentials/v2", "https://w3id.org/security/multikey/v1"]},
            "invalid_context",
            "/@context/1",
        ),
        (
            {
                "@context": [
                    "https://www.w3.org/ns/credentials/v2",
                    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
                    "https://example.org/extension",
                ]
            },
            "unknown_context",
            "/@context/2",
        ),
        (
            {"@context": ["https://www.w3.org/2018/credentials/v1", "https://w3id.org/x"]},
            "invalid_context",
            "/@context/1",
        ),
        ({"type": ["VerifiableCredential"]}, "not_an_open_badge", "/type"),
        ({"type": ["OpenBadgeCredential"]}, "not_an_open_badge", "/type"),
        ({"id": None}, "invalid_credential_id", "/id"),
        ({"id": "credentials/1"}, "invalid_credential_id", "/id"),
        ({"id": "https://badges.example/a b"}, "invalid_credential_id", "/id"),
        ({"issuer": None}, "invalid_issuer", "/issuer"),
        ({"issuer": {"type": ["Profile"], "name": "An Issuer"}}, "invalid_issuer", "/issuer"),
        ({"credentialSubject": None}, "invalid_subject", "/credentialSubject"),
        ({"credentialSubject": {"id": "did:example:learner"}}, "invalid_subject", "/credentialSubject"),
        ({"validFrom": None}, "invalid_date", "/validFrom"),
        ({"validFrom": "2026-11-01T00:00:00"}, "invalid_date", "/validFrom"),
        ({"validFrom": "2026-11-01"}, "invalid_date", "/validFrom"),
        ({"validUntil": "2026-02-30T00:00:00Z"}, "invalid_date", "/validUntil"),
    ],
)
def test_what_is_no_open_badge_is_reported(members: Document, code: str, pointer: str) -> None:
    checks = judged(badge(ISSUER, **members))
    assert ("shape", code, pointer) in failed(checks)
    assert not any(each.code == "well_formed" for each in checks)


def test_an_achievement_must_be_complete() -> None:
    whole = badge(ISSUER)
    for member in ("type", "id", "name", "description", "criteria"):
        achievement = {k: v for k, v in whole["credentialSubject"]["achievement"].items() if k != member}
        changed = put(whole, "/credentialSubject/achievement", achievement)
        assert ("shape", "invalid_achievement", "/credentialSubject/achievement") in failed(judged(changed))
    assert not any(code == "invalid_achievement" for _, code, _ in failed(judged(whole)))


def test_a_subject_is_known_by_an_id_or_an_identifier() -> None:
    whole = badge(ISSUER)
    subject = {k: v for k, v in whole["credentialSubject"].items() if k != "id"}
    identifier = {
        "type": "IdentityObject",
        "hashed": False,
        "identityHash": "a@example.org",
        "identityType": "emailAddress",
    }
    assert is_valid(judged(sign(put(whole, "/credentialSubject", subject | {"identifier": [identifier]}), ISSUER)))
    anonymous = sign(put(whole, "/credentialSubject", subject), ISSUER)
    assert failed(judged(anonymous)) == [("shape", "invalid_subject", "/credentialSubject")]


@pytest.mark.parametrize(
    ("pointer", "value", "at"),
    [
        ("/grade", "A+", "/grade"),
        ("/credentialSubject/achievement/favoriteColor", "red", "/credentialSubject/achievement/favoriteColor"),
        ("/credentialSubject/achievement/image/id", "https://x.example/a b", "/credentialSubject/achievement/image/id"),
        ("/credentialSubject/achievement/image/id", "images/1.png", "/credentialSubject/achievement/image/id"),
        ("/type/1", "OpenBadgeCredential2", "/type/1"),
    ],
)
def test_what_no_signature_covers_is_reported_where_it_is(pointer: str, value: str, at: str) -> None:
    changed = put(sign(badge(ISSUER), ISSUER), pointer, value)
    assert ("shape", "unsafe_document", at) in failed(judged(changed))
    assert ("proof", "unsigned_content", "/proof/0") in failed(judged(changed))


# proof


def test_an_unsigned_badge_fails() -> None:
    assert failed(judged(badge(ISSUER))) == [("proof", "no_proof", "/proof")]
    assert failed(judged(badge(ISSUER, proof=[]))) == [("proof", "no_proof", "/proof")]


def test_a_kind_of_proof_that_is_not_known_is_the_verifiers_fault() -> None:
    signed = sign(badge(ISSUER), ISSUER)
    other = {"type": "DataIntegrityProof", "cryptosuite": "bbs-2023", "proofPurpose": "assertionMethod"}
    [only] = [each for each in judged(signed | {"proof": [other]}) if each.outcome == "failed"]
    assert (only.code, only.fault, only.pointer) == ("unsupported_proof", "verifier", "/proof/0")
    beside = judged(signed | {"proof": [*signed["proof"], other]})
    assert codes(beside)["proof"] == ["other_proof_ignored", "proof_verified"]
    assert is_valid(beside)


def test_every_proof_of_a_known_kind_must_verify() -> None:
    one, other = sign(badge(ISSUER), ISSUER), sign(badge(ISSUER), ISSUER, created=NOW - timedelta(days=2))
    assert is_valid(judged(one | {"proof": [*one["proof"], *other["proof"]]}))
    wrong = put(other, "/proof/0/created", "2026-11-22T13:00:01Z")
    both = judged(one | {"proof": [*one["proof"], *wrong["proof"]]})
    assert codes(both)["proof"] == ["proof_verified", "signature_invalid"]
    assert not is_valid(both)


def test_proofs_are_counted() -> None:
    signed = sign(badge(ISSUER), ISSUER)
    assert is_valid(judged(signed | {"proof": signed["proof"] * 3}))
    assert failed(judged(signed | {"proof": signed["proof"] * 4})) == [("proof", "too_many_proofs", "/proof")]


@pytest.mark.parametrize("suffix", ["unavailable", "refused", "invalid"])
def test_a_key_that_was_not_had_fails_the_proof_and_leaves_the_rest_checked(suffix: str) -> None:
    missing = Missing(f"verification_method_{suffix}", "Why.")
    checks = judged(sign(badge(ISSUER), ISSUER), methods={ISSUER.method_id: missing})
    assert failed(checks) == [("proof", missing.code, "/proof/0/verificationMethod")]
    assert codes(checks)["issuer_binding"] == ["not_checked"]
    assert codes(checks)["validity"] == ["in_validity_period"]


def test_a_proof_has_its_own_dates() -> None:
    assert is_valid(judged(sign(badge(ISSUER), ISSUER, created=NOW + timedelta(seconds=59))))
    early = judged(sign(badge(ISSUER), ISSUER, created=NOW + timedelta(minutes=5)))
    assert [code for _, code, _ in failed(early)] == ["proof_not_yet_valid"]
    assert is_valid(judged(sign(badge(ISSUER), ISSUER, expires="2026-11-24T00:00:00Z")))
    late = judged(sign(badge(ISSUER), ISSUER, expires="2026-11-22T00:00:00Z"))
    assert [code for _, code, _ in failed(late)] == ["proof_expired"]


# issuer binding


def test_a_key_of_someone_else_fails_the_binding() -> None:
    checks = judged(sign(badge(ISSUER), STRANGER))
    assert failed(checks) == [("issuer_binding", "controller_mismatch", "/issuer")]
    assert codes(checks)["proof"] == ["proof_verified"]


def test_a_name_that_holds_a_key_is_not_a_key_of_that_name() -> None:
    """`did:web:victim.example#<a key of ours>`: what it resolves to decides, and the victim does not list it."""
    victim = issuer_at("did:web:victim.example")
    forged = sign(badge(victim), Issuer(victim.id, STRANGER.key))
    missing = Missing("verification_method_invalid", "Not listed.")
    checks = judged(forged, methods={forged["proof"][0]["verificationMethod"]: missing})
    assert [code for _, code, _ in failed(checks)] == ["verification_method_invalid"]


def test_the_purpose_of_the_proof_is_to_assert() -> None:
    checks = judged(sign(badge(ISSUER), ISSUER, proofPurpose="authentication"))
    assert ("issuer_binding", "wrong_proof_purpose", "/proof/0/proofPurpose") in failed(checks)
    assert not is_valid(checks)


def proof_set(*signed: Document) -> Document:
    """One badge with the proofs of all of `signed`, which are the same but for them."""
    return signed[0] | {"proof": [proof for each in signed for proof in each["proof"]]}


def test_one_proof_of_the_issuer_is_enough_and_every_known_one_has_to_be_good() -> None:
    own, other = sign(badge(ISSUER), ISSUER), sign(badge(ISSUER), STRANGER)
    for credential in (proof_set(own, other), proof_set(other, own)):
        checks = judged(credential)
        assert is_valid(checks)
        assert sorted(codes(checks)["issuer_binding"]) == ["issuer_bound", "proof_of_another"]
    assert not is_valid(judged(other))
    broken = put(proof_set(own, other), "/proof/1/created", "2026-11-20T00:00:00Z")
    assert failed(judged(broken)) == [("proof", "signature_invalid", "/proof/1/proofValue")]
    unknown = put(proof_set(own, other), "/proof/1/cryptosuite", "bbs-2023")
    assert is_valid(judged(unknown))
    assert codes(judged(unknown))["proof"] == ["other_proof_ignored", "proof_verified"]


def test_a_proof_for_another_purpose_beside_that_of_the_issuer_says_nothing() -> None:
    asserted = sign(badge(ISSUER), ISSUER)
    authenticated = sign(badge(ISSUER), ISSUER, proofPurpose="authentication")
    checks = judged(proof_set(asserted, authenticated))
    assert is_valid(checks)
    assert codes(checks)["issuer_binding"] == ["issuer_bound", "proof_of_another"]
    assert failed(judged(authenticated)) == [("issuer_binding", "wrong_proof_purpose", "/proof/0/proofPurpose")]


def test_proofs_of_two_badges_do_not_mix() -> None:
    one, other = sign(badge(ISSUER), ISSUER), sign(badge(ISSUER, name="Another"), ISSUER)
    assert not is_valid(judged(proof_set(one, other)))


# validity


@pytest.mark.parametrize(
    ("members", "seconds", "code"),
    [
        ({"validFrom": "2026-11-23T13:00:00Z"}, -60, "in_validity_period"),
        ({"validFrom": "2026-11-23T13:00:00Z"}, -61, "not_yet_valid"),
        ({"validUntil": "2026-11-23T13:00:00Z"}, 60, "in_validity_period"),
        ({"validUntil": "2026-11-23T13:00:00Z"}, 61, "expired"),
        ({"validUntil": "2026-11-23T15:00:00+02:00"}, 61, "expired"),
        ({"validUntil": None}, 10**9, "in_validity_period"),
    ],
)
def test_the_validity_period_with_a_minute_of_skew(members: Document, seconds: int, code: str) -> None:
    signed = sign(badge(ISSUER, **members), ISSUER, created=NOW - timedelta(days=1))
    checks = judged(signed, now=NOW + timedelta(seconds=seconds))
    assert codes(checks)["validity"] == [code]
    assert is_valid(checks) is (code == "in_validity_period")


# all of it


def test_every_check_runs_even_when_others_fail() -> None:
    wrong = sign(badge(ISSUER, validUntil="2026-11-02T00:00:00Z", credentialStatus=status_entry()), STRANGER)
    wrong = put(wrong, "/issuer/name", "Another")
    checks = judged(wrong, status_lists={LIST_URL: sign(status_list(ISSUER, ones=[7]), ISSUER)})
    assert {(name, code) for name, code, _ in failed(checks)} == {
        ("proof", "signature_invalid"),
        ("issuer_binding", "controller_mismatch"),
        ("validity", "expired"),
        ("status", "revoked"),
    }


def test_what_needs_fetching() -> None:
    signed = sign(badge(ISSUER, credentialStatus=status_entry()), ISSUER)
    assert methods_needed(open_sent(signed)) == [ISSUER.method_id]
    assert status_lists_needed(signed) == [LIST_URL]
    assert methods_needed(open_sent(badge(ISSUER))) == []
    assert status_lists_needed(badge(ISSUER)) == []


def _pointers(value: Any, at: str = "") -> list[str]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [pointer for key, each in items for pointer in (f"{at}/{key}", *_pointers(each, f"{at}/{key}"))]


@pytest.mark.parametrize("value", [None, 5, "x", [], [[]], {"a": []}], ids=repr)
def test_no_document_whatever_makes_judging_raise_or_pass(value: object) -> None:
    """Every place of a signed badge with a status, in turn, holds something else."""
    signed = sign(badge(ISSUER, credentialStatus=status_entry()), ISSUER)
    lists = {LIST_URL: sign(status_list(ISSUER), ISSUER)}
    assert is_valid(judged(signed, status_lists=lists))
    for pointer in _pointers(signed):
        changed = put(signed, pointer, value)
        methods_needed(open_sent(changed))
        status_lists_needed(changed)
        checks = judged(changed, status_lists=lists)
        assert [name for name in NAMES if any(each.name == name for each in checks)] == list(NAMES), pointer
        assert not is_valid(checks), pointer
    for pointer in _pointers(lists[LIST_URL]):
        checks = judged(signed, status_lists={LIST_URL: put(lists[LIST_URL], pointer, value)})
        assert codes(checks)["status"][0].startswith("status_list_"), pointer


def test_texts_are_sentences_for_people() -> None:
    for code, verdict in VERDICTS.items():
        assert verdict.detail[0].isupper() or verdict.detail.startswith(("`", "{")), code
        if verdict.outcome == "failed":
            assert verdict.cure.endswith("."), code
