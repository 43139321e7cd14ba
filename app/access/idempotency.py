"""Safe retries: `Idempotency-Key` on every POST that creates.

The key's row is written in the transaction of the effect, so both exist or neither. A repeat with the same key and request
gets the stored answer; with another request it is refused. Two at once: the second waits for the first's row (the
database's unique constraint makes it wait) and then finds the answer.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, NoReturn

from fastapi import Depends, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel
from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.access.dependencies import AnyPrincipal
from app.db import Table
from app.errors import Conflict, InvalidInput
from app.jobs.queue import enqueue
from app.web.dependencies import Now, Session, World

LIFE = timedelta(hours=24)
FORGET_JOB = "forget_idempotency_key"

_KEY = re.compile(r"^[\x21-\x7e]{1,200}$")


class InvalidIdempotencyKey(InvalidInput):
    code = "invalid_idempotency_key"


class IdempotencyKeyReused(InvalidInput):
    code = "idempotency_key_reused"


class RequestInProgress(Conflict):
    code = "request_in_progress"


class IdempotencyRecord(Table):
    """One key of one principal, and the answer it got. `answer` is sealed when `learner_id` is set."""

    __tablename__ = "idempotency_key"

    principal_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_digest: Mapped[bytes]
    status: Mapped[int | None]
    answer: Mapped[bytes | None]
    issuer_id: Mapped[str | None]
    learner_id: Mapped[str | None]
    resource_id: Mapped[str | None]
    created_at: Mapped[datetime]


class Replay(Exception):  # not an error: it carries the earlier answer past the route
    """Raised to answer with what was answered before."""

    def __init__(self, status: int, answer: bytes) -> None:
        self.status = status
        self.answer = answer


def replay_response(replay: Replay) -> Response:
    return Response(replay.answer, replay.status, {"Idempotency-Replayed": "true"}, media_type="application/json")


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """The key of this request, if it has one. All methods work in the caller's transaction."""

    principal_id: str
    key: str | None
    request_digests: Sequence[bytes]
    """What the earlier request may have been stored as: the first is how this one is."""
    now: datetime

    async def begin(self, session: AsyncSession) -> IdempotencyRecord | None:
        """Take the key. None when this request is the first with it (or has none), else the earlier record.

        Raises IdempotencyKeyReused when the earlier request was a different one.
        """
        if self.key is None:
            return None
        if await self._insert(session):
            enqueue(session, FORGET_JOB, {"principal_id": self.principal_id, "key": self.key}, run_at=self.now + LIFE)
            return None
        record = await session.get(IdempotencyRecord, (self.principal_id, self.key), populate_existing=True)
        if record is None:
            raise RequestInProgress("The key was forgotten this very moment.")
        self._require_same_request(record)
        return record

    async def replay(self, session: AsyncSession) -> None:
        """Raise Replay when this request was answered before, IdempotencyKeyReused when another was.

        The key is not taken: for what has to be done before the transaction of the effect.
        """
        record = await session.get(IdempotencyRecord, (self.principal_id, self.key)) if self.key else None
        if record is not None:
            self._require_same_request(record)
            _raise_answer(record)

    async def finish(
        self,
        session: AsyncSession,
        status: int,
        answer: bytes | None,
        *,
        issuer_id: str | None = None,
        learner_id: str | None = None,
        resource_id: str | None = None,
    ) -> None:
        """Store the answer (sealed by the caller when it holds personal data of `learner_id`)."""
        if self.key is None:
            return
        record = await session.get_one(IdempotencyRecord, (self.principal_id, self.key))
        record.status, record.answer = status, answer
        record.issuer_id, record.learner_id, record.resource_id = issuer_id, learner_id, resource_id

    def _require_same_request(self, record: IdempotencyRecord) -> None:
        if record.request_digest not in self.request_digests:
            raise IdempotencyKeyReused("This Idempotency-Key was used for a different request.")

    async def _insert(self, session: AsyncSession) -> bool:
        dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
        statement = dialect.insert(IdempotencyRecord).values(
            principal_id=self.principal_id,
            key=self.key,
            request_digest=self.request_digests[0],
            created_at=self.now,
        )
        result = await session.execute(
            statement.on_conflict_do_nothing()
            .returning(IdempotencyRecord.key)
            .execution_options(synchronize_session=False)
        )
        return result.first() is not None


async def _idempotency_key(
    request: Request,
    principal: AnyPrincipal,
    world: World,
    now: Now,
    idempotency_key: Annotated[
        str | None,
        Header(description="1 to 200 visible ASCII characters, fresh for each new operation. Repeating a request with the "
               "same key within 24 hours returns the first answer.", examples=["7d3f1c9a-2b64-4a8e-9f0d-1c2b3a4d5e6f"]),
    ] = None,
) -> IdempotencyKey:  # fmt: skip
    if idempotency_key is not None and not _KEY.match(idempotency_key):
        raise InvalidIdempotencyKey("The Idempotency-Key must be 1 to 200 visible ASCII characters.")
    parts = (
        request.method.encode(),
        request.scope["path"].encode(),
        request.scope["query_string"],
        await request.body(),
    )
    return IdempotencyKey(principal.id, idempotency_key, world.vault.digests("idempotency", parts), now)


Idempotency = Annotated[IdempotencyKey, Depends(_idempotency_key)]


class OncePerKey:
    """For routes of one transaction: taken before the route runs, so that the route needs only `remember`."""

    def __init__(self, idempotency: IdempotencyKey, session: AsyncSession) -> None:
        self._idempotency = idempotency
        self._session = session

    async def remember(self, body: BaseModel, *, replay: BaseModel | None = None, status: int = 201) -> None:
        """Keep the answer for repeats; `replay` replaces it there when the first answer held a secret."""
        answer = (replay or body).model_dump_json().encode()
        await self._idempotency.finish(self._session, status, answer)


async def take_key(idempotency: IdempotencyKey, session: AsyncSession) -> OncePerKey:
    """Take the key in this transaction. Raises Replay when the request was answered before, RequestInProgress."""
    earlier = await idempotency.begin(session)
    if earlier is not None:
        _raise_answer(earlier)
    return OncePerKey(idempotency, session)


def _raise_answer(earlier: IdempotencyRecord) -> NoReturn:
    if earlier.answer is None or earlier.status is None:
        raise RequestInProgress("The first request with this Idempotency-Key has not finished.")
    raise Replay(earlier.status, earlier.answer)


async def _once(idempotency: Idempotency, session: Session) -> OncePerKey:
    return await take_key(idempotency, session)


Once = Annotated[OncePerKey, Depends(_once, scope="function")]


async def forget_key(session: AsyncSession, principal_id: str, key: str) -> None:
    """Drop a key whose life is over."""
    await session.execute(
        delete(IdempotencyRecord).where(IdempotencyRecord.principal_id == principal_id, IdempotencyRecord.key == key)
    )
