"""Answering a recorded decision, also when the request is repeated.

The Idempotency-Key is taken in the first commit and its answer kept in the second. A repeat gets the kept answer; it waits
for a first request that is still at work, and finishes what a process that died left behind.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.idempotency import IdempotencyKey, IdempotencyRecord, RequestInProgress
from app.credentials.in_time import in_time
from app.credentials.issue import CredentialPending, PendingEdition, complete, recover
from app.credentials.store import find_edition_of_decision
from app.errors import AssayError, Conflict, Unavailable
from app.learners.recipients import open_key
from app.learners.store import get_learner
from app.resources import Resources
from app.scoring.store import Decision, get_decision

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 10
"""How long a repeated request waits for the first one."""

POLL_SECONDS = 0.1

Record = Callable[[AsyncSession], Awaitable[tuple[Decision, PendingEdition | None]]]
"""The part of the first commit: a decision, and the edition to be signed if a badge follows."""

Render = Callable[[AsyncSession, Decision], Awaitable[bytes]]
"""How the answer is written; called in the transaction that makes it final."""


class IssuingInterrupted(Unavailable):
    """The decision is recorded and its badge intended, but not signed and stored yet."""

    code = "issuing_interrupted"


class IssuingFailed(Conflict):
    """The decision is recorded, but its badge was given up: it could not be signed soundly."""

    code = "issuing_failed"


@dataclass(frozen=True, slots=True)
class Answering:
    """One request to record a decision."""

    world: Resources
    issuer_id: str
    idempotency: IdempotencyKey
    render: Render

    async def answer(self, record: Record) -> bytes:
        """Record the decision, do what follows, and give the answer.

        Raises what `record` raises, with nothing done; IssuingInterrupted when the second commit did
        not come about.
        """
        outcome = await in_time(self.world, lambda session: self._first_commit(session, record))
        if isinstance(outcome, bytes):
            return outcome
        if isinstance(outcome, IdempotencyRecord):
            return await self._answer_again(outcome)
        return await self._second_commit(*outcome)

    async def _first_commit(
        self, session: AsyncSession, record: Record
    ) -> IdempotencyRecord | bytes | tuple[Decision, PendingEdition]:
        earlier = await self.idempotency.begin(session)
        if earlier is not None:
            return earlier
        decision, pending = await record(session)
        if pending is None:
            return await self._keep(session, decision)
        await self._finish(session, decision, None)
        return decision, pending

    async def _second_commit(self, decision: Decision, pending: PendingEdition) -> bytes:
        answers: list[bytes] = []

        async def keep(session: AsyncSession) -> None:
            answers.append(await self._keep(session, decision))

        try:
            await complete(self.world, pending, finish=keep)
        except AssayError:
            raise
        except Exception as error:
            log.exception("issuing_interrupted", decision=decision.id)
            raise IssuingInterrupted(
                f"The decision {decision.id} is recorded; its badge is not stored yet.",
                cure="Repeat the request with the same Idempotency-Key, or read the decision in two minutes: its badge is "
                "finished by itself. Do not send it as a new decision.",
            ) from error
        return answers[0]

    async def _answer_again(self, earlier: IdempotencyRecord) -> bytes:
        """The first request's answer: kept, or made now from what it left behind."""
        assert earlier.resource_id is not None
        issuer_id, decision_id = self.issuer_id, earlier.resource_id
        for _ in range(int(PATIENCE_SECONDS / POLL_SECONDS)):
            if (kept := await self._kept(earlier)) is not None:
                return kept
            async with self.world.database.reading() as session:
                edition = await find_edition_of_decision(session, issuer_id, decision_id)
            if edition is not None and edition.state == "burned":
                raise IssuingFailed(f"The badge of the decision {decision_id} could not be signed and was given up.")
            if edition is None or edition.state != "pending":
                async with self.world.database.transaction() as session:
                    return await self._keep(session, await get_decision(session, issuer_id, decision_id))
            if edition.claimed_until is not None and edition.claimed_until < self.world.clock.now():
                with suppress(CredentialPending):  # the recovery job was quicker
                    await recover(self.world, issuer_id, edition.id)
            else:
                await asyncio.sleep(POLL_SECONDS)
        raise RequestInProgress("The first request with this Idempotency-Key is still at work.")

    async def _kept(self, earlier: IdempotencyRecord) -> bytes | None:
        assert earlier.learner_id is not None
        async with self.world.database.reading() as session:
            found = await session.get(IdempotencyRecord, (earlier.principal_id, earlier.key))
            learner = await get_learner(session, self.issuer_id, earlier.learner_id)
        if found is None or found.answer is None:
            return None
        key = open_key(self.world.vault, learner)
        return key.open(found.answer, table="idempotency_key", row=earlier.key, column="answer")

    async def _keep(self, session: AsyncSession, decision: Decision) -> bytes:
        answer = await self.render(session, decision)
        await self._finish(session, decision, answer)
        return answer

    async def _finish(self, session: AsyncSession, decision: Decision, answer: bytes | None) -> None:
        """Store the answer for repeats, sealed: it holds the learner's personal data."""
        if self.idempotency.key is None:
            return
        if answer is not None:
            key = open_key(self.world.vault, await get_learner(session, decision.issuer_id, decision.learner_id))
            answer = key.seal(answer, table="idempotency_key", row=self.idempotency.key, column="answer")
        await self.idempotency.finish(
            session, 201, answer,
            issuer_id=decision.issuer_id, learner_id=decision.learner_id, resource_id=decision.id,
        )  # fmt: skip
