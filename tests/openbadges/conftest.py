"""Facts of one badge that uses everything we compose, and the documents made from them."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.contexts import load_contexts
from app.openbadges.compose import (
    AchievementFacts,
    BadgeFacts,
    EvidenceFacts,
    ResultFacts,
    compose_achievement,
    compose_credential,
    compose_profile,
    compose_status_entry,
)
from app.openbadges.identity import compose_identity_objects

PROJECT = Path(__file__).resolve().parents[2]
BASE = "https://badges.example.org"
ACHIEVEMENT = f"{BASE}/achievements/7d1f"
ISSUER = "did:web:badges.example.org:issuers:sila"

CONTENT: dict[str, Any] = {
    "name": "Equitable Practices",
    "description": "Leads a team through one cycle of inquiry into an inequity.\nWith evidence.",
    "achievement_type": "MicroCredential",
    "criteria": {"id": f"{ACHIEVEMENT}/criteria", "narrative": "Every criterion at **Demonstrated**."},
    "tags": ["leadership", "equity"],
    "in_language": "en",
    "field_of_study": "School leadership",
    "specialization": "Equity",
    "human_code": "EP-3",
    "credits_available": 1.5,
    "image_caption": "A compass",
    "creator": {"id": "did:web:college.example", "name": "College of Education", "url": "https://college.example/"},
    "alignments": [
        {
            "target_name": "PSEL 3",
            "target_url": "https://frameworks.example/psel-3",
            "target_code": "psel-3",
            "target_framework": "PSEL",
            "target_type": "CFItem",
            "target_description": "Equity and cultural responsiveness",
        }
    ],
    "other_identifiers": [{"identifier": "ce-123", "identifier_type": "ext:ctid"}],
    "rubric": {
        "criteria": [
            {
                "key": "problem-of-practice",
                "name": "Frames the problem of practice",
                "passing_level": "demonstrated",
                "alignments": [{"target_name": "PSEL 3a", "target_url": "https://frameworks.example/psel-3a"}],
                "levels": [
                    {"key": "not-evident", "name": "Not evident", "description": "Nothing yet", "points": "1"},
                    {"key": "developing", "name": "Developing", "description": "Something", "points": "2"},
                    {"key": "demonstrated", "name": "Demonstrated", "description": "All of it", "points": "3"},
                ],
            },
            {
                "key": "evidence",
                "name": "Uses disaggregated evidence",
                "passing_level": "demonstrated",
                "levels": [
                    {"key": "developing", "name": "Developing", "description": "Something"},
                    {"key": "demonstrated", "name": "Demonstrated", "description": "All of it"},
                ],
            },
        ],
        "decision_rule": {"type": "all_but", "exceptions": 1, "mandatory": ["problem-of-practice"]},
    },
}


@pytest.fixture(scope="session")
def project() -> Path:
    return PROJECT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Third parties' data, beside the project."""
    directory = PROJECT.parent / "shared"
    if not directory.is_dir():
        pytest.skip("the reference data beside the project is absent")
    return directory


@pytest.fixture(scope="session")
def contexts() -> Mapping[str, dict[str, Any]]:
    return load_contexts(PROJECT / "schemas" / "contexts")


@pytest.fixture
def achievement_facts() -> AchievementFacts:
    return AchievementFacts(
        uri=ACHIEVEMENT,
        version=3,
        previous_version=2,
        content=deepcopy(CONTENT),
        mandatory={"problem-of-practice"},
        image_uri=f"{BASE}/images/{'ab' * 32}.png",
    )


@pytest.fixture
def badge_facts(achievement_facts: AchievementFacts) -> BadgeFacts:
    uri = f"{ACHIEVEMENT}/v3"
    return BadgeFacts(
        id=f"{BASE}/credentials/7e1a",
        issuer=compose_profile(
            id=ISSUER, name="School Improvement Leadership Academy", url="https://sila.example", email="b@sila.example"
        ),
        achievement=compose_achievement(achievement_facts),
        recipient_id="did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        identity_objects=compose_identity_objects(email="Ada@example.com", name="Ada Lovelace", salt="00ff" * 8),
        results=(
            ResultFacts(f"{uri}#problem-of-practice", f"{uri}#problem-of-practice-demonstrated", "Demonstrated"),
            ResultFacts(f"{uri}#evidence", f"{uri}#evidence-developing", "Developing"),
        ),
        evidence=(
            EvidenceFacts(
                id="https://evidence.example/9ab",
                name="Equity audit cycle",
                genre="artifact",
                narrative="One cycle",
                description="Redacted portfolio",
                audience="Hiring committee",
                digest="sha256:" + "5a" * 32,
            ),
            EvidenceFacts(
                id="urn:uuid:5d2c6d1e-2f0e-4a7e-9d0b-0d0b5f3c1a11", name="Video", digest="sha256:" + "ff" * 32
            ),
        ),
        narrative="Applied in a middle school.",
        role="Assistant principal",
        activity_start=datetime(2025, 9, 1, tzinfo=UTC),
        activity_end=datetime(2026, 3, 1, tzinfo=UTC),
        source=compose_profile(id=f"{BASE}/panels/22", name="SILA panel", description="Two certified assessors"),
        status_entry=compose_status_entry(status_list_id=f"{BASE}/status-lists/1", index=94567, purpose="revocation"),
        valid_from=datetime(2026, 4, 11, 8, 30, 15, 999_999, tzinfo=UTC),
        valid_until=datetime(2031, 4, 11, tzinfo=UTC),
        awarded_date=datetime(2026, 4, 9, tzinfo=UTC),
        name="Equitable Practices",
        description="Awarded for equitable practices",
        image_uri=f"{BASE}/images/{'cd' * 32}.png",
    )


@pytest.fixture
def badge(badge_facts: BadgeFacts) -> dict[str, Any]:
    return compose_credential(badge_facts)


@pytest.fixture
def endorse() -> Callable[[str], dict[str, Any]]:
    """An endorsement of the thing with the given id, with a proof-shaped proof."""

    def compose(endorsed: str) -> dict[str, Any]:
        return {
            "@context": [
                "https://www.w3.org/ns/credentials/v2",
                "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
            ],
            "id": "urn:uuid:11111111-2f0e-4a7e-9d0b-0d0b5f3c1a11",
            "type": ["VerifiableCredential", "EndorsementCredential"],
            "name": "State endorsement",
            "issuer": {"id": "did:web:state.example", "type": ["Profile"], "name": "State"},
            "validFrom": "2026-01-01T00:00:00Z",
            "credentialSubject": {"id": endorsed, "type": ["EndorsementSubject"], "endorsementComment": "Accepted"},
            "proof": [
                {
                    "type": "DataIntegrityProof",
                    "created": "2026-01-01T00:00:00Z",
                    "cryptosuite": "eddsa-rdfc-2022",
                    "proofPurpose": "assertionMethod",
                    "verificationMethod": "did:web:state.example#key-1",
                    "proofValue": "z3MvGcVxzRzzpKF1HA11EjvfPZsN8NAb7kXBRfeTm3CBg2gcJLQM5hZNmj6Ccd9Lk4C1Yuei",
                }
            ],
        }

    return compose
