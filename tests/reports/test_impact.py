"""Impact claims are counted without being read: against a recount of what was claimed."""

from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.submissions.impact import is_number, note_impact
from app.submissions.statement import ImpactClaim
from app.submissions.store import Submission
from tests.assessing import put_program
from tests.conftest import Partner
from tests.issuing import world_of
from tests.reports.equity_scene import put_people

CLAIMS: tuple[dict[str, Any] | None, ...] = (
    None,
    {"baseline": "61 %", "follow_up": "38 %", "n": 120, "level": "student"},
    {"baseline": "61 %", "follow_up": "38 %", "n": 9, "level": "student"},
    {"baseline": "61 %", "follow_up": "38 %", "level": "team"},
    {"baseline": "many", "follow_up": "few", "n": 40, "level": "system"},
    {"baseline": "3.5 points", "follow_up": "4,1", "n": 10, "level": "team"},
)


@pytest.mark.parametrize("text", ["61 %", "61%", "-3", "3.5 points", "1,204", " 7 "])
def test_one_number_with_a_unit_is_a_number(text: str) -> None:
    assert is_number(text)


@pytest.mark.parametrize("text", ["", "many", "about 61 %", "2 of 3", "=61", "61 % in 2025", "1 2"])
def test_anything_else_is_not(text: str) -> None:
    assert not is_number(text)


async def test_claims_are_counted_by_level(app: FastAPI, partner: Partner) -> None:
    world = world_of(app)
    program = await put_program(world, partner)
    await put_people(world, partner, program, 30, seed=1, decided_at=world.clock.now())
    expected: dict[str, dict[str, int]] = {
        level: {"claimed": 0, "measured": 0} for level in ("student", "team", "system")
    }
    async with world.database.transaction() as session:
        rows = (await session.scalars(select(Submission).order_by(Submission.id))).all()
        for number, submission in enumerate(rows):
            body = CLAIMS[number % len(CLAIMS)]
            claim = None if body is None else ImpactClaim(indicator="Referrals", **body)
            await note_impact(session, submission, claim, world.clock.now())
            if submission.outcome == "awarded" and claim is not None:
                expected[claim.level]["claimed"] += 1
                expected[claim.level]["measured"] += number % len(CLAIMS) in (1, 5)
        awarded = sum(each.outcome == "awarded" for each in rows)
    world.clock.advance(days=5)  # type: ignore[attr-defined]
    answer = await partner.client.get(f"/v1/programs/{program.id}/reports/impact")
    assert answer.status_code == 200, answer.text
    report = answer.json()
    assert (report["awarded"], report["unknown"]) == (awarded, 0)
    assert {each["level"]: {k: each[k] for k in ("claimed", "measured")} for each in report["levels"]} == expected
    assert report["measured"]["numerator"] == sum(each["measured"] for each in expected.values())
    assert report["measured"]["denominator"] == awarded
    assert "Referrals" not in answer.text
