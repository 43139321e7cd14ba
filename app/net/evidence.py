"""The evidence store: a folder, or a bucket of an S3-compatible service. What is put into it is sealed already.

An object is one piece of a file, so that neither side ever holds more of it in memory. Putting one is atomic: it is there whole
or not at all. A folder is readable by the service's user alone.
Rejected: one object a file, uploaded in parts: what a process that died left of it is invisible and paid for.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, S3Store

from app.errors import Unavailable
from app.settings import Settings


class EvidenceStoreAway(Unavailable):
    """The folder or bucket does not answer, or refuses."""

    code = "evidence_store_unavailable"


class EvidenceStore:
    """Objects by path (`/` between the steps). Opened when it is first used: who keeps no evidence needs no place for it."""

    def __init__(self, url: str) -> None:
        self.url = url

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(settings.evidence_url or (settings.data_directory.absolute() / "evidence").as_uri())

    @property
    def folder(self) -> Path | None:
        """The folder; None for a bucket."""
        parts = urlsplit(self.url)
        return Path(unquote(parts.path)) if parts.scheme == "file" else None

    async def put(self, path: str, data: bytes) -> None:
        """Raises EvidenceStoreAway."""
        with _told():
            await self._store.put_async(path, data, use_multipart=False)

    async def get(self, path: str) -> bytes | None:
        """None when there is nothing at the path. Raises EvidenceStoreAway."""
        with _told():
            try:
                return bytes(await (await self._store.get_async(path)).bytes_async())
            except (NotFoundError, FileNotFoundError):
                return None

    async def list_sizes(self, prefix: str) -> Mapping[str, int]:
        """Bytes of every object whose path begins with the steps of `prefix`. Raises EvidenceStoreAway."""
        return {path: size async for path, size in self.walk(prefix)}

    async def walk(self, prefix: str) -> AsyncIterator[tuple[str, int]]:
        """As `list_sizes`, one after another."""
        with _told():
            async for batch in self._store.list(prefix):
                for found in batch:
                    yield found["path"], found["size"]

    async def delete_under(self, prefix: str) -> None:
        """Delete every object whose path begins with the steps of `prefix`. Raises EvidenceStoreAway."""
        paths = list(await self.list_sizes(prefix))
        if paths:
            with _told():
                await self._store.delete_async(paths)

    @cached_property
    def _store(self) -> LocalStore | S3Store:
        with _told():
            if self.folder is not None:
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                return LocalStore(self.folder, automatic_cleanup=True)
            parts = urlsplit(self.url)
            options = {name: values[0] for name, values in parse_qs(parts.query).items()}
            return S3Store(
                parts.netloc,
                prefix=parts.path.strip("/") or None,
                region=options.get("region", "us-east-1"),
                endpoint=options.get("endpoint"),
                client_options={"allow_http": options.get("endpoint", "").startswith("http://"), "timeout": "60s"},
                retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
            )


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        # The type alone: what the store says may hold paths, keys' ids and addresses.
        raise EvidenceStoreAway(f"The evidence store does not answer ({type(error).__name__}).") from error
