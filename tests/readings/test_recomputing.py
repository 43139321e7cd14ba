"""The recomputation that docs/readings.md tells outsiders to make, run as it stands there, over HTTP, by a Python of its own."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from app.identifiers import new_id
from tests.conftest import PROJECT, Partner
from tests.fakes import FixedClock
from tests.readings.scene import open_scene
from tests.readings.test_windows import HALF, audited, published
from tests.serving import free_port

ASK = "\nimport json, sys\nprint(json.dumps([id_ for id_ in json.load(sys.stdin) if is_selected(id_)]))\n"


def snippet(base_url: str, program_id: str) -> str:
    """The Python of the chapter, with the two names that it leaves to the reader."""
    chapter = (PROJECT / "docs" / "readings.md").read_text().partition("## Recompute the sample")[2]
    [code] = re.findall(r"```python\n(.*?)```", chapter, re.DOTALL)
    for left, given in (("https://badges.example.org", base_url), ("PROGRAM", program_id)):
        assert code.count(left) == 1
        code = code.replace(left, given)
    return str(code)


@asynccontextmanager
async def listening(app: FastAPI) -> AsyncIterator[str]:
    """The application, which has started already, at a port of loopback: its address."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        assert not serving.done()
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


async def run(code: str, ids: list[str]) -> list[str]:
    """The ids that the snippet selects of these."""
    pipe = asyncio.subprocess.PIPE
    python = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code + ASK, stdin=pipe, stdout=pipe, stderr=pipe
    )
    out, err = await python.communicate(json.dumps(ids).encode())
    assert python.returncode == 0, err.decode()
    found: list[str] = json.loads(out)
    return found


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_the_documented_recomputation_finds_what_was_drawn(
    app: FastAPI, partner: Partner, api: httpx.AsyncClient, clock: FixedClock
) -> None:
    async with open_scene(app, partner, HALF) as scene:
        accepted = [await scene.accept(await scene.enroll(f"Ada{n} Example")) for n in range(12)]
        drawn = [each.id for each in accepted if any(r.kind == "second_random" for r in await scene.readings(each))]
        clock.advance(days=91)
        await scene.run()
        async with listening(app) as base_url:
            code = snippet(base_url, scene.program.id)
            found = await run(code, [each.id for each in accepted])
            of_others = await run(code, [new_id() for _ in range(400)])
        assert found == drawn
        assert 100 < len(of_others) < 300, "about half: it does select"
        revealed = next(each for each in await published(scene, api) if each["seed"])
        windows = (await audited(scene))["windows"]
        window = next(each for each in windows if each["starts_at"] == revealed["from"])
        assert (window["accepted"], window["selected"]) == (len(accepted), len(found))
        assert window["misses"] == []
