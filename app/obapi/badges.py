"""A learner's badges as one list: what was issued here, and what was put here (getCredentials)."""

import json
from datetime import datetime
from urllib.parse import urlencode

from sqlalchemy.ext.asyncio import AsyncSession

from app.credentials.fetch import fetch_body
from app.credentials.store import get_credential
from app.learners.store import list_same_person
from app.oauth.tokens import LearnerGrant
from app.obapi.errors import PREFIX
from app.obapi.keep import open_kept
from app.obapi.store import KeptBadge, list_page
from app.resources import Resources
from app.web.fields import format_moment


async def compose_page(
    session: AsyncSession, world: Resources, grant: LearnerGrant, *, since: datetime | None, limit: int, offset: int
) -> tuple[bytes, int]:
    """The body of GetOpenBadgeCredentialsResponse with each badge to the byte, and how many badges there are in all."""
    learners = await list_same_person(session, grant.issuer_id, grant.learner_id)
    page, total = await list_page(session, grant.issuer_id, learners, since=since, limit=limit, offset=offset)
    embedded, compact = [], []
    for origin, id_ in page:
        if origin == "issued":
            credential = await get_credential(session, grant.issuer_id, id_)
            embedded.append((await fetch_body(session, world.vault, credential))[1])
            continue
        kept = await session.get_one(KeptBadge, (grant.issuer_id, id_))
        body = await open_kept(session, world.vault, kept)
        if kept.format == "jws":
            compact.append(json.dumps(body.decode()).encode())
        else:
            embedded.append(body)
    members = ((b"credential", embedded), (b"compactJwsString", compact))
    return b"{" + b",".join(b'"%s":[%s]' % (name, b",".join(items)) for name, items in members if items) + b"}", total


def compose_links(base_url: str, *, since: datetime | None, limit: int, offset: int, total: int) -> str:
    """The Link header of a page (RFC 8288): `first` and `last` always, `next` where more follows, `prev` where something was
    before."""
    pages = {"first": 0, "last": max(0, (total - 1) // limit * limit)}
    if offset + limit < total:
        pages["next"] = offset + limit
    if offset > 0:
        pages["prev"] = max(0, offset - limit)
    further = {} if since is None else {"since": format_moment(since)}
    url = f"{base_url}{PREFIX}/credentials"
    return ", ".join(
        f'<{url}?{urlencode({"limit": limit, "offset": at, **further})}>; rel="{rel}"' for rel, at in pages.items()
    )
