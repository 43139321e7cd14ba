"""The only HTTP wiring: which routers there are, what surrounds them, what is opened at start."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

import app.achievements.router
import app.appeals.router
import app.assessors.router
import app.clr.router
import app.credentials.router
import app.demographics.router
import app.endorsements.router
import app.events.router
import app.frameworks.router
import app.handover.router
import app.identity.router
import app.issuers.router
import app.learners.router
import app.misconduct.router
import app.monitoring.router
import app.oauth.consent_router
import app.oauth.router
import app.obapi.host_router
import app.obapi.router
import app.pathways.router
import app.people.router
import app.privacy.router
import app.programs.enrollment_router
import app.programs.router
import app.programs.simulation_router
import app.public.authorize
import app.public.badge_hosts
import app.public.case
import app.public.did_configuration
import app.public.documents
import app.public.endorsements
import app.public.quality
import app.public.records
import app.public.sampling
import app.public.sign_in
import app.readings.router
import app.recognition.router
import app.reports.router
import app.scoring.router
import app.submissions.router
import app.vcapi.router
import app.vcapi.settings_router
import app.verification.router
import app.web.api_docs
import app.web.health
from app.access.idempotency import Replay, replay_response
from app.clock import Clock
from app.errors import AssayError, Conflict, Forbidden, Gone, InvalidInput, NotFound, Unauthenticated, Unavailable
from app.issuers.dependencies import refuse_after_leaving
from app.issuers.store import pin_base_url
from app.keys.vault import require_encryption_key
from app.oauth.errors import oauth_error
from app.obapi.errors import PREFIX as OBAPI_PREFIX
from app.obapi.errors import imsx_error
from app.public.documents import find_own_document
from app.public.host_mapping import HostMapping
from app.public.own_issuers import find_own_listing, is_own_test_issuer
from app.public.rendering import STATIC_DIRECTORY
from app.resources import Resources, open_resources
from app.settings import Settings
from app.vcapi.dependencies import open_vcapi
from app.verification.opening import open_verifier
from app.web.bodies import BodyLimits, HeadAsGet
from app.web.observation import Observed
from app.web.parameters import refuse_unknown_parameters
from app.web.problems import ProblemDetails, from_validation, install_problem_handlers, problem_response
from app.worker import open_runner

DESCRIPTION = """
Turns an assessor's decision into an Open Badges 3.0 credential that any wallet or verifier can check.

Our own API is snake_case JSON; W3C and 1EdTech documents keep their camelCase. Every failure is an RFC 9457 problem with a
stable `code`. `POST` requests that create take an `Idempotency-Key`; repeating one is safe.
"""

ROUTERS = (
    app.issuers.router.router,
    app.achievements.router.router,
    app.frameworks.router.router,
    app.assessors.router.router,
    app.learners.router.router,
    app.identity.router.router,
    app.privacy.router.router,
    app.handover.router.router,
    app.people.router.router,
    app.programs.router.router,
    app.programs.enrollment_router.router,
    app.programs.simulation_router.router,
    app.submissions.router.router,
    app.readings.router.router,
    app.scoring.router.router,
    app.appeals.router.router,
    app.misconduct.router.router,
    app.pathways.router.router,
    app.demographics.router.router,
    app.monitoring.router.router,
    app.reports.router.router,
    app.recognition.router.router,
    app.credentials.router.router,
    app.endorsements.router.router,
    app.clr.router.router,
    app.oauth.router.router,
    app.oauth.consent_router.router,
    app.obapi.router.router,
    app.obapi.host_router.router,
    app.vcapi.router.router,
    app.vcapi.settings_router.router,
    app.events.router.router,
    app.verification.router.router,
    app.public.endorsements.router,
    app.public.documents.router,
    app.public.did_configuration.router,
    app.public.case.router,
    app.public.sign_in.router,
    app.public.authorize.router,
    app.public.badge_hosts.router,
    app.public.sampling.router,
    app.public.quality.router,
    app.public.records.router,
    app.web.health.router,
    app.web.api_docs.router,
)


OAUTH_PATHS = ("/oauth/register", "/oauth/token", "/oauth/revoke", "/oauth/introspect")


def _include_all() -> APIRouter:
    together = APIRouter()
    for router in ROUTERS:
        together.include_router(router, dependencies=[Depends(each) for each in _asked_first(router)])
    return together


def _asked_first(router: APIRouter) -> list[Callable[..., Any]]:
    if not all(path.startswith("/v1") for path in _list_paths(router)):
        return []
    is_open = router is app.verification.router.router
    return [refuse_unknown_parameters] if is_open else [refuse_unknown_parameters, refuse_after_leaving]


def _list_paths(router: APIRouter) -> list[str]:
    """Also those of the routers that it includes, which are no routes themselves."""
    paths: list[str] = []
    for route in router.routes:
        included = getattr(route, "original_router", None)
        paths += _list_paths(included) if included is not None else [getattr(route, "path", "")]
    return paths


# FastAPI works out what an operation takes anew wherever its router is included: here, once for all applications.
ROUTES = _include_all().routes


def create_app(settings: Settings, *, clock: Clock | None = None) -> FastAPI:
    """The application. It opens its resources when it starts and pins or checks the base URL."""

    @asynccontextmanager
    async def lifespan(api: FastAPI) -> AsyncIterator[None]:
        async with open_resources(settings, clock=clock) as world:
            async with world.database.transaction() as session:
                await pin_base_url(session, world.base_url, world.clock.now())
            await require_encryption_key(world.database, world.vault)
            api.state.resources = world
            own_documents = partial(find_own_document, world)
            verifier = open_verifier(
                settings, world.outbound, own_documents, world.clock.now,
                test_issuers=partial(is_own_test_issuer, world), own_registry=partial(find_own_listing, world),
            )  # fmt: skip
            vcapi = open_vcapi(settings, world.outbound, own_documents, world.clock.now)
            async with verifier as api.state.verifier, vcapi as api.state.vcapi, _jobs(world):
                yield

    api = FastAPI(
        title="Assay",
        version=version("assay"),
        summary="From an assessor's decision to a badge that verifies everywhere",
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # such a redirect would lead to whatever host the request named
    )
    api.state.base_url = settings.public_url
    api.state.error_shapes = {**dict.fromkeys(OAUTH_PATHS, oauth_error), OBAPI_PREFIX: imsx_error}
    api.router.routes.extend(ROUTES)
    api.mount("/static", StaticFiles(directory=STATIC_DIRECTORY), name="static")
    install_problem_handlers(api)
    api.add_exception_handler(NotFound, _nothing_there)
    api.add_exception_handler(Gone, _nothing_there)
    for refused in (InvalidInput, Conflict, Forbidden, Unauthenticated, Unavailable):
        api.add_exception_handler(refused, _not_signed_in)
    api.add_exception_handler(404, _no_route)
    api.add_exception_handler(RequestValidationError, _unfit)
    api.add_exception_handler(Replay, _replay)
    api.add_exception_handler(app.public.authorize.Turned, app.public.authorize.answer_turned)
    api.add_exception_handler(app.public.authorize.Held, app.public.authorize.answer_held)
    # What is public is for everyone's pages. With "*" browsers never show another site what they got with our cookie.
    api.add_middleware(BodyLimits)
    api.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "HEAD", "POST"],
        allow_headers=["Accept", "Content-Type"],
        expose_headers=["ETag", "Link", "X-Request-Id", "X-Total-Count"],
        max_age=3600,
    )
    api.add_middleware(HostMapping)
    api.add_middleware(HeadAsGet)
    api.add_middleware(Observed)
    api.openapi = lambda: _openapi(api)  # type: ignore[method-assign]
    return api


async def _replay(_: Request, replay: Exception) -> Response:
    assert isinstance(replay, Replay)
    return replay_response(replay)


async def _nothing_there(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotFound | Gone)
    page = app.public.sign_in.problem_page(request, error) or app.public.documents.not_found_page(request, error)
    return page or problem_response(request, error)


async def _not_signed_in(request: Request, error: Exception) -> Response:
    assert isinstance(error, AssayError)
    return app.public.sign_in.problem_page(request, error) or problem_response(request, error)


async def _unfit(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = from_validation(error)
    return await _nothing_there(request, found) if isinstance(found, NotFound) else problem_response(request, found)


async def _no_route(request: Request, _: Exception) -> Response:
    return await _nothing_there(request, NotFound("There is nothing at this address."))


@asynccontextmanager
async def _jobs(world: Resources) -> AsyncIterator[None]:
    if not world.settings.run_jobs:
        yield
        return
    task = asyncio.create_task(open_runner(world).run_forever(), name="jobs")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _openapi(api: FastAPI) -> dict[str, Any]:
    if api.openapi_schema is None:
        schema = get_openapi(
            title=api.title, version=api.version, summary=api.summary, description=api.description,
            routes=api.routes, license_info=api.license_info,
        )  # fmt: skip
        problem = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
        schema["components"]["schemas"].update(problem.pop("$defs"))
        schema["components"]["schemas"]["ProblemDetails"] = problem
        _add_examples(schema)
        for operation in (operation for path in schema["paths"].values() for operation in path.values()):
            # A function's name repeats in every room ("Create"); the operation id is unique and says what is done.
            operation["summary"] = operation["operationId"].replace("_", " ").capitalize()
        for path in schema["paths"]:
            if path.startswith((*OAUTH_PATHS, OBAPI_PREFIX)):  # FastAPI's own: there it is told as 400
                for operation in schema["paths"][path].values():
                    operation["responses"].pop("422", None)
        for unused in ("HTTPValidationError", "ValidationError"):
            schema["components"]["schemas"].pop(unused, None)
        api.openapi_schema = json.loads(json.dumps(schema))
    return api.openapi_schema


def _add_examples(schema: dict[str, Any]) -> None:
    """Give every operation a real answer as its example (recorded by `make openapi`)."""
    examples = json.loads((files("app.web") / "openapi_examples.json").read_text())
    for operation in (operation for path in schema["paths"].values() for operation in path.values()):
        if example := examples.get(operation["operationId"]):
            content = operation["responses"][example["status"]].setdefault("content", {})
            content.setdefault(example["media_type"], {})["example"] = example["value"]
