"""Request and response bodies of pathways."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, StrictBool, Tag

from app.identifiers import Identifier
from app.pathways.rule import Step
from app.pathways.store import Pathway, PathwayProposal, PathwayVersion, ProposalState
from app.web.fields import Body, ExternalId, Key, Line, Moment, Prose

Number = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
_MOST = 200


class AchievementMember(Body):
    """One achievement; the badge of another pathway may be one."""

    achievement_id: Identifier
    versions: list[Number] = Field(
        default_factory=list, max_length=50, description="Published versions that count; any, if left out."
    )


class GroupMember(Body):
    """The achievements of one of the pathway's groups, each for itself."""

    group: Key = Field(examples=["literacy"])


class SetRule(Body):
    """So many of these. An achievement counts once; a rule inside counts as one."""

    at_least: Number
    of: list["Member"] = Field(max_length=_MOST)
    name: Line | None = Field(
        default=None, description="What people call it; the name of its group, if it has only one."
    )


class AllRule(Body):
    """All of these."""

    all: list["Member"] = Field(max_length=_MOST)
    each_badge_once: StrictBool = Field(
        default=False,
        description="The members, which then are plain sets, share the badges out: one badge does not count for two of them. "
        "Left out, a badge counts in every set that names it.",
    )
    name: Line | None = None


def _kind_of_member(member: object) -> str | None:
    names = member if isinstance(member, dict) else getattr(type(member), "model_fields", ())
    kinds = {"achievement_id": "AchievementMember", "group": "GroupMember", "all": "AllRule", "of": "SetRule"}
    return next((kind for name, kind in kinds.items() if name in names), None)


def _kind_of_rule(rule: object) -> str:
    return "AllRule" if isinstance(rule, AllRule) or (isinstance(rule, dict) and "all" in rule) else "SetRule"


Rule = Annotated[Annotated[SetRule, Tag("SetRule")] | Annotated[AllRule, Tag("AllRule")], Discriminator(_kind_of_rule)]
Member = Annotated[
    Annotated[AchievementMember, Tag("AchievementMember")]
    | Annotated[GroupMember, Tag("GroupMember")]
    | Annotated[SetRule, Tag("SetRule")]
    | Annotated[AllRule, Tag("AllRule")],
    Discriminator(_kind_of_member),
]


class GroupBody(Body):
    """Achievements under a name: a domain, say, or a stack."""

    name: Line = Field(examples=["Literacy"])
    achievements: list[AchievementMember] = Field(max_length=_MOST)


class AwardedBody(Body):
    """The badge that the pathway leads to."""

    achievement_id: Identifier
    version: Number | None = Field(default=None, description="A published version; the newest when left out.")


class PathwayContent(Body):
    """What a version says."""

    name: Line = Field(examples=["School improvement leader"])
    description: Prose = Field(examples=["For leaders who have shown both parts of the work."])
    panel_id: Identifier = Field(description="The panel behind the components; the badge names it as its source.")
    awards: AwardedBody
    groups: dict[Key, GroupBody] = Field(default_factory=dict, max_length=50)
    rule: Rule

    def facts(self) -> dict[str, Any]:
        """The part that is stored as it is."""
        members = {"name", "description", "groups", "rule"}
        return self.model_dump(include=members, exclude_none=True, exclude_defaults=True) | {
            "groups": {key: group.model_dump(exclude_defaults=True) for key, group in self.groups.items()}
        }


class PathwayCreate(PathwayContent):
    external_id: ExternalId | None = None


class PathwayVersionOut(BaseModel):
    version: int
    state: Literal["draft", "published", "retired"]
    name: str
    description: str
    panel_id: Identifier
    awards: AwardedBody
    groups: dict[str, GroupBody]
    rule: Rule
    created_at: Moment
    updated_at: Moment
    published_at: Moment | None
    retired_at: Moment | None

    @classmethod
    def of(cls, version: PathwayVersion) -> "PathwayVersionOut":
        return cls.model_validate(
            {
                **version.content,
                "version": version.version,
                "state": version.state,
                "panel_id": version.panel_id,
                "awards": {"achievement_id": version.achievement_id, "version": version.achievement_version},
                "created_at": version.created_at,
                "updated_at": version.updated_at,
                "published_at": version.published_at,
                "retired_at": version.retired_at,
            }
        )


class PathwayOut(BaseModel):
    id: Identifier
    external_id: str | None
    versions: list[PathwayVersionOut] = Field(description="Oldest first. The newest published one is in force.")
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, pathway: Pathway, versions: list[PathwayVersion]) -> "PathwayOut":
        return cls(
            id=pathway.id,
            external_id=pathway.external_id,
            versions=[PathwayVersionOut.of(each) for each in versions if each.pathway_id == pathway.id],
            created_at=pathway.created_at,
            updated_at=pathway.updated_at,
        )


class StepOut(BaseModel):
    """A part of the rule, and how far the learner has come with it."""

    pointer: str = Field(description="JSON Pointer (RFC 6901) into the version.", examples=["/rule/all/2"])
    kind: Literal["achievement", "set", "all"]
    label: str | None = Field(examples=["Literacy"])
    met: bool
    earned: int
    needed: int
    counted: list[Identifier] = Field(description="The achievements that count.")
    sentence: str = Field(examples=["1 of 2 from Literacy"])
    of: list["StepOut"]

    @classmethod
    def of_step(cls, step: Step) -> "StepOut":
        return cls(
            pointer=step.pointer,
            kind=step.kind,
            label=step.label,
            met=step.met,
            earned=step.earned,
            needed=step.needed,
            counted=list(step.counted),
            sentence=step.sentence,
            of=[cls.of_step(each) for each in step.of],
        )


Stage = Literal["not_begun", "part", "met", "proposed", "awarded"]


class ProgressOut(BaseModel):
    """Where a learner is on a pathway."""

    pathway_id: Identifier
    version: int
    name: str
    learner_id: Identifier
    stage: Stage = Field(
        description="`met`: by the rule, and not proposed: an approver declined, or the service is about to propose it."
    )
    sentence: str = Field(examples=["2 of 4; still 1 from Literacy"])
    steps: StepOut
    proposal_id: Identifier | None
    credential_ids: list[Identifier] = Field(description="The learner's credentials that count.")


class LearnerPathwaysOut(BaseModel):
    learner_id: Identifier
    items: list[ProgressOut] = Field(description="Every pathway in force, by name.")


class ReasonBody(Body):
    reason: Prose


class ReviewBody(Body):
    """What is to become of a badge whose rule is not met any more."""

    outcome: Literal["kept", "revoked"]
    reason: Prose


class ProposalOut(BaseModel):
    """That a learner has met a pathway, and what became of it."""

    id: Identifier
    pathway_id: Identifier
    version: int
    learner_id: Identifier
    state: ProposalState
    credential_ids: list[Identifier] = Field(description="The components: the learner's credentials that count.")
    decision_id: Identifier | None
    reason: str | None = Field(description="Why it was declined, or its badge reviewed as it was; null after erasure.")
    proposed_at: Moment
    decided_at: Moment | None
    review_since: Moment | None = Field(
        description="Since when the rule is not met any more, though the badge was awarded; null: nothing is to be reviewed."
    )
    updated_at: Moment

    @classmethod
    def of(cls, proposal: PathwayProposal, reason: str | None) -> "ProposalOut":
        return cls(
            id=proposal.id,
            pathway_id=proposal.pathway_id,
            version=proposal.version,
            learner_id=proposal.learner_id,
            state=proposal.state,
            credential_ids=proposal.components,
            decision_id=proposal.decision_id,
            reason=reason,
            proposed_at=proposal.proposed_at,
            decided_at=proposal.decided_at,
            review_since=proposal.review_since,
            updated_at=proposal.updated_at,
        )
