"""A browser that signs in, and the mail that it gets."""

import email
import re
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import cast

import httpx
from fastapi import FastAPI

from app.resources import Resources
from app.worker import open_runner
from tests.conftest import BASE_URL

HTML = {"Accept": "text/html"}
FROM_US = {"Origin": BASE_URL}


def open_browser(app: FastAPI, base_url: str = BASE_URL) -> httpx.AsyncClient:
    """Keeps cookies, follows nothing by itself, and says where its forms come from."""
    headers = {**HTML, "Origin": base_url}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base_url, headers=headers, timeout=60)


async def run_jobs(app: FastAPI) -> None:
    """Run what is due."""
    runner = open_runner(app.state.resources)
    while await runner.run_one():
        pass


def read_outbox(app: FastAPI) -> list[EmailMessage]:
    """The messages in the folder for development, oldest first."""
    world: Resources = app.state.resources
    return read_mails(world.settings.data_directory)


def read_mails(data_directory: Path) -> list[EmailMessage]:
    """The messages in the outbox there, oldest first."""
    files = sorted((data_directory / "outbox").glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
    return [cast(EmailMessage, email.message_from_bytes(file.read_bytes(), policy=default)) for file in files]


def link_in(message: EmailMessage) -> str:
    """The path of the sign-in link in a message."""
    match = re.search(r"^https?://[^/]+(/sign-in/links/\S+)\r?$", message.get_content(), re.MULTILINE)
    assert match is not None, message.get_content()
    return match[1]


async def ask_for_link(app: FastAPI, browser: httpx.AsyncClient, address: str, slug: str = "academy") -> list[str]:
    """Ask, let the mail come, and give the paths of all links in the outbox."""
    asked = await browser.post(f"/sign-in/{slug}", data={"email": address})
    assert asked.status_code == 200, asked.text
    await run_jobs(app)
    return [link_in(message) for message in read_outbox(app)]
