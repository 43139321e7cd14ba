"""A reading in its assessor's hands: everything they do with it begins here, with the same checks in the same order."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Member
from app.assessors.anchor_work import get_anchor_file, open_anchor_work
from app.assessors.store import Anchor, Assessor, Certification, find_assessor_of_person
from app.errors import Broken, Conflict, Forbidden, NotFound
from app.keys.vault import Vault
from app.learners.store import Learner
from app.readings.conflicts import ConflictOfInterest, find_conflict
from app.readings.entitled import (
    get_current_policy,
    get_pinned_policy,
    is_on_panel,
    is_readable,
    require_entitled,
    roles_for,
)
from app.readings.store import LIVE, Reading, get_reading, lock_reading
from app.submissions.evidence import EvidenceMissing
from app.submissions.store import Artifact, Submission, get_submission, lock_submission
from app.submissions.work import Work, get_evidence, open_work


class ReadingSubmitted(Conflict):
    """The reading was submitted: it never changes."""

    code = "reading_submitted"


class ReadingReassigned(Conflict):
    """The reading was taken from the assessor, or given back by them."""

    code = "reading_reassigned"


class NoLongerReader(ReadingReassigned):
    """The assessor left the program's panel, or has not the role that the reading takes: somebody else reads."""


class ReadingExpired(Conflict):
    """The lease of the reading is over."""

    code = "reading_expired"


class ReadingCancelled(Conflict):
    """There is nothing to read any more: the work was withdrawn, held, voided or erased."""

    code = "reading_cancelled"


@dataclass(frozen=True, slots=True)
class Held:
    """An assessor's own reading and what it is of: a submission, or an anchor that looks like one."""

    reading: Reading
    assessor: Assessor
    roles: frozenset[str]
    submission: Submission | None
    anchor: Anchor | None

    @property
    def subject(self) -> Submission | Anchor:
        """Of which achievement version it is."""
        found = self.submission or self.anchor
        assert found is not None
        return found


async def get_own_assessor(session: AsyncSession, member: Member) -> Assessor:
    """The person as an assessor. Raises Forbidden when they have the role and were not entered as one."""
    assessor = await find_assessor_of_person(session, member.issuer_id, member.person_id)
    if assessor is None:
        raise Forbidden("You are not entered as an assessor.", cure="A lead enters you, with a code of your own.")
    return assessor


async def get_held(session: AsyncSession, member: Member, reading_id: str, *, lock: bool = False) -> Held:
    """The member's own reading; with `lock` its submission and itself are locked. Raises NotFound, also for somebody else's."""
    assessor = await find_assessor_of_person(session, member.issuer_id, member.person_id)
    reading = await session.get(Reading, (member.issuer_id, reading_id))
    if assessor is None or reading is None or reading.assessor_id != assessor.id:
        raise NotFound("There is no reading with this id.")
    submission = anchor = None
    if reading.submission_id is not None:
        find = lock_submission if lock else get_submission
        submission = await find(session, reading.issuer_id, reading.submission_id)
    if reading.anchor_id is not None:
        anchor = await session.get_one(Anchor, (reading.issuer_id, reading.anchor_id))
    again = lock_reading if lock else get_reading
    return Held(await again(session, reading.issuer_id, reading_id), assessor, member.roles, submission, anchor)


async def require_live(session: AsyncSession, held: Held, now: datetime) -> None:
    """Raises ReadingSubmitted, ReadingExpired, ReadingCancelled, ReadingReassigned."""
    reading = held.reading
    if reading.state == "submitted":
        raise ReadingSubmitted("The reading was submitted already.")
    if reading.state == "expired" or (reading.state in LIVE and reading.due_at is not None and now >= reading.due_at):
        raise ReadingExpired("The time for this reading is over; somebody else reads the work.")
    if held.submission is not None:
        gone = not await is_readable(session, held.submission, reading.kind)
    else:
        gone = held.anchor is not None and not held.anchor.content  # the learner whose work it was is erased
    if reading.state == "cancelled" or (reading.state in LIVE and gone):
        raise ReadingCancelled("There is nothing to read here any more.")
    if reading.state not in LIVE:
        raise ReadingReassigned("The reading is not yours any more.")


async def require_may_read(session: AsyncSession, held: Held, now: datetime) -> Certification:
    """As `require_live`; also raises NoLongerReader, NotCertified, CalibrationOverdue and ConflictOfInterest, as of now."""
    await require_live(session, held, now)
    on_panel = await is_on_panel(session, held.assessor, held.reading)
    if not on_panel or not held.roles.intersection(roles_for(held.reading.kind)):
        raise NoLongerReader("The reading is not yours any more.")
    if held.submission is not None:
        policy = await get_pinned_policy(session, held.submission)
    else:
        policy = await get_current_policy(session, held.reading.issuer_id, held.reading.program_id)
    subject = held.subject
    certification = await require_entitled(session, held.assessor, subject.achievement_id, subject.version, policy, now)
    if held.submission is not None and await find_conflict(session, held.assessor, held.submission) is not None:
        raise ConflictOfInterest("You stand too close to who did this work to judge it.")
    return certification


async def open_held_work(session: AsyncSession, vault: Vault, held: Held) -> Work:
    """What there is to read. Raises Gone for an erased learner."""
    if held.submission is not None:
        return await open_work(session, vault, held.submission)
    if held.anchor is None:
        raise Broken("A reading is of nothing.")
    return await open_anchor_work(session, held.anchor)


async def get_held_file(
    session: AsyncSession, vault: Vault, held: Held, artifact_id: str
) -> tuple[Artifact, Learner, str]:
    """A file of the work that was started, whose it is and its neutral name.

    An anchor's is refused in the words in which a submission's is. Raises NotFound and EvidenceMissing.
    """
    shown = None
    if held.reading.state == "started":
        work = await open_held_work(session, vault, held)
        shown = next((each for each in work.artifacts if each.id == artifact_id), None)
    if shown is None:
        raise NotFound("The work has no artifact with this id.")
    if shown.url is not None:
        raise EvidenceMissing("No file was uploaded for this artifact.")
    if held.anchor is not None:
        return await get_anchor_file(session, held.anchor, artifact_id)
    assert held.submission is not None
    return *await get_evidence(session, held.submission, artifact_id), shown.name
