"""/v1/programs: programs, their scoring policies and cohorts."""

from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.dependencies import ProgramsRead, ProgramsWrite
from app.access.idempotency import Once
from app.identifiers import Identifier
from app.programs.answer import show_program
from app.programs.bodies import (
    CohortChange,
    CohortCreate,
    CohortOut,
    PoliciesOut,
    PolicyOut,
    ProgramChange,
    ProgramCreate,
    ProgramOut,
)
from app.programs.cohorts import change_cohort, create_cohort
from app.programs.policies import add_policy, get_policy_version, list_policy_versions
from app.programs.policy import ScoringPolicyBody
from app.programs.programs import change_program, create_program
from app.programs.store import Cohort, Program, ScoringPolicy, get_cohort, get_program, lock_program
from app.web.dependencies import Now, ReadSession, Session, World
from app.web.pagination import Page, Paging, PagingByExternalId, fetch_page
from app.web.problems import responses

router = APIRouter(tags=["Programs"])

Version = Annotated[int, Path(ge=1, le=1_000_000)]


def _example(body: dict[str, object]) -> dict[str, object]:
    return {"requestBody": {"content": {"application/json": {"example": body}}}}


@router.post("/v1/programs", status_code=201, operation_id="create_program",
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra=_example({"name": "Leadership Academy", "panel_id": "0f3c0000000000000000000000000002",
                                     "achievement_ids": ["0f3c0000000000000000000000000001"]}))  # fmt: skip
async def create(
    body: ProgramCreate, tenant: ProgramsWrite, session: Session, world: World, now: Now, once: Once
) -> ProgramOut:
    """Set up a program: what can be earned, whose panel reads, and by which scoring policy it judges."""
    program = await create_program(session, tenant.issuer_id, body.facts(), actor=tenant.actor, now=now)
    out = await show_program(session, world, program)
    await once.remember(out)
    return out


@router.get("/v1/programs", operation_id="list_programs", responses=responses(400, 401, 403, 422))
async def list_(
    tenant: ProgramsRead, session: ReadSession, world: World, paging: PagingByExternalId
) -> Page[ProgramOut]:
    """The issuer's programs."""
    query = select(Program).where(Program.issuer_id == tenant.issuer_id)
    rows, cursor = await fetch_page(
        session, query, paging,
        updated_at=Program.updated_at, identifier=Program.id, external_id=Program.external_id,
    )  # fmt: skip
    return Page(items=[await show_program(session, world, row) for row in rows], next_cursor=cursor)


@router.get("/v1/programs/{program_id}", operation_id="get_program", responses=responses(401, 403, 404, 422))
async def get(program_id: Identifier, tenant: ProgramsRead, session: ReadSession, world: World) -> ProgramOut:
    """One program. The `url` of each achievement is its public page: the whole rubric, readable before anybody enrolls."""
    return await show_program(session, world, await get_program(session, tenant.issuer_id, program_id))


@router.patch("/v1/programs/{program_id}", operation_id="change_program",
              responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
              openapi_extra=_example({"description": "For school leaders in their first three years."}))  # fmt: skip
async def change(
    program_id: Identifier, body: ProgramChange, tenant: ProgramsWrite, session: Session, world: World, now: Now
) -> ProgramOut:
    """Change name, description, panel or achievements. What was submitted before is judged to the end."""
    program = await lock_program(session, tenant.issuer_id, program_id)
    await change_program(session, program, body.changes(), actor=tenant.actor, now=now)
    return await show_program(session, world, program)


@router.post("/v1/programs/{program_id}/policies", status_code=201, operation_id="create_policy_version",
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra=_example({"second_readings": {"random_percent": 25}}))  # fmt: skip
async def add_version(
    program_id: Identifier, body: ScoringPolicyBody, tenant: ProgramsWrite, session: Session, now: Now, once: Once
) -> PolicyOut:
    """Put another scoring policy in force, as its next version. What is left out has the default, not the value before.

    A submission is judged by the version that was in force when it was submitted. `changes` says what differs.
    """
    row = await add_policy(session, tenant.issuer_id, program_id, body, actor=tenant.actor, now=now)
    out = PolicyOut.of(row, await _version_before(session, row))
    await once.remember(out)
    return out


@router.get("/v1/programs/{program_id}/policies", operation_id="list_policy_versions",
            responses=responses(401, 403, 404, 422))  # fmt: skip
async def versions(program_id: Identifier, tenant: ProgramsRead, session: ReadSession) -> PoliciesOut:
    """Every version of the program's scoring policy, oldest first."""
    await get_program(session, tenant.issuer_id, program_id)
    rows = await list_policy_versions(session, tenant.issuer_id, program_id)
    return PoliciesOut(items=[PolicyOut.of(row, before) for row, before in zip(rows, [None, *rows[:-1]], strict=True)])


@router.get("/v1/programs/{program_id}/policies/{version}", operation_id="get_policy_version",
            responses=responses(401, 403, 404, 422))  # fmt: skip
async def version_(program_id: Identifier, version: Version, tenant: ProgramsRead, session: ReadSession) -> PolicyOut:
    """One version of the program's scoring policy."""
    await get_program(session, tenant.issuer_id, program_id)
    row = await get_policy_version(session, tenant.issuer_id, program_id, version)
    return PolicyOut.of(row, await _version_before(session, row))


@router.post("/v1/programs/{program_id}/cohorts", status_code=201, operation_id="create_cohort",
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra=_example({"name": "Fall 2026", "starts_on": "2026-09-01", "ends_on": "2027-06-15"}))  # fmt: skip
async def add_cohort(
    program_id: Identifier, body: CohortCreate, tenant: ProgramsWrite, session: Session, now: Now, once: Once
) -> CohortOut:
    """Add a cohort: a group that goes through the program together."""
    cohort = await create_cohort(
        session, tenant.issuer_id, program_id, **body.model_dump(), actor=tenant.actor, now=now
    )
    out = CohortOut.of(cohort)
    await once.remember(out)
    return out


@router.get("/v1/programs/{program_id}/cohorts", operation_id="list_cohorts",
            responses=responses(400, 401, 403, 404, 422))  # fmt: skip
async def cohorts(
    program_id: Identifier, tenant: ProgramsRead, session: ReadSession, paging: Paging
) -> Page[CohortOut]:
    """The program's cohorts."""
    await get_program(session, tenant.issuer_id, program_id)
    query = select(Cohort).where(Cohort.issuer_id == tenant.issuer_id, Cohort.program_id == program_id)
    rows, cursor = await fetch_page(session, query, paging, updated_at=Cohort.updated_at, identifier=Cohort.id)
    return Page(items=[CohortOut.of(row) for row in rows], next_cursor=cursor)


@router.get("/v1/cohorts/{cohort_id}", operation_id="get_cohort", responses=responses(401, 403, 404, 422))
async def cohort_(cohort_id: Identifier, tenant: ProgramsRead, session: ReadSession) -> CohortOut:
    """One cohort."""
    return CohortOut.of(await get_cohort(session, tenant.issuer_id, cohort_id))


@router.patch("/v1/cohorts/{cohort_id}", operation_id="change_cohort",
              responses=responses(400, 401, 403, 404, 413, 415, 422),
              openapi_extra=_example({"ends_on": "2027-06-30"}))  # fmt: skip
async def edit_cohort(
    cohort_id: Identifier, body: CohortChange, tenant: ProgramsWrite, session: Session, now: Now
) -> CohortOut:
    """Change a cohort's name or its days."""
    cohort = await get_cohort(session, tenant.issuer_id, cohort_id)
    await change_cohort(session, cohort, body.changes(), actor=tenant.actor, now=now)
    return CohortOut.of(cohort)


async def _version_before(session: AsyncSession, row: ScoringPolicy) -> ScoringPolicy | None:
    if row.version == 1:
        return None
    return await get_policy_version(session, row.issuer_id, row.program_id, row.version - 1)
