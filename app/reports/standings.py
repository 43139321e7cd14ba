"""Where assessors stood with a version at a moment, from the changes of their certifications."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.assessors.certification import READING_STATES
from app.assessors.store import Certification, CertificationChange, CertificationState


@dataclass(frozen=True, slots=True)
class Standing:
    """`valid_until` is null where the certification was renewed since: it is not known any more what it was then."""

    state: CertificationState
    valid_until: datetime | None


async def load_standings(
    session: AsyncSession, issuer_id: str, as_of: datetime
) -> dict[tuple[str, str, int], Standing]:
    """By assessor, achievement and version, of those that had begun."""
    query = select(CertificationChange.certification_id, CertificationChange.state).where(
        CertificationChange.issuer_id == issuer_id, CertificationChange.changed_at <= as_of
    )
    states: dict[str, list[str]] = defaultdict(list)
    for certification_id, state in (await session.execute(query.order_by(CertificationChange.number))).all():
        states[certification_id].append(state)
    certifications = select(Certification).where(
        Certification.issuer_id == issuer_id, Certification.created_at <= as_of
    )
    return {
        (found.assessor_id, found.achievement_id, found.version): _stand(found, states.get(found.id, []), as_of)
        for found in (await session.scalars(certifications)).all()
    }


def _stand(found: Certification, states: list[str], as_of: datetime) -> Standing:
    state = states[-1] if states else found.state
    is_of_then = found.valid_from is None or found.valid_from <= as_of
    valid_until = found.valid_until if is_of_then else None
    if state in READING_STATES and valid_until is not None and valid_until <= as_of:
        state = "expired"
    return Standing(cast(CertificationState, state), valid_until)
