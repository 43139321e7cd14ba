"""Facts in, documents out: what the document must say, where, and what it must not."""

import hashlib
import json
import subprocess
import sys
from base64 import urlsafe_b64decode
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from app.openbadges.compose import (
    AchievementFacts,
    BadgeFacts,
    EvidenceFacts,
    FragmentTaken,
    compose_achievement,
    compose_credential,
    compose_profile,
    digest_multibase,
)

URI = "https://badges.example.org/achievements/7d1f/v3"
MINIMAL: dict[str, Any] = {
    "evidence": (),
    "source": None,
    "description": None,
    "image_uri": None,
    "narrative": None,
    "role": None,
    "activity_start": None,
    "activity_end": None,
    "valid_until": None,
}


def test_the_frame_of_a_badge(badge: dict[str, Any]) -> None:
    assert badge["@context"] == [
        "https://www.w3.org/ns/credentials/v2",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    ]
    assert badge["type"] == ["VerifiableCredential", "OpenBadgeCredential"]
    assert badge["issuer"]["type"] == ["Profile"]
    assert badge["validFrom"] == "2026-04-11T08:30:15Z"
    assert badge["awardedDate"] == "2026-04-09T00:00:00Z"
    assert badge["credentialStatus"] == {
        "id": "https://badges.example.org/status-lists/1#94567",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "94567",
        "statusListCredential": "https://badges.example.org/status-lists/1",
    }
    assert "evidence" not in badge["credentialSubject"]
    assert "proof" not in badge


def test_results_are_the_levels_reached_and_the_outcome(badge: dict[str, Any]) -> None:
    assert badge["credentialSubject"]["result"] == [
        {
            "type": ["Result"],
            "resultDescription": f"{URI}#problem-of-practice",
            "achievedLevel": f"{URI}#problem-of-practice-demonstrated",
            "value": "Demonstrated",
        },
        {
            "type": ["Result"],
            "resultDescription": f"{URI}#evidence",
            "achievedLevel": f"{URI}#evidence-developing",
            "value": "Developing",
        },
        {"type": ["Result"], "resultDescription": f"{URI}#outcome", "status": "Completed"},
    ]


def test_an_achievement_has_versioned_uris(achievement_facts: AchievementFacts) -> None:
    achievement = compose_achievement(achievement_facts)
    assert achievement["id"] == URI
    assert achievement["version"] == "3"
    assert achievement["related"] == [
        {"id": "https://badges.example.org/achievements/7d1f/v2", "type": ["Related"], "version": "2"}
    ]
    problem, evidence, outcome = achievement["resultDescription"]
    assert [level["id"] for level in problem["rubricCriterionLevel"]] == [
        f"{URI}#problem-of-practice-not-evident",
        f"{URI}#problem-of-practice-developing",
        f"{URI}#problem-of-practice-demonstrated",
    ]
    assert problem["requiredLevel"] == f"{URI}#problem-of-practice-demonstrated"
    assert "requiredLevel" not in evidence, "only mandatory criteria are required of every award"
    assert outcome == {"id": f"{URI}#outcome", "type": ["ResultDescription"], "name": "Outcome", "resultType": "Status"}


def test_a_first_version_has_no_predecessor(achievement_facts: AchievementFacts) -> None:
    assert "related" not in compose_achievement(replace(achievement_facts, version=1, previous_version=None))


@pytest.mark.parametrize(
    ("criterion", "pointer"),
    [
        ({"key": "outcome", "levels": []}, "/rubric/criteria/1/key"),
        ({"key": "problem-of-practice", "levels": []}, "/rubric/criteria/1/key"),
        ({"key": "problem", "levels": [{"key": "of-practice-developing"}]}, "/rubric/criteria/1/levels/0/key"),
    ],
)
def test_keys_that_would_share_a_uri_are_refused(
    achievement_facts: AchievementFacts, criterion: dict[str, Any], pointer: str
) -> None:
    achievement_facts.content["rubric"]["criteria"][1] |= criterion
    with pytest.raises(FragmentTaken) as refused:
        compose_achievement(achievement_facts)
    assert [fault.pointer for fault in refused.value.faults] == [pointer]


def test_absent_facts_leave_no_member(badge_facts: BadgeFacts) -> None:
    badge = compose_credential(replace(badge_facts, **MINIMAL))
    for member in ("evidence", "description", "image", "validUntil"):
        assert member not in badge
    for member in ("source", "narrative", "role", "activityStartDate", "activityEndDate"):
        assert member not in badge["credentialSubject"]
    assert list(_holes(badge)) == []


def test_a_profile_without_more_is_id_type_and_name() -> None:
    assert compose_profile(id="urn:x:1", name="Panel") == {"id": "urn:x:1", "type": ["Profile"], "name": "Panel"}


def test_moments_are_whole_seconds_of_utc(badge_facts: BadgeFacts) -> None:
    noon = datetime(2026, 4, 11, 12, 0, 0, 500_000, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert compose_credential(replace(badge_facts, valid_from=noon))["validFrom"] == "2026-04-11T06:30:00Z"
    with pytest.raises(ValueError, match="offset"):
        compose_credential(replace(badge_facts, valid_from=datetime(2026, 4, 11)))  # noqa: DTZ001


def test_the_same_facts_compose_the_same_document(badge_facts: BadgeFacts) -> None:
    assert json.dumps(compose_credential(badge_facts)) == json.dumps(compose_credential(badge_facts))


def test_a_digest_becomes_a_multihash() -> None:
    text = hashlib.sha256(b"portfolio").hexdigest()
    multibase = digest_multibase(f"sha256:{text}")
    assert multibase[0] == "u"
    assert urlsafe_b64decode(multibase[1:] + "==").hex() == "1220" + text


@pytest.mark.parametrize("digest", ["sha256:" + "0" * 62, "sha512:" + "0" * 64, "0" * 64, "sha256:" + "z" * 64])
def test_other_digests_are_refused(digest: str) -> None:
    with pytest.raises(ValueError, match=r"digest|hex"):
        digest_multibase(digest)


def test_evidence_may_be_a_digest_alone(badge_facts: BadgeFacts) -> None:
    piece = EvidenceFacts(id="urn:uuid:1", digest="sha256:" + "00" * 32)
    (evidence,) = compose_credential(replace(badge_facts, evidence=(piece,)))["evidence"]
    assert evidence == {"id": "urn:uuid:1", "type": ["Evidence"], "digestMultibase": "uEiA" + "A" * 43}


def test_badges_pass_the_strict_schema_of_1edtech(badge_facts: BadgeFacts, shared: Path) -> None:
    schema = json.loads((shared / "data/schema-strict/ob_v3p0_achievementcredential_schema.json").read_text())
    validator = jsonschema.Draft201909Validator(schema)
    for facts in (badge_facts, replace(badge_facts, **MINIMAL)):
        assert [error.message for error in validator.iter_errors(compose_credential(facts))] == []


def test_badges_pass_the_independent_check(badge_facts: BadgeFacts, shared: Path, tmp_path: Path) -> None:
    sound, minimal, broken = (tmp_path / f"{name}.json" for name in ("sound", "minimal", "broken"))
    sound.write_text(json.dumps(compose_credential(badge_facts)))
    minimal.write_text(json.dumps(compose_credential(replace(badge_facts, **MINIMAL))))
    broken.write_text(json.dumps(compose_credential(replace(badge_facts, issuer={"id": "urn:x:1"}))))
    assert _check(shared, sound, minimal) == 0
    assert _check(shared, broken) == 1


def _check(shared: Path, *badges: Path) -> int:
    command = [sys.executable, str(shared / "tools/check_badge.py"), *map(str, badges)]
    return subprocess.run(command, check=False, capture_output=True, timeout=60).returncode


def _holes(value: Any, path: str = "") -> Any:
    if value is None or value in ([], "", {}):
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield from _holes(item, f"{path}/{step}")
