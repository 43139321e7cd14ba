"""The documents that one verification needs, from where they are kept or over the network, and a list of what was asked for."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, ClassVar, Literal, TypeVar

from app import strict_json
from app.errors import AssayError, InvalidInput
from app.net.client import FetchRefused, OutboundClient
from app.openbadges.baking import MAX_BAKED, is_picture
from app.strict_json import MalformedDocument
from app.verification.aside import read_aside
from app.verification.envelopes import is_token, wrap
from app.verification.gathered import Fetch, Purpose
from app.verification.shelf import Shelf

MAX_FETCHES = 6
"""Documents fetched for a badge. What is in it, a newer version and what was asked for beside it may take more (`allow`)."""
MAX_DOCUMENT = 1 << 20
"""Greatest size of a fetched document that is no picture, in bytes."""

ACCEPT = (
    "application/json, application/ld+json, application/vc, application/did+json, application/vc+jwt, text/plain;q=0.5"
)

SHARED: frozenset[Purpose] = frozenset(
    {"verification_method", "status_list", "badge_class", "issuer_profile", "schema"}
)
"""What may be had from the shelf. A badge never is: an assertion of Open Badges 2.0 is revoked where it stands."""

T = TypeVar("T")

OwnDocuments = Callable[[str], Awaitable[Mapping[str, Any] | None]]
"""The document this service publishes at a URL, None when the URL is not one of its own.

Raises NotFound or Gone when it is, but nothing is served there."""


class TooManyFetches(InvalidInput):
    """A badge whose verification needs more documents than are fetched for one."""

    code: ClassVar[str] = "too_many_fetches"


class Library:
    """Documents by URL, each had once: this service's own, copies from the shelf, the rest over the network.

    `fetched` are the requests made and the copies used, in the order they were begun in.
    """

    def __init__(self, outbound: OutboundClient, own_documents: OwnDocuments, shelf: Shelf | None = None) -> None:
        self._outbound = outbound
        self._own_documents = own_documents
        self._shelf = shelf
        self._copied: dict[str, Purpose] = {}
        self._asked_anew: set[str] = set()
        self._fetches_left = MAX_FETCHES
        self._documents: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        self._fetched: list[Fetch | None] = []

    @property
    def fetched(self) -> list[Fetch]:
        return [each for each in self._fetched if each is not None]

    async def get_document(self, url: str, purpose: Purpose) -> Mapping[str, Any]:
        """The JSON object at `url`. Raises what `own_documents` and OutboundClient.get raise, MalformedDocument and
        TooManyFetches.
        """
        if url not in self._documents:
            self._documents[url] = asyncio.create_task(self._load(url, purpose))
        return await self._documents[url]

    def forget_copies(self, purpose: Purpose) -> bool:
        """For whoever has found that a copy from the shelf will not do. Whether there was any, so that asking again may help."""
        copies = [url for url, kept_for in self._copied.items() if kept_for == purpose]
        for url in copies:
            del self._copied[url], self._documents[url]
        self._asked_anew.update(copies)
        return bool(self._asked_anew)

    async def get_badge(self, url: str) -> Mapping[str, Any] | bytes:
        """What is published as a badge at `url`: the document, or the bytes of a picture. Raises as `get_document`."""
        own = await self._own_documents(url)
        if own is not None:
            return own
        accept = f"{ACCEPT}, image/png, image/svg+xml"
        found = await self._fetch(url, "credential", accept, MAX_BAKED, _read_badge)
        if not isinstance(found, bytes):
            # An assertion of Open Badges 2.0 is its own proof: it need not be had from the same address again.
            self._documents[url] = asyncio.get_running_loop().create_future()
            self._documents[url].set_result(found)
        return found

    async def get_file(self, url: str, purpose: Purpose, max_bytes: int) -> bytes:
        """The bytes at `url`, never from a copy. Raises as `get_document`."""
        return await self._fetch(url, purpose, "*/*", max_bytes, bytes)

    def allow(self, fetches: int) -> None:
        """Allow so many more: for a newer version of the badge, for what is in it, for what was asked for beside it."""
        self._fetches_left += fetches

    def tell(self, fetched: Iterable[Fetch]) -> None:
        """What was requested for this verification by others."""
        self._fetched += fetched

    async def _load(self, url: str, purpose: Purpose) -> Mapping[str, Any]:
        own = await self._own_documents(url)
        if own is not None:
            return own
        is_shared = purpose in SHARED and url not in self._asked_anew
        kept = self._shelf.find(url) if self._shelf and is_shared else None
        if kept is not None:
            self._copied[url] = purpose
            self._fetched.append(Fetch(url, purpose, "kept"))
            return kept
        return await self._fetch(url, purpose, ACCEPT, MAX_DOCUMENT, read_object)

    async def _fetch(self, url: str, purpose: Purpose, accept: str, max_bytes: int, read: Callable[[bytes], T]) -> T:
        if not self._fetches_left:
            raise TooManyFetches("Verifying it needs more documents than are fetched for one badge.")
        self._fetches_left -= 1
        place = len(self._fetched)
        self._fetched.append(None)
        try:
            if self._shelf:
                self._shelf.admit(url)
            answer = await self._outbound.get(url, accept=accept, max_bytes=max_bytes)
            found = await read_aside(read, answer.body)
        except AssayError as error:
            self._fetched[place] = Fetch(url, purpose, _outcome_of(error))
            raise
        self._fetched[place] = Fetch(url, purpose, "fetched")
        if self._shelf and purpose in SHARED and isinstance(found, dict):
            self._shelf.keep(url, found, size=len(answer.body), max_age=answer.max_age)
        return found


def _outcome_of(error: AssayError) -> Literal["refused", "failed", "unreadable"]:
    if isinstance(error, FetchRefused):
        return "refused"
    return "unreadable" if isinstance(error, InvalidInput) else "failed"


def _read_badge(body: bytes) -> Mapping[str, Any] | bytes:
    return body if is_picture(body) else read_object(body)


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object that `body` is, or the token, wrapped. Raises MalformedDocument."""
    text = body.strip()
    if len(text) <= MAX_DOCUMENT and not text.startswith(b"{") and text.isascii() and is_token(text.decode("ascii")):
        return wrap(text.decode("ascii"))
    document = strict_json.loads(body)
    if not isinstance(document, dict):
        raise MalformedDocument("It is neither a JSON object nor a token.")
    return document
