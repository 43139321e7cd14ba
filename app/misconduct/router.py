"""/v1/misconduct-cases: misconduct."""

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.dependencies import AnyPerson, AsDirector, SubmissionsRead, SubmissionsWrite
from app.access.idempotency import Idempotency
from app.access.principals import Tenant
from app.errors import Forbidden
from app.identifiers import Identifier
from app.learners.answers import begin_once, keep_answer
from app.learners.own import list_own_ids, require_own
from app.learners.store import get_learner
from app.misconduct.bodies import CaseOpen, CaseOut, HearingOut, PanelBody, ReplacementBody, TextBody, VoteBody
from app.misconduct.cases import (
    answer_notice,
    appeal_outcome,
    name_appeal_panel,
    open_case,
    read_texts,
    require_on_panel,
    vote,
)
from app.misconduct.replace import replace_member
from app.misconduct.store import MisconductCase, get_case, list_votes, lock_case
from app.resources import Resources
from app.web.dependencies import Now, ReadSession, Session, World
from app.web.pagination import Page, Paging, fetch_page
from app.web.problems import responses

router = APIRouter(tags=["Misconduct"])

_PANEL = [f"0f3c000000000000000000000000001{number}" for number in range(3)]


def _example(body: dict[str, object]) -> dict[str, object]:
    return {"requestBody": {"content": {"application/json": {"example": body}}}}


@router.post("/v1/misconduct-cases", status_code=201, operation_id="open_misconduct_case",
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
             openapi_extra=_example({
                 "submission_id": "0f3c0000000000000000000000000007",
                 "notice": "Two pages of the reflection are word for word those of a published portfolio.",
                 "panel": _PANEL}))  # fmt: skip
async def create(
    body: CaseOpen, member: AsDirector, session: Session, world: World, now: Now, idempotency: Idempotency
) -> CaseOut:
    """Open a case: the learner has notice and 14 days to answer; the submission is on hold until the case is closed."""
    await begin_once(session, world.vault, idempotency, member.issuer_id)
    case = await open_case(session, world, member, body.submission_id, body.notice, body.panel, now=now)
    out = await _show(session, world, case)
    await keep_answer(
        session, world.vault, idempotency, await get_learner(session, case.issuer_id, case.learner_id), out
    )
    return out


@router.get("/v1/misconduct-cases", operation_id="list_misconduct_cases", responses=responses(400, 401, 403, 422))
async def list_(tenant: SubmissionsRead, session: ReadSession, world: World, paging: Paging) -> Page[CaseOut]:
    """The issuer's cases; a learner sees those about their own submissions."""
    query = select(MisconductCase).where(MisconductCase.issuer_id == tenant.issuer_id)
    own = await list_own_ids(session, tenant)
    if own is not None:
        query = query.where(MisconductCase.learner_id.in_(own))
    rows, cursor = await fetch_page(
        session, query, paging, updated_at=MisconductCase.updated_at, identifier=MisconductCase.id
    )
    for_learner = own is not None
    return Page(items=[await _show(session, world, row, for_learner=for_learner) for row in rows], next_cursor=cursor)


@router.get("/v1/misconduct-cases/{case_id}", operation_id="get_misconduct_case",
            responses=responses(401, 403, 404, 422))  # fmt: skip
async def get(case_id: Identifier, tenant: SubmissionsRead, session: ReadSession, world: World) -> CaseOut:
    """One case: for directors, the partner's system and the learner. The panel reads `/hearing`."""
    case = await get_case(session, tenant.issuer_id, case_id)
    await require_own(session, tenant, case.learner_id, "case")
    return await _show(session, world, case, for_learner=tenant.only_learner_id is not None)


@router.get("/v1/misconduct-cases/{case_id}/hearing", operation_id="get_hearing",
            responses=responses(401, 403, 404, 410, 422))  # fmt: skip
async def hearing(case_id: Identifier, member: AnyPerson, session: ReadSession, world: World) -> HearingOut:
    """A case as a member of its panel sees it: without who the learner is and how the others vote."""
    case = await get_case(session, member.issuer_id, case_id)
    require_on_panel(case, member)
    return await _show_hearing(session, world, case, member.person_id)


@router.post("/v1/misconduct-cases/{case_id}/answer", operation_id="answer_misconduct_case",
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
             openapi_extra=_example({"text": "The pages were a draft I had quoted; the references got lost."}))  # fmt: skip
async def answer(
    case_id: Identifier, body: TextBody, tenant: SubmissionsWrite, session: Session, world: World, now: Now
) -> CaseOut:
    """Answer the notice, once, before `answer_due_at`: the learner, or the partner's system on their behalf."""
    case = await _lock_own(session, tenant, case_id)
    await answer_notice(session, world, case, body.text, actor=tenant.actor, now=now)
    return await _show(session, world, case, for_learner=True)


@router.post("/v1/misconduct-cases/{case_id}/votes", operation_id="vote_on_misconduct_case",
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
             openapi_extra=_example({"vote": "dismissed", "reason": "The draft with the references was handed in."}))  # fmt: skip
async def cast_vote(
    case_id: Identifier, body: VoteBody, member: AnyPerson, session: Session, world: World, now: Now
) -> HearingOut:
    """Vote, as a member of the panel, once. The vote that leaves no other outcome possible decides the case.

    The outcome is the harshest measure that more than half of the panel voted for or would have gone beyond.
    """
    case = await lock_case(session, member.issuer_id, case_id)
    require_on_panel(case, member)
    await vote(session, world, member, case, body.vote, body.reason, now=now)
    return await _show_hearing(session, world, case, member.person_id)


@router.post("/v1/misconduct-cases/{case_id}/appeal", operation_id="appeal_misconduct_case",
             responses=responses(400, 401, 403, 404, 409, 410, 413, 415, 422),
             openapi_extra=_example({"text": "The panel did not see the version with the references."}))  # fmt: skip
async def appeal(
    case_id: Identifier, body: TextBody, tenant: SubmissionsWrite, session: Session, world: World, now: Now
) -> CaseOut:
    """Appeal against the outcome, once, within 30 days: other people then judge anew. Until they have, nothing takes effect."""
    case = await _lock_own(session, tenant, case_id)
    await appeal_outcome(session, world, case, body.text, actor=tenant.actor, now=now)
    return await _show(session, world, case, for_learner=True)


@router.post("/v1/misconduct-cases/{case_id}/appeal-panel", operation_id="name_appeal_panel",
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra=_example({"panel": _PANEL}))  # fmt: skip
async def appeal_panel(
    case_id: Identifier, body: PanelBody, member: AsDirector, session: Session, world: World, now: Now
) -> CaseOut:
    """Name who judges the appeal: nobody of the first panel, nor who opened the case or names the panel."""
    case = await name_appeal_panel(session, member, case_id, body.panel, now=now)
    return await _show(session, world, case)


@router.post("/v1/misconduct-cases/{case_id}/replacements", operation_id="replace_panel_member",
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra=_example({"person_id": _PANEL[0], "replacement_id": _PANEL[1]}))  # fmt: skip
async def replace(
    case_id: Identifier, body: ReplacementBody, member: AsDirector, session: Session, world: World, now: Now
) -> CaseOut:
    """Put somebody else in the place of a panel member who has not voted: who has left, lost their role or is ill."""
    case = await replace_member(
        session, member, case_id, person_id=body.person_id, replacement_id=body.replacement_id, now=now
    )
    return await _show(session, world, case)


async def _lock_own(session: AsyncSession, tenant: Tenant, case_id: str) -> MisconductCase:
    if tenant.only_learner_id is None and tenant.actor.startswith("person:"):
        raise Forbidden("The learner speaks for themselves here, or the partner's system on their behalf; not staff.")
    case = await lock_case(session, tenant.issuer_id, case_id)
    await require_own(session, tenant, case.learner_id, "case")
    return case


async def _show(session: AsyncSession, world: Resources, case: MisconductCase, *, for_learner: bool = False) -> CaseOut:
    learner = await get_learner(session, case.issuer_id, case.learner_id)
    texts = {} if learner.sealed_key is None else await read_texts(session, world, case)
    votes = await list_votes(session, case.issuer_id, case.id)
    return CaseOut.of(case, texts, votes, for_learner=for_learner)


async def _show_hearing(session: AsyncSession, world: Resources, case: MisconductCase, person_id: str) -> HearingOut:
    texts = await read_texts(session, world, case)
    return HearingOut.of_member(case, texts, await list_votes(session, case.issuer_id, case.id), person_id)
