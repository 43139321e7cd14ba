"""Certifications: when they end, what a lead decides, and the badge that tells of them."""

import asyncio
from typing import Any, get_args

import pytest
from fastapi import FastAPI
from sqlalchemy import delete

from app.access.store import get_person, list_roles
from app.assessors.certification import NotCertified, require_certified
from app.assessors.certify import LEAD_MOVES
from app.assessors.store import Certification, CertificationState
from app.people.store import PersonIdentity
from app.scoring.certification_badge import issue_certification_badge
from tests.anchoring import SMALL, Bench, codes, run_due_jobs
from tests.assessing import put_program
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.issuing import (
    count_rows,
    failures,
    list_all_credentials,
    list_all_editions,
    require_verifies,
    verify,
)

MONTH = SMALL.model_copy(update={"qualification": SMALL.qualification.model_copy(update={"certification_days": 30})})


@pytest.fixture
async def bench(app: FastAPI, partner: Partner) -> Bench:
    """An assessor who is certified for thirty days, and is on the program's panel."""
    made = await Bench.set_up(app, partner, MONTH)
    await made.enter("A-01")
    await made.take_round("A-01")
    return made


async def gate(bench: Bench) -> str:
    """What the gate of readings says of A-01 now."""
    async with bench.world.database.reading() as session:
        try:
            found = await require_certified(
                session, await bench.get_assessor("A-01"), bench.partner.achievement_id, 1, bench.world.clock.now()
            )
        except NotCertified as refused:
            return refused.detail.rpartition(": ")[2].rstrip(".")
        return found.state


async def test_a_certification_ends_to_the_second(bench: Bench, clock: FixedClock) -> None:
    clock.advance(days=30, seconds=-1)
    assert (await gate(bench), (await bench.certification("A-01"))["state"]) == ("certified", "certified")
    clock.advance(seconds=1)
    assert (await gate(bench), (await bench.certification("A-01"))["state"]) == ("expired", "expired")


async def test_it_is_for_this_version_only(bench: Bench) -> None:
    async with bench.world.database.reading() as session:
        with pytest.raises(NotCertified):
            await require_certified(
                session, await bench.get_assessor("A-01"), bench.partner.achievement_id, 2, bench.world.clock.now()
            )


async def test_the_end_is_recorded_once_unless_it_was_renewed(bench: Bench, clock: FixedClock) -> None:
    clock.advance(days=20)
    await bench.take_round("A-01")
    clock.advance(days=15)
    await run_due_jobs(bench.world)
    assert [each["state"] for each in (await bench.certification("A-01"))["history"]].count("expired") == 0
    clock.advance(days=15)
    await run_due_jobs(bench.world)
    certification = await bench.certification("A-01")
    assert [each["state"] for each in certification["history"]].count("expired") == 1
    assert certification["history"][-1]["changed_by"] == "job:expire_certification"


@pytest.mark.parametrize("before", get_args(CertificationState))
async def test_a_lead_decides_what_can_follow_and_nothing_else(bench: Bench, before: CertificationState) -> None:
    row = (bench.partner.issuer_id, (await bench.certification("A-01"))["id"])
    for after in get_args(CertificationState):
        async with bench.world.database.transaction() as session:
            (await session.get_one(Certification, row)).state = before
        decided = await bench.decide("A-01", after)
        if after in LEAD_MOVES[before]:
            assert (decided.status_code, decided.json()["state"]) == (200, after)
            assert decided.json()["history"][-1]["reason"] == "So decided."
        else:
            assert codes(decided) == [(409, "certification_state")], after


async def test_suspension_counts_at_once(bench: Bench) -> None:
    for state, told in (("probation", "probation"), ("certified", "certified"), ("suspended", "suspended")):
        assert (await bench.decide("A-01", state)).status_code == 200
        assert await gate(bench) == told
    assert codes(await bench.decide("A-01", "certified")) == [(409, "certification_state")]


async def test_nobody_decides_about_their_own(bench: Bench) -> None:
    await bench.enter("L-01", "lead")
    await bench.take_round("L-01")
    certifications = (await bench.lead.get("/v1/certifications")).json()["items"]
    [own] = [each["id"] for each in certifications if each["assessor_id"] == bench.ids["L-01"]]
    path, lead = f"/v1/certifications/{own}", bench.assessors["L-01"]
    why = {"reason": "Why not."}
    answers = [
        await lead.post(f"{path}/state", json={"state": "probation", **why}),
        await lead.post(f"{path}/review", json=why),
        await bench.assessors["A-01"].post(f"{path}/state", json={"state": "probation", **why}),
        await bench.partner.client.post(f"{path}/state", json={"state": "probation", **why}),
    ]
    assert codes(*answers) == [
        (403, "own_certification"), (403, "own_certification"), (403, "forbidden"), (403, "person_required")
    ]  # fmt: skip


# The badge


async def badge(bench: Bench) -> dict[str, Any]:
    """The newest edition of the one badge there is."""
    [credential] = await list_all_credentials(bench.world)
    answer = await bench.partner.client.get(f"/v1/credentials/{credential.id}")
    document: dict[str, Any] = answer.json()["document"]
    return document


async def test_a_certification_is_a_badge_of_the_assessor(bench: Bench) -> None:
    await run_due_jobs(bench.world)
    certification, document = await bench.certification("A-01"), await badge(bench)
    await require_verifies(bench.world, document)
    assert document["validUntil"] == certification["valid_until"] == "2026-12-23T13:00:00Z"
    assert document["awardedDate"] == certification["valid_from"]
    achievement = document["credentialSubject"]["achievement"]
    assert achievement["achievementType"] == "Certification"
    assert achievement["name"] == "Certified assessor: Implementing Equitable Practices"
    assert document["credentialSubject"]["source"]["name"] == "Academy assessors"
    assert "4 ratings exact (100.0 %)" in document["credentialSubject"]["narrative"]
    assert "Assessor A-01" not in str(document)

    decision = (await bench.partner.client.get(f"/v1/decisions/{certification['decision_id']}")).json()
    assert [each["level"] for each in decision["results"]] == ["met"] * 3
    assert "A-01" not in decision["assessors"]
    async with bench.world.database.reading() as session:
        person = await get_person(session, bench.partner.issuer_id, bench.people["A-01"])
        roles = await list_roles(session, bench.partner.issuer_id, [person.id])
    assert (person.learner_id, roles[person.id]) == (decision["learner_id"], ["assessor"])


async def test_the_badge_is_issued_once(bench: Bench) -> None:
    await run_due_jobs(bench.world)
    before = await count_rows(bench.world)
    certification = await bench.certification("A-01")
    await issue_certification_badge(bench.world, bench.partner.issuer_id, certification["id"])
    assert await count_rows(bench.world) == before


async def test_all_assessors_of_a_version_have_the_same_achievement(bench: Bench) -> None:
    await run_due_jobs(bench.world)
    await bench.enter("A-02")
    await bench.take_round("A-02")
    await run_due_jobs(bench.world)
    first, second = await list_all_credentials(bench.world)
    assert first.achievement_id == second.achievement_id
    assert first.learner_id != second.learner_id


async def test_qualifying_again_renews_the_badge(bench: Bench, clock: FixedClock) -> None:
    await run_due_jobs(bench.world)
    first = await badge(bench)
    clock.advance(days=40)
    assert failures(await verify(bench.world, first)) == ["expired"]
    await bench.take_round("A-01")
    await run_due_jobs(bench.world)
    second, certification = await badge(bench), await bench.certification("A-01")
    await require_verifies(bench.world, second)
    assert (second["id"], second["validUntil"]) == (first["id"], certification["valid_until"])
    assert len(await list_all_editions(bench.world)) == 2


async def test_two_workers_issue_one_badge(bench: Bench) -> None:
    certification = await bench.certification("A-01")
    twice = [issue_certification_badge(bench.world, bench.partner.issuer_id, certification["id"]) for _ in range(2)]
    await asyncio.gather(*twice)
    await require_verifies(bench.world, await badge(bench))
    assert len(await list_all_editions(bench.world)) == 1


async def test_a_badge_ends_with_the_certification_whatever_the_policy_says_since(
    bench: Bench, clock: FixedClock
) -> None:
    """Longer for the next assessor of another program; never shorter for who had longer."""
    await run_due_jobs(bench.world)
    asks = SMALL.qualification.model_copy(update={"certification_days": 90})
    bench.program = await put_program(bench.world, bench.partner, SMALL.model_copy(update={"qualification": asks}))
    clock.advance(days=10)
    await bench.take_round("A-01")
    await run_due_jobs(bench.world)
    certification = await bench.certification("A-01")
    assert (await badge(bench))["validUntil"] == certification["valid_until"] == "2027-03-03T13:00:00Z"

    bench.program = await put_program(bench.world, bench.partner, MONTH)
    clock.advance(days=10)
    await bench.take_round("A-01")
    await run_due_jobs(bench.world)
    certification = await bench.certification("A-01")
    assert certification["valid_from"] == "2026-12-13T13:00:00Z"
    assert (await badge(bench))["validUntil"] == certification["valid_until"] == "2027-03-03T13:00:00Z"


async def test_revoking_the_certification_revokes_the_badge(bench: Bench) -> None:
    await run_due_jobs(bench.world)
    document = await badge(bench)
    await bench.decide("A-01", "suspended")
    await run_due_jobs(bench.world)
    await require_verifies(bench.world, document)
    await bench.decide("A-01", "revoked")
    await run_due_jobs(bench.world)
    assert failures(await verify(bench.world, document)) == ["revoked"]


async def test_what_was_revoked_before_its_badge_was_issued_gets_none(bench: Bench) -> None:
    await bench.decide("A-01", "revoked")
    await run_due_jobs(bench.world)
    assert await list_all_credentials(bench.world) == []


async def test_without_an_address_the_certification_stands_alone(bench: Bench) -> None:
    async with bench.world.database.transaction() as session:
        await session.execute(
            delete(PersonIdentity).where(
                PersonIdentity.person_id == bench.people["A-01"], PersonIdentity.kind == "email"
            )
        )
    await run_due_jobs(bench.world)
    assert await list_all_credentials(bench.world) == []
    assert (await bench.certification("A-01"))["state"] == "certified"
