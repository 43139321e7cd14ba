"""Cases of misconduct, over HTTP on both engines: notice, answer, vote, appeal, and what becomes of the badge."""

import asyncio

import pytest
from sqlalchemy import select

from app.access.store import PersonRole
from app.misconduct.jobs import CLOSE_CASE_JOB
from app.programs.store import Affiliation
from app.readings.store import Reading, list_readings
from app.scoring.store import Decision
from app.settings import Settings
from app.submissions.store import get_submission
from app.worker import handlers
from tests.assessing import put_assessor
from tests.fakes import FixedClock
from tests.house.databases import is_in, list_contents, open_owner
from tests.misconduct.trial import ANSWER, APPEAL, CASES, NOTICE, REASON, Trial, refusal
from tests.people import open_person


async def test_a_case_puts_the_submission_on_hold_and_a_dismissal_lets_it_go_on(trial: Trial) -> None:
    await trial.opened()
    assert await trial.submission() == ("on_hold", "accepted")
    assert len(await trial.jobs("cancel_readings")) == 1
    assert refusal(await trial.open()) == (409, "misconduct_state")
    seen = (await trial.learner.get(trial.case)).json()
    assert (seen["notice"], seen["state"], seen["panel"], seen["votes"]) == (NOTICE, "noticed", None, None)
    answered = await trial.learner.post(f"{trial.case}/answer", json={"text": ANSWER})
    assert (answered.status_code, answered.json()["state"]) == (200, "answered")
    first, second = await trial.vote("dismissed", "dismissed")
    assert (first.json()["state"], first.json()["own_vote"]) == ("answered", "dismissed")
    assert second.json()["state"] == "decided"
    assert (await trial.shown())["appeal_due_at"] is None
    await trial.close()
    assert await trial.submission() == ("accepted", None)
    assert len(await trial.jobs("open_readings")) == 1
    case = await trial.shown()
    assert (case["state"], case["outcome"], case["effect"]) == ("closed", "dismissed", "none")
    assert [each["text"] for each in case["reasons"]] == [REASON, REASON]
    await trial.close()  # once more changes nothing
    assert len(await trial.jobs("open_readings")) == 1


async def test_a_hold_of_the_screening_becomes_that_of_the_case(trial: Trial) -> None:
    """Neither who screens nor the learner ends it while the case is open."""
    path = f"/v1/submissions/{trial.submission_id}"
    held = {"outcome": "on_hold", "condition_codes": [], "note": "Copied?"}
    _, screener = await open_person(trial.app, trial.partner.issuer_id, "lead", name="Scre Ener")
    async with screener:
        assert (await screener.post(f"{path}/screenings", json=held)).status_code == 201
        await trial.opened()
        assert refusal(await screener.post(f"{path}/release")) == (409, "not_on_hold")
        assert refusal(await screener.post(f"{path}/screenings", json=held)) == (409, "not_to_be_screened")
    assert refusal(await trial.learner.post(f"{path}/withdraw")) == (409, "submission_held")
    assert await trial.submission() == ("on_hold", "accepted")


async def test_an_appeal_waits_while_a_case_is_open_and_goes_on_after_a_dismissal(trial: Trial) -> None:
    """What was read again is not decided meanwhile, and a reading that the hold ended is asked for anew."""
    decision_id, _ = await trial.award()
    filed = await trial.learner.post("/v1/appeals", json={"decision_id": decision_id, "grounds": "Too low."})
    appeal = f"/v1/appeals/{filed.json()['id']}"
    await trial.answered()
    [job] = await trial.jobs("cancel_readings")
    await handlers(trial.world)[job.name](job.payload)
    _, approver = await open_person(trial.app, trial.partner.issuer_id, "approver", name="Somebody New")
    async with approver:
        body = {"outcome": "confirmed", "answer": "As before."}
        assert refusal(await approver.post(f"{appeal}/decision", json=body)) == (409, "submission_held")
        await trial.vote("dismissed", "dismissed")
        await trial.close()
        assert await trial.submission() == ("decided", None)
        assert refusal(await approver.post(f"{appeal}/decision", json=body)) == (409, "not_read_again")
    async with trial.world.database.reading() as session:
        readings = await list_readings(session, trial.partner.issuer_id, trial.submission_id)
    assert sorted((each.kind, each.state) for each in readings) == [("appeal", "cancelled"), ("appeal", "open")]
    assert (await trial.learner.get(appeal)).json()["state"] == "filed"


@pytest.mark.parametrize("state", ["draft", "withdrawn", "void"])
async def test_what_cannot_be_held_has_no_case(trial: Trial, state: str) -> None:
    async with trial.world.database.transaction() as session:
        (await get_submission(session, trial.partner.issuer_id, trial.submission_id)).state = state
    assert refusal(await trial.open()) == (409, "misconduct_state")
    assert await trial.submission() == (state, None)


async def test_only_a_director_opens_a_case(trial: Trial) -> None:
    body = {"submission_id": trial.submission_id, "notice": NOTICE, "panel": list(trial.panel)}
    assert refusal(await trial.partner.client.post(CASES, json=body)) == (403, "person_required")
    assert refusal(await trial.panel[next(iter(trial.panel))].post(CASES, json=body)) == (403, "forbidden")
    assert await trial.submission() == ("accepted", None)


async def test_who_may_not_sit_on_the_panel(trial: Trial) -> None:
    partner, world = trial.partner, trial.world
    _, reader, _ = await put_assessor(world, partner, "A-77")
    coach, _ = next(iter(trial.others.items()))
    none, no_role = await open_person(trial.app, partner.issuer_id, "recognizer", name="No Role")
    await no_role.aclose()
    lead, lead_client = await open_person(trial.app, partner.issuer_id, "lead", name="Le Ad")
    await lead_client.aclose()
    now = world.clock.now()
    async with world.database.transaction() as session:
        session.add(Affiliation(issuer_id=partner.issuer_id, id="a" * 32, learner_id=trial.learner_id, person_id=coach,
                                kind="coach", declared_by="test", created_at=now, ended_at=None))  # fmt: skip
    [one, two, three] = trial.panel
    for unfit in (none, coach, trial.director_id, one):
        refused = await trial.open(panel=[one, two, unfit])
        assert refusal(refused) == (422, "misconduct_panel"), unfit
        assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/panel/2"]
    assert refusal(await trial.open(panel=[one, two])) == (422, "invalid_body")
    assert refusal(await trial.open(panel=[one, two, "0" * 32])) == (404, "not_found")
    assert await trial.submission() == ("accepted", None)
    assert (await trial.open(panel=[one, two, lead])).status_code == 201
    assert reader.id not in (one, two, three)


async def test_who_read_the_submission_does_not_sit_on_the_panel(trial: Trial) -> None:
    partner, world = trial.partner, trial.world
    assessor, person, _ = await put_assessor(world, partner, "A-77")
    now = world.clock.now()
    async with world.database.transaction() as session:
        submission = await get_submission(session, partner.issuer_id, trial.submission_id)
        session.add(Reading(issuer_id=partner.issuer_id, id="b" * 32, program_id=submission.program_id,
                            submission_id=submission.id, kind="first", state="assigned", assessor_id=assessor.id,
                            created_at=now, updated_at=now))  # fmt: skip
        session.add(PersonRole(issuer_id=partner.issuer_id, person_id=person.id, role="lead", granted_by="test",
                               granted_at=now))  # fmt: skip
    [one, two, _] = trial.panel
    assert refusal(await trial.open(panel=[one, two, person.id])) == (422, "misconduct_panel")


async def test_the_learner_is_heard_before_the_panel_votes(trial: Trial, clock: FixedClock) -> None:
    await trial.opened()
    [early] = await trial.vote("void")
    assert refusal(early) == (409, "misconduct_state")
    clock.advance(days=14, seconds=1)
    late = await trial.learner.post(f"{trial.case}/answer", json={"text": ANSWER})
    assert refusal(late) == (409, "answer_too_late")
    assert [answer.status_code for answer in await trial.vote("void", "void")] == [200, 200]
    assert (await trial.shown())["outcome"] == "void"


async def test_an_answer_is_in_time_to_the_last_moment_and_given_once(trial: Trial, clock: FixedClock) -> None:
    await trial.opened()
    clock.advance(days=14)
    answers = await asyncio.gather(
        *(trial.learner.post(f"{trial.case}/answer", json={"text": f"{n}"}) for n in range(3))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"misconduct_state"}


async def test_nobody_speaks_for_the_learner_but_the_partners_system(trial: Trial) -> None:
    await trial.opened()
    body = {"text": ANSWER}
    assert refusal(await trial.director.post(f"{trial.case}/answer", json=body)) == (403, "forbidden")
    _, somebody = await open_person(trial.app, trial.partner.issuer_id, "learner", name="So Mebody")
    async with somebody:
        assert refusal(await somebody.post(f"{trial.case}/answer", json=body)) == (403, "forbidden")
    other = (await trial.partner.client.post("/v1/learners", json={"external_id": "other"})).json()["id"]
    _, bob = await open_person(trial.app, trial.partner.issuer_id, "learner", name="Bo B", learner_id=other)
    async with bob:
        assert refusal(await bob.post(f"{trial.case}/answer", json=body)) == (404, "not_found")
        assert refusal(await bob.get(trial.case)) == (404, "not_found")
        assert (await bob.get(CASES)).json()["items"] == []
    assert len((await trial.learner.get(CASES)).json()["items"]) == 1
    assert (await trial.partner.client.post(f"{trial.case}/answer", json=body)).status_code == 200


async def test_only_the_panel_votes_each_once(trial: Trial) -> None:
    await trial.answered()
    body = {"vote": "void", "reason": REASON}
    assert refusal(await trial.director.post(f"{trial.case}/votes", json=body)) == (403, "not_on_panel")
    assert refusal(await trial.partner.client.post(f"{trial.case}/votes", json=body)) == (403, "person_required")
    member = next(iter(trial.panel.values()))
    answers = await asyncio.gather(*(member.post(f"{trial.case}/votes", json=body) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"already_voted"}
    case = await trial.shown()
    assert (case["votes"], case["reasons"], case["outcome"]) == (1, [], None)


async def test_votes_at_once_decide_once(trial: Trial) -> None:
    await trial.answered()
    body = {"vote": "suspend", "reason": REASON}
    answers = await asyncio.gather(*(m.post(f"{trial.case}/votes", json=body) for m in trial.panel.values()))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 409]
    assert len(await trial.jobs(CLOSE_CASE_JOB)) == 1
    assert (await trial.shown())["outcome"] == "suspend"


async def test_the_panel_does_not_see_who_the_learner_is_nor_how_others_vote(trial: Trial) -> None:
    await trial.answered()
    await trial.vote("void")
    [_, second, _] = trial.panel.values()
    told = await second.get(f"{trial.case}/hearing")
    assert (told.json()["notice"], told.json()["answer"], told.json()["own_vote"]) == (NOTICE, ANSWER, None)
    assert [word for word in (trial.learner_id, REASON, "void") if word in told.text] == []
    assert refusal(await second.get(trial.case)) == (403, "forbidden")
    _, reader = await open_person(trial.app, trial.partner.issuer_id, "assessor", name="Rea Der")
    async with reader:
        for path in (CASES, trial.case):
            assert refusal(await reader.get(path)) == (403, "forbidden")
        assert refusal(await reader.get(f"{trial.case}/hearing")) == (403, "not_on_panel")


async def test_void_waits_for_the_time_of_appeal_then_revokes_by_a_decision(trial: Trial, clock: FixedClock) -> None:
    decision_id, credential_id = await trial.award()
    await trial.answered()
    await trial.vote("void", "void")
    await trial.close()
    assert (await trial.shown())["state"] == "decided"
    assert await trial.badge(credential_id) == "issued"
    clock.advance(days=30, seconds=1)
    late = await trial.learner.post(f"{trial.case}/appeal", json={"text": APPEAL})
    assert refusal(late) == (409, "misconduct_appeal_too_late")
    [job] = await trial.jobs(CLOSE_CASE_JOB)
    assert job.run_at <= clock.now()
    await handlers(trial.world)[job.name](job.payload)
    case = await trial.shown()
    assert (case["state"], case["effect"]) == ("closed", "revoked")
    assert await trial.badge(credential_id) == "revoked"
    assert await trial.submission() == ("void", None)
    async with trial.world.database.reading() as session:
        rows = (await session.scalars(select(Decision).where(Decision.supersedes_id == decision_id))).all()
    assert [(row.outcome, row.reason_code, row.submission_id) for row in rows] == [
        ("not_yet", "misconduct", trial.submission_id)
    ]


async def test_suspend_suspends_the_badge_where_that_can_be_shown(trial: Trial, clock: FixedClock) -> None:
    settings = await trial.partner.client.put(
        f"/v1/achievements/{trial.partner.achievement_id}/settings", json={"status_purpose": "suspension"}
    )
    assert settings.status_code == 200, settings.text
    _, credential_id = await trial.award()
    await trial.answered()
    await trial.vote("suspend", "void", "dismissed")
    clock.advance(days=30, seconds=1)
    await trial.close()
    assert (await trial.shown())["effect"] == "suspended"
    assert await trial.badge(credential_id) == "suspended"
    assert await trial.submission() == ("decided", None)


async def test_a_badge_that_can_only_be_revoked_stays_and_the_case_says_so(trial: Trial, clock: FixedClock) -> None:
    _, credential_id = await trial.award()
    await trial.answered()
    await trial.vote("suspend", "suspend")
    clock.advance(days=30, seconds=1)
    await trial.close()
    assert (await trial.shown())["effect"] == "not_suspendable"
    assert await trial.badge(credential_id) == "issued"


async def test_an_appeal_is_judged_by_others_once(trial: Trial, clock: FixedClock) -> None:
    _, credential_id = await trial.award()
    await trial.answered()
    await trial.vote("void", "void")
    clock.advance(days=30)
    assert (await trial.learner.post(f"{trial.case}/appeal", json={"text": APPEAL})).json()["state"] == "appealed"
    assert refusal(await trial.learner.post(f"{trial.case}/appeal", json={"text": APPEAL})) == (409, "misconduct_state")
    clock.advance(seconds=2)
    await trial.close()
    assert (await trial.shown())["state"] == "appealed"
    naming = f"{trial.case}/appeal-panel"
    same = await trial.director.post(naming, json={"panel": [*list(trial.others)[:2], next(iter(trial.panel))]})
    assert refusal(same) == (422, "misconduct_panel")
    named = await trial.director.post(naming, json={"panel": list(trial.others)})
    assert named.status_code == 200, named.text
    assert refusal(await trial.director.post(naming, json={"panel": list(trial.others)})) == (409, "misconduct_state")
    [first_again] = await trial.vote("void")
    assert refusal(first_again) == (409, "misconduct_state")
    assert [a.status_code for a in await trial.vote("dismissed", "dismissed", appeal=True)] == [200, 200]
    assert refusal(await trial.learner.post(f"{trial.case}/appeal", json={"text": APPEAL})) == (409, "misconduct_state")
    await trial.close()
    case = await trial.shown()
    assert (case["state"], case["outcome"], case["effect"]) == ("closed", "dismissed", "none")
    assert await trial.badge(credential_id) == "issued"
    assert await trial.submission() == ("decided", None)


async def test_texts_are_sealed_told_to_the_learner_and_erased(trial: Trial, settings: Settings) -> None:
    await trial.answered()
    await trial.vote("void", "void")
    path = f"/v1/learners/{trial.learner_id}"
    [told] = (await trial.partner.client.get(f"{path}/export")).json()["misconduct_cases"]
    assert (told["notice"], told["answer"]) == (NOTICE, ANSWER)
    async with open_owner(settings) as engine:
        contents = await list_contents(engine)
    assert [text for text in (NOTICE, ANSWER, REASON) if is_in(contents, text)] == []
    assert (await trial.partner.client.post(f"{path}/erase")).status_code == 200
    left = await trial.shown()
    assert (left["notice"], left["answer"], left["reasons"]) == (None, None, [])
    late = {"json": {"text": APPEAL}}
    assert refusal(await trial.partner.client.post(f"{trial.case}/appeal", **late)) == (410, "gone")
    assert refusal(await trial.learner.post(f"{trial.case}/appeal", **late)) == (401, "unauthenticated")
