"""A process that really dies (SIGKILL) between the two commits of an approved decision."""

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.scoring.store import Decision
from app.settings import Settings
from tests.conftest import Partner
from tests.credentials.test_crash import KEY, die, open_status_list, run_jobs
from tests.fakes import FixedClock
from tests.issuing import list_all_editions, list_all_events, require_verifies
from tests.scoring.judging import Case, find_submission, open_case

AWARDED = {"outcome": "awarded"}


async def stands(case: Case) -> Decision:
    """The one decision on the submission, which is decided by it."""
    query = select(Decision).where(Decision.submission_id == case.submission.id)
    async with case.world.database.reading() as session:
        decision = (await session.scalars(query)).one()
    submission = await find_submission(case)
    assert (submission.state, submission.outcome, decision.outcome) == ("decided", "awarded", "awarded")
    assert submission.met == [[key, level, decision.id] for key, level in decision.levels]
    return decision


@pytest.mark.parametrize("failpoint", ["before signing", "after signing"])
async def test_the_decision_stands_and_the_job_finishes_the_badge(
    app: FastAPI, settings: Settings, partner: Partner, clock: FixedClock, failpoint: str
) -> None:
    await open_status_list(partner)
    case = await open_case(app, partner)
    await die(settings, case.approver, clock, failpoint, AWARDED, f"{case.path}/decision")
    decision = await stands(case)
    [_, edition] = await list_all_editions(case.world)
    assert (edition.state, edition.decision_id) == ("pending", decision.id)
    assert (await partner.client.get(f"/credentials/{edition.credential_id}")).status_code == 404

    await run_jobs(case.world, clock)
    assert (await stands(case)).id == decision.id
    badge = (await partner.client.get(f"/credentials/{edition.credential_id}")).json()
    await require_verifies(case.world, badge)
    assert [each.state for each in await list_all_editions(case.world)] == ["issued", "issued"]
    events = [event.type for event in await list_all_events(case.world, partner.issuer_id)]
    assert (events.count("decision.released"), events.count("credential.issued")) == (1, 2)

    # Who asks again gets the same decision and badge; without the key they are told that it was decided.
    path = f"{case.path}/decision"
    again = await case.approver.post(path, json=AWARDED, headers={"Idempotency-Key": KEY})
    assert (again.status_code, again.json()["id"]) == (201, decision.id)
    assert again.json()["credential"]["document"] == badge
    anew = await case.approver.post(path, json=AWARDED)
    assert (anew.status_code, anew.json()["code"]) == (409, "submission_not_resolved")
    assert len(await list_all_editions(case.world)) == 2


async def test_a_death_in_the_first_commit_leaves_the_submission_to_be_decided(
    app: FastAPI, settings: Settings, partner: Partner, clock: FixedClock
) -> None:
    """The first badge of an issuer opens its status list, which is signed within the first commit."""
    case = await open_case(app, partner)
    await die(settings, case.approver, clock, "before signing", AWARDED, f"{case.path}/decision")
    assert (await find_submission(case)).state == "resolved"
    decided = await case.approver.post(f"{case.path}/decision", json=AWARDED, headers={"Idempotency-Key": KEY})
    assert decided.status_code == 201, decided.text
    assert (await stands(case)).id == decided.json()["id"]
    await require_verifies(case.world, decided.json()["credential"]["document"])
