"""Verbs on programs: set one up, change it, and say what can be earned in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import column, delete, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.store import AchievementVersion, get_published_version
from app.audit.store import audit
from app.errors import ExternalIdTaken, Fault, InvalidInput, NotFound
from app.events.store import record_event
from app.identifiers import new_id
from app.jobs.queue import enqueue
from app.programs.jobs import OPEN_WINDOWS_JOB, RECHECK_PROGRAM_JOB, WATCH_ASSESSORS_JOB
from app.programs.policies import compose_version
from app.programs.policy import ScoringPolicyBody
from app.programs.store import Program, ProgramAchievement, is_external_id_taken, list_program_achievements

# Panels belong to a room above this one, which reads policies; all that is asked of one here is which kind it is.
_PANEL = table("panel", column("issuer_id"), column("id"), column("kind"))


class PanelCannotRead(InvalidInput):
    """The panel is an external source of earlier awards: nobody in it reads."""

    code = "panel_cannot_read"


@dataclass(frozen=True, slots=True)
class ProgramFacts:
    """A program to be set up."""

    external_id: str | None
    name: str
    description: str | None
    panel_id: str
    achievement_ids: Sequence[str]
    policy: ScoringPolicyBody


async def create_program(
    session: AsyncSession, issuer_id: str, facts: ProgramFacts, *, actor: str, now: datetime
) -> Program:
    """A new program with version 1 of its policy; its first sampling windows follow by a job.

    Raises ExternalIdTaken, NotFound for an unknown panel or achievement, PanelCannotRead, VersionNotPublished.
    """
    if facts.external_id and await is_external_id_taken(session, Program, issuer_id, facts.external_id):
        raise ExternalIdTaken(f"There is already a program with external_id {facts.external_id!r}.")
    await _require_panel(session, issuer_id, facts.panel_id)
    program = Program(
        issuer_id=issuer_id, id=new_id(), external_id=facts.external_id, name=facts.name, description=facts.description,
        panel_id=facts.panel_id, policy_version=1, created_at=now, updated_at=now,
    )  # fmt: skip
    session.add(program)
    await session.flush()
    session.add(compose_version(program, 1, facts.policy, actor, now))
    await _set_achievements(session, program, facts.achievement_ids)
    for job in (OPEN_WINDOWS_JOB, WATCH_ASSESSORS_JOB):
        enqueue(session, job, {"issuer_id": issuer_id, "program_id": program.id}, run_at=now)
    _note(session, program, "created", (), actor, now)
    return program


async def change_program(
    session: AsyncSession, program: Program, changes: Mapping[str, Any], *, actor: str, now: datetime
) -> None:
    """Set what is given: name, description, panel_id, achievement_ids. Raises as `create_program` does.

    Work under way goes on: who has submitted for an achievement that is taken out is still read and decided on. Another panel
    takes over what the one before has not finished.
    """
    if "panel_id" in changes:
        await _require_panel(session, program.issuer_id, changes["panel_id"])
        payload = {"issuer_id": program.issuer_id, "program_id": program.id}
        enqueue(session, RECHECK_PROGRAM_JOB, payload, run_at=now)
    if "achievement_ids" in changes:
        await _set_achievements(session, program, changes["achievement_ids"])
    for name in changes.keys() - {"achievement_ids"}:
        setattr(program, name, changes[name])
    program.updated_at = now
    _note(session, program, "changed", sorted(changes), actor, now)


async def list_offered(session: AsyncSession, issuer_id: str, program_id: str) -> list[AchievementVersion]:
    """What can be earned in the program: of each achievement its newest published version, by name."""
    wanted = await list_program_achievements(session, issuer_id, program_id)
    query = select(AchievementVersion).where(
        AchievementVersion.issuer_id == issuer_id, AchievementVersion.achievement_id.in_(wanted),
        AchievementVersion.state == "published",
    )  # fmt: skip
    versions = (await session.scalars(query.order_by(AchievementVersion.version))).all()
    newest = {version.achievement_id: version for version in versions}
    return sorted(newest.values(), key=lambda version: (str(version.content["name"]), version.achievement_id))


async def _require_panel(session: AsyncSession, issuer_id: str, panel_id: str) -> None:
    wanted = select(_PANEL.c.kind).where(_PANEL.c.issuer_id == issuer_id, _PANEL.c.id == panel_id)
    kind = (await session.execute(wanted)).scalar_one_or_none()
    if kind is None:
        raise NotFound("There is no panel with this id.")
    if kind != "panel":
        fault = Fault("/panel_id", "is an external source of earlier awards", "name a panel of your own assessors")
        raise PanelCannotRead("A program needs a panel whose members read.", faults=[fault])


async def _set_achievements(session: AsyncSession, program: Program, achievement_ids: Sequence[str]) -> None:
    for achievement_id in achievement_ids:
        await get_published_version(session, program.issuer_id, achievement_id)
    of_program = (ProgramAchievement.issuer_id == program.issuer_id, ProgramAchievement.program_id == program.id)
    await session.execute(delete(ProgramAchievement).where(*of_program))
    for achievement_id in dict.fromkeys(achievement_ids):
        session.add(
            ProgramAchievement(issuer_id=program.issuer_id, program_id=program.id, achievement_id=achievement_id)
        )
    await session.flush()


def _note(
    session: AsyncSession, program: Program, what: str, members: Sequence[str], actor: str, now: datetime
) -> None:
    content = {"members": list(members)} if what == "changed" else {"panel_id": program.panel_id}
    audit(session, issuer_id=program.issuer_id, actor=actor, action=f"program.{what}", object_id=program.id,
          content=content, at=now)  # fmt: skip
    record_event(session, program.issuer_id, f"program.{what}", program.id, at=now, data=content)
