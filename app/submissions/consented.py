"""What the learner wants to be seen of their evidence."""

import json
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from app.keys.vault import Vault
from app.learners.recipients import open_key
from app.learners.store import get_learner
from app.openbadges.compose import EvidenceFacts
from app.submissions.store import Submission, list_artifacts


async def list_consented(session: AsyncSession, vault: Vault, submission: Submission) -> tuple[EvidenceFacts, ...]:
    """The artifacts that may be named in the badge, by their URL or else by their digest. Raises Gone after erasure."""
    key = open_key(vault, await get_learner(session, submission.issuer_id, submission.learner_id))
    pieces = []
    for artifact in await list_artifacts(session, submission.issuer_id, submission.id):
        if not artifact.consent:
            continue
        sealed = artifact.sealed_details
        details = json.loads(key.open(sealed, table="artifact", row=artifact.id, column="sealed_details"))
        # The artifact's id is drawn anew for the badge: our own ids of what was submitted stay out of it.
        pieces.append(
            EvidenceFacts(
                id=details.get("url") or uuid4().urn,
                name=details.get("name"),
                genre=artifact.genre,
                description=details.get("description"),
                digest=artifact.digest,
            )
        )
    return tuple(pieces)
