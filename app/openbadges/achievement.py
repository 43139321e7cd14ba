"""Achievement: what is awarded, by what criteria, and how results are described."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from app.openbadges.datatypes import (
    AchievementType,
    AlignmentTargetType,
    CompactJws,
    Credits,
    Iri,
    Language,
    MustName,
    ResultType,
    StrictClass,
    Text,
    Url,
)
from app.openbadges.profile import EndorsementCredential, IdentifierEntry, Image, Profile


class Criteria(StrictClass):
    """How the achievement is earned: a page, a narrative in Markdown, or both; never neither."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    id: Iri | None = None
    narrative: Text | None = None

    @model_validator(mode="after")
    def _require_one(self) -> Self:
        if self.id is None and self.narrative is None:
            raise ValueError("criteria have an id, a narrative, or both")
        return self


class Alignment(StrictClass):
    """An object of a framework that this corresponds to."""

    type: Annotated[list[Text], MustName("Alignment")]
    target_code: Text | None = None
    target_description: Text | None = None
    target_name: Text
    target_framework: Text | None = None
    target_type: AlignmentTargetType | None = None
    target_url: Url


class Related(StrictClass):
    """Another version or translation of the achievement."""

    id: Iri
    type: Annotated[list[Text], MustName("Related")]
    in_language: Language | None = None
    version: Text | None = None


class RubricCriterionLevel(StrictClass):
    """One level of a criterion. `points` is text: it is compared and shown, not computed with."""

    id: Iri
    type: Annotated[list[Text], MustName("RubricCriterionLevel")]
    name: Text
    alignment: Annotated[list[Alignment], Field(min_length=1)] | None = None
    description: Text | None = None
    level: Text | None = None
    points: Text | None = None


class ResultDescription(StrictClass):
    """A result an award may or must have.

    `rubric_criterion_level` and `allowed_value` run low to high; a result must reach `required_level` or
    `required_value`.
    """

    id: Iri
    type: Annotated[list[Text], MustName("ResultDescription")]
    name: Text
    result_type: ResultType
    alignment: Annotated[list[Alignment], Field(min_length=1)] | None = None
    allowed_value: Annotated[list[Text], Field(min_length=1)] | None = None
    required_level: Iri | None = None
    required_value: Text | None = None
    rubric_criterion_level: Annotated[list[RubricCriterionLevel], Field(min_length=1)] | None = None
    value_max: Text | None = None
    value_min: Text | None = None


class Achievement(StrictClass):
    """One version of an achievement, in one language."""

    id: Iri
    type: Annotated[list[Text], MustName("Achievement")]
    name: Text
    description: Text
    achievement_type: AchievementType | None = None
    criteria: Criteria
    creator: Profile | None = None
    image: Image | None = None
    version: Text | None = None
    in_language: Language | None = None
    field_of_study: Text | None = None
    specialization: Text | None = None
    human_code: Text | None = None
    credits_available: Credits | None = None
    tag: Annotated[list[Text], Field(min_length=1)] | None = None
    alignment: Annotated[list[Alignment], Field(min_length=1)] | None = None
    other_identifier: Annotated[list[IdentifierEntry], Field(min_length=1)] | None = None
    related: Annotated[list[Related], Field(min_length=1)] | None = None
    result_description: Annotated[list[ResultDescription], Field(min_length=1)] | None = None
    endorsement: Annotated[list[EndorsementCredential], Field(min_length=1)] | None = None
    endorsement_jwt: Annotated[list[CompactJws], Field(min_length=1)] | None = None
