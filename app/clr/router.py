"""Learner records: for the issuer, and for learners themselves."""

from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.dependencies import AnyPerson, ClrRead, ClrWrite
from app.access.idempotency import Once
from app.access.principals import Member
from app.clr.bodies import ClrCreate, ClrIssued, ClrList, ClrOut, ClrWithDocument
from app.clr.issue import issue_record, revoke_record
from app.clr.store import LearnerRecord, RecordedBadge, get_record, list_badges_of, list_records_of_learners
from app.errors import NotFound
from app.identifiers import Identifier
from app.learners.own import require_own
from app.learners.store import list_same_person
from app.resources import Resources
from app.web.dependencies import Now, ReadSession, Session, World
from app.web.problems import responses

router = APIRouter(prefix="/v1", tags=["Learner records"])

_EXAMPLE = {"requestBody": {"content": {"application/json": {"example": {"name": "Leadership, 2024 to 2026"}}}}}
_OF_LEARNER = "/learners/{learner_id}/clr"


async def _learner(member: AnyPerson) -> tuple[Member, str]:
    if member.learner_id is None:
        raise NotFound("You are not a learner here: there are no badges of yours.")
    return member, member.learner_id


AsLearner = Annotated[tuple[Member, str], Depends(_learner)]


@router.post(_OF_LEARNER, status_code=201, operation_id="create_clr", openapi_extra=_EXAMPLE,
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422))  # fmt: skip
async def create(
    learner_id: Identifier, body: ClrCreate, tenant: ClrWrite, session: Session, world: World, now: Now, once: Once
) -> ClrIssued:
    """Bundle a learner's badges into one signed record (CLR 2.0). Each keeps its own proof.

    Badges that do not stand are left out, and the answer says why. The record does not follow them afterwards.
    """
    await require_own(session, tenant, learner_id, "learner")
    record, left_out = await issue_record(
        session, world, tenant.issuer_id, learner_id, body.facts(), actor=tenant.actor, now=now
    )
    badges = await list_badges_of(session, tenant.issuer_id, [record.id])
    out = ClrIssued.of_issued(record, badges, left_out, world.base_url)
    await once.remember(out)
    return out


@router.get(_OF_LEARNER, operation_id="list_clr", responses=responses(401, 403, 404, 422))
async def list_(learner_id: Identifier, tenant: ClrRead, session: ReadSession, world: World) -> ClrList:
    """A learner's records: those of a learner who was merged with theirs as well."""
    await require_own(session, tenant, learner_id, "learner")
    return await _list(session, world, tenant.issuer_id, learner_id)


@router.post("/me/clr", status_code=201, operation_id="create_my_clr", openapi_extra=_EXAMPLE,
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422))  # fmt: skip
async def create_own(
    body: ClrCreate, learner: AsLearner, session: Session, world: World, now: Now, once: Once
) -> ClrIssued:
    """Bundle your own badges into one signed record, as the issuer would for you."""
    member, learner_id = learner
    survivor = (await list_same_person(session, member.issuer_id, learner_id))[0]
    record, left_out = await issue_record(
        session, world, member.issuer_id, survivor, body.facts(), actor=member.actor, now=now
    )
    badges = await list_badges_of(session, member.issuer_id, [record.id])
    out = ClrIssued.of_issued(record, badges, left_out, world.base_url)
    await once.remember(out)
    return out


@router.get("/me/clr", operation_id="list_my_clr", responses=responses(401, 403, 404, 422))
async def list_own(learner: AsLearner, session: ReadSession, world: World) -> ClrList:
    """Your own records."""
    member, learner_id = learner
    return await _list(session, world, member.issuer_id, learner_id)


@router.get("/clr/{clr_id}", operation_id="get_clr", responses=responses(401, 403, 404, 410, 422))
async def get(clr_id: Identifier, tenant: ClrRead, session: ReadSession, world: World) -> ClrWithDocument:
    """One record with its signed document: your own, or anybody's with the scope."""
    record = await get_record(session, tenant.issuer_id, clr_id)
    await require_own(session, tenant, record.learner_id, "learner record")
    return await ClrWithDocument.read(session, world, record, await _badges(session, record))


@router.post("/clr/{clr_id}/revoke", operation_id="revoke_clr", responses=responses(401, 403, 404, 409, 422))
async def revoke(clr_id: Identifier, tenant: ClrWrite, session: Session, world: World, now: Now) -> ClrOut:
    """Revoke a record: your own, or anybody's with the scope. Final. The badges in it are not touched.

    When this answers, the new status list is published.
    """
    record = await get_record(session, tenant.issuer_id, clr_id)
    await require_own(session, tenant, record.learner_id, "learner record")
    record = await revoke_record(session, world, tenant.issuer_id, clr_id, actor=tenant.actor, now=now)
    return ClrOut.of(record, await _badges(session, record), world.base_url)


async def _badges(session: AsyncSession, record: LearnerRecord) -> list[RecordedBadge]:
    return await list_badges_of(session, record.issuer_id, [record.id])


async def _list(session: AsyncSession, world: Resources, issuer_id: str, learner_id: str) -> ClrList:
    person = await list_same_person(session, issuer_id, learner_id)
    records = await list_records_of_learners(session, issuer_id, person)
    badges = await list_badges_of(session, issuer_id, [each.id for each in records])
    return ClrList(records=[ClrOut.of(each, badges, world.base_url) for each in records])
