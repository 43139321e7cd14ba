"""The bytes of an endorsement: in the clear, or under the key of the learner whose badge it speaks of."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.endorsements.store import Endorsement
from app.errors import Gone
from app.keys.vault import PersonalKey, Vault
from app.learners.recipients import open_key
from app.learners.store import get_learner, lock_learner


async def lock_key(session: AsyncSession, vault: Vault, issuer_id: str, learner_id: str | None) -> PersonalKey | None:
    """The key of the learner whose badge is endorsed; None where it is about nobody.

    The learner is locked, so that they are not erased meanwhile: before a status list is drawn from. Raises Gone when they are.
    """
    return None if learner_id is None else open_key(vault, await lock_learner(session, issuer_id, learner_id))


def seal_body(endorsement: Endorsement, body: bytes, key: PersonalKey | None) -> None:
    """Put the bytes into the row, under the key if there is one."""
    endorsement.body, endorsement.sealed_body = None, None
    if key is None:
        endorsement.body = body.decode()
    else:
        endorsement.sealed_body = key.seal(body, table="endorsement", row=endorsement.id, column="sealed_body")


def open_sealed(key: PersonalKey, endorsement: Endorsement) -> bytes:
    """What was sealed for the learner with this key."""
    if endorsement.sealed_body is None:
        raise Gone("The learner's personal data has been erased.")
    return key.open(endorsement.sealed_body, table="endorsement", row=endorsement.id, column="sealed_body")


async def fetch_endorsement(session: AsyncSession, vault: Vault, endorsement: Endorsement) -> bytes:
    """The exact bytes that were signed. Raises Gone when the learner was erased whose badge it is about."""
    if endorsement.body is not None:
        return endorsement.body.encode()
    assert endorsement.learner_id is not None
    return open_sealed(
        open_key(vault, await get_learner(session, endorsement.issuer_id, endorsement.learner_id)), endorsement
    )
