"""What appeals and moderations share: a decision is in one review at a time, and each ends in a new reading of its submission."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.appeals.store import Appeal, Moderation, ModerationItem
from app.errors import Conflict
from app.readings.assign import assign_open
from app.readings.request import request_reading
from app.readings.store import Reading, ReadingKind, Resolution, find_resolution, get_reading
from app.resources import Resources
from app.scoring.store import Decision
from app.submissions.store import Submission
from app.submissions.withdraw import SubmissionHeld

_ENDED_WITHOUT_RESULT = ("recused", "reassigned", "expired")


class DecisionUnderReview(Conflict):
    """The decision is in an open appeal or moderation."""

    code = "decision_under_review"


class NotReadAgain(Conflict):
    """The new reading of a review has not been submitted and resolved."""

    code = "not_read_again"


async def require_no_other_review(session: AsyncSession, decision: Decision) -> None:
    """To be asked under the submission's lock. Raises DecisionUnderReview."""
    appealed = select(Appeal.id).where(
        Appeal.issuer_id == decision.issuer_id,
        Appeal.submission_id == decision.submission_id,
        Appeal.state.not_in(("inadmissible", "decided")),
    )
    moderated = select(ModerationItem.moderation_id).where(
        ModerationItem.issuer_id == decision.issuer_id,
        ModerationItem.decision_id == decision.id,
        ModerationItem.outcome.is_(None),
    )
    for query in (appealed, moderated):
        if (await session.execute(query.limit(1))).first() is not None:
            raise DecisionUnderReview("The decision is in an open appeal or moderation.")


async def find_review_end(session: AsyncSession, decision: Decision) -> datetime | None:
    """When a moderation last confirmed the decision: the time for an appeal begins anew then."""
    query = (
        select(ModerationItem.updated_at)
        .join(
            Moderation,
            (Moderation.issuer_id == ModerationItem.issuer_id) & (Moderation.id == ModerationItem.moderation_id),
        )
        .where(
            ModerationItem.issuer_id == decision.issuer_id,
            ModerationItem.decision_id == decision.id,
            ModerationItem.outcome.is_not(None),
        )
    )
    return (await session.scalars(query.order_by(ModerationItem.updated_at.desc()).limit(1))).one_or_none()


async def follow_reading(session: AsyncSession, issuer_id: str, reading_id: str | None) -> Reading | None:
    """The reading that counts today: the one asked for, or what followed it when it ended without a result."""
    if reading_id is None:
        return None
    first = await get_reading(session, issuer_id, reading_id)
    if first.state not in _ENDED_WITHOUT_RESULT:
        return first
    query = select(Reading).where(
        Reading.issuer_id == issuer_id,
        Reading.submission_id == first.submission_id,
        Reading.kind == first.kind,
        Reading.created_at >= first.created_at,
        Reading.state.not_in(_ENDED_WITHOUT_RESULT),
    )
    return (await session.scalars(query.order_by(Reading.created_at.desc()).limit(1))).one_or_none() or first


async def list_open_appeals(session: AsyncSession, submission: Submission) -> list[Appeal]:
    """Appeals against a decision on the submission that are not closed."""
    query = select(Appeal).where(
        Appeal.issuer_id == submission.issuer_id,
        Appeal.submission_id == submission.id,
        Appeal.state.not_in(("inadmissible", "decided")),
    )
    return list((await session.scalars(query.order_by(Appeal.id))).all())


async def list_open_items(session: AsyncSession, submission: Submission) -> list[ModerationItem]:
    """Decisions on the submission that are under review."""
    query = (
        select(ModerationItem)
        .join(Decision, (Decision.issuer_id == ModerationItem.issuer_id) & (Decision.id == ModerationItem.decision_id))
        .where(
            ModerationItem.issuer_id == submission.issuer_id,
            Decision.submission_id == submission.id,
            ModerationItem.outcome.is_(None),
        )
    )
    return list((await session.scalars(query.order_by(ModerationItem.moderation_id))).all())


async def resume_review(session: AsyncSession, world: Resources, submission: Submission, now: datetime) -> None:
    """After a hold: ask anew for the reading of an open review that the hold ended. The submission is locked."""
    reviews: list[Appeal | ModerationItem] = [
        *await list_open_appeals(session, submission),
        *await list_open_items(session, submission),
    ]
    for each in reviews:
        reading = await follow_reading(session, each.issuer_id, each.reading_id)
        if reading is not None and reading.state == "cancelled":
            kind: ReadingKind = "appeal" if isinstance(each, Appeal) else "moderation"
            anew = await request_reading(session, submission, kind=kind, now=now)
            each.reading_id, each.updated_at = anew.id, now
    await assign_open(session, world, submission, now)


async def require_reread(
    session: AsyncSession, submission: Submission, reading_id: str | None
) -> tuple[Reading, Resolution]:
    """The new reading, and the scores of record that rest on it.

    Raises NotReadAgain, and SubmissionHeld while a case of misconduct is open.
    """
    if submission.state == "on_hold":
        raise SubmissionHeld("The submission is held.", cure="Wait until it is settled why.")
    reading = await follow_reading(session, submission.issuer_id, reading_id)
    resolution = await find_resolution(session, submission.issuer_id, submission.id)
    if (
        reading is None or reading.state != "submitted"
        or resolution is None or resolution.reading_ids[:1] != [reading.id]
    ):  # fmt: skip
        raise NotReadAgain("The new reading has not been submitted and resolved yet.")
    return reading, resolution
