"""The school year of the demonstration: each fellow's work goes the whole way from a draft to a decision.

What happens is what `app.demo.decisions` tells of the levels and `app.demo.works` of the words. Who reads is up to the service:
it assigns by load and conflict of interest, and its sampler and triggers choose what is read twice. Once two readers disagree and
a lead adjudicates; once a fellow appeals and is right.
"""

import random
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import TENANT_SCOPES, Tenant
from app.appeals.appeal import Answer, decide_appeal, file_appeal
from app.appeals.store import Appeal, find_appeal_of_decision
from app.assessors.store import get_assessor
from app.credentials.in_time import in_time
from app.credentials.issue import PendingEdition, complete
from app.demo.academy import ACTOR, Academy
from app.demo.achievements import ACHIEVEMENTS
from app.demo.anchors import drift
from app.demo.stack import approve_proposals
from app.jobs.embedded import EmbeddedRunner
from app.learners.recipients import open_key
from app.learners.store import get_learner
from app.programs.store import Enrollment
from app.quality.freeze import SETTLING
from app.quality.recompute import recompute_reports
from app.quarters import quarter_of
from app.readings.bodies import ScoreBody
from app.readings.jobs import RECOMPUTE_QUALITY_JOB
from app.readings.read import start_reading, submit_reading
from app.readings.store import Reading, list_readings
from app.scoring.approve import Judgment, approve
from app.scoring.store import Decision, find_decision_of_submission
from app.submissions.artifacts import Details, add_artifact, remove_artifact, write_statement
from app.submissions.draft import AttemptFacts, begin_attempt
from app.submissions.screen import screen
from app.submissions.statement import StatementBody
from app.submissions.store import (
    Submission,
    find_by_external_id,
    get_submission,
    list_artifacts,
    lock_submission,
)
from app.submissions.submit import submit
from app.submissions.upload import upload_file
from app.worker import handlers

_ATTESTED = {"own_work": True, "ai_use": "none", "student_privacy": True, "permissions": True}
_MAY_BE_APPEALED = frozenset({"sila-is-058", "sila-is-059", "sila-is-060", "sila-is-066"})
"""Of one of these decisions a fellow appeals: awards with one criterion below its bar."""


@dataclass(frozen=True, slots=True)
class Case:
    """One attempt, as `app.demo.decisions.awards` tells of it."""

    body: Mapping[str, Any]
    decided_at: datetime

    @property
    def levels(self) -> dict[str, str]:
        return {result["criterion"]: result["level"] for result in self.body["results"]}

    @property
    def rationales(self) -> dict[str, str]:
        return {result["criterion"]: result["rationale"] for result in self.body["results"]}


class SchoolYear:
    """Plays the attempts in the order of their decisions. Begun again, it goes on where it was."""

    def __init__(self, academy: Academy, enrollment_ids: Mapping[str, str]) -> None:
        self._academy = academy
        self._enrollment_ids = enrollment_ids
        jobs = {**handlers(academy.world), RECOMPUTE_QUALITY_JOB: _put_off}
        self._runner = EmbeddedRunner(academy.world.database, academy.calendar, jobs)
        self._tenant = Tenant(academy.issuer_id, ACTOR, TENANT_SCOPES)
        self._disagreed = False

    async def play(self, body: Mapping[str, Any]) -> None:
        """Take one attempt to its decision."""
        case = Case(body, datetime.fromisoformat(body["decided_at"]))
        self._academy.calendar.turn_to(case.decided_at - timedelta(days=6))
        await self.run_jobs()
        await approve_proposals(self._academy)
        submission = await self._hand_in(case)
        await self.run_jobs()
        while await self._read_next(case, submission.id):
            await self.run_jobs()
        self._academy.calendar.turn_to(case.decided_at)
        decision = await self._decide(case, submission.id)
        if await self._is_appealed(case, submission.id):
            await self._appeal(case, decision)

    async def run_jobs(self) -> None:
        """Do what is due at the moment that the calendar shows."""
        while await self._runner.run_one():
            pass

    async def pass_quarters(self, until: datetime) -> None:
        """Let time pass until then, and do what is due: at the end of each quarter, when reports are frozen, and at last."""
        while (ends_at := quarter_of(self._academy.calendar.now()).ends_at + SETTLING) <= until:
            self._academy.calendar.turn_to(ends_at)
            await self.run_jobs()
        self._academy.calendar.turn_to(until)
        await self.run_jobs()

    async def work_out_reports(self) -> None:
        """The quality reports of the quarter under way, which were put off until now."""
        for achievement_id in self._academy.achievement_ids.values():
            await recompute_reports(self._academy.world, self._academy.issuer_id, achievement_id)

    async def _hand_in(self, case: Case) -> Submission:
        """The attempt written, handed in and accepted for scoring."""
        academy, external_id = self._academy, case.body["external_id"]
        async with academy.world.database.transaction() as session:
            submission = await find_by_external_id(session, academy.issuer_id, external_id)
            if submission is None:
                submission = await self._begin(session, case)
            elif submission.state != "draft":
                return submission
            files = await self._write(session, case, submission)
        for artifact_id, text in files.items():
            await upload_file(
                academy.world, self._tenant, submission.id, artifact_id, declared="text/plain", length=None,
                chunks=_chunks(text),
            )  # fmt: skip
        async with academy.world.database.transaction() as session:
            now = academy.calendar.pass_by(minutes=5)
            await submit(session, academy.world.vault, academy.issuer_id, submission.id, actor=ACTOR, now=now)
            now = academy.calendar.pass_by(hours=4)
            submission, _ = await screen(
                session, academy.world.vault, academy.members["faculty-1"], submission.id, outcome="accepted",
                condition_codes=(), note=None, now=now,
            )  # fmt: skip
            return submission

    async def _begin(self, session: AsyncSession, case: Case) -> Submission:
        academy = self._academy
        enrollment = await session.get_one(
            Enrollment, (academy.issuer_id, self._enrollment_ids[case.body["fellow"]])
        )  # fmt: skip
        facts = AttemptFacts(
            academy.achievement_ids[case.body["achievement"]], version=1, external_id=case.body["external_id"]
        )
        return await begin_attempt(
            session, academy.world.vault, enrollment, facts, actor=ACTOR, now=academy.calendar.now()
        )

    async def _write(self, session: AsyncSession, case: Case, submission: Submission) -> dict[str, str]:
        """Statement and artifacts; text of the files to be uploaded, by artifact."""
        academy, work = self._academy, case.body["work"]
        locked = await lock_submission(session, academy.issuer_id, submission.id)
        key = open_key(academy.world.vault, await get_learner(session, academy.issuer_id, locked.learner_id))
        now = academy.calendar.now()
        words = StatementBody.model_validate(
            {"parts": work["parts"], "impact": work["impact"], "attestations": _ATTESTED, "narrative_consent": True}
        )
        await write_statement(session, locked, key, words, actor=ACTOR, now=now)
        for carried in await list_artifacts(session, academy.issuer_id, locked.id):
            await remove_artifact(session, locked, carried, actor=ACTOR, now=now)
        files = {}
        for piece in case.body["evidence"]:
            details = Details(piece["name"], f"{piece['narrative']} {piece['description']}", piece.get("url"))
            artifact = await add_artifact(
                session, locked, key, part=_part_for(case.body["achievement"], piece["genre"]), genre=piece["genre"],
                details=details, consent=True, shared=False, actor=ACTOR, now=now,
            )  # fmt: skip
            if details.url is None:
                files[artifact.id] = f"{details.name}\n\n{details.description}\n\n{case.body['external_id']}\n"
        return files

    async def _read_next(self, case: Case, submission_id: str) -> bool:
        """Let the next reading of the submission take place: whether there was one."""
        academy = self._academy
        async with academy.world.database.transaction() as session:
            found = await list_readings(session, academy.issuer_id, submission_id)
            live = [each for each in found if each.state in ("assigned", "started")]
            if not live:
                return False
            reading, submission = live[0], await get_submission(session, academy.issuer_id, submission_id)
            levels = await self._levels_of(session, case, reading, found)
            member = academy.member_of(await get_assessor(session, academy.issuer_id, str(reading.assessor_id)))
            await start_reading(session, member, reading.id, academy.calendar.pass_by(hours=3))
            met = {criterion for criterion, _, _ in submission.banked}
            scores = [
                ScoreBody(criterion=key, level=level, rationale=case.rationales[key], feedback=case.rationales[key])
                for key, level in levels.items()
                if key not in met
            ]
            now = academy.calendar.pass_by(hours=2)
            await submit_reading(session, academy.world, member, reading.id, scores, now)
            return True

    async def _levels_of(
        self, session: AsyncSession, case: Case, reading: Reading, found: list[Reading]
    ) -> dict[str, str]:
        """What this reader finds: a first one, and a lead, what is true of the work."""
        if reading.kind not in ("second_random", "second_triggered"):
            return _amended(case) if reading.kind == "appeal" else case.levels
        if not self._disagreed and case.body["outcome"] == "awarded" and await self._has_leads_left(session, found):
            self._disagreed = True
            mandatory = case.body["results"][-3]["criterion"]
            return {**case.levels, mandatory: "developing"}
        rng = random.Random(f"{case.body['external_id']}/{reading.kind}")  # noqa: S311 - the same everywhere
        return drift(case.levels, rng, 0.1)

    async def _has_leads_left(self, session: AsyncSession, found: list[Reading]) -> bool:
        """Whether a lead is left to adjudicate, and nobody has before."""
        query = select(Reading.id).where(
            Reading.issuer_id == self._academy.issuer_id, Reading.kind == "adjudication"
        )  # fmt: skip
        if (await session.scalars(query)).first() is not None:
            return False
        return self._leads().isdisjoint(each.assessor_id for each in found)

    def _leads(self) -> set[str]:
        """Ids of the assessors who may adjudicate and read again on appeal."""
        return {self._academy.assessors[code].id for code in ("SILA-A6", "SILA-A7")}

    async def _decide(self, case: Case, submission_id: str) -> Decision:
        academy = self._academy
        async with academy.world.database.reading() as session:
            decided = await find_decision_of_submission(session, academy.issuer_id, submission_id)
        if decided is not None:
            return decided
        judgment = Judgment(outcome=case.body["outcome"])

        async def first_commit(session: AsyncSession) -> tuple[Decision, PendingEdition | None]:
            return await approve(session, academy.world, academy.members["approver-1"], submission_id, judgment)

        decision, pending = await in_time(academy.world, first_commit)
        if pending is not None:
            await complete(academy.world, pending)
        return decision

    async def _is_appealed(self, case: Case, submission_id: str) -> bool:
        """Of the first that may be and that a lead has not read: who reads is drawn, so both may have."""
        if case.body["external_id"] not in _MAY_BE_APPEALED:
            return False
        async with self._academy.world.database.reading() as session:
            query = select(Appeal.submission_id).where(Appeal.issuer_id == self._academy.issuer_id)
            filed = (await session.scalars(query)).all()
            found = await list_readings(session, self._academy.issuer_id, submission_id)
        if filed:
            return submission_id in filed
        return not self._leads() <= {each.assessor_id for each in found}

    async def _appeal(self, case: Case, decision: Decision) -> None:
        """The fellow asks for one criterion to be looked at again; a lead who has not read the work does."""
        academy = self._academy
        appeal = await self._file(decision)
        if appeal.state == "decided":
            return
        await self.run_jobs()
        await self._read_next(case, appeal.submission_id)
        academy.calendar.pass_by(days=2)
        text = "Your record of the second cycle was read again. It shows what the first reader had missed."
        answer = Answer("changed", text, {}, None)

        async def first_commit(session: AsyncSession) -> tuple[Decision, PendingEdition | None]:
            return await decide_appeal(session, academy.world, academy.members["approver-2"], appeal.id, answer)

        _, pending = await in_time(academy.world, first_commit)
        if pending is not None:
            await complete(academy.world, pending)

    async def _file(self, decision: Decision) -> Appeal:
        grounds = (
            "One criterion was found to be developing. The record of the second cycle, on page 9, shows more than that."
        )
        async with self._academy.world.database.transaction() as session:
            filed = await find_appeal_of_decision(session, self._academy.issuer_id, decision.id)
            if filed is not None:
                return filed
            self._academy.calendar.pass_by(days=3)
            return await file_appeal(session, self._academy.world, self._tenant, decision.id, grounds)


async def _put_off(_: Mapping[str, Any]) -> None:
    """Open quality reports are worked out at the end: nobody looks at them in between, and frozen ones do not rest on them."""


def _amended(case: Case) -> dict[str, str]:
    """The levels on appeal: what was below its bar is at it."""
    return {key: "demonstrated" if level == "developing" else level for key, level in case.levels.items()}


def _part_for(achievement: str, genre: str) -> str:
    """The part of the task that a piece of this genre belongs to."""
    kind = {"Reflection": "reflection", "Impact": "impact"}.get(genre, "artifact")
    parts = ACHIEVEMENTS[achievement]["performance_task"]["parts"]
    return next(str(part["key"]) for part in parts if part["kind"] == kind)


async def _chunks(text: str) -> AsyncIterator[bytes]:
    yield text.encode()
