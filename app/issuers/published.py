"""The DID document of an issuer, as this service publishes it."""

from collections.abc import Sequence
from typing import Any

from app.issuers.did_document import compose_did_document
from app.issuers.store import Issuer
from app.keys.store import SigningKey


def did_document_of(issuer: Issuer, keys: Sequence[SigningKey], base_url: str) -> dict[str, Any]:
    """With all its `keys`: the retired ones verify what they signed, and are no longer the issuer's to show itself by."""
    return compose_did_document(
        issuer.did,
        [key.public_key_multibase for key in keys],
        retired={key.public_key_multibase for key in keys if key.state == "retired"},
        profile_url=f"{base_url}/issuers/{issuer.slug}",
    )
