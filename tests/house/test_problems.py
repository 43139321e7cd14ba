"""The catalog of problems: complete, current, and true."""

import json
import re
from typing import Any

import httpx
import pytest

from app.web.problem_types import PROBLEM_TYPES, example_of
from app.web.problems import ProblemDetails
from tests.conftest import BASE_URL
from tests.house.problems_page import PAGE, compose_page
from tests.house.record_examples import BASE_URL as RECORDED_AT
from tests.house.record_problems import EXAMPLES, record
from tests.house.test_openapi import list_error_classes

COMMONEST = {
    "malformed_json", "invalid_body", "unsupported_media_type", "body_too_large", "method_not_allowed", "invalid_cursor",
    "idempotency_key_reused", "unauthenticated", "forbidden", "not_found", "external_id_taken", "conflict",
    "version_not_draft", "version_not_published", "invalid_achievement", "unknown_reference", "outcome_against_rule",
    "decision_superseded", "decided_in_future", "recipient_not_identifiable", "credential_revoked",
}  # fmt: skip
RECORDED: dict[str, Any] = json.loads(EXAMPLES.read_text())

on_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


def test_the_catalog_is_current() -> None:
    assert PAGE.read_text() == compose_page(), (
        "docs/problems.md differs from app/web/problem_types.py: run `make openapi`"
    )


def test_every_code_the_service_can_answer_is_in_the_catalog() -> None:
    told = set(re.findall(r"^## (\w+)$", PAGE.read_text(), re.MULTILINE))
    assert {c.code for c in list_error_classes() if c.__module__.startswith("app.")} == told
    assert told == PROBLEM_TYPES.keys()


def test_every_problem_has_a_cause_an_example_and_a_cure() -> None:
    for section in PAGE.read_text().split("\n## ")[1:]:
        code = section.partition("\n")[0]
        assert "\n**Cause.** " in section
        assert "\n**Cure.** " in section
        example = json.loads(section.partition("```json\n")[2].partition("```")[0])
        ProblemDetails.model_validate(example)
        assert (example["code"], example["status"]) == (code, PROBLEM_TYPES[code].status)
        assert example["type"].startswith((f"{RECORDED_AT}/problems/{code}", "https://www.w3.org/TR/"))


def test_the_commonest_have_a_recorded_example() -> None:
    assert len(COMMONEST) >= 15
    assert COMMONEST - RECORDED.keys() == set()
    for code, example in RECORDED.items():
        assert re.fullmatch(r"(GET|POST|PUT|PATCH|DELETE) /\S+", example["request"])
        assert example_of(PROBLEM_TYPES[code], RECORDED_AT).answer == example["answer"]


async def test_the_recorded_examples_are_what_is_answered_today() -> None:
    assert shown(await record()) == shown(RECORDED), "a problem is answered in other words: run `make openapi`"


def shown(examples: dict[str, Any]) -> Any:
    """Without ids, which are drawn anew, and without sizes, which follow from the status indexes that are."""
    return json.loads(re.sub(r"[0-9a-f]{16,32}|\d+(?= bytes of JSON)", "…", json.dumps(examples)))


@on_sqlite
async def test_every_problem_has_its_page_and_its_data(api: httpx.AsyncClient) -> None:
    for code, problem in PROBLEM_TYPES.items():
        page = await api.get(f"/problems/{code}", headers={"Accept": "text/html"})
        assert page.status_code == 200, code
        assert f"&#34;code&#34;: &#34;{code}&#34;" in page.text
        assert ("as it was answered to" in page.text) == (code in RECORDED)
        data = (await api.get(f"/problems/{code}")).json()
        assert {data["cause"], data["cure"]} == {problem.cause, problem.cure}
        # What a standard has a name for of its own is called by that.
        assert data["example"]["answer"]["type"].startswith((f"{BASE_URL}/problems/{code}", "https://www.w3.org/TR/"))
    assert (await api.get("/problems/no_such_code")).status_code == 404
