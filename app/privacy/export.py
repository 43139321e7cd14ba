"""Everything this service holds about one person."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.store import Person, list_roles, list_sessions
from app.appeals.appeal import open_texts as open_appeal
from app.appeals.store import list_appeals_of_learners
from app.assessors.anchors import list_anchors_of
from app.credentials.fetch import fetch_reason, open_body
from app.credentials.profiles import DEFAULT
from app.credentials.store import list_credentials_of_learner, list_editions, list_representations
from app.demographics.tell import tell_declaration
from app.events.store import list_events_about
from app.keys.vault import PersonalKey, Vault
from app.learners.recipients import open_key, open_known, primary_of
from app.learners.store import Learner, list_merged
from app.misconduct.store import list_cases_of_learners
from app.misconduct.texts import open_texts as open_case
from app.pathways.reasons import open_reason
from app.pathways.store import list_proposals_of_learners
from app.people.identities import list_person_identities, open_person_key, open_person_value
from app.people.store import list_mails
from app.programs.enrollments import open_context
from app.programs.store import list_all_affiliations, list_enrollments_of_learners
from app.readings.tell import tell_readings
from app.recognition.store import list_recognized
from app.scoring.award import open_details
from app.scoring.returned import open_return
from app.scoring.store import list_decisions_of_learners
from app.submissions.answer import tell_submission
from app.submissions.store import list_submissions_of_learners
from app.submissions.support import open_support


async def export_learner(session: AsyncSession, vault: Vault, learner: Learner) -> dict[str, Any]:
    """Identities, submissions, decisions with their details, badges with every edition, and events. Raises Gone after erasure.

    So of all who were merged into the learner: what was sealed for them opens with their own keys.
    """
    merged = await list_merged(session, learner.issuer_id, learner.id)
    people = {each.id: each for each in (learner, *merged)}
    keys = {id_: open_key(vault, each) for id_, each in people.items()}
    known = await open_known(session, vault, learner)
    decisions = await list_decisions_of_learners(session, learner.issuer_id, list(keys))
    credentials = await list_credentials_of_learner(session, learner.issuer_id, learner.id)
    badges = []
    for credential in credentials:
        editions = []
        for edition in await list_editions(session, learner.issuer_id, credential.id):
            line: dict[str, Any] = {"number": edition.number, "state": edition.state, "valid_from": edition.valid_from}
            if edition.state in ("issued", "superseded"):
                bodies = {
                    each.profile: open_body(keys[edition.learner_id], each).decode()
                    for each in await list_representations(session, edition)
                }
                line["document"] = json.loads(bodies.pop(DEFAULT))
                # In the exact bytes, with the one for the holder alone: to derive from it is their own business.
                line["representations"] = bodies
            editions.append(line)
        reason = await fetch_reason(session, vault, credential)
        badges.append({"id": credential.id, "state": credential.state, "status_reason": reason, "editions": editions})
    enrollments = await list_enrollments_of_learners(session, learner.issuer_id, list(keys))
    submissions = await list_submissions_of_learners(session, learner.issuer_id, list(keys))
    appeals = await list_appeals_of_learners(session, learner.issuer_id, list(keys))
    holders = {each.id: each for each in (learner, *merged)}
    objects = [
        *keys,
        *(each.id for each in enrollments),
        *(each.id for each in submissions),
        *(each.id for each in decisions),
        *(each.id for each in appeals),
        *(each.id for each in credentials),
    ]
    return {
        "id": learner.id,
        "external_id": learner.external_id,
        "created_at": learner.created_at,
        "identities": dict(primary_of(known).items()),
        "other_identities": [{"kind": each.kind, "value": each.value} for each in known if not each.is_primary],
        "merged": [{"id": each.id, "external_id": each.external_id, "created_at": each.created_at} for each in merged],
        "submissions": [
            (await tell_submission(session, vault, each, holders[each.learner_id])).model_dump(
                mode="json", exclude={"shared_artifacts"}
            )
            | {"support_note": open_support(keys[each.learner_id], each)}
            # As with the readings it speaks of: nothing before the decision.
            | {"return_reason": open_return(keys[each.learner_id], each) if each.state == "decided" else None}
            for each in submissions
        ],
        "decisions": [
            {
                "id": decision.id,
                "external_id": decision.external_id,
                "achievement_id": decision.achievement_id,
                "version": decision.version,
                "outcome": decision.outcome,
                "levels": dict(decision.levels),
                "decided_at": decision.decided_at,
                "recorded_at": decision.recorded_at,
                "supersedes": decision.supersedes_id,
                "renews": decision.renews_id,
                "submission_id": decision.submission_id,
                "reason_code": decision.reason_code,
                **open_details(keys[decision.learner_id], decision),
            }
            for decision in decisions
        ],
        "appeals": [
            {
                "id": appeal.id,
                "decision_id": appeal.decision_id,
                "state": appeal.state,
                "outcome": appeal.outcome,
                "filed_at": appeal.filed_at,
                "decided_at": appeal.decided_at,
                **open_appeal(vault, appeal, holders[appeal.learner_id]),
            }
            for appeal in appeals
        ],
        "readings": await tell_readings(session, learner.issuer_id, keys),
        "credentials": badges,
        "recognitions": [
            {
                "credential_id": each.credential_id,
                "outcome": each.outcome,
                "credit": each.credit,
                "standing": each.standing,
                "verified_at": each.verified_at,
            }
            for each in await list_recognized(session, [credential.id for credential in credentials])
        ],
        "anchors": [
            {
                "id": anchor.id,
                "achievement_id": anchor.achievement_id,
                "version": anchor.version,
                "content": anchor.content,
            }
            for anchor in await list_anchors_of(session, learner.issuer_id, list(keys))
        ],
        "person": await _export_person(session, vault, learner),
        "enrollments": [
            {
                "id": each.id,
                "external_id": each.external_id,
                "program_id": each.program_id,
                "cohort_id": each.cohort_id,
                "school": each.school,
                "state": each.state,
                "created_at": each.created_at,
                "updated_at": each.updated_at,
                **open_context(vault, holders[each.learner_id], each),
            }
            for each in enrollments
        ],
        "misconduct_cases": [
            {
                "id": each.id,
                "submission_id": each.submission_id,
                "state": each.state,
                "outcome": each.outcome,
                "effect": each.effect,
                "opened_at": each.opened_at,
                "closed_at": each.closed_at,
                **open_case(keys[each.learner_id], each),
            }
            for each in await list_cases_of_learners(session, learner.issuer_id, list(keys))
        ],
        "pathway_proposals": [
            {
                "id": each.id,
                "pathway_id": each.pathway_id,
                "version": each.version,
                "state": each.state,
                "credentials": each.components,
                "decision_id": each.decision_id,
                "reason": open_reason(keys[each.learner_id], each),
                "proposed_at": each.proposed_at,
                "decided_at": each.decided_at,
                "review_since": each.review_since,
            }
            for each in await list_proposals_of_learners(session, learner.issuer_id, list(keys))
        ],
        "affiliations": [
            {"id": each.id, "kind": each.kind, "declared_at": each.created_at, "ended_at": each.ended_at}
            for each in await list_all_affiliations(session, learner.issuer_id, list(keys))
        ],
        "demographics": await _tell_demographics(session, learner.issuer_id, keys),
        "events": [
            {"position": event.position, "type": event.type, "object_id": event.object_id, "at": event.occurred_at}
            for event in await list_events_about(session, learner.issuer_id, objects)
        ],
    }


async def _tell_demographics(
    session: AsyncSession, issuer_id: str, keys: Mapping[str, PersonalKey]
) -> dict[str, Any] | None:
    found = await tell_declaration(session, issuer_id, keys)
    return None if found is None else {"values": found[1], "declared_at": found[0].declared_at}


async def _export_person(session: AsyncSession, vault: Vault, learner: Learner) -> dict[str, Any] | None:
    """What is held about the person that the learner signs in as, if they do."""
    query = select(Person).where(Person.issuer_id == learner.issuer_id, Person.learner_id == learner.id)
    person = (await session.scalars(query)).one_or_none()
    if person is None:
        return None
    key = open_person_key(vault, person)
    identities = await list_person_identities(session, person.issuer_id, [person.id])
    return {
        "id": person.id,
        "external_id": person.external_id,
        "is_active": person.is_active,
        "created_at": person.created_at,
        "roles": (await list_roles(session, person.issuer_id, [person.id]))[person.id],
        "identities": [
            {"kind": row.kind, "value": open_person_value(key, row), "oidc_provider_id": row.provider_id}
            for row in identities[person.id]
        ],
        "sessions": [
            {"kind": each.kind, "name": each.name, "created_at": each.created_at, "last_used_at": each.last_used_at}
            for each in await list_sessions(session, person.issuer_id, person.id)
        ],
        "mails": [
            {"purpose": mail.purpose, "state": mail.state, "created_at": mail.created_at, "sent_at": mail.sent_at}
            for mail in await list_mails(session, person.issuer_id, person.id)
        ],
    }
