"""From the header of a token to its key, and to whose key that is.

`kid` wins over `jwk`. It is a verification method (a DID URL, or an https URL with a fragment), which its controller's document
lists, or the https URL of one JWK. A bare JWK says nothing about whose it is. It counts as the issuer's when the issuer's own
document lists the same key, or when the issuer is an https URL of the host that publishes the JWK.
"""

from functools import partial
from typing import Any
from urllib.parse import urlsplit

from app.net.did import controller_document_url
from app.proofs.errors import InvalidVerificationMethod
from app.proofs.jose_keys import Listed, TokenKey, list_keys, read_own_keys, read_public_jwk, thumbprint_of
from app.verification.gathered import KeyReference
from app.verification.library import Library

_PURPOSE = "assertionMethod"


async def resolve_token_key(reference: KeyReference, library: Library) -> TokenKey:
    """Raises InvalidVerificationMethod where there is no usable key, and whatever `Library.get_document` raises."""
    kid, issuer = reference.kid, reference.issuer
    if kid.startswith(("https://", "http://")) and "#" not in kid:
        found = await library.get_document(kid, "verification_method")
        return await _bind(read_public_jwk(found), issuer, library, published_at=kid, said=_said_by(found))
    if kid:
        controller, listed = await _find_method(kid, library)
        return TokenKey(controller, listed.jwk, "listed", listed.expires, listed.revoked)
    if reference.jwk is not None:
        return await _bind(read_public_jwk(reference.jwk), issuer, library)
    [own] = read_own_keys(issuer)
    return TokenKey(issuer, own.jwk)


async def _find_method(kid: str, library: Library) -> tuple[str, Listed]:
    controller, _, _ = kid.partition("#")
    for listed in await _list_keys_of(controller, library):
        if kid in (listed.id, controller):
            return controller, listed
    raise InvalidVerificationMethod("The document of its controller does not list the key for assertions.")


async def _bind(
    jwk: dict[str, Any], issuer: str, library: Library, *, published_at: str = "", said: str | None = None
) -> TokenKey:
    if said is not None and said != issuer:
        return TokenKey(said, jwk)
    if issuer.startswith("https://"):
        if published_at and _origin(published_at) == _origin(issuer):
            return TokenKey(issuer, jwk, "host")
        raise InvalidVerificationMethod(
            "Nothing ties the key to the issuer: it is not published by the host of its id."
        )
    thumbprint = thumbprint_of(jwk)
    for listed in await _list_keys_of(issuer, library):
        if thumbprint_of(listed.jwk) == thumbprint:
            return TokenKey(issuer, jwk, "listed", listed.expires, listed.revoked)
    raise InvalidVerificationMethod("Nothing ties the key to the issuer: its document does not list it for assertions.")


async def _list_keys_of(controller: str, library: Library) -> list[Listed]:
    if controller.startswith(("did:key:", "did:jwk:")):
        return read_own_keys(controller)
    get_document = partial(library.get_document, purpose="verification_method")
    return list_keys(await get_document(controller_document_url(controller)), controller, purpose=_PURPOSE)


def _said_by(found: object) -> str | None:
    """Whom a published JWK names as its own: `iss`, as 1EdTech recommends, or `controller`."""
    said = [found.get(member) for member in ("iss", "controller")] if isinstance(found, dict) else []
    return next((each for each in said if isinstance(each, str)), None)


def _origin(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        return (parts.hostname or "").lower(), parts.port or 443
    except ValueError:
        raise InvalidVerificationMethod("The address of the key or the id of the issuer is no URL.") from None
