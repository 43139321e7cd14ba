"""The generated schema is the published file, agrees with the classes, and is at least as strict as 1EdTech's."""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from app.openbadges.conformance import compile_schema
from app.openbadges.credential import AchievementCredential
from app.openbadges.json_schema import achievement_credential_schema, render_schema

REGENERATE = (
    "python -c 'from app.openbadges.json_schema import *; "
    'print(render_schema(achievement_credential_schema()), end="")\' > schemas/json/achievement_credential.json'
)
WRONG: tuple[Any, ...] = (None, "", " ", "x", 7, 1.5, True, [], {}, ["x"], [[]], {"x": 1}, "https://x.example/a b")


def test_the_published_schema_is_the_generated_one(project: Path) -> None:
    published = (project / "schemas/json/achievement_credential.json").read_text()
    assert published == render_schema(achievement_credential_schema()), f"regenerate it: {REGENERATE}"


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(achievement_credential_schema())


def test_every_class_is_closed_and_documented() -> None:
    schema = achievement_credential_schema()
    for name, definition in {**schema["$defs"], "AchievementCredential": schema}.items():
        assert definition["additionalProperties"] is False, name
        assert definition["description"], name


def test_schema_and_classes_agree(badge: dict[str, Any]) -> None:
    validator = compile_schema(achievement_credential_schema())
    assert validator.is_valid(badge)
    assert _is_accepted(badge)
    for place, mutant in _mutants(badge):
        assert validator.is_valid(mutant) == _is_accepted(mutant), place


def test_what_1edtech_refuses_is_refused(badge: dict[str, Any], shared: Path) -> None:
    theirs = jsonschema.Draft201909Validator(
        json.loads((shared / "data/schema-strict/ob_v3p0_achievementcredential_schema.json").read_text())
    )
    ours = compile_schema(achievement_credential_schema())
    refused = 0
    for place, mutant in _mutants(badge):
        if ours.is_valid(mutant):
            assert theirs.is_valid(mutant), place
        else:
            refused += 1
    assert refused > 1_000, "the mutants are meant to be wrong"


@pytest.mark.parametrize("name", ["sample-educator-badge.json"])
def test_other_peoples_strict_badges_are_accepted(shared: Path, name: str) -> None:
    badge = json.loads((shared / "data" / name).read_text())
    validator = compile_schema(achievement_credential_schema())
    assert [error.message for error in validator.iter_errors(badge)] == []


def _is_accepted(document: dict[str, Any]) -> bool:
    try:
        AchievementCredential.model_validate_json(json.dumps(document))
    except ValidationError:
        return False
    return True


def _mutants(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The document with each member or item left out, and with each replaced by each wrong value."""
    for path in list(_paths(document)):
        *above, last = path
        for wrong in (*WRONG, ...):
            mutant = deepcopy(document)
            holder: Any = mutant
            for step in above:
                holder = holder[step]
            if wrong is ...:
                del holder[last]
            else:
                holder[last] = wrong
            yield f"{'/'.join(map(str, path))} = {wrong!r}", mutant


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield (*path, step)
        yield from _paths(item, (*path, step))
