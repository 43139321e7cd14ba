"""The documents that one verification needs, from where they are kept or over the network, and a list of what was asked for."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, Literal, TypeVar

from app import strict_json
from app.errors import AssayError, InvalidInput
from app.net.client import FetchRefused, OutboundClient
from app.openbadges.baking import MAX_BAKED, is_picture
from app.strict_json import MalformedDocument
from app.verification.envelopes import is_token, wrap
from app.verification.gathered import Fetch, Purpose

MAX_FETCHES = 6
MAX_DOCUMENT = 1 << 20
"""Greatest size of a fetched document that is no picture, in bytes."""

ACCEPT = (
    "application/json, application/ld+json, application/vc, application/did+json, application/vc+jwt, text/plain;q=0.5"
)

T = TypeVar("T")

OwnDocuments = Callable[[str], Awaitable[Mapping[str, Any] | None]]
"""The document this service publishes at a URL, None when the URL is not one of its own.

Raises NotFound or Gone when it is, but nothing is served there."""


class TooManyFetches(InvalidInput):
    """A badge whose verification needs more than MAX_FETCHES documents."""

    code: ClassVar[str] = "too_many_fetches"


class Library:
    """Documents by URL, each had once. `fetched` are the requests made over the network, in the order they were begun in."""

    def __init__(self, outbound: OutboundClient, own_documents: OwnDocuments) -> None:
        self._outbound = outbound
        self._own_documents = own_documents
        self._fetches_left = MAX_FETCHES
        self._documents: dict[str, asyncio.Task[Mapping[str, Any]]] = {}
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

    async def get_badge(self, url: str) -> Mapping[str, Any] | bytes:
        """What is published as a badge at `url`: the document, or the bytes of a picture. Raises as `get_document`."""
        own = await self._own_documents(url)
        if own is not None:
            return own
        accept = f"{ACCEPT}, image/png, image/svg+xml"
        return await self._fetch(url, "credential", accept, MAX_BAKED, _read_badge)

    async def _load(self, url: str, purpose: Purpose) -> Mapping[str, Any]:
        own = await self._own_documents(url)
        return own if own is not None else await self._fetch(url, purpose, ACCEPT, MAX_DOCUMENT, read_object)

    async def _fetch(self, url: str, purpose: Purpose, accept: str, max_bytes: int, read: Callable[[bytes], T]) -> T:
        if not self._fetches_left:
            raise TooManyFetches(f"Verifying it needs more than {MAX_FETCHES} documents.")
        self._fetches_left -= 1
        place = len(self._fetched)
        self._fetched.append(None)
        try:
            body = (await self._outbound.get(url, accept=accept, max_bytes=max_bytes)).body
            found = read(body)
        except AssayError as error:
            self._fetched[place] = Fetch(url, purpose, _outcome_of(error))
            raise
        self._fetched[place] = Fetch(url, purpose, "fetched")
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
