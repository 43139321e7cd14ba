"""What a badge that was handed in turns out to be: verified, and compared with the recipient expected.

Nothing is looked up but what `POST /v1/verify` looks up for anybody: the badge, its issuer's key, its status.
"""

import asyncio
import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.credentials.store import Credential
from app.errors import Unavailable
from app.recognition.bodies import HandedIn
from app.recognition.store import RecipientMatch
from app.verification.recipient import names_recipient
from app.verification.verify import Examined, Verifier

AT_ONCE = 4
"""Badges of one set that are verified at the same time: others want to verify too."""
DEADLINE = 60.0
"""Seconds for a whole set. What is not verified by then can be handed in again."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`valid` is None where the badge could not be verified at the moment. The rest is what the badge says, where it is valid.

    `is_test` is whether it is of an issuer that is for tests.
    """

    valid: bool | None
    reasons: list[str]
    badge_id: str | None = None
    achievement: str | None = None
    issuer: str | None = None
    recipient: RecipientMatch = "not_asked"
    is_test: bool = False


async def examine_all(verifier: Verifier, badges: Sequence[HandedIn], *, deadline: float = DEADLINE) -> list[Finding]:
    """In the order of the badges. None waits longer than the deadline."""
    places = asyncio.Semaphore(AT_ONCE)

    async def examine(badge: HandedIn) -> Finding:
        async with places:
            return await _examine(verifier, badge)

    if not badges:
        return []
    tasks = [asyncio.create_task(examine(badge)) for badge in badges]
    try:
        _, late = await asyncio.wait(tasks, timeout=deadline)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        raise
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return [Finding(None, ["deadline"]) if task in late else task.result() for task in tasks]


async def _examine(verifier: Verifier, badge: HandedIn) -> Finding:
    try:
        if badge.picture is not None:
            examined = await verifier.examine_picture(base64.b64decode(badge.picture))
        elif badge.url is not None:
            examined = await verifier.examine_url(badge.url)
        else:
            examined = await verifier.examine(badge.credential or {})
    except Unavailable:
        return Finding(None, ["busy"])
    return _find(examined, badge.recipient)


def _find(examined: Examined, recipient: str | None) -> Finding:
    verification, credential = examined.verification, examined.credential
    failed = [each for each in verification.checks if each.outcome == "failed"]
    reasons = sorted({each.code for each in failed})
    if not verification.valid:
        # What could not be had for the network's sake may be had another time.
        is_unknown = bool(failed) and all(each.fault == "network" for each in failed)
        return Finding(None if is_unknown else False, reasons or ["not_proven"], badge_id=verification.credential_id)
    if verification.achievement is None:  # an endorsement or a learner record, as valid as it may be
        return Finding(False, ["not_an_open_badge"], badge_id=verification.credential_id)
    return Finding(
        valid=True,
        reasons=[],
        badge_id=verification.credential_id,
        achievement=verification.achievement.id,
        issuer=verification.issuer.id if verification.issuer else None,
        recipient="not_asked"
        if recipient is None
        else "matches"
        if names_recipient(credential, recipient)
        else "differs",
        is_test=any(each.code == "test_issuer" for each in verification.checks),
    )


@dataclass(frozen=True, slots=True)
class Known:
    """A badge by what is kept of it."""

    digest: str | None
    credential_id: str | None


UNKNOWN = Known(None, None)


async def identify(session: AsyncSession, base_url: str, findings: Sequence[Finding]) -> list[Known]:
    """What each badge is known by. One of this service by its award: its summary and its detailed view are one badge."""
    ids = [re.fullmatch(re.escape(base_url) + r"/credentials/([0-9a-f]{32})", each.badge_id or "") for each in findings]
    own = [match[1] for match in ids if match]
    query = select(Credential.id, Credential.award_id).where(Credential.id.in_(own))
    awards = {id_: award_id for id_, award_id in (await session.execute(query)).all()}  # noqa: C416 # a row is no pair to mypy
    found = []
    for finding, match in zip(findings, ids, strict=True):
        award_id = awards.get(match[1]) if match else None
        if finding.badge_id is None:
            found.append(UNKNOWN)
        elif match and award_id:
            found.append(Known(_digest(f"award:{award_id}"), match[1]))
        else:
            found.append(Known(_digest(finding.badge_id), None))
    return found


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
