"""The anchor bank of the demonstration: de-identified work with true scores, and what three master readers gave it.

Made from the same cases as the fellows' work and from a seed of its own, so that two calls give equal lists. Each achievement
has a practice anchor, two sets of three for each of two qualification rounds, and two for a calibration session.
"""

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from app.demo.achievements import ACHIEVEMENTS
from app.demo.cases import ELEMENTARY, EQUITY_CASES, HIGH, IMPROVEMENT_CASES, MIDDLE, EquityCase, ImprovementCase
from app.demo.evidence import PIECES
from app.demo.rationales import RATIONALES
from app.demo.works import compose_work

_SEED = 2024
_USES = (
    ("practice", "practice", 1),
    ("qualification", "first-a", 3),
    ("qualification", "first-b", 3),
    ("qualification", "second-a", 3),
    ("qualification", "second-b", 3),
    ("calibration", "winter", 2),
)
"""Role, name of the set, number of anchors."""

_LEVELS = ("not-evident", "developing", "demonstrated", "exemplary")
_ROLES = {ELEMENTARY: "Principal", MIDDLE: "Assistant principal", HIGH: "Instructional coach"}
_SHARES = {"strong": (0, 0, 0.6, 0.4), "mixed": (0.15, 0.35, 0.35, 0.15)}
"""Of the levels, lowest first: every other anchor is one that earns the award."""


def anchors() -> list[dict[str, Any]]:
    """Bodies of POST /v1/anchors, and beside them "achievement", "set", "levels", "rationales" and "masters" (three readings)."""
    rng = random.Random(_SEED)  # noqa: S311 - the same everywhere, and no secret
    return [
        _anchor(achievement, role, set_, number, rng)
        for achievement in ACHIEVEMENTS
        for role, set_, count in _USES
        for number in range(1, count + 1)
    ]


def drift(levels: Mapping[str, str], rng: random.Random, rate: float) -> dict[str, str]:
    """Levels as another reader might give them: now and then one is beside the true one, and never across the bar."""
    beside = {"demonstrated": "exemplary", "exemplary": "demonstrated"}
    return {key: beside.get(level, level) if rng.random() < rate else level for key, level in levels.items()}


def _anchor(achievement: str, role: str, set_: str, number: int, rng: random.Random) -> dict[str, Any]:
    name = f"anchor-{achievement}-{set_}-{number}"
    cases: Sequence[EquityCase | ImprovementCase] = EQUITY_CASES if achievement == "equity" else IMPROVEMENT_CASES
    case = rng.choice(cases)
    slots = {key: value for key, value in asdict(case).items() if isinstance(value, str)}
    slots |= {"before": f"{rng.randint(*case.before)} percent", "after": f"{rng.randint(*case.after)} percent"}
    slots["n"] = str(rng.randint(24, 140))
    band = case.bands[0]
    levels = _true_levels(achievement, "strong" if number % 2 else "mixed", rng)
    narrative = f"The work took place in a {band} school and concerned {case.focus}."
    finished = sum(level in _LEVELS[2:] for level in levels.values()) > len(levels) // 2
    work = compose_work(
        achievement, slots, narrative=narrative, role=_ROLES[band], band=band, finished=finished
    )  # fmt: skip
    return {
        "external_id": name,
        "achievement": achievement,
        "role": role,
        "set": set_,
        "content": {
            "context": work["context"],
            "parts": [{"key": key, "text": text} for key, text in work["parts"].items()],
            "impact": work["impact"],
            "artifacts": list(_artifacts(name, achievement, slots, rng)),
        },
        "levels": levels,
        "rationales": {key: _rationale(achievement, key, level, slots, rng) for key, level in levels.items()},
        "masters": [levels, drift(levels, rng, 0.1), drift(levels, rng, 0.1)],
    }


def _true_levels(achievement: str, kind: str, rng: random.Random) -> dict[str, str]:
    keys = [criterion["key"] for criterion in ACHIEVEMENTS[achievement]["rubric"]["criteria"]]
    return dict(zip(keys, rng.choices(_LEVELS, _SHARES[kind], k=len(keys)), strict=True))


def _artifacts(name: str, achievement: str, slots: Mapping[str, str], rng: random.Random) -> Iterator[dict[str, Any]]:
    part = next(
        part["key"] for part in ACHIEVEMENTS[achievement]["performance_task"]["parts"] if part["kind"] == "artifact"
    )
    for genre, pieces in PIECES[achievement].items():
        piece = rng.choice(pieces)
        digest = hashlib.sha256(f"{name}/{genre}".encode()).hexdigest()
        yield {
            "part": part,
            "name": piece.name.format(**slots),
            "genre": genre,
            "description": f"{piece.narrative.format(**slots)} {piece.description}.",
            "url": f"https://evidence.example.org/anchors/{digest[:20]}",
        }


def _rationale(achievement: str, criterion: str, level: str, slots: Mapping[str, str], rng: random.Random) -> str:
    return rng.choice(RATIONALES[achievement][criterion][level].variants()).format(**slots)
