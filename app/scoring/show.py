"""A decision as it is answered: with its reasons, and the badge that followed."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.credentials.bodies import CredentialWithDocument
from app.credentials.store import find_edition_of_decision, get_credential
from app.learners.recipients import open_key
from app.learners.store import get_learner
from app.resources import Resources
from app.scoring.answer import Render
from app.scoring.award import open_details
from app.scoring.bodies import DecisionLine, DecisionOut
from app.scoring.store import Decision


def render_whole(world: Resources) -> Render:
    """The answer to whoever has just recorded it."""

    async def render(session: AsyncSession, decision: Decision) -> bytes:
        return (await compose_whole(session, world, decision, None)).model_dump_json().encode()

    return render


async def compose_whole(
    session: AsyncSession, world: Resources, decision: Decision, superseded_by: str | None
) -> DecisionOut:
    """Raises Gone after the learner's erasure."""
    learner = await get_learner(session, decision.issuer_id, decision.learner_id)
    return DecisionOut(
        **DecisionLine.facts(decision, superseded_by),
        details=open_details(open_key(world.vault, learner), decision),
        credential=await _credential(session, world, decision),
    )


async def _credential(session: AsyncSession, world: Resources, decision: Decision) -> CredentialWithDocument | None:
    """The badge that the decision issued, reissued or, as a correction, revoked."""
    edition = await find_edition_of_decision(session, decision.issuer_id, decision.id)
    if edition is None and decision.supersedes_id is not None:
        edition = await find_edition_of_decision(session, decision.issuer_id, decision.supersedes_id)
    if edition is None:
        return None
    credential = await get_credential(session, decision.issuer_id, edition.credential_id)
    return await CredentialWithDocument.read(session, world, credential)
