"""The demonstration's badges in other people's hands: every one of them, and what revoking shows."""

import asyncio
import hmac
import json
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from app.demo.load import load_demo
from app.migration import migrate
from app.settings import Settings
from tests.conftest import KEY
from tests.interop.openbadgeslib_verifier import verify_with_openbadgeslib
from tests.interop.verifier_core import verify_with_verifier_core
from tests.serving import loopback_settings, served

EARNERS = 92
"""Of the 116 fellows those who have earned at least one of the 136 micro-credentials."""


class Demo:
    def __init__(self, settings: Settings, summary: dict[str, Any], base_url: str) -> None:
        self.settings = settings
        self.summary = summary
        self.client = httpx.Client(
            base_url=base_url, headers={"Authorization": f"Bearer {summary['api_key']}"}, timeout=60
        )

    def badge(self, credential_id: str) -> dict[str, Any]:
        answer = self.client.get(f"/credentials/{credential_id}")
        assert answer.status_code == 200
        document: dict[str, Any] = answer.json()
        return document

    def download(self, url: str) -> bytes:
        answer = self.client.get(url)
        answer.raise_for_status()
        return answer.content


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demonstration, loaded by its own loader and served on loopback."""
    settings = loopback_settings(tmp_path_factory.mktemp("demo"), KEY)
    asyncio.run(migrate(settings))
    summary = asyncio.run(load_demo(settings, Console(quiet=True)))
    with served(settings) as base_url:
        found = Demo(settings, summary, base_url)
        yield found
        found.client.close()


@pytest.fixture(scope="module")
def badges(demo: Demo) -> list[dict[str, Any]]:
    return [demo.badge(credential_id) for credential_id in demo.summary["credential_ids"]]


def test_the_summary_is_private_and_complete(demo: Demo) -> None:
    path = demo.settings.data_directory / "demo.json"
    assert path.stat().st_mode & 0o777 == 0o600
    summary = json.loads(path.read_text())
    assert set(summary) >= {"base_url", "admin_token", "issuer_id", "api_key", "achievement_ids", "credential_ids"}
    assert set(summary) >= {"program_id", "pathway_id", "assessor_credential_ids", "pathway_credential_ids"}
    assert len(summary["credential_ids"]) == len(set(summary["credential_ids"])) == 136
    assert len(summary["achievement_ids"]) == 2


def test_loading_again_changes_nothing(demo: Demo) -> None:
    before = demo.client.get("/v1/events", params={"limit": 500, "after": 0}).json()
    assert asyncio.run(load_demo(demo.settings, Console(quiet=True))) == demo.summary
    (demo.settings.data_directory / "demo.json").unlink()
    again = asyncio.run(load_demo(demo.settings, Console(quiet=True)))
    assert again["credential_ids"] == demo.summary["credential_ids"]
    assert demo.client.get("/v1/events", params={"limit": 500, "after": 0}).json() == before


def test_everybody_is_there(demo: Demo) -> None:
    program = f"/v1/programs/{demo.summary['program_id']}"
    enrolled = demo.client.get(f"{program}/enrollments", params={"limit": 200}).json()["items"]
    assert len(enrolled) == len({each["learner_id"] for each in enrolled}) == 116
    panels = demo.client.get("/v1/panels").json()["items"]
    assert [len(panel["members"]) for panel in panels] == [7]
    assessors = demo.client.get("/v1/assessors").json()["items"]
    assert sorted(each["code"] for each in assessors) == panels[0]["members"]


def test_assessors_are_certified_today_and_have_badges_of_their_own(demo: Demo) -> None:
    certifications = demo.client.get("/v1/certifications", params={"limit": 100}).json()["items"]
    assert [each["state"] for each in certifications] == ["certified"] * 14
    ids = demo.summary["assessor_credential_ids"]
    assert len(set(ids)) == 14
    assert set(ids).isdisjoint(demo.summary["credential_ids"])
    for result in verify_with_verifier_core([demo.badge(id_) for id_ in ids]):
        assert result["steps"]["valid_signature"] is True, result
        assert result["steps"]["expiration"] is True, result


def test_who_earned_both_has_the_badge_of_the_pathway(
    demo: Demo, badges: list[dict[str, Any]], shared: Path, tmp_path: Path
) -> None:
    """44 fellows; their badges name both components as evidence, and pass where the others do."""
    ids = demo.summary["pathway_credential_ids"]
    assert len(set(ids)) == 44
    assert set(ids).isdisjoint([*demo.summary["credential_ids"], *demo.summary["assessor_credential_ids"]])
    stacks = [demo.badge(id_) for id_ in ids]
    named = [{piece["id"] for piece in stack["evidence"]} for stack in stacks]
    assert {len(each) for each in named} == {2}
    assert set().union(*named) <= {badge["id"] for badge in badges}
    assert len(set().union(*named)) == 88
    _require_checked(shared, tmp_path, stacks)
    for result in verify_with_verifier_core(stacks):
        assert result["steps"]["valid_signature"] is True, result
        assert result["steps"]["revocation_status"] is True, result
        assert result["steps"].get("schema_check", True) is True, result
    lists = {stack["credentialStatus"]["statusListCredential"] for stack in stacks}
    known = {url: demo.download(url) for url in lists}
    for stack in stacks:
        verdict = verify_with_openbadgeslib(stack, download=known.__getitem__)
        assert verdict.accepted, verdict.reason
    report = demo.client.get(f"/v1/programs/{demo.summary['program_id']}/reports/pathways").json()
    [standing] = report["pathways"]
    people = {each["stage"]: each["people"] for each in standing["stages"]}
    assert people == {"not_begun": 24, "part": 48, "met": 0, "proposed": 0, "awarded": 44}


def test_the_headline_counts_micro_credentials_apart(demo: Demo) -> None:
    report = demo.client.get(f"/v1/programs/{demo.summary['program_id']}/reports/headline").json()
    assert (report["enrolled"], report["credentials"], report["distinct_earners"]) == (116, 136, 92)


def test_double_reading_is_what_a_slow_recount_of_the_register_says(demo: Demo) -> None:
    """In SQL, and with the seeds that are published: of the windows that are over, the sample is drawn again."""
    program_id = demo.summary["program_id"]
    windows = demo.client.get(f"/programs/{program_id}/sampling-windows").json()["windows"]
    with sqlite3.connect(demo.settings.database_url.get_secret_value().partition(":///")[2]) as register:
        resolved = dict(
            register.execute(
                "SELECT s.id, s.accepted_at FROM submission s JOIN resolution r ON r.submission_id = s.id AND r.number = 1 "
                "WHERE s.program_id = ? AND s.accepted_at IS NOT NULL",
                [program_id],
            ).fetchall()
        )
        twice = {
            row[0]
            for row in register.execute(
                "SELECT submission_id FROM reading WHERE program_id = ? AND state = 'submitted' "
                "AND kind IN ('second_random', 'second_triggered')",
                [program_id],
            )
        }
    in_window: dict[str, list[str]] = {}
    for id_, text in resolved.items():
        accepted_at = datetime.fromisoformat(text).replace(tzinfo=UTC)
        first = next(each for each in windows if moment(each["published_at"]) <= accepted_at < moment(each["to"]))
        in_window.setdefault(first["id"], []).append(id_)
    audited = demo.client.get(f"/v1/programs/{program_id}/sampling-audit").json()["windows"]
    told = {each["window_id"]: (each["selected"], each["second_read"]) for each in audited}
    over = [each for each in windows if each["seed"] and each["id"] in in_window]
    for window in over:
        seed, percent = bytes.fromhex(window["seed"]), window["rate_percent"]
        drawn = {id_ for id_ in in_window[window["id"]] if is_selected(seed, id_, percent)}
        assert told[window["id"]] == (len(drawn), len(twice & drawn)), window
    assert len(over) > 2
    report = demo.client.get(f"/v1/programs/{program_id}/reports/double-reading").json()
    assert (report["eligible"], report["missed"]) == (len(resolved), 0)
    assert (report["read"]["numerator"], report["read"]["denominator"]) == (len(twice & set(resolved)), len(resolved))
    assert sum(each["read"] for each in report["by_reason"]) == len(twice & set(resolved))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def is_selected(seed: bytes, submission_id: str, percent: int) -> bool:
    """As docs/readings.md tells everybody."""
    drawn = hmac.digest(seed, submission_id.encode(), "sha256")[:8]
    return int.from_bytes(drawn, "big") * 100 < percent * 2**64


def test_the_judgment_behind_the_badges_is_whole(demo: Demo) -> None:
    """Every decision rests on readings; the sample was kept to; one adjudication, and one appeal that changed its decision."""
    program = f"/v1/programs/{demo.summary['program_id']}"
    audit = demo.client.get(f"{program}/sampling-audit").json()
    assert [miss for window in audit["windows"] for miss in window["misses"]] == []
    assert sum(window["accepted"] for window in audit["windows"]) == 161
    appeals = demo.client.get("/v1/appeals").json()["items"]
    assert [(each["state"], each["outcome"]) for each in appeals] == [("decided", "changed")]
    amended = demo.client.get(f"/v1/decisions/{appeals[0]['new_decision_id']}").json()
    assert (amended["origin"], amended["reason_code"]) == ("workflow", "appeal")
    assert amended["credential"]["id"] in demo.summary["credential_ids"]
    methods = Counter(_methods(demo))
    assert methods.total() == 161
    assert methods["expert_judgment"] == 2  # the adjudication, and the appeal's reading
    assert min(methods["exact"], methods["adjacent_same_decision"], methods["single_reading"]) > 0


def test_what_the_numbers_say_of_the_demonstration(demo: Demo) -> None:
    """Quarters that are over are frozen, in the order in which they ended; equity figures are closed and tell of groups."""
    reports = f"/v1/programs/{demo.summary['program_id']}/reports"
    for achievement_id in demo.summary["achievement_ids"]:
        path = f"/achievements/{achievement_id}/v1/quality"
        first, *_, last = reversed(demo.client.get(path).json()["windows"])
        assert (first["label"], first["state"], last["state"]) == ("2024Q3", "frozen", "open")
        read = demo.client.get(f"{path}/2025Q1").json()
        assert (read["state"], read["pilot"]) == ("frozen", True)
        assert read["readings"]["n"] > read["double_read"]["numerator"] > 0
    equity = demo.client.get(f"{reports}/equity", params={"by": "first-generation"}).json()
    assert equity["population"]["people"] == 89  # whose first decision was before April 2025
    assert equity["population"]["closed_at"].startswith("2025-07-01")
    told = {each["value"]: each for each in equity["groups"] if each["n"] is not None}
    assert {"yes", "no"} <= told.keys()
    assert all(each["eventual"]["denominator"] == each["n"] for each in told.values())
    impact = demo.client.get(f"{reports}/impact").json()
    assert impact["sentence"]


def test_the_headline_of_the_demonstration(demo: Demo) -> None:
    """Three different numbers: people enrolled, people who earned, credentials. Counted here from the badges themselves."""
    reports = f"/v1/programs/{demo.summary['program_id']}/reports"
    headline = demo.client.get(f"{reports}/headline").json()
    assert (headline["enrolled"], headline["credentials"], headline["distinct_earners"]) == (116, 136, EARNERS)
    earners = {
        demo.client.get(f"/v1/credentials/{credential_id}").json()["learner_id"]
        for credential_id in demo.summary["credential_ids"]
    }
    assert len(earners) == EARNERS
    assert headline["credentials_per_earner"] == 136 / EARNERS
    stacks, certifications = (len(demo.summary[f"{kind}_credential_ids"]) for kind in ("pathway", "assessor"))
    assert headline["other_credentials"] == {"Pathway": stacks, "Certification": certifications}
    assert headline["active_assessors"] == 7
    funnel = {each["stage"]: each["people"] for each in demo.client.get(f"{reports}/funnel").json()["stages"]}
    assert (funnel["enrolled"], funnel["earned"]) == (116, EARNERS)
    assert demo.client.get(f"{reports}/double-reading").json()["missed"] == 0
    decisions = demo.client.get(f"{reports}/decisions").json()
    assert (decisions["decisions"], decisions["appeals"]["changed"]) == (161, 1)
    for name in ("pass-rate", "turnaround"):
        assert demo.client.get(f"{reports}/{name}").status_code == 200


def _methods(demo: Demo) -> Iterator[str]:
    """How the newest scores of record of each submission came about."""
    page: dict[str, Any] = {"next_cursor": None}
    while True:
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else {}
        page = demo.client.get("/v1/submissions", params={"limit": 200, **cursor}).json()
        for submission in page["items"]:
            told = demo.client.get(f"/v1/submissions/{submission['id']}/readings").json()
            yield told["resolutions"][-1]["method"]
        if page["next_cursor"] is None:
            return


def test_all_badges_pass_the_independent_checker(badges: list[dict[str, Any]], shared: Path, tmp_path: Path) -> None:
    assert _require_checked(shared, tmp_path, badges) == 136


def _require_checked(shared: Path, tmp_path: Path, badges: list[dict[str, Any]]) -> int:
    """How many the independent checker found sound: all of them."""
    paths = [tmp_path / f"{number}.json" for number in range(len(badges))]
    for path, badge in zip(paths, badges, strict=True):
        path.write_text(json.dumps(badge))
    run = subprocess.run(
        [sys.executable, str(shared / "tools" / "check_badge.py"), *map(str, paths)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    assert run.stdout.count(": ok") == len(badges)
    return run.stdout.count(": ok")


def test_verifier_core_accepts_all_badges(badges: list[dict[str, Any]]) -> None:
    for result in verify_with_verifier_core(badges):
        steps = result["steps"]
        assert steps["valid_signature"] is True, result
        assert steps["revocation_status"] is True, result
        assert steps["expiration"] is True, result
        assert steps.get("schema_check", True) is True, result


def test_openbadgeslib_accepts_all_badges(demo: Demo, badges: list[dict[str, Any]]) -> None:
    lists = {badge["credentialStatus"]["statusListCredential"] for badge in badges}
    known = {url: demo.download(url) for url in lists}
    for badge in badges:
        verdict = verify_with_openbadgeslib(badge, download=known.__getitem__)
        assert verdict.accepted, verdict.reason


def test_a_revocation_shows_everywhere(demo: Demo, badges: list[dict[str, Any]]) -> None:
    revoked, kept = badges[0], badges[1]
    credential_id = revoked["id"].rpartition("/")[2]
    answer = demo.client.post(f"/v1/credentials/{credential_id}/revoke", json={"reason": "A drill."})
    assert answer.status_code == 200
    first, second = verify_with_verifier_core([revoked, kept])
    assert first["steps"]["revocation_status"] is False
    assert first["steps"]["valid_signature"] is True
    assert second["steps"]["revocation_status"] is True
    assert not verify_with_openbadgeslib(revoked, download=demo.download).accepted
    assert verify_with_openbadgeslib(kept, download=demo.download).accepted
    ours = demo.client.post("/v1/verify", json={"credential": revoked}).json()
    assert (ours["valid"], ours["checks"][-1]["code"]) == (False, "revoked")


def test_a_changed_leaf_is_refused_by_all(demo: Demo, badges: list[dict[str, Any]]) -> None:
    badge = json.loads(json.dumps(badges[2]))
    badge["credentialSubject"]["result"][0]["value"] = "Exemplary beyond measure"
    assert "valid_signature" not in verify_with_verifier_core([badge])[0]["steps"]
    assert not verify_with_openbadgeslib(badge, download=demo.download).accepted
    assert demo.client.post("/v1/verify", json={"credential": badge}).json()["valid"] is False
