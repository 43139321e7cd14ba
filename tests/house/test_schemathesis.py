"""What schemathesis makes up from the OpenAPI document: nothing answers 5xx, nor what it does not document.

Cases are drawn by schemathesis, those its schema allows and those it does not, and sent to an application in this process. Every
other one names live objects in its path, so that more than the doorstep is reached. `ASSAY_SCHEMATHESIS_CASES` draws more.
"""

import os
from collections.abc import Iterator
from functools import cache
from itertools import cycle
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as drawn_with
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.conftest import BASE_URL, Partner
from tests.house.operations import application
from tests.house.test_tenancy import list_ids

CASES = int(os.environ.get("ASSAY_SCHEMATHESIS_CASES", "3"))
PARTS = 8
"""Tests that the operations are dealt to."""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

ENDS_THE_STORY = {"leave_issuer", "revoke_api_client", "end_my_sessions", "erase_learner", "erase_person"}
"""With live ids these would shut out whatever comes after them."""


@cache
def list_operations() -> list[Any]:
    found = [result.ok() for result in schemathesis.openapi.from_dict(application().openapi()).get_all_operations()]
    return sorted(found, key=lambda each: (_name(each) in ENDS_THE_STORY, each.label))


def draw(operation: Any) -> Iterator[Case]:
    """The same cases in each run."""
    cases: list[Case] = []
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @drawn_with(
            max_examples=CASES, phases=[Phase.generate], derandomize=True, database=None, deadline=None,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(operation.as_strategy(generation_mode=mode))
        def collect(case: Case) -> None:
            cases.append(case)

        try:
            collect()
        except Unsatisfiable:
            continue  # nothing can be wrong about an operation without parameters
    return iter(cases)


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
@pytest.mark.parametrize("part", range(PARTS))
async def test_every_answer_is_documented(
    partner: Partner, api: httpx.AsyncClient, operator: httpx.AsyncClient, part: int
) -> None:
    own = await list_ids(partner)
    failures = []
    for operation in list_operations()[part::PARTS]:
        callers = cycle([partner.client, partner.staff, partner.client, partner.staff, operator, api])
        for number, (case, caller) in enumerate(zip(draw(operation), callers, strict=False)):
            if number % 2 == 0 and _name(operation) not in ENDS_THE_STORY:
                case.path_parameters |= {name: own[name] for name in case.path_parameters.keys() & own.keys()}
            answer = await caller.send(_request(case, caller))
            try:
                case.validate_response(answer, checks=CHECKS)
            except FailureGroup as group:
                failures += [f"{operation.label}: {failure}" for failure in group.exceptions]
    assert not failures, "\n\n".join(failures)


def _request(case: Case, caller: httpx.AsyncClient) -> httpx.Request:
    prepared = requests.Request(**case.as_transport_kwargs(base_url=BASE_URL)).prepare()
    body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body
    headers = dict(prepared.headers)
    headers.pop("Authorization", None)
    if "authorization" in caller.headers:
        headers["Authorization"] = caller.headers["authorization"]
    return httpx.Request(str(prepared.method), str(prepared.url), headers=headers, content=body)


def _name(operation: Any) -> str:
    return str(operation.definition.raw.get("operationId"))
