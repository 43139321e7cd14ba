"""What an issuer asks learners about themselves, as data: dimensions with their values, and how reports may combine them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from pydantic import Field, model_validator
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.demographics.jobs import CLOSE_PERIOD_JOB
from app.demographics.store import DemographicVocabulary, find_vocabulary, lock_vocabulary
from app.errors import NotFound
from app.events.store import record_event
from app.jobs.queue import enqueue
from app.quarters import quarter_of
from app.web.fields import Body, Key, Line

COHORT = "cohort"
"""The dimension that nobody declares: it is known already."""
PREFER_NOT_TO_SAY = "prefer-not-to-say"
"""May be said of every dimension."""
UNDISCLOSED = "undisclosed"
"""In reports: who prefers not to say, and who says nothing."""
_OWN_WORDS = frozenset({PREFER_NOT_TO_SAY, UNDISCLOSED})


class NoVocabulary(NotFound):
    """The issuer does not ask learners about themselves."""

    code = "no_vocabulary"


class ValueBody(Body):
    key: Key = Field(examples=["woman"])
    label: Line = Field(examples=["Woman"])


class DimensionBody(Body):
    """Something learners may say of themselves, in one of a few words."""

    key: Key = Field(examples=["gender"])
    label: Line = Field(examples=["Gender"])
    values: Annotated[list[ValueBody], Field(min_length=2, max_length=15)] = Field(
        description="Besides these, a learner may always prefer not to say (`prefer-not-to-say`)."
    )

    @model_validator(mode="after")
    def _distinct(self) -> "DimensionBody":
        keys = [value.key for value in self.values]
        _require_distinct(keys, "values")
        if taken := _OWN_WORDS.intersection(keys):
            raise ValueError(f"the value {min(taken)} is always there, or means who says nothing: leave it out")
        return self


class VocabularyBody(Body):
    """What learners are asked, and what equity reports may tell of it."""

    dimensions: Annotated[list[DimensionBody], Field(min_length=1, max_length=6)]
    tables: Annotated[list[Annotated[list[Key], Field(min_length=1, max_length=7)]], Field(max_length=7)] = Field(
        default_factory=list,
        description="Dimensions that reports may combine; `cohort` is one too. The more there are in one table, the more people "
        "it takes until anything is told of it. Those left out are in a table of their own.",
        examples=[[["gender", "race-ethnicity"], ["school-type"]]],
    )
    minimum_people: Annotated[int, Field(strict=True, ge=5, le=10_000)] = Field(
        default=50,
        description="So many newly decided people of a program make a period; fewer wait for the next quarter. Of how many "
        "at least anything is told is `minimum_cell` of the program's policy.",
    )

    @model_validator(mode="after")
    def _sound(self) -> "VocabularyBody":
        keys = [dimension.key for dimension in self.dimensions]
        _require_distinct(keys, "dimensions")
        if COHORT in keys:
            raise ValueError("the dimension cohort is always there and not declared: leave it out")
        grouped = [key for table in self.tables for key in table]
        _require_distinct(grouped, "dimensions in tables")
        if unknown := set(grouped) - {*keys, COHORT}:
            raise ValueError(f"tables name {min(unknown)}, which is not a dimension")
        return self

    def all_tables(self) -> list[list[str]]:
        """Every dimension and `cohort`, in the table it may be combined in."""
        grouped = {key for table in self.tables for key in table}
        alone = [each.key for each in self.dimensions] + [COHORT]
        return [list(table) for table in self.tables] + [[key] for key in alone if key not in grouped]


def _require_distinct(keys: Iterable[str], what: str) -> None:
    keys = list(keys)
    if len(set(keys)) < len(keys):
        raise ValueError(f"{what} must be distinct")


async def put_vocabulary(
    session: AsyncSession, issuer_id: str, body: VocabularyBody, *, actor: str, now: datetime
) -> DemographicVocabulary:
    """Say what learners are asked from now on. What was said before stays said; a value that is no more counts as undisclosed."""
    content = body.model_dump(mode="json")
    row = await lock_vocabulary(session, issuer_id)
    if row is None:
        row = DemographicVocabulary(
            issuer_id=issuer_id, content=content, closes_at=quarter_of(now).ends_at, created_at=now, updated_at=now
        )
        session.add(row)
        enqueue(session, CLOSE_PERIOD_JOB, {"issuer_id": issuer_id}, run_at=row.closes_at)
    row.content, row.updated_at = content, now
    await session.flush()
    audit(session, issuer_id=issuer_id, actor=actor, action="demographic_vocabulary.put", object_id=issuer_id,
          content=content, at=now)  # fmt: skip
    record_event(session, issuer_id, "demographic_vocabulary.put", issuer_id, at=now)
    return row


async def get_vocabulary(session: AsyncSession, issuer_id: str) -> VocabularyBody:
    """Raises NoVocabulary."""
    row = await find_vocabulary(session, issuer_id)
    if row is None:
        raise NoVocabulary("The issuer does not ask learners about themselves.")
    return VocabularyBody.model_validate(row.content)
