"""Teams: who worked on one task together. Artifacts can be shared within one; everybody submits and is decided for themselves."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.errors import Conflict, Fault, InvalidInput
from app.events.store import record_event
from app.identifiers import new_id
from app.programs.store import get_enrollment, get_program
from app.submissions.store import Submission, Team, TeamMember, get_team, list_members


class NotOfProgram(InvalidInput):
    """A team is one of learners of the same program."""

    code = "enrollment_not_in_program"


class MemberHasSubmission(Conflict):
    """Who has begun a submission in the team stays in it."""

    code = "member_has_submission"


async def create_team(
    session: AsyncSession,
    issuer_id: str,
    *,
    program_id: str,
    name: str,
    enrollment_ids: Sequence[str],
    actor: str,
    now: datetime,
) -> Team:
    """A new team. Raises NotFound and NotOfProgram."""
    await get_program(session, issuer_id, program_id)
    team = Team(issuer_id=issuer_id, id=new_id(), program_id=program_id, name=name, created_at=now, updated_at=now)
    await _require_of_program(session, team, enrollment_ids)
    session.add(team)
    await session.flush()
    _add(session, team, enrollment_ids, now)
    await session.flush()
    _note(session, team, "created", actor, now, enrollment_ids)
    return team


async def change_members(
    session: AsyncSession, issuer_id: str, team_id: str, enrollment_ids: Sequence[str], *, actor: str, now: datetime
) -> Team:
    """Replace the members. Raises NotFound, NotOfProgram, and MemberHasSubmission for one who would leave their own work."""
    team = await get_team(session, issuer_id, team_id)
    query = select(Team).where(Team.issuer_id == issuer_id, Team.id == team_id).with_for_update()
    await session.scalars(query)
    await _require_of_program(session, team, enrollment_ids)
    members = {member.enrollment_id for member in await list_members(session, issuer_id, [team_id])}
    leaving = members - set(enrollment_ids)
    busy = select(Submission.enrollment_id).where(
        Submission.issuer_id == issuer_id,
        Submission.team_id == team_id,
        Submission.enrollment_id.in_(leaving),
        Submission.state.not_in(("withdrawn", "void")),
    )
    if (await session.scalars(busy.limit(1))).first() is not None:
        raise MemberHasSubmission("A member who would leave has a submission in the team.")
    await session.execute(
        delete(TeamMember).where(
            TeamMember.issuer_id == issuer_id, TeamMember.team_id == team_id, TeamMember.enrollment_id.in_(leaving)
        )
    )
    _add(session, team, [each for each in enrollment_ids if each not in members], now)
    team.updated_at = now
    await session.flush()
    _note(session, team, "changed", actor, now, enrollment_ids)
    return team


async def _require_of_program(session: AsyncSession, team: Team, enrollment_ids: Sequence[str]) -> None:
    faults = []
    for number, id_ in enumerate(enrollment_ids):
        if (await get_enrollment(session, team.issuer_id, id_)).program_id != team.program_id:
            faults.append(Fault(f"/enrollment_ids/{number}", "is an enrollment in another program"))
    if faults:
        raise NotOfProgram("All members of a team are enrolled in its program.", faults=faults)


def _add(session: AsyncSession, team: Team, enrollment_ids: Sequence[str], now: datetime) -> None:
    for id_ in dict.fromkeys(enrollment_ids):
        session.add(TeamMember(issuer_id=team.issuer_id, team_id=team.id, enrollment_id=id_, joined_at=now))


def _note(
    session: AsyncSession, team: Team, what: str, actor: str, now: datetime, enrollment_ids: Sequence[str]
) -> None:
    audit(session, issuer_id=team.issuer_id, actor=actor, action=f"team.{what}", object_id=team.id,
          content={"enrollments": sorted(enrollment_ids)}, at=now)  # fmt: skip
    record_event(session, team.issuer_id, f"team.{what}", team.id, at=now)
