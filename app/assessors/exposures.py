"""Who may meet which anchor: never in two roles, and never one whose true scores or whose source they know.

Anchors of one source submission count as one. Meeting is recorded in a table of its own and nowhere else: an event or audit entry
for it would tell a validity paper from a reading.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import column, or_, select, table, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.store import Person, get_person
from app.assessors.store import (
    Anchor,
    AnchorExposure,
    AnchorResponse,
    AnchorRole,
    AnchorSession,
    Assessor,
    MasterReading,
    lock_assessor,
)
from app.errors import Conflict
from app.programs.store import list_affiliations
from app.submissions.store import Screening, get_submission

# The room of readings stands above this one. All that is asked of it is who has read a submission.
_reading = table("reading", column("issuer_id"), column("submission_id"), column("assessor_id"), column("started_at"))


class AnchorReused(Conflict):
    """The assessor has met the anchor, or another of the same source, in another role."""

    code = "anchor_reused"


class AnchorKnown(Conflict):
    """The assessor knows the anchor's true scores or the work it was made from."""

    code = "anchor_known"


async def meet(
    session: AsyncSession,
    assessor: Assessor,
    anchors: Sequence[Anchor],
    role: AnchorRole,
    *,
    session_id: str | None = None,
    now: datetime,
) -> None:
    """Note that the assessor meets these anchors in this role; `session_id` is the session it happens in.

    Meeting one again in the same role changes nothing. Locks the assessor. Raises AnchorReused, AnchorKnown.
    """
    await lock_assessor(session, assessor.issuer_id, assessor.id)
    person = await get_person(session, assessor.issuer_id, assessor.person_id)
    for anchor in anchors:
        family = await _family(session, anchor)
        await _require_one_role(session, assessor, family, role)
        await _require_unknown(session, assessor, person, anchor, family, session_id)
    for anchor in anchors:
        await _note(session, assessor, anchor, role, now)


async def _family(session: AsyncSession, anchor: Anchor) -> list[str]:
    """The anchor and all others of the same source."""
    if anchor.source_submission_id is None:
        return [anchor.id]
    query = select(Anchor.id).where(
        Anchor.issuer_id == anchor.issuer_id, Anchor.source_submission_id == anchor.source_submission_id
    )
    return list((await session.scalars(query)).all())


async def _require_one_role(session: AsyncSession, assessor: Assessor, family: Collection[str], role: str) -> None:
    query = select(AnchorExposure).where(
        AnchorExposure.issuer_id == assessor.issuer_id,
        AnchorExposure.assessor_id == assessor.id,
        AnchorExposure.anchor_id.in_(family),
        AnchorExposure.role != role,
    )
    if (await session.scalars(query.limit(1))).first() is not None:
        raise AnchorReused("The assessor has met this work before, as an anchor in another role.")


async def _require_unknown(
    session: AsyncSession,
    assessor: Assessor,
    person: Person,
    anchor: Anchor,
    family: Collection[str],
    session_id: str | None,
) -> None:
    mastered = select(MasterReading.anchor_id).where(
        MasterReading.issuer_id == assessor.issuer_id,
        MasterReading.person_id == person.id,
        MasterReading.anchor_id.in_(family),
    )
    # In a calibration the true scores were shown; those of qualification anchors never are.
    shown = (
        select(AnchorResponse.anchor_id)
        .join(
            AnchorSession,
            (AnchorSession.issuer_id == AnchorResponse.issuer_id) & (AnchorSession.id == AnchorResponse.session_id),
        )
        .where(
            AnchorResponse.issuer_id == assessor.issuer_id,
            AnchorResponse.assessor_id == assessor.id,
            AnchorResponse.anchor_id.in_(family),
            AnchorSession.kind == "calibration",
            AnchorSession.id != (session_id or ""),
        )
    )
    for query in (mastered, shown):
        if (await session.scalars(query.limit(1))).first() is not None:
            raise AnchorKnown("The assessor knows the true scores of this anchor.")
    if anchor.source_submission_id is not None and await _knows_source(
        session, assessor, person, anchor.source_submission_id
    ):
        raise AnchorKnown("The assessor knows the work that this anchor was made from.")


async def _knows_source(session: AsyncSession, assessor: Assessor, person: Person, submission_id: str) -> bool:
    """Whether they made it, are close to who made it, screened it, or read it."""
    issuer_id = assessor.issuer_id
    submission = await get_submission(session, issuer_id, submission_id)
    if person.learner_id == submission.learner_id:
        return True
    if any(each.person_id == person.id for each in await list_affiliations(session, issuer_id, submission.learner_id)):
        return True
    screened = select(Screening.id).where(
        Screening.issuer_id == issuer_id,
        Screening.submission_id == submission_id,
        or_(Screening.screened_by == person.id, Screening.screened_by == f"person:{person.id}"),
    )
    read = select(_reading.c.submission_id).where(
        _reading.c.issuer_id == issuer_id,
        _reading.c.submission_id == submission_id,
        _reading.c.assessor_id == assessor.id,
        _reading.c.started_at.is_not(None),
    )
    found = [(await session.execute(query.limit(1))).first() for query in (screened, read)]
    return any(row is not None for row in found)


async def _note(session: AsyncSession, assessor: Assessor, anchor: Anchor, role: str, now: datetime) -> None:
    if await session.get(AnchorExposure, (assessor.issuer_id, assessor.id, anchor.id)) is not None:
        return
    session.add(
        AnchorExposure(
            issuer_id=assessor.issuer_id, assessor_id=assessor.id, anchor_id=anchor.id, role=role, met_at=now
        )
    )
    one_more = (
        update(Anchor)
        .where(Anchor.issuer_id == anchor.issuer_id, Anchor.id == anchor.id)
        .values(exposures=Anchor.exposures + 1)
        .execution_options(synchronize_session="fetch")
    )
    await session.execute(one_more)
    await session.flush()
