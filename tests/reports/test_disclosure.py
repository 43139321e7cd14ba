"""No two answers to allowed questions give away what was withheld, or what became of a few people.

The attacker asks everything that up to four filters of a report can ask, and knows besides whose things each answer counts:
whatever two answers, one of which counts all that the other does, leave between them must not be of fewer people than the
minimum; nor what both of them leave of everything, which is always told.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.reports.disclosure import Counted, Disclosure
from app.reports.filters import Filters

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
BEGINS = datetime(2025, 1, 20, tzinfo=UTC)
MONTHS = [datetime(2025 + month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in range(1, 23)]
WORKS = [(None, None), *((work, version) for work in ("a", "b", "c") for version in (None, 1, 2))]


def invent(seed: int, people: int = 116, cohorts: Sequence[str | None] = ("one", "two", None)) -> list[Counted]:
    """What was decided about people in nearly two years, cohort after cohort, some of it amended or recorded late."""
    draw = random.Random(seed)
    found = []
    for number in range(people):
        cohort = draw.choices(cohorts, range(len(cohorts) + 2, 2, -1))[0]
        starts = BEGINS + timedelta(days=200 * cohorts.index(cohort) / len(cohorts))
        for _ in range(draw.choice((1, 1, 2, 3))):
            at = starts + timedelta(days=draw.triangular(0, 400, 90))
            known = [at + timedelta(days=draw.choice((0,) * 19 + (40,)))]
            if draw.random() < 0.15:
                known.append(known[0] + timedelta(days=draw.triangular(5, 200, 20)))
            work, version = draw.choices("abc", (6, 3, 1))[0], 1 if at < MONTHS[10] or draw.random() < 0.2 else 2
            known = [min(moment, NOW) for moment in known]
            found.append(Counted(f"P{number}", frozenset({cohort}), work, version, min(at, NOW), tuple(known)))
    return found


def list_questions(counted: Sequence[Counted], moments: Sequence[datetime] = MONTHS) -> Iterator[Filters]:
    """Every question with up to four filters: cohort, window, achievement, version, as of."""
    windows: list[tuple[datetime | None, datetime | None]] = [(None, None), *((None, each) for each in moments)]
    windows += [(each, None) for each in moments] + list(combinations(moments, 2))
    cohorts = sorted({each for one in counted for each in one.cohorts if each is not None})
    for cohort in (None, *cohorts):
        for work, version in WORKS:
            for since, until in windows:
                yield Filters(NOW, since, until, cohort, work, version)
                if sum(each is not None for each in (cohort, since or until, work, version)) == 4:
                    continue
                for as_of in moments[:: 1 if since is until is None else 7]:
                    yield Filters(as_of, since, until, cohort, work, version, looks_back=True)


@dataclass(frozen=True)
class Answer:
    """What an answer is about: `things` are bits of what it counts; `states` are how much was known of each."""

    asked: Filters
    things: int
    states: tuple[tuple[int, int], ...] = ()


def answer(counted: Sequence[Counted], asked: Filters) -> Answer:
    things, states = 0, []
    for number, each in enumerate(counted):
        known = sum(moment <= asked.as_of for moment in each.known)
        is_asked = asked.is_about(each.achievement_id, each.version) and asked.is_within(each.at)
        if known and is_asked and asked.cohort_id in (None, *each.cohorts):
            things |= 1 << number
            if known < len(each.known):
                states.append((number, known))
    return Answer(asked, things, tuple(states))


def find_leaks(
    counted: Sequence[Counted], told: Iterable[Answer], withheld: Iterable[Answer], minimum: int
) -> list[str]:
    """What can be computed from two answers and must not be."""
    people = [each.person_id for each in counted]
    everything = answer(counted, Filters(NOW))
    answers = {(each.things, each.states): each for each in (*told, everything)}
    hidden = {each.things: each for each in withheld if each.things} if withheld else {}
    hidden = {things: each for things, each in hidden.items() if (things, ()) not in answers}
    leaks = []

    def tell(things: int, states: Iterable[tuple[int, int]], *of: Answer) -> None:
        whose = {people[number] for number in _bits(things)} | {people[number] for number, _ in states}
        if 0 < len(whose) < minimum:
            leaks.append(f"{[each.asked for each in of]} tell of {len(whose)}")
        elif not states and things in hidden:
            leaks.append(f"{[each.asked for each in of]} give {hidden[things].asked}")

    found = [each for each in answers.values() if each.things]
    for each in found:
        if each is not everything:
            tell(each.things, (), each)
    for one, other in combinations(found, 2):
        if not one.things & ~other.things or not other.things & ~one.things:
            tell(one.things ^ other.things, set(one.states) ^ set(other.states), one, other)
        elif not one.things & other.things and not one.states and not other.states:
            tell(everything.things & ~one.things & ~other.things, (), one, other)
    return leaks


def _bits(things: int) -> Iterator[int]:
    while things:
        lowest = things & -things
        yield lowest.bit_length() - 1
        things ^= lowest


def ask_everything(
    counted: Sequence[Counted], minimum: int, moments: Sequence[datetime] = MONTHS
) -> tuple[list[Answer], list[Answer]]:
    """The answers that are told, and the cells that are withheld: groups, everywhen or between one moment and the next."""
    disclosure = Disclosure(counted, minimum)
    told, withheld = [], []
    periods = {(None, None), *pairwise([None, *disclosure.moments, None])}
    for asked in list_questions(counted, moments):
        if disclosure.tells(asked):
            told.append(answer(counted, asked))
        elif (asked.since, asked.until) in periods and not asked.looks_back:
            withheld.append(answer(counted, asked))
    return told, withheld


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("minimum", [5, 10])
def test_no_two_answers_give_away_a_few_people_or_a_cell_that_was_withheld(seed: int, minimum: int) -> None:
    counted = invent(seed)
    told, withheld = ask_everything(counted, minimum)
    assert find_leaks(counted, told, withheld, minimum) == []
    # It is worth something: cohorts, achievements, windows and cohorts in windows are told of, and some cells are withheld.
    assert any(each.asked.cohort_id and each.asked.is_windowed for each in told)
    assert any(each.asked.cohort_id and each.asked.achievement_id for each in told)
    assert len(Disclosure(counted, minimum).moments) >= 6
    assert withheld


@pytest.mark.parametrize("seed", range(3))
def test_a_planted_leak_is_found(seed: int) -> None:
    """One answer more than the rule allows: a cell of few people, a window that ends too late, two moments."""
    counted = invent(seed)
    told, withheld = ask_everything(counted, 10)
    few = [each for each in withheld if 0 < len({counted[bit].person_id for bit in _bits(each.things)}) < 10]
    assert few
    for each in few[::5]:
        assert find_leaks(counted, [*told, each], [], 10)
    moment = Disclosure(counted, 10).moments[2]
    in_between = [each.at for each in sorted(counted, key=lambda each: each.at) if each.at >= moment][2]
    assert find_leaks(counted, [*told, answer(counted, Filters(NOW, until=in_between))], [], 10)
    changes = sorted(moment for each in counted for moment in each.known)
    days = [answer(counted, Filters(changes[number], looks_back=True)) for number in (100, 103)]
    assert find_leaks(counted, days, [], 10)


def test_sliding_windows_and_moments_without_the_rule_leak() -> None:
    """The attack is one: where every month may be asked for, few people are told of."""
    counted = invent(1, people=60)
    everything = [answer(counted, asked) for asked in list_questions(counted) if asked.cohort_id is None]
    assert find_leaks(counted, everything, [], 10)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 40), st.sampled_from(["one", "two", None]), st.sampled_from("abc"), st.integers(1, 2),
            st.integers(0, 220), st.sampled_from([0, 0, 0, 45]),
        ),
        max_size=120,
    )
)  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_it_holds_whatever_happened(facts: list[tuple[int, str | None, str, int, int, int]]) -> None:
    cohort_of = {person: cohort for person, cohort, *_ in facts}
    counted = [
        Counted(f"P{person}", frozenset({cohort_of[person]}), work, version, at, (at + timedelta(days=late),))
        for person, _, work, version, day, late in facts
        for at in [BEGINS + timedelta(days=day)]
    ]
    # That what follows happens to be a withheld cell of many people is not excluded here; that it is about a few is.
    told, _ = ask_everything(counted, 5, MONTHS[:8])
    assert find_leaks(counted, told, [], 5) == []


def test_the_order_of_things_changes_nothing() -> None:
    counted = invent(3)
    mixed = random.Random(1).sample(counted, len(counted))
    one, other = Disclosure(counted, 10), Disclosure(mixed, 10)
    assert one.moments == other.moments
    questions = list(list_questions(counted))[::17]
    assert [one.tells(each) for each in questions] == [other.tells(each) for each in questions]


def test_moments_stay_while_more_happens() -> None:
    counted = sorted(invent(2), key=lambda each: each.at)
    before: list[datetime] = []
    for number in range(10, len(counted), 25):
        moments = Disclosure(counted[:number], 10).moments
        assert moments[: len(before)] == before
        before = moments


def test_everything_is_always_told_and_nothing_is_nothing() -> None:
    few = invent(1, people=3)
    assert Disclosure(few, 10).tells(Filters(NOW))
    assert not Disclosure(few, 10).tells(Filters(NOW, cohort_id="one"))
    assert Disclosure([], 10).tells(Filters(NOW, cohort_id="one", since=BEGINS))
    assert Disclosure(few, 1).tells(Filters(NOW, cohort_id="one"))
