"""Where what learners said of themselves is opened: for themselves, for exports, and for the job behind equity reports."""

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.demographics.store import DemographicDeclaration, list_declarations
from app.keys.vault import PersonalKey, Vault
from app.learners.recipients import open_key
from app.learners.store import Learner


def open_values(key: PersonalKey, row: DemographicDeclaration) -> dict[str, str]:
    """A value by dimension. Raises Unreadable."""
    plain = key.open(row.sealed_values, table="demographic_declaration", row=row.learner_id, column="sealed_values")
    values: dict[str, str] = json.loads(plain)
    return values


async def tell_declaration(
    session: AsyncSession, issuer_id: str, keys: Mapping[str, PersonalKey]
) -> tuple[DemographicDeclaration, dict[str, str]] | None:
    """What one person says, by the keys of all learners that they are; None where they say nothing."""
    rows = await list_declarations(session, issuer_id, list(keys))
    return (rows[-1], open_values(keys[rows[-1].learner_id], rows[-1])) if rows else None


async def open_all_values(session: AsyncSession, vault: Vault, issuer_id: str) -> dict[str, dict[str, str]]:
    """What everybody says, by the id of the learner, or of the one they were merged into."""
    joined = (Learner.issuer_id == DemographicDeclaration.issuer_id) & (Learner.id == DemographicDeclaration.learner_id)
    query = select(DemographicDeclaration, Learner).join(Learner, joined)
    query = query.where(DemographicDeclaration.issuer_id == issuer_id, Learner.sealed_key.is_not(None))
    rows: Sequence[tuple[DemographicDeclaration, Learner]] = (  # the last one said wins
        (await session.execute(query.order_by(DemographicDeclaration.declared_at))).all()
    )
    return {learner.merged_into or learner.id: open_values(open_key(vault, learner), row) for row, learner in rows}
