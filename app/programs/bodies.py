"""Request and response bodies of programs, cohorts, enrollments and affiliations."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints, model_validator

from app.achievements.store import AchievementVersion
from app.identifiers import Identifier
from app.learners.bodies import RecipientBody
from app.learners.recipients import Identities
from app.programs.enrollments import EnrollmentFacts
from app.programs.policies import list_changes
from app.programs.policy import ScoringPolicyBody
from app.programs.programs import ProgramFacts
from app.programs.store import Affiliation, AffiliationKind, Cohort, Enrollment, EnrollmentState, Program, ScoringPolicy
from app.web.fields import Body, ExternalId, Line, Moment, Prose


def _day_text(value: object) -> object:
    # Pydantic alone would also take numbers, and times.
    if isinstance(value, str) and re.fullmatch(r"(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}", value):
        return value
    raise ValueError("must be a day like 2026-09-01, from 1900 to 2199")


Day = Annotated[date, BeforeValidator(_day_text), Field(examples=["2026-09-01"])]
SchoolCode = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100, pattern=r"^[\x21-\x3f\x41-\x7e]+$"),
    Field(
        description="Your own code of where the learner works. An assessor with the same code does not read their work. "
        "Stored in the clear: visible ASCII characters without @.",
        examples=["MD-0417"],
    ),
]


class _Change(Body):
    """What is given is set, null removes, what is left out stays."""

    @model_validator(mode="after")
    def _changes_something(self) -> "_Change":
        if not self.model_fields_set:
            raise ValueError("give at least one member")
        return self

    def changes(self) -> dict[str, Any]:
        return self.model_dump(exclude_unset=True)


AchievementIds = Annotated[list[Identifier], Field(min_length=1, max_length=200)]


class ProgramCreate(Body):
    external_id: ExternalId | None = None
    name: Line = Field(examples=["Leadership Academy"])
    description: Prose | None = None
    panel_id: Identifier = Field(description="The panel whose members read. Badges name it as their source.")
    achievement_ids: AchievementIds = Field(
        description="What can be earned. Each has a published version, whose page shows the whole rubric to everybody."
    )
    policy: ScoringPolicyBody = Field(
        default=ScoringPolicyBody(), description="By which figures it judges; what is left out has the default."
    )

    def facts(self) -> ProgramFacts:
        return ProgramFacts(
            self.external_id, self.name, self.description, self.panel_id, self.achievement_ids, self.policy
        )


class ProgramChange(_Change):
    name: Line = Field(default="", validate_default=False)
    description: Prose | None = None
    panel_id: Identifier = Field(default="", validate_default=False)
    achievement_ids: AchievementIds = Field(default_factory=list, validate_default=False)


class OfferedOut(BaseModel):
    """An achievement that can be earned, and its public page: the rubric there is the one assessors read by."""

    id: Identifier
    version: int
    name: str
    url: str

    @classmethod
    def of(cls, version: AchievementVersion, base_url: str) -> "OfferedOut":
        return cls(
            id=version.achievement_id, version=version.version, name=str(version.content["name"]),
            url=f"{base_url}/achievements/{version.achievement_id}/v{version.version}",
        )  # fmt: skip


class ProgramOut(BaseModel):
    """A program. `policy_version` is the version of its scoring policy that is in force."""

    id: Identifier
    external_id: str | None
    name: str
    description: str | None
    panel_id: Identifier
    policy_version: int
    achievements: list[OfferedOut]
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, program: Program, offered: Iterable[AchievementVersion], base_url: str) -> "ProgramOut":
        return cls(
            id=program.id, external_id=program.external_id, name=program.name, description=program.description,
            panel_id=program.panel_id, policy_version=program.policy_version,
            achievements=[OfferedOut.of(version, base_url) for version in offered],
            created_at=program.created_at, updated_at=program.updated_at,
        )  # fmt: skip


class PolicyChangeOut(BaseModel):
    """A figure that differs from the version before."""

    pointer: str = Field(description="JSON Pointer (RFC 6901) into the policy.", examples=["/turnaround/reading_days"])
    before: Any
    after: Any


class PolicyOut(BaseModel):
    """One version of a scoring policy. `digest` is the SHA-256 (hex) of the policy's JSON, keys sorted, without spaces."""

    version: int
    policy: ScoringPolicyBody
    digest: str
    changes: list[PolicyChangeOut] = Field(description="Against the version before; empty for the first.")
    created_by: str
    created_at: Moment

    @classmethod
    def of(cls, row: ScoringPolicy, before: ScoringPolicy | None) -> "PolicyOut":
        changes = [] if before is None else list_changes(before.content, row.content)
        return cls(
            version=row.version, policy=ScoringPolicyBody.model_validate(row.content), digest=row.digest,
            changes=[PolicyChangeOut(pointer=c.pointer, before=c.before, after=c.after) for c in changes],
            created_by=row.created_by, created_at=row.created_at,
        )  # fmt: skip


class PoliciesOut(BaseModel):
    items: list[PolicyOut]


class CohortCreate(Body):
    external_id: ExternalId | None = None
    name: Line = Field(examples=["Fall 2026"])
    starts_on: Day | None = None
    ends_on: Day | None = None


class CohortChange(_Change):
    name: Line = Field(default="", validate_default=False)
    starts_on: Day | None = None
    ends_on: Day | None = None


class CohortOut(BaseModel):
    """A group that goes through a program together."""

    id: Identifier
    external_id: str | None
    program_id: Identifier
    name: str
    starts_on: date | None
    ends_on: date | None
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, cohort: Cohort) -> "CohortOut":
        return cls.model_validate(cohort, from_attributes=True)


class LocalContext(Body):
    """Where the learner works, as far as it does not tell who they are."""

    role: Line | None = Field(default=None, examples=["Assistant principal"])
    school_type: Line | None = Field(default=None, examples=["Middle school"])
    grade_band: Line | None = Field(default=None, examples=["6-8"])


class EnrollmentCreate(Body):
    external_id: ExternalId | None = None
    program_id: Identifier
    cohort_id: Identifier | None = None
    learner_id: Identifier | None = None
    recipient: RecipientBody | None = None
    state: Literal["invited", "enrolled"] = "enrolled"
    school: SchoolCode | None = None
    goal: Prose | None = Field(default=None, description="What the learner wants to be able to do.")
    problem_of_practice: Prose | None = None
    context: LocalContext = LocalContext()

    @model_validator(mode="after")
    def _names_somebody(self) -> "EnrollmentCreate":
        if (self.learner_id is None) == (self.recipient is None):
            raise ValueError("give either learner_id or recipient")
        return self

    def facts(self) -> EnrollmentFacts:
        known = self.recipient
        return EnrollmentFacts(
            external_id=self.external_id,
            program_id=self.program_id,
            cohort_id=self.cohort_id,
            learner_id=self.learner_id,
            recipient_external_id=known.external_id if known else None,
            recipient=known.identities() if known else Identities(),
            school=self.school,
            state=self.state,
            context={
                "goal": self.goal, "problem_of_practice": self.problem_of_practice, **self.context.model_dump()
            },
        )  # fmt: skip


class EnrollmentChange(_Change):
    """A learner may set goal, problem_of_practice and context; school and cohort are the program's."""

    cohort_id: Identifier | None = None
    school: SchoolCode | None = None
    goal: Prose | None = None
    problem_of_practice: Prose | None = None
    context: LocalContext = LocalContext()

    def changes(self) -> dict[str, Any]:
        """Flat: the members of `context` that were given stand beside the others."""
        given = self.model_dump(exclude_unset=True)
        return given | cast(dict[str, Any], given.pop("context", {}))


class StateBody(Body):
    state: Literal["enrolled", "active", "completed", "withdrawn", "lapsed"]


class EnrollmentOut(BaseModel):
    """A learner in a program. Goal, problem of practice and context are null once the learner was erased."""

    id: Identifier
    external_id: str | None
    program_id: Identifier
    program_name: str
    achievements: list[OfferedOut] = Field(description="What can be earned, each with the page that shows its rubric.")
    cohort_id: Identifier | None
    learner_id: Identifier
    school: str | None
    state: EnrollmentState
    goal: str | None
    problem_of_practice: str | None
    context: LocalContext
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, enrollment: Enrollment, program: ProgramOut, texts: Mapping[str, str | None]) -> "EnrollmentOut":
        """`texts` by `app.programs.enrollments.CONTEXT`; none after erasure."""
        return cls(
            id=enrollment.id, external_id=enrollment.external_id, program_id=program.id, program_name=program.name,
            achievements=program.achievements, cohort_id=enrollment.cohort_id, learner_id=enrollment.learner_id,
            school=enrollment.school, state=cast(EnrollmentState, enrollment.state), goal=texts.get("goal"),
            problem_of_practice=texts.get("problem_of_practice"),
            context=LocalContext(
                role=texts.get("role"), school_type=texts.get("school_type"), grade_band=texts.get("grade_band")
            ),
            created_at=enrollment.created_at, updated_at=enrollment.updated_at,
        )  # fmt: skip


class AffiliationCreate(Body):
    learner_id: Identifier
    person_id: Identifier = Field(description="The person who is not to read the learner's work.")
    kind: AffiliationKind


class AffiliationOut(BaseModel):
    """That a person stands too close to a learner to judge their work, until `ended_at`."""

    id: Identifier
    learner_id: Identifier
    person_id: Identifier
    kind: AffiliationKind
    declared_by: str
    created_at: Moment
    ended_at: Moment | None

    @classmethod
    def of(cls, affiliation: Affiliation) -> "AffiliationOut":
        return cls.model_validate(affiliation, from_attributes=True)


class AffiliationsOut(BaseModel):
    items: list[AffiliationOut]
