"""Replacing the key-encryption key reaches people too, and every other key there is."""

from datetime import timedelta

from sqlalchemy import select

import app.tables  # noqa: F401 - so that every table is known
from app.access.store import Person
from app.db import Table
from app.learners.store import Learner
from app.operation.reencrypt import WITHOUT_IDENTITIES, Reencrypted, reencrypt
from app.people.identities import add_person_identity, find_person_by_index, identity_indexes, open_person
from app.people.people import lock_person
from app.people.providers import Registration, add_provider, get_provider, open_client_secret
from app.readings.store import SamplingWindow
from app.resources import Resources, open_resources
from app.settings import Settings
from tests.assessing import put_program
from tests.conftest import KEY, Partner
from tests.fakes import FixedClock
from tests.operation.test_reencrypt import NEW_KEY, keyed
from tests.people import make_person


def test_no_table_with_a_key_is_forgotten() -> None:
    with_key = {mapper.class_ for mapper in Table.registry.mappers if "sealed_key" in mapper.columns}
    assert with_key == {Learner, Person, *WITHOUT_IDENTITIES}


async def test_people_providers_and_windows_open_with_the_new_key_alone(
    settings: Settings, world: Resources, clock: FixedClock, partner: Partner
) -> None:
    issuer_id, now = partner.issuer_id, clock.now()
    ada, _ = await make_person(world, issuer_id, name="Ada Example")
    program_id = (await put_program(world, partner)).id
    async with world.database.transaction() as session:
        provider = await add_provider(
            session, world.vault, issuer_id,
            Registration("Maple", "https://login.example.org", "client", "a secret"), actor="test", now=now,
        )  # fmt: skip
        ada = await lock_person(session, issuer_id, ada.id)
        await add_person_identity(session, world.vault, ada, "oidc", "sub-1", provider_id=provider.id, now=now)
        window_id = "a" * 32
        session.add(
            SamplingWindow(
                issuer_id=issuer_id, id=window_id, program_id=program_id, starts_at=now, ends_at=now + timedelta(days=1),
                rate=10, seed_hash="x", sealed_key=world.vault.new_personal_key(issuer_id, window_id), sealed_seed=b"x",
                seed=None, published_at=now, revealed_at=None,
            )
        )  # fmt: skip
    async with open_resources(keyed(settings, NEW_KEY, previous=KEY), clock=clock) as both:
        async with both.database.reading() as session:  # found while there are two keys
            indexes = identity_indexes(both.vault, issuer_id, "email", "ADA.example@schools.example.org")
            assert await find_person_by_index(session, issuer_id, "email", indexes) is not None
        done = await reencrypt(both, actor="test", batch_size=1)
        assert (done.people, done.others) == (2, 2)
        again = await reencrypt(both, actor="test")
        assert again == Reencrypted()
    async with open_resources(keyed(settings, NEW_KEY), clock=clock) as alone, alone.database.reading() as session:
        for kind, value, of in (("email", "ada.example@schools.example.org", None), ("oidc", "sub-1", provider.id)):
            indexes = identity_indexes(alone.vault, issuer_id, kind, value, of)  # type: ignore[arg-type]
            found = await find_person_by_index(session, issuer_id, kind, indexes)  # type: ignore[arg-type]
            assert found is not None
            assert (found.id, (await open_person(session, alone.vault, found)).name) == (ada.id, "Ada Example")
        assert open_client_secret(alone.vault, await get_provider(session, issuer_id, provider.id)) == "a secret"
        [window] = (await session.scalars(select(SamplingWindow))).all()
        alone.vault.open_personal_key(window.sealed_key, issuer_id=issuer_id, owner_id=window_id)
