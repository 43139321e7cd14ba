"""The verb that ends what is known of a learner."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.idempotency import IdempotencyRecord
from app.audit.store import audit
from app.credentials.store import Credential, list_credentials_of_learner
from app.events.store import record_event
from app.learners.store import Learner, LearnerIdentity, lock_learner


async def erase_learner(
    session: AsyncSession, issuer_id: str, learner_id: str, *, actor: str, now: datetime
) -> Learner:
    """Destroy the learner's key and delete their identities, own id and kept answers. Doing it again changes nothing."""
    learner = await lock_learner(session, issuer_id, learner_id)
    if learner.sealed_key is None:
        return learner
    learner.sealed_key = learner.external_id = None
    learner.updated_at = now
    of_learner = (LearnerIdentity.issuer_id == issuer_id, LearnerIdentity.learner_id == learner_id)
    await session.execute(delete(LearnerIdentity).where(*of_learner))
    kept = (IdempotencyRecord.issuer_id == issuer_id, IdempotencyRecord.learner_id == learner_id)
    await session.execute(delete(IdempotencyRecord).where(*kept))
    credentials: list[Credential] = await list_credentials_of_learner(session, issuer_id, learner_id)
    for credential in credentials:
        credential.sealed_reason = None
        credential.updated_at = now
    audit(session, issuer_id=issuer_id, actor=actor, action="learner.erased", object_id=learner_id,
          content={"credentials": [credential.id for credential in credentials]}, at=now)  # fmt: skip
    record_event(session, issuer_id, "learner.erased", learner_id, at=now)
    return learner
