"""People for tests: entered and signed in below the HTTP door."""

from datetime import timedelta
from typing import get_args

import httpx
from fastapi import FastAPI

from app.access.principals import Role
from app.access.sessions import begin_session
from app.access.store import Person, PersonSession
from app.access.tokens import parse_token
from app.people.people import PersonFacts, create_person
from app.resources import Resources

EVERY_ROLE: tuple[Role, ...] = get_args(Role)


async def make_person(
    world: Resources, issuer_id: str, *roles: Role, name: str = "Pat Example", learner_id: str | None = None
) -> tuple[Person, str]:
    """A person with these roles, and a token of theirs. The name makes the e-mail address: choose different ones."""
    email = f"{name.lower().replace(' ', '.')}@schools.example.org"
    now = world.clock.now()
    async with world.database.transaction() as session:
        person = await create_person(
            session, world.vault, issuer_id, PersonFacts(name, email, learner_id=learner_id), roles=roles, actor="test",
            now=now,
        )  # fmt: skip
        _, token = await begin_session(session, person, kind="token", name="tests", life=timedelta(days=365), now=now)
    return person, token


async def sign_in_everybody(world: Resources, issuer_id: str) -> str:
    """The token of a person who has every role."""
    return (await make_person(world, issuer_id, *EVERY_ROLE, name="Staff Example"))[1]


async def open_person(
    app: FastAPI, issuer_id: str, *roles: Role, name: str = "Pat Example", learner_id: str | None = None
) -> tuple[str, httpx.AsyncClient]:
    """Id of a new person, and a client that is signed in as them."""
    world: Resources = app.state.resources
    person, token = await make_person(world, issuer_id, *roles, name=name, learner_id=learner_id)
    return person.id, client_of(app, token)


async def find_session_of(world: Resources, client: httpx.AsyncClient) -> PersonSession:
    """The session of the person that this client is signed in as."""
    session_id = (parse_token(client.headers["authorization"].removeprefix("Bearer ")) or ("", ""))[0]
    async with world.database.reading() as session:
        return await session.get_one(PersonSession, session_id)


def client_of(app: FastAPI, token: str) -> httpx.AsyncClient:
    """A client that is signed in with this token."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8000", timeout=60,
        headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip


def app_of(client: httpx.AsyncClient) -> FastAPI:
    """The application that this client talks to."""
    transport = client._transport
    assert isinstance(transport, httpx.ASGITransport)
    assert isinstance(transport.app, FastAPI)
    return transport.app
