"""What the OpenAPI document promises of every operation, and the problem codes it leads to."""

import importlib
import pkgutil
import re
from collections import Counter

import pytest

import app
from app.errors import (
    AssayError,
    Broken,
    Conflict,
    Forbidden,
    Gone,
    InvalidInput,
    NotFound,
    Unauthenticated,
    Unavailable,
)
from app.web.problem_types import PROBLEM_TYPES
from app.web.problems import MEDIA_TYPE
from tests.house.openapi_snapshot import SNAPSHOT, compose_snapshot
from tests.house.operations import Operation, list_operations

each_operation = pytest.mark.parametrize("operation", list_operations(), ids=lambda operation: operation.id)

# Nothing is asked of them, so there is nothing to refuse.
CANNOT_FAIL = {
    "fetch_jwks", "fetch_did_configuration", "healthz", "metrics", "fetch_oauth_metadata", "get_service_description",
}  # fmt: skip

STATUSES: dict[type[AssayError], set[int]] = {
    InvalidInput: {400, 413, 415, 416, 422},
    NotFound: {404},
    Conflict: {409},
    Unauthenticated: {401},
    Forbidden: {403},
    Gone: {410},
    Unavailable: {502, 503},
    Broken: {500},
}


def test_operation_ids_are_unique() -> None:
    counted = Counter(operation.id for operation in list_operations())
    assert [id_ for id_, count in counted.items() if count > 1 or not re.fullmatch(r"[a-z]+(_[a-z]+)*", id_)] == []


@each_operation
def test_operation_says_what_it_does(operation: Operation) -> None:
    assert operation.spec["summary"].strip() == operation.spec["summary"] != ""
    assert operation.spec["description"].strip()
    assert operation.spec["tags"]


@each_operation
def test_operation_has_an_example_body(operation: Operation) -> None:
    if "application/json" in operation.body_types:
        assert isinstance(operation.example, dict)


@each_operation
def test_operation_declares_its_problems(operation: Operation) -> None:
    if operation.has_own_errors:
        return
    wanted = set() if operation.is_public else {401, 403}
    if operation.body_types:
        wanted |= {400, 413, 415, 422}
    if operation.parameters("path"):
        wanted |= {404, 422}
    if operation.parameters("query"):
        wanted |= {422}
    if "cursor" in operation.parameters("query") or "idempotency-key" in operation.parameters("header"):
        wanted |= {400, 422}
    declared = {int(status) for status in operation.spec["responses"]}
    assert wanted <= declared
    assert (declared - {200, 201, 202, 206} == set()) == (operation.id in CANNOT_FAIL)
    for status in declared - {200, 201, 202, 206}:
        assert list(operation.spec["responses"][str(status)]["content"]) == [MEDIA_TYPE]


KEEPS_NOTHING = {"vcapi_derive_credential", "vcapi_create_presentation"}
"""Answered with 201 because VCALM says so: what they make is handed out and forgotten."""


@each_operation
def test_what_creates_takes_an_idempotency_key(operation: Operation) -> None:
    # The standards have no such header: registering twice makes two clients, putting a badge twice keeps one.
    creates = "201" in operation.spec["responses"] and not operation.has_own_errors
    assert creates == ("idempotency-key" in operation.parameters("header")) or operation.id in KEEPS_NOTHING
    assert not creates or operation.method == "POST"


@each_operation
def test_operation_of_a_standard_declares_its_errors(operation: Operation) -> None:
    if not operation.has_own_errors:
        return
    declared = {int(status): answer for status, answer in operation.spec["responses"].items() if status >= "300"}
    assert (declared == {}) == (operation.id in CANNOT_FAIL)
    wanted = {400, 401, 403, 405, 500, 503} if operation.path.startswith("/ims/") else {400, 503}
    name = "Imsx_StatusInfo" if operation.path.startswith("/ims/") else "OAuthError"
    assert operation.id in CANNOT_FAIL or wanted <= declared.keys()
    for answer in declared.values():
        assert answer["content"] == {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def test_snapshot_is_current() -> None:
    assert SNAPSHOT.exists(), "docs/openapi.json is missing: run `make openapi`"
    assert SNAPSHOT.read_text() == compose_snapshot(), (
        "docs/openapi.json differs from the application. Look at the difference (is it compatible?) and run `make openapi`."
    )


def list_error_classes() -> list[type[AssayError]]:
    """Every error class of the house; every module is imported for it."""
    for module in pkgutil.walk_packages(app.__path__, "app."):
        importlib.import_module(module.name)
    found: dict[type[AssayError], None] = {AssayError: None}
    for known in found.copy():
        found |= dict.fromkeys(_descendants(known))
    return list(found)


def _descendants(class_: type[AssayError]) -> list[type[AssayError]]:
    return [d for child in class_.__subclasses__() for d in (child, *_descendants(child))]


def test_every_error_has_a_problem_type() -> None:
    classes = [c for c in list_error_classes() if c.__module__.startswith("app.")]
    assert len(classes) > 40
    assert sorted({c.code for c in classes} - PROBLEM_TYPES.keys()) == []


def test_every_problem_type_has_an_error() -> None:
    raised = {c.code for c in list_error_classes()}
    assert sorted(PROBLEM_TYPES.keys() - raised) == []


def test_problem_statuses_fit_the_tree() -> None:
    wrong = [
        (c.__name__, c.code, PROBLEM_TYPES[c.code].status)
        for c in list_error_classes()
        for base, statuses in STATUSES.items()
        if c.__module__.startswith("app.") and issubclass(c, base) and PROBLEM_TYPES[c.code].status not in statuses
    ]
    assert wrong == []


def test_problem_types_speak_to_people() -> None:
    for problem in PROBLEM_TYPES.values():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", problem.code)
        assert problem.title
        assert not problem.title.endswith(".")
        assert problem.cause.endswith(".")
        assert problem.cure.endswith(".")
