"""/v1/teams: who worked on one task together."""

from fastapi import APIRouter
from sqlalchemy import select

from app.access.dependencies import SubmissionsRead, SubmissionsWrite
from app.access.idempotency import Once
from app.access.principals import Tenant
from app.errors import NotFound
from app.identifiers import Identifier
from app.learners.own import list_own_ids
from app.programs.store import Enrollment
from app.submissions.bodies import TeamCreate, TeamMembersBody, TeamOut
from app.submissions.store import Team, TeamMember, get_team, list_members
from app.submissions.support import PartnerOnly
from app.submissions.teams import change_members, create_team
from app.web.dependencies import Now, ReadSession, Session
from app.web.pagination import Page, Paging, fetch_page
from app.web.problems import responses

routes = APIRouter(prefix="/v1/teams")

_SOME = ["3f2b8c1d9e0a4f5b8c7d6e5f4a3b2c1d"]


@routes.post("", status_code=201, operation_id="create_team", responses=responses(400, 401, 403, 404, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "program_id": "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "name": "Team North",
                 "enrollment_ids": _SOME}}}}})  # fmt: skip
async def create(body: TeamCreate, tenant: SubmissionsWrite, session: Session, now: Now, once: Once) -> TeamOut:
    """Declare a team of learners who are enrolled in one program. A submission that names it may share artifacts."""
    _require_partner(tenant)
    team = await create_team(
        session, tenant.issuer_id, program_id=body.program_id, name=body.name, enrollment_ids=body.enrollment_ids,
        actor=tenant.actor, now=now,
    )  # fmt: skip
    members = await list_members(session, tenant.issuer_id, [team.id])
    out = TeamOut.of(team, [member.enrollment_id for member in members])
    await once.remember(out)
    return out


@routes.get("", operation_id="list_teams", responses=responses(400, 401, 403, 422))
async def list_(tenant: SubmissionsRead, session: ReadSession, paging: Paging) -> Page[TeamOut]:
    """The issuer's teams, or those that the learner is in."""
    query = select(Team).where(Team.issuer_id == tenant.issuer_id)
    own = await list_own_ids(session, tenant)
    if own is not None:
        theirs = (
            select(TeamMember.team_id)
            .join(
                Enrollment,
                (Enrollment.issuer_id == TeamMember.issuer_id) & (Enrollment.id == TeamMember.enrollment_id),
            )
            .where(TeamMember.issuer_id == tenant.issuer_id, Enrollment.learner_id.in_(own))
        )
        query = query.where(Team.id.in_(theirs))
    rows, cursor = await fetch_page(session, query, paging, updated_at=Team.updated_at, identifier=Team.id)
    members = await list_members(session, tenant.issuer_id, [row.id for row in rows])
    items = [TeamOut.of(row, [each.enrollment_id for each in members if each.team_id == row.id]) for row in rows]
    return Page(items=items, next_cursor=cursor)


@routes.get("/{team_id}", operation_id="get_team", responses=responses(401, 403, 404, 422))
async def get(team_id: Identifier, tenant: SubmissionsRead, session: ReadSession) -> TeamOut:
    """One team."""
    team = await get_team(session, tenant.issuer_id, team_id)
    members = [member.enrollment_id for member in await list_members(session, tenant.issuer_id, [team_id])]
    own = await list_own_ids(session, tenant)
    if own is not None:
        query = select(Enrollment.id).where(
            Enrollment.issuer_id == tenant.issuer_id,
            Enrollment.id.in_(members),
            Enrollment.learner_id.in_(own),
        )
        if (await session.scalars(query)).first() is None:
            raise NotFound("There is no team with this id.")
    return TeamOut.of(team, members)


@routes.put("/{team_id}/members", operation_id="change_team_members",
            responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
            openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                "enrollment_ids": _SOME}}}}})  # fmt: skip
async def put_members(
    team_id: Identifier, body: TeamMembersBody, tenant: SubmissionsWrite, session: Session, now: Now
) -> TeamOut:
    """Replace the team's members. Who has begun a submission in it stays."""
    _require_partner(tenant)
    team = await change_members(session, tenant.issuer_id, team_id, body.enrollment_ids, actor=tenant.actor, now=now)
    members = await list_members(session, tenant.issuer_id, [team_id])
    return TeamOut.of(team, [member.enrollment_id for member in members])


def _require_partner(tenant: Tenant) -> None:
    if tenant.only_learner_id is not None:
        raise PartnerOnly("Teams are declared by the partner, not by a learner for others.")
