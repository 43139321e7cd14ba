"""Bearer tokens: `assay_<client id>_<secret>`.

The prefix lets secret scanners find a leaked one. The secret is 256 random bits, so a plain SHA-256 is all that needs to be
stored: there is nothing to guess slowly.
"""

import hashlib
import hmac
import re
import secrets

_TOKEN = re.compile(r"^assay_([0-9a-f]{32})_([A-Za-z0-9_-]{43})$")


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def format_token(client_id: str, secret: str) -> str:
    return f"assay_{client_id}_{secret}"


def hash_secret(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def parse_token(token: str) -> tuple[str, str] | None:
    """Client id and secret of a token, or None when it is not one of ours."""
    match = _TOKEN.match(token)
    return (match[1], match[2]) if match else None


def is_secret(secret: str, stored_hash: bytes) -> bool:
    """Whether `secret` hashes to `stored_hash`, in constant time."""
    return hmac.compare_digest(hash_secret(secret), stored_hash)
