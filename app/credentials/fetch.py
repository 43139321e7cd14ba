"""Reading the exact bytes of a badge."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.credentials.profiles import DEFAULT
from app.credentials.store import Credential, Edition, Representation, get_current_edition, get_representation
from app.keys.vault import PersonalKey, Vault
from app.learners.recipients import open_key
from app.learners.store import get_learner


async def fetch_body(
    session: AsyncSession, vault: Vault, credential: Credential, *, profile: str = DEFAULT
) -> tuple[Edition, bytes, str]:
    """The edition now served, its bytes and their SHA-256. Raises NotFound, or Gone when the learner was erased."""
    edition = await get_current_edition(session, credential)
    representation = await get_representation(session, edition, profile)
    learner = await get_learner(session, edition.issuer_id, edition.learner_id)
    return edition, open_body(open_key(vault, learner), representation), representation.digest


def open_body(key: PersonalKey, representation: Representation) -> bytes:
    """The exact bytes. `key` is of the edition's learner. Raises Unreadable."""
    return key.open(representation.sealed_body, **representation.place)


async def fetch_reason(session: AsyncSession, vault: Vault, credential: Credential) -> str | None:
    """Why the badge was last revoked, suspended or reinstated. Raises Gone when the learner was erased."""
    if credential.sealed_reason is None:
        return None
    key = open_key(vault, await get_learner(session, credential.issuer_id, credential.learner_id))
    return key.open(credential.sealed_reason, table="credential", row=credential.id, column="sealed_reason").decode()
