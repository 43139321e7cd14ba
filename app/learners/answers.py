"""Answers kept for repeated requests that hold a learner's personal data: sealed under the learner's key, gone with it."""

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.idempotency import IdempotencyKey, IdempotencyRecord, Replay, RequestInProgress
from app.keys.vault import Vault
from app.learners.recipients import open_key
from app.learners.store import Learner, get_learner


async def begin_once(session: AsyncSession, vault: Vault, idempotency: IdempotencyKey, issuer_id: str) -> None:
    """Take the key of this request. Raises Replay when it was answered before, RequestInProgress, IdempotencyKeyReused."""
    earlier = await idempotency.begin(session)
    if earlier is not None:
        raise Replay(201, await _kept(session, vault, earlier, issuer_id))


async def _kept(session: AsyncSession, vault: Vault, earlier: IdempotencyRecord, issuer_id: str) -> bytes:
    if earlier.learner_id is None or earlier.answer is None:
        raise RequestInProgress("The first request with this Idempotency-Key has not finished.")
    key = open_key(vault, await get_learner(session, issuer_id, earlier.learner_id))
    return key.open(earlier.answer, table="idempotency_key", row=earlier.key, column="answer")


async def keep_answer(
    session: AsyncSession, vault: Vault, idempotency: IdempotencyKey, learner: Learner, answer: BaseModel
) -> None:
    """Keep the answer (201) for repeats."""
    if idempotency.key is None:
        return
    plain = answer.model_dump_json().encode()
    sealed = open_key(vault, learner).seal(plain, table="idempotency_key", row=idempotency.key, column="answer")
    await idempotency.finish(session, 201, sealed, issuer_id=learner.issuer_id, learner_id=learner.id)
