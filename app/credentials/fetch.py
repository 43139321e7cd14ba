"""Reading the exact bytes of a badge."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.credentials.issue import PROFILE
from app.credentials.store import Credential, Edition, get_current_edition, get_representation
from app.keys.vault import Vault
from app.learners.recipients import open_key
from app.learners.store import get_learner


async def fetch_body(
    session: AsyncSession, vault: Vault, credential: Credential, *, profile: str = PROFILE
) -> tuple[Edition, bytes, str]:
    """The edition now served, its bytes and their SHA-256. Raises NotFound, or Gone when the learner was erased."""
    edition = await get_current_edition(session, credential)
    representation = await get_representation(session, edition, profile)
    learner = await get_learner(session, edition.issuer_id, edition.learner_id)
    body = open_key(vault, learner).open(
        representation.sealed_body, table="representation", row=edition.id, column="sealed_body"
    )
    return edition, body, representation.digest


async def fetch_reason(session: AsyncSession, vault: Vault, credential: Credential) -> str | None:
    """Why the badge was last revoked, suspended or reinstated. Raises Gone when the learner was erased."""
    if credential.sealed_reason is None:
        return None
    key = open_key(vault, await get_learner(session, credential.issuer_id, credential.learner_id))
    return key.open(credential.sealed_reason, table="credential", row=credential.id, column="sealed_reason").decode()
