"""How long every report takes on SQLite with 10,000 submissions in one program.

    .venv/bin/python -m benchmarks.reports [--submissions 10000] [--times 5] [--without-jobs] [--keep DIRECTORY]

A register is filled in a temporary directory (or in the one to keep, and used again next time), what jobs work out in advance is
worked out, and then each report that the OpenAPI document has (all of a program's, and the public quality reports) is asked for
in this process over ASGI, as JSON and, where it takes the parameter, as CSV. Printed are median and longest time in seconds,
and the median of the processor's time: where other work goes on beside, that is the one to compare.
"""

import argparse
import asyncio
import base64
import gc
import json
import re
import secrets
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from rich.console import Console

from app.clock import SystemClock
from app.demo.calendar import Calendar
from app.main import create_app
from app.migration import migrate
from app.resources import Resources, open_resources
from app.settings import Settings
from app.web.observation import configure_logging
from app.worker import VERBS, handlers
from benchmarks.register import YEAR, Large, fill

BASE_URL = "http://127.0.0.1:8000"
REPORTS = "/v1/programs/{program_id}/reports"
NOTES = "benchmark.json"
WORKED_OUT_BY = re.compile("quality|evaluate|equity|impact|interval")
"""Names of jobs that work out in advance what reports show."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An operation and what it is asked with; `missing` are parameters that this program has no value for."""

    name: str
    url: str
    missing: list[str] = field(default_factory=list)


def list_asked(document: Mapping[str, Any], ids: Mapping[str, str]) -> Iterator[Asked]:
    """The reports of an OpenAPI document."""
    for path, methods in document["paths"].items():
        is_report = path.startswith(REPORTS) or (path.startswith("/achievements/") and "/quality" in path)
        if not is_report or "get" not in methods:
            continue
        parameters = {entry["name"]: entry for entry in methods["get"].get("parameters", ())}
        needed = [name for name, entry in parameters.items() if entry["in"] == "path" or entry.get("required")]
        missing = [name for name in needed if name not in ids]
        query = "&".join(f"{name}={ids[name]}" for name in needed if name in ids and parameters[name]["in"] == "query")
        url = re.sub(r"\{(\w+)\}", lambda found: ids.get(found[1], ""), path) + (f"?{query}" if query else "")
        name = path.removeprefix(f"{REPORTS}/").removeprefix("/v1/programs/{program_id}/")
        name = name.replace("/achievements/{achievement_id}/v{version}/", "public ")
        yield Asked(name, url, missing)
        if "format" in parameters:
            yield Asked(f"{name} (CSV)", f"{url}{'&' if query else '?'}format=csv", missing)


async def main(submissions: int, times: int, with_jobs: bool, keep: Path | None) -> None:
    configure_logging("critical", "json")
    console = Console(soft_wrap=True)
    kept = nullcontext(str(keep)) if keep else tempfile.TemporaryDirectory(prefix="assay-benchmark-")
    with kept as directory:
        settings, large = await _open(Path(directory), submissions, console)
        api = create_app(settings)
        async with api.router.lifespan_context(api):
            if with_jobs:
                await _work_out(api.state.resources, large, console)
            gc.collect()
            gc.freeze()  # as the server does when it has started
            await _measure(api, large, times, console)


def _settle(directory: Path, known: Mapping[str, Any] | None) -> Settings:
    directory.mkdir(parents=True, exist_ok=True)
    return Settings.model_validate(
        {
            "database_url": f"sqlite+aiosqlite:///{directory.resolve()}/assay.db",
            "data_directory": str(directory.resolve()),
            "key_encryption_key": known["key"] if known else base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "public_url": BASE_URL,
            "run_jobs": False,
        }
    )


def _recall(directory: Path) -> Any:
    """What `_note` has written; None of a new directory."""
    notes = directory / NOTES
    return json.loads(notes.read_text()) if notes.exists() else None


def _note(directory: Path, settings: Settings, large: Large) -> None:
    """The key, what there is, and the tokens: only a register of a benchmark may lie beside its key."""
    key = settings.key_encryption_key.get_secret_value()
    known = {"key": key, "ids": large.ids, "person_token": large.person_token, "client_token": large.client_token}
    (directory / NOTES).write_text(json.dumps(known))


async def _open(directory: Path, submissions: int, console: Console) -> tuple[Settings, Large]:
    """The register of the directory, and what is in it; filled if there is none."""
    known = _recall(directory)
    settings = _settle(directory, known)
    began = time.perf_counter()
    await migrate(settings)
    if known is not None:
        return settings, Large(known["ids"], known["person_token"], known["client_token"])
    calendar = Calendar(SystemClock(), datetime.now(UTC) - YEAR)
    async with open_resources(settings, clock=calendar) as world:
        large = await fill(world, calendar, submissions)
    console.print(f"{submissions} submissions, written in {time.perf_counter() - began:.0f} s")
    _note(directory, settings, large)
    return settings, large


async def _work_out(world: Resources, large: Large, console: Console) -> None:
    """Run the jobs that work out reports in advance, once each."""
    for name in filter(WORKED_OUT_BY.search, VERBS):
        began = time.perf_counter()
        try:
            await handlers(world)[name](large.ids)
        except Exception as error:  # noqa: BLE001 # a job that wants something else is reported, the rest goes on
            console.print(f"job {name}: {error!r}")
        else:
            console.print(f"job {name}: {time.perf_counter() - began:.1f} s")


async def _measure(api: FastAPI, large: Large, times: int, console: Console) -> None:
    """A line as soon as it is known: with a large program some take long."""
    today = datetime.now(UTC)
    ids = {**large.ids, "window": f"{today.year}Q{(today.month + 2) // 3}"}
    line = "{:44}{:>8}{:>12}{:>10}{:>10}{:>10}"
    console.print(line.format("report", "status", "bytes", "median s", "max s", "CPU s"))
    headers = {"Authorization": f"Bearer {large.person_token}"}
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers, timeout=600) as client:
        for asked in list_asked(api.openapi(), ids):
            if asked.missing:
                console.print(f"{asked.name}: not asked for, there is no {', '.join(asked.missing)}")
                continue
            took, worked = [], []
            for _ in range(times):
                began, began_work = time.perf_counter(), time.process_time()
                answer = await client.get(asked.url)
                took.append(time.perf_counter() - began)
                worked.append(time.process_time() - began_work)
            figures = statistics.median(took), max(took), statistics.median(worked)
            shown = answer.status_code, len(answer.content), *(f"{each:.3f}" for each in figures)
            console.print(line.format(asked.name, *shown), highlight=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--submissions", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=5, help="how often each report is asked for")
    parser.add_argument("--without-jobs", action="store_true", help="nothing is worked out in advance")
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY", help="keep the register there, and use it again")
    given = parser.parse_args()
    asyncio.run(main(given.submissions, given.times, not given.without_jobs, given.keep))
