"""Verifying for the VC-API: parse, gather, judge, as `app.verification.verify` does for badges, and strictly.

What is gathered are keys and status lists: documents of ours from where they are kept, others over the network, a bounded number
for one request (`app.verification.library`). No context is ever fetched.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from app.errors import AssayError, Broken, Fault, Unavailable
from app.net.client import OutboundClient
from app.net.did import resolve_verification_method
from app.proofs.data_integrity import proofs_of
from app.vcapi.errors import MalformedCredential, MalformedPresentation, UnreadableTerms
from app.vcapi.judge import VcApiJudges
from app.vcapi.judging import ASSERTION, AUTHENTICATION, MAX_CREDENTIALS, methods_named
from app.vcapi.problems import Finding
from app.vcdm.presentation import (
    ENVELOPED_PRESENTATION,
    is_enveloped,
    list_envelope_faults,
    list_presentation_faults,
)
from app.vcdm.values import entries_of
from app.verification.aside import open_aside
from app.verification.envelopes import Opened, is_token, wrap
from app.verification.gather import recorded
from app.verification.gathered import Gathered, Missing
from app.verification.library import Library, OwnDocuments
from app.verification.proofs import methods_needed, token_keys_needed
from app.verification.status import status_lists_needed
from app.verification.token_keys import resolve_token_key

Contexts = Mapping[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Found:
    """What was found about a document, then about each credential in it, where it is a presentation."""

    document: Sequence[Finding]
    credentials: Sequence[Sequence[Finding]] = field(default_factory=tuple)

    @property
    def is_verified(self) -> bool:
        return all(is_verified(each) for each in (self.document, *self.credentials))


def is_verified(findings: Sequence[Finding]) -> bool:
    return all(each.is_warning for each in findings)


class VcApiVerifier:
    """Verifies what anyone sends, at most `max_parallel` requests at once. `now` is the clock."""

    def __init__(
        self,
        *,
        outbound: OutboundClient,
        judges: VcApiJudges,
        own_documents: OwnDocuments,
        now: Callable[[], datetime],
        max_parallel: int,
    ) -> None:
        self._outbound = outbound
        self._judges = judges
        self._own_documents = own_documents
        self._now = now
        self._max_parallel = max_parallel
        self._running = 0

    async def verify_credential(self, credential: Any, *, is_generic: bool) -> Found:
        """Raises MalformedCredential for what cannot be read as one, Unavailable when too many are being verified."""
        if isinstance(credential, str) and is_token(credential):
            credential = wrap(credential)
        if not isinstance(credential, dict):
            fault = Fault("/verifiableCredential", "must be a credential, an enveloped credential or a JWT")
            raise MalformedCredential("There is no credential to verify.", faults=[fault])
        if is_enveloped(credential):
            _require_envelope(list_envelope_faults(credential), MalformedCredential)
        with self._place():
            gathered = await _gather(credential, ASSERTION, self._open_library())
            return Found(await self._judges.judge_credential(gathered, self._now(), is_generic=is_generic))

    async def verify_presentation(
        self, presentation: Any, options: Mapping[str, Any], *, contexts: Contexts, is_generic: bool
    ) -> Found:
        """`contexts` are those that it may name. Raises MalformedPresentation for what is none, or not signed, UnreadableTerms
        for one in another context, Unavailable."""
        if is_enveloped(presentation, ENVELOPED_PRESENTATION):
            _require_envelope(list_envelope_faults(presentation, ENVELOPED_PRESENTATION), MalformedPresentation)
            return Found([_unsupported()])
        _require_presentation(presentation, contexts)
        contained = [each for _, each in entries_of(presentation.get("verifiableCredential", []), "")]
        with self._place():
            library = self._open_library()
            gathered = await asyncio.gather(
                _gather(presentation, AUTHENTICATION, library),
                *(_gather(each, ASSERTION, library) for each in contained),
            )
            asked = {name: options[name] for name in ("challenge", "domain") if name in options}
            found = await self._judges.judge_presentation(gathered, asked, self._now(), is_generic=is_generic)
        return Found(found[0], found[1:])

    @contextmanager
    def _place(self) -> Iterator[None]:
        """One of the places for verifying, from the first fetch on: what waits holds documents in memory."""
        if self._running >= self._max_parallel:
            raise Unavailable("Too many documents are being verified.", cure="Try again in a few seconds.")
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1

    def _open_library(self) -> Library:
        return Library(self._outbound, self._own_documents)


def _unsupported() -> Finding:
    return Finding("unsupported_envelope", "A presentation within a token is not verified here.", "/id")


def _require_envelope(faults: Iterable[Fault], malformed: type[MalformedCredential | MalformedPresentation]) -> None:
    if found := list(faults):
        raise malformed("This is no envelope of a secured document.", faults=found)


def _require_presentation(presentation: Any, contexts: Contexts) -> None:
    if not isinstance(presentation, dict):
        fault = Fault("/verifiablePresentation", "must be the presentation, an object")
        raise MalformedPresentation("There is no presentation to verify.", faults=[fault])
    if faults := list_presentation_faults(presentation):
        raise MalformedPresentation("The presentation does not follow the Data Model.", faults=faults)
    if presentation.get("proof") is None or not proofs_of(presentation):
        raise MalformedPresentation("The presentation is not signed.", faults=[Fault("/proof", "is missing")])
    contained = presentation.get("verifiableCredential", [])
    if isinstance(contained, list) and len(contained) > MAX_CREDENTIALS:
        fault = Fault("/verifiableCredential", f"must be at most {MAX_CREDENTIALS} credentials")
        raise MalformedPresentation("The presentation has too many credentials.", faults=[fault])
    unknown = [
        Fault(place, "is a context that is not known here")
        for place, context in entries_of(presentation["@context"], "/@context")
        if isinstance(context, str) and context not in contexts
    ]
    if unknown:
        raise UnreadableTerms("No context is fetched, and this one is not built in.", faults=unknown)


async def _gather(document: Mapping[str, Any], purpose: str, library: Library) -> Gathered:
    """What judging one document needs. What cannot be had is recorded, not raised."""
    opened = await open_aside(document)
    lists = status_lists_needed(opened.credential) if purpose == ASSERTION else []
    methods, tokens, found = await asyncio.gather(
        _find_all(methods_named(opened.credential), "verification_method", partial(_resolve, purpose, library)),
        _find_token_keys([opened] if purpose == ASSERTION else [], library),
        _find_all(lists, "status_list", partial(library.get_document, purpose="status_list")),
    )
    read = [await open_aside(each) for each in found.values() if not isinstance(each, Missing)]
    further = dict.fromkeys(name for each in read for name in methods_needed(each) if name not in methods)
    methods |= await _find_all(further, "verification_method", partial(_resolve, ASSERTION, library))
    tokens |= await _find_token_keys(read, library)
    return Gathered(document, methods, found, token_keys=tokens)


async def _find_token_keys(documents: Sequence[Opened], library: Library) -> dict[str, Any]:
    references = {reference.name: reference for each in documents for reference in token_keys_needed(each)}
    return await _find_all(references, "verification_method", lambda name: resolve_token_key(references[name], library))


async def _resolve(purpose: str, library: Library, name: str) -> Any:
    get_document = partial(library.get_document, purpose="verification_method")
    return await resolve_verification_method(name, purpose=purpose, get_document=get_document)


async def _find_all(names: Iterable[str], kind: str, get: Callable[[str], Awaitable[Any]]) -> dict[str, Any]:
    """What `get` has for each name, or why it has not."""

    async def find(name: str) -> Any:
        try:
            return await get(name)
        except Broken:
            raise
        except AssayError as error:
            return recorded(error, kind)

    names = list(names)
    return dict(zip(names, await asyncio.gather(*map(find, names)), strict=True))
