"""Request and response bodies of assessment panels."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from app.assessors.store import Panel, PanelKind
from app.identifiers import Identifier
from app.web.fields import Body, ExternalId, Line, Moment, Prose, Url


def _distinct(codes: list[str]) -> list[str]:
    if len(set(codes)) != len(codes):
        raise ValueError("an assessor is named twice")
    return codes


AssessorCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$"), Field(examples=["A-01"])]


AssessorCodes = Annotated[list[AssessorCode], Field(max_length=1_000), AfterValidator(_distinct)]

_MEMBERS = "Opaque codes of the assessors; never names or e-mail addresses."


class MembersBody(Body):
    members: AssessorCodes = Field(min_length=1, description=_MEMBERS)


class OrganizationBody(Body):
    """An organization, as badges name it."""

    name: Line = Field(examples=["State Department of Education"])
    url: Url | None = None


class PanelCreate(Body):
    kind: PanelKind = Field(
        default="panel",
        description="`external`: not a panel of yours but who judged earlier awards that you take over. It has no members.",
    )
    members: AssessorCodes = Field(
        default_factory=list, validate_default=True, description=f"{_MEMBERS} At least one, for a panel."
    )
    external_id: ExternalId | None = None
    name: Line = Field(examples=["Academy assessors"])
    description: Prose | None = Field(default=None, examples=["Seven certified assessors."])
    url: Url | None = None
    organization: OrganizationBody | None = Field(
        default=None, description="The partner whose panel it is, where that is not the issuer. Badges name it."
    )

    @field_validator("members")
    @classmethod
    def _has_members_if_it_is_a_panel(cls, members: list[str], info: ValidationInfo) -> list[str]:
        if info.data.get("kind") == "external" and members:
            raise ValueError("an external source has no members: leave them out")
        if info.data.get("kind") == "panel" and not members:
            raise PydanticCustomError("missing", "is missing")
        return members


class PanelOut(BaseModel):
    """A panel, or an external source. `uri` is the id its Profile has in badges."""

    id: Identifier
    kind: PanelKind
    external_id: str | None
    uri: str
    name: str
    description: str | None
    url: str | None
    members: list[str]
    organization: OrganizationBody | None
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, panel: Panel, base_url: str) -> "PanelOut":
        return cls(
            id=panel.id, kind=panel.kind, external_id=panel.external_id, uri=f"{base_url}/panels/{panel.id}", name=panel.name,
            description=panel.description, url=panel.url, members=panel.members,
            organization=_organization(panel), created_at=panel.created_at, updated_at=panel.updated_at,
        )  # fmt: skip


def _organization(panel: Panel) -> OrganizationBody | None:
    if panel.organization_name is None:
        return None
    return OrganizationBody.model_construct(name=panel.organization_name, url=panel.organization_url)
