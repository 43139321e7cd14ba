"""Verbs on pathways: create, draft, edit, publish, retire."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.store import AchievementVersion, get_published_version
from app.achievements.versions import DraftExists, VersionNotDraft
from app.assessors.store import get_panel
from app.audit.store import audit
from app.errors import Conflict, ExternalIdTaken, Fault, InvalidInput
from app.events.store import record_event
from app.identifiers import new_id
from app.jobs.queue import enqueue
from app.pathways.jobs import PROPOSE_JOB
from app.pathways.rule import find_faults, list_achievements
from app.pathways.standing import load_names
from app.pathways.store import (
    Pathway,
    PathwayComponent,
    PathwayVersion,
    find_pathway_by_external_id,
    list_in_force,
    list_pathway_versions,
    lock_pathways,
)


class UnsoundRule(InvalidInput):
    """The rule names what it cannot, or nobody could ever meet it."""

    code = "pathway_rule_unsound"


class PathwayCycle(InvalidInput):
    """The badge of a pathway would lead, over others, to itself."""

    code = "pathway_cycle"


class UnfitAward(InvalidInput):
    """What the pathway leads to cannot be awarded by a rule."""

    code = "pathway_award_unfit"


@dataclass(frozen=True, slots=True)
class PathwayFacts:
    """A version as it comes in; `content` has name, description, groups and rule. Without `achievement_version` the newest."""

    content: Mapping[str, Any]
    panel_id: str
    achievement_id: str
    achievement_version: int | None


async def create_pathway(
    session: AsyncSession, issuer_id: str, facts: PathwayFacts, *, external_id: str | None, actor: str, now: datetime
) -> tuple[Pathway, PathwayVersion]:
    """A new pathway with version 1 as a draft. Raises ExternalIdTaken, NotFound, UnsoundRule, PathwayCycle, UnfitAward."""
    if external_id is not None and await find_pathway_by_external_id(session, issuer_id, external_id) is not None:
        raise ExternalIdTaken(f"There is already a pathway with external_id {external_id!r}.")
    pathway = Pathway(issuer_id=issuer_id, id=new_id(), external_id=external_id, created_at=now, updated_at=now)
    session.add(pathway)
    await session.flush()
    version = await _add_draft(session, pathway, 1, facts, now)
    _note(session, pathway, "created", version, actor, now)
    return pathway, version


async def draft_version(
    session: AsyncSession, pathway: Pathway, facts: PathwayFacts, *, actor: str, now: datetime
) -> PathwayVersion:
    """The next version, as a draft. Raises DraftExists, and as `create_pathway` does."""
    versions = await list_pathway_versions(session, pathway.issuer_id, [pathway.id])
    if versions[-1].state == "draft":
        raise DraftExists(f"Version {versions[-1].version} is still a draft.")
    version = await _add_draft(session, pathway, versions[-1].version + 1, facts, now)
    pathway.updated_at = now
    _note(session, pathway, "drafted", version, actor, now)
    return version


async def edit_draft(
    session: AsyncSession, pathway: Pathway, version: PathwayVersion, facts: PathwayFacts, *, actor: str, now: datetime
) -> None:
    """Replace a draft, which is locked. Raises VersionNotDraft, and as `create_pathway` does."""
    awarded = await _require_sound(session, pathway, facts)
    _require_draft(version)
    version.content, version.panel_id = dict(facts.content), facts.panel_id
    version.achievement_id, version.achievement_version = awarded.achievement_id, awarded.version
    version.updated_at = pathway.updated_at = now
    _note(session, pathway, "edited", version, actor, now)


async def publish_version(
    session: AsyncSession, pathway: Pathway, version: PathwayVersion, *, actor: str, now: datetime
) -> None:
    """Freeze a draft, which is locked. It is in force from now on: who has met it already is proposed by a job.

    Looked at again: what it names may have changed since it was written. Raises VersionNotDraft, and as `create_pathway` does.
    """
    _require_draft(version)
    await lock_pathways(session, pathway.issuer_id)
    facts = PathwayFacts(version.content, version.panel_id, version.achievement_id, version.achievement_version)
    await _require_sound(session, pathway, facts)
    version.state = "published"
    version.published_at = version.updated_at = pathway.updated_at = now
    session.add_all(
        PathwayComponent(
            issuer_id=version.issuer_id, pathway_id=version.pathway_id, version=version.version, achievement_id=each
        )
        for each in list_achievements(version.content)
    )
    payload = {"issuer_id": pathway.issuer_id, "pathway_id": pathway.id}
    enqueue(session, PROPOSE_JOB, payload, run_at=now)
    _note(session, pathway, "published", version, actor, now)


def retire_version(
    session: AsyncSession, pathway: Pathway, version: PathwayVersion, *, actor: str, now: datetime
) -> None:
    """End a published version, which is locked: it proposes nothing more. What it has proposed can still be decided."""
    if version.state != "published":
        raise Conflict(f"Version {version.version} is {version.state}; only a published version can be retired.")
    version.state = "retired"
    version.retired_at = version.updated_at = pathway.updated_at = now
    _note(session, pathway, "retired", version, actor, now)


async def _add_draft(
    session: AsyncSession, pathway: Pathway, number: int, facts: PathwayFacts, now: datetime
) -> PathwayVersion:
    awarded = await _require_sound(session, pathway, facts)
    version = PathwayVersion(
        issuer_id=pathway.issuer_id, pathway_id=pathway.id, version=number, state="draft", content=dict(facts.content),
        achievement_id=awarded.achievement_id, achievement_version=awarded.version, panel_id=facts.panel_id,
        created_at=now, updated_at=now, published_at=None, retired_at=None,
    )  # fmt: skip
    session.add(version)
    await session.flush()
    return version


def _require_draft(version: PathwayVersion) -> None:
    if version.state != "draft":
        raise VersionNotDraft(f"Version {version.version} is {version.state} and cannot change.")


async def _require_sound(session: AsyncSession, pathway: Pathway, facts: PathwayFacts) -> AchievementVersion:
    """The version of the achievement that is awarded."""
    panel = await get_panel(session, pathway.issuer_id, facts.panel_id)
    if panel.kind != "panel":
        fault = Fault("/panel_id", "is an external source", "name the panel of yours behind the components")
        raise UnfitAward("A pathway's badge names a panel of yours.", faults=[fault])
    awarded = await _require_award(session, pathway, facts)
    named = list_achievements(facts.content)
    faults = find_faults(
        facts.content, await _list_published(session, pathway.issuer_id, named), awarded.achievement_id
    )
    if faults:
        raise UnsoundRule("The rule cannot stand as it is.", faults=faults)
    await _require_no_cycle(session, pathway, awarded, named)
    return awarded


async def _require_award(session: AsyncSession, pathway: Pathway, facts: PathwayFacts) -> AchievementVersion:
    """A published version whose rubric has one criterion: whether the rule is met. Nobody judges more than that here."""
    awarded = await get_published_version(session, pathway.issuer_id, facts.achievement_id, facts.achievement_version)
    faults = []
    if len(awarded.content["rubric"]["criteria"]) != 1:
        faults.append(
            Fault(
                "/awards",
                "its rubric has more than one criterion",
                "give the achievement one criterion, such as Components earned, with the levels Not earned and Earned",
            )
        )
    if awarded.content.get("required_evidence"):
        faults.append(
            Fault("/awards", "it asks for evidence of its own", "the components are the evidence: ask for none")
        )
    if faults:
        raise UnfitAward("The badge cannot be awarded by a rule.", faults=faults)
    return awarded


async def _list_published(
    session: AsyncSession, issuer_id: str, achievement_ids: Collection[str]
) -> dict[str, list[int]]:
    """Achievement id -> its versions that are published or retired, of those that are the issuer's."""
    query = select(AchievementVersion.achievement_id, AchievementVersion.version, AchievementVersion.state).where(
        AchievementVersion.issuer_id == issuer_id, AchievementVersion.achievement_id.in_(achievement_ids)
    )
    found: dict[str, list[int]] = {}
    for achievement_id, version, state in (await session.execute(query)).all():
        found.setdefault(achievement_id, []).extend([version] if state != "draft" else [])
    return found


async def _require_no_cycle(
    session: AsyncSession, pathway: Pathway, awarded: AchievementVersion, named: Sequence[str]
) -> None:
    """Raises PathwayCycle where a component is, over other pathways in force, earned with the badge of this one."""
    leading: dict[str, list[str]] = {}
    for each in await list_in_force(session, pathway.issuer_id):
        if each.pathway_id != pathway.id:
            leading.setdefault(each.achievement_id, []).extend(list_achievements(each.content))
    paths: list[tuple[str, ...]] = [(achievement_id,) for achievement_id in named]
    seen = set(named)
    while paths:
        path = paths.pop()
        if path[-1] == awarded.achievement_id:
            names = await load_names(session, pathway.issuer_id, {*path})
            told = " > ".join(names.get(each, each) for each in (awarded.achievement_id, *path))
            fault = Fault("/rule", f"leads back to the badge of this pathway: {told}", "take one of these out")
            raise PathwayCycle("The badge would be a component of itself.", faults=[fault])
        for component in leading.get(path[-1], ()):
            if component not in seen:
                seen.add(component)
                paths.append((*path, component))


def _note(
    session: AsyncSession, pathway: Pathway, what: str, version: PathwayVersion, actor: str, now: datetime
) -> None:
    audit(session, issuer_id=pathway.issuer_id, actor=actor, action=f"pathway.{what}", object_id=pathway.id,
          content={"version": version.version, "content": version.content, "panel": version.panel_id,
                   "awards": [version.achievement_id, version.achievement_version]}, at=now)  # fmt: skip
    record_event(
        session, pathway.issuer_id, f"pathway.{what}", pathway.id, at=now, data={"version": version.version}
    )  # fmt: skip
