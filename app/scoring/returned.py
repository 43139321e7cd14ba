"""Why an approver did not confirm what readings recommended, and asked for an adjudication: for staff, never for who reads.

The reason may speak of earlier scores. Whoever reads the submission, or may be asked to, does not see it.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Member
from app.assessors.store import find_assessor_of_person, get_panel
from app.errors import Forbidden
from app.keys.vault import PersonalKey, Vault
from app.learners.recipients import open_key
from app.learners.store import get_learner
from app.programs.store import get_program
from app.readings.store import LIVE, list_readings
from app.scoring.recommendation import require_not_close_to_work
from app.submissions.store import Submission


class ReaderStaysBlind(Forbidden):
    """Who reads a submission, or may be asked to, sees nothing of what others found."""

    code = "reader_stays_blind"


def seal_return(key: PersonalKey, submission: Submission, reason: str) -> None:
    """Keep the reason with the submission, under the learner's key. A later return replaces it."""
    submission.sealed_return = key.seal(reason.encode(), table="submission", row=submission.id, column="sealed_return")


def open_return(key: PersonalKey, submission: Submission) -> str | None:
    """Why the submission was last returned to scoring; None if it never was. Raises Unreadable."""
    if submission.sealed_return is None:
        return None
    return key.open(submission.sealed_return, table="submission", row=submission.id, column="sealed_return").decode()


async def fetch_return(session: AsyncSession, vault: Vault, member: Member, submission: Submission) -> str | None:
    """The reason, for a lead, approver or director; None if there is none. Raises ReaderStaysBlind, ApproverConflict, Gone after
    erasure."""
    await require_not_close_to_work(session, member, submission)
    await _require_not_reader(session, member, submission)
    key = open_key(vault, await get_learner(session, submission.issuer_id, submission.learner_id))
    return open_return(key, submission)


async def _require_not_reader(session: AsyncSession, member: Member, submission: Submission) -> None:
    assessor = await find_assessor_of_person(session, member.issuer_id, member.person_id)
    if assessor is None:
        return
    theirs = [
        each.state
        for each in await list_readings(session, submission.issuer_id, submission.id)
        if each.assessor_id == assessor.id
    ]
    # Who has submitted a reading is not asked again, and is told once all have been.
    if "submitted" in theirs and submission.state == "decided" and not set(LIVE).intersection(theirs):
        return
    program = await get_program(session, submission.issuer_id, submission.program_id)
    panel = await get_panel(session, submission.issuer_id, program.panel_id)
    if theirs or assessor.code in panel.members:
        raise ReaderStaysBlind("You read this submission, or may be asked to: you are not told what others found.")
