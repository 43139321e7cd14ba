"""Verifying a badge: parse, gather, judge.

Gathering (`gather.py`) is all that touches the world: the keys of the badge and of its status list, and that list. Documents
this service publishes itself are taken from where they are kept, everything else comes through the outbound client, a bounded
number for one badge (`library.py`), each told in the answer. What cannot be had is recorded and judged, not raised.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.errors import AssayError, Broken, InvalidInput, Unavailable
from app.net.client import OutboundClient
from app.openbadges.baking import unbake
from app.strict_json import MalformedDocument
from app.verification.answer import Verification, compose_verification
from app.verification.aside import open_aside
from app.verification.beside import NOTHING, Asked, look_beside
from app.verification.envelopes import wrap
from app.verification.gather import reason_of, recorded
from app.verification.library import (
    Library,
    OwnDocuments,
    read_object,
)
from app.verification.members import issuer_id
from app.verification.open_badges_2 import compose_answer, find_assertion, gather_assertion, judge_assertion
from app.verification.registries import Registries
from app.verification.registry import Listing
from app.verification.shelf import Shelf
from app.verification.verdict import NAMES, Check, in_order, is_bound, is_valid
from app.verification.verdicts import check, not_checked
from app.verification.whole import Judges, judge_whole

TestIssuers = Callable[[str], Awaitable[bool]]
"""Whether this is the id of an issuer of this service that is for tests."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A verification, and the badge it is of: empty where it could not be read. What the badge says is to be trusted only as
    far as it is valid."""

    verification: Verification
    credential: Mapping[str, Any]


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
        registries: Registries | None = None,
        shelf: Shelf | None = None,
        max_parallel: int = 32,
    ) -> None:
        self._registries = registries
        self._shelf = shelf
        self._max_parallel = max_parallel
        self._running = 0
        self._outbound = outbound
        self._judges = judges
        self._own_documents = own_documents
        self._test_issuers = test_issuers
        self._now = now

    async def verify(self, credential: Mapping[str, Any] | str, asked: Asked = NOTHING) -> Verification:
        """Verify a badge that was sent, a document or a token. Raises Unavailable when too many are being verified."""
        return (await self.examine(credential, asked)).verification

    async def verify_picture(self, picture: bytes, asked: Asked = NOTHING) -> Verification:
        """Verify the badge baked into a PNG or SVG. Raises Unavailable when too many are being verified."""
        return (await self.examine_picture(picture, asked)).verification

    async def verify_url(self, url: str, asked: Asked = NOTHING) -> Verification:
        """Verify the badge at an https URL: the document, or the picture it is baked into.

        Raises Unavailable when too many are being verified.
        """
        return (await self.examine_url(url, asked)).verification

    async def examine(self, credential: Mapping[str, Any] | str, asked: Asked = NOTHING) -> Examined:
        """As `verify`, with the badge as it was read."""
        with self._place():
            try:
                document = await _read_sent(credential)
            except MalformedDocument as error:
                return self._unread(check("credential_invalid", reason=reason_of(error)))
            library = self._open_library()
            return await self._complete(await self._verify(document, library), asked, library)

    async def examine_picture(self, picture: bytes, asked: Asked = NOTHING) -> Examined:
        """As `verify_picture`, with the badge that was in it."""
        with self._place():
            library = self._open_library()
            return await self._complete(await self._verify_picture(picture, library), asked, library)

    async def examine_url(self, url: str, asked: Asked = NOTHING) -> Examined:
        """As `verify_url`, with the badge that was there."""
        with self._place():
            library = self._open_library()
            return await self._complete(await self._verify_published(url, library), asked, library)

    async def _verify_published(self, url: str, library: Library) -> Examined:
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
            document = await asyncio.to_thread(_read, text) if not text.startswith("https://") else None
        except InvalidInput as error:
            return self._unread(check("credential_invalid", reason=reason_of(error)), library)
        # Pictures of the first hosted badges carry the address alone.
        return await (self._verify_published(text, library) if document is None else self._verify(document, library))

    async def _verify(self, document: Mapping[str, Any], library: Library) -> Examined:
        opened = await open_aside(document)
        if (assertion := await asyncio.to_thread(find_assertion, opened)) is not None:
            return await self._verify_assertion(*assertion, library)
        whole = await judge_whole(opened, library, self._judges, self._now)
        credential, now = whole.credential, self._now()
        checks = in_order([*whole.checks, *await self._look_for_test_issuer(credential)])
        return Examined(compose_verification(credential, checks, now, library.fetched, whole.parts), credential)

    async def _verify_assertion(self, assertion: Mapping[str, Any], token: str | None, library: Library) -> Examined:
        """An assertion of Open Badges 2.0; `token` is the compact JWS that it came in."""
        gathered = await gather_assertion(assertion, token, library)
        now = self._now()
        judged = await asyncio.to_thread(judge_assertion, gathered, now)
        return Examined(compose_answer(judged, now, library.fetched), judged.assertion)

    async def _complete(self, examined: Examined, asked: Asked, library: Library) -> Examined:
        """With what was asked for beside the badge, and what the registries say of its issuer if it is its issuer's."""
        found = examined.verification
        beside = await look_beside(examined.credential, asked, library) if examined.credential else []
        listings: list[Listing] = []
        if self._registries is not None and found.issuer is not None and is_bound(found.checks):
            listings, requests = await self._registries.find(found.issuer.id)
            library.tell(requests)
        checks = in_order([*found.checks, *beside])
        verification = replace(
            found, valid=is_valid(checks), checks=checks, fetched=library.fetched, registries=listings
        )
        return Examined(verification, examined.credential)

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
        return Library(self._outbound, self._own_documents, self._shelf)


def _read(text: str) -> dict[str, Any]:
    return read_object(text.encode())


async def _read_sent(credential: Mapping[str, Any] | str) -> dict[str, Any]:
    """Raises MalformedDocument."""
    if isinstance(credential, str):
        return wrap(credential.strip())
    return await asyncio.to_thread(_reread, credential)


def _reread(credential: Mapping[str, Any]) -> dict[str, Any]:
    """`credential` as strict_json reads it, for it may have come through a parser that is less strict.

    Raises MalformedDocument.
    """
    try:
        text = json.dumps(credential)
    except (RecursionError, TypeError, ValueError):
        raise MalformedDocument("It is nested too deeply, or holds what JSON cannot.") from None
    return _read(text)
