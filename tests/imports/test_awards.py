"""Earlier awards from a file: taken over once, signed today, and whatever is wrong with a row stays with that row."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi import FastAPI

from app.credentials.issue import LEASE as CLAIM_OF_A_REQUEST
from app.credentials.store import claim_edition
from app.errors import Broken
from app.imports.awards import LEASE
from app.imports.report import ReportLine
from app.keys.vault import Vault
from app.learners.recipients import Identities, find_or_create_learner
from app.learners.store import lock_learner
from app.operation.check import Tally, check_badges
from app.operation.reencrypt import reencrypt
from app.scoring.store import get_decision
from app.settings import Settings
from app.statuslists.publish import allocate_index
from app.worker import open_runner
from tests.builders import achievement_body, results
from tests.conftest import Partner, publish
from tests.fakes import FixedClock
from tests.house.logs import capture_log
from tests.imports.importing import DAY, csv_of, import_awards, lines_of, outcomes, person, source_of
from tests.interop.verifier_core import verify_with_verifier_core
from tests.issuing import (
    AbsentSigner,
    CountingSigner,
    Document,
    count_rows,
    decided,
    execute_as_owner,
    list_all_editions,
    require_verifies,
    with_signer,
    world_of,
)
from tests.web.test_bad_input import on_sqlite

GOLDEN_MAPPING = """
date_format = "%d.%m.%Y"
time_zone = "Europe/Berlin"
[columns]
external_id = "No."
name = "Full name"
email = "E-mail"
awarded_at = "Awarded"
[constants]
role = "Principal"
[levels]
problem = "Part 1"
evidence = "Part 2"
[level_names]
"met" = "demonstrated"
[[evidence]]
url = "Portfolio"
name = "Portfolio of practice"
genre = "Portfolio"
"""
GOLDEN_CSV = (
    "\ufeffNo.;Full name;E-mail;Awarded;Part 1;Part 2;Portfolio;Remark\r\n"
    'C-1;"Weiß, Ada";ada@schools.example.org;31.05.2019;met;met;https://p.example.org/1;=SUM(A1)\r\n'
    "C-2;Ben Example;BEN@schools.example.org;01.06.2019;;;;\r\n"
    "\r\n"
).encode()
GOLDEN_LINES = lines_of(
    [
        {
            "external_id": "C-1", "name": "Weiß, Ada", "email": "ada@schools.example.org", "role": "Principal",
            "awarded_at": "2019-05-31T00:00:00+02:00",
            "results": [{"criterion": key, "level": "demonstrated"} for key in ("problem", "evidence")],
            "evidence": [{"url": "https://p.example.org/1", "name": "Portfolio of practice", "genre": "Portfolio"}],
        },
        {
            "external_id": "C-2", "name": "Ben Example", "email": "BEN@schools.example.org", "role": "Principal",
            "awarded_at": "2019-05-31T22:00:00Z",
        },
    ]
)  # fmt: skip


async def badges_of(partner: Partner, lines: list[ReportLine]) -> list[Document]:
    return [(await partner.client.get(line.url)).json() for line in lines]


@pytest.mark.parametrize(("data", "mapping"), [(GOLDEN_CSV, GOLDEN_MAPPING), (GOLDEN_LINES, "")], ids=["csv", "lines"])
async def test_each_row_becomes_a_badge(app: FastAPI, partner: Partner, data: bytes, mapping: str) -> None:
    world = world_of(app)
    lines = await import_awards(world, partner, data, mapping=mapping)
    assert [(line.outcome, line.external_id, line.faults) for line in lines] == [
        ("issued", "C-1", ()),
        ("issued", "C-2", ()),
    ]
    assert [line.line for line in lines] == ([2, 3] if mapping else [1, 2])
    ada, ben = await badges_of(partner, lines)
    for badge in (ada, ben):
        assert badge["validFrom"] == "2026-11-23T13:00:00Z"
        assert badge["credentialSubject"]["source"]["name"] == "State registry"
        assert badge["credentialSubject"]["role"] == "Principal"
        await require_verifies(world, badge)
    assert (ada["awardedDate"], ben["awardedDate"]) == ("2019-05-30T22:00:00Z", "2019-05-31T22:00:00Z")
    assert [result.get("value") for result in ada["credentialSubject"]["result"]] == [
        "Demonstrated",
        "Demonstrated",
        None,
    ]
    assert [piece["id"] for piece in ada["evidence"]] == ["https://p.example.org/1"]
    assert len(ben["credentialSubject"]["result"]) == 1
    learners = (await partner.client.get("/v1/learners")).json()["items"]
    assert {learner["name"] for learner in learners} == {"Weiß, Ada", "Ben Example"}
    # The other file says the same: nothing is left to do.
    for other, how in ((GOLDEN_CSV, GOLDEN_MAPPING), (GOLDEN_LINES, "")):
        assert outcomes(await import_awards(world, partner, other, mapping=how)) == ["already there"] * 2
    assert (await count_rows(world))["credential"] == 2


@on_sqlite
async def test_columns_with_our_names_need_no_mapping(app: FastAPI, partner: Partner) -> None:
    row = {
        "email": "ada@schools.example.org", "awarded_at": DAY, "version": "1", "achievement": partner.achievement_id,
        "level.problem": "demonstrated", "level.evidence": "demonstrated", "activity_start": "2018-09-01",
        "evidence_url": "https://e.example.org/1", "evidence_genre": "Essay", "narrative": "- how it was",
    }  # fmt: skip
    [line] = await import_awards(world_of(app), partner, csv_of([row]))
    [badge] = await badges_of(partner, [line])
    assert len(badge["credentialSubject"]["result"]) == 3
    assert badge["credentialSubject"]["narrative"] == "- how it was"
    assert badge["credentialSubject"]["activityStartDate"] == "2018-09-01T00:00:00Z"
    assert badge["evidence"] == [
        {"id": "https://e.example.org/1", "type": ["Evidence"], "name": "Evidence", "genre": "Essay"}
    ]


async def test_a_dry_run_tells_the_same_and_keeps_nothing(app: FastAPI, partner: Partner) -> None:
    world = world_of(app)
    await source_of(partner)
    rows = [person(n) for n in range(30)] + [{"email": "nobody", "awarded_at": "?"}, person(3)]
    before = await count_rows(world)
    dry = await import_awards(world, partner, lines_of(rows), dry_run=True)
    assert await count_rows(world) == before
    earnest = await import_awards(world, partner, lines_of(rows))
    assert [(line.line, line.outcome, line.faults) for line in dry] == [
        (line.line, line.outcome, line.faults) for line in earnest
    ]
    assert outcomes(dry) == ["issued"] * 30 + ["refused"] * 2
    assert outcomes(await import_awards(world, partner, lines_of(rows), dry_run=True))[:30] == ["already there"] * 30


async def test_a_dry_run_and_a_request_never_wait_crosswise(app: FastAPI, partner: Partner) -> None:
    """A request holds a learner and goes on to the status list; so does each row, whatever rows came before it."""
    world = world_of(app)
    lines = await import_awards(world, partner, lines_of([person(1), person(2)]))
    rows = lines_of([person(1, awarded_at="2020-01-01"), person(2, awarded_at="2020-01-01")])
    async with world.database.reading() as session:
        second = await get_decision(session, partner.issuer_id, lines[1].id)
    async with world.database.transaction() as session:
        await lock_learner(session, partner.issuer_id, second.learner_id)
        rehearsing = asyncio.create_task(import_awards(world, partner, rows, dry_run=True))
        await asyncio.sleep(0.5)
        await allocate_index(session, world, partner.issuer_id, "revocation", world.clock.now())
    assert outcomes(await rehearsing) == ["issued"] * 2


async def test_a_refused_row_is_told_by_its_own_id_and_names_no_person(app: FastAPI, partner: Partner) -> None:
    mapping = '[columns]\nexternal_id = "No."\nemail = "E-mail"\nawarded_at = "Date"'
    rows = [
        {"No.": "C-1", "E-mail": "nobody", "Date": DAY, "external_id": "Grace-Hopper"},
        {"No.": "grace@schools.example.org", "E-mail": "grace@schools.example.org", "Date": DAY},
    ]
    lines = await import_awards(world_of(app), partner, lines_of(rows), mapping=mapping)
    assert [(line.outcome, line.external_id) for line in lines] == [("refused", "C-1"), ("refused", "")]
    assert "grace" not in repr(lines).lower()


async def test_a_version_of_any_length_is_the_row_s_fault(app: FastAPI, partner: Partner) -> None:
    rows = csv_of([person(1, version="9" * 5000), person(2, version="1")])
    lines = await import_awards(world_of(app), partner, rows)
    assert outcomes(lines) == ["refused", "issued"]
    assert lines[0].faults[0].startswith("version ")


async def test_every_fault_of_a_row_is_told_and_the_other_rows_go_on(app: FastAPI, partner: Partner) -> None:
    rows = [
        person(0),
        {"email": "nonsense", "name": "=cmd", "awarded_at": "31/05/2019", "achievement": "nothing", "version": "x"},
        {"email": "a@s.example.org"},
        {"name": "Nobody", "awarded_at": "2019-05-31"},
        person(2, awarded_at="2999-01-01"),
        person(3, level="x"),
        person(4, version=9),
        person(5, narrative="a\u000bb"),
        person(6, evidence=[{"name": "no place"}]),
        {"learner_external_id": "L-1", "awarded_at": "2019-05-31"},
        person(0, did="did:example:0"),
        person(8),
    ]
    lines = await import_awards(world_of(app), partner, lines_of(rows))
    told = {line.line: line.faults for line in lines}
    assert outcomes(lines) == ["issued"] + ["refused"] * 9 + ["refused", "issued"]
    assert [fault.split(" ")[0] for fault in told[2]] == ["name", "awarded_at", "achievement", "version", "email"]
    assert told[3] == ("awarded_at is missing: say when it was awarded",)
    assert "give at least one of external_id, email, did" in told[4][0]
    assert "decided_at" not in told[5][0]
    assert told[5][0].startswith("awarded_at ")
    assert told[6][0].startswith("level is no field of ours")
    assert "no version" in told[7][0]
    assert "U+000B" in told[8][0]
    assert told[9][0].startswith("evidence/0 give a url, a digest, or both")
    assert told[10][0].startswith("email neither an e-mail address nor a DID is known")
    assert "line 1" in told[11][0] or "differs" in told[11][0]
    assert (await count_rows(world_of(app)))["decision"] == 2


@on_sqlite
async def test_an_award_that_has_run_out_is_not_taken_over(app: FastAPI, partner: Partner) -> None:
    partner.achievement_id = await publish(partner.client, achievement_body(settings={"validity_days": 365}))
    rows = [person(0), person(1, awarded_at="2026-05-31")]
    old, recent = await import_awards(world_of(app), partner, lines_of(rows))
    [told] = old.faults
    assert told.startswith("awarded_at lies so far back that the badge would have ended on 2020-05-30:")
    assert recent.outcome == "issued"
    assert (await partner.client.get(recent.url)).json()["validUntil"] == "2027-05-31T00:00:00Z"


@on_sqlite
async def test_a_repeated_row_is_refused_with_the_line_of_the_first(app: FastAPI, partner: Partner) -> None:
    rows = [
        person(0, external_id="C-1"),
        person(1, external_id="C-1"),
        person(2),
        person(2),
        person(2, awarded_at="2020-01-01"),
    ]
    lines = await import_awards(world_of(app), partner, lines_of(rows))
    assert outcomes(lines) == ["issued", "refused", "issued", "refused", "issued"]
    assert "line 1" in lines[1].faults[0]
    assert "line 3" in lines[3].faults[0]


async def test_a_row_that_differs_from_what_was_taken_over_is_refused(app: FastAPI, partner: Partner) -> None:
    world = world_of(app)
    levels = [{"criterion": key, "level": "demonstrated", "rationale": "So."} for key in ("problem", "evidence")]
    whole = {
        "external_id": "C-1", "name": "Ada", "email": "ada@schools.example.org", "awarded_at": "2019-05-31", "role": "Principal",
        "narrative": "How it was.", "evidence": [{"digest": "sha256:" + "ab" * 32, "name": "Essay"}], "version": 1,
        "activity_start": "2018-09-01", "activity_end": "2019-05-01",
        "results": levels,
    }  # fmt: skip
    [issued] = await import_awards(world, partner, lines_of([whole]))
    assert issued.outcome == "issued", issued
    second = await publish(partner.client, achievement_body())
    counts = await count_rows(world)
    for changes, names in (
        ({"awarded_at": "2019-06-01"}, ["awarded_at"]),
        ({"role": None, "narrative": "Otherwise."}, ["narrative", "role"]),
        ({"evidence": [{"digest": "sha256:" + "ba" * 32, "name": "Essay"}]}, ["evidence"]),
        ({"results": None}, ["results", "rationales"]),
        ({"results": [{**each, "rationale": "Not so."} for each in levels]}, ["rationales"]),
        ({"email": "ben@schools.example.org"}, ["recipient"]),
        ({"achievement": second}, ["achievement"]),
        ({"activity_end": None}, ["activity_end"]),
    ):
        [line] = await import_awards(world, partner, lines_of([whole | changes]))
        assert line.outcome == "refused"
        assert line.faults[0].startswith(f"differs from what was taken over before: {', '.join(names)}: to correct it")
    other = await partner.client.post("/v1/panels", json={"kind": "external", "name": "Another"})
    [line] = await import_awards(world, partner, lines_of([whole]), source=other.json()["id"])
    assert "source" in line.faults[0]
    assert outcomes(await import_awards(world, partner, lines_of([whole]))) == ["already there"]
    after = await count_rows(world)
    assert {name: after[name] for name in ("decision", "learner", "edition")} == {
        name: counts[name] for name in ("decision", "learner", "edition")
    }


# Rows without an id of their own


async def test_a_row_without_an_id_is_known_again_whatever_became_of_the_person(app: FastAPI, partner: Partner) -> None:
    world = world_of(app)
    [line] = await import_awards(world, partner, lines_of([person(1, name="Ada", learner_external_id="L-1")]))
    assert line.external_id.startswith("taken-over-")
    did = {"email": "p1@schools.example.org", "did": "did:example:later"}
    async with world.database.transaction() as session:
        await find_or_create_learner(
            session, world.vault, partner.issuer_id, external_id=None, identities=Identities(**did), actor="test",
            now=world.clock.now(),
        )  # fmt: skip
    for same in (
        person(1, email="P1@schools.example.org"),
        person(1, **did),
        {"did": "did:example:later", "awarded_at": "2019-05-31"},
        {"learner_external_id": "L-1", "awarded_at": "2019-05-31T02:00:00+02:00"},
    ):
        [again] = await import_awards(world, partner, lines_of([same]))
        assert (again.outcome, again.url) == ("already there", line.url), again
    [another] = await import_awards(world, partner, lines_of([person(1, awarded_at="2020-05-31")]))
    assert another.outcome == "issued"
    assert (await count_rows(world))["credential"] == 2


async def test_a_row_without_an_id_is_known_again_though_the_person_was_merged(
    app: FastAPI, partner: Partner, settings: Settings
) -> None:
    world = world_of(app)
    [line] = await import_awards(world, partner, lines_of([person(1)]))
    [one] = (await partner.client.get("/v1/learners")).json()["items"]
    other = await partner.client.post("/v1/learners", json={"did": "did:example:other"})
    row = lines_of([{"did": "did:example:other", "awarded_at": "2019-05-31"}])
    [dry] = await import_awards(world, partner, row, dry_run=True)
    assert dry.outcome == "issued"
    await execute_as_owner(
        settings, "UPDATE learner SET merged_into = :other WHERE id = :one", other=other.json()["id"], one=one["id"]
    )
    [again] = await import_awards(world, partner, row)
    assert (again.outcome, again.url) == ("already there", line.url)


async def test_a_row_without_an_id_is_known_again_under_a_new_key(app: FastAPI, partner: Partner) -> None:
    """The derived id is another one then; the award is found by its facts."""
    world = world_of(app)
    rows = lines_of([person(1)])
    [line] = await import_awards(world, partner, rows)
    old, new = bytes(range(32)), bytes(32)
    replacing = replace(world, vault=Vault(new, previous=old))
    [again] = await import_awards(replacing, partner, rows)
    assert (again.outcome, again.external_id) == ("already there", line.external_id)
    await reencrypt(replacing, actor="test")
    [again] = await import_awards(replace(world, vault=Vault(new)), partner, rows)
    assert (again.outcome, again.external_id) == ("already there", line.external_id)


async def test_who_was_erased_does_not_come_back(app: FastAPI, partner: Partner) -> None:
    world = world_of(app)
    rows = lines_of([person(1), person(2, external_id="C-2")])
    await import_awards(world, partner, rows)
    for learner in (await partner.client.get("/v1/learners")).json()["items"]:
        assert (await partner.client.post(f"/v1/learners/{learner['id']}/erase")).status_code == 200
    assert outcomes(await import_awards(world, partner, rows)) == ["already there"] * 2
    assert (await partner.client.get("/v1/learners")).json()["items"] == []


async def test_a_row_with_the_id_of_another_decision_is_refused(app: FastAPI, partner: Partner) -> None:
    """Also when whom that one was about has been erased, so that only the register can be compared."""
    world = world_of(app)
    ours = await decided(partner, external_id="C-1", outcome="not_yet", results=results("developing"))
    for _ in range(2):
        [line] = await import_awards(world, partner, lines_of([person(1, external_id="C-1")]))
        assert line.outcome == "refused"
        assert line.faults[0].startswith(
            "differs from what was taken over before: outcome, source, awarded_at, results"
        )
        assert (await partner.client.post(f"/v1/learners/{ours['learner_id']}/erase")).status_code == 200
    assert (await count_rows(world))["decision"] == 1


# Interrupted, and with others at work


async def test_what_a_killed_run_left_unsigned_is_finished_once_its_claim_has_run_out(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    world = world_of(app)
    await import_awards(world, partner, lines_of([person(0)]))  # opens the status list, which is signed too
    rows = lines_of([person(n) for n in range(3)])
    with pytest.raises(Broken):
        await import_awards(with_signer(world, AbsentSigner(world.signer)), partner, rows)
    assert [edition.state for edition in await list_all_editions(world)] == ["issued", "pending"]
    begun = clock.now()
    signer = CountingSigner(world.signer)
    lines = await import_awards(with_signer(world, signer), partner, rows)
    # The row that waits for the dead process's claim is told last, and only a few seconds later.
    assert [(line.line, line.outcome) for line in lines] == [(1, "already there"), (3, "issued"), (2, "issued")]
    assert LEASE <= clock.now() - begun < CLAIM_OF_A_REQUEST / 2
    assert signer.signed == 2
    clock.advance(hours=1)
    runner = open_runner(world)
    while await runner.run_one():
        pass
    assert [edition.state for edition in await list_all_editions(world)] == ["issued"] * 3
    assert outcomes(await import_awards(world, partner, rows)) == ["already there"] * 3
    counts = await count_rows(world)
    assert [counts[name] for name in ("decision", "credential", "edition", "representation", "drawn")] == [3] * 5


async def test_another_process_at_work_on_a_row_is_waited_for_but_not_for_ever(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    world = world_of(app)
    await import_awards(world, partner, lines_of([person(0)]))
    rows = lines_of([person(1)])
    with pytest.raises(Broken):
        await import_awards(with_signer(world, AbsentSigner(world.signer)), partner, rows)
    edition = (await list_all_editions(world))[-1]
    clock.advance(seconds=LEASE.total_seconds() + 1)
    async with world.database.transaction() as session:
        now = clock.now()
        held = await claim_edition(
            session, partner.issuer_id, edition.id, claim="other", now=now, until=now + timedelta(hours=1)
        )
    assert held
    [line] = await import_awards(world, partner, rows)
    assert (line.outcome, line.faults) == ("unsigned", ("another process is signing its badge",))
    clock.advance(hours=2)
    assert outcomes(await import_awards(world, partner, rows)) == ["issued"]


async def test_two_imports_at_once_take_each_row_once(app: FastAPI, partner: Partner) -> None:
    world = world_of(app)
    await import_awards(world, partner, lines_of([person(0)]))
    rows = lines_of([person(n, external_id=f"C-{n}") for n in range(8)])
    first, second = await asyncio.gather(import_awards(world, partner, rows), import_awards(world, partner, rows))
    lines = {"first": first, "second": second}
    for told in lines.values():
        assert {line.outcome for line in told} <= {"issued", "already there"}, told
        assert len(told) == 8
    counts = await count_rows(world)
    assert [counts[name] for name in ("decision", "credential", "edition", "representation")] == [9] * 4
    tally = Tally()
    async for _ in check_badges(world, tally):
        pass
    assert (tally.badges, tally.bad_badges) == (9, [])


@on_sqlite
async def test_nothing_personal_is_logged(app: FastAPI, partner: Partner, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [person(1, name="Kanaryname"), {"email": "kanarymail", "name": "Kanaryname", "awarded_at": "kanaryday"}]
    with capture_log(capsys) as read_log:
        await import_awards(world_of(app), partner, lines_of(rows))
        await import_awards(world_of(app), partner, csv_of([{name: str(v) for name, v in row.items()} for row in rows]))
        log = read_log()
    assert "anary" not in log.lower()


@on_sqlite
async def test_other_verifiers_accept_what_was_taken_over(app: FastAPI, partner: Partner) -> None:
    lines = await import_awards(world_of(app), partner, GOLDEN_LINES)
    for result in verify_with_verifier_core(await badges_of(partner, lines)):
        assert result["steps"]["valid_signature"] is True, result
        assert result["steps"].get("schema_check", True) is True, result
