"""What is looked at beside the badge itself, where whoever verifies asks for it: whom it names, and its evidence."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.errors import AssayError, Broken
from app.verification.digests import Claim, is_unchanged, list_claims
from app.verification.gather import reason_of
from app.verification.library import Library
from app.verification.recipient import names_recipient
from app.verification.verdict import Check
from app.verification.verdicts import check

MAX_FILES = 4
"""Files of evidence that are fetched for one badge."""
MAX_FILE = 10 << 20
"""Greatest size of one of them, in bytes."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to know beside whether the badge is good. `recipient` is an e-mail address, a DID, an identifier."""

    recipient: str | None = None
    check_evidence: bool = False


NOTHING = Asked()


async def look_beside(badge: Mapping[str, Any], asked: Asked, library: Library) -> list[Check]:
    """The checks that were asked for. What was asked for and is not so fails."""
    found = []
    if asked.recipient is not None:
        named = await asyncio.to_thread(names_recipient, badge, asked.recipient)
        found.append(check("recipient_named" if named else "recipient_differs"))
    if asked.check_evidence:
        found += await _look_at_evidence(badge, library)
    return found


async def _look_at_evidence(badge: Mapping[str, Any], library: Library) -> list[Check]:
    claims = [claim for claim in await asyncio.to_thread(list_claims, badge) if claim.has_digest]
    if not claims:
        return [check("no_evidence_digest")]
    library.allow(min(len(claims), MAX_FILES))
    found = await asyncio.gather(*(_compare(claim, library) for claim in claims[:MAX_FILES]))
    left = [check("evidence_not_checked", pointer=claim.pointer, url=claim.url) for claim in claims[MAX_FILES:][:1]]
    return [*found, *left]


async def _compare(claim: Claim, library: Library) -> Check:
    try:
        content = await library.get_file(claim.url, "evidence", MAX_FILE)
    except Broken:
        raise
    except AssayError as error:
        return check("evidence_unavailable", pointer=claim.pointer, url=claim.url, reason=reason_of(error))
    unchanged = await asyncio.to_thread(is_unchanged, content, claim)
    codes = {True: "evidence_unchanged", False: "evidence_changed", None: "evidence_digest_unknown"}
    return check(codes[unchanged], pointer=claim.pointer, url=claim.url)
