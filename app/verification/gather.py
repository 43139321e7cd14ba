"""Gathering what judging needs of the world: keys and status lists. What cannot be had is recorded, not raised."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from app.errors import AssayError, Broken, InvalidInput
from app.net.client import FetchRefused
from app.net.did import resolve_verification_method
from app.proofs.errors import InvalidVerificationMethod
from app.proofs.jose_keys import TokenKey
from app.proofs.verification_method import VerificationMethod
from app.verification.aside import open_aside
from app.verification.envelopes import Opened
from app.verification.further import documents_needed
from app.verification.gathered import Gathered, Missing
from app.verification.library import Library
from app.verification.proofs import methods_needed, token_keys_needed
from app.verification.status import status_lists_needed
from app.verification.token_keys import resolve_token_key

T = TypeVar("T")


async def gather(opened: Opened, library: Library) -> Gathered:
    """Everything `checks.judge` needs to know of the world, about what was sent: a credential or an envelope, opened."""
    credential = opened.credential
    wanted = documents_needed(credential)
    status_lists, documents, keys = await asyncio.gather(
        _gather(status_lists_needed(credential), "status_list", lambda url: library.get_document(url, "status_list")),
        _gather(wanted, "document", lambda url: library.get_document(url, wanted[url])),
        _gather_keys([opened], library),
    )
    read = [await open_aside(each) for each in status_lists.values() if not isinstance(each, Missing)]
    further = await _gather_keys(read, library)
    return Gathered(
        opened.document, keys.methods | further.methods, status_lists, documents, keys.tokens | further.tokens
    )


@dataclass(frozen=True, slots=True)
class _Keys:
    methods: dict[str, VerificationMethod | Missing]
    tokens: dict[str, TokenKey | Missing]


async def _gather_keys(documents: Sequence[Opened], library: Library) -> _Keys:
    """The keys of the proofs and of the tokens. The library has what was fetched for another of them."""
    names = dict.fromkeys(name for each in documents for name in methods_needed(each))
    references = {reference.name: reference for each in documents for reference in token_keys_needed(each)}
    methods, tokens = await asyncio.gather(
        _gather(names, "verification_method", _twice(lambda name: _resolve(name, library), library)),
        _gather(
            references,
            "verification_method",
            _twice(lambda name: resolve_token_key(references[name], library), library),
        ),
    )
    return _Keys(methods, tokens)


async def _gather(names: Iterable[str], kind: str, get: Callable[[str], Awaitable[T]]) -> dict[str, T | Missing]:
    """What `get` has for each name, or why it has not."""

    async def find(name: str) -> T | Missing:
        try:
            return await get(name)
        except Broken:
            raise
        except AssayError as error:
            return recorded(error, kind)

    names = list(names)
    return dict(zip(names, await asyncio.gather(*map(find, names)), strict=True))


async def _resolve(name: str, library: Library) -> VerificationMethod:
    get_document = partial(library.get_document, purpose="verification_method")
    return await resolve_verification_method(name, purpose="assertionMethod", get_document=get_document)


def _twice(resolve: Callable[[str], Awaitable[T]], library: Library) -> Callable[[str], Awaitable[T]]:
    """Keys are replaced, and a copy that was kept may lack the newest: then it is asked for anew."""

    async def find(name: str) -> T:
        try:
            return await resolve(name)
        except InvalidVerificationMethod:
            if not library.forget_copies("verification_method"):
                raise
            return await resolve(name)

    return find


def recorded(error: AssayError, kind: str) -> Missing:
    """`kind` is "credential", "verification_method", "status_list" or "document" (for the checks of `further.py`).

    VERDICTS has the codes of the first three.
    """
    if isinstance(error, FetchRefused):
        return Missing(f"{kind}_refused", error.detail)
    return Missing(f"{kind}_invalid" if isinstance(error, InvalidInput) else f"{kind}_unavailable", reason_of(error))


def reason_of(error: AssayError) -> str:
    return " ".join([error.detail, *(fault.detail for fault in error.faults[:1])])
