"""What the readings of a submission recommend, as whoever decides on it sees it; and who may decide on it.

The assessors recommend, an approver decides. The levels of record are the resolution's, and the outcome is what the rule gives
for them: an approver confirms or returns it, and never writes a score.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Member
from app.access.store import Person
from app.achievements.rubric import shortfalls, unmet
from app.achievements.store import AchievementVersion, get_version
from app.assessors.store import find_assessor_of_person
from app.errors import Conflict, Forbidden
from app.keys.vault import Vault
from app.learners.recipients import open_key
from app.learners.store import get_learner
from app.programs.policy import get_policy
from app.programs.store import Enrollment, list_affiliations
from app.readings.store import Resolution, find_resolution, get_reading, list_readings
from app.readings.texts import open_texts
from app.scoring.award import open_details
from app.scoring.store import Outcome, get_decision
from app.submissions.store import Submission, TeamMember

LIVE = ("open", "assigned", "started")
"""The states of a reading that is still to come."""


class SubmissionNotResolved(Conflict):
    """There are no scores of record to decide on, or it was decided before."""

    code = "submission_not_resolved"


class ReadingOpen(Conflict):
    """A reading of the submission is still under way."""

    code = "reading_open"


class ApproverIsAssessor(Forbidden):
    """Who read a submission recommends; somebody else decides, unless the policy says otherwise."""

    code = "approver_is_assessor"


class ApproverConflict(Forbidden):
    """The approver stands too close to the learner."""

    code = "approver_conflict"


@dataclass(frozen=True, slots=True)
class Recommendation:
    """`levels` and the texts are by criterion; `assessors` are the codes of those whose readings it rests on."""

    submission: Submission
    version: AchievementVersion
    resolution: Resolution
    assessors: tuple[str, ...]
    levels: Mapping[str, str]
    rationales: Mapping[str, str]
    feedback: Mapping[str, str]

    @property
    def outcome(self) -> Outcome:
        return "not_yet" if shortfalls(self.version.content["rubric"], self.levels) else "awarded"

    @property
    def unmet(self) -> list[str]:
        return unmet(self.version.content["rubric"], self.levels)


async def require_resolution(session: AsyncSession, submission: Submission) -> Resolution:
    """The scores of record. Raises SubmissionNotResolved, or ReadingOpen."""
    readings = await list_readings(session, submission.issuer_id, submission.id)
    if submission.state in ("scoring", "resolved") and any(reading.state in LIVE for reading in readings):
        raise ReadingOpen("A reading of this submission is still under way.")
    resolution = await find_resolution(session, submission.issuer_id, submission.id)
    if submission.state != "resolved" or resolution is None:
        raise SubmissionNotResolved(f"There is nothing to decide: the submission is {submission.state}.")
    return resolution


async def open_recommendation(
    session: AsyncSession, vault: Vault, submission: Submission, resolution: Resolution
) -> Recommendation:
    """What a resolution recommends, with the texts of the reading of record. Raises Gone after the learner's erasure."""
    issuer_id = submission.issuer_id
    key = open_key(vault, await get_learner(session, issuer_id, submission.learner_id))
    readings = [await get_reading(session, issuer_id, each) for each in resolution.reading_ids]
    rationales, feedback = await _banked_texts(session, vault, submission)
    if readings:
        texts = open_texts(key, readings[0])
        rationales |= {criterion: each["rationale"] for criterion, each in texts.items()}
        feedback |= {criterion: each["feedback"] for criterion, each in texts.items() if each["feedback"] is not None}
    return Recommendation(
        submission=submission,
        version=await get_version(session, issuer_id, submission.achievement_id, submission.version),
        resolution=resolution,
        assessors=tuple(dict.fromkeys(each.assessor_code for each in readings if each.assessor_code is not None)),
        levels=dict(resolution.levels),
        rationales=rationales,
        feedback=feedback,
    )


async def _banked_texts(
    session: AsyncSession, vault: Vault, submission: Submission
) -> tuple[dict[str, str], dict[str, str]]:
    """Of the criteria that an earlier attempt met and nobody read again: what was said then."""
    rationales: dict[str, str] = {}
    feedback: dict[str, str] = {}
    for criterion, _, decision_id in submission.banked:
        earlier = await get_decision(session, submission.issuer_id, decision_id)
        learner = await get_learner(session, earlier.issuer_id, earlier.learner_id)
        details: dict[str, Any] = open_details(open_key(vault, learner), earlier)
        for texts, name in ((rationales, "rationales"), (feedback, "feedback")):
            if criterion in details.get(name, {}):
                texts[criterion] = details[name][criterion]
    return rationales, feedback


async def require_may_decide(session: AsyncSession, member: Member, submission: Submission) -> None:
    """Raises ApproverIsAssessor or ApproverConflict, by the policy that is pinned to the submission."""
    await require_not_close_to_work(session, member, submission)
    assessor = await find_assessor_of_person(session, member.issuer_id, member.person_id)
    if assessor is None:
        return
    of_theirs = [
        reading.state
        for reading in await list_readings(session, submission.issuer_id, submission.id)
        if reading.assessor_id == assessor.id
    ]
    if "recused" in of_theirs:
        raise ApproverConflict("You recused yourself from reading this submission.")
    if "submitted" not in of_theirs or submission.policy_version is None:
        return
    policy = await get_policy(session, submission.issuer_id, submission.program_id, submission.policy_version)
    if not policy.assessor_may_approve:
        raise ApproverIsAssessor("You have read this submission: you recommend, and somebody else decides.")


async def require_not_close_to_work(session: AsyncSession, member: Member, submission: Submission) -> None:
    """As `require_not_close`, to each of the authors of a submission."""
    for learner_id in await _list_authors(session, submission):
        await require_not_close(session, member, learner_id)


async def require_not_close(session: AsyncSession, member: Member, learner_id: str) -> None:
    """Raises ApproverConflict where the member is this learner, or affiliated with them."""
    learner = await get_learner(session, member.issuer_id, learner_id)
    ids = {learner.id, learner.merged_into} - {None}
    person = await session.get(Person, (member.issuer_id, member.person_id))
    if member.learner_id in ids or (person is not None and person.learner_id in ids):
        raise ApproverConflict("This is your own work.")
    for id_ in ids:
        affiliated = await list_affiliations(session, member.issuer_id, str(id_))
        if any(each.person_id == member.person_id for each in affiliated):
            raise ApproverConflict("You are affiliated with the learner.")


async def _list_authors(session: AsyncSession, submission: Submission) -> list[str]:
    """Ids of the learner and of the other members of their team."""
    if submission.team_id is None:
        return [submission.learner_id]
    query = (
        select(Enrollment.learner_id)
        .join(
            TeamMember,
            (TeamMember.issuer_id == Enrollment.issuer_id) & (TeamMember.enrollment_id == Enrollment.id),
        )
        .where(TeamMember.issuer_id == submission.issuer_id, TeamMember.team_id == submission.team_id)
    )
    others = (await session.scalars(query.order_by(Enrollment.learner_id))).all()
    return list(dict.fromkeys([submission.learner_id, *others]))
