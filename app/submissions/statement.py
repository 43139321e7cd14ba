"""What a learner says in a submission: the text of each part, the impact claim, the attestations. Sealed under their key."""

from typing import Annotated

from pydantic import Field, StrictBool

from app.keys.vault import PersonalKey
from app.submissions.store import Submission
from app.web.fields import Body, Key, Line, Prose


class WorkContext(Body):
    """Where the work was done, as far as it does not tell by whom."""

    role: Line | None = Field(default=None, examples=["Assistant principal"])
    school_type: Line | None = Field(default=None, examples=["Middle school"])
    grade_band: Line | None = Field(default=None, examples=["6-8"])


class ImpactClaim(Body):
    """What changed, measured: an indicator before and after."""

    indicator: Line = Field(examples=["Share of office referrals that went to Black students"])
    baseline: Line = Field(examples=["61 %"])
    follow_up: Line = Field(examples=["38 %"])
    n: Annotated[int, Field(strict=True, ge=0, le=10_000_000)] | None = None
    period: Line | None = Field(default=None, examples=["September 2025 to March 2026"])
    level: Annotated[str, Field(pattern="^(student|team|system)$")] = Field(default="student")


class Attestations(Body):
    """What the learner stands for. All of it is asked for at submission."""

    own_work: StrictBool = Field(default=False, description="The work is the learner's own, or the declared team's.")
    ai_use: Prose | None = Field(
        default=None,
        description="How generative AI was used; `none` if it was not.",
        examples=["none", "To shorten the summary."],
    )
    student_privacy: StrictBool = Field(default=False, description="No student can be identified.")
    permissions: StrictBool = Field(default=False, description="Who can be seen or heard has permitted it.")


class StatementBody(Body):
    """The learner's words. A draft may leave anything out."""

    parts: dict[Key, Prose] = Field(
        default_factory=dict, max_length=20, description="Text by the key of the part of the performance task."
    )
    impact: ImpactClaim | None = None
    attestations: Attestations = Attestations()
    narrative_consent: StrictBool = Field(
        default=False, description="Put the reflection, and the role it was written in, into the badge."
    )


class Statement(StatementBody):
    """As stored; `context` is the enrollment's as it was when the work was submitted."""

    context: WorkContext = WorkContext()


def seal_statement(key: PersonalKey, submission_id: str, statement: Statement) -> bytes:
    """What the row of a submission holds."""
    plain = statement.model_dump_json().encode()
    return key.seal(plain, table="submission", row=submission_id, column="sealed_statement")


def open_statement(key: PersonalKey, submission: Submission) -> Statement:
    """The pair of `seal_statement`. Raises Unreadable."""
    sealed = submission.sealed_statement
    return Statement.model_validate_json(
        key.open(sealed, table="submission", row=submission.id, column="sealed_statement")
    )
