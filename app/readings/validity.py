"""Validity papers: anchors with known scores among the readings, recognizable by nothing."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.store import list_roles
from app.assessors.certification import CalibrationOverdue, NotCertified
from app.assessors.store import Anchor, AnchorExposure, Assessor, get_assessor
from app.identifiers import new_id
from app.jobs.queue import enqueue
from app.keys.vault import Vault
from app.programs.policy import ScoringPolicyBody
from app.readings.conflicts import find_conflict
from app.readings.entitled import get_current_policy, require_entitled
from app.readings.jobs import EXPIRE_READING_JOB, VALIDITY_PAPER_JOB
from app.readings.sampler import is_selected
from app.readings.store import Reading, lock_reading
from app.readings.trail import note
from app.resources import Resources
from app.submissions.store import get_submission

_WITHIN = timedelta(hours=24)


def plan_validity_paper(
    session: AsyncSession, vault: Vault, reading: Reading, policy: ScoringPolicyBody, now: datetime
) -> None:
    """Draw whether a validity paper follows this reading, which was just assigned.

    The draw is by HMAC as the sampler's, under a key that never leaves the vault: nobody who knows their readings' ids can tell
    which of them it hit. The paper comes at some moment of the next day, also drawn, as other assigned readings do.
    """
    if reading.kind == "validity":
        return
    seed = vault.digests("validity-draw", [reading.program_id.encode()])[0]
    if is_selected(seed, reading.id, policy.validity_percent):
        delay = vault.digests("validity-delay", [reading.id.encode()])[0]
        share = int.from_bytes(delay[:4], "big") / 2**32
        payload = {"issuer_id": reading.issuer_id, "reading_id": reading.id}
        enqueue(session, VALIDITY_PAPER_JOB, payload, run_at=now + _WITHIN * share)


async def assign_validity_paper(world: Resources, issuer_id: str, reading_id: str) -> None:
    """The handler of VALIDITY_PAPER_JOB. Nothing happens where no anchor is left that the assessor has not met in any role, or
    where they may not read at the moment. Doing it again changes nothing."""
    now = world.clock.now()
    async with world.database.transaction() as session:
        reading = await lock_reading(session, issuer_id, reading_id)
        earlier = select(Reading.id).where(
            Reading.issuer_id == issuer_id, Reading.kind == "validity", Reading.trigger == reading_id
        )
        if reading.assessor_id is None or reading.submission_id is None or (await session.scalars(earlier)).first():
            return
        assessor = await get_assessor(session, issuer_id, reading.assessor_id)
        if "lead" in (await list_roles(session, issuer_id, [assessor.person_id]))[assessor.person_id]:
            return  # leads see the anchor bank with its true scores, and how often each was met
        submission = await get_submission(session, issuer_id, reading.submission_id)
        policy = await get_current_policy(session, issuer_id, reading.program_id)
        achievement = submission.achievement_id, submission.version
        try:
            certification = await require_entitled(session, assessor, *achievement, policy, now)
        except (NotCertified, CalibrationOverdue):
            return
        anchor = await _find_unmet(session, assessor, *achievement)
        if anchor is None:
            return
        anchor.exposures += 1
        due_at = now + timedelta(days=policy.turnaround.reading_days)
        paper = Reading(
            issuer_id=issuer_id, id=new_id(), program_id=reading.program_id, anchor_id=anchor.id, kind="validity",
            trigger=reading_id, state="assigned", assessor_id=assessor.id, assessor_code=assessor.code,
            certification_id=certification.id, created_at=now, assigned_at=now, due_at=due_at, updated_at=now,
        )  # fmt: skip
        exposure = AnchorExposure(
            issuer_id=issuer_id, assessor_id=assessor.id, anchor_id=anchor.id, role="validity", met_at=now
        )
        session.add_all([paper, exposure])
        enqueue(session, EXPIRE_READING_JOB, {"issuer_id": issuer_id, "reading_id": paper.id}, run_at=due_at)
        note(session, paper, "assigned", now=now)


async def _find_unmet(session: AsyncSession, assessor: Assessor, achievement_id: str, version: int) -> Anchor | None:
    """The least used validity anchor that the assessor knows nothing of: not the anchor, nor another of the same source, nor the
    source or its author."""
    issuer_id = assessor.issuer_id
    met = await session.execute(
        select(Anchor.id, Anchor.source_submission_id)
        .join(
            AnchorExposure,
            (AnchorExposure.issuer_id == Anchor.issuer_id) & (AnchorExposure.anchor_id == Anchor.id),
        )
        .where(AnchorExposure.issuer_id == issuer_id, AnchorExposure.assessor_id == assessor.id)
    )
    read = select(Reading.submission_id).where(Reading.issuer_id == issuer_id, Reading.assessor_id == assessor.id)
    known = {id_ for pair in met for id_ in pair if id_} | {id_ for id_ in (await session.scalars(read)).all() if id_}
    query = select(Anchor).where(
        Anchor.issuer_id == issuer_id, Anchor.achievement_id == achievement_id, Anchor.version == version,
        Anchor.role == "validity", Anchor.state == "active",
    )  # fmt: skip
    for anchor in (await session.scalars(query.order_by(Anchor.exposures, Anchor.created_at, Anchor.id))).all():
        if anchor.id in known or anchor.source_submission_id in known:
            continue
        if anchor.source_submission_id is None:
            return anchor
        source = await get_submission(session, issuer_id, anchor.source_submission_id)
        if await find_conflict(session, assessor, source) is None:
            return anchor
    return None
