"""Reading the members of a document in which anything may be anything. PURE."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

MAX_TEXTS = 64
"""More than any real document has types or contexts."""

# RFC 3987 in outline: a scheme, then nothing that an IRI may not hold.
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x20\x7f]+")


def issuer_id(credential: Mapping[str, Any]) -> str:
    """The issuer's IRI, which is there as itself or as the `id` of a Profile; "" when it is not."""
    issuer = credential.get("issuer")
    return text_of(issuer.get("id")) if isinstance(issuer, dict) else text_of(issuer)


def normalize_id(id_: str) -> str:
    """The form in which ids of issuers and badges are compared (Open Badges 3.0, "Verifiable Credential Equality").

    Trimmed and, of a web address, percent-decoded. Of nothing else: did:web:a.example%3A8000 is a port of a host, and
    did:web:a.example:8000 a path of another.
    """
    trimmed = id_.strip()
    return unquote(trimmed).strip() if trimmed.startswith(("https://", "http://")) else trimmed


def object_of(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def text_of(value: object) -> str:
    return value if isinstance(value, str) else ""


def texts_of(value: object) -> list[str]:
    """The strings of a JSON-LD set, which may be written as one string."""
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]


def first_texts_of(value: object) -> list[str]:
    """As `texts_of`, of the first MAX_TEXTS alone: for the server's event loop, where no list of anybody's is read to its end."""
    return texts_of(value[:MAX_TEXTS] if isinstance(value, list) else value)


def is_iri(value: object) -> bool:
    return isinstance(value, str) and _IRI.fullmatch(value) is not None
