"""Verbs on cohorts."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.errors import ExternalIdTaken, Fault, InvalidInput
from app.events.store import record_event
from app.identifiers import new_id
from app.programs.store import Cohort, get_cohort, get_program, is_external_id_taken


class CohortMismatch(InvalidInput):
    """A cohort that does not fit: of another program, or ending before it starts."""

    code = "cohort_mismatch"


async def create_cohort(
    session: AsyncSession,
    issuer_id: str,
    program_id: str,
    *,
    external_id: str | None,
    name: str,
    starts_on: date | None,
    ends_on: date | None,
    actor: str,
    now: datetime,
) -> Cohort:
    """A new cohort of the program. Raises NotFound, ExternalIdTaken, CohortMismatch."""
    await get_program(session, issuer_id, program_id)
    if external_id and await is_external_id_taken(session, Cohort, issuer_id, external_id):
        raise ExternalIdTaken(f"There is already a cohort with external_id {external_id!r}.")
    cohort = Cohort(
        issuer_id=issuer_id, id=new_id(), external_id=external_id, program_id=program_id, name=name,
        starts_on=starts_on, ends_on=ends_on, created_at=now, updated_at=now,
    )  # fmt: skip
    _require_order(cohort)
    session.add(cohort)
    await session.flush()
    _note(session, cohort, "created", actor, now)
    return cohort


async def change_cohort(
    session: AsyncSession, cohort: Cohort, changes: Mapping[str, Any], *, actor: str, now: datetime
) -> None:
    """Set what is given: name, starts_on, ends_on. Raises CohortMismatch."""
    for name, value in changes.items():
        setattr(cohort, name, value)
    _require_order(cohort)
    cohort.updated_at = now
    _note(session, cohort, "changed", actor, now)


async def require_cohort_of(session: AsyncSession, issuer_id: str, cohort_id: str, program_id: str) -> Cohort:
    """Raises NotFound, and CohortMismatch for a cohort of another program."""
    cohort = await get_cohort(session, issuer_id, cohort_id)
    if cohort.program_id != program_id:
        fault = Fault("/cohort_id", "is a cohort of another program", "name a cohort of the program enrolled in")
        raise CohortMismatch("The cohort belongs to another program.", faults=[fault])
    return cohort


def _require_order(cohort: Cohort) -> None:
    if cohort.starts_on and cohort.ends_on and cohort.ends_on < cohort.starts_on:
        raise CohortMismatch("The cohort ends before it starts.", faults=[Fault("/ends_on", "is before starts_on")])


def _note(session: AsyncSession, cohort: Cohort, what: str, actor: str, now: datetime) -> None:
    content = {"program_id": cohort.program_id}
    audit(session, issuer_id=cohort.issuer_id, actor=actor, action=f"cohort.{what}", object_id=cohort.id,
          content=content, at=now)  # fmt: skip
    record_event(session, cohort.issuer_id, f"cohort.{what}", cohort.id, at=now, data=content)
