"""Who may read what: certified and calibrated today, free of conflicts, the work still there to be read."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.assessors.certification import CalibrationOverdue, NotCertified, require_calibrated, require_certified
from app.assessors.store import Assessor, Certification, get_panel
from app.learners.store import get_learner
from app.programs.policy import ScoringPolicyBody, get_policy
from app.programs.store import get_program
from app.readings.conflicts import find_conflict
from app.readings.store import LEAD_KINDS, Reading
from app.submissions.store import Submission

_IN_SCORING = ("accepted", "scoring")
_AFTERWARDS = ("resolved", "decided")


async def get_pinned_policy(session: AsyncSession, submission: Submission) -> ScoringPolicyBody:
    """The policy the submission is judged by. Raises NotFound."""
    version = submission.policy_version
    if version is None:
        version = (await get_program(session, submission.issuer_id, submission.program_id)).policy_version
    return await get_policy(session, submission.issuer_id, submission.program_id, version)


async def get_current_policy(session: AsyncSession, issuer_id: str, program_id: str) -> ScoringPolicyBody:
    """The policy in force in a program. Raises NotFound."""
    program = await get_program(session, issuer_id, program_id)
    return await get_policy(session, issuer_id, program_id, program.policy_version)


async def require_entitled(
    session: AsyncSession, assessor: Assessor, achievement_id: str, version: int, policy: ScoringPolicyBody, now: datetime
) -> Certification:  # fmt: skip
    """What entitles the assessor to read now. Raises NotCertified, CalibrationOverdue."""
    certification = await require_certified(session, assessor, achievement_id, version, now)
    last = select(func.max(Reading.submitted_at)).where(
        Reading.issuer_id == assessor.issuer_id, Reading.assessor_id == assessor.id, Reading.state == "submitted"
    )
    require_calibrated(
        certification, every_days=policy.calibration.every_days, after_gap_days=policy.calibration.after_gap_days,
        last_reading_at=await session.scalar(last), now=now,
    )  # fmt: skip
    return certification


async def is_readable(session: AsyncSession, submission: Submission, kind: str) -> bool:
    """Whether a reading of this kind still has its work: not withdrawn, held, voided or erased."""
    states = _AFTERWARDS if kind in ("appeal", "moderation") else _IN_SCORING
    learner = await get_learner(session, submission.issuer_id, submission.learner_id)
    return submission.state in states and learner.sealed_key is not None


async def find_entitlement(
    session: AsyncSession, assessor: Assessor, submission: Submission, policy: ScoringPolicyBody, now: datetime
) -> Certification | None:
    """What entitles the assessor to read this submission; None without, or in a conflict of interest."""
    try:
        certification = await require_entitled(
            session, assessor, submission.achievement_id, submission.version, policy, now
        )
    except (NotCertified, CalibrationOverdue):
        return None
    return certification if await find_conflict(session, assessor, submission) is None else None


async def is_on_panel(session: AsyncSession, assessor: Assessor, reading: Reading) -> bool:
    """Whether the assessor is a member of the panel that reads for the reading's program."""
    program = await get_program(session, reading.issuer_id, reading.program_id)
    return assessor.code in (await get_panel(session, reading.issuer_id, program.panel_id)).members


def roles_for(kind: str) -> tuple[str, ...]:
    """The roles of which a reader of this kind needs one."""
    return ("lead",) if kind in LEAD_KINDS else ("assessor", "lead")
