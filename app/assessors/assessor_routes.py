"""/v1/assessors: the people who read, and their training."""

from fastapi import APIRouter
from sqlalchemy import select

from app.access.dependencies import AssessorsRead, AssessorsWrite
from app.access.idempotency import Once
from app.assessors.assessor_bodies import AssessorChange, AssessorCreate, AssessorOut, TrainingCreate
from app.assessors.assessors import change_assessor, create_assessor, record_training
from app.assessors.store import Assessor, Training, get_assessor, list_trainings, lock_assessor
from app.identifiers import Identifier
from app.web.dependencies import Now, ReadSession, Session
from app.web.pagination import Page, Paging, fetch_page
from app.web.problems import responses

routes = APIRouter(prefix="/v1/assessors", tags=["Assessors"])


@routes.post("", status_code=201, operation_id="create_assessor",
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "person_id": "0" * 32, "code": "A-01", "school": "school-12"}}}}})  # fmt: skip
async def create(body: AssessorCreate, tenant: AssessorsWrite, session: Session, now: Now, once: Once) -> AssessorOut:
    """Enter a person as an assessor. Panels, readings and decisions know them by their code."""
    assessor = await create_assessor(session, tenant.issuer_id, **body.model_dump(), actor=tenant.actor, now=now)
    out = AssessorOut.of(assessor, [])
    await once.remember(out)
    return out


@routes.get("", operation_id="list_assessors", responses=responses(400, 401, 403, 422))
async def list_(tenant: AssessorsRead, session: ReadSession, paging: Paging) -> Page[AssessorOut]:
    """The issuer's assessors with the training they have completed."""
    query = select(Assessor).where(Assessor.issuer_id == tenant.issuer_id)
    rows, cursor = await fetch_page(session, query, paging, updated_at=Assessor.updated_at, identifier=Assessor.id)
    trained = select(Training).where(
        Training.issuer_id == tenant.issuer_id, Training.assessor_id.in_([row.id for row in rows])
    )
    trainings = (await session.scalars(trained.order_by(Training.assessor_id, Training.module))).all()
    return Page(items=[AssessorOut.of(row, trainings) for row in rows], next_cursor=cursor)


@routes.get("/{assessor_id}", operation_id="get_assessor", responses=responses(401, 403, 404, 422))
async def get(assessor_id: Identifier, tenant: AssessorsRead, session: ReadSession) -> AssessorOut:
    """One assessor."""
    assessor = await get_assessor(session, tenant.issuer_id, assessor_id)
    return AssessorOut.of(assessor, await list_trainings(session, tenant.issuer_id, assessor_id))


@routes.patch("/{assessor_id}", operation_id="change_assessor", responses=responses(400, 401, 403, 404, 413, 415, 422),
              openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                  "school": "school-31"}}}}})  # fmt: skip
async def change(
    assessor_id: Identifier, body: AssessorChange, tenant: AssessorsWrite, session: Session, now: Now
) -> AssessorOut:
    """Change where an assessor works, or whether they are active. Readings they may not do any more go to somebody else."""
    assessor = await lock_assessor(session, tenant.issuer_id, assessor_id)
    change_assessor(
        session, assessor,
        school=body.school if "school" in body.model_fields_set else assessor.school,
        is_active=assessor.is_active if body.is_active is None else body.is_active,
        actor=tenant.actor, now=now,
    )  # fmt: skip
    return AssessorOut.of(assessor, await list_trainings(session, tenant.issuer_id, assessor_id))


@routes.post("/{assessor_id}/trainings", status_code=201, operation_id="record_training",
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "module": "bias-and-fairness", "completed_at": "2026-01-15T16:00:00Z"}}}}})  # fmt: skip
async def train(
    assessor_id: Identifier, body: TrainingCreate, tenant: AssessorsWrite, session: Session, now: Now, once: Once
) -> AssessorOut:
    """Record that an assessor completed a module. A scoring policy may require modules before a qualification round."""
    assessor = await lock_assessor(session, tenant.issuer_id, assessor_id)
    await record_training(
        session, assessor, module=body.module, completed_at=body.completed_at, actor=tenant.actor, now=now
    )
    out = AssessorOut.of(assessor, await list_trainings(session, tenant.issuer_id, assessor_id))
    await once.remember(out)
    return out
