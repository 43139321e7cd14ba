"""/v1: what learners are asked about themselves, and what they say.

What was said is told to the learner alone, and in the exports of all that is held of a person or an issuer.
"""

from typing import Annotated

from fastapi import APIRouter, Depends

from app.access.dependencies import AnyPerson, AnyPrincipal, DemographicsWrite
from app.access.principals import Member
from app.demographics.bodies import DeclarationBody, DeclarationOut, OwnDemographics, VocabularyOut
from app.demographics.declare import declare_demographics, withdraw_demographics
from app.demographics.store import find_vocabulary
from app.demographics.tell import tell_declaration
from app.demographics.vocabulary import NoVocabulary, VocabularyBody, put_vocabulary
from app.errors import Forbidden
from app.identifiers import Identifier
from app.learners.recipients import open_key
from app.learners.store import get_learner, list_merged
from app.web.dependencies import Now, ReadSession, Session, World
from app.web.problems import responses

router = APIRouter(tags=["Demographics"])

_VOCABULARY = "/v1/demographics/vocabulary"
_OWN = "/v1/me/demographics"
_OF_LEARNER = "/v1/learners/{learner_id}/demographics"
_EXAMPLE: dict[str, object] = {
    "dimensions": [
        {"key": "gender", "label": "Gender", "values": [
            {"key": "woman", "label": "Woman"}, {"key": "man", "label": "Man"},
            {"key": "non-binary", "label": "Non-binary"}]},
        {"key": "school-type", "label": "School", "values": [
            {"key": "elementary", "label": "Elementary"}, {"key": "secondary", "label": "Middle or high"}]},
    ],
}  # fmt: skip


def _example(body: dict[str, object]) -> dict[str, object]:
    return {"requestBody": {"content": {"application/json": {"example": body}}}}


def _issuer(principal: AnyPrincipal) -> str:
    """Whoever acts inside an issuer: what is asked is no secret."""
    if principal.issuer_id is None:
        raise Forbidden("This is an issuer's own business; the operator's token does not act inside an issuer.")
    return principal.issuer_id


def _learner(member: AnyPerson) -> tuple[Member, str]:
    if member.learner_id is None:
        raise Forbidden("Only a learner says something of themselves here: you do not sign in as one.")
    return member, member.learner_id


AsLearner = Annotated[tuple[Member, str], Depends(_learner)]


@router.get(_VOCABULARY, operation_id="get_demographic_vocabulary", responses=responses(401, 403, 404, 422))
async def vocabulary(issuer_id: Annotated[str, Depends(_issuer)], session: ReadSession) -> VocabularyOut:
    """What the issuer asks learners about themselves, for whoever belongs to it."""
    row = await find_vocabulary(session, issuer_id)
    if row is None:
        raise NoVocabulary("The issuer does not ask learners about themselves.")
    return VocabularyOut.model_validate({**row.content, "updated_at": row.updated_at})


@router.put(_VOCABULARY, operation_id="put_demographic_vocabulary",
            responses=responses(400, 401, 403, 409, 413, 415, 422), openapi_extra=_example(_EXAMPLE))  # fmt: skip
async def put(body: VocabularyBody, tenant: DemographicsWrite, session: Session, now: Now) -> VocabularyOut:
    """Say what learners are asked about themselves, and how equity reports may combine it.

    The first time, equity figures begin to be worked out at the end of each calendar quarter. What reports told before stays.
    """
    row = await put_vocabulary(session, tenant.issuer_id, body, actor=tenant.actor, now=now)
    return VocabularyOut.model_validate({**row.content, "updated_at": row.updated_at})


@router.get(_OWN, operation_id="get_my_demographics", responses=responses(401, 403, 410, 422))
async def own(learner: AsLearner, session: ReadSession, world: World) -> OwnDemographics:
    """What you say of yourself. Nobody who judges is told, and no badge; it is part of your export and of the issuer's."""
    member, learner_id = learner
    people = [
        await get_learner(session, member.issuer_id, learner_id),
        *await list_merged(session, member.issuer_id, learner_id),
    ]
    keys = {each.id: open_key(world.vault, each) for each in people}
    found = await tell_declaration(session, member.issuer_id, keys)
    return OwnDemographics(values=found[1], declared_at=found[0].declared_at) if found else _NOTHING


_NOTHING = OwnDemographics(values={}, declared_at=None)


@router.put(_OWN, operation_id="declare_my_demographics",
            responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
            openapi_extra=_example({"values": {"gender": "woman"}}))  # fmt: skip
async def declare(
    body: DeclarationBody, learner: AsLearner, session: Session, world: World, now: Now
) -> OwnDemographics:
    """Say of yourself what you choose to, in place of what you said before. It is used for equity reports alone."""
    member, learner_id = learner
    row = await declare_demographics(
        session, world.vault, member.issuer_id, learner_id, body.values, actor=member.actor, now=now
    )
    return OwnDemographics(values=dict(body.values), declared_at=row.declared_at)


@router.delete(_OWN, operation_id="withdraw_my_demographics", responses=responses(401, 403, 410, 422))
async def withdraw(learner: AsLearner, session: Session, now: Now) -> OwnDemographics:
    """Take back what you said of yourself, at any time and without a reason: it is deleted."""
    member, learner_id = learner
    await withdraw_demographics(session, member.issuer_id, learner_id, actor=member.actor, now=now)
    return _NOTHING


@router.put(_OF_LEARNER, operation_id="declare_demographics",
            responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
            openapi_extra=_example({"values": {"gender": "woman"}}))  # fmt: skip
async def declare_for(
    learner_id: Identifier, body: DeclarationBody, tenant: DemographicsWrite, session: Session, world: World, now: Now
) -> DeclarationOut:
    """Pass on what a learner said of themselves in your own system. It is not told back."""
    row = await declare_demographics(
        session, world.vault, tenant.issuer_id, learner_id, body.values, actor=tenant.actor, now=now
    )
    return DeclarationOut(learner_id=learner_id, declared_at=row.declared_at)


@router.delete(_OF_LEARNER, operation_id="withdraw_demographics", responses=responses(401, 403, 404, 410, 422))
async def withdraw_for(learner_id: Identifier, tenant: DemographicsWrite, session: Session, now: Now) -> DeclarationOut:
    """Pass on that a learner takes back what they said of themselves: it is deleted."""
    await withdraw_demographics(session, tenant.issuer_id, learner_id, actor=tenant.actor, now=now)
    return DeclarationOut(learner_id=learner_id, declared_at=None)
