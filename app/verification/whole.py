"""Judging a credential and what is in it: itself, or the newer version that its issuer has, then its parts."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from app.errors import AssayError, Broken
from app.verification.answer import JudgedPart
from app.verification.aside import open_aside
from app.verification.data_model import model_of
from app.verification.envelopes import Opened
from app.verification.gather import gather, reason_of
from app.verification.gathered import Gathered
from app.verification.library import Library
from app.verification.parts import Part, conclude, find_parts, judge_counts, judge_part, skip_parts
from app.verification.refresh import find_refresh_url, is_newer, is_same_badge, is_trusted
from app.verification.verdict import Check, in_order
from app.verification.verdicts import check

FETCHES_OF_REFRESH = 3
FETCHES_OF_A_PART = 3
MAX_FETCHES_OF_PARTS = 24


class Judges(Protocol):
    """Who judges: `judge.JudgePool`."""

    async def judge(self, gathered: Gathered, now: datetime) -> list[Check]:
        """What `checks.judge` says. Raises Unavailable when too much is being judged."""
        ...

    async def judge_all(self, gathered: Sequence[Gathered], now: datetime) -> list[list[Check]]:
        """The same of each, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Whole:
    """`credential` is the one that `checks` are about: what was sent, opened, or the newer version of it."""

    credential: Mapping[str, Any]
    checks: Sequence[Check]
    parts: Sequence[JudgedPart]


async def judge_whole(opened: Opened, library: Library, judges: Judges, now: Callable[[], datetime]) -> Whole:
    """`opened` is what was sent: a credential or an envelope. Raises Unavailable when too much is being judged."""

    async def judge(opened: Opened) -> list[Check]:
        gathered = await gather(opened, library)
        return await judges.judge(gathered, now())

    checks = await judge(opened)
    newer, refresh = await _find_newer(opened, checks, library)
    if newer is not None:
        newer_checks = await judge(newer)
        if is_trusted(newer_checks):
            opened, checks = newer, newer_checks
        else:
            refresh = [check("refresh_failed", reason="what is served there does not verify.")]
    credential = opened.credential
    if not is_trusted(checks):
        # What is in a document that is nobody's word is looked for nowhere, and asked about nowhere.
        return Whole(credential, [*checks, *refresh, *skip_parts(credential)], [])
    found = await asyncio.to_thread(find_parts, credential)
    parts = await _judge_parts(found.parts, library, judges, now)
    concluded = [conclude(each.part, each.checks, credential) for each in parts]
    return Whole(credential, [*checks, *refresh, *judge_counts(found), *concluded], parts)


async def _find_newer(opened: Opened, checks: Sequence[Check], library: Library) -> tuple[Opened | None, list[Check]]:
    """The newer version of the badge that its issuer offers, not yet judged, and what to say of having looked. Asked for once."""
    credential = opened.credential
    url = find_refresh_url(credential, checks)
    if not url:
        return None, []
    library.allow(FETCHES_OF_REFRESH)
    try:
        served = await library.get_document(url, "refresh")
    except Broken:
        raise
    except AssayError as error:
        return None, [check("refresh_failed", reason=reason_of(error))]
    newer = await open_aside(served)
    found = newer.credential
    if not is_same_badge(found, credential):
        return None, [check("refresh_failed", reason="what is served there is another badge.")]
    if not is_newer(found, credential):
        return None, [check("refresh_current")]
    return newer, [check("refreshed", moment=found.get(model_of(found).valid_from))]


async def _judge_parts(
    parts: Sequence[Part], library: Library, judges: Judges, now: Callable[[], datetime]
) -> list[JudgedPart]:
    library.allow(min(FETCHES_OF_A_PART * len(parts), MAX_FETCHES_OF_PARTS))
    gathered = await asyncio.gather(*(gather(each.opened, library) for each in parts))
    judged = await judges.judge_all(gathered, now()) if parts else []
    return [
        JudgedPart(part, in_order([*judge_part(part), *checks])) for part, checks in zip(parts, judged, strict=True)
    ]
