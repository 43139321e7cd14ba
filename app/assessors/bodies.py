"""Request and response bodies of assessment panels."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from app.assessors.store import Panel
from app.identifiers import Identifier
from app.web.fields import Body, ExternalId, Line, Moment, Prose, Url


def _distinct(codes: list[str]) -> list[str]:
    if len(set(codes)) != len(codes):
        raise ValueError("an assessor is named twice")
    return codes


AssessorCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$"), Field(examples=["A-01"])]


AssessorCodes = Annotated[list[AssessorCode], Field(min_length=1, max_length=1_000), AfterValidator(_distinct)]


class MembersBody(Body):
    members: AssessorCodes = Field(description="Opaque codes of the assessors; never names or e-mail addresses.")


class PanelCreate(MembersBody):
    external_id: ExternalId | None = None
    name: Line = Field(examples=["Academy assessors"])
    description: Prose | None = Field(default=None, examples=["Seven certified assessors."])
    url: Url | None = None


class PanelOut(BaseModel):
    """A panel. `uri` is the id its Profile has in badges."""

    id: Identifier
    external_id: str | None
    uri: str
    name: str
    description: str | None
    url: str | None
    members: list[str]
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, panel: Panel, base_url: str) -> "PanelOut":
        return cls(
            id=panel.id, external_id=panel.external_id, uri=f"{base_url}/panels/{panel.id}", name=panel.name,
            description=panel.description, url=panel.url, members=panel.members, created_at=panel.created_at,
            updated_at=panel.updated_at,
        )  # fmt: skip
