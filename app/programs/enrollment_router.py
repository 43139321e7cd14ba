"""/v1/enrollments and /v1/affiliations: who is in a program, and who stands too close to them to judge their work."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.dependencies import ProgramsRead, ProgramsWrite, SubmissionsRead, SubmissionsWrite
from app.access.idempotency import Idempotency, Once
from app.access.principals import Tenant
from app.errors import Forbidden
from app.identifiers import Identifier
from app.learners.answers import begin_once, keep_answer
from app.learners.own import list_own_ids, require_own
from app.learners.store import get_learner
from app.programs.affiliations import declare_affiliation, end_affiliation
from app.programs.answer import show_enrollment
from app.programs.bodies import (
    AffiliationCreate,
    AffiliationOut,
    AffiliationsOut,
    EnrollmentChange,
    EnrollmentCreate,
    EnrollmentOut,
    StateBody,
)
from app.programs.enrollments import (
    CONTEXT,
    change_enrollment,
    change_state,
    enroll,
)
from app.programs.store import (
    Enrollment,
    EnrollmentState,
    get_cohort,
    get_enrollment,
    get_program,
    list_affiliations,
    lock_enrollment,
)
from app.resources import Resources
from app.web.dependencies import Now, ReadSession, Session, World
from app.web.pagination import Page, PageRequest, Paging, PagingByExternalId, fetch_page
from app.web.problems import responses

router = APIRouter(tags=["Enrollments"])

State = Annotated[EnrollmentState | None, Query(description="Only enrollments in this state.")]


def _example(body: dict[str, object]) -> dict[str, object]:
    return {"requestBody": {"content": {"application/json": {"example": body}}}}


@router.post("/v1/enrollments", status_code=201, operation_id="create_enrollment",
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
             openapi_extra=_example({
                 "program_id": "0f3c0000000000000000000000000004", "cohort_id": "0f3c0000000000000000000000000005",
                 "recipient": {"name": "Ada Example", "email": "ada.example@schools.example.org"},
                 "school": "MD-0417", "goal": "Fewer referrals out of class.",
                 "context": {"role": "Assistant principal", "school_type": "Middle school", "grade_band": "6-8"}}))  # fmt: skip
async def create(
    body: EnrollmentCreate, tenant: ProgramsWrite, session: Session, world: World, now: Now, idempotency: Idempotency
) -> EnrollmentOut:
    """Enroll a learner, found again or entered. Goal and context are stored encrypted under the learner's own key."""
    await begin_once(session, world.vault, idempotency, tenant.issuer_id)
    enrollment, learner = await enroll(
        session, world.vault, tenant.issuer_id, body.facts(), actor=tenant.actor, now=now
    )
    out = await show_enrollment(session, world, enrollment)
    await keep_answer(session, world.vault, idempotency, learner, out)
    return out


@router.get("/v1/enrollments", operation_id="list_enrollments", responses=responses(400, 401, 403, 422))
async def list_(
    tenant: SubmissionsRead, session: ReadSession, world: World, paging: PagingByExternalId, state: State = None
) -> Page[EnrollmentOut]:
    """The issuer's enrollments; a learner sees their own."""
    return await _page(session, world, tenant, _query(tenant, state), paging)


@router.get("/v1/programs/{program_id}/enrollments", operation_id="list_enrollments_of_program",
            responses=responses(400, 401, 403, 404, 422))  # fmt: skip
async def of_program(
    program_id: Identifier, tenant: SubmissionsRead, session: ReadSession, world: World, paging: Paging,
    state: State = None,
) -> Page[EnrollmentOut]:  # fmt: skip
    """The enrollments in one program."""
    await get_program(session, tenant.issuer_id, program_id)
    return await _page(session, world, tenant, _query(tenant, state).where(Enrollment.program_id == program_id), paging)


@router.get("/v1/cohorts/{cohort_id}/enrollments", operation_id="list_enrollments_of_cohort",
            responses=responses(400, 401, 403, 404, 422))  # fmt: skip
async def of_cohort(
    cohort_id: Identifier, tenant: SubmissionsRead, session: ReadSession, world: World, paging: Paging,
    state: State = None,
) -> Page[EnrollmentOut]:  # fmt: skip
    """The enrollments in one cohort."""
    await get_cohort(session, tenant.issuer_id, cohort_id)
    return await _page(session, world, tenant, _query(tenant, state).where(Enrollment.cohort_id == cohort_id), paging)


@router.get("/v1/enrollments/{enrollment_id}", operation_id="get_enrollment", responses=responses(401, 403, 404, 422))
async def get(enrollment_id: Identifier, tenant: SubmissionsRead, session: ReadSession, world: World) -> EnrollmentOut:
    """One enrollment."""
    enrollment = await get_enrollment(session, tenant.issuer_id, enrollment_id)
    await require_own(session, tenant, enrollment.learner_id, "enrollment")
    return await show_enrollment(session, world, enrollment)


@router.patch("/v1/enrollments/{enrollment_id}", operation_id="change_enrollment",
              responses=responses(400, 401, 403, 404, 410, 413, 415, 422),
              openapi_extra=_example({"goal": "Half as many referrals by June."}))  # fmt: skip
async def change(
    enrollment_id: Identifier, body: EnrollmentChange, tenant: SubmissionsWrite, session: Session, world: World,
    now: Now,
) -> EnrollmentOut:  # fmt: skip
    """Change goal, problem of practice and context, which the learner may too; or the cohort and the school."""
    enrollment = await lock_enrollment(session, tenant.issuer_id, enrollment_id)
    await require_own(session, tenant, enrollment.learner_id, "enrollment")
    changes = body.changes()
    if tenant.only_learner_id is not None and changes.keys() - set(CONTEXT):
        raise Forbidden("Learners change goal, problem_of_practice and context; cohort and school are the program's.")
    await change_enrollment(session, world.vault, enrollment, changes, actor=tenant.actor, now=now)
    return await show_enrollment(session, world, enrollment)


@router.post("/v1/enrollments/{enrollment_id}/state", operation_id="change_enrollment_state",
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra=_example({"state": "active"}))  # fmt: skip
async def move(
    enrollment_id: Identifier, body: StateBody, tenant: SubmissionsWrite, session: Session, world: World, now: Now
) -> EnrollmentOut:
    """Move an enrollment on: invited, enrolled, active, then completed, withdrawn or lapsed.

    Who withdrew or lapsed can be enrolled again. A learner accepts an invitation and withdraws by themselves.
    """
    enrollment = await lock_enrollment(session, tenant.issuer_id, enrollment_id)
    await require_own(session, tenant, enrollment.learner_id, "enrollment")
    change_state(session, tenant, enrollment, body.state, now=now)
    return await show_enrollment(session, world, enrollment)


@router.post("/v1/affiliations", status_code=201, operation_id="declare_affiliation",
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
             openapi_extra=_example({"learner_id": "0f3c0000000000000000000000000003",
                                     "person_id": "0f3c0000000000000000000000000006", "kind": "coach"}))  # fmt: skip
async def declare(
    body: AffiliationCreate, tenant: ProgramsWrite, session: Session, now: Now, once: Once
) -> AffiliationOut:
    """Declare that a person is a learner's coach, supervisor, evaluator, co-author or family, and so not to read their work.

    Readings of the learner's work that the person holds and has not submitted are given to somebody else.
    """
    affiliation = await declare_affiliation(
        session, tenant.issuer_id, body.learner_id, body.person_id, body.kind, actor=tenant.actor, now=now
    )
    out = AffiliationOut.of(affiliation)
    await once.remember(out)
    return out


@router.get("/v1/learners/{learner_id}/affiliations", operation_id="list_affiliations",
            responses=responses(401, 403, 404, 422))  # fmt: skip
async def affiliations(learner_id: Identifier, tenant: ProgramsRead, session: ReadSession) -> AffiliationsOut:
    """Who is affiliated with the learner today. Affiliations of learners who were merged into one count for that one."""
    await get_learner(session, tenant.issuer_id, learner_id)
    rows = await list_affiliations(session, tenant.issuer_id, learner_id)
    return AffiliationsOut(items=[AffiliationOut.of(row) for row in rows])


@router.post("/v1/affiliations/{affiliation_id}/end", operation_id="end_affiliation",
             responses=responses(401, 403, 404, 409, 422))  # fmt: skip
async def end(affiliation_id: Identifier, tenant: ProgramsWrite, session: Session, now: Now) -> AffiliationOut:
    """End an affiliation: from now on the person may read the learner's work."""
    return AffiliationOut.of(
        await end_affiliation(session, tenant.issuer_id, affiliation_id, actor=tenant.actor, now=now)
    )


def _query(tenant: Tenant, state: EnrollmentState | None) -> Select[Enrollment]:
    query = select(Enrollment).where(Enrollment.issuer_id == tenant.issuer_id)
    return query if state is None else query.where(Enrollment.state == state)


async def _page(
    session: AsyncSession, world: Resources, tenant: Tenant, query: Select[Enrollment], paging: PageRequest
) -> Page[EnrollmentOut]:
    own: Sequence[str] | None = await list_own_ids(session, tenant)
    if own is not None:
        query = query.where(Enrollment.learner_id.in_(own))
    rows, cursor = await fetch_page(
        session, query, paging,
        updated_at=Enrollment.updated_at, identifier=Enrollment.id, external_id=Enrollment.external_id,
    )  # fmt: skip
    return Page(items=[await show_enrollment(session, world, row) for row in rows], next_cursor=cursor)
