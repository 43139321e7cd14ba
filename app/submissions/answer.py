"""Telling a submission to whom it belongs: opened with the learner's key, what team mates share with theirs."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.keys.vault import Vault
from app.learners.recipients import open_key
from app.learners.store import Learner
from app.submissions.bodies import (
    ArtifactOut,
    BankedOut,
    ScreeningOut,
    SharedArtifactOut,
    SubmissionOut,
    SubmissionSummary,
)
from app.submissions.statement import open_statement
from app.submissions.store import Submission, list_artifacts, list_screenings
from app.submissions.work import find_owner, list_evidence


async def tell_submission(
    session: AsyncSession, vault: Vault, submission: Submission, learner: Learner
) -> SubmissionOut:
    """Everything in a submission. Raises Gone once the learner was erased."""
    key = open_key(vault, learner)
    own = await list_artifacts(session, submission.issuer_id, submission.id)
    shared = []
    for artifact in await list_evidence(session, submission):
        owner = await find_owner(session, artifact) if artifact.submission_id != submission.id else None
        if owner is not None:
            shared.append(SharedArtifactOut.of(artifact, open_key(vault, owner)))
    screenings = await list_screenings(session, submission.issuer_id, submission.id)
    return SubmissionOut(
        **SubmissionSummary.of(submission).model_dump(),
        banked=[
            BankedOut(criterion=criterion, level=level, decision_id=by) for criterion, level, by in submission.banked
        ],
        statement=open_statement(key, submission),
        artifacts=[ArtifactOut.of(artifact, key) for artifact in own],
        shared_artifacts=shared,
        screenings=[ScreeningOut.of(screening, key) for screening in screenings],
    )
