"""Proof that an origin and a DID are in the same hands: DIF Well Known DID Configuration, Domain Linkage Credentials as JWT.

A credential is made when it is asked for and kept nowhere: it follows from issuer, origin and month, and is the same for a month.
"""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from app.issuers.did_document import verification_method_id
from app.issuers.store import Issuer
from app.keys.store import SigningKey
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


async def link_domain(world: Resources, issuer: Issuer, key: SigningKey, origin: str, now: datetime) -> str:
    """A Domain Linkage Credential: a compact JWS of the issuer's `key` whose header has `alg` and `kid` alone.

    It begins with the month and ends when the next year's same month does begin.
    """
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
