"""Criteria pool over versions where lineage and text are the same, and nowhere else."""

from copy import deepcopy
from typing import Any

import pytest

from app.achievements.lineage import pool_keys


def criterion(key: str, lineage_id: str, **changed: object) -> dict[str, Any]:
    levels = [{"key": f"l{n}", "name": f"Level {n}", "description": f"What {n} takes."} for n in range(3)]
    facts = {"name": f"Criterion {lineage_id}", "description": "What is judged.", "passing_level": "l2"}
    return {"key": key, "lineage_id": lineage_id, **facts, "levels": levels, **changed}


RUBRIC = {"criteria": [criterion("problem", "a" * 32), criterion("change", "b" * 32)], "decision_rule": {"type": "all"}}


def test_a_key_names_lineage_and_text() -> None:
    keys = pool_keys(RUBRIC)
    assert list(keys) == ["problem", "change"]
    assert keys["problem"].startswith("a" * 32 + ":")
    assert len(set(keys.values())) == 2


def test_what_is_not_text_does_not_part_a_pool() -> None:
    other: dict[str, Any] = deepcopy(RUBRIC)
    other["criteria"].reverse()
    other["decision_rule"] = {"type": "all_but", "exceptions": 1}
    for each in other["criteria"]:
        each["key"] = f"{each['key']}-2"
        each["passing_level"] = "l1"
        each["alignments"] = [{"name": "A standard"}]
        for level in each["levels"]:
            level["points"] = "3"
            level["key"] = f"{level['key']}-2"
    assert pool_keys(other) == {"change-2": pool_keys(RUBRIC)["change"], "problem-2": pool_keys(RUBRIC)["problem"]}


def test_a_description_left_out_is_none() -> None:
    without = criterion("problem", "a" * 32)
    del without["description"]
    assert pool_keys({"criteria": [without]}) == pool_keys(
        {"criteria": [criterion("problem", "a" * 32, description=None)]}
    )


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Criterion"},
        {"description": "What is judged now."},
        {"description": None},
        {"lineage_id": "c" * 32},
        {"levels": RUBRIC["criteria"][0]["levels"][:2]},
        {"levels": RUBRIC["criteria"][0]["levels"][::-1]},
        {"levels": [{**level, "name": level["name"].upper()} for level in RUBRIC["criteria"][0]["levels"]]},
        {"levels": [{**level, "description": "Whatever."} for level in RUBRIC["criteria"][0]["levels"]]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_text_or_lineage_is_another_pool(change: dict[str, Any]) -> None:
    changed = {"criteria": [{**RUBRIC["criteria"][0], **change}, RUBRIC["criteria"][1]]}
    assert pool_keys(changed)["problem"] != pool_keys(RUBRIC)["problem"]
    assert pool_keys(changed)["change"] == pool_keys(RUBRIC)["change"]
