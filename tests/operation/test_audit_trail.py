"""The audit trail is chained, and a byte changed anywhere in it is found where it was changed."""

import asyncio
from typing import Any

from fastapi import FastAPI
from sqlalchemy import select, text

from app.audit.store import PLATFORM, AuditEntry, AuditLink, content_digest, link_loose_entries
from app.operation.audit_trail import Trail, commitments_of, verify_audit_trail
from app.resources import Resources
from app.scoring.commitment import compose_commitment, compose_earlier_commitments
from app.scoring.store import Decision
from app.settings import Settings
from tests.conftest import Partner
from tests.issuing import change_status, decided, record, world_of
from tests.operation.behind import flipped, unguarded
from tests.scoring.judging import open_case


async def verify(world: Resources) -> Trail:
    async with world.database.snapshot() as session:
        return await verify_audit_trail(session)


def places(trail: Trail) -> list[tuple[str, int | None]]:
    return [(fault.chain, fault.position) for fault in trail.faults]


async def live(partner: Partner) -> None:
    badge = (await decided(partner))["credential"]
    assert (await change_status(partner, badge["id"], "revoke")).status_code == 200


async def test_every_issuer_and_the_platform_have_a_whole_chain(
    app: FastAPI, partner: Partner, stranger: Partner
) -> None:
    await live(partner)
    trail = await verify(world_of(app))
    assert trail.faults == []
    chains = {head.chain: head.position for head in trail.heads}
    assert chains.keys() == {partner.issuer_id, stranger.issuer_id, PLATFORM}
    async with world_of(app).database.reading() as session:
        links = (await session.scalars(select(AuditLink).order_by(AuditLink.chain, AuditLink.position))).all()
        entries = {entry.id: entry for entry in (await session.scalars(select(AuditEntry))).all()}
    assert len(links) == len(entries) == trail.entries
    for before, link in zip([None, *links], links, strict=False):
        first = before is None or before.chain != link.chain
        assert (link.position, link.previous) == ((1, "") if first else (before.position + 1, before.digest))
        assert (entries[link.entry_id].issuer_id or PLATFORM) == link.chain


async def test_transactions_at_once_make_one_chain_in_the_order_of_the_events(app: FastAPI, partner: Partner) -> None:
    answers = await asyncio.gather(
        *(record(partner, recipient={"email": f"learner.{n}@schools.example.org"}) for n in range(12))
    )
    assert [answer.status_code for answer in answers] == [201] * 12
    assert (await verify(world_of(app))).faults == []
    async with world_of(app).database.reading() as session:
        audited = await session.scalars(
            select(AuditEntry.object_id).join(AuditLink, AuditLink.entry_id == AuditEntry.id)
            .where(AuditEntry.action == "credential.issued").order_by(AuditLink.position)
        )  # fmt: skip
        told = await session.execute(
            text("SELECT object_id FROM event WHERE type = 'credential.issued' ORDER BY position")
        )
        assert list(audited.all()) == [row[0] for row in told]


async def test_every_use_of_a_key_is_recorded(app: FastAPI, partner: Partner) -> None:
    await live(partner)
    async with world_of(app).database.reading() as session:
        rows = (await session.execute(text("SELECT id FROM signing_key"))).scalars().all()
        used = await session.scalars(select(AuditEntry).where(AuditEntry.action == "key.used"))
        entries = used.all()
    # The list when it was opened, the badge, the list with the badge revoked.
    assert [(entry.object_id, entry.actor) for entry in entries] == [(rows[0], "signer")] * 3
    assert len({entry.digest for entry in entries}) == 3


async def test_a_flipped_byte_is_found_and_located_whatever_column_it_is_in(
    app: FastAPI, settings: Settings, partner: Partner
) -> None:
    await live(partner)
    world, chain = world_of(app), partner.issuer_id
    assert (await verify(world)).faults == []
    async with unguarded(settings) as change:
        where = "WHERE chain = :chain AND position = 5"
        [(entry_id,)] = await change(f"SELECT entry_id FROM audit_link {where}", chain=chain)
        for column in ("actor", "action", "object_id", "digest", "issuer_id", "recorded_at"):
            [(value,)] = await change(f"SELECT {column} FROM audit_entry WHERE id = :id", id=entry_id)
            for planted in _planted(settings, column, value):
                await change(f"UPDATE audit_entry SET {column} = :value WHERE id = :id", value=planted, id=entry_id)
                trail = await verify(world)
                assert places(trail) == [(chain, 5)], column
                assert trail.faults[0].entry_id == entry_id
            await change(f"UPDATE audit_entry SET {column} = :value WHERE id = :id", value=value, id=entry_id)
        for column in ("previous", "digest"):
            [(value,)] = await change(f"SELECT {column} FROM audit_link {where}", chain=chain)
            await change(f"UPDATE audit_link SET {column} = :value {where}", value=flipped(value), chain=chain)
            assert places(await verify(world)) == [(chain, 5)], column
            await change(f"UPDATE audit_link SET {column} = :value {where}", value=value, chain=chain)
    assert (await verify(world)).faults == []


def _planted(settings: Settings, column: str, value: Any) -> list[Any]:
    if column == "recorded_at" and not settings.is_sqlite:
        return [value.replace(microsecond=1)]
    if settings.is_sqlite and column in ("actor", "recorded_at"):
        return [flipped(value), b"\xff" + value.encode()[1:]]  # SQLite takes what is not even text
    return [flipped(value)]


async def test_entries_removed_moved_or_slipped_in_are_found(
    app: FastAPI, settings: Settings, partner: Partner
) -> None:
    await live(partner)
    world, chain = world_of(app), partner.issuer_id
    end = next(head.position for head in (await verify(world)).heads if head.chain == chain)
    async with unguarded(settings) as change:

        async def remove(position: int) -> None:
            where = "WHERE chain = :chain AND position = :position"
            [(id_,)] = await change(f"SELECT entry_id FROM audit_link {where}", chain=chain, position=position)
            await change(f"DELETE FROM audit_link {where}", chain=chain, position=position)
            await change("DELETE FROM audit_entry WHERE id = :id", id=id_)

        await remove(end)  # the last one leaves no gap: the head knows
        assert places(await verify(world)) == [(chain, end)]
        await remove(4)
        assert places(await verify(world)) == [(chain, 5), (chain, end)]
        await change("INSERT INTO audit_entry (issuer_id, actor, action, object_id, digest, recorded_at) "
                     "SELECT issuer_id, actor, action, object_id, digest, recorded_at FROM audit_entry WHERE id = "
                     "(SELECT min(id) FROM audit_entry)")  # fmt: skip
        assert places(await verify(world)) == [(chain, 5), (chain, end), ("", None)]
        await change("DELETE FROM audit_link WHERE chain = :chain", chain=chain)
        await change("DELETE FROM audit_entry WHERE issuer_id = :chain", chain=chain)
        await change("DELETE FROM audit_chain WHERE chain = :chain", chain=chain)
        assert (chain, None) in places(await verify(world))


async def test_what_an_earlier_release_wrote_beside_is_told_and_can_be_linked(
    app: FastAPI, settings: Settings, partner: Partner
) -> None:
    async with unguarded(settings) as change:
        for number in range(2):
            await change(
                "INSERT INTO audit_entry (issuer_id, actor, action, object_id, digest, recorded_at) SELECT issuer_id, "
                "'client:old', 'panel.changed', :object, digest, recorded_at FROM audit_entry WHERE id = "
                "(SELECT min(id) FROM audit_entry WHERE issuer_id IS NOT NULL)", object=f"{number:032x}",
            )  # fmt: skip
    world = world_of(app)
    [fault] = (await verify(world)).faults
    assert (fault.position, "assay audit link" in fault.cure) == (None, True)
    async with world.database.transaction() as session:
        assert await link_loose_entries(session) == 2
    assert (await verify(world)).faults == []
    async with world.database.transaction() as session:
        assert await link_loose_entries(session) == 0


async def test_a_decision_changed_behind_the_services_back_is_found(
    app: FastAPI, settings: Settings, partner: Partner
) -> None:
    """Its entry is whole, and says where it stands."""
    decision = await (await open_case(app, partner)).decided()
    world, chain = world_of(app), partner.issuer_id
    assert (await verify(world)).faults == []
    planted: dict[str, Any] = {
        "outcome": "not_yet", "levels": '[["problem","developing"]]', "assessors": '["A-99"]', "policy_version": 2,
        "reason_code": "other", "digest": "0" * 64, "recorded_by": "person:else",
    }  # fmt: skip
    async with unguarded(settings) as change:
        [(position,)] = await change(
            "SELECT position FROM audit_link JOIN audit_entry ON audit_entry.id = entry_id "
            "WHERE action = 'decision.recorded' AND object_id = :id", id=decision["id"],
        )  # fmt: skip
        for column, planting in planted.items():
            is_json = column in ("levels", "assessors") and not settings.is_sqlite
            read, given = ("CAST({} AS text)", "CAST(:value AS json)") if is_json else ("{}", ":value")
            [(value,)] = await change(f"SELECT {read.format(column)} FROM decision WHERE id = :id", id=decision["id"])
            for put, faulty in ((planting, [(chain, position)]), (value, [])):
                await change(f"UPDATE decision SET {column} = {given} WHERE id = :id", value=put, id=decision["id"])
                assert places(await verify(world)) == faulty, column


async def test_a_decision_slipped_in_or_removed_is_found(app: FastAPI, settings: Settings, partner: Partner) -> None:
    await decided(partner, outcome="not_yet")
    world = world_of(app)
    async with unguarded(settings) as change:
        await change("UPDATE decision SET id = :other", other="f" * 32)
        told = [fault.detail for fault in (await verify(world)).faults]
    assert len(told) == 2
    assert f"the decision {'f' * 32} is in no entry: somebody else wrote it" in told
    assert any(each.endswith("is missing") for each in told)


async def test_what_the_release_before_chained_of_a_decision_still_verifies(app: FastAPI, partner: Partner) -> None:
    """It committed to less: outcome, corrections, and the digest of the details."""
    await decided(partner)
    world = world_of(app)
    async with world.database.reading() as session:
        row = (await session.scalars(select(Decision))).one().columns()
    earlier = [content_digest(each) for each in compose_earlier_commitments(row)]
    assert len(earlier) == 2
    assert commitments_of(row) == {content_digest(compose_commitment(row)), *earlier}
    for column, value in (("outcome", "not_yet"), ("digest", "0" * 64), ("supersedes_id", "f" * 32)):
        assert commitments_of({**row, column: value}).isdisjoint(earlier), column


async def test_erasing_a_learner_leaves_decisions_as_they_were_chained(app: FastAPI, partner: Partner) -> None:
    decision = await decided(partner)
    assert (await partner.client.post(f"/v1/learners/{decision['learner_id']}/erase")).status_code == 200
    assert (await verify(world_of(app))).faults == []
