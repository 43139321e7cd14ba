"""/v1/learners: the people who earn badges."""

from dataclasses import replace

from fastapi import APIRouter
from sqlalchemy import select

from app.access.dependencies import LearnersRead, LearnersWrite
from app.access.idempotency import Idempotency
from app.identifiers import Identifier
from app.learners.answers import begin_once, keep_answer
from app.learners.bodies import LearnerCreate, LearnerOut
from app.learners.recipients import create_learner, open_key, open_known, unseal
from app.learners.store import Learner, find_by_external_id, get_learner, list_identities, require_not_merged
from app.web.dependencies import Now, ReadSession, Session, World
from app.web.pagination import Page, PagingByExternalId, fetch_page
from app.web.problems import responses

router = APIRouter(prefix="/v1/learners", tags=["Learners"])


@router.post("", status_code=201, operation_id="create_learner", responses=responses(400, 401, 403, 409, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "external_id": "fellow-17", "name": "Ada Example", "email": "ada.example@schools.example.org"}}}}})  # fmt: skip
async def create(
    body: LearnerCreate, tenant: LearnersWrite, session: Session, world: World, now: Now, idempotency: Idempotency
) -> LearnerOut:
    """Enter a learner. Name, e-mail address and DID are stored encrypted under a key of the learner's own."""
    await begin_once(session, world.vault, idempotency, tenant.issuer_id)
    learner = await create_learner(
        session, world.vault, tenant.issuer_id,
        external_id=body.external_id, identities=body.identities(), actor=tenant.actor, now=now,
    )  # fmt: skip
    out = LearnerOut.of(learner, await open_known(session, world.vault, learner))
    await keep_answer(session, world.vault, idempotency, learner, out)
    return out


@router.get("", operation_id="list_learners", responses=responses(400, 401, 403, 422))
async def list_(
    tenant: LearnersRead, session: ReadSession, world: World, paging: PagingByExternalId
) -> Page[LearnerOut]:
    """The issuer's learners. The `external_id` of a merged one finds the learner they were merged into."""
    query = select(Learner).where(
        Learner.issuer_id == tenant.issuer_id, Learner.sealed_key.is_not(None), Learner.merged_into.is_(None)
    )
    if paging.external_id is not None:
        found = await find_by_external_id(session, tenant.issuer_id, paging.external_id)
        if found is not None and found.merged_into is not None:
            query, paging = query.where(Learner.id == found.merged_into), replace(paging, external_id=None)
    rows, cursor = await fetch_page(
        session, query, paging,
        updated_at=Learner.updated_at, identifier=Learner.id, external_id=Learner.external_id,
    )  # fmt: skip
    identities = await list_identities(session, tenant.issuer_id, [row.id for row in rows])
    items = [
        LearnerOut.of(row, unseal(open_key(world.vault, row), [i for i in identities if i.learner_id == row.id]))
        for row in rows
    ]
    return Page(items=items, next_cursor=cursor)


@router.get("/{learner_id}", operation_id="get_learner", responses=responses(401, 403, 404, 410, 422))
async def get(learner_id: Identifier, tenant: LearnersRead, session: ReadSession, world: World) -> LearnerOut:
    """One learner. 410 once they were erased, or merged into another, whose id is told."""
    learner = require_not_merged(await get_learner(session, tenant.issuer_id, learner_id))
    return LearnerOut.of(learner, await open_known(session, world.vault, learner))
