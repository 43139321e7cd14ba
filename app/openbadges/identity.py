"""Who a badge was awarded to when the recipient has no DID: the IdentityObject of Open Badges 3.0."""

import hashlib
from collections.abc import Mapping
from typing import Any


def hash_identity(identity: str, salt: str) -> str:
    """`sha256$` and the lower-case hex SHA-256 of the UTF-8 of `identity` with `salt` appended.

    The identity is hashed as given: the specification has no rule for the case of an e-mail address, so a verifier
    compares it as it was written.
    """
    return "sha256$" + hashlib.sha256((identity + salt).encode()).hexdigest()


def compose_identity_objects(
    *, email: str | None = None, name: str | None = None, salt: str | None = None
) -> tuple[dict[str, Any], ...]:
    """The `credentialSubject.identifier` entries of a recipient; empty when neither is given.

    The e-mail address is hashed with `salt`, which must be fresh for every credential (128 random bits as text): an
    unsalted hash of an address is guessed in a moment, and a shared one links a person's badges. The name is for people
    to read and stays plain. Raises ValueError for an e-mail address without a salt.
    """
    identity_objects: list[dict[str, Any]] = []
    if email is not None:
        if not salt:
            raise ValueError("an e-mail address is hashed with a salt of its own")
        identity_objects.append(
            {
                "type": "IdentityObject",
                "hashed": True,
                "identityHash": hash_identity(email, salt),
                "identityType": "emailAddress",
                "salt": salt,
            }
        )
    if name is not None:
        identity_objects.append(
            {"type": "IdentityObject", "hashed": False, "identityHash": name, "identityType": "name"}
        )
    return tuple(identity_objects)


def says_of_recipient(
    subject: Mapping[str, Any], *, did: str | None = None, email: str | None = None, name: str | None = None
) -> bool:
    """Whether a credentialSubject, as we compose it, says just this of its recipient, whatever its salt."""
    identity_objects = subject.get("identifier", [])
    salt = next((each["salt"] for each in identity_objects if "salt" in each), None)
    if email is not None and salt is None:
        return False
    wanted = compose_identity_objects(email=email, name=name, salt=salt)
    return subject.get("id") == did and list(wanted) == list(identity_objects)
