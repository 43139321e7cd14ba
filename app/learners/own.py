"""What a learner who signed in may reach: their own, and what is kept under a learner who was merged with theirs."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Tenant
from app.errors import NotFound
from app.learners.store import list_same_person


async def list_own_ids(session: AsyncSession, tenant: Tenant) -> list[str] | None:
    """Ids of the learners that the signed-in one is; None for who may see everybody's."""
    if tenant.only_learner_id is None:
        return None
    return await list_same_person(session, tenant.issuer_id, tenant.only_learner_id)


async def require_own(session: AsyncSession, tenant: Tenant, learner_id: str, what: str) -> None:
    """Raises NotFound where this is another learner's: for somebody else it does not exist. `what` is like "submission"."""
    own = await list_own_ids(session, tenant)
    if own is not None and learner_id not in own:
        raise NotFound(f"There is no {what} with this id.")
