"""Recognitions: sets of badges that a recognizer handed in, and the credit that each was granted.

Nothing of the badges themselves is kept, nor who earned them: a badge is known by the SHA-256 digest of its id. One of this
service is known by that of its award, which has the same badge in a summary and a detailed view, and by its credential's id, so
that it can be looked at again.
"""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.errors import NotFound

Outcome = Literal[
    "granted", "already_granted", "not_mapped", "recipient_differs", "test_badge", "not_valid", "not_verified"
]
RecipientMatch = Literal["matches", "differs", "not_asked"]
Standing = Literal["stands", "fails", "unknown"]


class Recognition(Table):
    """What a recognizer (`person:<id>` or `client:<id>`) handed in at once. `mapping` is a list of
    `app.recognition.bodies.Mapped` as JSON, `unit` that of its credits."""

    __tablename__ = "recognition"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id"], ["issuer.id"]),
        Index(None, "issuer_id", "updated_at", "id"),
    )

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    recognizer: Mapped[str]
    unit: Mapped[str]
    mapping: Mapped[list[Any]]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class RecognizedBadge(Table):
    """A badge of a recognition, by its `number` from 1: what verifying found (codes of failed checks), and what followed.

    `recognizer` stands here too, so that the database holds to one credit of a badge for each. `credit` is a decimal number as
    text. `standing` is what was found when it was looked at last; a badge is looked at again on request.
    """

    __tablename__ = "recognized_badge"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "recognition_id"], ["recognition.issuer_id", "recognition.id"]),
        ForeignKeyConstraint(["credential_id"], ["credential.id"]),
        Index(
            "uq_recognized_badge_credit", "issuer_id", "recognizer", "badge_digest", unique=True,
            sqlite_where=text("outcome = 'granted'"), postgresql_where=text("outcome = 'granted'"),
        ),
        CheckConstraint(
            "outcome IN ('granted', 'already_granted', 'not_mapped', 'recipient_differs', 'test_badge', 'not_valid', "
            "'not_verified')",
            name="outcome",
        ),
        CheckConstraint("recipient IN ('matches', 'differs', 'not_asked')", name="recipient"),
        CheckConstraint("standing IN ('stands', 'fails', 'unknown')", name="standing"),
        CheckConstraint("(outcome = 'granted') = (credit IS NOT NULL)", name="credit"),
        Index(None, "credential_id"),
    )  # fmt: skip

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    recognition_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    recognizer: Mapped[str]
    reference: Mapped[str | None]
    badge_digest: Mapped[str | None]
    credential_id: Mapped[str | None]
    achievement: Mapped[str | None]
    badge_issuer: Mapped[str | None]
    valid: Mapped[bool | None]
    reasons: Mapped[list[str]]
    recipient: Mapped[str]
    outcome: Mapped[str]
    credit: Mapped[str | None]
    standing: Mapped[str]
    standing_reasons: Mapped[list[str]]
    verified_at: Mapped[datetime]


async def get_recognition(
    session: AsyncSession, issuer_id: str, recognizer: str, recognition_id: str, *, lock: bool = False
) -> Recognition:
    """Raises NotFound, also for one of another issuer or recognizer."""
    query = select(Recognition).where(
        Recognition.issuer_id == issuer_id, Recognition.id == recognition_id, Recognition.recognizer == recognizer
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = (await session.scalars(query)).one_or_none()
    if found is None:
        raise NotFound("There is no recognition with this id.")
    return found


async def list_badges(session: AsyncSession, issuer_id: str, recognition_ids: list[str]) -> list[RecognizedBadge]:
    """The badges of these recognitions, in the order they were handed in."""
    query = select(RecognizedBadge).where(
        RecognizedBadge.issuer_id == issuer_id, RecognizedBadge.recognition_id.in_(recognition_ids)
    )
    return list((await session.scalars(query.order_by(RecognizedBadge.recognition_id, RecognizedBadge.number))).all())


async def list_credited(session: AsyncSession, issuer_id: str, recognizer: str, digests: set[str]) -> set[str]:
    """Of these digests the ones that this recognizer has granted credit for."""
    query = select(RecognizedBadge.badge_digest).where(
        RecognizedBadge.issuer_id == issuer_id,
        RecognizedBadge.recognizer == recognizer,
        RecognizedBadge.outcome == "granted",
        RecognizedBadge.badge_digest.in_(digests),
    )
    return {each for each in (await session.scalars(query)).all() if each}


async def list_recognized(session: AsyncSession, credential_ids: list[str]) -> list[RecognizedBadge]:
    """Where these credentials were recognized, by whichever issuer's recognizers, oldest first."""
    query = select(RecognizedBadge).where(RecognizedBadge.credential_id.in_(credential_ids))
    return list((await session.scalars(query.order_by(RecognizedBadge.verified_at, RecognizedBadge.number))).all())


async def forget_recognized(session: AsyncSession, credential_ids: list[str]) -> None:
    """Drop the tie to these credentials, whose learner is erased. What credit was granted for stays countable by its digest."""
    theirs = RecognizedBadge.credential_id.in_(credential_ids)
    await session.execute(update(RecognizedBadge).where(theirs).values(credential_id=None))
