"""Signing in by a one-time link in an e-mail.

Whoever asks is answered alike and as fast, whether or not somebody has the address: the request only enqueues a job, which holds
the address's blind index and looks for the person. The link works in the browser that asked for it, once, for fifteen minutes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.sessions import BROWSER_LIFE, begin_session
from app.access.store import Person
from app.access.tokens import hash_secret, is_secret, new_secret
from app.errors import Conflict, Forbidden, Gone, NotFound
from app.identifiers import new_id
from app.issuers.store import Issuer, get_issuer
from app.jobs.queue import enqueue
from app.keys.vault import Vault
from app.people.identities import find_person_by_index, identity_indexes
from app.people.mail import send_mail
from app.people.people import lock_person
from app.people.store import SignInLink
from app.resources import Resources
from app.web.fields import format_moment

LINK_JOB = "send_sign_in_link"
LINK_LIFE = timedelta(minutes=15)
MOST_LIVE_LINKS = 5
MOST_LINKS_PER_HOUR = 10
_KEPT = timedelta(days=1)
"""How long a link is known after its end, so that whoever opens it late is told why it does not work."""

_LINK = re.compile(r"([0-9a-f]{32})_([A-Za-z0-9_-]{43})")


class SignInLinkUnknown(NotFound):
    code = "sign_in_link_unknown"


class SignInLinkOtherBrowser(Forbidden):
    code = "sign_in_link_other_browser"


class SignInLinkUsed(Conflict):
    code = "sign_in_link_used"


class SignInLinkExpired(Gone):
    code = "sign_in_link_expired"


class MayNotSignIn(Forbidden):
    """The person was found, and is not active any more."""

    code = "person_inactive"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who has signed in, and the token of the new session, for the browser's cookie."""

    person: Person
    token: str


def ask_for_link(
    session: AsyncSession, vault: Vault, issuer: Issuer, email: str, *, browser_secret: str, now: datetime
) -> None:
    """Have a link sent to whoever has this address. It takes the same steps when nobody has."""
    indexes = identity_indexes(vault, issuer.id, "email", email)
    payload = {
        "issuer_id": issuer.id,
        "blind_indexes": [index.hex() for index in indexes],
        "browser_hash": hash_secret(browser_secret).hex(),
        "asked_at": now.isoformat(),
    }
    enqueue(session, LINK_JOB, payload, run_at=now)


async def send_link(world: Resources, payload: Mapping[str, Any]) -> None:
    """The job: make the link and its mail, if somebody active has the address and has not been sent too many of late."""
    asked_at = datetime.fromisoformat(payload["asked_at"])
    indexes = [bytes.fromhex(index) for index in payload["blind_indexes"]]
    async with world.database.transaction() as session:
        found = await find_person_by_index(session, payload["issuer_id"], "email", indexes)
        if found is None:
            return
        person = await lock_person(session, found.issuer_id, found.id)
        if not person.is_active or not await _make_room(session, person, world.clock.now()):
            return
        secret, id_ = new_secret(), new_id()
        expires_at = asked_at + LINK_LIFE
        session.add(
            SignInLink(
                id=id_, issuer_id=person.issuer_id, person_id=person.id, secret_hash=hash_secret(secret),
                browser_hash=bytes.fromhex(payload["browser_hash"]), created_at=asked_at, expires_at=expires_at,
                used_at=None,
            )
        )  # fmt: skip
        issuer = await get_issuer(session, person.issuer_id)
        await send_mail(
            session, world.vault, person, purpose="sign_in_link", subject=f"Sign in to {issuer.profile['name']}",
            text=_text(issuer.profile["name"], f"{world.base_url}/sign-in/links/{id_}_{secret}", expires_at),
            now=world.clock.now(), expires_at=expires_at,
        )  # fmt: skip


def _text(issuer: str, url: str, expires_at: datetime) -> str:
    return (
        f"Somebody, probably you, asked to sign in to {issuer}.\n\n{url}\n\n"
        "Open the link in the browser that you asked from. It works once, until "
        f"{format_moment(expires_at.replace(microsecond=0))}.\n\n"
        "If it was not you, do nothing: without this link nobody signs in.\n"
    )


async def _make_room(session: AsyncSession, person: Person, now: datetime) -> bool:
    """End the oldest live links, so that one more may live. False when the person was sent the most of an hour."""
    mine = (SignInLink.issuer_id == person.issuer_id, SignInLink.person_id == person.id)
    await session.execute(delete(SignInLink).where(*mine, SignInLink.expires_at <= now - _KEPT))
    late = select(func.count()).where(*mine, SignInLink.created_at > now - timedelta(hours=1))
    if (await session.execute(late)).scalar_one() >= MOST_LINKS_PER_HOUR:
        return False
    live = select(SignInLink).where(*mine, SignInLink.used_at.is_(None), SignInLink.expires_at > now)
    newest_first = live.order_by(SignInLink.created_at.desc(), SignInLink.id).offset(MOST_LIVE_LINKS - 1)
    for link in (await session.scalars(newest_first)).all():
        link.expires_at = now
    return True


async def require_link(session: AsyncSession, token: str, browser_secret: str | None, now: datetime) -> SignInLink:
    """The link, if it may sign this browser in. It is not used up.

    Raises SignInLinkUnknown, SignInLinkOtherBrowser, SignInLinkUsed, SignInLinkExpired: in this order, so that nobody without
    the link, and no other browser, learns what became of it.
    """
    match = _LINK.fullmatch(token)
    link = await session.get(SignInLink, match[1]) if match else None
    if link is None or match is None or not is_secret(match[2], link.secret_hash):
        raise SignInLinkUnknown("The address is not that of a sign-in link, or the link is long over.")
    if browser_secret is None or not is_secret(browser_secret, link.browser_hash):
        raise SignInLinkOtherBrowser("The link was asked for in another browser.")
    if link.used_at is not None:
        raise SignInLinkUsed("A sign-in link works once, and this one did.")
    if link.expires_at <= now:
        raise SignInLinkExpired("A sign-in link works for fifteen minutes, and this one is older, or was ended.")
    return link


async def sign_in_by_link(session: AsyncSession, token: str, browser_secret: str | None, now: datetime) -> SignedIn:
    """Use the link up and begin a session. Raises as `require_link`, and MayNotSignIn."""
    link = await require_link(session, token, browser_secret, now)
    used = (
        update(SignInLink)
        .where(SignInLink.id == link.id, SignInLink.used_at.is_(None), SignInLink.expires_at > now)
        .values(used_at=now)
        .returning(SignInLink.id)
        .execution_options(synchronize_session=False)
    )
    if (await session.execute(used)).first() is None:  # another request was faster
        raise SignInLinkUsed("A sign-in link works once, and this one did.")
    person = await lock_person(session, link.issuer_id, link.person_id)
    return await begin_browser_session(session, person, now)


async def begin_browser_session(session: AsyncSession, person: Person, now: datetime) -> SignedIn:
    """A session of twelve hours for a person, who is locked. Raises MayNotSignIn."""
    if not person.is_active or person.sealed_key is None:
        raise MayNotSignIn("The person may not sign in any more.")
    _, token = await begin_session(session, person, kind="browser", name="browser", life=BROWSER_LIFE, now=now)
    return SignedIn(person, token)
