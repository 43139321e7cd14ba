"""Replacing the key-encryption key, on both databases."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.access.clients import create_client
from app.access.principals import Scope
from app.audit.store import AuditEntry
from app.keys.store import SigningKey
from app.keys.vault import Unreadable, WrongEncryptionKey
from app.learners.store import Learner, LearnerIdentity
from app.main import create_app
from app.operation.reencrypt import Reencrypted, reencrypt
from app.resources import open_resources
from app.settings import Settings
from tests.builders import decision_body
from tests.conftest import KEY, Partner, make_issuer, open_client
from tests.fakes import FixedClock
from tests.house.databases import list_contents, open_owner
from tests.issuing import execute_as_owner, require_verifies, world_of

NEW_KEY = base64.urlsafe_b64encode(bytes(range(32, 64))).decode()
THIRD_KEY = base64.urlsafe_b64encode(bytes(range(64, 96))).decode()
LEARNERS = 5


def keyed(settings: Settings, key: str, *, previous: str | None = None) -> Settings:
    """The same installation with other key-encryption keys."""
    return Settings.model_validate(
        {**settings.model_dump(), "key_encryption_key": key, "previous_key_encryption_key": previous}
    )


@asynccontextmanager
async def served(settings: Settings, clock: FixedClock, token: str) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    """A server started anew with these settings, and the partner's client of it."""
    application = create_app(settings.model_copy(update={"run_jobs": False}), clock=clock)
    async with application.router.lifespan_context(application), open_client(application, token) as client:
        yield application, client


def address(number: int) -> str:
    return f"learner.{number}@schools.example.org"


@dataclass(frozen=True, slots=True)
class Installation:
    """What was made under the first key: the partner, its token, and the decisions as they were answered."""

    partner: Partner
    token: str
    bodies: list[dict[str, Any]]
    answers: list[dict[str, Any]]

    async def require_whole(self, app: FastAPI, client: httpx.AsyncClient, *, retries: bool) -> None:
        """Every badge is served as it was and verifies; every learner is found by address; a retry finds its answer.

        Without `retries`, as when the old key is gone, a retry is refused: it is never taken for a new request.
        """
        for number, answer in enumerate(self.answers):
            credential = (await client.get(f"/v1/credentials/{answer['credential']['id']}")).json()
            assert credential["document"] == answer["credential"]["document"]
            await require_verifies(world_of(app), credential["document"])
            again = await client.post("/v1/learners", json={"email": address(number).upper()})
            assert (again.status_code, again.json()["code"]) == (409, "identity_taken")
        retried = await client.post("/v1/decisions", json=self.bodies[0], headers={"Idempotency-Key": "d-0"})
        if retries:
            assert (retried.status_code, retried.json()) == (201, self.answers[0])
        else:
            assert (retried.status_code, retried.json()["code"]) == (422, "idempotency_key_reused")


async def install(settings: Settings, clock: FixedClock) -> Installation:
    application = create_app(settings.model_copy(update={"run_jobs": False}), clock=clock)
    async with application.router.lifespan_context(application):
        world = world_of(application)
        async with world.database.transaction() as session:
            _, token = await create_client(
                session, issuer_id=None, name="operator", scopes={Scope.PLATFORM}, expires_at=None, actor="test",
                now=clock.now(),
            )  # fmt: skip
        async with open_client(application, token) as operator:
            token = await make_issuer(operator, "academy")
            await make_issuer(operator, "second")
        async with open_client(application, token) as client:
            partner = await Partner.settle(application, client)
            bodies = [
                decision_body(partner.achievement_id, partner.panel_id, recipient={"name": "Ada", "email": address(n)})
                for n in range(LEARNERS)
            ]
            answers = [
                await client.post("/v1/decisions", json=body, headers={"Idempotency-Key": f"d-{n}"})
                for n, body in enumerate(bodies)
            ]
    assert [answer.status_code for answer in answers] == [201] * LEARNERS
    return Installation(partner, token, bodies, [answer.json() for answer in answers])


async def reencrypted(settings: Settings, clock: FixedClock, **options: Any) -> Reencrypted:
    async with open_resources(settings, clock=clock) as world:
        return await reencrypt(world, actor="test", **options)


class Killed(Exception):
    pass


def killer(after: int) -> Any:
    def progress(count: int) -> None:
        if count >= after:
            raise Killed

    return progress


async def test_everything_opens_with_the_new_key_alone_and_nothing_with_the_old(
    settings: Settings, clock: FixedClock
) -> None:
    made = await install(settings, clock)
    both = keyed(settings, NEW_KEY, previous=KEY)
    assert await reencrypted(both, clock) == Reencrypted(LEARNERS, LEARNERS + 1, 2, people=1)
    alone = keyed(settings, NEW_KEY)
    async with served(alone, clock, made.token) as (app, client):
        await made.require_whole(app, client, retries=False)
        # A decision names a known learner by address alone: it is the same learner as before.
        body = {**made.bodies[1], "recipient": {"email": address(1)}}
        answer = await client.post("/v1/decisions", json=body)
        assert answer.json()["learner_id"] == made.answers[1]["learner_id"]
        await require_verifies(world_of(app), answer.json()["credential"]["document"])
    with pytest.raises(WrongEncryptionKey):
        async with served(settings, clock, made.token):
            pass
    async with open_resources(settings, clock=clock) as world, world.database.reading() as session:
        for learner in (await session.scalars(select(Learner))).all():
            assert learner.sealed_key is not None
            with pytest.raises(Unreadable):
                world.vault.open_personal_key(learner.sealed_key, issuer_id=learner.issuer_id, owner_id=learner.id)
        for key in (await session.scalars(select(SigningKey))).all():
            with pytest.raises(Unreadable):
                world.vault.open_signing_key(key.sealed_private_key, key.issuer_id, key.id)
        indexes = {row.blind_index for row in (await session.scalars(select(LearnerIdentity))).all()}
        old = {world.vault.blind_index(made.partner.issuer_id, "email", address(n)) for n in range(LEARNERS)}
        assert not indexes & old
        entries = (await session.scalars(select(AuditEntry).where(AuditEntry.action == "keys.reencrypted"))).all()
        assert [(entry.issuer_id, entry.actor) for entry in entries] == [(None, "test")]


async def test_killed_at_any_batch_it_goes_on(settings: Settings, clock: FixedClock) -> None:
    made = await install(settings, clock)
    both, alone = keyed(settings, NEW_KEY, previous=KEY), keyed(settings, NEW_KEY)
    for _ in range(3):
        with pytest.raises(Killed):
            await reencrypted(both, clock, batch_size=2, progress=killer(2))
    with pytest.raises(Killed):
        await reencrypted(both, clock, batch_size=2, progress=killer(4))
    # Half is done. A server with both keys has everything; one with either key alone does not start or is told at once.
    async with served(both, clock, made.token) as (app, client):
        await made.require_whole(app, client, retries=True)
    with pytest.raises(WrongEncryptionKey, match="ASSAY_KEY_ENCRYPTION_KEY"):
        async with served(alone, clock, made.token):
            pass
    assert await reencrypted(both, clock, batch_size=2) == Reencrypted(1, 2, 2, people=1)
    assert await reencrypted(both, clock, batch_size=2) == Reencrypted(0, 0, 0)
    async with served(alone, clock, made.token) as (app, client):
        await made.require_whole(app, client, retries=False)


async def test_servers_work_before_during_and_after(settings: Settings, clock: FixedClock) -> None:
    made = await install(settings, clock)
    both = keyed(settings, NEW_KEY, previous=KEY)
    async with served(both, clock, made.token) as (app, client):
        await made.require_whole(app, client, retries=True)
        await reencrypted(both, clock)
        await made.require_whole(app, client, retries=True)
        body = decision_body(
            made.partner.achievement_id, made.partner.panel_id, recipient={"email": "new@schools.example.org"}
        )
        answer = await client.post("/v1/decisions", json=body)
        assert answer.status_code == 201, answer.text
        await require_verifies(world_of(app), answer.json()["credential"]["document"])
    # What the server sealed was under the new key.
    assert await reencrypted(both, clock) == Reencrypted(0, 0, 0)


async def test_with_a_wrong_previous_key_nothing_changes(settings: Settings, clock: FixedClock) -> None:
    made = await install(settings, clock)
    async with open_owner(settings) as engine:
        before = await list_contents(engine)
    with pytest.raises(Unreadable, match="learner"):
        await reencrypted(keyed(settings, NEW_KEY, previous=THIRD_KEY), clock)
    async with open_owner(settings) as engine:
        assert await list_contents(engine) == before
    async with served(settings, clock, made.token) as (app, client):
        await made.require_whole(app, client, retries=True)


async def test_an_erased_learner_is_passed_over(settings: Settings, clock: FixedClock) -> None:
    made = await install(settings, clock)
    erased = made.answers[0]["learner_id"]
    await execute_as_owner(settings, "UPDATE learner SET sealed_key = NULL WHERE id = :id", id=erased)
    both = keyed(settings, NEW_KEY, previous=KEY)
    assert await reencrypted(both, clock) == Reencrypted(LEARNERS - 1, LEARNERS, 2, people=1)
    async with open_resources(both, clock=clock) as world, world.database.reading() as session:
        learner = (await session.scalars(select(Learner).where(Learner.id == erased))).one()
        assert learner.sealed_key is None
