"""Answers about frameworks. What comes in and goes out as a framework is a CFPackage, in the members of CASE."""

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, Field

from app.case.read import Notice
from app.frameworks.store import Framework, FrameworkObject
from app.identifiers import Identifier
from app.web.fields import Moment, NoticeOut

ObjectType = Literal["CFItem", "CFRubric", "CFRubricCriterion", "CFRubricCriterionLevel"]


class FrameworkOut(BaseModel):
    """A framework as its newest version has it."""

    id: Identifier
    identifier: str = Field(description="GUID of its CFDocument.")
    title: str
    creator: str
    adoption_status: str | None
    version: int = Field(description="Counts from 1 with every import that changed something.")
    statements: int = Field(description="How many CFItems it has.")
    rubrics: int
    url: str | None = Field(description="Where its CFPackage is published; null for a private draft.")
    last_change_at: Moment = Field(description="The latest `lastChangeDateTime` in it.")
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, framework: Framework, case_url: str) -> "FrameworkOut":
        """`case_url` is that of the issuer's CASE endpoints."""
        return cls(
            id=framework.id,
            identifier=framework.identifier,
            title=framework.document["title"],
            creator=framework.document["creator"],
            adoption_status=framework.document.get("adoptionStatus"),
            version=framework.version,
            statements=framework.statements,
            rubrics=framework.rubrics,
            url=f"{case_url}/CFPackages/{framework.identifier}" if framework.is_public else None,
            last_change_at=framework.last_change_at,
            created_at=framework.created_at,
            updated_at=framework.updated_at,
        )


class ImportedFrameworkOut(FrameworkOut):
    notices: list[NoticeOut] = Field(description="What is not as it was sent, and what leads out of the framework.")

    @classmethod
    def of_import(cls, imported: FrameworkOut, notices: Iterable[Notice]) -> "ImportedFrameworkOut":
        return cls(**dict(imported), notices=[NoticeOut(pointer=n.pointer, detail=n.detail) for n in notices])


class StatementOut(BaseModel):
    """What an alignment may name, by its GUID."""

    position: int = Field(description="Its place in the framework.")
    identifier: str = Field(description="Its GUID: send it as `statement` of an alignment.")
    type: str = Field(description="Its class in CASE.", examples=["CFItem"])
    uri: str
    text: str = Field(description="The full statement; of a level its quality.")
    human_coding_scheme: str | None
    item_type: str | None = Field(examples=["Standard"])

    @classmethod
    def of(cls, found: FrameworkObject) -> "StatementOut":
        return cls(
            position=found.position,
            identifier=found.identifier,
            type=found.type,
            uri=found.body["uri"],
            text=found.text,
            human_coding_scheme=found.code,
            item_type=found.label,
        )


class StatementsOut(BaseModel):
    """Statements in the order of the framework. Ask again with `after=last` until there are none."""

    items: list[StatementOut]
    last: int = Field(description="Position of the last item, or `after` when there was none.")
