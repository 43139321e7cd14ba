"""An appeal: once, in time, by somebody new, up or down."""

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path

import httpx
from fastapi import FastAPI

from app.operation.audit_trail import verify_audit_trail
from app.programs.policy import ScoringPolicyBody, TurnaroundPolicy
from app.readings.request import request_reading
from app.readings.store import Reading, list_readings
from app.submissions.store import get_submission
from tests.assessing import put_assessor, put_enrollment
from tests.builders import achievement_body
from tests.conftest import Partner, publish
from tests.fakes import FixedClock
from tests.interop.verifier_core import verify_with_verifier_core
from tests.issuing import (
    Document,
    count_rows,
    decided,
    entry_bit,
    failures,
    list_all_events,
    require_verifies,
    verify,
)
from tests.people import open_person
from tests.scoring.judging import (
    MET,
    SHORT,
    Case,
    another_case,
    find_submission,
    open_case,
    put_read,
    put_reading,
    put_resolved,
)

GROW = {"evidence": "Measure the change against a baseline."}


async def file(case: Case, decision_id: str, client: httpx.AsyncClient | None = None) -> httpx.Response:
    body = {"decision_id": decision_id, "grounds": "The baseline is on page 2."}
    return await (client or case.partner.client).post("/v1/appeals", json=body)


async def filed(case: Case, decision_id: str) -> Document:
    answer = await file(case, decision_id)
    assert answer.status_code == 201, answer.text
    document: Document = answer.json()
    return document


async def reread(case: Case, levels: dict[str, str], feedback: dict[str, str] | None = None) -> None:
    """Somebody new reads on appeal."""
    lead, _, _ = await put_assessor(case.world, case.partner, f"L-{case.submission.id[:6]}")
    await put_read(case, levels, kind="appeal", assessor=lead, method="expert_judgment", feedback=feedback)


async def new_approver(case: Case, name: str = "New Approver") -> httpx.AsyncClient:
    return (await open_person(case.app, case.partner.issuer_id, "approver", name=name))[1]


def answer(outcome: str, **more: object) -> dict[str, object]:
    return {"outcome": outcome, "answer": "Read again by somebody new.", **more}


async def test_an_appeal_that_changes_the_levels_amends_the_badge(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    """Same id, later validFrom, awardedDate kept, the old index revoked."""
    case, first, second = await amend_on_appeal(app, partner, clock)
    before, after = first["credential"]["document"], second["credential"]["document"]
    assert (second["supersedes"], second["reason_code"], second["origin"]) == (first["id"], "appeal", "workflow")
    assert (after["id"], after["awardedDate"]) == (before["id"], before["awardedDate"])
    assert after["validFrom"] > before["validFrom"]
    await require_verifies(case.world, after)
    assert failures(await verify(case.world, before)) == ["revoked"]
    assert (await entry_bit(partner.client, before), await entry_bit(partner.client, after)) == (True, False)
    assert (await find_submission(case)).met == [[key, level, second["id"]] for key, level in MET.items()]


async def test_the_amended_badge_passes_others(
    app: FastAPI, partner: Partner, clock: FixedClock, shared: Path, tmp_path: Path
) -> None:
    """The independent checker takes both; another verifier takes the amended one and refuses it once a level is changed."""
    clock.advance(days=-30)  # other verifiers know no clock but the machine's, and take no badge from the future
    _, first, second = await amend_on_appeal(app, partner, clock)
    badges = [each["credential"]["document"] for each in (first, second)]
    paths = [tmp_path / "before.json", tmp_path / "after.json"]
    for path, badge in zip(paths, badges, strict=True):
        path.write_text(json.dumps(badge))
    checker = [str(shared / "tools" / "check_badge.py"), *map(str, paths)]
    run = await asyncio.create_subprocess_exec(sys.executable, *checker, stdout=asyncio.subprocess.PIPE)
    told, _ = await run.communicate()
    assert run.returncode == 0, told
    forged = json.loads(json.dumps(badges[1]))
    forged["credentialSubject"]["result"][0]["achievedLevel"] = "urn:x:other"
    sound, changed = verify_with_verifier_core([badges[1], forged])
    assert sound["steps"]["valid_signature"] is True, sound
    assert changed["steps"].get("valid_signature") is not True


async def amend_on_appeal(app: FastAPI, partner: Partner, clock: FixedClock) -> tuple[Case, Document, Document]:
    """An award that an appeal raised by a level: the case, the decision before and the one after."""
    partner.achievement_id = await _lenient(partner)
    case = await open_case(app, partner, SHORT)
    first = await case.decided("awarded")
    clock.advance(days=3)
    appeal = await filed(case, first["id"])
    assert (appeal["state"], appeal["outcome"], appeal["grounds"]) == ("filed", None, "The baseline is on page 2.")
    clock.advance(days=3)
    await reread(case, MET)
    shown = (await partner.client.get(f"/v1/appeals/{appeal['id']}")).json()
    assert shown["state"] == "read"
    approver = await new_approver(case)
    done = await approver.post(f"/v1/appeals/{appeal['id']}/decision", json=answer("changed"))
    assert done.status_code == 201, done.text
    assert (done.json()["state"], done.json()["outcome"]) == ("decided", "changed")
    second: Document = (await partner.client.get(f"/v1/decisions/{done.json()['new_decision_id']}")).json()
    return case, first, second


async def _lenient(partner: Partner) -> str:
    """An achievement that one criterion alone earns."""
    body = achievement_body()
    body["rubric"]["decision_rule"] = {"type": "all_but", "exceptions": 1, "mandatory": ["problem"]}
    return await publish(partner.client, body)


async def test_an_appeal_may_award_what_was_refused_and_take_what_was_awarded(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    up = await open_case(app, partner, SHORT)
    refused = await up.decided("not_yet", feedback=GROW)
    down = await open_case(app, partner, MET, name="Eva Example")
    award = await down.decided()
    clock.advance(days=1)
    approver = await new_approver(up)
    for case, decision, levels, state in ((up, refused, MET, "issued"), (down, award, SHORT, "revoked")):
        appeal = await filed(case, decision["id"])
        await reread(case, levels, GROW)
        done = (await approver.post(f"/v1/appeals/{appeal['id']}/decision", json=answer("changed"))).json()
        after = (await partner.client.get(f"/v1/decisions/{done['new_decision_id']}")).json()
        assert after["credential"]["state"] == state
        told = (await partner.client.get(f"{case.path}/feedback")).json()
        assert told["decision_id"] == after["id"]


async def test_an_appeal_that_finds_the_same_confirms(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    case = await open_case(app, partner, SHORT)
    refused = await case.decided("not_yet", feedback=GROW)
    appeal = await filed(case, refused["id"])
    path = f"/v1/appeals/{appeal['id']}/decision"
    approver = await new_approver(case)
    assert (await approver.post(path, json=answer("confirmed"))).json()["code"] == "not_read_again"
    reading = await put_reading(
        case, SHORT, kind="appeal", assessor=(await put_assessor(case.world, partner, "L-01"))[0]
    )
    assert (await approver.post(path, json=answer("confirmed"))).json()["code"] == "not_read_again"  # not resolved
    await put_resolved(case, [reading.id], SHORT, "expert_judgment")
    for outcome in ("changed", "void"):
        assert (await approver.post(path, json=answer(outcome))).json()["code"] == "outcome_against_rule"
    own = await case.approver.post(path, json=answer("confirmed"))
    assert (own.status_code, own.json()["code"]) == (409, "approver_not_new")
    done = await approver.post(path, json=answer("confirmed"))
    assert (done.status_code, done.json()["new_decision_id"]) == (201, None)
    assert (await count_rows(case.world))["decision"] == 1
    assert (await approver.post(path, json=answer("confirmed"))).json()["code"] == "appeal_closed"
    told = (await partner.client.get(f"/v1/appeals/{appeal['id']}")).json()
    assert (told["answer"], told["grounds"]) == ("Read again by somebody new.", "The baseline is on page 2.")


async def test_an_appeal_has_its_time_to_the_second(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    policy = ScoringPolicyBody(turnaround=TurnaroundPolicy(appeal_filing_days=7, appeal_answer_days=5))
    case = await open_case(app, partner, SHORT, policy=policy)
    late = await open_case(app, partner, SHORT, policy=policy, name="Eva Example")
    first, second = [await each.decided("not_yet", feedback=GROW) for each in (case, late)]
    clock.advance(days=7)
    appeal = await filed(case, first["id"])
    due = case.world.clock.now() + timedelta(days=5)
    assert appeal["answer_due_at"] == due.isoformat().replace("+00:00", "Z")
    clock.advance(seconds=1)
    refused = await file(late, second["id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "appeal_too_late")


async def test_a_decision_is_appealed_once(app: FastAPI, partner: Partner) -> None:
    case = await open_case(app, partner, SHORT)
    refused = await case.decided("not_yet", feedback=GROW)
    answers = await asyncio.gather(*(file(case, refused["id"]) for _ in range(4)))
    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
    assert {each.json()["code"] for each in answers if each.status_code == 409} == {"appeal_exists"}
    async with case.world.database.reading() as session:
        readings = await list_readings(session, partner.issuer_id, case.submission.id)
    assert [each.kind for each in readings if each.state == "open"] == ["appeal"]


async def test_of_two_approvers_at_once_one_answers(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    case = await open_case(app, partner, SHORT)
    refused = await case.decided("not_yet", feedback=GROW)
    clock.advance(days=1)
    appeal = await filed(case, refused["id"])
    await reread(case, MET)
    approvers = [await new_approver(case, f"Approver {n} Example") for n in range(3)]
    path = f"/v1/appeals/{appeal['id']}/decision"
    answers = await asyncio.gather(*(each.post(path, json=answer("changed")) for each in approvers))
    assert sorted(each.status_code for each in answers) == [201, 409, 409]
    assert {each.json()["code"] for each in answers if each.status_code == 409} == {"appeal_closed"}
    counts = await count_rows(case.world)
    assert (counts["decision"], counts["credential"]) == (2, 1)


async def test_there_is_no_appeal_against_what_was_not_decided_here_or_was_an_answer(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    case = await open_case(app, partner, SHORT)
    elsewhere = await decided(partner, recipient={"email": "eva@schools.example.org"})
    assert (await file(case, elsewhere["id"])).json()["code"] == "not_appealable"
    refused = await case.decided("not_yet", feedback=GROW)
    clock.advance(days=1)
    appeal = await filed(case, refused["id"])
    await reread(case, MET)
    approver = await new_approver(case)
    done = (await approver.post(f"/v1/appeals/{appeal['id']}/decision", json=answer("changed"))).json()
    assert (await file(case, done["new_decision_id"])).json()["code"] == "not_appealable"
    assert (await file(case, refused["id"])).json()["code"] == "appeal_exists"


async def test_a_learner_appeals_for_themselves_alone(app: FastAPI, partner: Partner) -> None:
    case = await open_case(app, partner, SHORT)
    refused = await case.decided("not_yet", feedback=GROW)
    _, own = await open_person(app, partner.issuer_id, "learner", name="Ada Herself", learner_id=case.learner.id)
    _, eva = await put_enrollment(case.world, case.program, name="Eva Example")
    _, other = await open_person(app, partner.issuer_id, "learner", name="Eva Else", learner_id=eva.id)
    assert (await file(case, refused["id"], other)).status_code == 404
    made = await file(case, refused["id"], own)
    assert made.status_code == 201
    assert (await other.get(f"/v1/appeals/{made.json()['id']}")).status_code == 404
    assert (await other.get("/v1/appeals")).json()["items"] == []
    assert len((await own.get("/v1/appeals")).json()["items"]) == 1


async def test_an_approver_finds_the_appeals_and_who_reads_does_not(app: FastAPI, partner: Partner) -> None:
    case = await open_case(app, partner, SHORT)
    refused = await case.decided("not_yet", feedback=GROW)
    appeal = await filed(case, refused["id"])
    approver = await new_approver(case)
    assert (await approver.get("/v1/appeals")).json()["items"] == [appeal]
    assert (await approver.get(f"/v1/appeals/{appeal['id']}")).json() == appeal
    _, lead = await open_person(app, partner.issuer_id, "lead", "assessor", name="Lee Lead")
    for path in ("/v1/appeals", f"/v1/appeals/{appeal['id']}"):
        assert (await lead.get(path)).status_code == 403
    assert (await approver.get("/v1/submissions")).status_code == 403


async def test_an_appeal_is_declared_inadmissible_before_anybody_reads(app: FastAPI, partner: Partner) -> None:
    for name, state, status in (("Ada Example", "assigned", 201), ("Eva Example", "started", 409)):
        case = await open_case(app, partner, SHORT, name=name)
        refused = await case.decided("not_yet", feedback=GROW)
        appeal = await filed(case, refused["id"])
        async with case.world.database.transaction() as session:
            [reading] = [
                each
                for each in await list_readings(session, partner.issuer_id, case.submission.id)
                if each.kind == "appeal"
            ]
            reading.state = state
        _, lead = await open_person(app, partner.issuer_id, "lead", name=f"Lead {name}")
        path = f"/v1/appeals/{appeal['id']}/inadmissible"
        done = await lead.post(path, json={"reason": "It concerns another program."})
        assert done.status_code == status
        if status == 409:
            assert done.json()["code"] == "appeal_reading_started"
            assert (await partner.client.get(f"/v1/appeals/{appeal['id']}")).json()["state"] == "reading"
            continue
        assert (done.json()["state"], done.json()["answer"]) == ("inadmissible", "It concerns another program.")
        async with case.world.database.reading() as session:
            assert (await session.get_one(Reading, (partner.issuer_id, reading.id))).state == "cancelled"
        assert (await lead.post(path, json={"reason": "Again."})).json()["code"] == "appeal_closed"
        assert (await file(case, refused["id"])).json()["code"] == "appeal_exists"


async def test_the_reading_that_follows_a_recusal_counts(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    case = await open_case(app, partner, SHORT)
    refused = await case.decided("not_yet", feedback=GROW)
    appeal = await filed(case, refused["id"])
    clock.advance(days=1)
    async with case.world.database.transaction() as session:
        readings = await list_readings(session, partner.issuer_id, case.submission.id)
        next(each for each in readings if each.kind == "appeal").state = "recused"
        submission = await get_submission(session, partner.issuer_id, case.submission.id)
        await request_reading(session, submission, kind="appeal", now=clock.now())
    await reread(case, SHORT)
    approver = await new_approver(case)
    done = await approver.post(f"/v1/appeals/{appeal['id']}/decision", json=answer("confirmed"))
    assert done.status_code == 201, done.text


async def test_what_another_attempt_has_earned_is_not_awarded_again(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    case = await open_case(app, partner, SHORT)
    refused = await case.decided("not_yet", feedback=GROW)
    appeal = await filed(case, refused["id"])
    clock.advance(days=1)
    await (await another_case(case)).decided()
    await reread(case, MET)
    approver = await new_approver(case)
    path = f"/v1/appeals/{appeal['id']}/decision"
    assert (await approver.post(path, json=answer("changed"))).json()["code"] == "already_awarded"
    assert (await approver.post(path, json=answer("void"))).json()["outcome"] == "void"
    assert (await count_rows(case.world))["credential"] == 1


async def test_erasing_the_learner_leaves_the_chain_whole_and_nothing_of_the_appeal(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    case = await open_case(app, partner, MET)
    award = await case.decided()
    clock.advance(days=1)
    appeal = await filed(case, award["id"])
    exported = (await partner.client.get(f"/v1/learners/{case.learner.id}/export")).json()
    assert [each["grounds"] for each in exported["appeals"]] == ["The baseline is on page 2."]
    assert (await partner.client.post(f"/v1/learners/{case.learner.id}/erase")).status_code == 200
    told = (await partner.client.get(f"/v1/appeals/{appeal['id']}")).json()
    assert (told["grounds"], told["answer"], told["state"]) == (None, None, "filed")
    assert (await partner.client.get(f"{case.path}/feedback")).status_code == 410
    async with case.world.database.snapshot() as session:
        assert (await verify_audit_trail(session)).faults == []
    assert "page 2" not in str([event.data for event in await list_all_events(case.world, partner.issuer_id)])
