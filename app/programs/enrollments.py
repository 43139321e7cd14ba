"""Verbs on enrollments: enroll a learner, change goal and context, move through the states."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Tenant
from app.audit.store import audit
from app.errors import Conflict, ExternalIdTaken, Forbidden
from app.events.store import record_event
from app.identifiers import new_id
from app.jobs.queue import enqueue
from app.keys.vault import Vault
from app.learners.recipients import Identities, find_or_create_learner, lock_current_learner, open_key
from app.learners.store import Learner, get_learner, list_same_person
from app.programs.cohorts import require_cohort_of
from app.programs.jobs import RECHECK_CONFLICTS_JOB
from app.programs.store import Enrollment, EnrollmentState, is_external_id_taken, lock_program

CONTEXT = ("goal", "problem_of_practice", "role", "school_type", "grade_band")
"""What is sealed of an enrollment: text or null under each of these names."""

TRANSITIONS: Mapping[str, frozenset[str]] = {
    "invited": frozenset({"enrolled", "withdrawn", "lapsed"}),
    "enrolled": frozenset({"active", "withdrawn", "lapsed"}),
    "active": frozenset({"completed", "withdrawn", "lapsed"}),
    "withdrawn": frozenset({"enrolled"}),
    "lapsed": frozenset({"enrolled"}),
    "completed": frozenset(),
}
"""Which states follow on which. Who withdrew or let it lapse may come back."""

BY_THE_LEARNER: Mapping[str, frozenset[str]] = {
    "invited": frozenset({"enrolled", "withdrawn"}),
    "enrolled": frozenset({"withdrawn"}),
    "active": frozenset({"withdrawn"}),
}
"""Those of them that learners make themselves: accept an invitation, and withdraw."""


class EnrollmentStateConflict(Conflict):
    """The state asked for does not follow on the one the enrollment is in."""

    code = "enrollment_state"


class AlreadyEnrolled(Conflict):
    code = "already_enrolled"


@dataclass(frozen=True, slots=True)
class EnrollmentFacts:
    """Somebody to be enrolled: by learner id, or by `recipient_external_id` and `recipient`. `context` has the keys CONTEXT."""

    external_id: str | None
    program_id: str
    cohort_id: str | None
    learner_id: str | None
    recipient_external_id: str | None
    recipient: Identities
    school: str | None
    state: EnrollmentState
    context: Mapping[str, str | None]


async def enroll(
    session: AsyncSession, vault: Vault, issuer_id: str, facts: EnrollmentFacts, *, actor: str, now: datetime
) -> tuple[Enrollment, Learner]:
    """Enroll somebody, who is found again or entered.

    Raises NotFound, ExternalIdTaken, CohortMismatch, AlreadyEnrolled, Gone for an erased learner, IdentityTaken.
    """
    # Locked: of two requests that enroll one person, under two names even, the second sees the first.
    program = await lock_program(session, issuer_id, facts.program_id)
    if facts.external_id and await is_external_id_taken(session, Enrollment, issuer_id, facts.external_id):
        raise ExternalIdTaken(f"There is already an enrollment with external_id {facts.external_id!r}.")
    learner = await _learner(session, vault, issuer_id, facts, actor, now)
    if facts.cohort_id is not None:
        await require_cohort_of(session, issuer_id, facts.cohort_id, program.id)
    await _require_not_enrolled(session, program.id, learner)
    enrollment_id = new_id()
    enrollment = Enrollment(
        issuer_id=issuer_id, id=enrollment_id, external_id=facts.external_id, program_id=program.id,
        cohort_id=facts.cohort_id, learner_id=learner.id, school=facts.school, state=facts.state,
        sealed_context=_seal(vault, learner, enrollment_id, facts.context), created_at=now, updated_at=now,
    )  # fmt: skip
    session.add(enrollment)
    await session.flush()
    content = {"program_id": program.id, "learner_id": learner.id, "state": facts.state}
    audit(session, issuer_id=issuer_id, actor=actor, action="enrollment.created", object_id=enrollment.id,
          content=content, at=now)  # fmt: skip
    record_event(session, issuer_id, "enrollment.created", enrollment.id, at=now, data=content)
    return enrollment, learner


def open_context(vault: Vault, learner: Learner, enrollment: Enrollment) -> dict[str, str | None]:
    """Goal and local context in the clear, by CONTEXT. Raises Gone after erasure."""
    found: dict[str, str | None] = open_key(vault, learner).open_json(
        enrollment.sealed_context, table="enrollment", row=enrollment.id, column="sealed_context"
    )
    return {name: found.get(name) for name in CONTEXT}


async def change_enrollment(
    session: AsyncSession,
    vault: Vault,
    enrollment: Enrollment,
    changes: Mapping[str, Any],
    *,
    actor: str,
    now: datetime,
) -> None:
    """Set what is given: the keys of CONTEXT, school, cohort_id. The row is locked by the caller.

    Another school may be an assessor's: their readings of the learner's work are looked over again. Raises NotFound,
    CohortMismatch, Gone after erasure.
    """
    learner = await get_learner(session, enrollment.issuer_id, enrollment.learner_id)
    texts = {name: value for name, value in changes.items() if name in CONTEXT}
    context = open_context(vault, learner, enrollment)
    enrollment.sealed_context = _seal(vault, learner, enrollment.id, context | texts)
    if changes.get("cohort_id") is not None:
        await require_cohort_of(session, enrollment.issuer_id, changes["cohort_id"], enrollment.program_id)
    if "cohort_id" in changes:
        enrollment.cohort_id = changes["cohort_id"]
    if "school" in changes and changes["school"] != enrollment.school:
        enrollment.school = changes["school"]
        payload = {"issuer_id": enrollment.issuer_id, "learner_id": enrollment.learner_id}
        enqueue(session, RECHECK_CONFLICTS_JOB, payload, run_at=now)
    enrollment.updated_at = now
    content = {"members": sorted(changes)}
    audit(session, issuer_id=enrollment.issuer_id, actor=actor, action="enrollment.changed", object_id=enrollment.id,
          content=content, at=now)  # fmt: skip
    record_event(session, enrollment.issuer_id, "enrollment.changed", enrollment.id, at=now, data=content)


def change_state(
    session: AsyncSession, tenant: Tenant, enrollment: Enrollment, state: EnrollmentState, *, now: datetime
) -> None:
    """Move the enrollment on (TRANSITIONS). The row is locked by the caller. Raises EnrollmentStateConflict.

    Learners accept and withdraw themselves (BY_THE_LEARNER); for what else they ask for they get Forbidden.
    """
    before = enrollment.state
    if state not in TRANSITIONS[before]:
        following = ", ".join(sorted(TRANSITIONS[before])) or "nothing"
        raise EnrollmentStateConflict(f"The enrollment is {before}.", cure=f"From there it can become: {following}.")
    if tenant.only_learner_id is not None and state not in BY_THE_LEARNER.get(before, ()):
        raise Forbidden("Learners accept an invitation and withdraw; the rest is done by the program.")
    enrollment.state, enrollment.updated_at = state, now
    content = {"before": before, "state": state}
    audit(session, issuer_id=enrollment.issuer_id, actor=tenant.actor, action="enrollment.state_changed",
          object_id=enrollment.id, content=content, at=now)  # fmt: skip
    record_event(session, enrollment.issuer_id, "enrollment.state_changed", enrollment.id, at=now, data=content)


async def _learner(
    session: AsyncSession, vault: Vault, issuer_id: str, facts: EnrollmentFacts, actor: str, now: datetime
) -> Learner:
    if facts.learner_id is not None:
        return await lock_current_learner(session, issuer_id, facts.learner_id)
    return await find_or_create_learner(
        session, vault, issuer_id,
        external_id=facts.recipient_external_id, identities=facts.recipient, actor=actor, now=now,
    )  # fmt: skip


async def _require_not_enrolled(session: AsyncSession, program_id: str, learner: Learner) -> None:
    person = await list_same_person(session, learner.issuer_id, learner.id)
    query = select(Enrollment.id).where(
        Enrollment.issuer_id == learner.issuer_id, Enrollment.program_id == program_id,
        Enrollment.learner_id.in_(person),
    )  # fmt: skip
    found = (await session.scalars(query.limit(1))).one_or_none()
    if found is not None:
        raise AlreadyEnrolled(
            f"The learner is enrolled in this program already: {found}.",
            cure=f"Change that enrollment: PATCH /v1/enrollments/{found}, or POST /v1/enrollments/{found}/state.",
        )


def _seal(vault: Vault, learner: Learner, enrollment_id: str, context: Mapping[str, str | None]) -> bytes:
    whole = {name: context.get(name) for name in CONTEXT}
    return open_key(vault, learner).seal_json(whole, table="enrollment", row=enrollment_id, column="sealed_context")
