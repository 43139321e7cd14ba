"""Verifying a badge: parse, gather, judge.

Gathering (`gather.py`) is all that touches the world: the keys of the badge and of its status list, and that list. Documents
this service publishes itself are taken from where they are kept, everything else comes through the outbound client, a bounded
number for one badge (`library.py`), each told in the answer. What cannot be had is recorded and judged, not raised.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from app.errors import AssayError, Broken, InvalidInput, Unavailable
from app.net.client import OutboundClient
from app.openbadges.baking import unbake
from app.strict_json import MalformedDocument
from app.verification.answer import Verification, compose_verification
from app.verification.envelopes import open_sent, wrap
from app.verification.gather import gather, reason_of, recorded
from app.verification.gathered import Gathered
from app.verification.library import Library, OwnDocuments, read_object
from app.verification.members import issuer_id
from app.verification.verdict import NAMES, Check, in_order
from app.verification.verdicts import check, not_checked

TestIssuers = Callable[[str], Awaitable[bool]]
"""Whether this is the id of an issuer of this service that is for tests."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A verification, and the badge it is of: empty where it could not be read. What the badge says is to be trusted only as
    far as it is valid."""

    verification: Verification
    credential: Mapping[str, Any]


class Judges(Protocol):
    """Who judges: `judge.JudgePool`."""

    async def judge(self, gathered: Gathered, now: datetime) -> list[Check]:
        """What `checks.judge` says. Raises Unavailable when too much is being judged."""
        ...


class Verifier:
    """Verifies badges of anyone, at most `max_parallel` at once. `now` is the clock."""

    def __init__(
        self,
        *,
        outbound: OutboundClient,
        judges: Judges,
        own_documents: OwnDocuments,
        now: Callable[[], datetime],
        test_issuers: TestIssuers | None = None,
        max_parallel: int = 32,
    ) -> None:
        self._max_parallel = max_parallel
        self._running = 0
        self._outbound = outbound
        self._judges = judges
        self._own_documents = own_documents
        self._test_issuers = test_issuers
        self._now = now

    async def verify(self, credential: Mapping[str, Any] | str) -> Verification:
        """Verify a badge that was sent, a document or a token. Raises Unavailable when too many are being verified."""
        return (await self.examine(credential)).verification

    async def verify_picture(self, picture: bytes) -> Verification:
        """Verify the badge baked into a PNG or SVG. Raises Unavailable when too many are being verified."""
        return (await self.examine_picture(picture)).verification

    async def verify_url(self, url: str) -> Verification:
        """Verify the badge at an https URL: the document, or the picture it is baked into.

        Raises Unavailable when too many are being verified.
        """
        return (await self.examine_url(url)).verification

    async def examine(self, credential: Mapping[str, Any] | str) -> Examined:
        """As `verify`, with the badge as it was read."""
        try:
            document = wrap(credential.strip()) if isinstance(credential, str) else _reread(credential)
        except MalformedDocument as error:
            return self._unread(check("credential_invalid", reason=reason_of(error)))
        with self._place():
            return await self._verify(document, self._open_library())

    async def examine_picture(self, picture: bytes) -> Examined:
        """As `verify_picture`, with the badge that was in it."""
        with self._place():
            return await self._verify_picture(picture, self._open_library())

    async def examine_url(self, url: str) -> Examined:
        """As `verify_url`, with the badge that was there."""
        with self._place():
            library = self._open_library()
            try:
                found = await library.get_badge(url)
            except Broken:
                raise
            except AssayError as error:
                missing = recorded(error, "credential")
                return self._unread(check(missing.code, reason=missing.detail), library)
            if isinstance(found, bytes):
                return await self._verify_picture(found, library)
            return await self._verify(found, library)

    @contextmanager
    def _place(self) -> Iterator[None]:
        """One of the places for verifying, from the first fetch on: what waits holds documents in memory."""
        if self._running >= self._max_parallel:
            raise Unavailable("Too many badges are being verified.", cure="Try again in a few seconds.")
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1

    async def _verify_picture(self, picture: bytes, library: Library) -> Examined:
        try:
            text = await asyncio.to_thread(unbake, picture)
            document = await asyncio.to_thread(_read, text)
        except InvalidInput as error:
            return self._unread(check("credential_invalid", reason=reason_of(error)), library)
        return await self._verify(document, library)

    async def _verify(self, document: Mapping[str, Any], library: Library) -> Examined:
        gathered = await gather(document, library)
        credential = open_sent(document).credential
        now = self._now()
        checks = [*await self._judges.judge(gathered, now), *await self._look_for_test_issuer(credential)]
        return Examined(compose_verification(credential, in_order(checks), now, library.fetched), credential)

    async def _look_for_test_issuer(self, credential: Mapping[str, Any]) -> list[Check]:
        # The mark in a badge's texts is for people; this is for machines, and cannot be had from the badge alone.
        if self._test_issuers is None or not await self._test_issuers(issuer_id(credential)):
            return []
        return [check("test_issuer", pointer="/issuer")]

    def _unread(self, shape: Check, library: Library | None = None) -> Examined:
        rest = not_checked(name for name in NAMES if name != shape.name)
        fetched = library.fetched if library else ()
        return Examined(compose_verification({}, [shape, *rest], self._now(), fetched), {})

    def _open_library(self) -> Library:
        return Library(self._outbound, self._own_documents)


def _read(text: str) -> dict[str, Any]:
    return read_object(text.encode())


def _reread(credential: Mapping[str, Any]) -> dict[str, Any]:
    """`credential` as strict_json reads it, for it may have come through a parser that is less strict.

    Raises MalformedDocument.
    """
    try:
        text = json.dumps(credential)
    except (RecursionError, TypeError, ValueError):
        raise MalformedDocument("It is nested too deeply, or holds what JSON cannot.") from None
    return _read(text)
