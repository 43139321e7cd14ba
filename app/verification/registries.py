"""The registries of known issuers that the operator has chosen: files, and documents at https addresses.

A registry is read when it is first wanted, and again after LIFETIME; while it cannot be had its last copy serves, for OLDEST at
most. Nobody waits for one that is merely being read anew.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from app import strict_json
from app.errors import AssayError
from app.net.client import OutboundClient
from app.strict_json import MalformedDocument
from app.verification.gathered import Fetch
from app.verification.registry import Listing, look_up, read_registry

LIFETIME = 3600.0
RETRY = 60.0
OLDEST = 24 * 3600.0
MAX_REGISTRY = 5 << 20
"""Greatest size of a registry, in bytes: some 20,000 issuers."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Registry:
    """`read_at` and `due_at` are in seconds of the clock; `reading` is the task that reads it, if one does."""

    source: str
    entries: Mapping[str, Mapping[str, Any]] | None = None
    read_at: float = 0.0
    due_at: float = 0.0
    reading: "asyncio.Task[Fetch | None] | None" = field(default=None)

    @property
    def name(self) -> str:
        """The address, or the name of the file: where it lies is no one's business."""
        return self.source if self.source.startswith("https://") else Path(self.source).name


class Registries:
    """`sources` are paths of files and https URLs. `clock` counts seconds and never goes back."""

    def __init__(
        self, sources: Sequence[str], outbound: OutboundClient, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._outbound = outbound
        self._clock = clock
        self._registries = [_Registry(source) for source in sources]

    async def find(self, issuer: str) -> tuple[list[Listing], list[Fetch]]:
        """What each registry says of the issuer with this id, and what had to be fetched to tell."""
        began = [self._refresh(each) for each in self._registries if self._clock() >= each.due_at]
        waited = await asyncio.gather(*(each.reading for each in began if each.reading and each.entries is None))
        listings = [self._look_up(each, issuer) for each in self._registries]
        return listings, [fetch for fetch in waited if fetch]

    async def close(self) -> None:
        """Let go of what is being read."""
        reading = [each.reading for each in self._registries if each.reading]
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)

    def _refresh(self, registry: _Registry) -> _Registry:
        if registry.reading is None or registry.reading.done():
            registry.reading = asyncio.create_task(self._read(registry))
        return registry

    def _look_up(self, registry: _Registry, issuer: str) -> Listing:
        if registry.entries is None or self._clock() - registry.read_at > OLDEST:
            return Listing(registry.name, "unavailable")
        return look_up(registry.name, registry.entries, issuer)

    async def _read(self, registry: _Registry) -> Fetch | None:
        """Read it anew. What goes wrong is logged, and the copy before serves on."""
        is_remote = registry.source.startswith("https://")
        try:
            content = await (
                self._get(registry.source) if is_remote else asyncio.to_thread(_read_file, registry.source)
            )
            registry.entries = await asyncio.to_thread(lambda: read_registry(strict_json.loads(content)))
        except (AssayError, OSError) as error:
            registry.due_at = self._clock() + RETRY
            _log.warning("registry_not_read", registry=registry.name, reason=type(error).__name__)
            return Fetch(registry.source, "registry", "failed") if is_remote else None
        registry.read_at = self._clock()
        registry.due_at = registry.read_at + LIFETIME
        return Fetch(registry.source, "registry", "fetched") if is_remote else None

    async def _get(self, url: str) -> bytes:
        return (await self._outbound.get(url, accept="application/json", max_bytes=MAX_REGISTRY)).body


def _read_file(path: str) -> bytes:
    with Path(path).open("rb") as file:
        content = file.read(MAX_REGISTRY + 1)
    if len(content) > MAX_REGISTRY:
        raise MalformedDocument("The registry is too large.")
    return content
