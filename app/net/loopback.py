"""Asking a service on this very machine over plain http. Nothing else can be reached with it."""

import asyncio
import http.client
import ipaddress
from urllib.parse import urlsplit

from app.errors import Unavailable

DEADLINE_SECONDS = 5.0


class LoopbackSilent(Unavailable):
    """Nothing answered with status 200."""


def is_loopback(url: str) -> bool:
    """Whether the host of `url` is written as this machine: `localhost`, or a loopback address."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def get_from_loopback(url: str, *, accept: str, max_bytes: int = 1 << 20) -> bytes:
    """The body at an http URL of this machine. Raises LoopbackSilent, ValueError for another machine's URL."""
    if not is_loopback(url) or not url.startswith("http://"):
        raise ValueError("only http on loopback is asked in the clear")
    return await asyncio.to_thread(_get, url, accept, max_bytes)


def _get(url: str, accept: str, max_bytes: int) -> bytes:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=DEADLINE_SECONDS)
    try:
        connection.request("GET", parts.path or "/", headers={"Accept": accept, "Connection": "close"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise LoopbackSilent(f"{url} answers {answer.status}.")
        return answer.read(max_bytes)
    except (OSError, http.client.HTTPException) as error:
        raise LoopbackSilent(f"Nothing answers at {url} ({type(error).__name__}).") from None
    finally:
        connection.close()
