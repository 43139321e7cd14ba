"""A large program, written straight into a register: 10,000 learners, a submission each, and all that became of it.

What reports look at is there and hangs together: the second readings of the provable sample, adjudications where two readings
differ, the scores of record, decisions, badges, impact claims, what people say of themselves, calibration sessions, and as many
events as the service writes. Signed documents and texts of readers are empty, everybody has one attempt, and nobody appeals.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.clients import create_client
from app.access.principals import TENANT_SCOPES
from app.access.sessions import begin_session
from app.achievements.bodies import AchievementCreate
from app.achievements.store import get_version
from app.achievements.versions import create_achievement, publish_version
from app.assessors.panels import create_panel
from app.assessors.store import Anchor, AnchorResponse, AnchorSession, Assessor, Certification
from app.credentials.store import Award, Credential, Edition
from app.db import Table
from app.demo.achievements import ACHIEVEMENTS
from app.demo.calendar import Calendar
from app.demographics.store import DemographicDeclaration
from app.demographics.vocabulary import VocabularyBody, put_vocabulary
from app.events.store import Event, EventCounter
from app.identifiers import new_id
from app.issuers.create import create_issuer
from app.keys.store import SigningKey
from app.keys.vault import PersonalKey
from app.learners.store import Learner
from app.people.people import PersonFacts, create_person
from app.programs.policy import ScoringPolicyBody
from app.programs.programs import ProgramFacts, create_program
from app.programs.store import Cohort, Enrollment
from app.readings.sampler import is_selected
from app.readings.scores import compare, is_near_standard, recommend
from app.readings.store import Reading, Resolution, list_windows
from app.readings.windows import open_seed, open_windows
from app.reports.close_period import close_periods
from app.resources import Resources
from app.scoring.store import Decision
from app.statuslists.store import StatusList
from app.submissions.impact import ImpactFact
from app.submissions.store import Screening, Submission

ACTOR = "benchmark"
YEAR = timedelta(days=400)
ASSESSORS, COHORTS, ANCHORS, CALIBRATIONS = 30, 10, 15, 4
ACCURACY = 0.85
ARTIFACTS = 3
BATCH = 2_000
ASKED = {"gender": ("woman", "man", "nonbinary"), "career": ("early", "middle", "late")}
"""What people are asked about themselves."""


@dataclass
class Large:
    """Ids of what was made, by the names that paths give them, and tokens."""

    ids: dict[str, str]
    person_token: str
    client_token: str
    rows: dict[type[Table], list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, table: type[Table], **columns: Any) -> None:
        """A row of the issuer; columns left out are null."""
        blank = {column.name: None for column in table.__table__.columns if column.nullable}
        self.rows[table].append({**blank, "issuer_id": self.ids["issuer_id"], **columns})


async def fill(world: Resources, calendar: Calendar, submissions: int) -> Large:
    """Fill an empty register. `calendar` is the clock of `world`, turned back by a YEAR."""
    random = Random(10_000)
    large, assessors = await _found(world, calendar)
    rubric = await _rubric(world, large)
    await _open_all_windows(world, calendar, large)
    _calibrate(large, random, rubric, assessors, calendar)
    async with world.database.reading() as session:
        windows = await list_windows(session, large.ids["program_id"])
        key_id = (await session.scalars(select(SigningKey.id))).one()
    seeds = [(window, open_seed(world.vault, window)) for window in windows]
    writer = _Writer(world, large, random, rubric, assessors, seeds, key_id)
    begins = calendar.now() - YEAR + timedelta(days=5)
    for number in range(submissions):
        writer.write(number, begins + number * timedelta(days=380) / submissions)
    await _insert(world, large)
    await close_periods(world, large.ids["issuer_id"])
    return large


async def _found(world: Resources, calendar: Calendar) -> tuple[Large, list[tuple[str, str, float]]]:
    """Issuer, achievement, panel, program, people: by the service's own verbs. Assessors: id, code and leniency."""
    now = calendar.now()
    codes = [f"A-{number:02d}" for number in range(1, ASSESSORS + 1)]
    body = AchievementCreate.model_validate(ACHIEVEMENTS["equity"])
    async with world.database.transaction() as session:
        issuer = await create_issuer(
            session, world, slug="large", profile={"name": "A large program"}, actor=ACTOR, now=now
        )
        achievement, version = await create_achievement(
            session,
            issuer.id,
            external_id=None,
            content=body.facts(),
            settings=body.settings.model_dump(),
            actor=ACTOR,
            now=now,
        )
        await publish_version(session, world, achievement, version, actor=ACTOR, now=now)
        panel = await create_panel(
            session,
            issuer.id,
            external_id=None,
            name="Panel",
            description=None,
            url=None,
            members=codes,
            actor=ACTOR,
            now=now,
        )
        facts = ProgramFacts(None, "Large", None, panel.id, [achievement.id], ScoringPolicyBody())
        program = await create_program(session, issuer.id, facts, actor=ACTOR, now=now)
        _, client = await create_client(
            session,
            issuer_id=issuer.id,
            name="benchmark",
            scopes=TENANT_SCOPES,
            expires_at=None,
            actor=ACTOR,
            now=now,
        )
        director = PersonFacts("Director Example", "director@schools.example.org", learner_id=None)
        person = await create_person(
            session,
            world.vault,
            issuer.id,
            director,
            roles=("lead", "approver", "director"),
            actor=ACTOR,
            now=now,
        )
        await put_vocabulary(session, issuer.id, _vocabulary(), actor=ACTOR, now=now)
        _, token = await begin_session(session, person, kind="token", name="benchmark", life=2 * YEAR, now=now)
        ids = {"issuer_id": issuer.id, "program_id": program.id, "achievement_id": achievement.id, "panel_id": panel.id,
               "version": "1", "cohort_id": new_id()}  # fmt: skip
        large = Large(ids, token, client)
        assessors = [await _assessor(session, world, large, code, now) for code in codes]
    ids["assessor_id"] = assessors[0][0]
    return large, assessors


def _vocabulary() -> VocabularyBody:
    dimensions = [
        {"key": key, "label": key.title(), "values": [{"key": value, "label": value.title()} for value in values]}
        for key, values in ASKED.items()
    ]
    return VocabularyBody.model_validate({"dimensions": dimensions})


async def _assessor(
    session: AsyncSession, world: Resources, large: Large, code: str, now: datetime
) -> tuple[str, str, float]:
    facts = PersonFacts(f"Assessor {code}", f"{code.lower()}@schools.example.org", learner_id=None)
    person = await create_person(
        session, world.vault, large.ids["issuer_id"], facts, roles=["assessor"], actor=ACTOR, now=now
    )
    id_ = new_id()
    at = {"created_at": now, "updated_at": now}
    large.add(Assessor, id=id_, person_id=person.id, code=code, is_active=True, **at)
    large.add(
        Certification, id=new_id(), assessor_id=id_, achievement_id=large.ids["achievement_id"], version=1, state="certified",
        valid_from=now, valid_until=now + 2 * YEAR, calibrated_at=now, rounds_used=0, changes=0, **at,
    )  # fmt: skip
    return id_, code, (int(code[2:]) % 5 - 2) / 4


async def _rubric(world: Resources, large: Large) -> Mapping[str, Any]:
    async with world.database.reading() as session:
        version = await get_version(session, large.ids["issuer_id"], large.ids["achievement_id"], 1)
        rubric: Mapping[str, Any] = version.content["rubric"]
    return rubric


async def _open_all_windows(world: Resources, calendar: Calendar, large: Large) -> None:
    """The sampler's windows, opened and revealed as the year goes by."""
    end = calendar.now() + YEAR
    while calendar.now() < end:
        await open_windows(world, large.ids["issuer_id"], large.ids["program_id"])
        if calendar.pass_by(days=80) >= end - timedelta(days=1):
            break
    calendar.turn_to(end)


def _calibrate(
    large: Large,
    random: Random,
    rubric: Mapping[str, Any],
    assessors: Sequence[tuple[str, str, float]],
    calendar: Calendar,
) -> None:
    """Sessions on shared anchors, all assessors scoring all of them."""
    now = calendar.now()
    truths = {new_id(): _true_levels(random, rubric) for _ in range(ANCHORS)}
    of_version = {"achievement_id": large.ids["achievement_id"], "version": 1}
    keys = [each["key"] for each in rubric["criteria"]]
    for anchor_id, truth in truths.items():
        large.add(
            Anchor, id=anchor_id, role="calibration", state="active", content={}, levels=_by_key(rubric, truth),
            rationales=dict.fromkeys(keys, "Agreed."), exposures=ASSESSORS, created_at=now - YEAR, updated_at=now - YEAR,
            **of_version,
        )  # fmt: skip
    for number in range(CALIBRATIONS):
        at, session_id = now - YEAR + timedelta(days=90 * number + 30), new_id()
        large.add(
            AnchorSession, id=session_id, kind="calibration", program_id=large.ids["program_id"], sets=[list(truths)],
            policy_version=1, state="closed", result={}, opened_at=at, closed_at=at, updated_at=at, **of_version,
        )  # fmt: skip
        for assessor_id, _, leniency in assessors:
            for anchor_id, truth in truths.items():
                given = _read(random, rubric, truth, leniency)
                large.add(AnchorResponse, session_id=session_id, anchor_id=anchor_id, assessor_id=assessor_id,
                          phase="before", levels=_by_key(rubric, given), submitted_at=at)  # fmt: skip


def _true_levels(random: Random, rubric: Mapping[str, Any]) -> list[int]:
    """One position for each criterion: most people pass."""
    able = random.choice((-1.0, 0.2, 0.6, 1.0))
    tops = [(each, [level["key"] for level in each["levels"]]) for each in rubric["criteria"]]
    return [
        min(max(round(keys.index(each["passing_level"]) + able + random.gauss(0, 0.6)), 0), len(keys) - 1)
        for each, keys in tops
    ]


def _read(random: Random, rubric: Mapping[str, Any], truth: Sequence[int], leniency: float) -> list[int]:
    return [
        min(max(true + (1 if random.random() < 0.5 + leniency else -1), 0), len(each["levels"]) - 1)
        if random.random() > ACCURACY
        else true
        for each, true in zip(rubric["criteria"], truth, strict=True)
    ]


def _by_key(rubric: Mapping[str, Any], levels: Sequence[int]) -> dict[str, str]:
    return {each["key"]: each["levels"][level]["key"] for each, level in zip(rubric["criteria"], levels, strict=True)}


class _Writer:
    """Writes one learner after the other, from enrollment to badge."""

    def __init__(
        self, world: Resources, large: Large, random: Random, rubric: Mapping[str, Any],
        assessors: Sequence[tuple[str, str, float]], seeds: Sequence[tuple[Any, bytes]], key_id: str,
    ) -> None:  # fmt: skip
        self._vault, self._large, self._random, self._rubric = world.vault, large, random, rubric
        self._assessors, self._seeds, self._key_id = assessors, seeds, key_id
        self._position = 1_000_000
        self._list_id = new_id()
        past = datetime(2020, 1, 1, tzinfo=UTC)
        self._cohorts = [large.ids["cohort_id"], *(new_id() for _ in range(COHORTS - 1))]
        for number, id_ in enumerate(self._cohorts):
            large.add(Cohort, id=id_, program_id=large.ids["program_id"], name=f"Cohort {number}", created_at=past,
                      updated_at=past)  # fmt: skip
        large.add(StatusList, id=self._list_id, purpose="revocation", length=131_072, drawn=100_000, bits=b"", version=1,
                  created_at=past, updated_at=past)  # fmt: skip

    def write(self, number: int, at: datetime) -> None:
        large, learner_id, enrollment_id, id_ = self._large, new_id(), new_id(), new_id()
        sealed_key = self._vault.new_personal_key(large.ids["issuer_id"], learner_id)
        key = self._vault.open_personal_key(sealed_key, issuer_id=large.ids["issuer_id"], owner_id=learner_id)
        large.add(Learner, id=learner_id, sealed_key=sealed_key, identity_version=1, created_at=at, updated_at=at)
        context = {"goal": "Fewer referrals", "role": "Principal", "school_type": "Middle school", "grade_band": "6-8"}
        sealed = key.seal(json.dumps(context).encode(), table="enrollment", row=enrollment_id, column="sealed_context")
        large.add(Enrollment, id=enrollment_id, program_id=large.ids["program_id"], learner_id=learner_id,
                  cohort_id=self._cohorts[number % COHORTS], school=f"S-{number % 200}", state="active",
                  sealed_context=sealed, created_at=at, updated_at=at)  # fmt: skip
        self._declare(learner_id, key, at)
        self._tell(at, "learner.created", learner_id)
        self._tell(at, "enrollment.created", enrollment_id, state="enrolled")
        self._tell(at, "enrollment.state_changed", enrollment_id, before="enrolled", state="active")
        self._submit(number, id_, enrollment_id, learner_id, key, context, at)

    def _declare(self, learner_id: str, key: PersonalKey, at: datetime) -> None:
        if self._random.random() < 0.3:
            return
        values = {dimension: self._random.choice(each) for dimension, each in ASKED.items()}
        plain = json.dumps(values).encode()
        sealed = key.seal(plain, table="demographic_declaration", row=learner_id, column="sealed_values")
        self._large.add(DemographicDeclaration, learner_id=learner_id, sealed_values=sealed, declared_at=at)
        self._tell(at, "demographics.declared", learner_id)

    def _submit(
        self, number: int, id_: str, enrollment_id: str, learner_id: str, key: PersonalKey, context: Mapping[str, str],
        at: datetime,
    ) -> None:  # fmt: skip
        """An attempt; of one in ten the screening wants something more first."""
        large = self._large
        statement = {
            "parts": {"overview": "The setting.", "reflection": "What I would do otherwise."},
            "impact": None,
            "context": context,
            "attestations": {"own_work": True, "ai_use": "none", "student_privacy": True},
        }
        sealed = key.seal(json.dumps(statement).encode(), table="submission", row=id_, column="sealed_statement")
        handed_in, accepted = at + timedelta(hours=6), at + timedelta(hours=18)
        decided = at + timedelta(days=self._random.randint(2, 9))
        self._tell(at, "submission.created", id_)
        for _ in range(ARTIFACTS):
            self._tell(at, "artifact.added", new_id())
            self._tell(at, "artifact.changed", new_id())
            self._tell(at, "submission.changed", id_)
        first_handed_in = handed_in
        if number % 10 == 0:
            first_handed_in = at
            returned = at + timedelta(hours=3)
            large.add(Screening, id=new_id(), submission_id=id_, outcome="returned_incomplete",
                      condition_codes=["missing_part"], screened_by=ACTOR, screened_at=returned)  # fmt: skip
            self._tell(at, "submission.submitted", id_)
            self._tell(returned, "submission.returned", id_)
        self._tell(handed_in, "submission.submitted", id_)
        self._tell(accepted, "submission.accepted", id_)
        self._tell(accepted, "submission.scoring", id_)
        levels, outcome = self._judge(id_, accepted, decided - timedelta(hours=6))
        large.add(
            Submission, id=id_, enrollment_id=enrollment_id, program_id=large.ids["program_id"], learner_id=learner_id,
            achievement_id=large.ids["achievement_id"], version=1, attempt=1, state="decided", held_by_screening=False,
            policy_version=1, banked=[], evidence=[], outcome=outcome, met=[], supported=False, sealed_statement=sealed,
            created_at=at, submitted_at=first_handed_in, accepted_at=accepted, resolved_at=decided - timedelta(hours=6),
            decided_at=decided, updated_at=decided,
        )  # fmt: skip
        large.add(Screening, id=new_id(), submission_id=id_, outcome="accepted", condition_codes=[], screened_by=ACTOR,
                  screened_at=accepted)  # fmt: skip
        large.add(ImpactFact, submission_id=id_, level=self._random.choice(("student", "team", "system", None)),
                  is_numeric=number % 2 == 0, has_enough=number % 3 == 0, noted_at=handed_in)  # fmt: skip
        self._tell(decided, "submission.resolved", id_)
        self._tell(decided, "submission.decided", id_)
        self._decide(number, id_, learner_id, levels, outcome, decided)

    def _judge(self, submission_id: str, accepted: datetime, at: datetime) -> tuple[dict[str, str], str]:
        """Readings and the scores of record: levels and recommendation."""
        truth = _true_levels(self._random, self._rubric)
        readers = self._random.sample(list(self._assessors), 3)
        read = [_by_key(self._rubric, _read(self._random, self._rubric, truth, leniency)) for _, _, leniency in readers]
        window = next((each for each in self._seeds if each[0].published_at <= accepted < each[0].ends_at), None)
        kinds = ["first"]
        if window is not None and is_selected(window[1], submission_id, window[0].rate):
            kinds.append("second_random")
        elif window is None or is_near_standard(self._rubric, read[0]):
            kinds.append("second_triggered")
        method = "single_reading"
        if len(kinds) == 2:
            agreement = compare(self._rubric, read[0], read[1])
            method = "expert_judgment" if agreement == "apart" else agreement
        if method == "expert_judgment":
            kinds.append("adjudication")
        ids = [self._read(submission_id, kind, reader, levels, accepted, at)
               for kind, reader, levels in zip(kinds, readers, read, strict=False)]  # fmt: skip
        record = read[2] if method == "expert_judgment" else read[0]
        outcome = recommend(self._rubric, record)
        self._large.add(Resolution, submission_id=submission_id, number=1, method=method, reading_ids=ids,
                        levels=[list(each) for each in record.items()], recommendation=outcome, resolved_at=at)  # fmt: skip
        return record, outcome

    def _read(
        self, submission_id: str, kind: str, reader: tuple[str, str, float], levels: Mapping[str, str], asked: datetime,
        at: datetime,
    ) -> str:  # fmt: skip
        id_, (assessor_id, code, _) = new_id(), reader
        trigger = {"second_triggered": "near_standard", "adjudication": "apart"}.get(kind)
        self._large.add(
            Reading, id=id_, program_id=self._large.ids["program_id"], submission_id=submission_id, kind=kind,
            trigger=trigger, state="submitted", assessor_id=assessor_id, assessor_code=code,
            levels=[list(each) for each in levels.items()], sealed_texts=b"", digest="0" * 64, created_at=asked,
            assigned_at=asked, due_at=asked + timedelta(days=5), started_at=asked, submitted_at=at, updated_at=at,
        )  # fmt: skip
        for what, moment in (("requested", asked), ("assigned", asked), ("started", asked), ("submitted", at)):
            self._tell(moment, f"reading.{what}", id_)
        return id_

    def _decide(
        self, number: int, submission_id: str, learner_id: str, levels: Mapping[str, str], outcome: str, at: datetime
    ) -> None:
        large, decision_id = self._large, new_id()
        of_version = {"achievement_id": large.ids["achievement_id"], "version": 1}
        large.add(
            Decision, id=decision_id, learner_id=learner_id, panel_id=large.ids["panel_id"], assessors=[self._assessors[0][1]],
            outcome=outcome, levels=[list(each) for each in levels.items()], decided_at=at, submission_id=submission_id,
            policy_version=1, sealed_details=b"", digest="0" * 64, recorded_by=ACTOR, recorded_at=at, **of_version,
        )  # fmt: skip
        self._tell(at, "decision.recorded", decision_id)
        self._tell(at, "decision.released", decision_id)
        if outcome != "awarded":
            return
        award_id, credential_id, edition_id = new_id(), new_id(), new_id()
        large.add(Award, id=award_id, decision_id=decision_id, learner_id=learner_id, created_at=at, **of_version)
        large.add(Credential, id=credential_id, award_id=award_id, learner_id=learner_id, view="detailed",
                  visibility="public", state="issued", edition_number=1, created_at=at, updated_at=at, **of_version)  # fmt: skip
        large.add(
            Edition, id=edition_id, credential_id=credential_id, decision_id=decision_id, learner_id=learner_id,
            identity_version=1, version=1, number=1, state="issued", valid_from=at, awarded_date=at,
            status_list_id=self._list_id, status_list_index=number, status_purpose="revocation", key_id=self._key_id,
            proof_created=at, unsecured_digest="0" * 64, sealed_unsecured=b"", created_at=at, issued_at=at,
        )  # fmt: skip
        self._tell(at, "credential.issued", credential_id, edition=1)

    def _tell(self, at: datetime, type_: str, object_id: str, **data: Any) -> None:
        self._position += 1
        self._large.add(Event, position=self._position, type=type_, object_type=type_.partition(".")[0], object_id=object_id,
                        data=data, occurred_at=at)  # fmt: skip


async def _insert(world: Resources, large: Large) -> None:
    """Table by table, those first that others refer to."""
    order = {table.name: place for place, table in enumerate(Table.metadata.sorted_tables)}
    for table in sorted(large.rows, key=lambda each: order[each.__tablename__]):
        rows = large.rows[table]
        for start in range(0, len(rows), BATCH):
            async with world.database.transaction() as session:
                await session.execute(insert(table), rows[start : start + BATCH])
    async with world.database.transaction() as session:
        counter = await session.get_one(EventCounter, large.ids["issuer_id"])
        counter.position = 2_000_000
    large.rows.clear()
