"""Credentials of both data models, of every version of Open Badges 3.0, and of other kinds than badges."""

import pytest

from app.verification.verdict import is_valid
from tests.verification.badges import NOW, Document, Issuer, badge, did_key_issuer, put, sign
from tests.verification.judging import ISSUER, codes, failed, judged

V1, V2 = "https://www.w3.org/2018/credentials/v1", "https://www.w3.org/ns/credentials/v2"
OB = "https://purl.imsglobal.org/spec/ob/v3p0/context"
CLR_CONTEXT = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"
DATA_INTEGRITY = "https://w3id.org/security/data-integrity/v2"


def badge_1(issuer: Issuer, context: str = f"{OB}-3.0.3.json", **members: object) -> Document:
    """A badge of the data model 1.1; its contexts lack the terms of a proof, so that has one of its own."""
    dates = {
        "validFrom": None,
        "validUntil": None,
        "issuanceDate": "2026-11-01T00:00:00Z",
        "expirationDate": "2027-11-01T00:00:00Z",
    }
    return badge(issuer, **{"@context": [V1, context, DATA_INTEGRITY]} | dates | members)


@pytest.mark.parametrize("version", ["-3.0.3.json", "-3.0.2.json"])
def test_every_context_that_goes_with_data_model_2(version: str) -> None:
    checks = judged(sign(badge(ISSUER, **{"@context": [V2, OB + version]}), ISSUER))
    assert (failed(checks), is_valid(checks)) == ([], True)


@pytest.mark.parametrize("version", ["-3.0.3.json", "-3.0.2.json", "-3.0.1.json", ".json"])
def test_every_context_that_goes_with_data_model_1(version: str) -> None:
    checks = judged(sign(badge_1(ISSUER, OB + version), ISSUER))
    assert (failed(checks), is_valid(checks)) == ([], True)
    [shape] = [each for each in checks if each.name == "shape"]
    assert "data model 1.1" in shape.detail


@pytest.mark.parametrize("version", ["-3.0.1.json", ".json"])
def test_an_old_context_clashes_with_data_model_2_and_is_told_so(version: str) -> None:
    document = badge(ISSUER, **{"@context": [V2, OB + version]})
    checks = judged(document)
    assert ("shape", "context_clash", "/@context/1") in failed(checks)


@pytest.mark.parametrize(
    ("members", "code", "pointer"),
    [
        ({"issuanceDate": None}, "invalid_date", "/issuanceDate"),
        ({"issuanceDate": "2026-11-01"}, "invalid_date", "/issuanceDate"),
        ({"expirationDate": "soon"}, "invalid_date", "/expirationDate"),
    ],
)
def test_data_model_1_has_its_own_dates(members: Document, code: str, pointer: str) -> None:
    assert ("shape", code, pointer) in failed(judged(badge_1(ISSUER, **members)))


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"issuanceDate": "2026-12-01T00:00:00Z"}, "not_yet_valid"),
        ({"expirationDate": "2026-11-02T00:00:00Z"}, "expired"),
        ({}, "in_validity_period"),
    ],
)
def test_the_validity_period_of_data_model_1(members: Document, code: str) -> None:
    assert codes(judged(sign(badge_1(ISSUER, **members), ISSUER), now=NOW))["validity"] == [code]


def test_dates_of_the_other_data_model_do_not_count() -> None:
    document = badge(ISSUER, validUntil=None, expirationDate="2026-11-02T00:00:00Z")
    assert ("shape", "unsafe_document", "/expirationDate") in failed(judged(document))


def test_achievement_credential_is_another_name_for_a_badge() -> None:
    alias = ["VerifiableCredential", "AchievementCredential"]
    signed = sign(badge(ISSUER), ISSUER)
    assert is_valid(judged(sign(badge(ISSUER, type=alias), ISSUER)))
    # the two names are one type: exchanging them changes nothing that is said
    assert is_valid(judged(put(signed, "/type", alias)))
    assert not is_valid(judged(put(signed, "/type", ["VerifiableCredential", "EndorsementCredential"])))


def endorsement(issuer: Issuer, /, **members: object) -> Document:
    document = {
        "@context": [V2, f"{OB}-3.0.3.json"],
        "id": "https://badges.example/endorsements/1",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": "An endorsement",
        "issuer": {"id": issuer.id, "type": ["Profile"], "name": "An Endorser"},
        "validFrom": "2026-11-01T00:00:00Z",
        "credentialSubject": {
            "id": "https://badges.example/credentials/1",
            "type": ["EndorsementSubject"],
            "endorsementComment": "We have seen it.",
        },
    }
    return {name: value for name, value in (document | members).items() if value is not None}


def record(issuer: Issuer, badges: list[Document], /, **members: object) -> Document:
    document = {
        "@context": [V2, CLR_CONTEXT, f"{OB}-3.0.3.json"],
        "id": "https://badges.example/records/1",
        "type": ["VerifiableCredential", "ClrCredential"],
        "name": "A record",
        "issuer": {"id": issuer.id, "type": ["Profile"], "name": "An Issuer"},
        "validFrom": "2026-11-01T00:00:00Z",
        "credentialSubject": {
            "id": "did:example:learner",
            "type": ["ClrSubject"],
            **({"verifiableCredential": badges} if badges else {}),
        },
    }
    return {name: value for name, value in (document | members).items() if value is not None}


def test_an_endorsement_verifies_by_itself() -> None:
    assert is_valid(judged(sign(endorsement(ISSUER), ISSUER)))
    for subject in ({"type": ["EndorsementSubject"]}, {"id": "urn:a", "type": ["Profile"]}, [], "x", None):
        wrong = judged(endorsement(ISSUER, credentialSubject=subject))
        assert ("shape", "invalid_endorsement_subject", "/credentialSubject") in failed(wrong)


def test_a_learner_record_verifies() -> None:
    stranger = did_key_issuer("a stranger")
    inside = sign(badge(stranger), stranger)
    assert is_valid(judged(sign(record(ISSUER, [inside]), ISSUER)))
    changed = put(sign(record(ISSUER, [inside]), ISSUER), "/credentialSubject/verifiableCredential/0/name", "Another")
    assert not is_valid(judged(changed))


@pytest.mark.parametrize(
    ("members", "code", "pointer"),
    [
        ({"@context": [V2, f"{OB}-3.0.3.json", CLR_CONTEXT]}, "invalid_context", "/@context/1"),
        ({"@context": [V2, CLR_CONTEXT]}, "invalid_context", "/@context/2"),
        (
            {"credentialSubject": {"id": "urn:a", "type": ["AchievementSubject"]}},
            "invalid_clr_subject",
            "/credentialSubject",
        ),
    ],
)
def test_what_is_no_learner_record_is_reported(members: Document, code: str, pointer: str) -> None:
    assert ("shape", code, pointer) in failed(judged(record(ISSUER, [], **members)))
