"""Who a badge was awarded to when the recipient has no DID: the IdentityObject of Open Badges 3.0."""

import hashlib
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
