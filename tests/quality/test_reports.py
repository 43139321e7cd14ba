"""What a quality report says and withholds, when it is frozen, and what links it."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import delete, select

from app.audit.store import AuditEntry, content_digest
from app.events.store import Event
from app.jobs.queue import Job
from app.openbadges.datatypes import OB_CONTEXT
from app.operation.audit_trail import verify_audit_trail
from app.privacy.erase import erase_learner
from app.quality.freeze import freeze_reports
from app.quality.pooling import may_be_told
from app.quality.recompute import recompute_reports
from app.quality.store import FrozenQualityReport, OpenQualityReport
from app.quarters import Quarter, parse_quarter, quarter_of
from app.readings.jobs import RECOMPUTE_QUALITY_JOB
from app.settings import Settings
from app.worker import open_runner
from tests.builders import achievement_body
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.issuing import decided, world_of
from tests.operation.behind import unguarded
from tests.quality.scene import AGREE, NO_TOKEN, Scene, named, open_scene
from tests.readings.scene import open_scene as open_readers
from tests.scoring.judging import open_case

AFTER = datetime(2027, 1, 1, 0, 5, tzinfo=UTC)
"""When the last window of 2026 is frozen."""
HTML = {"Authorization": "", "Accept": "text/html"}


# Windows


@pytest.mark.parametrize(
    ("moment", "label"),
    [
        ("2026-01-01T00:00:00+00:00", "2026Q1"),
        ("2026-03-31T23:59:59.999999+00:00", "2026Q1"),
        ("2026-04-01T00:00:00+00:00", "2026Q2"),
        ("2026-12-31T23:59:59+00:00", "2026Q4"),
        ("2026-12-31T23:59:59-01:00", "2027Q1"),
    ],
)
def test_windows_are_quarters_in_utc(moment: str, label: str) -> None:
    window = quarter_of(datetime.fromisoformat(moment))
    assert (window.label, parse_quarter(label)) == (label, window)
    assert window.starts_at <= datetime.fromisoformat(moment) < window.ends_at


async def test_there_is_a_report_from_publication_to_today(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    scene = await open_scene(app, partner)
    base = f"{scene.path}/v1/quality"
    for path, status, code in [
        (f"{base}/2026Q4", 200, None),
        (f"{base}/2026Q3", 404, "not_found"),  # before its publication
        (f"{base}/2027Q1", 404, "not_found"),  # has not begun
        (f"{base}/2026Q5", 404, "not_found"),
        (f"{base}/latest", 404, "not_found"),
        (f"{scene.path}/v2/quality/2026Q4", 404, "not_found"),
        (f"{scene.path}/v2/quality", 404, "not_found"),
        (f"/achievements/{'0' * 32}/v1/quality", 404, "not_found"),
    ]:
        answer = await partner.client.get(path, headers=NO_TOKEN)
        assert (answer.status_code, answer.json().get("code")) == (status, code), path
        page = await partner.client.get(path, headers=HTML)
        assert page.status_code == status, path
    made = await partner.client.post(f"/v1/achievements/{partner.achievement_id}/versions", json=achievement_body())
    assert made.status_code == 201  # a draft has none either
    assert (await partner.client.get(f"{scene.path}/v2/quality", headers=NO_TOKEN)).status_code == 404
    clock.advance(days=60)
    assert (await partner.client.get(f"{base}/2027Q1", headers=NO_TOKEN)).status_code == 200


async def test_the_list_names_every_window_newest_first(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    scene = await open_scene(app, partner)
    clock.moment = datetime(2027, 5, 1, tzinfo=UTC)
    await scene.run_jobs()
    answer = await partner.client.get(f"{scene.path}/v1/quality", headers=NO_TOKEN)
    windows = answer.json()["windows"]
    assert [(each["label"], each["state"]) for each in windows] == [
        ("2027Q2", "open"), ("2027Q1", "frozen"), ("2026Q4", "frozen"),
    ]  # fmt: skip
    for each in windows[1:]:
        body = (await partner.client.get(each["id"], headers=NO_TOKEN)).content
        assert hashlib.sha256(body).hexdigest() == each["digest"]
    page = await partner.client.get(f"{scene.path}/v1/quality", headers=HTML)
    assert all(each["id"] in page.text for each in windows)


# Pilots


@pytest.mark.parametrize(
    ("whole", "halves", "pilot"),
    [(50, 0, False), (49, 1, True), (49, 2, False), (20, 0, True), (0, 0, True)],
    ids=["100 pairs", "99 pairs", "100 pairs of 51", "40 pairs of 20", "none"],
)
async def test_below_a_hundred_random_pairs_a_report_is_a_pilot(
    app: FastAPI, partner: Partner, whole: int, halves: int, pilot: bool
) -> None:
    scene = await open_scene(app, partner)
    await scene.put(*[AGREE] * whole)
    # Triggered pairs do not count, however many.
    await scene.put(*[AGREE] * 60, kind="second_triggered")
    # A second attempt that had banked one criterion is one pair; ten of them would be needed to tell them apart.
    await scene.put(*[[(2, 2)]] * halves, keys=["evidence"], banked={"problem": "demonstrated"})
    report = await scene.fetch()
    assert report.pilot is pilot
    page = await partner.client.get(f"{scene.path}/v1/quality/2026Q4", headers=HTML)
    assert ("too few readings to judge" in page.text) is pilot


@pytest.mark.parametrize(("submissions", "pilot"), [(19, True), (20, False)])
async def test_below_twenty_submissions_a_report_is_a_pilot(
    app: FastAPI, partner: Partner, submissions: int, pilot: bool
) -> None:
    """Six criteria each: 114 pairs of 19 submissions are too few."""
    scene = await open_scene(app, partner)
    body = achievement_body()
    levels = body["rubric"]["criteria"][0]["levels"]
    keys = [f"criterion-{number}" for number in range(6)]
    body["rubric"]["criteria"] = [
        {"key": key, "name": key, "passing_level": "demonstrated", "levels": levels} for key in keys
    ]
    await scene.publish_next(2, body)
    await scene.put(*[[(2, 2)] * 6] * submissions, version=2, keys=keys)
    report = await scene.fetch(version=2)
    assert (report.random.criterion_pairs.n, report.random.submissions.n) == (6 * submissions, submissions)
    assert report.pilot is pilot


# Pooling


async def test_earlier_versions_count_where_the_text_is_unchanged(app: FastAPI, partner: Partner) -> None:
    scene = await open_scene(app, partner)
    changed = achievement_body()
    changed["rubric"]["criteria"][1]["name"] = "Uses evidence of learning"
    await scene.publish_next(2)
    await scene.publish_next(3, changed)
    await scene.put(*[[(2, 2), (2, 1)]] * 10, version=1)
    await scene.put(*[[(2, 1), (2, 2)]] * 11, version=2)
    await scene.put(*[AGREE] * 12, version=3)
    first, second, third = [await scene.fetch(version=version) for version in (1, 2, 3)]
    assert first.pooled == []
    assert [each.model_dump() for each in second.pooled] == [
        {"version": 1, "criteria": ["problem", "evidence"], "decision": True}
    ]
    assert [each.model_dump() for each in third.pooled] == [
        {"version": version, "criteria": ["problem"], "decision": False} for version in (1, 2)
    ]
    told = [
        [(each.statistics[0].n, each.statistics[0].value) for each in report.random.criteria]
        for report in (first, second, third)
    ]
    assert told == [
        [(10, 1.0), (10, 0.0)],
        [(21, pytest.approx(10 / 21, abs=1e-6)), (21, pytest.approx(11 / 21, abs=1e-6))],
        [(33, pytest.approx(22 / 33, abs=1e-6)), (12, 1.0)],
    ]
    assert [each.pooled_versions for each in third.random.criteria] == [[1, 2], []]
    assert (third.random.criterion_pairs.n, third.random.submissions.n) == (33 + 12, 33)
    assert [report.random.decision.statistics[0].n for report in (first, second, third)] == [10, 21, 12]
    # What was resolved is of the version alone.
    assert third.submissions_resolved.n == 12


# Small cells


@pytest.mark.parametrize(
    ("counts", "told"),
    [([0], True), ([9], False), ([10], True), ([12, 9], False), ([12, 0], True), ([12, 10], True), ([9, 0, 1], True),
     ([12, 5, 5], True), ([12, 5, 0], False), ([12, 5, 4], False)],
)  # fmt: skip
def test_no_two_versions_differ_by_a_few_submissions(counts: list[int], told: bool) -> None:
    assert may_be_told(counts) is told


async def test_nothing_is_told_of_fewer_than_ten_submissions(app: FastAPI, partner: Partner) -> None:
    scene = await open_scene(app, partner)
    await scene.put(*[[(2, 1), (2, 2)]] * 9)
    small = await scene.fetch()
    for count in (small.submissions_resolved, small.readings, small.random.submissions, small.random.criterion_pairs):
        assert (count.n, count.reason) == (None, "small_cell")
    assert (small.double_read.numerator, small.double_read.reason) == (None, "small_cell")
    everything = [*small.random.overall, *small.random.decision.statistics, *small.random.criteria[0].statistics]
    assert {(each.n, each.value, each.reason) for each in everything} == {(None, None, "small_cell")}
    await scene.put(AGREE)
    assert (await scene.fetch()).random.submissions.n == 10


async def test_a_public_page_tells_nothing_of_work_that_is_being_read(app: FastAPI, partner: Partner) -> None:
    """Else the report before and after a second reading told an adjudicator how it compares with the first."""
    scene = await open_scene(app, partner)
    await scene.put(*[[(2, 1), (2, 2)]] * 12)
    before = await scene.fetch()
    await scene.put([(2, 0), (2, 0)], resolved=False)
    await scene.put([(2, -1), (2, -1)], resolved=False)
    assert await scene.fetch() == before
    await scene.put([(2, 0), (2, 0)])
    assert (await scene.fetch()).random.submissions.n == 13


async def test_a_criterion_that_is_withheld_does_not_follow_from_the_others(app: FastAPI, partner: Partner) -> None:
    scene = await open_scene(app, partner)
    await scene.put(*[[(2, 2)]] * 12, keys=["evidence"], banked={"problem": "demonstrated"})
    await scene.put(*[[(2, 1), (2, 2)]] * 3)
    report = await scene.fetch()
    problem, evidence = report.random.criteria
    assert (problem.statistics[0].reason, evidence.statistics[0].n) == ("small_cell", 15)
    assert {each.reason for each in report.random.overall} == {"small_cell"}
    assert report.random.criterion_pairs.n is None


async def test_a_version_with_few_readings_does_not_follow_from_the_one_before(app: FastAPI, partner: Partner) -> None:
    scene = await open_scene(app, partner)
    await scene.publish_next(2)
    await scene.put(*[AGREE] * 12, version=1)
    await scene.put(*[[(2, 1), (1, 2)]] * 3, version=2)
    await scene.put(*[[(2, -1), (2, -1)]] * 20, version=2)
    assert (await scene.fetch(version=1)).random.submissions.n == 12
    later = await scene.fetch(version=2)
    assert later.submissions_resolved.n == 23
    assert {each.reason for each in later.random.overall} == {"small_cell"}


# Open, then frozen


async def test_intervals_come_with_the_job_and_reading_computes_none(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    scene = await open_scene(app, partner)
    await scene.put(*[AGREE] * 20, *[[(2, 1), (1, 2)]] * 10)
    before = await scene.fetch()
    kappa = named(before.random.overall, "cohen_kappa")
    assert kappa.value is not None
    assert (kappa.interval, kappa.interval_reason, before.state) == (None, "not_computed", "open")
    await recompute_reports(scene.world, partner.issuer_id, partner.achievement_id)
    after = await scene.fetch()
    computed = named(after.random.overall, "cohen_kappa")
    assert computed.interval is not None
    assert computed.interval.low <= computed.value <= computed.interval.high  # type: ignore[operator]
    async with scene.world.database.reading() as session:
        [stored] = (await session.scalars(select(OpenQualityReport))).all()
    assert (stored.seed, stored.computed_at) == (computed.interval.seed, clock.now())


async def test_computing_twice_is_computing_once(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    scene = await open_scene(app, partner)
    await scene.put(*[AGREE] * 12)
    stored = []
    for _ in range(2):
        await recompute_reports(scene.world, partner.issuer_id, partner.achievement_id)
        clock.advance(hours=2)
        async with scene.world.database.reading() as session:
            stored.append([each.computed_at for each in (await session.scalars(select(OpenQualityReport))).all()])
    assert stored[0] == stored[1]
    await scene.put(AGREE)  # the pair: something new is computed
    await recompute_reports(scene.world, partner.issuer_id, partner.achievement_id)
    async with scene.world.database.reading() as session:
        assert [each.computed_at for each in (await session.scalars(select(OpenQualityReport))).all()] != stored[0]


async def test_readings_ask_for_one_computation_an_hour(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    async with open_readers(app, partner) as readers:
        for name in ("Ada Example", "Ben Example"):
            await readers.finish(await readers.accept(await readers.enroll(name)))
        query = select(Job).where(Job.name == RECOMPUTE_QUALITY_JOB)
        async with readers.world.database.reading() as session:
            [job] = (await session.scalars(query)).all()
        assert job.run_at == clock.now().replace(minute=0) + timedelta(hours=1)
        clock.advance(hours=1)
        await readers.run()
        async with readers.world.database.reading() as session:
            assert (await session.scalars(query)).all() == []
            assert len((await session.scalars(select(OpenQualityReport))).all()) == 1


async def test_a_report_is_frozen_once_its_window_is_over(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    scene = await open_scene(app, partner)
    await scene.run_jobs()
    await scene.put(*[AGREE] * 12)
    await recompute_reports(scene.world, partner.issuer_id, partner.achievement_id)
    clock.moment = AFTER - timedelta(seconds=1)
    await scene.run_jobs()
    assert (await scene.fetch()).state == "open"
    clock.moment = AFTER
    await scene.run_jobs()
    answer = await get(scene, "2026Q4")
    assert answer.json()["state"] == "frozen"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    digest = hashlib.sha256(answer.content).hexdigest()
    assert answer.headers["etag"] == f'"{digest}"'
    content = {"version": 1, "window": "2026Q4", "digest": digest}
    async with scene.world.database.reading() as session:
        trail = await verify_audit_trail(session)
        query = select(AuditEntry).where(AuditEntry.action == "quality_report.frozen")
        [entry] = (await session.scalars(query)).all()
        [event] = (await session.scalars(select(Event).where(Event.type == "quality_report.frozen"))).all()
        assert (await session.scalars(select(OpenQualityReport))).all() == []
    assert trail.faults == []
    assert (entry.object_id, entry.digest) == (partner.achievement_id, content_digest(content))
    assert (event.object_id, event.data) == (partner.achievement_id, content)


async def test_a_frozen_report_changed_behind_the_services_back_is_found(
    app: FastAPI, partner: Partner, clock: FixedClock, settings: Settings
) -> None:
    scene = await open_scene(app, partner)
    clock.moment = datetime(2027, 4, 2, tzinfo=UTC)
    await scene.run_jobs()
    assert await find_faults(scene) == []
    async with unguarded(settings) as change:
        forged = "UPDATE frozen_quality_report SET body = replace(body, 'Too few', 'Not few')"
        await change(f"{forged} WHERE label = '2027Q1'")
        assert len(await find_faults(scene)) == 2  # the report, and the entry that now has none
        await change("DELETE FROM frozen_quality_report WHERE label = '2027Q1'")
        assert [each.rpartition(" is ")[2] for each in await find_faults(scene)] == ["missing, or was changed"]


async def find_faults(scene: Scene) -> list[str]:
    async with scene.world.database.snapshot() as session:
        return [each.detail for each in (await verify_audit_trail(session)).faults]


async def test_freezing_twice_is_freezing_once(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    scene = await open_scene(app, partner)
    clock.moment = AFTER
    bodies = []
    for _ in range(2):
        await freeze_reports(scene.world, partner.issuer_id)
        bodies.append((await get(scene, "2026Q4")).content)
        async with scene.world.database.reading() as session:
            events = (await session.scalars(select(Event.object_id).where(Event.type == "quality_report.frozen"))).all()
            jobs = (await session.scalars(select(Job.run_at).where(Job.name == "freeze_quality_reports"))).all()
        assert len(events) == 1
        assert jobs.count(datetime(2027, 4, 1, 0, 5, tzinfo=UTC)) == 1
    assert bodies[0] == bodies[1]


async def test_windows_that_were_missed_are_frozen_later(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    scene = await open_scene(app, partner)
    await scene.put(*[AGREE] * 12)
    clock.moment = datetime(2027, 7, 9, tzinfo=UTC)
    await scene.run_jobs()
    assert [(await scene.fetch(label)).state for label in ("2026Q4", "2027Q1", "2027Q2")] == ["frozen"] * 3
    assert (await scene.fetch("2026Q4")).random.submissions.n == 12
    assert (await scene.fetch("2027Q1")).random.submissions.n == 0


async def test_what_is_frozen_stays_after_amendment_and_erasure(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    scene = await open_scene(app, partner)
    await scene.put(*[AGREE] * 12)
    clock.moment = AFTER
    await scene.run_jobs()
    before = (await get(scene, "2026Q4")).content
    # More readings turn up in that window, and the learner is erased.
    await scene.put(*[[(2, 1), (0, 2)]] * 12, at=AFTER - timedelta(days=20))
    async with scene.world.database.transaction() as session:
        await erase_learner(session, partner.issuer_id, scene.learner.id, actor="test", now=clock.now())
    await scene.run_jobs()
    await freeze_reports(scene.world, partner.issuer_id)
    await recompute_reports(scene.world, partner.issuer_id, partner.achievement_id)
    assert (await get(scene, "2026Q4")).content == before
    with pytest.raises(Exception, match=r"append-only|permission denied"):
        async with scene.world.database.transaction() as session:
            await session.execute(delete(FrozenQualityReport))


async def test_erased_learners_stay_counted(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    scene = await open_scene(app, partner)
    await scene.put(*[AGREE] * 12)
    async with scene.world.database.transaction() as session:
        await erase_learner(session, partner.issuer_id, scene.learner.id, actor="test", now=clock.now())
    clock.moment = AFTER
    await scene.run_jobs()
    assert (await scene.fetch()).random.submissions.n == 12


async def test_a_window_without_readings_is_reported_honestly(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    scene = await open_scene(app, partner)
    clock.moment = AFTER
    await scene.run_jobs()
    report = await scene.fetch()
    assert (report.state, report.pilot, report.submissions_resolved.n, report.readings.n) == ("frozen", True, 0, 0)
    assert (report.double_read.value, report.double_read.reason) == (None, "no_data")
    for statistic in (*report.random.overall, *report.triggered.decision.statistics):
        assert (statistic.n, statistic.value, statistic.reason, statistic.interval) == (0, None, "no_data", None)
    page = await partner.client.get(f"{scene.path}/v1/quality/2026Q4", headers=HTML)
    assert "no work that was drawn at random was read twice" in page.text
    assert not re.search(r"\b(nan|inf|None|null)\b", page.text)


# Privacy


async def test_a_report_names_nobody(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    scene = await open_scene(app, partner)
    await scene.put(*[AGREE] * 15, *[[(2, 1), (1, 2)]] * 10)
    await recompute_reports(scene.world, partner.issuer_id, partner.achievement_id)
    window = (await get(scene, "2026Q4")).json()["window"]
    for _ in range(2):
        document, page = await get(scene, "2026Q4"), await get(scene, "2026Q4", HTML)
        for told in (document.text, page.text):
            ids = set(re.findall(r"[0-9a-f]{32}", re.sub(r"[0-9a-f]{64}", "", told)))
            assert ids == {partner.achievement_id}
            assert not [each.code for each in scene.readers if each.code in told]
            days = set(re.findall(r"\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|\+00:00)", told))
            assert days <= {
                window["begins_at"],
                window["ends_at"],
                "2026-10-01T00:00:00+00:00",
                "2027-01-01T00:00:00+00:00",
            }
        assert "not_yet" not in document.text
        assert "awarded" not in json.dumps({**document.json(), "methods": None})
        clock.moment = AFTER
        await scene.run_jobs()


# Badges link it


async def test_a_badge_of_our_workflow_links_the_report_of_its_quarter(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    clock.moment = datetime(2027, 2, 3, tzinfo=UTC)
    case = await open_case(app, partner)
    badge = (await case.decided())["credential"]
    source = badge["document"]["credentialSubject"]["source"]
    version_url = badge["document"]["credentialSubject"]["achievement"]["id"]
    assert source["url"] == f"{version_url}/quality/2027Q1"
    assert badge["document"]["@context"][1] == OB_CONTEXT
    assert (await partner.client.get(source["url"], headers=NO_TOKEN)).json()["id"] == source["url"]
    page = await partner.client.get(badge["url"], headers=HTML)
    assert f'href="{source["url"]}"' in page.text
    achievement = await partner.client.get(version_url, headers=HTML)
    assert f'href="{version_url}/quality"' in achievement.text
    # The panel's own document is as it was.
    assert (await partner.client.get(source["id"], headers=NO_TOKEN)).json()["url"] == source["id"]
    checked = await partner.client.post("/v1/verify", json=badge["document"])
    assert checked.json()["valid"] is True


async def test_a_reissue_of_the_same_decision_links_the_same_report(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    answer = await decided(partner, decided_at="2026-11-20T12:00:00Z")
    before = answer["credential"]["document"]["credentialSubject"]["source"]
    clock.advance(days=120)
    learner = answer["learner_id"]
    changed = await partner.client.patch(f"/v1/learners/{learner}", json={"email": "ada.new@schools.example.org"})
    assert changed.status_code == 200, changed.text
    runner = open_runner(world_of(app))
    while await runner.run_one():
        pass
    again = (await partner.client.get(answer["credential"]["url"], headers=NO_TOKEN)).json()
    assert again["validFrom"] > answer["credential"]["document"]["validFrom"]
    assert again["credentialSubject"]["source"] == before
    assert before["url"].endswith("/v1/quality/2026Q4")


async def test_a_decision_older_than_its_version_links_the_first_report(partner: Partner) -> None:
    source = (await decided(partner, decided_at="2026-04-09T14:00:00Z"))["credential"]["document"]["credentialSubject"]
    assert source["source"]["url"].endswith("/v1/quality/2026Q4")


async def test_an_external_source_keeps_its_own_url(partner: Partner) -> None:
    body = {"name": "State registry", "kind": "external", "url": "https://registry.example.org/"}
    made = await partner.client.post("/v1/panels", json=body)
    assert made.status_code == 201, made.text
    assessment: Mapping[str, Any] = {"panel_id": made.json()["id"], "assessors": []}
    badge = (await decided(partner, assessment=assessment))["credential"]
    assert badge["document"]["credentialSubject"]["source"]["url"] == "https://registry.example.org/"
    assert "/quality" not in (await partner.client.get(badge["url"], headers=HTML)).text


async def get(scene: Scene, label: str, headers: Mapping[str, str] = NO_TOKEN) -> httpx.Response:
    answer = await scene.partner.client.get(f"{scene.path}/v1/quality/{label}", headers=dict(headers))
    assert answer.status_code == 200, answer.text
    return answer


def test_the_order_of_windows() -> None:
    assert Quarter(2026, 4).next() == Quarter(2027, 1)
    assert Quarter(2026, 4) < Quarter(2027, 1)
