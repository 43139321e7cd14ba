"""Challenges: a verifier asks a presenter to sign one, so that a presentation made for somebody else is worth nothing.

A challenge says by itself that it is ours (a keyed hash), so that one that was used and forgotten is not taken for a stranger's.
"""

import hmac
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Tenant
from app.identifiers import new_id
from app.jobs.queue import enqueue
from app.keys.vault import Vault
from app.resources import Resources
from app.vcapi.problems import Finding
from app.vcapi.store import VcApiChallenge, use_challenge
from app.vcapi.verify import Found

LIFE = timedelta(minutes=15)
FORGET_CHALLENGE_JOB = "forget_challenge"


def hand_out(session: AsyncSession, world: Resources, tenant: Tenant, now: datetime) -> str:
    """A fresh challenge of the client, good once within LIFE."""
    assert tenant.client_id is not None
    row = VcApiChallenge(
        issuer_id=tenant.issuer_id, id=new_id(), client_id=tenant.client_id,
        expires_at=now + LIFE, used_at=None, created_at=now,
    )  # fmt: skip
    session.add(row)
    payload = {"issuer_id": row.issuer_id, "challenge_id": row.id}
    enqueue(session, FORGET_CHALLENGE_JOB, payload, run_at=row.expires_at)
    return f"{row.id}.{_marks(world.vault, row.id)[0]}"


async def require_unspent(world: Resources, tenant: Tenant, challenge: str, found: Found) -> Found:
    """What was found about a presentation that is verified but for this: its challenge is good, and spent by asking."""
    if await _spend(world, tenant, challenge):
        return found
    spent = Finding(
        "challenge", "The challenge was used before, has expired, or is another client's.", "/proof/challenge"
    )
    return replace(found, document=[*found.document, spent])


async def _spend(world: Resources, tenant: Tenant, challenge: str) -> bool:
    """One of ours is good once; a verifier's own is not ours to judge."""
    assert tenant.client_id is not None
    id_, _, mark = challenge.partition(".")
    if not any(hmac.compare_digest(mark.encode(), each.encode()) for each in _marks(world.vault, id_)):
        return True
    async with world.database.transaction() as session:
        return await use_challenge(session, tenant.issuer_id, tenant.client_id, id_, world.clock.now())


async def forget_challenge(world: Resources, issuer_id: str, challenge_id: str) -> None:
    """Drop a challenge whose life is over."""
    async with world.database.transaction() as session:
        is_it = (VcApiChallenge.issuer_id == issuer_id) & (VcApiChallenge.id == challenge_id)
        await session.execute(delete(VcApiChallenge).where(is_it))


def _marks(vault: Vault, challenge_id: str) -> list[str]:
    return [digest.hex()[:32] for digest in vault.digests("vcapi challenge", [challenge_id.encode()])]
