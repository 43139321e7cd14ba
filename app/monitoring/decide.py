"""What a lead makes of a flag. Nothing follows from one by itself."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Member
from app.assessors.certify import CertificationStateConflict, decide_state
from app.assessors.store import CertificationState, find_certification, get_assessor
from app.audit.store import audit
from app.errors import Conflict, Forbidden
from app.events.store import record_event
from app.monitoring.store import FlagAction, FlagState, RaterFlag, lock_flag

_STATES: Mapping[FlagAction, CertificationState] = {"probation": "probation", "suspend": "suspended"}


class OwnFlag(Forbidden):
    """A lead wants to look at, or decide about, a flag that is about themselves."""

    code = "own_flag"


class FlagDecided(Conflict):
    """The flag was dismissed or acted upon already."""

    code = "flag_decided"


async def dismiss_flag(session: AsyncSession, member: Member, flag_id: str, *, reason: str, now: datetime) -> RaterFlag:
    """The lead looked at it, and nothing is to be done. Raises NotFound, OwnFlag, FlagDecided."""
    flag = await _open_for(session, member, flag_id)
    _close(session, flag, member, "dismissed", None, reason, now)
    return flag


async def act_on_flag(
    session: AsyncSession, member: Member, flag_id: str, *, action: FlagAction, reason: str, now: datetime
) -> RaterFlag:
    """Coach the assessor, or put their certification on probation or suspend it, as `decide_state` does.

    Raises NotFound, OwnFlag, FlagDecided, CertificationStateConflict.
    """
    flag = await _open_for(session, member, flag_id)
    if action in _STATES:
        certification = await find_certification(
            session, flag.issuer_id, flag.assessor_id, flag.achievement_id, flag.version
        )
        if certification is None:
            raise CertificationStateConflict("The assessor has no certification for this version.")
        await decide_state(session, member, certification.id, state=_STATES[action], reason=reason, now=now)
    _close(session, flag, member, "acted", action, reason, now)
    return flag


async def require_another(session: AsyncSession, member: Member, flag: RaterFlag) -> None:
    """Raises OwnFlag where the flag is about the member: they see in their own scoring record what became of it."""
    assessor = await get_assessor(session, flag.issuer_id, flag.assessor_id)
    if assessor.person_id == member.person_id:
        raise OwnFlag("The flag is about yourself: another lead looks at it and decides.", cure="Ask another lead.")


async def _open_for(session: AsyncSession, member: Member, flag_id: str) -> RaterFlag:
    flag = await lock_flag(session, member.issuer_id, flag_id)
    await require_another(session, member, flag)
    if flag.state != "open":
        raise FlagDecided(f"The flag is {flag.state}.")
    return flag


def _close(
    session: AsyncSession,
    flag: RaterFlag,
    member: Member,
    state: FlagState,
    action: FlagAction | None,
    reason: str,
    now: datetime,
) -> None:
    flag.state, flag.action, flag.reason = state, action, reason
    flag.decided_by, flag.decided_at, flag.updated_at = member.actor, now, now
    note_flag(session, flag, state, actor=member.actor, now=now)


def note_flag(session: AsyncSession, flag: RaterFlag, what: str, *, actor: str, now: datetime) -> None:
    """The audit entry and event of something that happened to a flag. The event does not say whom it is about."""
    content = {"assessor": flag.assessor_id, "rule": flag.rule, "level": flag.level, "quarter": flag.quarter,
               "action": flag.action, "reason": flag.reason}  # fmt: skip
    audit(session, issuer_id=flag.issuer_id, actor=actor, action=f"flag.{what}", object_id=flag.id, content=content,
          at=now)  # fmt: skip
    record_event(session, flag.issuer_id, f"flag.{what}", flag.id, at=now, data={"program_id": flag.program_id})
