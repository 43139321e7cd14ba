"""Why a proposal was declined, or its badge reviewed as it was: sealed under the key of the learner it names."""

from app.keys.vault import PersonalKey
from app.pathways.store import PathwayProposal

_PLACE = {"table": "pathway_proposal", "column": "sealed_reason"}


def seal_reason(key: PersonalKey, proposal: PathwayProposal, reason: str) -> None:
    proposal.sealed_reason = key.seal(reason.encode(), row=proposal.id, **_PLACE)


def open_reason(key: PersonalKey, proposal: PathwayProposal) -> str | None:
    """None where nobody gave one."""
    if proposal.sealed_reason is None:
        return None
    return key.open(proposal.sealed_reason, row=proposal.id, **_PLACE).decode()
