"""Programs and enrollments as they are shown: with what can be earned, and with what is sealed in the clear."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.learners.store import get_learner
from app.programs.bodies import EnrollmentOut, ProgramOut
from app.programs.enrollments import open_context
from app.programs.programs import list_offered
from app.programs.store import Enrollment, Program, get_program
from app.resources import Resources


async def show_program(session: AsyncSession, world: Resources, program: Program) -> ProgramOut:
    """The program with what can be earned in it."""
    offered = await list_offered(session, program.issuer_id, program.id)
    return ProgramOut.of(program, offered, world.base_url)


async def show_enrollment(session: AsyncSession, world: Resources, enrollment: Enrollment) -> EnrollmentOut:
    """The enrollment with goal and context; of an erased learner without."""
    program = await get_program(session, enrollment.issuer_id, enrollment.program_id)
    learner = await get_learner(session, enrollment.issuer_id, enrollment.learner_id)
    texts = {} if learner.sealed_key is None else open_context(world.vault, learner, enrollment)
    return EnrollmentOut.of(enrollment, await show_program(session, world, program), texts)
