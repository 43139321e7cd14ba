"""Achievements: each JSON object becomes a draft, and is published on request.

An object is a body of POST /v1/achievements with its `external_id`, or a BadgeClass of Open Badges 2.0, whose id becomes its
external id. What is there already is found by it.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Tenant
from app.achievements.badge_class import PreparedDraft, draft_from_badge_class, prepare_draft
from app.achievements.bodies import AchievementCreate, SettingsBody
from app.achievements.store import (
    Achievement,
    AchievementVersion,
    find_by_external_id,
    list_versions,
    lock_version,
)
from app.achievements.versions import create_achievement, publish_version
from app.errors import Fault
from app.imports.mapping import RefusedRow, as_external_id
from app.imports.reading import Row
from app.imports.report import Outcome, ReportLine
from app.imports.run import Entered
from app.resources import Resources
from app.web.problems import faults_of


@dataclass(frozen=True, slots=True)
class Definition:
    """An achievement as it comes in: a body of ours, or a BadgeClass made ready."""

    external_id: str
    body: AchievementCreate | None = None
    badge_class: PreparedDraft | None = None


@dataclass(slots=True)
class AchievementImport:
    """An import of definitions. With `publish` the drafts are published."""

    world: Resources
    tenant: Tenant
    publish: bool = False
    _lines: dict[str, int] = field(default_factory=dict)

    async def prepare(self, row: Row) -> Definition:
        """Raises RefusedRow with all faults of the row, InvalidBadgeClass."""
        if row.faults:
            raise RefusedRow("The row cannot be read.", faults=row.faults)
        if row.fields.get("type") == "BadgeClass" or "BadgeClass" in _list_of(row.fields.get("type")):
            external_id = _id_of_badge_class(row.fields.get("id"))
            return Definition(external_id, badge_class=await prepare_draft(self.world.outbound, row.fields))
        try:
            body = AchievementCreate.model_validate(row.fields)
        except ValidationError as error:
            raise RefusedRow("The row does not fit.", faults=faults_of(error, row.fields)) from None
        if body.external_id is None:
            cure = "give it one: without it a second run could not find what the first made"
            raise RefusedRow("The row has no id.", faults=[Fault("/external_id", "is missing", cure)])
        return Definition(body.external_id, body)

    async def enter(self, session: AsyncSession, row: Row, prepared: Definition) -> Entered:
        """Draft the achievement unless it is there. Raises RefusedRow, and what drafting and publishing raise."""
        first = self._lines.setdefault(prepared.external_id, row.line)
        if first != row.line:
            fault = Fault("/external_id", f"is in line {first} already", "keep one of them")
            raise RefusedRow("The row repeats another.", faults=[fault])
        outcome: Outcome = "already there"
        achievement = await find_by_external_id(session, self.tenant.issuer_id, prepared.external_id)
        if achievement is None:
            achievement, version = await self._draft(session, prepared)
            outcome = "created"
        else:
            version = await self._find_version(session, achievement, prepared)
        if self.publish and version.state == "draft":
            version = await lock_version(session, self.tenant.issuer_id, achievement.id, version.version)
            await publish_version(
                session, self.world, achievement, version, actor=self.tenant.actor, now=self.world.clock.now()
            )
            outcome = "published"
        url = f"{self.world.base_url}/achievements/{achievement.id}"
        return Entered(ReportLine(row.line, outcome, prepared.external_id, achievement.id, url))

    async def finish(self) -> AsyncIterator[ReportLine]:
        """Nothing: an achievement is drafted in one transaction."""
        return
        yield

    def own_id(self, row: Row) -> str:
        return as_external_id(row.fields.get("external_id"))

    def fault(self, fault: Fault) -> str:
        return f"{fault.pointer} {fault.detail}".strip() + (f": {fault.cure}" if fault.cure else "")

    async def _draft(self, session: AsyncSession, prepared: Definition) -> tuple[Achievement, AchievementVersion]:
        now, actor, issuer_id = self.world.clock.now(), self.tenant.actor, self.tenant.issuer_id
        if prepared.badge_class is not None:
            achievement, version, _ = await draft_from_badge_class(
                session, issuer_id, prepared.badge_class,
                external_id=prepared.external_id, settings=SettingsBody().model_dump(), actor=actor, now=now,
            )  # fmt: skip
            return achievement, version
        assert prepared.body is not None
        return await create_achievement(
            session, issuer_id, external_id=prepared.external_id, content=prepared.body.facts(),
            settings=prepared.body.settings.model_dump(), actor=actor, now=now,
        )  # fmt: skip

    async def _find_version(
        self, session: AsyncSession, achievement: Achievement, prepared: Definition
    ) -> AchievementVersion:
        """The version that says the same. The draft of a BadgeClass is meant to be edited: there the newest will do."""
        versions = await list_versions(session, self.tenant.issuer_id, [achievement.id])
        if prepared.body is None:
            return versions[-1]
        wanted = _without_lineage(prepared.body.facts())
        for version in reversed(versions):
            if _without_lineage(version.content) == wanted:
                return version
        cure = f"a change is a new version: POST /v1/achievements/{achievement.id}/versions"
        raise RefusedRow("It differs.", faults=[Fault("", "differs from every version that is there", cure)])


def _without_lineage(content: Mapping[str, Any]) -> dict[str, Any]:
    """What an achievement says, without the ties that the service gives to its criteria."""
    criteria = [
        {name: value for name, value in criterion.items() if name != "lineage_id"}
        for criterion in content["rubric"]["criteria"]
    ]
    return {**content, "rubric": {**content["rubric"], "criteria": criteria}}


def _id_of_badge_class(iri: object) -> str:
    """The external id of a BadgeClass: its id, or where that cannot be one, a digest of it. Raises RefusedRow."""
    if not isinstance(iri, str) or not iri:
        cure = "give it one: without it a second run could not find what the first made"
        raise RefusedRow("The BadgeClass has no id.", faults=[Fault("/id", "is missing", cure)])
    return as_external_id(iri) or f"badge-class-{hashlib.sha256(iri.encode()).hexdigest()[:32]}"


def _list_of(value: object) -> list[object]:
    return value if isinstance(value, list) else []
