"""Files through a real server: what ASGI in one process cannot show, above all a connection that breaks."""

import asyncio
import socket
import time
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI

from app.settings import Settings
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.serving import free_port, served
from tests.submissions.attempts import FILE, enroll, good
from tests.submissions.test_evidence import LONG, TEXT, on_sqlite, stored


@pytest.fixture(scope="session")
def own_port() -> int:
    return free_port()


@pytest.fixture
def public_url(own_port: int) -> str:
    return f"http://127.0.0.1:{own_port}"


@pytest.fixture
def clock() -> FixedClock:
    """Of today: the server's clock is the real one."""
    return FixedClock(datetime.now(UTC))


def wait_for_pieces(settings: Settings, count: int) -> None:
    deadline = time.monotonic() + 20
    while len(stored(settings)) != count:
        assert time.monotonic() < deadline, stored(settings)
        time.sleep(0.02)


@on_sqlite
async def test_a_connection_that_breaks_leaves_nothing(
    app: FastAPI, partner: Partner, settings: Settings, own_port: int
) -> None:
    ada = await enroll(app, partner)
    draft = await ada.draft()
    path = f"{draft}/artifacts/{good(await ada.client.post(f'{draft}/artifacts', json=FILE))['id']}/file"
    token = ada.client.headers["authorization"]
    head = (
        f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1:{own_port}\r\nAuthorization: {token}\r\n"
        f"Content-Type: text/plain\r\nContent-Length: {len(LONG)}\r\n\r\n"
    )

    def send_half_of_it() -> None:
        with socket.create_connection(("127.0.0.1", own_port)) as connection:
            connection.sendall(head.encode() + LONG[: 2 * (1 << 20) + 5000])
            wait_for_pieces(settings, 2)
        wait_for_pieces(settings, 0)

    with served(settings.model_copy(update={"run_jobs": False})) as base_url:
        await asyncio.to_thread(send_half_of_it)
        async with httpx.AsyncClient(base_url=base_url, headers={"Authorization": token}, timeout=30) as client:
            assert (await client.put(path, content=LONG, headers=TEXT)).status_code == 200
            assert (await client.get(path)).content == LONG
            shown = await client.head(path)
            assert (shown.status_code, shown.content) == (200, b"")
