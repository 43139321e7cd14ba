"""/v1/learners/{id}: changes of identity, several identities, and two learners who are one."""

from fastapi import APIRouter

from app.access.dependencies import LearnersWrite
from app.access.idempotency import Idempotency
from app.identifiers import Identifier
from app.identity.bodies import IdentityCreate, LearnerChange, LearnerChanged, LearnersMerged, MergeOrder
from app.identity.change import add_another_identity, change_learner, remove_identity
from app.identity.merge import merge_learners
from app.learners.answers import begin_once, keep_answer
from app.web.dependencies import Now, Session, World
from app.web.problems import responses

router = APIRouter(prefix="/v1/learners", tags=["Learners"])


def _example(body: dict[str, object]) -> dict[str, object]:
    return {"requestBody": {"content": {"application/json": {"example": body}}}}


@router.patch("/{learner_id}", operation_id="change_learner",
              responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
              openapi_extra=_example({"name": "Ada Example-Byron", "email": "ada.byron@schools.example.org"}))  # fmt: skip
async def change(
    learner_id: Identifier, body: LearnerChange, tenant: LearnersWrite, session: Session, world: World, now: Now
) -> LearnerChanged:
    """Change a learner's name, e-mail address, DID or your own id. Badges that say otherwise are reissued.

    What is left out stays, null removes. A new address or DID becomes the primary one, which badges carry; the one before
    stays as another by which the learner is found, until it is deleted. A badge keeps its id, `awardedDate` and
    `validUntil`; copies of the edition before show as revoked.
    """
    changed = await change_learner(
        session, world, tenant.issuer_id, learner_id, body.changes(), actor=tenant.actor, now=now
    )
    return LearnerChanged.after(changed)


@router.post("/{learner_id}/identities", status_code=201, operation_id="add_identity",
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
             openapi_extra=_example({"kind": "email", "value": "ada.example@mail.example.org"}))  # fmt: skip
async def add(
    learner_id: Identifier,
    body: IdentityCreate,
    tenant: LearnersWrite,
    session: Session,
    world: World,
    now: Now,
    idempotency: Idempotency,
) -> LearnerChanged:
    """Add an e-mail address or DID by which the learner is found as well. One the learner has already is kept as it is."""
    await begin_once(session, world.vault, idempotency, tenant.issuer_id)
    changed = await add_another_identity(
        session, world, tenant.issuer_id, learner_id, body.kind, body.value,
        is_primary=body.primary, actor=tenant.actor, now=now,
    )  # fmt: skip
    answer = LearnerChanged.after(changed)
    await keep_answer(session, world.vault, idempotency, changed.learner, answer)
    return answer


@router.delete("/{learner_id}/identities/{identity_id}", operation_id="remove_identity",
               responses=responses(401, 403, 404, 409, 410, 422))  # fmt: skip
async def remove(
    learner_id: Identifier, identity_id: Identifier, tenant: LearnersWrite, session: Session, world: World, now: Now
) -> LearnerChanged:
    """Forget an identity that is not the primary one. The learner is no longer found by it."""
    changed = await remove_identity(
        session, world, tenant.issuer_id, learner_id, identity_id, actor=tenant.actor, now=now
    )
    return LearnerChanged.after(changed)


@router.post("/{learner_id}/merge", operation_id="merge_learners",
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
             openapi_extra=_example({"learner_id": "0f3c0000000000000000000000000003"}))  # fmt: skip
async def merge(
    learner_id: Identifier, body: MergeOrder, tenant: LearnersWrite, session: Session, world: World, now: Now
) -> LearnersMerged:
    """Merge another learner into this one, for good: identities, awards and badges move here, badges are reissued.

    This learner's name, primary address, DID and `external_id` stay; the other's find this learner from now on, and requests
    about the other are answered 410 with this learner's id. Merging the same two again changes nothing.
    """
    merged = await merge_learners(
        session, world, tenant.issuer_id, learner_id, body.learner_id, actor=tenant.actor, now=now
    )
    return LearnersMerged.of_merged(merged)
