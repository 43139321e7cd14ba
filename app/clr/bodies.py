"""Request and response bodies of learner records."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StrictBool
from sqlalchemy.ext.asyncio import AsyncSession

from app.clr.choose import LeftOut
from app.clr.issue import NewRecord, fetch_record
from app.clr.store import LearnerRecord, RecordedBadge
from app.identifiers import Identifier
from app.openbadges.clr import MAX_BADGES
from app.resources import Resources
from app.web.fields import Body, Line, Moment, Prose


class ClrCreate(Body):
    name: Line | None = Field(
        default=None, description="Null: after the issuer.", examples=["Leadership, 2024 to 2026"]
    )
    description: Prose | None = None
    credential_ids: Annotated[list[Identifier], Field(min_length=1, max_length=MAX_BADGES)] | None = Field(
        default=None, description="Which badges; null: all that stand."
    )
    visibility: Literal["private", "unlisted"] = Field(
        default="unlisted",
        description="unlisted: whoever has its URL sees it, and private badges are left out; private: its URL answers 404.",
    )
    recipient_name: StrictBool = Field(default=False, description="Put the learner's display name into the record.")
    goals: StrictBool = Field(
        default=False,
        description="Also name pathways that the learner is on, as wholes of the parts earned so far. They are not awarded.",
    )

    def facts(self) -> NewRecord:
        return NewRecord(**dict(self))


class BundledOut(BaseModel):
    credential_id: Identifier
    edition_id: Identifier = Field(description="The edition that was current when the record was signed.")


class LeftOutOut(BaseModel):
    credential_id: Identifier
    reason: Literal["revoked", "suspended", "expired", "not_issued", "private"]


class ClrOut(BaseModel):
    """A learner record in the register. `url` is its public address and its `id` as a credential."""

    id: Identifier
    url: str
    learner_id: Identifier
    state: Literal["issued", "revoked"]
    visibility: Literal["private", "unlisted"]
    partial: bool = Field(description="Whether the learner had a badge that stood and is not in it.")
    badges: list[BundledOut] = Field(description="In the order of the record.")
    valid_from: Moment
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, record: LearnerRecord, badges: Sequence[RecordedBadge], base_url: str) -> "ClrOut":
        return cls.model_validate(cls.facts(record, badges, base_url))

    @classmethod
    def facts(cls, record: LearnerRecord, badges: Sequence[RecordedBadge], base_url: str) -> dict[str, Any]:
        plain = {name: getattr(record, name) for name in ClrOut.model_fields if name not in ("url", "badges")}
        held = [
            {"credential_id": each.credential_id, "edition_id": each.edition_id}
            for each in badges
            if each.clr_id == record.id
        ]
        return {**plain, "url": f"{base_url}/clr/{record.id}", "badges": held}


class ClrIssued(ClrOut):
    """A record just signed. `left_out` are badges that were asked for, or would have been taken, and why they are not in it."""

    left_out: list[LeftOutOut]

    @classmethod
    def of_issued(
        cls, record: LearnerRecord, badges: Sequence[RecordedBadge], left_out: Sequence[LeftOut], base_url: str
    ) -> "ClrIssued":
        told = [{"credential_id": each.credential_id, "reason": each.reason} for each in left_out]
        return cls.model_validate({**cls.facts(record, badges, base_url), "left_out": told})


class ClrWithDocument(ClrOut):
    document: dict[str, Any] = Field(description="The secured ClrCredential.")

    @classmethod
    async def read(
        cls, session: AsyncSession, world: Resources, record: LearnerRecord, badges: Sequence[RecordedBadge]
    ) -> "ClrWithDocument":
        """Raises Gone when the learner was erased."""
        body = await fetch_record(session, world, record)
        return cls(**cls.facts(record, badges, world.base_url), document=json.loads(body))


class ClrList(BaseModel):
    records: list[ClrOut] = Field(description="Oldest first.")
