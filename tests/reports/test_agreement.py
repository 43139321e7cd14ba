"""Agreement by criterion: against a recount of what was put in, and what is not told."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI

from app.assessors.store import Assessor
from app.learners.store import Learner
from app.programs.store import Cohort, Enrollment, Program
from app.resources import Resources
from tests.assessing import put_assessor, put_enrollment, put_program
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.issuing import Document, world_of
from tests.monitoring.pairs import put_pair, reports_of, scores

# (problem, evidence) of the first and of the second reading, as positions.
RANDOM = [((2, 2), (2, 2))] * 7 + [((2, 1), (2, 2))] * 2 + [((1, 0), (2, 2)), ((0, 2), (0, 1)), ((1, 1), (1, 1))]
TRIGGERED = [((1, 2), (2, 2))] * 10


@dataclass
class Readers:
    """A program with two assessors and a learner whose every attempt two people read."""

    partner: Partner
    world: Resources
    program: Program
    who: tuple[Enrollment, Learner]
    two: tuple[Assessor, Assessor]
    attempts: int = 0

    async def put(self, pairs: list[Any], **more: Any) -> None:
        for first, second in pairs:
            self.attempts += 1
            given = scores(*first), scores(*second)
            await put_pair(self.world, self.partner, self.who, self.two, given, attempt=self.attempts, **more)

    async def report(self, **params: Any) -> Document:
        answer = await self.partner.client.get(f"{reports_of(self.program)}/agreement", params=params)
        assert answer.status_code == 200, answer.text
        body: Document = answer.json()
        return body


@pytest.fixture
async def readers(app: FastAPI, partner: Partner) -> Readers:
    world = world_of(app)
    program = await put_program(world, partner)
    who = await put_enrollment(world, program)
    one, two = [(await put_assessor(world, partner, code))[0] for code in ("A-01", "A-02")]
    return Readers(partner, world, program, who, (one, two))


def of(body: Document, criterion: str, kind: str) -> Document:
    [found] = [each for each in body["criteria"] if each["criterion"] == criterion]
    [pairs] = [each for each in found["pairs"] if each["kind"] == kind]
    return dict(pairs)


async def test_it_agrees_with_a_recount(readers: Readers) -> None:
    await readers.put(RANDOM)
    await readers.put(TRIGGERED, kind="second_triggered")
    body = await readers.report()
    assert body["submissions"] == 22
    for place, criterion in enumerate(("problem", "evidence")):
        told = of(body, criterion, "random")
        counts = Counter((first[place], second[place]) for first, second in RANDOM)
        assert told["matrix"] == [[counts[i, j] for j in range(3)] for i in range(3)]
        statistics = {each["name"]: each for each in told["statistics"]}
        exact = sum(first[place] == second[place] for first, second in RANDOM)
        near = sum(abs(first[place] - second[place]) <= 1 for first, second in RANDOM)
        assert statistics["exact_agreement"]["value"] == exact / 12
        assert statistics["adjacent_agreement"]["value"] == near / 12
        assert statistics["exact_agreement"]["interval"]["method"] == "wilson"
        # Cohen's kappa from its definition.
        rows, columns = (Counter(pair[side][place] for pair in RANDOM) for side in (0, 1))
        chance = sum(rows[level] * columns[level] for level in range(3)) / 144
        assert abs(statistics["cohen_kappa"]["value"] - (exact / 12 - chance) / (1 - chance)) < 1e-9
        assert {each["n"] for each in told["statistics"]} == {12}
        assert statistics["gwet_ac1"]["interval"] is None
        assert statistics["gwet_ac1"]["reason"] == "not_computed"
    assert of(body, "problem", "triggered")["matrix"] == [[0, 0, 0], [0, 0, 10], [0, 0, 0]]


async def test_one_category_is_undefined_with_a_reason(readers: Readers) -> None:
    await readers.put([((2, 2), (2, 2))] * 10)
    statistics = {each["name"]: each for each in of(await readers.report(), "problem", "random")["statistics"]}
    assert statistics["exact_agreement"]["value"] == 1.0
    for name in ("cohen_kappa", "weighted_kappa_quadratic", "krippendorff_alpha_ordinal", "gwet_ac1"):
        assert (statistics[name]["value"], statistics[name]["reason"]) == (None, "one_category")


async def test_few_submissions_are_not_told(readers: Readers) -> None:
    await readers.put(RANDOM[:9])
    await readers.put(TRIGGERED, kind="second_triggered")
    body = await readers.report()
    hidden = of(body, "problem", "random")
    assert (hidden["submissions"], hidden["matrix"]) == (None, None)
    assert {(each["n"], each["value"], each["reason"]) for each in hidden["statistics"]} == {(None, None, "small_cell")}
    assert (body["submissions"], body["suppressed"]["members"]) == (None, ["submissions", "criteria.pairs"])
    assert of(body, "problem", "triggered")["submissions"] == 10
    await readers.put(RANDOM[9:10])
    assert of(await readers.report(), "problem", "random")["submissions"] == 10


async def test_filters_that_leave_few_out_tell_nothing(readers: Readers, clock: FixedClock) -> None:
    """What is told of all, less what is told of the rest, would be those few."""
    await readers.put(RANDOM)
    clock.advance(days=10)
    await readers.put(RANDOM[:3])
    assert of(await readers.report(), "problem", "random")["submissions"] == 15
    window = {"until": "2026-12-01T00:00:00Z"}
    assert of(await readers.report(**window), "problem", "random")["submissions"] is None
    await readers.put(RANDOM[:7])
    assert of(await readers.report(**window), "problem", "random")["submissions"] == 12


async def test_what_is_not_settled_is_not_told(readers: Readers) -> None:
    """Whoever adjudicates reads blind, and may be a director too."""
    await readers.put(RANDOM, resolved=False)
    body = await readers.report()
    assert (body["submissions"], body["criteria"]) == (0, [])
    assert body["sentence"].endswith("at least 10 are needed for a criterion.")


async def test_as_of_then(readers: Readers, clock: FixedClock) -> None:
    await readers.put(RANDOM)
    before = clock.now()
    clock.advance(days=10)
    await readers.put(RANDOM)
    assert (await readers.report())["submissions"] == 24
    assert (await readers.report(as_of=before.isoformat().replace("+00:00", "Z")))["submissions"] == 12


async def test_one_cohort(readers: Readers) -> None:
    cohort_id = "c" * 32
    async with readers.world.database.transaction() as session:
        now = readers.world.clock.now()
        session.add(
            Cohort(issuer_id=readers.partner.issuer_id, id=cohort_id, external_id=None, program_id=readers.program.id,
                   name="=First", starts_on=None, ends_on=None, created_at=now, updated_at=now)
        )  # fmt: skip
        await session.flush()
        (await session.get_one(Enrollment, (readers.partner.issuer_id, readers.who[0].id))).cohort_id = cohort_id
    await readers.put(RANDOM)
    readers.who = await put_enrollment(readers.world, readers.program, name="Ben Example")
    readers.attempts = 0
    await readers.put(RANDOM)
    assert (await readers.report(cohort_id=cohort_id))["submissions"] == 12
    assert (await readers.report())["submissions"] == 24
    table = await readers.partner.client.get(
        f"{reports_of(readers.program)}/agreement", params={"cohort_id": cohort_id, "format": "csv"}
    )
    lines = table.text.splitlines()
    assert lines[0].split(",")[-10:] == [
        "criterion", "kind", "measure", "n", "value", "reason", "low", "high", "first_level", "second_level"
    ]  # fmt: skip
    assert all(",'=First," in line for line in lines[1:])


async def test_one_of_three_cohorts_does_not_follow_from_the_others(readers: Readers) -> None:
    """All less the two large ones would be the small one: the next smallest is left out with it."""
    for number, size in enumerate((14, 12, 6)):
        async with readers.world.database.transaction() as session:
            now = readers.world.clock.now()
            session.add(
                Cohort(issuer_id=readers.partner.issuer_id, id=str(number) * 32, external_id=None,
                       program_id=readers.program.id, name=f"Cohort {number}", starts_on=None, ends_on=None,
                       created_at=now, updated_at=now)
            )  # fmt: skip
            await session.flush()
            enrollment = await session.get_one(Enrollment, (readers.partner.issuer_id, readers.who[0].id))
            enrollment.cohort_id = str(number) * 32
        await readers.put(TRIGGERED[:1] * size)
        readers.who = await put_enrollment(readers.world, readers.program, name=f"Ben {number} Example")
        readers.attempts = 0
    told = [
        of(await readers.report(cohort_id=str(number) * 32), "problem", "random")["submissions"] for number in range(3)
    ]
    assert told == [14, None, None]
    assert of(await readers.report(), "problem", "random")["submissions"] == 32


async def test_no_assessor_is_named(readers: Readers) -> None:
    await readers.put(RANDOM)
    text = str(await readers.report())
    for assessor in readers.two:
        assert assessor.id not in text
        assert assessor.code not in text
