"""The verb that ends what is known of a learner."""

from datetime import datetime

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.idempotency import IdempotencyRecord
from app.appeals.jobs import END_APPEALS_JOB
from app.assessors.anchors import forget_anchors_of
from app.audit.store import audit
from app.credentials.store import lock_credentials_of_learner
from app.demographics.store import delete_declarations
from app.endorsements.store import forget_of_learners as forget_endorsements_of
from app.errors import NotFound
from app.events.store import record_event
from app.jobs.queue import enqueue
from app.learners.store import Learner, LearnerIdentity, lock_with_merged, require_not_merged
from app.misconduct.jobs import CLOSE_CASE_JOB
from app.misconduct.store import list_cases_of_learners
from app.oauth.consents import forget_grants
from app.obapi.store import forget_kept
from app.pathways.propose import lapse_of_erased
from app.people.erase import erase_person
from app.people.people import find_person_of_learner
from app.programs.store import Enrollment
from app.recognition.store import forget_recognized
from app.submissions.evidence import DELETE_JOB
from app.submissions.impact import forget_impact
from app.submissions.jobs import CANCEL_READINGS_JOB
from app.submissions.store import Artifact, list_submissions_of_learners, list_uploads


async def erase_learner(
    session: AsyncSession, issuer_id: str, learner_id: str, *, actor: str, now: datetime
) -> Learner:
    """Destroy the learner's key and delete their identities, own id and kept answers; the person they sign in as is erased too.
    Doing it again changes nothing.

    Their files of evidence, which nobody can open any more, are deleted soon afterwards, and who held a reading of their work is
    rid of it; their appeals end, and cases of misconduct that are not decided. So with all who were merged into them.
    Raises LearnerMerged for one of those: their badges are the survivor's.
    """
    learners = await lock_with_merged(session, issuer_id, learner_id)
    learner = learners.get(learner_id)
    if learner is None:
        raise NotFound("There is no learner with this id.")
    if require_not_merged(learner).sealed_key is None:
        return learner
    for each in learners.values():
        each.sealed_key = each.external_id = None
        each.updated_at = now
    # Before anything that hangs on them: who signs a badge holds its row when the answer is kept.
    credentials = await lock_credentials_of_learner(session, issuer_id, learner_id)
    of_learner = (LearnerIdentity.issuer_id == issuer_id, LearnerIdentity.learner_id.in_(learners))
    await session.execute(delete(LearnerIdentity).where(*of_learner))
    kept = (IdempotencyRecord.issuer_id == issuer_id, IdempotencyRecord.learner_id.in_(learners))
    await session.execute(delete(IdempotencyRecord).where(*kept))
    await forget_anchors_of(session, issuer_id, sorted(learners), now)
    for id_ in sorted(learners):
        person = await find_person_of_learner(session, issuer_id, id_)
        if person is not None:
            await erase_person(session, person, actor=actor, now=now)
            await forget_grants(session, issuer_id, [person.id])
    await forget_kept(session, issuer_id, sorted(learners))
    await delete_declarations(session, issuer_id, sorted(learners))
    enrolled = (Enrollment.issuer_id == issuer_id, Enrollment.learner_id.in_(learners))
    await session.execute(update(Enrollment).where(*enrolled).values(school=None, external_id=None, updated_at=now))
    for credential in credentials:
        credential.sealed_reason = None
        credential.updated_at = now
    await forget_endorsements_of(session, issuer_id, sorted(learners), now)
    await forget_recognized(session, [credential.id for credential in credentials])
    await _drop_evidence(session, issuer_id, list(learners), now)
    for case in await list_cases_of_learners(session, issuer_id, list(learners)):
        if case.state != "closed":
            enqueue(session, CLOSE_CASE_JOB, {"issuer_id": issuer_id, "case_id": case.id}, run_at=now)
    await lapse_of_erased(session, issuer_id, list(learners), now)
    audit(session, issuer_id=issuer_id, actor=actor, action="learner.erased", object_id=learner_id,
          content={"credentials": [credential.id for credential in credentials], "learners": sorted(learners)},
          at=now)  # fmt: skip
    for id_ in sorted(learners):
        record_event(session, issuer_id, "learner.erased", id_, at=now)
    return learner


async def _drop_evidence(session: AsyncSession, issuer_id: str, learner_ids: list[str], now: datetime) -> None:
    for upload in await list_uploads(session, issuer_id, learner_ids):
        enqueue(session, DELETE_JOB, {"issuer_id": issuer_id, "upload": upload}, run_at=now)
    submissions = await list_submissions_of_learners(session, issuer_id, learner_ids)
    for submission in submissions:  # nobody can read them any more
        payload = {"issuer_id": issuer_id, "submission_id": submission.id}
        enqueue(session, CANCEL_READINGS_JOB, payload, run_at=now)
        enqueue(session, END_APPEALS_JOB, payload, run_at=now)
    theirs = (Artifact.issuer_id == issuer_id, Artifact.submission_id.in_([each.id for each in submissions]))
    await session.execute(update(Artifact).where(*theirs).values(genre=None))
    await forget_impact(session, issuer_id, [each.id for each in submissions])
