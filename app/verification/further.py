"""The checks that only some badges call for, and the documents they take. PURE."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from app.verification.gathered import Gathered, Purpose
from app.verification.schemas import judge_schemas, schemas_needed
from app.verification.verdict import Check


def documents_needed(credential: Mapping[str, Any]) -> dict[str, Purpose]:
    """The documents to gather for these checks, by URL, each with what it is for."""
    return dict.fromkeys(schemas_needed(credential), "schema")


def judge_further(gathered: Gathered, _now: datetime, _contexts: Mapping[str, dict[str, Any]]) -> Iterator[Check]:
    """The checks, where the badge calls for them. What they need is in `Gathered.documents`."""
    yield from judge_schemas(gathered.credential, gathered)
