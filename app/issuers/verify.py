"""The operator's word for an issuer: that they looked into who it is. Information for readers; no permission hangs on it."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.events.store import record_event
from app.issuers.store import Issuer, get_issuer


async def mark_verified(
    session: AsyncSession, issuer_id: str, *, verified_as: str | None, actor: str, now: datetime
) -> Issuer:
    """Mark the issuer as verified, with what it was found to be; None takes the mark away. Raises NotFound."""
    issuer = await get_issuer(session, issuer_id)
    if issuer.verified_as == verified_as:
        return issuer
    issuer.verified_as, issuer.verified_at = verified_as, now if verified_as is not None else None
    issuer.updated_at = now
    what = "unverified" if verified_as is None else "verified"
    audit(session, issuer_id=issuer_id, actor=actor, action=f"issuer.{what}", object_id=issuer_id,
          content={"verified_as": verified_as}, at=now)  # fmt: skip
    record_event(session, issuer_id, f"issuer.{what}", issuer_id, at=now)
    return issuer


def compose_registry_entry(issuer: Issuer, *, base_url: str, location: str) -> dict[str, dict[str, str]]:
    """What a registry of issuers wants (that of the Digital Credentials Consortium, which wallets read): by DID the name, the
    place and the website."""
    url = issuer.profile.get("url") or f"{base_url}/issuers/{issuer.slug}"
    return {issuer.did: {"name": issuer.profile["name"], "location": location, "url": url}}
