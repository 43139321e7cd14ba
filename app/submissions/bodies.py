"""Request and response bodies of submissions and teams."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StrictBool

from app.identifiers import Identifier
from app.keys.vault import PersonalKey
from app.submissions.artifacts import open_details
from app.submissions.draft import AttemptFacts, tell_state
from app.submissions.screen import ScreeningOutcome, open_note
from app.submissions.statement import Statement
from app.submissions.store import Artifact, ConditionCode, Screening, Submission, Team
from app.web.fields import Body, ExternalId, Key, Line, Moment, Prose, Url

OutwardState = Literal[
    "draft", "submitted", "returned_incomplete", "accepted", "scoring", "decided", "withdrawn", "on_hold", "void"
]


class SubmissionCreate(Body):
    """An attempt at an achievement."""

    enrollment_id: Identifier
    achievement_id: Identifier
    version: Annotated[int, Field(strict=True, ge=1, le=100_000)] | None = Field(
        default=None, description="A published version; left out, the newest one."
    )
    variant: Key | None = Field(default=None, description="Key of a variant of the version's performance task.")
    team_id: Identifier | None = Field(default=None, description="The team the work was done in.")
    external_id: ExternalId | None = None

    def facts(self) -> AttemptFacts:
        return AttemptFacts(self.achievement_id, self.version, self.variant, self.team_id, self.external_id)


class ArtifactCreate(Body):
    """A URL, or without `url` a file, which is then uploaded to the artifact's `file`."""

    part: Key = Field(description="Key of the part of the performance task.", examples=["artifacts"])
    name: Line = Field(examples=["Equity audit"])
    genre: Line | None = Field(
        default=None, description="What kind of evidence it is, as `required_evidence` of the achievement names it."
    )
    description: Prose | None = None
    url: Url | None = Field(default=None, description="An http or https address. It is not fetched.")
    consent: StrictBool = Field(default=False, description="The badge may name it.")
    shared: StrictBool = Field(default=False, description="It is evidence of the team's other submissions too.")


class ArtifactChange(Body):
    """Members left out stay as they are."""

    name: Line = "-"
    description: Prose | None = None
    genre: Line | None = None
    consent: StrictBool = False
    shared: StrictBool = False


class ScreeningCreate(Body):
    outcome: ScreeningOutcome
    condition_codes: list[ConditionCode] = Field(
        default_factory=list, max_length=10, description="Why the work cannot be scored as it is."
    )
    note: Prose | None = Field(default=None, description="For the learner, who reads it.")


class SupportCreate(Body):
    note: Prose = Field(examples=["A coach will go through the feedback with the learner on Thursday."])


class TeamCreate(Body):
    program_id: Identifier
    name: Line = Field(examples=["Team North"])
    enrollment_ids: list[Identifier] = Field(min_length=1, max_length=50)


class TeamMembersBody(Body):
    enrollment_ids: list[Identifier] = Field(max_length=50)


class ArtifactOut(BaseModel):
    """`digest` is SHA-256 of the file; without one the file was not uploaded yet."""

    id: Identifier
    part: str
    kind: Literal["file", "url"]
    name: str
    genre: str | None
    description: str | None
    url: str | None
    media_type: str | None
    size: int | None
    digest: str | None
    consent: bool
    shared: bool
    created_at: Moment

    @classmethod
    def of(cls, artifact: Artifact, key: PersonalKey) -> "ArtifactOut":
        details = open_details(key, artifact)
        return cls(
            id=artifact.id,
            part=artifact.part,
            kind=artifact.kind,
            name=details.name,
            genre=artifact.genre,
            description=details.description,
            url=details.url,
            media_type=artifact.media_type,
            size=artifact.size,
            digest=artifact.digest,
            consent=artifact.consent,
            shared=artifact.shared,
            created_at=artifact.created_at,
        )


class SharedArtifactOut(ArtifactOut):
    """What a team mate shares."""

    submission_id: Identifier

    @classmethod
    def of(cls, artifact: Artifact, key: PersonalKey) -> "SharedArtifactOut":
        own = ArtifactOut.of(artifact, key)
        return cls(submission_id=artifact.submission_id, **own.model_dump())


class ScreeningOut(BaseModel):
    id: Identifier
    outcome: ScreeningOutcome
    condition_codes: list[ConditionCode]
    note: str | None
    screened_at: Moment

    @classmethod
    def of(cls, screening: Screening, key: PersonalKey) -> "ScreeningOut":
        return cls(
            id=screening.id,
            outcome=screening.outcome,
            condition_codes=screening.condition_codes,
            note=open_note(key, screening),
            screened_at=screening.screened_at,
        )


class ScreeningTask(BaseModel):
    """A submission that waits to be screened, without whose it is."""

    submission_id: Identifier
    program_id: Identifier
    achievement_id: Identifier
    version: int
    due_at: Moment | None

    @classmethod
    def of(cls, submission: Submission) -> "ScreeningTask":
        return cls(
            submission_id=submission.id,
            program_id=submission.program_id,
            achievement_id=submission.achievement_id,
            version=submission.version,
            due_at=submission.screening_due_at,
        )


class BankedOut(BaseModel):
    """A criterion that an earlier attempt met: it is not read again."""

    criterion: str
    level: str
    decision_id: Identifier


class SubmissionSummary(BaseModel):
    """A submission without what the learner says in it."""

    id: Identifier
    external_id: str | None
    enrollment_id: Identifier
    program_id: Identifier
    learner_id: Identifier
    achievement_id: Identifier
    version: int
    attempt: int
    team_id: Identifier | None
    variant: str | None
    state: OutwardState = Field(description="`scoring` lasts until the decision, however it is come to.")
    policy_version: int | None = Field(
        description="Of the program's scoring policy; pinned when the work was handed in."
    )
    support: bool = Field(description="Support was offered before this attempt.")
    support_offered_at: Moment | None = Field(description="When support was offered after this attempt.")
    screening_due_at: Moment | None
    created_at: Moment
    submitted_at: Moment | None
    accepted_at: Moment | None
    decided_at: Moment | None

    @classmethod
    def of(cls, submission: Submission) -> "SubmissionSummary":
        return cls(
            id=submission.id,
            external_id=submission.external_id,
            enrollment_id=submission.enrollment_id,
            program_id=submission.program_id,
            learner_id=submission.learner_id,
            achievement_id=submission.achievement_id,
            version=submission.version,
            attempt=submission.attempt,
            team_id=submission.team_id,
            variant=submission.variant,
            state=tell_state(submission),
            policy_version=submission.policy_version,
            support=submission.supported,
            support_offered_at=submission.support_offered_at,
            screening_due_at=submission.screening_due_at,
            created_at=submission.created_at,
            submitted_at=submission.submitted_at,
            accepted_at=submission.accepted_at,
            decided_at=submission.decided_at,
        )


class SubmissionOut(SubmissionSummary):
    """A submission with everything in it."""

    banked: list[BankedOut]
    statement: Statement
    artifacts: list[ArtifactOut] = Field(description="The submission's own, oldest first.")
    shared_artifacts: list[SharedArtifactOut] = Field(description="What team mates share with it.")
    screenings: list[ScreeningOut] = Field(description="Oldest first.")


class TeamOut(BaseModel):
    id: Identifier
    program_id: Identifier
    name: str
    enrollment_ids: list[Identifier]
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, team: Team, enrollment_ids: list[str]) -> "TeamOut":
        return cls(
            id=team.id,
            program_id=team.program_id,
            name=team.name,
            enrollment_ids=enrollment_ids,
            created_at=team.created_at,
            updated_at=team.updated_at,
        )
