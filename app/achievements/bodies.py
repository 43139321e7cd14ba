"""Request and response bodies of achievements: the rubric, the task, the settings."""

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    Discriminator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StringConstraints,
    Tag,
    field_validator,
    model_validator,
)

from app.achievements.store import (
    Achievement,
    AchievementVersion,
)
from app.identifiers import Identifier
from app.openbadges.badge_class import Notice
from app.openbadges.datatypes import AchievementType, AlignmentTargetType, IdentifierType, Language
from app.web.fields import Body, Email, ExternalId, Iri, Key, Line, Moment, NoticeOut, Prose, Url


def _decimal_text(text: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError('must be a decimal number written as text, like "3" or "2.5"') from None
    if not number.is_finite() or abs(number) > 1_000_000:
        raise ValueError("must be a finite number of at most 1,000,000")
    return text


DecimalText = Annotated[
    str,
    StringConstraints(pattern=r"^-?[0-9]{1,7}(\.[0-9]{1,4})?$"),
    AfterValidator(_decimal_text),
    Field(examples=["3"]),
]


_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_TARGET_CODES = {
    **dict.fromkeys(("ceterms:Credential", "ceasn:Competency", "CTDL"), (rf"ce-{_GUID}", "a CTID: ce- and a UUID")),
    **dict.fromkeys(
        ("CFItem", "CFRubric", "CFRubricCriterion", "CFRubricCriterionLevel"), (_GUID, "the GUID of the CASE object")
    ),
}
"""Target type -> the form its `target_code` has, where one is given (Credential Engine CTDL, 1EdTech CASE), in words too."""


class AlignmentBody(Body):
    """An Open Badges 3.0 Alignment: where in an outside framework this stands."""

    target_name: Line = Field(examples=["Equity and Cultural Responsiveness"])
    target_url: Url = Field(examples=["https://standards.example.org/3"])
    target_code: Line | None = Field(
        default=None,
        description="What the framework itself calls the target. For a CTDL target its CTID (`ce-` and a UUID), for a CASE "
        "target its GUID; a code for people then belongs into `target_name`.",
    )
    target_description: Prose | None = None
    target_framework: Line | None = None
    target_type: AlignmentTargetType | None = None

    @model_validator(mode="after")
    def _code_has_the_form_of_its_type(self) -> "AlignmentBody":
        form, words = _TARGET_CODES.get(self.target_type or "", (".*", ""))
        if self.target_code is not None and not re.fullmatch(form, self.target_code):
            raise ValueError(f"target_code of a target of type {self.target_type} must be {words}")
        return self


class StatementAlignmentBody(Body):
    """An alignment to something of a framework that was imported. What is stored is a whole alignment, written out from it."""

    statement: Annotated[str, StringConstraints(pattern=f"^{_GUID}$")] = Field(
        description="GUID of a statement, rubric, criterion or level of one of your frameworks.",
        examples=["8d0f1c5e-31f4-4d7a-9c55-0b2a6f1c7e10"],
    )


def _kind_of_alignment(alignment: object) -> str:
    is_statement = isinstance(alignment, dict) and "statement" in alignment
    return "StatementAlignment" if is_statement or isinstance(alignment, StatementAlignmentBody) else "Alignment"


AnyAlignment = Annotated[
    Annotated[AlignmentBody, Tag("Alignment")] | Annotated[StatementAlignmentBody, Tag("StatementAlignment")],
    Discriminator(_kind_of_alignment),
]


class IdentifierBody(Body):
    identifier: Line
    identifier_type: IdentifierType


class ParentOrganizationBody(Body):
    """The organization that a creator belongs to."""

    id: Iri
    name: Line
    url: Url | None = None


class CreatorBody(Body):
    """Profile of who designed the achievement, if not the issuer."""

    id: Iri
    name: Line
    url: Url | None = None
    description: Prose | None = None
    email: Email | None = Field(default=None, description="Stands in every badge; on no page.")
    phone: Line | None = None
    image: Url | None = Field(default=None, description="Where a logo is published.")
    official: Line | None = Field(default=None, description="Name of the organization's representative.")
    other_identifiers: list[IdentifierBody] = Field(default_factory=list, max_length=20)
    parent_org: ParentOrganizationBody | None = None


class CriteriaBody(Body):
    """What must be done to earn the achievement, for people."""

    narrative: Prose = Field(examples=["All criteria of the rubric at the level Demonstrated."])
    id: Url | None = Field(default=None, description="A page that describes the criteria.")


class LevelBody(Body):
    key: Key = Field(examples=["demonstrated"])
    name: Line = Field(examples=["Demonstrated"])
    description: Prose | None = Field(default=None, examples=["Several sources are brought together."])
    points: DecimalText | None = None


class CriterionBody(Body):
    """A criterion with its levels, lowest first."""

    key: Key = Field(examples=["problem"])
    lineage_id: Identifier | None = Field(
        default=None,
        description="Ties the criterion to itself in other versions, so that its statistics can be pooled. Given by the "
        "service to a new criterion and kept for the same key.",
    )
    name: Line = Field(examples=["Frames the problem of practice"])
    description: Prose | None = None
    alignments: list[AnyAlignment] = Field(default_factory=list, max_length=20)
    passing_level: Key = Field(examples=["demonstrated"])
    levels: list[LevelBody] = Field(min_length=2, max_length=6)

    @model_validator(mode="after")
    def _levels_are_distinct_and_one_passes(self) -> "CriterionBody":
        keys = [level.key for level in self.levels]
        if len(set(keys)) != len(keys):
            raise ValueError("two levels have the same key")
        if self.passing_level not in keys:
            raise ValueError(f"passing_level {self.passing_level!r} is not the key of a level")
        if self.passing_level == keys[0]:
            raise ValueError("passing_level is the lowest level: everybody would pass")
        return self


class AllRule(Body):
    """Conjunctive: every criterion at its passing level."""

    type: Literal["all"]


class AllButRule(Body):
    """At most `exceptions` criteria one level below passing, the mandatory ones never."""

    type: Literal["all_but"]
    exceptions: Annotated[int, Field(strict=True, ge=1, le=20)]
    mandatory: list[Key] = Field(default_factory=list, max_length=50)


class PointsRule(Body):
    """Compensatory: the points of the levels add up to at least `minimum`; mandatory criteria at their passing level."""

    type: Literal["points"]
    minimum: DecimalText
    mandatory: list[Key] = Field(default_factory=list, max_length=50)


class RubricBody(Body):
    criteria: list[CriterionBody] = Field(min_length=1, max_length=50)
    decision_rule: Annotated[AllRule | AllButRule | PointsRule, Field(discriminator="type")] = AllRule(type="all")

    @model_validator(mode="after")
    def _criteria_are_distinct_and_the_rule_knows_them(self) -> "RubricBody":
        keys = [criterion.key for criterion in self.criteria]
        if len(set(keys)) != len(keys):
            raise ValueError("two criteria have the same key")
        lineages = [criterion.lineage_id for criterion in self.criteria if criterion.lineage_id]
        if len(set(lineages)) != len(lineages):
            raise ValueError("two criteria have the same lineage_id")
        for key in getattr(self.decision_rule, "mandatory", ()):
            if key not in keys:
                raise ValueError(f"decision_rule.mandatory names {key!r}, which is not the key of a criterion")
        if isinstance(self.decision_rule, PointsRule):
            self._require_points()
        return self

    def _require_points(self) -> None:
        if any(level.points is None for criterion in self.criteria for level in criterion.levels):
            raise ValueError("a decision rule of type points needs points on every level")


class TaskPartBody(Body):
    key: Key
    kind: Literal["overview", "artifact", "reflection", "impact"]
    name: Line
    prompt: Prose


class TaskVariantBody(Body):
    """The task as it is set in one local context."""

    key: Key = Field(examples=["small-school"])
    name: Line
    prompt: Prose


class PerformanceTaskBody(Body):
    """The authentic task the educator carries out."""

    summary: Prose
    parts: list[TaskPartBody] = Field(min_length=1, max_length=20)
    variants: list[TaskVariantBody] = Field(
        default_factory=list,
        max_length=20,
        description="Forms of the task for local contexts, one of which a submission names. All are scored by the one rubric.",
    )

    @model_validator(mode="after")
    def _keys_are_distinct(self) -> "PerformanceTaskBody":
        for what, keyed in (("parts", self.parts), ("variants", self.variants)):
            if len({each.key for each in keyed}) != len(keyed):
                raise ValueError(f"two {what} have the same key")
        return self


class RequiredEvidenceBody(Body):
    """Evidence an award cannot do without: at least `minimum` pieces of this genre."""

    key: Key
    name: Line
    genre: Line
    description: Prose | None = None
    minimum: Annotated[int, Field(strict=True, ge=1, le=20)] = 1


ProofProfile = Literal[
    "eddsa-rdfc-2022", "ecdsa-rdfc-2019", "eddsa-jcs-2022", "ecdsa-jcs-2019", "Ed25519Signature2020", "proof-set",
    "ecdsa-sd-2023", "ob3-jwt", "vc-jose-cose",
]  # fmt: skip
"""What `app.credentials.profiles`, a room above, can make."""


class SettingsBody(Body):
    """Issuance settings. They may change without a new version and concern badges issued afterwards."""

    validity_days: Annotated[int, Field(strict=True, ge=1, le=36_525)] | None = Field(
        default=None, description="After how many days from the award a badge expires; null: never."
    )
    renewal_reminder_days: Annotated[int, Field(strict=True, ge=1, le=36_525)] | None = Field(
        default=None,
        description="How many days before a badge expires the event `credential.expiring` is recorded; null: never.",
    )
    status_purpose: Literal["revocation", "suspension"] = Field(
        default="revocation",
        description="The one status entry of a badge. Choose suspension where badges may have to be suspended and reinstated.",
    )
    visibility: Literal["private", "unlisted", "public"] = Field(
        default="unlisted", description="private: the badge's URL answers 404; unlisted: whoever has the URL sees it."
    )
    proof_profiles: list[ProofProfile] = Field(
        default=["eddsa-rdfc-2022"],
        min_length=1,
        max_length=20,
        description="In which forms a badge is signed, all of them when it is issued. `eddsa-rdfc-2022` is always among them and "
        "is what the badge's address answers. One that a badge cannot have is skipped (`GET /v1/credentials/{id}` says why).",
    )
    recipient_name: StrictBool = Field(default=False, description="Put the recipient's display name into the badge.")

    @field_validator("proof_profiles")
    @classmethod
    def _default_first(cls, names: list[ProofProfile]) -> list[ProofProfile]:
        return list(dict.fromkeys(["eddsa-rdfc-2022", *names]))

    @model_validator(mode="after")
    def _reminder_lies_within_the_validity(self) -> "SettingsBody":
        reminder, validity = self.renewal_reminder_days, self.validity_days
        if reminder is not None and (validity is None or reminder >= validity):
            raise ValueError("renewal_reminder_days must be less than validity_days")
        return self


class AchievementContent(Body):
    """What a version says: all Open Badges 3.0 Achievement fields, the rubric, the task and the evidence it wants."""

    name: Line = Field(examples=["Implementing Equitable Practices"])
    description: Prose = Field(examples=["Changes a practice so that every group of learners benefits."])
    achievement_type: AchievementType = "MicroCredential"
    criteria: CriteriaBody
    tags: list[Line] = Field(default_factory=list, max_length=50)
    in_language: Language | None = Field(default=None, examples=["en"])
    field_of_study: Line | None = None
    specialization: Line | None = None
    human_code: Line | None = None
    credits_available: Annotated[StrictFloat | StrictInt, Field(ge=0, le=1_000_000)] | None = None
    image_caption: Line | None = Field(default=None, description="Alternative text of the image.")
    creator: CreatorBody | None = None
    alignments: list[AnyAlignment] = Field(default_factory=list, max_length=50)
    other_identifiers: list[IdentifierBody] = Field(default_factory=list, max_length=20)
    translations: list[Identifier] = Field(
        default_factory=list,
        max_length=50,
        description="Ids of other achievements of yours that are this one in other languages; needs `in_language`. One side "
        "is enough. A version's document links (`related`) what is published when it is published; the document at the "
        "achievement's own URL links all there are.",
    )
    rubric: RubricBody
    performance_task: PerformanceTaskBody | None = None
    required_evidence: list[RequiredEvidenceBody] = Field(default_factory=list, max_length=20)

    @model_validator(mode="after")
    def _translations_have_a_language(self) -> "AchievementContent":
        if self.translations and self.in_language is None:
            raise ValueError("translations need in_language: give the language of this one")
        if len(set(self.translations)) != len(self.translations):
            raise ValueError("translations name an achievement twice")
        return self

    def facts(self) -> dict[str, Any]:
        return AchievementContent.model_validate(
            {name: getattr(self, name) for name in AchievementContent.model_fields}
        ).model_dump(exclude_none=True)


class AchievementCreate(AchievementContent):
    external_id: ExternalId | None = None
    settings: SettingsBody = SettingsBody()


class VersionOut(BaseModel):
    """A version. `document` is the Open Badges 3.0 Achievement that badges embed, from publication on."""

    version: int
    state: Literal["draft", "published", "retired"]
    url: str
    image_url: str
    content: dict[str, Any]
    content_hash: str | None = Field(description="SHA-256 over content and image; null for a draft.")
    document: dict[str, Any] | None
    created_at: Moment
    updated_at: Moment
    published_at: Moment | None
    retired_at: Moment | None

    @classmethod
    def of(cls, version: AchievementVersion, base_url: str) -> "VersionOut":
        return cls(
            version=version.version,
            state=version.state,
            url=f"{base_url}/achievements/{version.achievement_id}/v{version.version}",
            image_url=f"{base_url}/images/{version.image_digest}.png",
            content=version.content,
            content_hash=version.content_hash,
            document=version.document,
            created_at=version.created_at,
            updated_at=version.updated_at,
            published_at=version.published_at,
            retired_at=version.retired_at,
        )


class AchievementOut(BaseModel):
    id: Identifier
    external_id: str | None
    url: str
    settings: SettingsBody
    versions: list[VersionOut] = Field(description="Oldest first.")
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, achievement: Achievement, versions: list[AchievementVersion], base_url: str) -> "AchievementOut":
        return cls(
            id=achievement.id,
            external_id=achievement.external_id,
            url=f"{base_url}/achievements/{achievement.id}",
            settings=SettingsBody.model_validate(achievement.settings),
            versions=[VersionOut.of(version, base_url) for version in versions],
            created_at=achievement.created_at,
            updated_at=achievement.updated_at,
        )


class ImportedAchievementOut(AchievementOut):
    notices: list[NoticeOut] = Field(description="What did not come along, and what stands in until you replace it.")

    @classmethod
    def of_import(cls, imported: AchievementOut, notices: Iterable[Notice]) -> "ImportedAchievementOut":
        return cls(**dict(imported), notices=[NoticeOut(pointer=n.pointer, detail=n.detail) for n in notices])
