"""`assay keys …` as an operator types it."""

import asyncio
import subprocess

import pytest

from app.issuers.create import create_issuer
from app.keys.store import list_all_keys
from app.learners.recipients import Identities, create_learner
from app.resources import open_resources
from app.settings import Settings
from tests.conftest import PROJECT
from tests.journeys.test_journey import ASSAY, environment
from tests.operation.test_reencrypt import NEW_KEY


async def make_issuer_and_learner(settings: Settings) -> None:
    async with open_resources(settings) as world, world.database.transaction() as session:
        now = world.clock.now()
        issuer = await create_issuer(
            session, world, slug="academy", profile={"name": "The academy"}, actor="test", now=now
        )
        await create_learner(
            session, world.vault, issuer.id, external_id=None,
            identities=Identities(email="ada.example@schools.example.org"), actor="test", now=now,
        )  # fmt: skip


async def key_states(settings: Settings) -> list[str]:
    async with open_resources(settings) as world, world.database.reading() as session:
        return [key.state for key in await list_all_keys(session)]


def assay(settings: Settings, *arguments: str, **variables: str) -> tuple[int, str]:
    """Exit code and all that was said, in one line."""
    run = subprocess.run(
        [*ASSAY, "keys", *arguments], cwd=PROJECT, env=environment(settings) | {"ASSAY_LOG_LEVEL": "warning"} | variables,
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert "Traceback" not in run.stderr, run.stderr
    return run.returncode, " ".join((run.stdout + run.stderr).split())


@pytest.fixture
def settings(settings: Settings) -> Settings:
    asyncio.run(make_issuer_and_learner(settings))
    return settings


def test_rotating_says_what_cannot_be(settings: Settings) -> None:
    code, said = assay(settings, "rotate", "academy")
    assert code == 2
    assert "key_not_rotatable" in said
    assert "Create a new issuer" in said
    assert assay(settings, "rotate", "nobody") == (2, "not_found: There is no issuer with this slug.")
    assert asyncio.run(key_states(settings)) == ["active"]


def test_reencrypting_wants_both_keys_and_says_when_it_is_done(settings: Settings) -> None:
    assert settings.key_encryption_key is not None
    old = settings.key_encryption_key.get_secret_value()
    new = {"ASSAY_KEY_ENCRYPTION_KEY": NEW_KEY}
    code, said = assay(settings, "reencrypt", **new)
    assert code == 2
    assert "ASSAY_PREVIOUS_KEY_ENCRYPTION_KEY is not set" in said

    both = {**new, "ASSAY_PREVIOUS_KEY_ENCRYPTION_KEY": old}
    for counts in (
        "1 learners and 0 people with 1 identities, 1 signing keys",
        "0 learners and 0 people with 0 identities, 0 signing keys",
    ):
        code, said = assay(settings, "reencrypt", **both)
        assert code == 0, said
        assert counts in said
        assert "remove ASSAY_PREVIOUS_KEY_ENCRYPTION_KEY" in said
    # The old key alone is told that it is not the one any more.
    code, said = assay(settings, "rotate", "academy")
    assert code == 2
    assert "does not open the keys in this database" in said
    assert assay(settings, "rotate", "academy", **new)[1].startswith("key_not_rotatable")
