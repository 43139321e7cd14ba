"""Sending a long answer to somebody who may read it slowly, or not at all."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog
from starlette.responses import StreamingResponse
from starlette.types import Message, Send

log = structlog.get_logger(__name__)

CHUNK = 64 << 10


class BoundedStream(StreamingResponse):
    """Streams `content`, at most `longest_seconds` in all, and waits for the reader at most `stall_seconds` at a time.

    Then it ends in the middle, which every HTTP client notices (RFC 9112 section 8), and what `content` holds is let go.
    """

    def __init__(
        self, content: AsyncGenerator[bytes], *, stall_seconds: float, longest_seconds: float, **options: object
    ) -> None:
        super().__init__(_in_chunks(content), **options)  # type: ignore[arg-type]
        self._content = content
        self._stall_seconds = stall_seconds
        self._longest_seconds = longest_seconds

    async def stream_response(self, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(self._stall_seconds):
                await send(message)

        async with aclosing(self._content):
            try:
                async with asyncio.timeout(self._longest_seconds):
                    await super().stream_response(send_in_time)
            except TimeoutError:
                log.warning("answer_cut_off")


async def _in_chunks(content: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    chunk = bytearray()
    async for each in content:
        chunk += each
        if len(chunk) >= CHUNK:
            yield bytes(chunk)
            chunk.clear()
            await asyncio.sleep(0)  # others get their turn, and a reader who has gone away is noticed
    yield bytes(chunk)
