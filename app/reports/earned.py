"""The badges of a program, as of a moment: those of the people enrolled, those of the pathways that these count for, and those
of its assessors for reading."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.store import AchievementVersion
from app.assessors.store import Certification
from app.credentials.store import Credential, Edition
from app.db import read_rows
from app.events.store import Event
from app.learners.store import load_merged
from app.pathways.store import PathwayComponent, PathwayVersion
from app.programs.store import ProgramAchievement
from app.reports.decided import DecisionRow
from app.reports.filters import Reported
from app.reports.people import People
from app.scoring.store import Decision

MICRO_CREDENTIAL = "MicroCredential"
PATHWAY = "Pathway"

_CHANGES = {"credential.revoked": "revoked", "credential.suspended": "suspended", "credential.reinstated": "issued"}


@dataclass(frozen=True, slots=True)
class Badge:
    """A badge, as the edition says that was served at the moment, which rests on `decision_id`. `is_of_submission` is whether it
    rests on a submission of the program; `kind` is the achievement's type, such as `MicroCredential`."""

    id: str
    person_id: str
    achievement_id: str
    version: int
    is_of_submission: bool
    decision_id: str
    awarded_at: datetime
    valid_until: datetime | None
    kind: str
    state: str

    @property
    def stands(self) -> bool:
        """Whether it has been earned and not been taken back: also one that is suspended, or has run out."""
        return self.state != "revoked"


async def load_badges(
    session: AsyncSession, reported: Reported, people: People, decisions: Mapping[str, DecisionRow]
) -> list[Badge]:
    """The badges of the people asked for that were issued by the moment, for the achievement asked for. `decisions` are all of
    the program.

    A badge that rests on a submission belongs to the submission's program. One that does not (a partner decided, or it is an
    earlier award that was taken over) belongs to each program that has the achievement and the person enrolled.
    """
    filters = reported.filters
    achievements = {each.achievement_id for each in decisions.values()}
    enrolled = {each.id for each in people.list_enrolled()}
    found = await _load(session, reported, Credential.achievement_id.in_(achievements), decisions)
    return [
        badge
        for badge in found
        if badge.person_id in (people.shown if badge.is_of_submission else enrolled)
        and filters.is_about(badge.achievement_id, badge.version)
    ]


async def load_certifications(session: AsyncSession, reported: Reported) -> list[Badge]:
    """The badges of assessors that certify them for one of the program's achievements, or for the one asked for."""
    filters = reported.filters
    query = (
        select(Decision.achievement_id, Certification.achievement_id, Certification.version)
        .join(
            Certification,
            (Certification.issuer_id == Decision.issuer_id) & (Certification.decision_id == Decision.id),
        )
        .where(Decision.issuer_id == reported.issuer_id, Certification.achievement_id.in_(_achievements(reported)))
        .distinct()
    )
    asked = [
        certifying
        for certifying, achievement_id, version in (await session.execute(query)).all()
        if filters.is_about(achievement_id, version)
    ]
    return await _load(session, reported, Credential.achievement_id.in_(asked)) if asked else []


async def load_stacks(session: AsyncSession, reported: Reported, people: People) -> list[Badge]:
    """The badges that people asked for earned by a pathway which counts one of the program's achievements, or the one asked for.

    Where the program has the pathway's achievement as one of its own, `load_badges` has them.
    """
    filters = reported.filters
    counted = _achievements(reported)
    if filters.achievement_id is not None:
        counted = counted.where(ProgramAchievement.achievement_id == filters.achievement_id)
    stacks = (
        select(PathwayVersion.achievement_id)
        .join(
            PathwayComponent,
            (PathwayComponent.issuer_id == PathwayVersion.issuer_id)
            & (PathwayComponent.pathway_id == PathwayVersion.pathway_id)
            & (PathwayComponent.version == PathwayVersion.version),
        )
        .where(
            PathwayVersion.issuer_id == reported.issuer_id,
            PathwayComponent.achievement_id.in_(counted),
            PathwayVersion.achievement_id.not_in(_achievements(reported)),
        )
    )
    proposed = select(Decision.id).where(Decision.issuer_id == reported.issuer_id, Decision.proposal_id.is_not(None))
    which = Edition.decision_id.in_(proposed) & Credential.achievement_id.in_(stacks)
    enrolled = {each.id for each in people.list_enrolled()}
    found = await _load(session, reported, which)
    return [replace(badge, kind=PATHWAY) for badge in found if badge.person_id in enrolled]


def _achievements(reported: Reported) -> Select[str]:
    return select(ProgramAchievement.achievement_id).where(
        ProgramAchievement.issuer_id == reported.issuer_id, ProgramAchievement.program_id == reported.program.id
    )


async def _load(
    session: AsyncSession,
    reported: Reported,
    which: ColumnElement[bool],
    decisions: Mapping[str, DecisionRow] | None = None,
) -> list[Badge]:
    """`decisions` are those that the editions must rest on, if not any will do."""
    issuer_id, as_of = reported.issuer_id, reported.filters.as_of
    query = (
        select(
            Credential.id, Credential.award_id, Credential.learner_id, Credential.achievement_id, Edition.version,
            Edition.decision_id, Edition.awarded_date, Edition.valid_until, Credential.state,
        )
        .join(Credential, (Credential.issuer_id == Edition.issuer_id) & (Credential.id == Edition.credential_id))
        .where(Edition.issuer_id == issuer_id, Edition.issued_at <= as_of, which)
        .order_by(Edition.number)
    )  # fmt: skip
    merged = await load_merged(session, issuer_id)
    kinds = await _load_kinds(session, issuer_id)
    states = await _load_states(session, reported)
    badges: dict[str, Badge] = {}
    for row in await read_rows(session, query):
        id_, award_id, learner_id, achievement_id, version, decision_id, awarded_at, ends_at, state = row
        before, decision = badges.get(award_id), None
        if decisions is not None and (decision := decisions.get(decision_id)) is None:
            continue
        is_of_submission = decision is not None and decision.submission_id is not None
        badges[award_id] = Badge(
            id_, merged.get(learner_id, learner_id), achievement_id, version,
            is_of_submission or (before is not None and before.is_of_submission), decision_id, awarded_at, ends_at,
            kinds[achievement_id, version], states.get(id_, state),
        )  # fmt: skip
    return list(badges.values())


async def _load_kinds(session: AsyncSession, issuer_id: str) -> dict[tuple[str, int], str]:
    kind = AchievementVersion.content["achievement_type"].as_string()
    query = select(AchievementVersion.achievement_id, AchievementVersion.version, kind).where(
        AchievementVersion.issuer_id == issuer_id
    )
    return {(id_, version): kind or "Achievement" for id_, version, kind in (await session.execute(query)).all()}


async def _load_states(session: AsyncSession, reported: Reported) -> dict[str, str]:
    """By id the states at the moment of the badges that have changed since, or were ever taken back."""
    issuer_id, as_of = reported.issuer_id, reported.filters.as_of
    changed = select(Credential.id).where(Credential.issuer_id == issuer_id, Credential.updated_at > as_of)
    query = (
        select(Event.object_id, Event.type, Event.occurred_at)
        .where(Event.issuer_id == issuer_id, Event.object_id.in_(changed), Event.type.in_(list(_CHANGES)))
        .order_by(Event.object_id, Event.position)
    )
    states: dict[str, str] = {}
    for id_, type_, moment in (await session.execute(query)).all():
        state = states.setdefault(id_, "issued")
        states[id_] = _CHANGES[type_] if moment <= as_of else state
    return states
