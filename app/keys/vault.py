"""The only opener of private keys and learner keys.

Envelope encryption: each signing key and each learner key is sealed with AES-256-GCM under the key-encryption key; personal
data is sealed under the learner's key. The associated data names what a ciphertext belongs to, so that moving one to
another row makes it unreadable. Destroying a learner's sealed key makes everything sealed under it unreadable for good.

While the key-encryption key is being replaced there are two of them: everything is sealed under the new one, and what is
still sealed under the previous one opens as well. `app.operation.reencrypt` then seals all of it anew.
"""

import asyncio
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.db import Database
from app.errors import Broken
from app.keys.signing import PrivateKey, generate, read_private_key, sign_request, write_private_key
from app.keys.store import ED25519, SigningKey, find_oldest_key, get_key
from app.proofs.public_key import KeyAlgorithm, encode_public_key
from app.proofs.signer import Request, SelectiveRequest, Signature
from app.settings import Settings, decode_key

DEVELOPMENT_KEY = Path(__file__).resolve().parents[2] / "keys" / "development.key"

_NONCE = 12


class Unreadable(Broken):
    """A sealed value does not open with this key: another key-encryption key, or a row that was tampered with."""


class WrongEncryptionKey(Unreadable):
    """The key-encryption key is not the one this database was sealed with."""


def read_key_encryption_key(settings: Settings) -> bytes:
    """The key from the environment, or for http the development key, made at first use."""
    if settings.key_encryption_key is not None:
        return decode_key(settings.key_encryption_key.get_secret_value())
    if settings.is_https:
        raise Broken("The development key may not be used by a service whose public URL is https.")
    return _development_key(DEVELOPMENT_KEY)


def _development_key(path: Path) -> bytes:
    if not path.exists():
        # Written whole under another name first: two processes that start at once must end with one key.
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        fresh.touch(mode=0o600)
        fresh.write_bytes(secrets.token_bytes(32))
        with suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    return path.read_bytes()


class Vault:
    """Seals under one key-encryption key (32 bytes); opens with it, or with `previous` what has not been sealed anew."""

    def __init__(self, key_encryption_key: bytes, *, previous: bytes | None = None) -> None:
        keys = [key_encryption_key] + ([previous] if previous is not None else [])
        self._kek = AESGCM(key_encryption_key)
        self._keks = [AESGCM(key) for key in keys]
        self._index_keys = [_index_key(key) for key in keys]

    def new_signing_key(self, issuer_id: str, key_id: str, *, algorithm: KeyAlgorithm = ED25519) -> tuple[str, bytes]:
        """Make a key pair: its public key as the register writes it (`app.proofs.public_key`), its private key sealed.

        An RSA key takes some tenths of a second.
        """
        private = generate(algorithm)
        sealed = _seal(self._kek, write_private_key(private), _signing_key_owner(issuer_id, key_id))
        return encode_public_key(private.public_key()), sealed

    def new_personal_key(self, issuer_id: str, owner_id: str) -> bytes:
        """A fresh key for the personal data of one learner or other person, sealed."""
        return _seal(self._kek, secrets.token_bytes(32), _personal_key_owner(issuer_id, owner_id))

    def open_personal_key(self, sealed_key: bytes, *, issuer_id: str, owner_id: str) -> "PersonalKey":
        """The owner's key, for sealing and opening. Raises Unreadable."""
        raw = self._open(sealed_key, _personal_key_owner(issuer_id, owner_id))
        return PersonalKey(raw, issuer_id)

    def blind_index(self, issuer_id: str, kind: str, value: str) -> bytes:
        """A keyed hash under which an identity can be found again without being readable."""
        return self.blind_indexes(issuer_id, kind, value)[0]

    def blind_indexes(self, issuer_id: str, kind: str, value: str) -> list[bytes]:
        """Everything the identity may be entered under: `blind_index`, then the one of the previous key."""
        text = f"{issuer_id}\x00{kind}\x00{value}".encode()
        return [hmac.digest(key, text, "sha256") for key in self._index_keys]

    def digests(self, purpose: str, parts: Iterable[bytes]) -> list[bytes]:
        """Keyed hashes of `parts`: under the key-encryption key, then under the previous one.

        What is hashed cannot be guessed from them without the key.
        """
        text = b"".join([purpose.encode(), b"\x00", *(len(part).to_bytes(8, "big") + part for part in parts)])
        return [hmac.digest(key, text, "sha256") for key in self._index_keys]

    def open_signing_key(self, sealed: bytes, issuer_id: str, key_id: str) -> PrivateKey:
        """For the signer in this module only: nothing else in the house may hold a private key. Raises Unreadable."""
        return read_private_key(self._open(sealed, _signing_key_owner(issuer_id, key_id)))

    def reseal_signing_key(self, sealed: bytes, issuer_id: str, key_id: str) -> bytes | None:
        """The key sealed under the new key-encryption key; None when it is already. Raises Unreadable."""
        return self._reseal(sealed, _signing_key_owner(issuer_id, key_id))

    def reseal_personal_key(self, sealed_key: bytes, *, issuer_id: str, owner_id: str) -> bytes | None:
        """As `reseal_signing_key`."""
        return self._reseal(sealed_key, _personal_key_owner(issuer_id, owner_id))

    def _reseal(self, sealed: bytes, place: bytes) -> bytes | None:
        try:
            _open(self._kek, sealed, place)
        except Unreadable:
            return _seal(self._kek, self._open(sealed, place), place)
        return None

    def _open(self, sealed: bytes, place: bytes) -> bytes:
        for kek in self._keks[:-1]:
            with suppress(Unreadable):
                return _open(kek, sealed, place)
        return _open(self._keks[-1], sealed, place)


def open_vault(settings: Settings) -> Vault:
    """The vault with the key-encryption key of these settings, and the previous one while it is being replaced."""
    previous = settings.previous_key_encryption_key
    return Vault(
        read_key_encryption_key(settings),
        previous=None if previous is None else decode_key(previous.get_secret_value()),
    )


async def require_encryption_key(database: Database, vault: Vault) -> None:
    """Try the vault on the oldest signing key, so that a wrong key-encryption key shows at start. Raises WrongEncryptionKey.

    Signing keys are the last to be sealed anew, and younger ones may be under the new key from the beginning: a new
    key-encryption key alone opens the oldest only once everything is sealed under it.
    """
    async with database.reading() as session:
        key = await find_oldest_key(session)
    if key is None:
        return
    try:
        vault.open_signing_key(key.sealed_private_key, key.issuer_id, key.id)
    except Unreadable:
        raise WrongEncryptionKey(
            "ASSAY_KEY_ENCRYPTION_KEY does not open the keys in this database.",
            cure="Start with the key-encryption key that this database was sealed with (without the setting: "
            "keys/development.key). If it is being replaced, set ASSAY_PREVIOUS_KEY_ENCRYPTION_KEY to the old one until "
            "`assay keys reencrypt` has ended. A lost key cannot be replaced.",
        ) from None


def list_unreadable(vault: Vault, keys: Iterable[SigningKey]) -> list[SigningKey]:
    """Those of `keys` that do not open with the vault's key, or open to another key than the published one."""
    return [key for key in keys if not _is_whole(vault, key)]


def _is_whole(vault: Vault, key: SigningKey) -> bool:
    try:
        private = vault.open_signing_key(key.sealed_private_key, key.issuer_id, key.id)
    except Unreadable:
        return False
    return encode_public_key(private.public_key()) == key.public_key_multibase


class PersonalKey:
    """Seals one person's data. `table`, `row` and `column` become associated data beside the tenant."""

    def __init__(self, raw: bytes, issuer_id: str) -> None:
        self._cipher = AESGCM(raw)
        self._issuer_id = issuer_id

    def seal(self, plaintext: bytes, *, table: str, row: str, column: str) -> bytes:
        return _seal(self._cipher, plaintext, _place(self._issuer_id, table, row, column))

    def open(self, sealed: bytes, *, table: str, row: str, column: str) -> bytes:
        """Raises Unreadable."""
        return _open(self._cipher, sealed, _place(self._issuer_id, table, row, column))

    def seal_json(self, value: Any, *, table: str, row: str, column: str) -> bytes:
        """As `seal`, of a value in JSON. Where a digest is taken of the bytes, who takes it encodes them and seals those."""
        return self.seal(json.dumps(value, ensure_ascii=False).encode(), table=table, row=row, column=column)

    def open_json(self, sealed: bytes, *, table: str, row: str, column: str) -> Any:
        """What was sealed as JSON, by `seal_json` or byte for byte. Raises Unreadable."""
        return json.loads(self.open(sealed, table=table, row=row, column=column))


class VaultSigner:
    """The Signer port on keys sealed in the database.

    It reads through a connection pool of its own: its callers may hold a connection of the main pool while they wait.
    """

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._opened: dict[str, PrivateKey] = {}

    async def sign(self, requests: Sequence[Request]) -> list[Signature]:
        """Redeem each request's lint token, then sign what it asks for. Raises KeyUnfit."""
        signatures = []
        for request in requests:
            private = await self._private_key(request.key_id)
            request.token.redeem(request.document_hash)
            if isinstance(request, SelectiveRequest):  # canonicalizes several times
                value = await asyncio.to_thread(sign_request, private, request)
            else:
                value = sign_request(private, request)
            signatures.append(Signature(request.key_id, value))
        return signatures

    async def _private_key(self, key_id: str) -> PrivateKey:
        if key_id not in self._opened:
            async with self._database.reading() as session:
                key = await get_key(session, key_id)
            self._opened[key_id] = self._vault.open_signing_key(key.sealed_private_key, key.issuer_id, key.id)
        return self._opened[key_id]


def _index_key(key_encryption_key: bytes) -> bytes:
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"assay blind index v1")
    return derive.derive(key_encryption_key)


def _signing_key_owner(issuer_id: str, key_id: str) -> bytes:
    return _place(issuer_id, "signing_key", key_id, "sealed_private_key")


def _personal_key_owner(issuer_id: str, owner_id: str) -> bytes:
    # "learner" also where the owner is another person: the word is part of what every key was sealed with.
    return _place(issuer_id, "learner", owner_id, "sealed_key")


def _place(*parts: str) -> bytes:
    return b"assay\x00" + "\x00".join(parts).encode()


def _seal(cipher: AESGCM, plaintext: bytes, place: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return nonce + cipher.encrypt(nonce, plaintext, place)


def _open(cipher: AESGCM, sealed: bytes, place: bytes) -> bytes:
    try:
        return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], place)
    except (InvalidTag, ValueError):  # ValueError: cut short, so that there is not even a nonce
        raise Unreadable("A sealed value cannot be opened: wrong key-encryption key, or it was changed.") from None
