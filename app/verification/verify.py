"""Verifying a badge: parse, gather, judge.

Gathering is all that touches the world: the keys of the badge and of its status list, and that list. Documents this
service publishes itself are taken from where they are kept, everything else comes through the outbound client, at most
MAX_FETCHES documents for one badge. What cannot be had is recorded and judged, not raised.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol, TypeVar

from app import strict_json
from app.errors import AssayError, Broken, InvalidInput, Unavailable
from app.net.client import FetchRefused, OutboundClient
from app.net.did import resolve_verification_method
from app.openbadges.baking import MAX_BAKED, is_picture, unbake
from app.proofs.verification_method import VerificationMethod
from app.strict_json import MalformedDocument
from app.verification.gathered import Gathered, Missing
from app.verification.members import issuer_id
from app.verification.proofs import methods_needed
from app.verification.status import status_lists_needed
from app.verification.verdict import NAMES, Check, is_valid
from app.verification.verdicts import CHECKS_VERSION, check, not_checked

MAX_FETCHES = 6
MAX_DOCUMENT = 1 << 20
"""Greatest size of a fetched document that is no picture, in bytes."""

ACCEPT = "application/json, application/ld+json, application/vc, application/did+json"

OwnDocuments = Callable[[str], Awaitable[Mapping[str, Any] | None]]
"""The document this service publishes at a URL, None when the URL is not one of its own.

Raises NotFound or Gone when it is, but nothing is served there."""


TestIssuers = Callable[[str], Awaitable[bool]]
"""Whether this is the id of an issuer of this service that is for tests."""


T = TypeVar("T")


class TooManyFetches(InvalidInput):
    """A badge whose verification needs more than MAX_FETCHES documents."""

    code: ClassVar[str] = "too_many_fetches"


@dataclass(frozen=True, slots=True)
class IssuerSummary:
    """The issuer as the badge itself describes it. Only the binding of `id` to the signing key is verified."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class AchievementSummary:
    """What was achieved, as the badge says. `image` is a web URL or None."""

    name: str
    image: str | None


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome, at the moment `checked_at`. What the badge says is None where it does not say it."""

    valid: bool
    checks: Sequence[Check]
    checks_version: str
    checked_at: datetime
    credential_id: str | None
    issuer: IssuerSummary | None
    achievement: AchievementSummary | None
    valid_from: str | None
    valid_until: str | None


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

    async def verify(self, credential: Mapping[str, Any]) -> Verification:
        """Verify a badge that was sent. Raises Unavailable when too many are being verified."""
        return (await self.examine(credential)).verification

    async def verify_picture(self, picture: bytes) -> Verification:
        """Verify the badge baked into a PNG or SVG. Raises Unavailable when too many are being verified."""
        return (await self.examine_picture(picture)).verification

    async def verify_url(self, url: str) -> Verification:
        """Verify the badge at an https URL: the document, or the picture it is baked into.

        Raises Unavailable when too many are being verified.
        """
        return (await self.examine_url(url)).verification

    async def examine(self, credential: Mapping[str, Any]) -> Examined:
        """As `verify`, with the badge as it was read."""
        try:
            document = _reread(credential)
        except MalformedDocument as error:
            return self._unread(check("credential_invalid", reason=_reason(error)))
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
                missing = _recorded(error, "credential")
                return self._unread(check(missing.code, reason=missing.detail))
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

    async def _verify_picture(self, picture: bytes, library: "_Library") -> Examined:
        try:
            text = await asyncio.to_thread(unbake, picture)
            document = await asyncio.to_thread(_read, text) if text.startswith("{") else None
        except InvalidInput as error:
            return self._unread(check("credential_invalid", reason=_reason(error)))
        if document is None:
            return self._unread(check("unsupported_envelope"))
        return await self._verify(document, library)

    async def _verify(self, credential: Mapping[str, Any], library: "_Library") -> Examined:
        gathered = await gather(credential, library)
        now = self._now()
        checks = [*await self._judges.judge(gathered, now), *await self._look_for_test_issuer(credential)]
        ordered = sorted(checks, key=lambda each: NAMES.index(each.name))
        return Examined(_compose_verification(credential, ordered, now), credential)

    async def _look_for_test_issuer(self, credential: Mapping[str, Any]) -> list[Check]:
        # The mark in a badge's texts is for people; this is for machines, and cannot be had from the badge alone.
        if self._test_issuers is None or not await self._test_issuers(issuer_id(credential)):
            return []
        return [check("test_issuer", pointer="/issuer")]

    def _unread(self, shape: Check) -> Examined:
        rest = not_checked(name for name in NAMES if name != shape.name)
        return Examined(_compose_verification({}, [shape, *rest], self._now()), {})

    def _open_library(self) -> "_Library":
        return _Library(self._outbound, self._own_documents)


class _Library:
    """The documents one verification needs, each had once."""

    def __init__(self, outbound: OutboundClient, own_documents: OwnDocuments) -> None:
        self._outbound = outbound
        self._own_documents = own_documents
        self._fetches_left = MAX_FETCHES
        self._documents: dict[str, asyncio.Task[Mapping[str, Any]]] = {}

    async def get_document(self, url: str) -> Mapping[str, Any]:
        """The JSON object at `url`. Raises what `own_documents` and OutboundClient.get raise, MalformedDocument and
        TooManyFetches.
        """
        if url not in self._documents:
            self._documents[url] = asyncio.create_task(self._load(url))
        return await self._documents[url]

    async def get_badge(self, url: str) -> Mapping[str, Any] | bytes:
        """What is published as a badge at `url`: the document, or the bytes of a picture. Raises as `get_document`."""
        own = await self._own_documents(url)
        if own is not None:
            return own
        body = await self._fetch(url, accept=f"{ACCEPT}, image/png, image/svg+xml", max_bytes=MAX_BAKED)
        return body if is_picture(body) else _read_object(body)

    async def _load(self, url: str) -> Mapping[str, Any]:
        own = await self._own_documents(url)
        return own if own is not None else _read_object(await self._fetch(url, accept=ACCEPT, max_bytes=MAX_DOCUMENT))

    async def _fetch(self, url: str, *, accept: str, max_bytes: int) -> bytes:
        if not self._fetches_left:
            raise TooManyFetches(f"Verifying it needs more than {MAX_FETCHES} documents.")
        self._fetches_left -= 1
        return (await self._outbound.get(url, accept=accept, max_bytes=max_bytes)).body


async def gather(credential: Mapping[str, Any], library: _Library) -> Gathered:
    """Everything `checks.judge` needs to know of the world."""
    methods, status_lists = await asyncio.gather(
        _gather(methods_needed(credential), "verification_method", lambda name: _resolve(name, library)),
        _gather(status_lists_needed(credential), "status_list", library.get_document),
    )
    read = [each for each in status_lists.values() if not isinstance(each, Missing)]
    further = dict.fromkeys(name for each in read for name in methods_needed(each) if name not in methods)
    methods |= await _gather(further, "verification_method", lambda name: _resolve(name, library))
    return Gathered(credential, methods, status_lists)


async def _gather(names: Iterable[str], kind: str, get: Callable[[str], Awaitable[T]]) -> dict[str, T | Missing]:
    """What `get` has for each name, or why it has not."""

    async def find(name: str) -> T | Missing:
        try:
            return await get(name)
        except Broken:
            raise
        except AssayError as error:
            return _recorded(error, kind)

    names = list(names)
    return dict(zip(names, await asyncio.gather(*map(find, names)), strict=True))


async def _resolve(name: str, library: _Library) -> VerificationMethod:
    return await resolve_verification_method(name, purpose="assertionMethod", get_document=library.get_document)


def _recorded(error: AssayError, kind: str) -> Missing:
    """`kind` is "credential", "verification_method" or "status_list"; VERDICTS has three codes for each."""
    if isinstance(error, FetchRefused):
        return Missing(f"{kind}_refused", error.detail)
    return Missing(f"{kind}_invalid" if isinstance(error, InvalidInput) else f"{kind}_unavailable", _reason(error))


def _reason(error: AssayError) -> str:
    return " ".join([error.detail, *(fault.detail for fault in error.faults[:1])])


def _read_object(body: bytes) -> dict[str, Any]:
    document = strict_json.loads(body)
    if not isinstance(document, dict):
        raise MalformedDocument("It is not a JSON object.")
    return document


def _read(text: str) -> dict[str, Any]:
    return _read_object(text.encode())


def _reread(credential: Mapping[str, Any]) -> dict[str, Any]:
    """`credential` as strict_json reads it, for it may have come through a parser that is less strict.

    Raises MalformedDocument.
    """
    try:
        text = json.dumps(credential)
    except (RecursionError, TypeError, ValueError):
        raise MalformedDocument("It is nested too deeply, or holds what JSON cannot.") from None
    return _read(text)


def _compose_verification(credential: Mapping[str, Any], checks: Sequence[Check], now: datetime) -> Verification:
    return Verification(
        valid=is_valid(checks),
        checks=checks,
        checks_version=CHECKS_VERSION,
        checked_at=now,
        credential_id=_find_text(credential, "id"),
        issuer=_summarize_issuer(credential),
        achievement=_summarize_achievement(credential),
        valid_from=_find_text(credential, "validFrom"),
        valid_until=_find_text(credential, "validUntil"),
    )


def _summarize_issuer(credential: Mapping[str, Any]) -> IssuerSummary | None:
    found = issuer_id(credential)
    return IssuerSummary(found, _find_text(credential, "issuer", "name") or "") if found else None


def _summarize_achievement(credential: Mapping[str, Any]) -> AchievementSummary | None:
    path = ("credentialSubject", "achievement")
    name = _find_text(credential, *path, "name")
    image = _find_text(credential, *path, "image", "id") or _find_text(credential, *path, "image") or ""
    return AchievementSummary(name, image if image.startswith(("https://", "http://")) else None) if name else None


def _find_text(document: Mapping[str, Any], *path: str) -> str | None:
    """The string at the end of `path`, whatever else the document holds on the way."""
    value: object = document
    for member in path:
        value = value.get(member) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else None
