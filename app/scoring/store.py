"""Decisions. The database refuses to change or delete a row."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, aliased, mapped_column

from app.db import Table
from app.errors import NotFound
from app.learners.store import Learner

Outcome = Literal["awarded", "not_yet"]
Origin = Literal["workflow", "partner", "external", "pathway"]
"""Whether readings here led to a decision, a partner's assessment elsewhere, an earlier award that was taken over, or other
credentials that meet the rule of a pathway."""
ReasonCode = Literal["clerical_error", "appeal", "moderation", "missed_second_reading", "misconduct", "other"]

REASON_CODES: Mapping[ReasonCode, str] = {
    "clerical_error": "What was recorded is not what was decided.",
    "appeal": "An appeal changed it.",
    "moderation": "A review of a batch of decisions changed it.",
    "missed_second_reading": "A second reading that was due had not taken place.",
    "misconduct": "A panel found misconduct.",
    "other": "Another reason, told in `reason`.",
}
"""Why a decision is amended."""

HOLD_HARMLESS = frozenset({"missed_second_reading"})
"""Reasons that are our own fault: they change an outcome upward only."""

REDATES = frozenset({"clerical_error"})
"""Reasons for which a badge takes the date of the decision that corrects: the one before was mistaken about it."""

_IS_AWARDED = text("outcome = 'awarded'")


class Decision(Table):
    """`levels` is a list of [criterion key, level key]; `sealed_details` the rest, as JSON under the learner's key.

    `digest` is the SHA-256 of the details in the clear, so that they can be proved even after they are gone. `renews_id` is the
    decision whose badge this one extends, or would have: of those that award there is one at most.

    A decision of our own workflow rests on a submission's resolution and was approved under a version of the scoring policy; one
    that a partner recorded, having assessed elsewhere, has neither. `reason_code` is why it amends another. One that awards a
    pathway names its proposal (`app.pathways`, a room above, hence no foreign key): one decision each.
    """

    __tablename__ = "decision"
    __table_args__ = (
        ForeignKeyConstraint(
            ["issuer_id", "achievement_id", "version"],
            ["achievement_version.issuer_id", "achievement_version.achievement_id", "achievement_version.version"],
        ),
        ForeignKeyConstraint(["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"]),
        ForeignKeyConstraint(["issuer_id", "panel_id"], ["panel.issuer_id", "panel.id"]),
        ForeignKeyConstraint(["issuer_id", "supersedes_id"], ["decision.issuer_id", "decision.id"]),
        ForeignKeyConstraint(
            ["issuer_id", "renews_id"], ["decision.issuer_id", "decision.id"], name="fk_decision_decision_renewed"
        ),
        ForeignKeyConstraint(["issuer_id", "submission_id"], ["submission.issuer_id", "submission.id"]),
        UniqueConstraint("issuer_id", "external_id"),
        UniqueConstraint("issuer_id", "supersedes_id"),
        Index(
            "uq_decision_renewal", "issuer_id", "renews_id", unique=True,
            sqlite_where=_IS_AWARDED, postgresql_where=_IS_AWARDED,
        ),
        Index("uq_decision_proposal", "issuer_id", "proposal_id", unique=True),
        CheckConstraint("outcome IN ('awarded', 'not_yet')", name="outcome"),
        Index(None, "issuer_id", "recorded_at", "id"),
        Index(None, "issuer_id", "learner_id"),
        Index(None, "issuer_id", "submission_id"),
    )  # fmt: skip

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str | None]
    achievement_id: Mapped[str]
    version: Mapped[int]
    learner_id: Mapped[str]
    panel_id: Mapped[str]
    assessors: Mapped[list[str]]
    outcome: Mapped[str]
    levels: Mapped[list[list[str]]]
    decided_at: Mapped[datetime]
    supersedes_id: Mapped[str | None]
    renews_id: Mapped[str | None]
    submission_id: Mapped[str | None]
    policy_version: Mapped[int | None]
    reason_code: Mapped[str | None]
    proposal_id: Mapped[str | None]
    sealed_details: Mapped[bytes]
    digest: Mapped[str]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]

    @property
    def origin(self) -> Origin:
        """A partner names who of their panel assessed; an external source has nobody to name."""
        if self.submission_id is not None:
            return "workflow"
        if self.proposal_id is not None:
            return "pathway"
        return "partner" if self.assessors else "external"

    def columns(self) -> dict[str, Any]:
        """The row by the names of its columns."""
        return {column.name: getattr(self, column.name) for column in self.__table__.columns}


async def get_decision(session: AsyncSession, issuer_id: str, decision_id: str) -> Decision:
    """Raises NotFound, also for a decision of another issuer."""
    decision = await session.get(Decision, (issuer_id, decision_id))
    if decision is None:
        raise NotFound("There is no decision with this id.")
    return decision


async def find_by_external_id(session: AsyncSession, issuer_id: str, external_id: str) -> Decision | None:
    query = select(Decision).where(Decision.issuer_id == issuer_id, Decision.external_id == external_id)
    return (await session.scalars(query)).one_or_none()


async def find_taken_over(
    session: AsyncSession,
    issuer_id: str,
    *,
    panel_id: str,
    achievement_id: str,
    decided_at: datetime,
    learner_ids: Collection[str],
) -> Decision | None:
    """The first decision in a source's name for this award of one of these learners, or of one merged into them."""
    query = (
        select(Decision)
        .join(Learner, (Learner.issuer_id == Decision.issuer_id) & (Learner.id == Decision.learner_id))
        .where(
            Decision.issuer_id == issuer_id,
            Decision.panel_id == panel_id,
            Decision.achievement_id == achievement_id,
            Decision.decided_at == decided_at,
            Learner.id.in_(learner_ids) | Learner.merged_into.in_(learner_ids),
        )
    )
    return (await session.scalars(query.order_by(Decision.recorded_at, Decision.id).limit(1))).one_or_none()


async def find_successor(session: AsyncSession, issuer_id: str, decision_id: str) -> Decision | None:
    """The decision that supersedes this one."""
    query = select(Decision).where(Decision.issuer_id == issuer_id, Decision.supersedes_id == decision_id)
    return (await session.scalars(query)).one_or_none()


async def list_corrected(session: AsyncSession, decision: Decision) -> list[Decision]:
    """This decision, the one it corrects, the one that corrected, and so on to the first."""
    corrected = [decision]
    while (earlier := corrected[-1].supersedes_id) is not None:
        corrected.append(await get_decision(session, decision.issuer_id, earlier))
    return corrected


async def find_renewed(session: AsyncSession, decision: Decision) -> Decision | None:
    """The decision that this one renews, itself or as the correction of one that does."""
    first = (await list_corrected(session, decision))[-1]
    return None if first.renews_id is None else await get_decision(session, first.issuer_id, first.renews_id)


async def list_successors(session: AsyncSession, issuer_id: str, decision_ids: list[str]) -> dict[str, str]:
    """Id of the superseding decision, by id of the superseded one."""
    query = select(Decision.supersedes_id, Decision.id).where(
        Decision.issuer_id == issuer_id, Decision.supersedes_id.in_(decision_ids)
    )
    return {before: after for before, after in (await session.execute(query)).all() if before is not None}


async def list_decisions_of_learners(session: AsyncSession, issuer_id: str, learner_ids: list[str]) -> list[Decision]:
    """All decisions about these learners, in the order they were recorded."""
    query = select(Decision).where(Decision.issuer_id == issuer_id, Decision.learner_id.in_(learner_ids))
    return list((await session.scalars(query.order_by(Decision.recorded_at, Decision.id))).all())


async def find_decision_of_submission(session: AsyncSession, issuer_id: str, submission_id: str) -> Decision | None:
    """The newest decision about a submission."""
    later = aliased(Decision)
    is_superseded = select(later.id).where(later.issuer_id == issuer_id, later.supersedes_id == Decision.id).exists()
    query = select(Decision).where(
        Decision.issuer_id == issuer_id, Decision.submission_id == submission_id, ~is_superseded
    )
    return (await session.scalars(query)).one_or_none()
