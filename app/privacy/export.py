"""Everything this service holds about one person."""

import json
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.credentials.fetch import fetch_reason
from app.credentials.store import get_representation, list_credentials_of_learner, list_editions
from app.events.store import list_events_about
from app.keys.vault import Vault
from app.learners.recipients import open_key, open_known, primary_of
from app.learners.store import Learner, list_merged
from app.readings.tell import tell_readings
from app.scoring.award import open_details
from app.scoring.store import list_decisions_of_learners

PROFILE = "eddsa-rdfc-2022"


async def export_learner(session: AsyncSession, vault: Vault, learner: Learner) -> dict[str, Any]:
    """Identities, decisions with their details, badges with every edition, and events. Raises Gone after erasure.

    So of all who were merged into the learner: what was sealed for them opens with their own keys.
    """
    merged = await list_merged(session, learner.issuer_id, learner.id)
    keys = {each.id: open_key(vault, each) for each in (learner, *merged)}
    known = await open_known(session, vault, learner)
    decisions = await list_decisions_of_learners(session, learner.issuer_id, list(keys))
    credentials = await list_credentials_of_learner(session, learner.issuer_id, learner.id)
    badges = []
    for credential in credentials:
        editions = []
        for edition in await list_editions(session, learner.issuer_id, credential.id):
            line: dict[str, Any] = {"number": edition.number, "state": edition.state, "valid_from": edition.valid_from}
            if edition.state in ("issued", "superseded"):
                found = await get_representation(session, edition, PROFILE)
                body = keys[edition.learner_id].open(
                    found.sealed_body, table="representation", row=edition.id, column="sealed_body"
                )
                line["document"] = json.loads(body)
            editions.append(line)
        reason = await fetch_reason(session, vault, credential)
        badges.append({"id": credential.id, "state": credential.state, "status_reason": reason, "editions": editions})
    objects = [*keys, *(decision.id for decision in decisions), *(credential.id for credential in credentials)]
    return {
        "id": learner.id,
        "external_id": learner.external_id,
        "created_at": learner.created_at,
        "identities": dict(primary_of(known).items()),
        "other_identities": [{"kind": each.kind, "value": each.value} for each in known if not each.is_primary],
        "merged": [{"id": each.id, "external_id": each.external_id, "created_at": each.created_at} for each in merged],
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
                **open_details(keys[decision.learner_id], decision),
            }
            for decision in decisions
        ],
        "readings": await tell_readings(session, learner.issuer_id, keys),
        "credentials": badges,
        "events": [
            {"position": event.position, "type": event.type, "object_id": event.object_id, "at": event.occurred_at}
            for event in await list_events_about(session, learner.issuer_id, objects)
        ],
    }
