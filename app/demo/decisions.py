"""What the panel decided: 136 awards and 25 refusals, October 2024 to April 2025, with reasons and evidence.

92 of the 116 fellows earned something: 44 both micro-credentials, 34 only the first, 14 only the second. Of the 25 times
the outcome was "not yet", 20 were followed by an award for the same work, one fellow having tried twice before.

Everything is drawn from one seeded generator, so two calls give equal lists.
"""

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from app.demo.achievements import ACHIEVEMENTS
from app.demo.cases import ELEMENTARY, EQUITY_CASES, HIGH, IMPROVEMENT_CASES, MIDDLE, EquityCase, ImprovementCase
from app.demo.evidence import INTERIM_NARRATIVES, INTERIM_PIECES, NARRATIVES, OPTIONAL_GENRES, PIECES, Piece
from app.demo.people import ASSESSMENT_PANEL, fellows
from app.demo.rationales import RATIONALES
from app.demo.works import compose_work

_SEED = 20250430
_BOTH, _ONLY_EQUITY, _ONLY_IMPROVEMENT = 44, 34, 14
_RESUBMITTED = {"equity": 10, "improvement": 9}
_OPEN = {"equity": 3, "improvement": 2}
_CODES = {"equity": "eq", "improvement": "is"}

_FIRST_DAY, _LAST_DAY = date(2024, 9, 9), date(2025, 4, 25)
_RECESSES = (
    (date(2024, 11, 27), date(2024, 11, 29)),
    (date(2024, 12, 20), date(2025, 1, 3)),
    (date(2025, 4, 14), date(2025, 4, 18)),
)
_GRADES = {ELEMENTARY: "grades K–5", MIDDLE: "grades 6–8", HIGH: "grades 9–12"}
_SCHOOLS = (
    "a Title I {band} school in a city",
    "a rural {band} school",
    "a {band} school in an inner suburb",
    "a small-town {band} school",
    "a public charter {band} school",
    "a magnet {band} school",
    "a {band} school with a dual-language program",
    "a large {band} school that serves a growing newcomer community",
)
_ROLES = (
    ("Assistant principal", 42),
    ("Principal", 34),
    ("Instructional coach", 14),
    ("Dean of students", 8),
    ("Department chair", 8),
    ("Special education coordinator", 6),
)


@dataclass(frozen=True, slots=True)
class _Setting:
    """Where a fellow works and as what; the same in all their decisions."""

    role: str
    band: str
    school: str
    enrollment: int


@dataclass(frozen=True, slots=True)
class _Project:
    """A fellow's work for one achievement; a resubmission continues it."""

    achievement: str
    fellow: str
    setting: _Setting
    case: EquityCase | ImprovementCase
    slots: dict[str, str]
    began: date


@dataclass(frozen=True, slots=True)
class _Attempt:
    project: _Project
    outcome: str
    decided: date
    levels: dict[str, str]
    assessors: tuple[str, ...]


def awards(now: datetime) -> list[dict[str, Any]]:
    """All decisions, earliest first: bodies of POST /v1/decisions except for three members.

    "achievement" ("equity" or "improvement") stands for achievement_id and "fellow" (an external_id) for learner_id;
    "assessment" lacks panel_id. Days are those of the school year 2024–25. Should `now` (aware) lie before the last of
    them, all dates move back together by whole weeks, so that nothing was decided in the future.
    """
    # Not a secret: a fixed seed is what makes the demonstration the same everywhere.
    rng = random.Random(_SEED)  # noqa: S311
    writer = _Writer(rng)
    attempts = sorted(_attempts(rng), key=lambda a: (a.decided, a.project.fellow, a.project.achievement))
    moments = [_moment(attempt.decided, rng) for attempt in attempts]
    shift = _weeks_back(moments[-1], now)
    counts = dict.fromkeys(ACHIEVEMENTS, 0)
    bodies = []
    for attempt, decided_at in zip(attempts, sorted(moments), strict=True):
        achievement = attempt.project.achievement
        counts[achievement] += 1
        external_id = f"sila-{_CODES[achievement]}-{counts[achievement]:03d}"
        bodies.append(writer.body(external_id, attempt, decided_at, shift))
    return bodies


def _weeks_back(last: datetime, now: datetime) -> timedelta:
    week = timedelta(weeks=1)
    late = last - now
    return -(-late // week) * week if late > timedelta(0) else timedelta(0)


# Who tried what, and when


def _attempts(rng: random.Random) -> Iterator[_Attempt]:
    people = [fellow["external_id"] for fellow in fellows()]
    settings = {fellow: _setting(rng) for fellow in people}
    order = rng.sample(people, len(people))
    both, rest = order[:_BOTH], order[_BOTH:]
    earners = {
        "equity": both + rest[:_ONLY_EQUITY],
        "improvement": both + rest[_ONLY_EQUITY : _ONLY_EQUITY + _ONLY_IMPROVEMENT],
    }
    for achievement, earning in earners.items():
        retrying = set(rng.sample(earning, _RESUBMITTED[achievement]))
        twice = min(retrying) if achievement == "equity" else None
        cases = _deal_cases(achievement, rng)
        for fellow in earning:
            refusals = (fellow in retrying) + (fellow == twice)
            yield from _earning(achievement, fellow, settings[fellow], cases, refusals, rng)
        others = [fellow for fellow in order if fellow not in earning]
        for fellow in rng.sample(others, _OPEN[achievement]):
            yield _still_open(achievement, fellow, settings[fellow], cases, rng)


def _earning(
    achievement: str, fellow: str, setting: _Setting, cases: "_CaseDeck", refusals: int, rng: random.Random
) -> Iterator[_Attempt]:
    """The attempts of a fellow who earned the achievement, latest first."""
    decided = _school_day(rng, earliest=_FIRST_DAY + timedelta(days=75 * refusals))
    levels = _passing_levels(achievement, rng)
    first_decided = decided - timedelta(days=70 * refusals)
    project = _project(achievement, fellow, setting, cases, first_decided, rng)
    spent: tuple[str, ...] = ()
    for step in range(refusals + 1):
        if step > 0:
            levels = _refused_levels(achievement, levels, rng)
            decided = _open_day(decided - timedelta(days=rng.randint(28, 63)))
        assessors = _assessors(spent, rng)
        spent += assessors
        yield _Attempt(project, "not_yet" if step > 0 else "awarded", decided, levels, assessors)


def _still_open(achievement: str, fellow: str, setting: _Setting, cases: "_CaseDeck", rng: random.Random) -> _Attempt:
    decided = _school_day(rng, earliest=date(2025, 1, 13))
    levels = _refused_levels(achievement, _passing_levels(achievement, rng), rng)
    project = _project(achievement, fellow, setting, cases, decided, rng)
    return _Attempt(project, "not_yet", decided, levels, _assessors((), rng))


def _school_day(rng: random.Random, *, earliest: date) -> date:
    """A day on which the panel decides. More of them come late in the year."""
    days = (_LAST_DAY - earliest).days
    return _open_day(earliest + timedelta(days=int(rng.triangular(0, days, days * 0.7))))


def _open_day(day: date) -> date:
    while day.weekday() > 4 or any(first <= day <= last for first, last in _RECESSES):
        day -= timedelta(days=1)
    return day


def _teaching_day(day: date) -> date:
    """The day, or twelve weeks before it where no school is in session in summer."""
    in_summer = date(day.year, 6, 10) <= day <= date(day.year, 9, 1)
    return _weekday(day - timedelta(weeks=12) if in_summer else day)


def _weekday(day: date) -> date:
    return day - timedelta(days=max(0, day.weekday() - 4))


def _moment(day: date, rng: random.Random) -> datetime:
    return datetime.combine(day, time(rng.randint(14, 20), rng.randrange(60)), UTC)


def _setting(rng: random.Random) -> _Setting:
    roles, weights = zip(*_ROLES, strict=True)
    role = rng.choices(roles, weights)[0]
    band = HIGH if role == "Department chair" else rng.choices((ELEMENTARY, MIDDLE, HIGH), (45, 27, 28))[0]
    enrollment = {ELEMENTARY: 310, MIDDLE: 480, HIGH: 760}[band] + 10 * rng.randint(0, 40)
    return _Setting(role, band, rng.choice(_SCHOOLS).format(band=band), enrollment)


def _project(
    achievement: str, fellow: str, setting: _Setting, cases: "_CaseDeck", decided: date, rng: random.Random
) -> _Project:
    case = cases.draw(setting.band)
    slots = {name: value for name, value in asdict(case).items() if isinstance(value, str)}
    slots["before"] = f"{rng.randint(*case.before)} percent"
    slots["after"] = f"{rng.randint(*case.after)} percent"
    slots["n"] = str(rng.randint(24, 140))
    began = _teaching_day(decided - timedelta(days=rng.randint(110, 190)))
    return _Project(achievement, fellow, setting, case, slots, began)


class _CaseDeck:
    """Deals the cases that fit a grade band in turn, so that each is used about as often as any other."""

    def __init__(self, cases: Sequence[EquityCase | ImprovementCase], rng: random.Random) -> None:
        self._by_band = {
            band: rng.sample(fitting, len(fitting))
            for band in _GRADES
            if (fitting := [case for case in cases if band in case.bands])
        }
        self._dealt = dict.fromkeys(_GRADES, 0)

    def draw(self, band: str) -> EquityCase | ImprovementCase:
        fitting = self._by_band[band]
        self._dealt[band] += 1
        return fitting[self._dealt[band] % len(fitting)]


def _deal_cases(achievement: str, rng: random.Random) -> _CaseDeck:
    return _CaseDeck(EQUITY_CASES if achievement == "equity" else IMPROVEMENT_CASES, rng)


def _assessors(spent: tuple[str, ...], rng: random.Random) -> tuple[str, ...]:
    """Two or three who have not judged this work before; somebody who has, only when nobody else is left."""
    members = ASSESSMENT_PANEL["members"]
    fresh = [member for member in members if member not in spent]
    count = 3 if len(fresh) > 4 and rng.random() < 0.35 else 2
    return tuple(sorted(rng.sample(fresh if len(fresh) >= count else members, count)))


# Levels


def _criteria(achievement: str) -> list[str]:
    return [criterion["key"] for criterion in ACHIEVEMENTS[achievement]["rubric"]["criteria"]]


def _mandatory(achievement: str) -> list[str]:
    return list(ACHIEVEMENTS[achievement]["rubric"]["decision_rule"].get("mandatory", _criteria(achievement)))


def _passing_levels(achievement: str, rng: random.Random) -> dict[str, str]:
    strength = rng.uniform(0.08, 0.5)
    keys = _criteria(achievement)
    levels = {key: "exemplary" if rng.random() < strength else "demonstrated" for key in keys}
    mandatory = _mandatory(achievement)
    spare = [key for key in keys if key not in mandatory]
    if spare and rng.random() < 0.3:
        levels[rng.choice(spare)] = "developing"
    return levels


def _refused_levels(achievement: str, levels: Mapping[str, str], rng: random.Random) -> dict[str, str]:
    """The levels of an attempt that fell short and led to `levels` later; what was met by then stays as it was."""
    lowered = dict(levels)
    mandatory = _mandatory(achievement)
    met = [key for key, level in levels.items() if level in ("demonstrated", "exemplary")]
    spare = [key for key in met if key not in mandatory]
    if len(spare) > 1 and rng.random() < 0.4:
        # Nothing mandatory is missing: two others are, or one of them by more than a level.
        for key in rng.sample(spare, 2):
            lowered[key] = "developing"
        lowered[rng.choice(spare)] = "not-evident"
        return lowered
    binding = [key for key in met if key in mandatory]
    short = rng.sample(binding, min(1, len(binding)))
    others = [key for key in met if key not in short]
    short += rng.sample(others, min(len(others), rng.randint(0, 2)))
    for key in short:
        lowered[key] = "developing" if rng.random() < 0.75 else "not-evident"
    return lowered


# Texts


@dataclass(slots=True)
class _Deck:
    """Deals texts in shuffled order and starts over when all have been dealt."""

    texts: list[str]
    dealt: int = 0

    def draw(self) -> str:
        self.dealt += 1
        return self.texts[self.dealt % len(self.texts)]


class _Writer:
    """Writes the bodies of decisions, dealing its texts so that equal ones are far apart."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._rationales = {
            (achievement, criterion, level): self._deck(family.variants())
            for achievement, criteria in RATIONALES.items()
            for criterion, families in criteria.items()
            for level, family in families.items()
        }
        self._narratives = {achievement: self._deck(texts) for achievement, texts in NARRATIVES.items()}
        self._interim_narratives = self._deck(INTERIM_NARRATIVES)

    def _deck(self, texts: list[str]) -> _Deck:
        return _Deck(self._rng.sample(texts, len(texts)))

    def body(self, external_id: str, attempt: _Attempt, decided_at: datetime, shift: timedelta) -> dict[str, Any]:
        project = attempt.project
        narrative = self._narrative(attempt)
        ended = _weekday(attempt.decided - timedelta(days=self._rng.randint(12, 22)))
        return {
            "external_id": external_id,
            "achievement": project.achievement,
            "fellow": project.fellow,
            "outcome": attempt.outcome,
            "decided_at": (decided_at - shift).isoformat(),
            "assessment": {"assessors": list(attempt.assessors)},
            "results": [self._result(project, criterion, level) for criterion, level in attempt.levels.items()],
            "evidence": self._evidence(external_id, attempt),
            "narrative": narrative,
            "role": project.setting.role,
            "activity_start": _midday(project.began, shift),
            "activity_end": _midday(ended, shift),
            "work": compose_work(
                project.achievement, project.slots, narrative=narrative, role=project.setting.role,
                band=project.setting.band, finished=attempt.outcome == "awarded",
            ),
        }  # fmt: skip

    def _result(self, project: _Project, criterion: str, level: str) -> dict[str, str]:
        template = self._rationales[project.achievement, criterion, level].draw()
        return {"criterion": criterion, "level": level, "rationale": template.format(**project.slots)}

    def _narrative(self, attempt: _Attempt) -> str:
        project, setting = attempt.project, attempt.project.setting
        awarded = attempt.outcome == "awarded"
        template = (self._narratives[project.achievement] if awarded else self._interim_narratives).draw()
        facts = {"school": setting.school, "grades": _GRADES[setting.band], "enrollment": f"{setting.enrollment:,}"}
        return template.format(**project.slots, **facts)

    def _evidence(self, external_id: str, attempt: _Attempt) -> list[dict[str, str]]:
        achievement = attempt.project.achievement
        pieces = PIECES[achievement] if attempt.outcome == "awarded" else INTERIM_PIECES
        left_out = [genre for genre in OPTIONAL_GENRES[achievement] if self._rng.random() < 0.4]
        return [
            self._piece(external_id, attempt.project, self._rng.choice(variants))
            for genre, variants in pieces.items()
            if genre not in left_out
        ]

    def _piece(self, external_id: str, project: _Project, piece: Piece) -> dict[str, str]:
        body = {
            "name": piece.name.format(**project.slots),
            "genre": piece.genre,
            "narrative": piece.narrative.format(**project.slots),
            "description": f"{piece.description}.",
        }
        digest = hashlib.sha256(f"{external_id}/{piece.genre}".encode()).hexdigest()
        draw = self._rng.random()
        if draw < 0.75:
            # The path says nothing about the person: it goes into the badge.
            body["url"] = f"https://evidence.example.org/sila/{digest[:20]}"
        if draw > 0.45:
            body["digest"] = f"sha256:{hashlib.sha256(digest.encode()).hexdigest()}"
        return body


def _midday(day: date, shift: timedelta) -> str:
    return (datetime.combine(day, time(12), UTC) - shift).isoformat()
