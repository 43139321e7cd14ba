"""Request and response bodies of changes of identity."""

from typing import Annotated, Literal, cast

from pydantic import (
    BaseModel,
    Field,
    StrictBool,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from app.identifiers import Identifier
from app.identity.change import Changed
from app.identity.merge import Merged
from app.learners.bodies import IdentitiesBody, LearnerOut
from app.web.fields import Body, Did, Email

_FORMS: dict[str, TypeAdapter[str]] = {"email": TypeAdapter(Email), "did": TypeAdapter(Did)}


class LearnerChange(IdentitiesBody):
    """What is given is set, null removes, what is left out stays."""

    @model_validator(mode="after")
    def _changes_something(self) -> "LearnerChange":
        if not self.model_fields_set:
            raise ValueError("give at least one of external_id, name, email, did")
        return self

    def changes(self) -> dict[str, str | None]:
        return cast(dict[str, str | None], self.model_dump(exclude_unset=True))


class IdentityCreate(Body):
    kind: Literal["email", "did"]
    value: Annotated[str, StringConstraints(min_length=1, max_length=600)] = Field(
        examples=["ada.example@mail.example.org"]
    )
    primary: StrictBool = Field(
        default=False,
        description="Whether badges are to carry it in place of the one before. The first of its kind always is.",
    )

    @field_validator("value")
    @classmethod
    def _has_the_form_of_its_kind(cls, value: str, info: ValidationInfo) -> str:
        form = _FORMS.get(info.data.get("kind", ""))
        try:
            return value if form is None else form.validate_python(value)
        except ValidationError:  # which would quote the value
            raise ValueError("does not have the form of its kind") from None


class MergeOrder(Body):
    learner_id: Identifier = Field(description="The learner who is merged into the one in the path, and ends.")


class LearnerChanged(LearnerOut):
    reissuing: int = Field(
        description="How many badges are signed anew because of it, within seconds: `credential.reissued` in the events tells "
        "of each. Suspended badges follow when they are reinstated."
    )

    @classmethod
    def after(cls, changed: Changed) -> "LearnerChanged":
        return cls(**cls.facts(changed.learner, changed.known), reissuing=changed.reissuing)


class Duplicate(BaseModel):
    """Badges in force of one achievement that the learner holds more than one of."""

    achievement_id: Identifier
    credential_ids: list[Identifier]


class LearnersMerged(LearnerChanged):
    duplicates: list[Duplicate] = Field(
        description="Where the learner now holds several badges of one achievement. All stay; revoke what is too many."
    )

    @classmethod
    def of_merged(cls, merged: Merged) -> "LearnersMerged":
        return cls(
            **cls.facts(merged.learner, merged.known),
            reissuing=merged.reissuing,
            duplicates=[
                Duplicate(achievement_id=achievement_id, credential_ids=list(ids))
                for achievement_id, ids in merged.duplicates.items()
            ],
        )
