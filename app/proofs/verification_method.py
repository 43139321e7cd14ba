"""Verification methods: W3C Controlled Identifiers v1.0 §2.2, and the DID methods key and jwk.

We publish Multikey. Foreign issuers may also use Ed25519VerificationKey2020 (the same encoding under an older name) and
JsonWebKey or JsonWebKey2020.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app import strict_json
from app.errors import Fault
from app.proofs.errors import InvalidVerificationMethod
from app.proofs.multikey import PublicKey, decode_multikey, encode_multikey, read_jwk

_BASE64URL = re.compile("[A-Za-z0-9_-]{1,2000}")
_DATE_TIME_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class VerificationMethod:
    """A public key and who controls it. `id` is a DID URL with fragment, `public_key_multibase` the key as Multikey.

    `expires` and `revoked` are aware; proofs are not accepted from these times on.
    """

    id: str
    controller: str
    public_key: PublicKey
    public_key_multibase: str
    expires: datetime | None = None
    revoked: datetime | None = None


def did_key(public_key: PublicKey) -> str:
    """The did:key of `public_key`, without fragment."""
    return f"did:key:{encode_multikey(public_key)}"


def resolve_did_key(did_url: str) -> VerificationMethod:
    """The one verification method of a did:key, which is its own document. `did_url` may lack the fragment.

    Raises InvalidVerificationMethod.
    """
    did, _, fragment = did_url.partition("#")
    public_key_multibase = did.removeprefix("did:key:")
    if not did.startswith("did:key:"):
        raise _refusal("This is not a did:key.")
    if "#" in did_url and fragment != public_key_multibase:
        raise _refusal("The fragment of a did:key repeats its identifier.")
    public_key = decode_multikey(public_key_multibase)
    return VerificationMethod(did_url, did, public_key, public_key_multibase)


def resolve_did_jwk(did_url: str) -> VerificationMethod:
    """The one verification method of a did:jwk, `#0`. `did_url` may lack the fragment. Raises InvalidVerificationMethod."""
    did, _, fragment = did_url.partition("#")
    encoded = did.removeprefix("did:jwk:")
    if not did.startswith("did:jwk:") or not _BASE64URL.fullmatch(encoded):
        raise _refusal("This is not a did:jwk.")
    if "#" in did_url and fragment != "0":
        raise _refusal("The fragment of a did:jwk is 0.")
    try:
        jwk = strict_json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (ValueError, strict_json.MalformedDocument):
        raise _refusal("The identifier of the did:jwk is not base64url of a JWK.") from None
    public_key = read_jwk(jwk, "")
    return VerificationMethod(did_url, did, public_key, encode_multikey(public_key))


def verification_method_from(document: Mapping[str, Any], did_url: str, *, purpose: str) -> VerificationMethod:
    """The method `did_url` out of a DID document or controlled identifier document (Controlled Identifiers §3.3).

    `purpose` is the verification relationship that has to list it, such as "assertionMethod". Raises
    InvalidVerificationMethod when the document is another's, does not have the method, controls it not, or does not use
    it for the purpose, or when its key is of no supported kind.
    """
    document_id, has_fragment, _ = did_url.partition("#")
    if not has_fragment:
        raise _refusal("A verification method is named by a DID URL with a fragment.")
    if document.get("id") != document_id:
        raise _refusal("The document is not the one the verification method belongs to.", "/id")
    if did_url not in (_absolute(entry, document_id) for _, entry in _list_entries(document, purpose)):
        raise _refusal(f"The document does not list the verification method under {purpose}.", f"/{purpose}")
    for pointer, entry in (*_list_entries(document, "verificationMethod"), *_list_entries(document, purpose)):
        if isinstance(entry, Mapping) and _absolute(entry, document_id) == did_url:
            return _read_method(entry, did_url, document_id, pointer)
    raise _refusal("The document does not have the verification method.", "/verificationMethod")


def _list_entries(document: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    value = document.get(name, [])
    entries = value if isinstance(value, list) else [value]
    for index, entry in enumerate(entries):
        yield f"/{name}/{index}" if isinstance(value, list) else f"/{name}", entry


def _absolute(entry: Any, document_id: str) -> str | None:
    """The full DID URL of a method given by id or embedded; it may be a fragment alone (DID Core §3.2.2)."""
    reference = entry.get("id") if isinstance(entry, Mapping) else entry
    if not isinstance(reference, str):
        return None
    return document_id + reference if reference.startswith("#") else reference


def _read_method(method: Mapping[str, Any], did_url: str, controller: str, pointer: str) -> VerificationMethod:
    if method.get("controller") != controller:
        raise _refusal("The verification method names another controller.", f"{pointer}/controller")
    read_key = _KEY_FORMATS.get(str(method.get("type")))
    if read_key is None:
        raise _refusal("The type of the verification method is not supported.", f"{pointer}/type")
    public_key = read_key(method, pointer)
    times = {name: _read_time(method, name, pointer) for name in ("expires", "revoked")}
    return VerificationMethod(did_url, controller, public_key, encode_multikey(public_key), **times)


def _read_multibase(method: Mapping[str, Any], pointer: str) -> PublicKey:
    value = method.get("publicKeyMultibase")
    if not isinstance(value, str):
        raise _refusal("The verification method has no publicKeyMultibase.", pointer)
    return decode_multikey(value)


def _read_ed25519(method: Mapping[str, Any], pointer: str) -> PublicKey:
    public_key = _read_multibase(method, pointer)
    if not isinstance(public_key, Ed25519PublicKey):
        raise _refusal("An Ed25519VerificationKey2020 has an Ed25519 key.", f"{pointer}/publicKeyMultibase")
    return public_key


def _read_jwk(method: Mapping[str, Any], pointer: str) -> PublicKey:
    return read_jwk(method.get("publicKeyJwk"), f"{pointer}/publicKeyJwk")


_KEY_FORMATS = {
    "Multikey": _read_multibase,
    "Ed25519VerificationKey2020": _read_ed25519,
    "JsonWebKey": _read_jwk,
    "JsonWebKey2020": _read_jwk,
}


def _read_time(method: Mapping[str, Any], name: str, pointer: str) -> datetime | None:
    if name not in method:
        return None
    moment = find_moment(method[name])
    if moment is None:
        raise _refusal(f"The {name} of the verification method is not a dateTimeStamp.", f"{pointer}/{name}")
    return moment


def find_moment(value: Any) -> datetime | None:
    """The time in an XML Schema dateTimeStamp (an offset is required); None when `value` is not one."""
    if not isinstance(value, str) or not _DATE_TIME_STAMP.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _refusal(detail: str, pointer: str = "") -> InvalidVerificationMethod:
    cure = "Use a Multikey verification method with an Ed25519, P-256 or P-384 key that its controller asserts with."
    return InvalidVerificationMethod(detail, faults=[Fault(pointer, detail, cure)], cure=cure)
