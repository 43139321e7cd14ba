"""Gathering what judging needs of the world: keys and status lists. What cannot be had is recorded, not raised."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from app.errors import AssayError, Broken, InvalidInput
from app.net.client import FetchRefused
from app.net.did import resolve_verification_method
from app.proofs.errors import InvalidVerificationMethod
from app.proofs.verification_method import VerificationMethod
from app.verification.further import documents_needed
from app.verification.gathered import Gathered, Missing
from app.verification.library import Library
from app.verification.proofs import methods_needed
from app.verification.status import status_lists_needed

T = TypeVar("T")


async def gather(credential: Mapping[str, Any], library: Library) -> Gathered:
    """Everything `checks.judge` needs to know of the world."""
    wanted = documents_needed(credential)
    methods, status_lists, documents = await asyncio.gather(
        _gather(methods_needed(credential), "verification_method", lambda name: _resolve(name, library)),
        _gather(status_lists_needed(credential), "status_list", lambda url: library.get_document(url, "status_list")),
        _gather(wanted, "document", lambda url: library.get_document(url, wanted[url])),
    )
    read = [each for each in status_lists.values() if not isinstance(each, Missing)]
    further = dict.fromkeys(name for each in read for name in methods_needed(each) if name not in methods)
    methods |= await _gather(further, "verification_method", lambda name: _resolve(name, library))
    return Gathered(credential, methods, status_lists, documents)


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
    try:
        return await resolve_verification_method(name, purpose="assertionMethod", get_document=get_document)
    except InvalidVerificationMethod:
        # Keys are replaced: a copy that was kept may lack the newest.
        fresh = partial(get_document, fresh=True)
        return await resolve_verification_method(name, purpose="assertionMethod", get_document=fresh)


def recorded(error: AssayError, kind: str) -> Missing:
    """`kind` is "credential", "verification_method", "status_list" or "document" (for the checks of `further.py`).

    VERDICTS has the codes of the first three.
    """
    if isinstance(error, FetchRefused):
        return Missing(f"{kind}_refused", error.detail)
    return Missing(f"{kind}_invalid" if isinstance(error, InvalidInput) else f"{kind}_unavailable", reason_of(error))


def reason_of(error: AssayError) -> str:
    return " ".join([error.detail, *(fault.detail for fault in error.faults[:1])])
