"""What the tests of issuing share: recording decisions, looking into the register, breaking a table, signers that fail."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from sqlalchemy import func, select, text

from app.access.principals import TENANT_SCOPES, Tenant
from app.credentials.store import Credential, Edition
from app.db import open_database
from app.errors import Broken
from app.events.store import Event, list_events
from app.proofs.signer import Signature, Signer, SigningRequest
from app.public.documents import find_own_document
from app.resources import Resources
from app.scoring.bodies import DecisionCreate
from app.scoring.decide import decide
from app.settings import Settings
from app.statuslists.bitstring import decode, get_bit
from app.statuslists.store import StatusListPublication
from app.tables import metadata
from app.verification.checks import judge
from app.verification.gathered import Gathered
from app.verification.verdict import Check
from app.verification.verify import Verification, Verifier
from tests.builders import decision_body
from tests.conftest import Partner

Document = dict[str, Any]


def world_of(app: FastAPI) -> Resources:
    return cast(Resources, app.state.resources)


# Decisions


async def record(partner: Partner, *, key: str | None = None, query: str = "", **changes: Any) -> httpx.Response:
    """POST a decision: an award unless `changes` say otherwise."""
    body = decision_body(partner.achievement_id, partner.panel_id) | changes
    headers = {"Idempotency-Key": key} if key else {}
    return await partner.client.post(f"/v1/decisions{query}", json=body, headers=headers)


async def decided(partner: Partner, **changes: Any) -> Document:
    """The answer to a decision that is accepted."""
    response = await record(partner, **changes)
    assert response.status_code == 201, response.text
    return cast(Document, response.json())


async def decide_directly(world: Resources, partner: Partner, **changes: Any) -> None:
    """The verb below the HTTP door, for worlds with another signer."""
    body = DecisionCreate.model_validate(decision_body(partner.achievement_id, partner.panel_id) | changes)
    now = world.clock.now()
    tenant = Tenant(partner.issuer_id, "client:test", TENANT_SCOPES)

    await decide(world, tenant, body.facts(now))


def pointers(response: httpx.Response) -> list[str]:
    """Where a problem says the faults are."""
    return [error["pointer"] for error in response.json()["errors"]]


async def change_status(partner: Partner, credential_id: str, verb: str, reason: str = "A reason.") -> httpx.Response:
    return await partner.client.post(f"/v1/credentials/{credential_id}/{verb}", json={"reason": reason})


# The register


async def count_rows(world: Resources) -> dict[str, int]:
    """Rows of every table, and the status indexes that were drawn."""
    async with world.database.reading() as session:
        counts = {
            name: (await session.execute(select(func.count()).select_from(table))).scalar_one()
            for name, table in metadata.tables.items()
        }
        drawn = await session.execute(text("SELECT coalesce(sum(drawn), 0) FROM status_list"))
        return counts | {"drawn": int(drawn.scalar_one())}


async def list_all_editions(world: Resources) -> list[Edition]:
    async with world.database.reading() as session:
        return list((await session.scalars(select(Edition).order_by(Edition.created_at, Edition.number))).all())


async def list_all_credentials(world: Resources) -> list[Credential]:
    async with world.database.reading() as session:
        return list((await session.scalars(select(Credential).order_by(Credential.created_at))).all())


async def list_all_events(world: Resources, issuer_id: str) -> list[Event]:
    async with world.database.reading() as session:
        return await list_events(session, issuer_id, after=0, limit=10_000)


async def published_bit(world: Resources, edition: Edition) -> bool:
    """The edition's bit in the status list as it is served."""
    async with world.database.reading() as session:
        publication = await session.get_one(StatusListPublication, (edition.issuer_id, edition.status_list_id))
    return get_bit(_bits(publication.body), edition.status_list_index)


async def entry_bit(client: httpx.AsyncClient, document: Document) -> bool:
    """The bit of a badge's status entry, read as a stranger reads it."""
    entry = document["credentialStatus"]
    answer = await client.get(entry["statusListCredential"])
    assert answer.status_code == 200, answer.text
    return get_bit(_bits(answer.content), int(entry["statusListIndex"]))


def _bits(body: bytes) -> bytes:
    return decode(json.loads(body)["credentialSubject"]["encodedList"])


# Verifying


class _InProcessJudges:
    """Judges without a process of their own; tests/verification has the processes."""

    def __init__(self, contexts: Mapping[str, dict[str, Any]]) -> None:
        self._contexts = contexts

    async def judge(self, gathered: Gathered, now: datetime) -> list[Check]:
        return judge(gathered, now, contexts=self._contexts)

    async def judge_all(self, gathered: Sequence[Gathered], now: datetime) -> list[list[Check]]:
        return [await self.judge(each, now) for each in gathered]


async def verify(world: Resources, document: Mapping[str, Any]) -> Verification:
    async def own_documents(url: str) -> Mapping[str, Any] | None:
        return await find_own_document(world, url)

    verifier = Verifier(
        outbound=world.outbound,
        judges=_InProcessJudges(world.contexts),
        own_documents=own_documents,
        now=world.clock.now,
    )
    return await verifier.verify(document)


def failures(verification: Verification) -> list[str]:
    """The codes of the checks that failed."""
    return [each.code for each in verification.checks if each.outcome == "failed"]


async def require_verifies(world: Resources, document: Mapping[str, Any]) -> None:
    verification = await verify(world, document)
    assert verification.valid, failures(verification)


# Faults


@asynccontextmanager
async def refusing(settings: Settings, table: str, *, action: str = "INSERT") -> AsyncIterator[None]:
    """While the block runs the database refuses to insert into `table`, as a full disk or a bad migration would."""
    await execute_as_owner(settings, *_refuse(settings, table, action))
    try:
        yield
    finally:
        await execute_as_owner(
            settings, f"DROP TRIGGER refuse_{table}" + ("" if settings.is_sqlite else f" ON {table}")
        )


def _refuse(settings: Settings, table: str, action: str) -> list[str]:
    if settings.is_sqlite:
        raising = "BEGIN SELECT RAISE(ABORT, 'refused by a test'); END"
        return [f"CREATE TRIGGER refuse_{table} BEFORE {action} ON {table} {raising}"]
    return [
        "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'refused by a test'; END $$",
        f"CREATE TRIGGER refuse_{table} BEFORE {action} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()",
    ]


async def execute_as_owner(settings: Settings, *statements: str, **parameters: Any) -> None:
    """Run statements as the owner of the tables, who may do what the service may not."""
    database = open_database(settings.database_url.get_secret_value())
    try:
        async with database.transaction() as session:
            for statement in statements:
                await session.execute(text(statement), parameters)
    finally:
        await database.close()


class CountingSigner:
    """Counts what the real signer signs."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self.signed = 0

    async def sign(self, requests: Sequence[SigningRequest]) -> list[Signature]:
        signatures = await self._signer.sign(requests)
        self.signed += len(signatures)
        return signatures


class AbsentSigner:
    """A signer that cannot be reached for the first `times` requests, or ever; then it is `signer`."""

    def __init__(self, signer: Signer, *, times: int | None = None) -> None:
        self._signer = signer
        self._left = times

    async def sign(self, requests: Sequence[SigningRequest]) -> list[Signature]:
        if self._left == 0:
            return await self._signer.sign(requests)
        if self._left is not None:
            self._left -= 1
        raise Broken("The signer cannot be reached.")


class WrongSigner:
    """Signs with a key that is not the issuer's: the first `times` requests, or all; then as `signer` does."""

    def __init__(self, signer: Signer, *, times: int | None = None) -> None:
        self._signer = signer
        self._left = times

    async def sign(self, requests: Sequence[SigningRequest]) -> list[Signature]:
        if self._left == 0:
            return await self._signer.sign(requests)
        if self._left is not None:
            self._left -= 1
        key = Ed25519PrivateKey.generate()
        return [Signature(request.key_id, key.sign(request.hash_data)) for request in requests]


class MeanwhileSigner:
    """Something happens between the first signature's making and its return; `happen` may sign through the real signer."""

    def __init__(self, signer: Signer, happen: Callable[[], Awaitable[object]]) -> None:
        self._signer = signer
        self._happen: Callable[[], Awaitable[object]] | None = happen

    async def sign(self, requests: Sequence[SigningRequest]) -> list[Signature]:
        signatures = await self._signer.sign(requests)
        happen, self._happen = self._happen, None
        if happen is not None:
            await happen()
        return signatures


def with_signer(world: Resources, signer: Signer) -> Resources:
    return replace(world, signer=signer)
