"""Answers kept for repeated requests that hold a person's name and address: sealed under the person's key, gone with it."""

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.idempotency import IdempotencyKey, Replay, RequestInProgress
from app.access.store import Person, get_person
from app.keys.vault import Vault
from app.people.identities import open_person_key


async def begin_once(session: AsyncSession, vault: Vault, idempotency: IdempotencyKey, issuer_id: str) -> None:
    """Take the key of this request. Raises Replay when it was answered before, RequestInProgress, IdempotencyKeyReused."""
    earlier = await idempotency.begin(session)
    if earlier is None:
        return
    if earlier.resource_id is None or earlier.answer is None:
        raise RequestInProgress("The first request with this Idempotency-Key has not finished.")
    key = open_person_key(vault, await get_person(session, issuer_id, earlier.resource_id))
    raise Replay(201, key.open(earlier.answer, table="idempotency_key", row=earlier.key, column="answer"))


async def keep_answer(
    session: AsyncSession, vault: Vault, idempotency: IdempotencyKey, person: Person, answer: BaseModel
) -> None:
    """Keep the answer (201) for repeats."""
    if idempotency.key is None:
        return
    plain = answer.model_dump_json().encode()
    sealed = open_person_key(vault, person).seal(plain, table="idempotency_key", row=idempotency.key, column="answer")
    await idempotency.finish(session, 201, sealed, issuer_id=person.issuer_id, resource_id=person.id)
