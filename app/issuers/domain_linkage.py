"""Proof that an origin and a DID are in the same hands: DIF Well Known DID Configuration, Domain Linkage Credentials as JWT.

A credential is made when it is first asked for in a month, or after the key was replaced, and kept with the issuer: so every
use of the key is in the audit trail, and readers make no work.
"""

import hashlib
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from app.audit.store import audit
from app.issuers.did_document import verification_method_id
from app.issuers.store import Issuer, get_issuer, lock_issuer
from app.keys.store import SigningKey, find_active_key
from app.net.did import did_web_url
from app.openbadges.datatypes import format_date_time_z
from app.proofs.signer import JwsRequest, LintToken, hash_json
from app.resources import Resources

CONTEXT = "https://identity.foundation/.well-known/did-configuration/v1"
_VC_1_CONTEXT = "https://www.w3.org/2018/credentials/v1"


def find_origin(did: str) -> str | None:
    """The origin where the document of a did:web is; None for another DID."""
    if not did.startswith("did:web:"):
        return None
    url = urlsplit(did_web_url(did))
    return f"{url.scheme}://{url.netloc}"


def find_linkage(issuer: Issuer, key: SigningKey, now: datetime) -> str | None:
    """The credential that was made with this key in this month."""
    kept = issuer.domain_linkage or {}
    return str(kept["token"]) if kept.get("key") == key.id and kept["since"] == _month(now) else None


async def link_domain(world: Resources, issuer_id: str, origin: str) -> str | None:
    """The Domain Linkage Credential of this month, made unless another request has: None while no key of the issuer signs.

    A compact JWS of the issuer's Ed25519 key whose header has `alg` and `kid` alone. It ends a year after the month began.
    """
    async with world.database.transaction() as session:
        await lock_issuer(session, issuer_id)
        issuer, now = await get_issuer(session, issuer_id), world.clock.now()
        key = await find_active_key(session, issuer_id)
        if key is None:
            return None
        token = find_linkage(issuer, key, now)
        if token is None:
            token = await _sign(world, issuer, key, origin, now)
            issuer.domain_linkage = {"key": key.id, "since": _month(now), "token": token}
            audit(session, issuer_id=issuer_id, actor="signer", action="key.used", object_id=key.id,
                  content={"document": hashlib.sha256(token.encode()).hexdigest()}, at=now)  # fmt: skip
        return token


def _month(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m")


async def _sign(world: Resources, issuer: Issuer, key: SigningKey, origin: str, now: datetime) -> str:
    since = datetime(now.year, now.month, 1, tzinfo=UTC)
    until = since.replace(year=since.year + 1)
    credential: dict[str, Any] = {
        "@context": [_VC_1_CONTEXT, CONTEXT],
        "issuer": issuer.did,
        "issuanceDate": format_date_time_z(since),
        "expirationDate": format_date_time_z(until),
        "type": ["VerifiableCredential", "DomainLinkageCredential"],
        "credentialSubject": {"id": issuer.did, "origin": origin},
    }
    claims = {
        "iss": issuer.did, "sub": issuer.did, "nbf": int(since.timestamp()), "exp": int(until.timestamp()),
    }  # fmt: skip
    # All of it is our own: there is nothing to lint that was not just written.
    token = LintToken(hash_json({"vc": credential}))
    header = {"kid": verification_method_id(issuer.did, key.public_key_multibase)}
    [signature] = await world.signer.sign([JwsRequest(token, key.id, header, {**claims, "vc": credential})])
    return signature.value.decode("ascii")
