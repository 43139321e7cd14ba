"""A row in each append-only table of assessment, and a submitted reading."""

from app.assessors.store import (
    AnchorExposure,
    AnchorResponse,
    AnchorSession,
    CertificationChange,
    MasterReading,
    Training,
    find_certification,
)
from app.identifiers import new_id
from app.misconduct.store import MisconductCase, MisconductVote
from app.pathways.store import Pathway, PathwayComponent, PathwayVersion
from app.quality.store import FrozenQualityReport
from app.reports.equity_store import EquityPeriod
from app.submissions.store import Screening
from tests.anchoring import MET, put_anchor
from tests.conftest import Partner
from tests.people import app_of
from tests.scoring.judging import Case, open_case


async def fill_assessment(partner: Partner) -> None:
    """Straight into the register: what the rooms would write around one submission, its reader and an anchor."""
    case = await open_case(app_of(partner.client), partner, name="Read Example")
    await _put_readers_past(case)
    await _put_case_of_misconduct(case)
    await _put_pathway(case)
    async with case.world.database.transaction() as session:
        now = case.world.clock.now()
        session.add(
            EquityPeriod(
                issuer_id=partner.issuer_id, program_id=case.program.id, until=now, since=None, people=10,
                minimum_cell=10, content={}, closed_at=now,
            )
        )  # fmt: skip
        session.add(
            Screening(
                issuer_id=partner.issuer_id, id=new_id(), submission_id=case.submission.id, outcome="accepted",
                condition_codes=[], sealed_note=None, screened_by="test", screened_at=case.world.clock.now(),
            )
        )  # fmt: skip
        session.add(
            FrozenQualityReport(
                issuer_id=partner.issuer_id, achievement_id=partner.achievement_id, version=1, label="2026Q4",
                body="{}", digest="0" * 64, seed=0, computed_at=case.world.clock.now(),
            )
        )  # fmt: skip


async def _put_readers_past(case: Case) -> None:
    """A training, an anchor that the reader met and a master read, and a change of the reader's certification."""
    issuer_id, now, assessor = case.partner.issuer_id, case.world.clock.now(), case.assessor
    anchor_id = await put_anchor(case.world, case.partner, "practice")
    session_id = new_id()
    async with case.world.database.transaction() as session:
        certification = await find_certification(session, issuer_id, assessor.id, case.partner.achievement_id, 1)
        assert certification is not None
        session.add(
            AnchorSession(
                issuer_id=issuer_id, id=session_id, kind="practice", program_id=case.program.id,
                achievement_id=case.partner.achievement_id, version=1, assessor_id=assessor.id, round=None,
                sets=[[anchor_id]], policy_version=1, state="open", result=None, opened_at=now, closed_at=None,
                updated_at=now,
            )
        )  # fmt: skip
        await session.flush()
        session.add_all(
            [
                Training(
                    issuer_id=issuer_id, assessor_id=assessor.id, module="rubric", completed_at=now, recorded_by="test"
                ),
                MasterReading(
                    issuer_id=issuer_id, anchor_id=anchor_id, person_id=assessor.person_id, levels=MET, read_at=now
                ),
                AnchorExposure(
                    issuer_id=issuer_id, assessor_id=assessor.id, anchor_id=anchor_id, role="practice", met_at=now
                ),
                AnchorResponse(
                    issuer_id=issuer_id, session_id=session_id, anchor_id=anchor_id, assessor_id=assessor.id,
                    phase="before", levels=MET, submitted_at=now,
                ),
                CertificationChange(
                    issuer_id=issuer_id, id=new_id(), certification_id=certification.id, number=1, state="certified",
                    reason="Passed.", changed_by="test", changed_at=now,
                ),
            ]
        )  # fmt: skip


async def _put_pathway(case: Case) -> None:
    """A published version with its component."""
    issuer_id, achievement_id, now = case.partner.issuer_id, case.partner.achievement_id, case.world.clock.now()
    pathway_id = new_id()
    async with case.world.database.transaction() as session:
        session.add(Pathway(issuer_id=issuer_id, id=pathway_id, external_id=None, created_at=now, updated_at=now))
        await session.flush()
        session.add(
            PathwayVersion(
                issuer_id=issuer_id, pathway_id=pathway_id, version=1, state="published", content={},
                achievement_id=achievement_id, achievement_version=1, panel_id=case.partner.panel_id, created_at=now,
                updated_at=now, published_at=now, retired_at=None,
            )
        )  # fmt: skip
        await session.flush()
        session.add(
            PathwayComponent(issuer_id=issuer_id, pathway_id=pathway_id, version=1, achievement_id=achievement_id)
        )


async def _put_case_of_misconduct(case: Case) -> None:
    issuer_id, now, case_id = case.partner.issuer_id, case.world.clock.now(), new_id()
    async with case.world.database.transaction() as session:
        session.add(
            MisconductCase(
                issuer_id=issuer_id, id=case_id, submission_id=case.submission.id, learner_id=case.learner.id,
                state="noticed", panel=[case.assessor.person_id], appeal_panel=None, outcome=None, effect=None,
                sealed_texts=b"", opened_by="test", opened_at=now, answer_due_at=now, decided_at=None,
                appeal_due_at=None, closed_at=None, updated_at=now,
            )
        )  # fmt: skip
        await session.flush()
        session.add(
            MisconductVote(
                issuer_id=issuer_id, case_id=case_id, stage="case", person_id=case.assessor.person_id,
                vote="dismissed", voted_at=now,
            )
        )  # fmt: skip
