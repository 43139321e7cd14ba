"""Request and response bodies of recognitions."""

import base64
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator

from app.identifiers import Identifier
from app.recognition.store import Outcome, RecipientMatch, Recognition, RecognizedBadge, Standing
from app.web.fields import Body, ExternalId, Iri, Line, Moment

MAX_BADGES = 200


def _require_base64(text: str) -> str:
    base64.b64decode(text, validate=True)
    return text


Base64 = Annotated[str, AfterValidator(_require_base64)]
Credit = Annotated[
    str,
    StringConstraints(pattern=r"^(0|[1-9][0-9]{0,3})(\.[0-9]{1,2})?$"),
    Field(description="A decimal number with at most two places, as text.", examples=["15", "7.5"]),
]


class Mapped(Body):
    """What an achievement is worth. A badge counts only where its `issuer` issued it: anybody can name anybody's achievement."""

    achievement_id: Identifier | None = Field(
        default=None, description="One of this issuer's achievements, any version."
    )
    achievement: Iri | None = Field(
        default=None,
        description="Else the achievement's `id`, as badges have it.",
        examples=["https://badges.example.org/achievements/4f1c"],
    )
    issuer: Iri | None = Field(
        default=None,
        description="The `id` of the issuer of the badges; with `achievement` only.",
        examples=["did:web:badges.example.org:issuers:a"],
    )
    credit: Credit

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.achievement_id is None) == (self.achievement is None):
            raise ValueError("give either `achievement_id` or `achievement`")
        if (self.achievement is None) != (self.issuer is None):
            raise ValueError("give `issuer` with `achievement`, and only then")
        if Decimal(self.credit) == 0:
            raise ValueError("`credit` must be more than 0")
        return self


class HandedIn(Body):
    """A badge, or where it is: one of the three."""

    credential: dict[str, Any] | None = Field(
        default=None, description="The badge: a secured Open Badges 3.0 credential."
    )
    url: str | None = Field(default=None, min_length=1, max_length=2048, description="The https URL of the badge.")
    picture: Base64 | None = Field(default=None, description="The PNG or SVG that the badge is baked into, in base64.")
    recipient: str | None = Field(
        default=None, min_length=1, max_length=600,
        description="Whose badge it is to be: the e-mail address or other identifier that the badge names, compared as it is "
        "written. It is not stored.",
    )  # fmt: skip
    reference: ExternalId | None = Field(default=None, description="Your own name for this line of the answer.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if [self.credential, self.url, self.picture].count(None) != 2:
            raise ValueError("give one of `credential`, `url` and `picture`")
        return self


class RecognitionCreate(Body):
    unit: Line = Field(description="What the credits are.", examples=["renewal hours"])
    mapping: list[Mapped] = Field(min_length=1, max_length=MAX_BADGES)
    badges: list[HandedIn] = Field(min_length=1, max_length=MAX_BADGES)


class VerificationsCreate(Body):
    """Badges of this service are looked at without being handed in again."""

    badges: list[HandedIn] = Field(default_factory=list, max_length=MAX_BADGES)


class RecognizedOut(BaseModel):
    """What became of one badge."""

    number: int = Field(description="Its place among the badges handed in, from 1.")
    reference: str | None
    achievement: str | None = Field(description="The achievement's `id`, where the badge is valid.")
    issuer: str | None = Field(description="The `id` of the badge's issuer, where the badge is valid.")
    valid: bool | None = Field(description="Null where it could not be verified at the moment.")
    reasons: list[str] = Field(
        description="Codes of the checks that failed, as of `POST /v1/verify`.", examples=[["revoked"]]
    )
    recipient: RecipientMatch
    outcome: Outcome
    credit: str | None
    standing: Standing = Field(description="Whether it was valid when it was looked at last.")
    standing_reasons: list[str]
    verified_at: Moment

    @classmethod
    def of(cls, badge: RecognizedBadge) -> "RecognizedOut":
        """Nothing is said of a badge that is not valid: what it claims is nobody's word."""
        facts = {name: getattr(badge, name) for name in cls.model_fields if name != "issuer"}
        return cls.model_validate(facts | {"issuer": badge.badge_issuer})


class RecognitionLine(BaseModel):
    id: Identifier
    unit: str
    credit: str = Field(description="The sum granted.")
    standing_credit: str = Field(description="Of that, of badges that stood when they were looked at last.")
    granted: int
    created_at: Moment
    updated_at: Moment

    @classmethod
    def facts(cls, recognition: Recognition, badges: Sequence[RecognizedBadge]) -> Mapping[str, Any]:
        granted = [each for each in badges if each.recognition_id == recognition.id and each.credit is not None]
        return {
            "id": recognition.id,
            "unit": recognition.unit,
            "credit": _sum(granted),
            "standing_credit": _sum([each for each in granted if each.standing == "stands"]),
            "granted": len(granted),
            "created_at": recognition.created_at,
            "updated_at": recognition.updated_at,
        }

    @classmethod
    def of(cls, recognition: Recognition, badges: Sequence[RecognizedBadge]) -> "RecognitionLine":
        return cls.model_validate(cls.facts(recognition, badges))


class RecognitionOut(RecognitionLine):
    mapping: list[Mapped]
    badges: list[RecognizedOut] = Field(description="In the order they were handed in.")

    @classmethod
    def of(cls, recognition: Recognition, badges: Sequence[RecognizedBadge]) -> "RecognitionOut":
        told = [RecognizedOut.of(each) for each in badges]
        return cls.model_validate({**cls.facts(recognition, badges), "mapping": recognition.mapping, "badges": told})


def _sum(badges: Sequence[RecognizedBadge]) -> str:
    total = sum((Decimal(each.credit or 0) for each in badges), Decimal(0))
    return str(total)
