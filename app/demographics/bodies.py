"""Request and response bodies of demographics."""

from pydantic import BaseModel, Field

from app.demographics.vocabulary import VocabularyBody
from app.identifiers import Identifier
from app.web.fields import Body, Key, Moment


class DeclarationBody(Body):
    values: dict[Key, Key] = Field(
        max_length=6,
        description="A value by dimension, of the issuer's vocabulary or `prefer-not-to-say`; dimensions may be left out.",
        examples=[{"gender": "woman", "school-type": "prefer-not-to-say"}],
    )


class VocabularyOut(VocabularyBody):
    updated_at: Moment


class OwnDemographics(BaseModel):
    """What the learner who asks says of themselves."""

    values: dict[str, str]
    declared_at: Moment | None = Field(description="Null where nothing is said.")


class DeclarationOut(BaseModel):
    """That something is said, not what."""

    learner_id: Identifier
    declared_at: Moment | None = Field(description="Null once it was withdrawn.")
