"""People from a file: entered, completed, found again, or refused where the file contradicts what is known."""

from fastapi import FastAPI

from app.imports.report import ReportLine
from tests.conftest import Partner
from tests.imports.importing import csv_of, import_roster, lines_of, outcomes
from tests.issuing import Document, count_rows, world_of

ADA = {"external_id": "L-1", "name": "Ada Example", "email": "ada@schools.example.org"}
BEN = {"name": "Ben Example", "email": "ben@schools.example.org"}
CYD = {"external_id": "L-3", "did": "did:example:cyd"}


async def learners(partner: Partner) -> list[Document]:
    found = (await partner.client.get("/v1/learners")).json()["items"]
    told = [{name: learner[name] for name in ("external_id", "name", "email", "did")} for learner in found]
    return sorted(told, key=lambda learner: learner["email"] or "~")


def places(lines: list[ReportLine]) -> list[str]:
    return [line.faults[0].split(" ")[0] for line in lines if line.faults]


async def test_people_are_entered_once_and_completed(app: FastAPI, partner: Partner) -> None:
    world = world_of(app)
    lines = await import_roster(world, partner, csv_of([ADA, BEN, CYD]))
    assert outcomes(lines) == ["created"] * 3
    assert [line.external_id for line in lines] == ["L-1", "", "L-3"]
    assert (await partner.client.get(f"/v1/learners/{lines[0].id}")).json()["email"] == ADA["email"]
    more = [ADA, {**BEN, "external_id": "L-2"}, {**CYD, "name": "Cyd Example"}]
    before = await count_rows(world)
    assert outcomes(await import_roster(world, partner, lines_of(more), dry_run=True)) == [
        "already there", "completed", "completed",
    ]  # fmt: skip
    assert await count_rows(world) == before
    again = await import_roster(world, partner, lines_of(more))
    assert outcomes(again) == ["already there", "completed", "completed"]
    assert [line.id for line in again] == [line.id for line in lines]
    assert outcomes(await import_roster(world, partner, lines_of(more))) == ["already there"] * 3
    assert await learners(partner) == [
        {"did": None, **ADA}, {"did": None, **BEN, "external_id": "L-2"}, {"email": None, **CYD, "name": "Cyd Example"},
    ]  # fmt: skip


async def test_a_contradiction_refuses_its_row(app: FastAPI, partner: Partner) -> None:
    world = world_of(app)
    await import_roster(world, partner, csv_of([ADA, BEN, CYD]))
    known = await learners(partner)
    rows = [
        {**ADA, "name": "Ada Newname"},
        {"external_id": "L-9", "email": ADA["email"]},
        {"email": BEN["email"], "did": CYD["did"]},
        {"external_id": "L-3", "did": "did:example:other"},
        {"name": "Nobody"},
        {"email": "=x@schools.example.org"},
        {"email": "Dan <dan@schools.example.org>", "external_id": "a b"},
        {"email": "eve@schools.example.org"},
        {"email": "EVE@schools.example.org", "name": "Eve"},
    ]
    lines = await import_roster(world, partner, lines_of(rows))
    assert outcomes(lines) == ["refused"] * 7 + ["created", "refused"]
    assert lines[0].faults[0].startswith("name is not the name that the learner is known by")
    assert "is known by another DID. If it is theirs as well, add it: POST /v1/learners/" in lines[3].faults[0]
    assert lines[5].faults == ("email looks like a formula of a spreadsheet: write the value itself, or leave it out",)
    assert len(lines[6].faults) == 2
    assert "line 8" in lines[8].faults[0]
    assert [each for each in await learners(partner) if not str(each["email"]).startswith("eve")] == known
    assert len(await learners(partner)) == 4


async def test_columns_of_another_name(app: FastAPI, partner: Partner) -> None:
    data = "Nr;Nachname;Mail\n7;Weiß;weiss@schools.example.org\n".encode()
    mapping = 'columns.external_id = "Nr"\ncolumns.name = "Nachname"\ncolumns.email = "Mail"'
    assert outcomes(await import_roster(world_of(app), partner, data, mapping=mapping)) == ["created"]
    assert await learners(partner) == [
        {"external_id": "7", "name": "Weiß", "email": "weiss@schools.example.org", "did": None}
    ]
