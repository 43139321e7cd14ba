"""Every number of a report, counted again slowly from the readings as the register has them."""

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import combinations, product
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app.achievements.store import AchievementVersion, get_version
from app.quality.bodies import QualityPairs, QualityStatistic
from app.quality.facts import load_facts
from app.quality.recompute import recompute_reports
from app.quarters import Quarter
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.quality.scene import AGREE, LEVELS, Scene, named, open_scene

Pair = tuple[int, int]
Q4 = Quarter(2026, 4)


def approx(value: float) -> Any:
    return pytest.approx(value, abs=1e-5)


async def count_again(scene: Scene, kind: str, since: str) -> dict[str, list[Pair]]:
    """Pairs of positions by criterion, from SQL that knows nothing of the service's code; `decision` is one more."""
    query = (
        "SELECT one.levels, two.levels FROM reading one JOIN reading two ON one.submission_id = two.submission_id "
        f"WHERE one.kind = 'first' AND two.kind = '{kind}' AND two.submitted_at >= '{since}'"
    )
    async with scene.world.database.reading() as session:
        rows = (await session.execute(text(query))).all()
    pairs: dict[str, list[Pair]] = {"problem": [], "evidence": [], "decision": []}
    for row in rows:
        first, second = (dict(json.loads(each) if isinstance(each, str) else each) for each in row)
        for key in first:
            pairs[key].append((LEVELS.index(first[key]), LEVELS.index(second[key])))
        one, other = (int(set(each.values()) == {"demonstrated"}) for each in (first, second))
        pairs["decision"].append((one, other))
    return pairs


def slow_kappa(pairs: Sequence[Pair], power: int) -> float:
    observed = sum(abs(a - b) ** power if a != b else 0 for a, b in pairs) / len(pairs)
    chance = [abs(a - b) ** power if a != b else 0 for a, b in product([a for a, _ in pairs], [b for _, b in pairs])]
    return 1 - observed / (sum(chance) / len(chance))


def slow_alpha(pairs: Sequence[Pair], *, ordinal: bool) -> float:
    values = [value for pair in pairs for value in pair]

    def distance(a: int, b: int) -> float:
        if not ordinal:
            return float(a != b)
        low, high = min(a, b), max(a, b)
        between = sum(low <= value <= high for value in values)
        return (between - (values.count(a) + values.count(b)) / 2) ** 2 if a != b else 0.0

    observed = sum(distance(a, b) for a, b in pairs) / len(pairs)
    apart = [distance(a, b) for a, b in combinations(values, 2)]
    return 1 - observed / (sum(apart) / len(apart))


def slow_ac1(pairs: Sequence[Pair], levels: int) -> float:
    values = [value for pair in pairs for value in pair]
    shares = [values.count(level) / len(values) for level in range(levels)]
    chance = sum(share * (1 - share) for share in shares) / (levels - 1)
    agreed = sum(a == b for a, b in pairs) / len(pairs)
    return (agreed - chance) / (1 - chance)


def slow_wilson(share: float, n: int) -> tuple[float, float]:
    z = 1.959963984540054
    middle, reach = share + z * z / (2 * n), z * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    return (middle - reach) / (1 + z * z / n), (middle + reach) / (1 + z * z / n)


def assert_scores(found: Sequence[QualityStatistic], pairs: Sequence[Pair]) -> None:
    assert [each.n for each in found] == [len(pairs)] * 6
    assert [each.value for each in found] == [
        approx(sum(a == b for a, b in pairs) / len(pairs)),
        approx(sum(abs(a - b) <= 1 for a, b in pairs) / len(pairs)),
        approx(slow_kappa(pairs, 0)),
        approx(slow_kappa(pairs, 2)),
        approx(slow_alpha(pairs, ordinal=True)),
        approx(slow_ac1(pairs, 3)),
    ]


def assert_agreement(found: QualityPairs, pairs: dict[str, list[Pair]]) -> None:
    both = pairs["problem"] + pairs["evidence"]
    assert (found.submissions.n, found.criterion_pairs.n) == (len(pairs["decision"]), len(both))
    assert_scores(found.overall, both)
    for criterion in found.criteria:
        assert_scores(criterion.statistics, pairs[criterion.key])
        exact, n = criterion.statistics[0], len(pairs[criterion.key])
        assert exact.interval is not None
        assert exact.value is not None
        assert (exact.interval.low, exact.interval.high) == approx(slow_wilson(exact.value, n))
    decided = pairs["decision"]
    assert [each.value for each in found.decision.statistics] == [
        approx(sum(a == b for a, b in decided) / len(decided)),
        approx(slow_kappa(decided, 0)),
        approx(slow_alpha(decided, ordinal=False)),
        approx(slow_ac1(decided, 2)),
    ]


def draw(seed: int, count: int) -> list[list[Pair]]:
    """Readers who mostly agree."""
    dice = random.Random(seed)
    first = [[dice.choice((0, 1, 2, 2)) for _ in range(2)] for _ in range(count)]
    return [[(a, a if dice.random() < 0.8 else dice.choice((0, 1, 2))) for a in each] for each in first]


async def test_a_report_says_what_a_slow_recount_says(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    scene = await open_scene(app, partner)
    await scene.put(*draw(1, 52))
    await scene.put(*draw(2, 17), kind="second_triggered")
    await scene.put(*[[(2, -1), (1, -1)]] * 31)
    await scene.put(*draw(3, 12), at=clock.now().replace(month=9))  # not of this window
    clock.moment = datetime(2027, 1, 2, tzinfo=UTC)
    await scene.run_jobs()
    report = await scene.fetch()
    assert_agreement(report.random, await count_again(scene, "second_random", "2026-10-01"))
    assert_agreement(report.triggered, await count_again(scene, "second_triggered", "2026-10-01"))
    assert (report.submissions_resolved.n, report.readings.n) == (52 + 17 + 31, 2 * 52 + 2 * 17 + 31)
    rate = report.double_read
    assert (rate.numerator, rate.denominator, rate.value) == (69, 100, approx(0.69))
    assert rate.interval is not None
    assert (rate.interval.low, rate.interval.high) == approx(slow_wilson(0.69, 100))
    assert (report.state, report.pilot) == ("frozen", False)


async def test_a_pair_is_of_the_quarter_in_which_it_was_resolved(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    scene = await open_scene(app, partner)
    at, before = clock.now().replace(month=11), clock.now().replace(month=9)
    await scene.put(*[AGREE] * 11, at=at, first_at=before)
    await scene.put(*[AGREE] * 12, at=before)
    clock.moment = datetime(2027, 1, 2, tzinfo=UTC)
    report = await scene.fetch()
    assert (report.random.submissions.n, report.readings.n) == (11, 22)  # both readings count with the resolution
    assert (await count_pairs(scene, Quarter(2026, 3)), await count_pairs(scene, Q4)) == (12, 11)


async def test_resampled_intervals_are_computed_again_from_their_seed(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    scene = await open_scene(app, partner)
    await scene.put(*draw(4, 25))
    clock.moment = datetime(2027, 1, 2, tzinfo=UTC)
    await scene.run_jobs()
    async with scene.world.database.reading() as session:
        facts = [each.scores for each in (await load_facts(session, [await version_of(scene)], Q4)).read_twice]
    clusters = [list(each.values()) for each in facts]
    exact = (await scene.fetch()).random.overall[0]
    assert exact.interval is not None
    assert exact.interval.seed is not None
    dice = random.Random(exact.interval.seed)
    shares = []
    for _ in range(1000):
        drawn = [pair for _ in clusters for pair in clusters[int(dice.random() * len(clusters))]]
        shares.append(sum(a == b for a, b in drawn) / len(drawn))
    shares.sort()
    assert (exact.interval.low, exact.interval.high) == (
        pytest.approx(shares[25], abs=0.02),
        pytest.approx(shares[974], abs=0.02),
    )
    assert (exact.interval.method, exact.interval.resamples) == ("cluster_bootstrap", 1000)


async def test_banked_criteria_are_no_pairs_and_count_for_the_decision(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    scene = await open_scene(app, partner)
    await scene.put(*[AGREE] * 15)
    await scene.put(*[[(2, 1)]] * 10, keys=["evidence"], banked={"problem": "demonstrated"})
    report = await scene.fetch()
    problem, evidence = (each.statistics[0] for each in report.random.criteria)
    assert (problem.n, problem.value) == (15, 1.0)
    assert (evidence.n, evidence.value) == (25, 0.6)
    decided = named(report.random.decision.statistics, "exact_agreement")
    assert (decided.n, decided.value) == (25, 0.6)


async def test_one_category_has_no_kappa_and_says_why(app: FastAPI, partner: Partner) -> None:
    scene = await open_scene(app, partner)
    await scene.put(*[AGREE] * 12)
    overall = (await scene.fetch()).random.overall
    assert (overall[0].value, overall[0].n) == (1.0, 24)
    for name in ("cohen_kappa", "weighted_kappa_quadratic", "krippendorff_alpha_ordinal", "gwet_ac1"):
        found = named(overall, name)
        assert (found.value, found.reason, found.interval_reason) == (None, "one_category", "one_category")


async def test_perfect_agreement_is_not_taken_for_certainty(app: FastAPI, partner: Partner) -> None:
    scene = await open_scene(app, partner)
    await scene.put(*[AGREE, ((1, 1), (0, 0))] * 6)
    await recompute_reports(scene.world, partner.issuer_id, partner.achievement_id)
    overall = (await scene.fetch()).random.overall
    exact, kappa = overall[0], named(overall, "cohen_kappa")
    assert (exact.value, kappa.value) == (1.0, 1.0)
    assert exact.interval is not None  # of 12 submissions, not of 24 pairs
    assert (exact.interval.method, exact.interval.low, exact.interval.high) == ("wilson", approx(0.757506), 1.0)
    assert (kappa.interval, kappa.interval_reason) == (None, "no_disagreement")


async def version_of(scene: Scene) -> AchievementVersion:
    async with scene.world.database.reading() as session:
        return await get_version(session, scene.partner.issuer_id, scene.partner.achievement_id, 1)


async def count_pairs(scene: Scene, window: Quarter) -> int:
    """How many pairs the window has."""
    async with scene.world.database.reading() as session:
        return len((await load_facts(session, [await version_of(scene)], window)).read_twice)
