"""An assessor's certification as a badge of their own: an Open Badges 3.0 Certification that ends when it does.

It is a decision like any other, with the program's panel as its source and the figures of the round that was passed as its
narrative. For each version of an achievement there is one achievement of this kind, made and published when the first assessor
is certified. Passing again renews the badge under its id; revoking the certification revokes it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Tenant
from app.access.store import Person, get_person
from app.achievements.bodies import AchievementContent, SettingsBody
from app.achievements.store import find_by_external_id as find_achievement
from app.achievements.store import get_version
from app.achievements.versions import change_settings, create_achievement, publish_version
from app.assessors.anchor_store import get_session
from app.assessors.certification import READING_STATES, state_at
from app.assessors.jobs import ISSUE_BADGE_JOB, REVOKE_BADGE_JOB
from app.assessors.store import (
    AnchorSession,
    Assessor,
    Certification,
    Panel,
    get_assessor,
    get_panel,
    lock_certification,
)
from app.credentials.in_time import in_time
from app.credentials.issue import PendingEdition, complete
from app.credentials.status import revoke
from app.credentials.store import find_award, find_credential_of_award
from app.keys.vault import Vault
from app.learners.recipients import Identities, RecipientNotIdentifiable
from app.learners.store import get_learner
from app.people.people import open_person_key
from app.people.store import PersonIdentity
from app.programs.store import get_program
from app.resources import Resources
from app.scoring.decide import record
from app.scoring.facts import CriterionResult, DecisionFacts
from app.scoring.store import find_by_external_id

log = structlog.get_logger(__name__)

_LEVELS = [{"key": "not-met", "name": "Not met"}, {"key": "met", "name": "Met"}]
_CRITERIA = {
    "exact-agreement": "Exact agreement with the true scores",
    "adjacency": "Ratings more than one level off",
    "same-decision": "The award decision of the true scores",
}


async def issue_certification_badge(world: Resources, issuer_id: str, certification_id: str) -> None:
    """Give a certified assessor their badge, or extend the one they have. Doing it again changes nothing.

    Nothing is issued to who is not certified any more, has no e-mail address here, or was erased as a learner: the certification
    stands without a badge.
    """

    async def first_commit(session: AsyncSession) -> PendingEdition | None:
        return await _record(session, world, issuer_id, certification_id)

    try:
        pending = await in_time(world, first_commit)
    except RecipientNotIdentifiable:
        log.info("certification_without_badge", certification=certification_id)
        return
    if pending is not None:
        await complete(world, pending)


async def revoke_certification_badge(world: Resources, issuer_id: str, certification_id: str) -> None:
    """End the badge of a certification that was revoked. Raises CredentialPending while it is being signed."""
    async with world.database.transaction() as session:
        certification = await lock_certification(session, issuer_id, certification_id)
        if certification.state != "revoked" or certification.decision_id is None:
            return
        award = await find_award(session, issuer_id, certification.decision_id)
        credential = None if award is None else await find_credential_of_award(session, issuer_id, award.id)
        if credential is not None and credential.state != "failed":
            await revoke(
                session, world, issuer_id, credential.id,
                reason="The certification was revoked.", actor=f"job:{REVOKE_BADGE_JOB}", now=world.clock.now(),
            )  # fmt: skip


async def _record(
    session: AsyncSession, world: Resources, issuer_id: str, certification_id: str
) -> PendingEdition | None:
    now, tenant = world.clock.now(), Tenant(issuer_id, f"job:{ISSUE_BADGE_JOB}", frozenset())
    certification = await lock_certification(session, issuer_id, certification_id)
    if state_at(certification, now) not in READING_STATES or certification.qualification_id is None:
        return None
    assert certification.valid_from is not None
    external_id = f"certification-{certification.id}-{certification.valid_from:%Y%m%dT%H%M%SZ}"
    if await find_by_external_id(session, issuer_id, external_id) is not None:
        return None
    assessor = await get_assessor(session, issuer_id, certification.assessor_id)
    person = await get_person(session, issuer_id, assessor.person_id)
    recipient = await _recipient(session, world.vault, person)
    if recipient is None:
        return None
    qualification = await get_session(session, issuer_id, certification.qualification_id)
    achievement_id = await _achievement(session, world, certification, tenant.actor, now)
    program = await get_program(session, issuer_id, qualification.program_id)
    decision, pending = await record(
        session, world, tenant,
        DecisionFacts(
            external_id=external_id,
            achievement_id=achievement_id,
            version=None,
            learner_id=person.learner_id,
            recipient_external_id=None,
            recipient=recipient,
            outcome="awarded",
            decided_at=certification.valid_from,
            panel_id=program.panel_id,
            assessors=_judges(await get_panel(session, issuer_id, program.panel_id), assessor),
            results=_results(qualification),
            evidence=(),
            narrative=_narrative(qualification),
            renews_id=await _renewable(session, certification),
        ),
    )  # fmt: skip
    certification.decision_id, certification.updated_at = decision.id, now
    await _tie(session, person, decision.learner_id, now)
    return pending


async def _recipient(session: AsyncSession, vault: Vault, person: Person) -> Identities | None:
    """Name and first e-mail address of the person; None when there is no address or their data is gone."""
    if person.sealed_key is None:
        return None
    if person.learner_id is not None and (await _current(session, person)) is None:
        return None
    query = select(PersonIdentity).where(
        PersonIdentity.issuer_id == person.issuer_id,
        PersonIdentity.person_id == person.id,
        PersonIdentity.kind.in_(("name", "email")),
    )
    rows = (await session.scalars(query.order_by(PersonIdentity.created_at, PersonIdentity.id))).all()
    key = open_person_key(vault, person)
    known: dict[str, str] = {}
    for row in rows:
        value = key.open(row.sealed_value, table="person_identity", row=row.id, column="sealed_value").decode()
        known.setdefault(row.kind, value)
    return Identities(name=known.get("name"), email=known["email"]) if "email" in known else None


async def _current(session: AsyncSession, person: Person) -> str | None:
    """The learner that the person is, unless erased."""
    assert person.learner_id is not None
    learner = await get_learner(session, person.issuer_id, person.learner_id)
    if learner.merged_into is not None:
        learner = await get_learner(session, person.issuer_id, learner.merged_into)
    return None if learner.sealed_key is None else learner.id


async def _achievement(
    session: AsyncSession, world: Resources, certification: Certification, actor: str, now: datetime
) -> str:
    """The achievement that certifies assessors of this version, published; its validity is that of this certification."""
    assert certification.valid_from is not None
    assert certification.valid_until is not None
    days = (certification.valid_until - certification.valid_from).days
    external_id = f"assessor-certification-{certification.achievement_id}-v{certification.version}"
    found = await find_achievement(session, certification.issuer_id, external_id)
    if found is not None:
        if found.settings["validity_days"] != days:
            settings = {**found.settings, "validity_days": days, "renewal_reminder_days": None}
            change_settings(session, found, settings=settings, actor=actor, now=now)
            await session.flush()
        return found.id
    judged = await get_version(session, certification.issuer_id, certification.achievement_id, certification.version)
    content = _content(str(judged.content["name"]), certification.version)
    achievement, version = await create_achievement(
        session, certification.issuer_id, external_id=external_id, content=content,
        settings=SettingsBody(validity_days=days).model_dump(), actor=actor, now=now,
    )  # fmt: skip
    await publish_version(session, world, achievement, version, actor=actor, now=now)
    return achievement.id


def _content(name: str, version: int) -> dict[str, Any]:
    criteria = [
        {"key": key, "name": text, "passing_level": "met", "levels": _LEVELS} for key, text in _CRITERIA.items()
    ]
    return AchievementContent.model_validate(
        {
            "name": f"Certified assessor: {name}"[:300].strip(),
            "description": f"Reads evidence submitted for {name}, version {version}, as its rubric means it.",
            "achievement_type": "Certification",
            "criteria": {
                "narrative": "In a qualification round, submissions whose true scores are known were scored on every "
                "criterion of the rubric. The scores agreed with the true ones as far as the program's scoring policy asks: "
                "exactly, in how many were more than one level off, and in the decisions they lead to."
            },
            "rubric": {"criteria": criteria, "decision_rule": {"type": "all"}},
        }
    ).facts()


def _judges(panel: Panel, assessor: Assessor) -> tuple[str, ...]:
    """The panel as a whole judged, by its anchors; nobody judged themselves."""
    others = tuple(code for code in panel.members if code != assessor.code)
    return others or tuple(panel.members)


def _results(qualification: AnchorSession) -> tuple[CriterionResult, ...]:
    result = _result(qualification)
    reasons = {
        "exact-agreement": f"{result['exact']} of {result['ratings']} ratings; {result['required_percent']} % were needed.",
        "adjacency": f"{result['non_adjacent']} of {result['ratings']} ratings.",
        "same-decision": f"{result['same_decision']} of {result['anchors']} submissions.",
    }
    return tuple(CriterionResult(key, "met", reasons[key]) for key in _CRITERIA)


def _narrative(qualification: AnchorSession) -> str:
    result = _result(qualification)
    return (
        f"Qualified on {result['anchors']} submissions with known scores ({result['ratings']} ratings): "
        f"{result['exact']} ratings exact ({result['exact_percent']} %), {result['adjacent']} one level off, "
        f"{result['non_adjacent']} further off; {result['same_decision']} of {result['anchors']} decisions the same."
    )


def _result(qualification: AnchorSession) -> Mapping[str, Any]:
    assert qualification.result is not None
    return qualification.result


async def _renewable(session: AsyncSession, certification: Certification) -> str | None:
    """The decision whose badge this certification extends, if that badge still stands."""
    if certification.decision_id is None:
        return None
    award = await find_award(session, certification.issuer_id, certification.decision_id)
    credential = None if award is None else await find_credential_of_award(session, certification.issuer_id, award.id)
    return certification.decision_id if credential is not None and credential.state in ("issued", "pending") else None


async def _tie(session: AsyncSession, person: Person, learner_id: str, now: datetime) -> None:
    """The person is this learner from now on, unless they or somebody else are tied already. No role comes with it."""
    query = select(Person.id).where(Person.issuer_id == person.issuer_id, Person.learner_id == learner_id)
    if person.learner_id is None and (await session.scalars(query)).first() is None:
        person.learner_id, person.updated_at = learner_id, now
