"""Verbs on assessors: enter one, change one, record their training, know who acts."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Member
from app.access.store import get_person, list_roles
from app.assessors.jobs import RECHECK_ASSESSOR_JOB
from app.assessors.store import Assessor, Training, find_assessor_of_person, list_trainings
from app.audit.store import audit
from app.errors import Conflict, Fault, Forbidden, InvalidInput
from app.events.store import record_event
from app.identifiers import new_id
from app.jobs.queue import enqueue


class AssessorTaken(Conflict):
    """The person is an assessor already, or the code is another assessor's."""

    code = "assessor_taken"


class PersonLacksRole(InvalidInput):
    """The person is neither assessor nor lead."""

    code = "person_lacks_role"


class NotAnAssessor(Forbidden):
    """The person who asks is not entered as an assessor, or not active any more."""

    code = "not_an_assessor"


class TrainingRecorded(Conflict):
    """The assessor's completion of the module is recorded already."""

    code = "training_recorded"


class TrainingInFuture(InvalidInput):
    """A module is said to be completed at a moment to come."""

    code = "training_in_future"


class TrainingIncomplete(Conflict):
    """A module that the scoring policy requires is missing."""

    code = "training_incomplete"


async def create_assessor(
    session: AsyncSession,
    issuer_id: str,
    *,
    person_id: str,
    code: str,
    school: str | None,
    actor: str,
    now: datetime,
) -> Assessor:
    """A new assessor. Raises NotFound for an unknown person, PersonLacksRole, AssessorTaken."""
    person = await get_person(session, issuer_id, person_id)
    roles = (await list_roles(session, issuer_id, [person_id]))[person_id]
    if not person.is_active or not {"assessor", "lead"}.intersection(roles):
        fault = Fault("/person_id", "has not the role assessor or lead", "give the person the role first")
        raise PersonLacksRole("Only a person with the role assessor or lead can assess.", faults=[fault])
    if await find_assessor_of_person(session, issuer_id, person_id) is not None:
        raise AssessorTaken("The person is an assessor already.")
    taken = select(Assessor.id).where(Assessor.issuer_id == issuer_id, Assessor.code == code)
    if (await session.scalars(taken)).first() is not None:
        raise AssessorTaken(f"The code {code} is another assessor's.", cure="Choose another code.")
    assessor = Assessor(
        issuer_id=issuer_id, id=new_id(), person_id=person_id, code=code, school=school, is_active=True, created_at=now,
        updated_at=now,
    )  # fmt: skip
    session.add(assessor)
    await session.flush()
    _note(session, assessor, "created", actor, now)
    return assessor


def change_assessor(
    session: AsyncSession,
    assessor: Assessor,
    *,
    school: str | None,
    is_active: bool,
    actor: str,
    now: datetime,
) -> None:
    """Move an assessor to another school, or let them stop or begin again. Their readings are looked at anew."""
    if (assessor.school, assessor.is_active) == (school, is_active):
        return
    assessor.school, assessor.is_active, assessor.updated_at = school, is_active, now
    payload = {"issuer_id": assessor.issuer_id, "assessor_id": assessor.id}
    enqueue(session, RECHECK_ASSESSOR_JOB, payload, run_at=now)
    _note(session, assessor, "changed", actor, now)


async def record_training(
    session: AsyncSession, assessor: Assessor, *, module: str, completed_at: datetime, actor: str, now: datetime
) -> Training:
    """Note that the assessor completed a module. Raises TrainingInFuture, TrainingRecorded."""
    if completed_at > now:
        fault = Fault("/completed_at", "lies in the future", "give the moment of completion")
        raise TrainingInFuture("The training is not completed yet.", faults=[fault])
    if module in (each.module for each in await list_trainings(session, assessor.issuer_id, assessor.id)):
        raise TrainingRecorded(f"That the assessor completed {module} is recorded already.")
    training = Training(
        issuer_id=assessor.issuer_id, assessor_id=assessor.id, module=module, completed_at=completed_at,
        recorded_by=actor,
    )  # fmt: skip
    session.add(training)
    assessor.updated_at = now
    await session.flush()
    audit(session, issuer_id=assessor.issuer_id, actor=actor, action="assessor.trained", object_id=assessor.id,
          content={"module": module}, at=now)  # fmt: skip
    record_event(session, assessor.issuer_id, "assessor.trained", assessor.id, at=now, data={"module": module})
    return training


async def require_trained(session: AsyncSession, assessor: Assessor, modules: list[str]) -> None:
    """Raises TrainingIncomplete, which names the modules that are missing."""
    done = {each.module for each in await list_trainings(session, assessor.issuer_id, assessor.id)}
    missing = [module for module in modules if module not in done]
    if missing:
        raise TrainingIncomplete(f"The assessor has not completed {', '.join(missing)}.")


async def get_acting_assessor(session: AsyncSession, member: Member) -> Assessor:
    """The assessor that the person who asks is. Raises NotAnAssessor."""
    assessor = await find_assessor_of_person(session, member.issuer_id, member.person_id)
    if assessor is None or not assessor.is_active:
        raise NotAnAssessor("You are not an active assessor of this issuer.")
    return assessor


def _note(session: AsyncSession, assessor: Assessor, what: str, actor: str, now: datetime) -> None:
    content = {"code": assessor.code, "school": assessor.school, "is_active": assessor.is_active}
    audit(session, issuer_id=assessor.issuer_id, actor=actor, action=f"assessor.{what}", object_id=assessor.id,
          content=content, at=now)  # fmt: skip
    record_event(session, assessor.issuer_id, f"assessor.{what}", assessor.id, at=now)
