"""The port through which everything is signed, and the token that only linting hands out.

What can be asked for: the signature of a Data Integrity proof (`SigningRequest`), the `proofValue` of a base proof of
ecdsa-sd-2023 (`SelectiveRequest`), and a JWS (`JwsRequest`). Each says which linted document it is about in a way that the
holder of the keys can check, and spends a token.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import rfc8785

from app.proofs.errors import LintTokenMisused
from app.proofs.rdfc import CanonicalDocument

REGISTERED_CLAIMS = frozenset({"iss", "sub", "jti", "nbf", "exp"})
"""What a JWT may say beside the members of the document: nothing that could be one of them."""


class LintToken:
    """Leave to sign one linted document, once.

    `document_hashes` are hashes that the document is known by: in a signature over its N-Quads (`CanonicalDocument.sha256`, and
    SHA-384 with a P-384 key) or over its canonical JSON. `of` has them all.
    """

    __slots__ = ("_document_hashes", "_spent")

    def __init__(self, *document_hashes: bytes) -> None:
        self._document_hashes = frozenset(document_hashes)
        self._spent = False

    @classmethod
    def of(cls, document: Mapping[str, Any], canonical: CanonicalDocument) -> "LintToken":
        """For a document and its canonical form. One that has no canonical JSON can be signed over its N-Quads only."""
        forms = [canonical.nquads.encode()]
        with suppress(rfc8785.CanonicalizationError):
            forms.append(rfc8785.dumps(dict(document)))
        return cls(*(hash_(form).digest() for form in forms for hash_ in (hashlib.sha256, hashlib.sha384)))

    def redeem(self, document_hash: bytes) -> None:
        """Spend the token on the document with this hash.

        Raises LintTokenMisused when the hash is not of the linted one or the token was spent before.
        """
        if document_hash not in self._document_hashes:
            raise LintTokenMisused("The document to sign is not the document that was linted.")
        if self._spent:
            raise LintTokenMisused("This lint token has been spent: every signature needs a linting of its own.")
        self._spent = True


def hash_json(document: Mapping[str, Any]) -> bytes:
    """The hash by which a token knows a document's canonical JSON. Raises LintTokenMisused when it has none."""
    try:
        return hashlib.sha256(rfc8785.dumps(dict(document))).digest()
    except rfc8785.CanonicalizationError:
        raise LintTokenMisused("The document has no canonical JSON, so it was linted for other signatures.") from None


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """`hash_data` to be signed with the key named `key_id`: the hash of the proof config, then that of the document, 64 bytes or
    with a P-384 key 96 (`app.proofs.cryptosuites.hash_data`)."""

    token: LintToken
    key_id: str
    hash_data: bytes

    @property
    def document_hash(self) -> bytes:
        return self.hash_data[len(self.hash_data) // 2 :]


@dataclass(frozen=True, slots=True)
class SelectiveRequest:
    """A base proof of ecdsa-sd-2023 on the unsecured `document`. `proof_hash` is the SHA-256 of its canonical proof config."""

    token: LintToken
    key_id: str
    document: Mapping[str, Any]
    proof_hash: bytes
    mandatory_pointers: Sequence[str]
    contexts: Mapping[str, dict[str, Any]]

    @property
    def document_hash(self) -> bytes:
        return hash_json(self.document)


@dataclass(frozen=True, slots=True)
class JwsRequest:
    """A JWS in compact form. `header` lacks `alg`, which follows from the key; `payload` is the linted document and, beside it,
    claims of REGISTERED_CLAIMS."""

    token: LintToken
    key_id: str
    header: Mapping[str, str]
    payload: Mapping[str, Any]

    @property
    def document_hash(self) -> bytes:
        return hash_json({name: value for name, value in self.payload.items() if name not in REGISTERED_CLAIMS})


Request = SigningRequest | SelectiveRequest | JwsRequest


@dataclass(frozen=True, slots=True)
class Signature:
    """`value`: the signature (IEEE P1363 for ECDSA); of a SelectiveRequest its proofValue, of a JwsRequest the JWS, in ASCII."""

    key_id: str
    value: bytes


class Signer(Protocol):
    """Holds the private keys. An implementation redeems `request.token` with `request.document_hash` before it signs.

    The same request gives the same bytes, whatever the key: Ed25519 and RS256 are deterministic, ECDSA is made so (RFC 6979), and
    what a base proof draws is derived. So an interrupted edition is finished as it was begun.
    """

    async def sign(self, requests: Sequence[Request]) -> list[Signature]:
        """One signature per request, in the order of the requests. Raises LintTokenMisused."""
        ...
