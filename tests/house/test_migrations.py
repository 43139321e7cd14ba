"""The migrations make what the models say, can be undone, and leave a database that keeps its own promises."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.frameworks.router import PACKAGE
from app.migration import alembic_config, migrate
from app.readings.request import request_reading
from app.resources import open_resources
from app.settings import Settings
from app.tables import metadata
from tests.builders import achievement_body, decision_body
from tests.conftest import KEY, Partner, publish
from tests.house.assessment_rows import fill_assessment
from tests.house.databases import APPEND_ONLY, execute, open_owner, refusal
from tests.people import app_of
from tests.scoring.judging import Case, open_case

DELETABLE = (
    "carried_endorsement",
    "badge_host",
    "client_token",
    "demographic_declaration",
    "idempotency_key",
    "impact_fact",
    "job",
    "kept_badge",
    "kept_profile",
    "learner_identity",
    "oauth_authorization",
    "oauth_client",
    "oauth_consent",
    "oauth_token",
    "oidc_sign_in",
    "open_quality_report",
    "person_identity",
    "person_role",
    "program_achievement",
    "sign_in_link",
    "team_member",
    "vcapi_challenge",
)

RAISED = "P0001"  # SQLSTATE raise_exception: a trigger said no
RESTRICTED = "23001"  # SQLSTATE restrict_violation: so does the trigger of submitted readings
MAY_NOT = "42501"  # SQLSTATE insufficient_privilege

on_postgresql = pytest.mark.parametrize("settings", ["postgresql"], indirect=True)


@pytest.fixture
async def owner(settings: Settings) -> AsyncIterator[AsyncEngine]:
    async with open_owner(settings) as engine:
        yield engine


async def alembic(engine: AsyncEngine, verb: str, *arguments: str) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: getattr(command, verb)(alembic_config(sync), *arguments))


async def describe(engine: AsyncEngine) -> list[tuple[object, ...]]:
    """Everything the migrations made, as the database itself tells it."""
    if engine.dialect.name == "sqlite":
        query = "SELECT type, name, sql FROM sqlite_master WHERE tbl_name <> 'alembic_version' ORDER BY 1, 2"
        # A table that was copied has its constraints in any order.
        return [
            (type_, name, sorted(re.split(r",? ?\n\t?", sql or "")))
            for type_, name, sql in await execute(engine, query)
        ]
    return await execute(
        engine,
        "SELECT 'column', table_name || '.' || column_name, data_type || is_nullable FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name <> 'alembic_version' "
        "UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes "
        "WHERE schemaname = 'public' AND tablename <> 'alembic_version' "
        "UNION ALL SELECT 'trigger', tgname || tgrelid::regclass, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal "
        "UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace AND conrelid <> 'alembic_version'::regclass "
        "UNION ALL SELECT 'function', proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
        "UNION ALL SELECT 'right', table_name || privilege_type, grantee FROM information_schema.role_table_grants "
        "WHERE grantee = 'assay_app' AND table_name <> 'alembic_version' ORDER BY 1, 2, 3",
    )


async def test_down_and_up_again_makes_the_same_database(owner: AsyncEngine) -> None:
    before = await describe(owner)
    assert len(before) > 40
    await alembic(owner, "downgrade", "base")
    assert await describe(owner) == []
    await alembic(owner, "upgrade", "head")
    assert await describe(owner) == before


async def test_models_and_migrations_agree(owner: AsyncEngine) -> None:
    await alembic(owner, "check")


async def test_drift_is_noticed(owner: AsyncEngine) -> None:
    """The pair of the test above."""
    await execute(owner, "ALTER TABLE panel ADD COLUMN drift TEXT")
    with pytest.raises(Exception, match="New upgrade operations detected"):
        await alembic(owner, "check")


async def fill_tables(partner: Partner) -> None:
    """A badge, a drawing, and a framework."""
    path = f"/v1/achievements/{partner.achievement_id}/versions"
    assert (await partner.client.post(path, json=achievement_body())).status_code == 201
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>'
    put = await partner.client.put(f"{path}/2/image", content=drawing, headers={"Content-Type": "image/svg+xml"})
    assert put.status_code == 200, put.text
    assert (await partner.client.post("/v1/frameworks", json=PACKAGE)).status_code == 201
    body = decision_body(partner.achievement_id, partner.panel_id)
    answer = await partner.client.post("/v1/decisions", json=body)
    assert answer.status_code == 201, answer.text


async def test_append_only_tables_refuse_change_even_to_their_owner(partner: Partner, owner: AsyncEngine) -> None:
    await fill_tables(partner)
    await fill_assessment(partner)
    english = await publish(partner.client, achievement_body(in_language="en"))
    await publish(partner.client, achievement_body(in_language="fr", translations=[english]))
    for table in APPEND_ONLY:
        [(count,)] = await execute(owner, f"SELECT count(*) FROM {table}")
        assert count > 0, table
        column = {"audit_entry": "actor", "audit_link": "previous"}.get(table, "issuer_id")
        for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
            assert await refusal(owner, statement) in (RAISED, f"{table} is append-only"), statement
        assert await execute(owner, f"SELECT count(*) FROM {table}") == [(count,)]
    assert await refusal(owner, "UPDATE panel SET name = name") == ""


async def test_a_submitted_reading_refuses_change_even_to_its_owner(partner: Partner, owner: AsyncEngine) -> None:
    case = await open_case(app_of(partner.client), partner)
    await request_second_reading(case)
    said_no = (RESTRICTED, "a submitted reading never changes")
    before = await execute(owner, "SELECT * FROM reading WHERE state = 'submitted'")
    assert len(before) == 1
    for statement in (
        "UPDATE reading SET levels = levels",
        "UPDATE reading SET state = 'started'",
        "UPDATE reading SET sealed_texts = NULL",
        "DELETE FROM reading",
    ):
        assert await refusal(owner, f"{statement} WHERE state = 'submitted'") in said_no, statement
    assert await execute(owner, "SELECT * FROM reading WHERE state = 'submitted'") == before
    # The pair: what is still to be read may change.
    assert await refusal(owner, "UPDATE reading SET state = 'cancelled' WHERE state = 'open'") == ""


async def request_second_reading(case: Case) -> None:
    async with case.world.database.transaction() as session:
        await request_reading(session, case.submission, kind="second_random", now=case.world.clock.now())


@on_postgresql
async def test_append_only_tables_refuse_truncation(owner: AsyncEngine) -> None:
    for table in APPEND_ONLY:
        assert await refusal(owner, f"TRUNCATE {table} CASCADE") == RAISED, table


async def test_published_version_is_immutable_in_the_database(partner: Partner, owner: AsyncEngine) -> None:
    said_no = (RAISED, "a published version is immutable")
    where = f"WHERE achievement_id = '{partner.achievement_id}' AND version = 1"
    for column, value in (
        ("content", "'{}'"),
        ("document", "'{}'"),
        ("content_hash", "'sha256:0'"),
        ("image_digest", "'0'"),
        ("state", "'draft'"),
        ("version", "2"),
        ("published_at", "NULL"),
    ):
        statement = f"UPDATE achievement_version SET {column} = {value} {where}"
        assert await refusal(owner, statement) in said_no, column
    assert await refusal(owner, f"DELETE FROM achievement_version {where}") in said_no
    assert await refusal(owner, f"UPDATE achievement_version SET state = 'retired' {where}") == ""


async def test_whether_an_issuer_is_for_tests_is_settled(partner: Partner, owner: AsyncEngine) -> None:
    for told, answer in (("true", (RAISED, "whether an issuer is for tests is settled when it is created")),
                         ("false", ("",))):  # fmt: skip
        statement = f"UPDATE issuer SET is_test = {told} WHERE id = '{partner.issuer_id}'"
        assert await refusal(owner, statement) in answer, told


async def test_draft_may_change_in_the_database(partner: Partner, owner: AsyncEngine) -> None:
    """The pair of the test above."""
    path = f"/v1/achievements/{partner.achievement_id}/versions"
    assert (await partner.client.post(path, json=achievement_body())).status_code == 201
    where = f"WHERE achievement_id = '{partner.achievement_id}' AND version = 2"
    assert await refusal(owner, f"UPDATE achievement_version SET content = '{{}}' {where}") == ""
    assert await refusal(owner, f"DELETE FROM achievement_version {where}") == ""


@on_postgresql
async def test_role_of_the_service_may_add_and_not_change(settings: Settings, owner: AsyncEngine) -> None:
    async with open_owner(settings, role="assay_app") as engine:
        assert await execute(engine, "SELECT current_user") == [("assay_app",)]
        for table in APPEND_ONLY:
            column = {"audit_entry": "actor", "audit_link": "previous"}.get(table, "issuer_id")
            assert await refusal(engine, f"UPDATE {table} SET {column} = {column}") == MAY_NOT, table
            assert await refusal(engine, f"DELETE FROM {table}") == MAY_NOT, table
            assert await refusal(engine, f"TRUNCATE {table}") == MAY_NOT, table
            assert await refusal(engine, f"ALTER TABLE {table} DISABLE TRIGGER ALL") == MAY_NOT, table
        for table in metadata.tables:
            wanted = "" if table in DELETABLE else MAY_NOT
            assert await refusal(engine, f"DELETE FROM {table}") == wanted, table
            assert await refusal(engine, f"SELECT count(*) FROM {table}") == "", table
        for statement in (
            "CREATE TABLE mine (id int)",
            "DROP TABLE panel",
            "UPDATE alembic_version SET version_num = ''",
        ):
            assert await refusal(engine, statement) == MAY_NOT, statement


@on_postgresql
async def test_role_of_the_service_owns_nothing(owner: AsyncEngine) -> None:
    for catalog, column in (("pg_class", "relowner"), ("pg_proc", "proowner"), ("pg_namespace", "nspowner"),
                            ("pg_type", "typowner"), ("pg_database", "datdba")):  # fmt: skip
        assert await execute(owner, f"SELECT count(*) FROM {catalog} WHERE {column} = 'assay_app'::regrole") == [(0,)]
    rights = "rolsuper, rolcreatedb, rolcreaterole, rolcanlogin, rolreplication, rolbypassrls"
    assert await execute(owner, f"SELECT {rights} FROM pg_roles WHERE rolname = 'assay_app'") == [(False,) * 6]


async def test_a_plain_owner_is_told_what_to_ask_the_administrator_for(postgresql_server: str, tmp_path: Path) -> None:
    """A migrating user who may not create roles; `assay_app` exists in this cluster but is not theirs to use yet."""
    name, password = f"plain_{uuid4().hex[:8]}", uuid4().hex
    with psycopg.connect(postgresql_server, autocommit=True) as administrator:
        administrator.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
        administrator.execute(f"CREATE DATABASE {name} OWNER {name}")
        host = psycopg.conninfo.conninfo_to_dict(postgresql_server)["host"]
        settings = Settings.model_validate(
            {
                "database_url": f"postgresql+psycopg://{name}:{password}@/{name}?host={host}",
                "key_encryption_key": KEY,
                "data_directory": tmp_path,
            }
        )
        with pytest.raises(DBAPIError, match=f"GRANT assay_app TO {name}"):
            await migrate(settings)
        administrator.execute(f"GRANT assay_app TO {name}")
        await migrate(settings)
        async with open_resources(settings) as world, world.database.reading() as session:
            assert (await session.execute(text("SELECT current_user"))).scalar_one() == "assay_app"
        administrator.execute(f"DROP DATABASE {name} WITH (FORCE)")
        administrator.execute(f"DROP ROLE {name}")
