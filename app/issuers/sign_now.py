"""Signing within the caller's transaction, for documents that are released with it: endorsements, learner records.

A badge goes another way (`app.credentials.issue`): its intent is committed before there is a signature. What is signed here has
no edition before it; should the transaction fail, its signature was shown to nobody.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.clock import whole_second
from app.issuers.sign import sign_document, verification_method_of
from app.issuers.store import Issuer
from app.keys.store import get_active_key
from app.openbadges.conformance import Linted
from app.resources import Resources


@dataclass(frozen=True, slots=True)
class Signed:
    """The exact bytes, their SHA-256 (hex), and the key that signed them."""

    body: bytes
    digest: str
    key_id: str


async def sign_now(session: AsyncSession, world: Resources, issuer: Issuer, linted: Linted, *, now: datetime) -> Signed:
    """Sign with the issuer's active key. Raises IssuerNotReady, SelfVerificationFailed."""
    key = await get_active_key(session, issuer.id)
    body = await sign_document(
        world, linted,
        key_id=key.id, verification_method=verification_method_of(issuer.did, key.public_key_multibase),
        created=whole_second(now),
    )  # fmt: skip
    digest = hashlib.sha256(body).hexdigest()
    audit(session, issuer_id=issuer.id, actor="signer", action="key.used", object_id=key.id,
          content={"document": digest}, at=now)  # fmt: skip
    return Signed(body, digest, key.id)
