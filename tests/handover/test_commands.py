"""`assay issuers …` as an operator types it, on both databases."""

import stat
import subprocess
from pathlib import Path

import httpx
from fastapi import FastAPI

from app.handover.lines import read_records
from app.settings import Settings
from tests.conftest import PROJECT, Partner
from tests.issuing import decided
from tests.journeys.test_journey import ASSAY, environment


def assay(settings: Settings, *arguments: str, group: str = "issuers", typed: str = "") -> tuple[int, str]:
    """Exit code and all that was said, in one line."""
    run = subprocess.run(
        [*ASSAY, group, *arguments], cwd=PROJECT, env=environment(settings) | {"ASSAY_LOG_LEVEL": "warning"},
        input=typed, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert "Traceback" not in run.stderr, run.stderr
    return run.returncode, " ".join((run.stdout + run.stderr).split())


def names_in(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir() if "jsonl" in path.name]


async def test_exporting(app: FastAPI, settings: Settings, partner: Partner, tmp_path: Path) -> None:
    await decided(partner)
    file = tmp_path / "academy.jsonl"
    code, said = assay(settings, "export", "academy", str(file))
    assert (code, f"Written to {file}" in said, "personal data" in said) == (0, True, True), said
    with file.open("rb") as lines:
        records = list(read_records(lines))
    assert f"{len(records) - 1} records" in said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    # Never over another file, and nothing half written stays.
    code, said = assay(settings, "export", "academy", str(file))
    assert (code, "exists already" in said) == (2, True)
    assert assay(settings, "export", "nobody", str(tmp_path / "other.jsonl"))[0] == 2
    for place in (tmp_path / "none" / "academy.jsonl", file / "academy.jsonl", tmp_path / ("x" * 240)):
        code, said = assay(settings, "export", "academy", str(place))
        assert (code, "cannot be written" in said) == (2, True), said
    assert names_in(tmp_path) == ["academy.jsonl"]
    later = (await partner.client.get(f"/v1/issuers/{partner.issuer_id}/export")).content.splitlines(keepends=True)
    actors = [each["actor"] for each in read_records(later) if each.get("action") == "issuer.exported"]
    assert (actors[0], len(actors)) == ("cli", 2)


async def test_leaving(settings: Settings, partner: Partner, operator: httpx.AsyncClient, tmp_path: Path) -> None:
    path = f"/v1/issuers/{partner.issuer_id}"
    code, said = assay(settings, "leave", "academy", typed="n\n")
    assert (code, "for good" in said) == (1, True)
    assert (await operator.get(path)).json()["left_at"] is None
    code, said = assay(settings, "leave", "academy", typed="y\n")
    assert (code, "academy has left" in said) == (0, True)
    assert (await operator.get(path)).json()["left_at"] is not None
    assert assay(settings, "leave", "academy", "--yes")[0] == 0
    assert assay(settings, "leave", "nobody", "--yes")[0] == 2
    roster = tmp_path / "roster.jsonl"
    roster.write_text('{"email": "ada.example@schools.example.org"}\n')
    code, said = assay(settings, "roster", str(roster), "--issuer", "academy", group="import")
    assert (code, "issuer_left" in said) == (2, True), said
    code, said = assay(settings, "rotate", "academy", group="keys")
    assert (code, "issuer_left" in said) == (2, True)
