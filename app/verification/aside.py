"""Reading what anybody may have sent, or had fetched, beside the event loop: other requests go on while it is parsed."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from app.verification.envelopes import Opened, open_sent
from app.verification.members import text_of

SMALL = 64 << 10
"""Bytes of a document, or characters of a token, that are read at once: that takes less than going to a thread is worth."""

T = TypeVar("T")


async def read_aside(read: Callable[[bytes], T], body: bytes) -> T:
    """What `read` makes of `body`. Raises what `read` raises."""
    return read(body) if len(body) <= SMALL else await asyncio.to_thread(read, body)


async def open_aside(document: Mapping[str, Any]) -> Opened:
    """As `open_sent`. A token is parsed here, and nowhere else: what is opened is handed on."""
    is_small = len(text_of(document.get("id"))) <= SMALL
    return open_sent(document) if is_small else await asyncio.to_thread(open_sent, document)
