"""What the tests of imports share: an import in this process, and what is left in the register."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from app.access.principals import TENANT_SCOPES, Tenant
from app.assessors.store import get_panel
from app.imports import awards, rosters
from app.imports.achievements import AchievementImport
from app.imports.awards import AwardImport
from app.imports.mapping import fit, read_mapping_file
from app.imports.reading import inspect, read_rows
from app.imports.report import ReportLine
from app.imports.rosters import RosterImport
from app.imports.run import Importer, execute, rehearse
from app.resources import Resources
from tests.conftest import Partner
from tests.scoring.test_external_sources import make_source

DAY = "2019-05-31"


def never() -> bool:
    return False


def lines_of(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def csv_of(rows: Sequence[Mapping[str, str]]) -> bytes:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    cells = [columns, *([row.get(name, "") for name in columns] for row in rows)]
    return "".join(",".join(row) + "\r\n" for row in cells).encode()


def person(number: int, **changes: Any) -> dict[str, Any]:
    return {"email": f"p{number}@schools.example.org", "awarded_at": DAY} | changes


async def source_of(partner: Partner) -> str:
    """The partner's one external source."""
    found = (await partner.client.get("/v1/panels?external_id=registry")).json()["items"]
    return str(found[0]["id"]) if found else await make_source(partner, external_id="registry")


async def import_awards(
    world: Resources,
    partner: Partner,
    data: bytes,
    *,
    mapping: str = "",
    dry_run: bool = False,
    source: str | None = None,
) -> list[ReportLine]:
    sheet = inspect(io.BytesIO(data))
    async with world.database.reading() as session:
        panel = await get_panel(session, partner.issuer_id, source or await source_of(partner))
    fitted = fit(read_mapping_file(mapping.encode()), sheet, awards.FIELDS)
    importer = AwardImport(world, tenant_of(partner), fitted, panel, partner.achievement_id)
    return await run(world, importer, data, dry_run=dry_run)


async def import_roster(
    world: Resources, partner: Partner, data: bytes, *, mapping: str = "", dry_run: bool = False
) -> list[ReportLine]:
    fitted = fit(read_mapping_file(mapping.encode()), inspect(io.BytesIO(data)), rosters.FIELDS)
    return await run(world, RosterImport(world, tenant_of(partner), fitted), data, dry_run=dry_run)


async def import_achievements(
    world: Resources, partner: Partner, data: bytes, *, publish: bool = False, dry_run: bool = False
) -> list[ReportLine]:
    return await run(world, AchievementImport(world, tenant_of(partner), publish), data, dry_run=dry_run)


async def run(world: Resources, importer: Importer[Any], data: bytes, *, dry_run: bool) -> list[ReportLine]:
    stream = io.BytesIO(data)
    rows = read_rows(stream, inspect(stream))
    return [line async for line in (rehearse if dry_run else execute)(world, importer, rows, stop=never)]


def tenant_of(partner: Partner) -> Tenant:
    return Tenant(partner.issuer_id, "import", TENANT_SCOPES)


def outcomes(lines: Sequence[ReportLine]) -> list[str]:
    return [line.outcome for line in lines]
