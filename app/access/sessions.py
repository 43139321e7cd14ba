"""Verbs on the sessions of people: begin one, end one."""

from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.store import Person, PersonSession
from app.access.tokens import format_token, hash_secret, new_secret
from app.audit.store import audit
from app.identifiers import new_id

COOKIE = "assay_session"
BROWSER_LIFE = timedelta(hours=12)
LONGEST_TOKEN_LIFE = timedelta(days=365)


async def begin_session(
    session: AsyncSession,
    person: Person,
    *,
    kind: Literal["browser", "token"],
    name: str,
    life: timedelta,
    now: datetime,
) -> tuple[PersonSession, str]:
    """A new session and its token, which can never be shown again: a browser sends it as a cookie, a program as a bearer."""
    secret = new_secret()
    begun = PersonSession(
        id=new_id(),
        issuer_id=person.issuer_id,
        person_id=person.id,
        kind=kind,
        name=name,
        secret_hash=hash_secret(secret),
        expires_at=now + life,
        revoked_at=None,
        last_used_at=None,
        created_at=now,
    )
    session.add(begun)
    audit(session, issuer_id=person.issuer_id, actor=f"person:{person.id}", action="person_session.begun",
          object_id=begun.id, content={"kind": kind}, at=now)  # fmt: skip
    await session.flush()
    return begun, format_token(begun.id, secret)


def end_session(session: AsyncSession, ended: PersonSession, *, actor: str, now: datetime) -> None:
    """End a session now. Doing it again changes nothing."""
    if ended.revoked_at is None:
        ended.revoked_at = now
        audit(session, issuer_id=ended.issuer_id, actor=actor, action="person_session.ended", object_id=ended.id,
              content={}, at=now)  # fmt: skip
