"""Whether a badge names a recipient, whatever standard it is of. PURE.

Open Badges 3.0: `credentialSubject.id`, or an IdentityObject (section B.5), in the clear or hashed. Open Badges 2.0: `recipient`.
A hash is compared in constant time: whoever asks may not learn it by asking often. The specifications have no rule for the case
of an e-mail address, so it is compared as it was given.
"""

import hmac
from collections.abc import Iterator, Mapping
from typing import Any

from app.openbadges import open_badges_2
from app.openbadges.identity import hash_identity
from app.verification.members import object_of, text_of

MAX_IDENTIFIERS = 100
"""Identifiers of one badge that are compared. No real badge has more."""


def names_recipient(badge: Mapping[str, Any], recipient: str) -> bool:
    """Whether `badge`, an Open Badges 3.0 credential or an Open Badges 2.0 assertion, is for `recipient`.

    A recipient is an e-mail address, a DID or any other identifier. A name is none: it does not match.
    """
    if open_badges_2.is_assertion(badge):
        return open_badges_2.names_recipient(object_of(badge.get("recipient")), recipient)
    said = _list_said(object_of(badge.get("credentialSubject")), recipient)
    return any(hmac.compare_digest(each.encode(), wanted.encode()) for each, wanted in said)


def _list_said(subject: Mapping[str, Any], recipient: str) -> Iterator[tuple[str, str]]:
    """What the badge says, beside what it would say if it meant `recipient`."""
    if subject.get("id"):
        yield text_of(subject.get("id")), recipient
    entries = subject.get("identifier") or []
    for entry in map(object_of, (entries if isinstance(entries, list) else [entries])[:MAX_IDENTIFIERS]):
        if entry.get("identityType") != "name" and text_of(entry.get("identityHash")):
            hashed = entry.get("hashed") is True
            salt = text_of(entry.get("salt"))
            yield text_of(entry["identityHash"]), hash_identity(recipient, salt) if hashed else recipient
