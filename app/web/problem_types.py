"""Every problem the service can answer with: its HTTP status, what it means, and what to do about it.

The codes are part of the API and stable. `/problems/{code}` shows them to people, docs/problems.md lists them; a house test
finds an error class without one. Examples are recorded (`make openapi`): what the service really answered.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from app.web.catalog import (
    assessors,
    clr,
    decisions,
    definitions,
    demographics,
    endorsements,
    issuing,
    misconduct,
    monitoring,
    oauth,
    obapi,
    objects,
    pathways,
    people,
    programs,
    quality,
    readings,
    recognition,
    reports,
    requests,
    service,
    submissions,
    vcapi,
    verification,
)


@dataclass(frozen=True, slots=True)
class ProblemType:
    code: str
    status: int
    title: str
    cause: str
    cure: str


@dataclass(frozen=True, slots=True)
class ProblemExample:
    """A problem document (RFC 9457), and the request that was answered with it ("POST /v1/decisions")."""

    request: str
    answer: Mapping[str, Any]


_AREAS = (
    requests.TYPES,
    objects.TYPES,
    people.TYPES,
    definitions.TYPES,
    programs.TYPES,
    submissions.TYPES,
    assessors.TYPES,
    readings.TYPES,
    decisions.TYPES,
    misconduct.TYPES,
    pathways.TYPES,
    demographics.TYPES,
    quality.TYPES,
    monitoring.TYPES,
    reports.TYPES,
    recognition.TYPES,
    endorsements.TYPES,
    clr.TYPES,
    oauth.TYPES,
    obapi.TYPES,
    vcapi.TYPES,
    issuing.TYPES,
    verification.TYPES,
    service.TYPES,
)

PROBLEM_TYPES = {row[0]: ProblemType(*row) for area in _AREAS for row in area}

_RECORDED: Mapping[str, Any] = json.loads((files("app.web") / "problem_examples.json").read_text())


def example_of(problem: ProblemType, base_url: str) -> ProblemExample:
    """The recorded example; where none is recorded (an incident of ours, say) the document as it would be, without a request.

    `base_url` is that of the service whose problem it is.
    """
    recorded = _RECORDED.get(problem.code, {"request": "", "answer": {}})
    plain = {
        "type": "",
        "code": problem.code,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.cause,
        "cure": problem.cure,
        "request_id": "5f1c0a6e9b7d4c52",
        "errors": [],
    }
    answer = {**plain, **recorded["answer"]}
    if not str(answer["type"]).startswith("https://www.w3.org/"):  # a standard's own name of the problem stays
        answer["type"] = f"{base_url}/problems/{problem.code}"
    return ProblemExample(recorded["request"], answer)
