"""The port through which everything is signed, and the token that only linting hands out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.proofs.errors import LintTokenMisused


class LintToken:
    """Leave to sign one linted document, once.

    `document_hash` is the SHA-256 of the canonical N-Quads the linter read (`CanonicalDocument.sha256`).
    """

    __slots__ = ("_document_hash", "_spent")

    def __init__(self, document_hash: bytes) -> None:
        self._document_hash = document_hash
        self._spent = False

    def redeem(self, document_hash: bytes) -> None:
        """Spend the token on the document with this hash.

        Raises LintTokenMisused when the hash is not the linted one or the token was spent before.
        """
        if document_hash != self._document_hash:
            raise LintTokenMisused("The document to sign is not the document that was linted.")
        if self._spent:
            raise LintTokenMisused("This lint token has been spent: every signature needs a linting of its own.")
        self._spent = True


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """`hash_data` (64 bytes: proof config hash, then document hash) to be signed with the key named `key_id`."""

    token: LintToken
    key_id: str
    hash_data: bytes


@dataclass(frozen=True, slots=True)
class Signature:
    key_id: str
    value: bytes


class Signer(Protocol):
    """Holds the private keys. An implementation redeems `request.token` with `hash_data[32:]` before it signs."""

    async def sign(self, requests: Sequence[SigningRequest]) -> list[Signature]:
        """One signature per request, in the order of the requests. Raises LintTokenMisused."""
        ...
