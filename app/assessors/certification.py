"""Who may read: an assessor certified today for this very version of an achievement."""

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy.ext.asyncio import AsyncSession

from app.assessors.store import Assessor, Certification, CertificationState, find_certification
from app.errors import Conflict

READING_STATES = ("certified", "probation")
"""The states in which an assessor may read; on probation every reading is read a second time."""


class NotCertified(Conflict):
    """The assessor is not certified today for this version of the achievement."""

    code = "not_certified"


class CalibrationOverdue(Conflict):
    """The assessor is certified, and has not calibrated for too long."""

    code = "calibration_overdue"


def state_at(certification: Certification, now: datetime) -> CertificationState:
    """The state at a moment: past `valid_until` a certified assessor's is `expired`, whether or not that was recorded."""
    if certification.state in READING_STATES and certification.valid_until is not None:
        return "expired" if now >= certification.valid_until else cast(CertificationState, certification.state)
    return cast(CertificationState, certification.state)


async def require_certified(
    session: AsyncSession, assessor: Assessor, achievement_id: str, version: int, now: datetime
) -> Certification:
    """What entitles the assessor to read now. Raises NotCertified, which says why not."""
    found = await find_certification(session, assessor.issuer_id, assessor.id, achievement_id, version)
    state = "in_training" if found is None else state_at(found, now)
    if found is None or state not in READING_STATES or not assessor.is_active:
        raise NotCertified(
            f"The assessor is not certified for this version of the achievement: {state if assessor.is_active else 'inactive'}.",
            cure="Qualify for this version (again); a lead opens the round.",
        )
    return found


def require_calibrated(
    certification: Certification,
    *,
    every_days: int,
    after_gap_days: int,
    last_reading_at: datetime | None,
    now: datetime,
) -> None:
    """Raises CalibrationOverdue: the last calibration is too long ago, or the last reading, with no calibration since."""
    calibrated_at = certification.calibrated_at or certification.valid_from
    if calibrated_at is None or now - calibrated_at > timedelta(days=every_days):
        raise CalibrationOverdue("The last calibration is too long ago.", cure="Take part in a calibration session.")
    idle_since = max(calibrated_at, last_reading_at or calibrated_at)
    if now - idle_since > timedelta(days=after_gap_days):
        raise CalibrationOverdue("The last reading is too long ago.", cure="Take part in a calibration session.")
