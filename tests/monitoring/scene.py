"""Assessors with scores on anchors, put straight into the register."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from app.assessors.jobs import EVALUATE_ASSESSORS_JOB
from app.assessors.store import AnchorResponse, AnchorSession
from app.identifiers import new_id
from app.jobs.queue import enqueue
from app.monitoring.store import RaterFlag
from app.programs.store import Program
from app.readings.store import Reading
from app.resources import Resources
from tests.anchoring import MET, put_anchor, run_due_jobs
from tests.conftest import Partner

EXACT: Mapping[str, str] = MET
ONE_OFF = {"problem": "developing", "evidence": "demonstrated"}
"""One of two criteria a level too low."""
SEVERE = {"problem": "developing", "evidence": "developing"}
"""Both a level too low."""


async def put_session(
    world: Resources,
    partner: Partner,
    program: Program,
    given: Mapping[str, Sequence[Mapping[str, str]]],
    *,
    kind: str = "calibration",
    **changes: Any,
) -> AnchorSession:
    """A closed session on as many anchors as anybody has scores for, all truly MET: by assessor. `changes` are columns."""
    now = world.clock.now()
    role = "qualification" if kind == "qualification" else kind
    anchors = [await put_anchor(world, partner, role) for _ in range(max(len(each) for each in given.values()))]
    columns: dict[str, Any] = {
        "issuer_id": partner.issuer_id, "id": new_id(), "kind": kind, "program_id": program.id,
        "achievement_id": partner.achievement_id, "version": 1, "assessor_id": None, "round": None, "sets": [anchors],
        "policy_version": 1, "state": "closed", "result": {"assessors": {}}, "opened_at": now, "closed_at": now,
        "updated_at": now,
    }  # fmt: skip
    found = AnchorSession(**(columns | changes))
    async with world.database.transaction() as session:
        session.add(found)
        await session.flush()
        session.add_all(
            AnchorResponse(issuer_id=partner.issuer_id, session_id=found.id, anchor_id=anchor_id, assessor_id=assessor_id,
                           phase="before", levels=dict(levels), submitted_at=now)
            for assessor_id, scores in given.items()
            for anchor_id, levels in zip(anchors, scores, strict=False)
        )  # fmt: skip
    return found


async def put_validity_paper(
    world: Resources, partner: Partner, program: Program, assessor_id: str, levels: Mapping[str, str]
) -> Reading:
    """A submitted reading of an anchor, truly MET, that looked like any other."""
    now, anchor_id = world.clock.now(), await put_anchor(world, partner, "validity")
    paper = Reading(
        issuer_id=partner.issuer_id, id=new_id(), program_id=program.id, anchor_id=anchor_id, kind="validity",
        trigger=None, state="submitted", assessor_id=assessor_id, assessor_code="A-01",
        levels=[list(each) for each in levels.items()], created_at=now, assigned_at=now, started_at=now,
        submitted_at=now, updated_at=now,
    )  # fmt: skip
    async with world.database.transaction() as session:
        session.add(paper)
    return paper


async def evaluate(world: Resources, program: Program) -> None:
    """Apply the rules now."""
    async with world.database.transaction() as session:
        payload = {"issuer_id": program.issuer_id, "program_id": program.id}
        enqueue(session, EVALUATE_ASSESSORS_JOB, payload, run_at=world.clock.now())
    await run_due_jobs(world)


async def list_flags(world: Resources) -> list[RaterFlag]:
    async with world.database.reading() as session:
        return list((await session.scalars(select(RaterFlag).order_by(RaterFlag.rule, RaterFlag.raised_at))).all())
