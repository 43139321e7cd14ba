"""Loading the demonstration with the service's own verbs, and writing `demo.json`.

Loading is resumable: what is there already is left alone, so a run that was interrupted is finished by the next. People,
levels and dates are the same everywhere; keys, ids and salts are random.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.clients import create_client
from app.access.principals import TENANT_SCOPES, Scope, Tenant
from app.achievements import versions
from app.achievements.bodies import AchievementCreate
from app.achievements.store import find_by_external_id as find_achievement
from app.assessors.panels import create_panel
from app.assessors.store import find_by_external_id as find_panel
from app.credentials.store import Credential
from app.demo.achievements import ACADEMY, ACHIEVEMENTS
from app.demo.decisions import awards
from app.demo.people import ASSESSMENT_PANEL, fellows
from app.issuers.create import create_issuer
from app.issuers.store import BaseUrlPinned, find_issuer_by_slug, pin_base_url
from app.learners.recipients import Identities, create_learner
from app.learners.store import Learner
from app.resources import Resources, open_resources
from app.scoring.bodies import DecisionCreate
from app.scoring.decide import decide
from app.scoring.store import Decision
from app.settings import Settings

ACTOR = "demo"
ISSUER: Mapping[str, Any] = {
    "slug": "leadership-academy",
    "profile": {name: ACADEMY[name] for name in ("name", "url", "description")},
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """Ids of what stands before the decisions."""

    tenant: Tenant
    achievement_ids: Mapping[str, str]
    panel_id: str
    learner_ids: Mapping[str, str]


async def load_demo(settings: Settings, console: Console) -> dict[str, Any]:
    """Load or finish loading the demonstration: the contents of `demo.json`."""
    path = settings.data_directory / "demo.json"
    async with open_resources(settings) as world:
        await _pin(world)
        if path.exists():
            summary: dict[str, Any] = json.loads(path.read_text())
            return summary
        loaded = await _load_definitions(world)
        await _load_decisions(world, loaded, console)
        summary = await _summarize(world, loaded)
    _write_private(path, json.dumps(summary, indent=2) + "\n")
    return summary


def describe(summary: Mapping[str, Any], directory: Path) -> str:
    """What a newcomer reads once the service answers: links to open, and a command that issues one more badge."""
    base = summary["base_url"]
    achievement_id, panel_id = summary["achievement_ids"][0], summary["panel_id"]
    criteria = [criterion["key"] for criterion in ACHIEVEMENTS["equity"]["rubric"]["criteria"]]
    body = {
        "achievement_id": achievement_id,
        "recipient": {"name": "Ada Example", "email": "ada.example@schools.example.org"},
        "outcome": "awarded",
        "assessment": {"panel_id": panel_id, "assessors": ASSESSMENT_PANEL["members"][:1]},
        "results": [
            {"criterion": key, "level": "demonstrated", "rationale": "Shown in the evidence."} for key in criteria
        ],
        "evidence": [
            {"url": f"https://evidence.example.org/mine/{number}", "name": wanted["name"], "genre": wanted["genre"]}
            for number, wanted in enumerate(ACHIEVEMENTS["equity"]["required_evidence"], start=1)
            for _ in range(wanted["minimum"])
        ],
    }
    return f"""
Assay is running at {base}

  The program        {base}/issuers/{ISSUER["slug"]}
  An achievement     {base}/achievements/{achievement_id}
  A badge            {base}/credentials/{summary["credential_ids"][0]}
  The API            {base}/docs

The demonstration has {len(summary["credential_ids"])} badges. Tokens and ids are in {directory}/demo.json. Issue one more badge:

  curl -s {base}/v1/decisions -H 'Authorization: Bearer {summary["api_key"]}' \\
    -H 'Content-Type: application/json' -d '{json.dumps(body)}'

Stop with Ctrl-C; `make run` again keeps the data.
"""


async def _pin(world: Resources) -> None:
    try:
        async with world.database.transaction() as session:
            await pin_base_url(session, world.base_url, world.clock.now())
    except BaseUrlPinned as error:
        cure = f"{error.cure} To start the demonstration over at another address, forget it first: make clean-demo"
        raise BaseUrlPinned(error.detail, cure=cure) from None


async def _load_definitions(world: Resources) -> Loaded:
    now = world.clock.now()
    async with world.database.transaction() as session:
        issuer = await find_issuer_by_slug(session, ISSUER["slug"])
        if issuer is None:
            issuer = await create_issuer(session, world, **ISSUER, actor=ACTOR, now=now)
        achievement_ids = {key: await _achievement(session, world, issuer.id, key, now) for key in ACHIEVEMENTS}
        panel = await find_panel(session, issuer.id, ASSESSMENT_PANEL["external_id"])
        if panel is None:
            panel = await create_panel(session, issuer.id, **ASSESSMENT_PANEL, actor=ACTOR, now=now)
        learner_ids = await _learners(session, world, issuer.id, now)
        return Loaded(Tenant(issuer.id, ACTOR, TENANT_SCOPES), achievement_ids, panel.id, learner_ids)


async def _achievement(session: AsyncSession, world: Resources, issuer_id: str, key: str, now: datetime) -> str:
    body = AchievementCreate.model_validate(ACHIEVEMENTS[key])
    found = await find_achievement(session, issuer_id, str(body.external_id))
    if found is not None:
        return found.id
    achievement, version = await versions.create_achievement(
        session, issuer_id, external_id=body.external_id, content=body.facts(), settings=body.settings.model_dump(),
        actor=ACTOR, now=now,
    )  # fmt: skip
    await versions.publish_version(session, world, achievement, version, actor=ACTOR, now=now)
    return achievement.id


async def _learners(session: AsyncSession, world: Resources, issuer_id: str, now: datetime) -> dict[str, str]:
    rows = (await session.scalars(select(Learner).where(Learner.issuer_id == issuer_id))).all()
    ids = {str(row.external_id): row.id for row in rows}
    for fellow in fellows():
        identities = Identities(name=fellow["name"], email=fellow.get("email"), did=fellow.get("did"))
        if fellow["external_id"] not in ids:
            learner = await create_learner(
                session, world.vault, issuer_id, external_id=fellow["external_id"], identities=identities, actor=ACTOR,
                now=now,
            )  # fmt: skip
            ids[fellow["external_id"]] = learner.id
    return ids


async def _load_decisions(world: Resources, loaded: Loaded, console: Console) -> None:
    async with world.database.reading() as session:
        query = select(Decision.external_id).where(Decision.issuer_id == loaded.tenant.issuer_id)
        recorded = set((await session.scalars(query)).all())
    waiting = [award for award in awards(world.clock.now()) if award["external_id"] not in recorded]

    for award in track(waiting, "Issuing the demonstration's badges …", console=console, disable=not waiting):
        facts = dict(award)
        body = DecisionCreate.model_validate(
            {
                "achievement_id": loaded.achievement_ids[facts.pop("achievement")],
                "learner_id": loaded.learner_ids[facts.pop("fellow")],
                "assessment": {"panel_id": loaded.panel_id, **facts.pop("assessment")},
                **facts,
            }
        )
        await decide(world, loaded.tenant, body.facts(world.clock.now()))


async def _summarize(world: Resources, loaded: Loaded) -> dict[str, Any]:
    async with _tokens(world, loaded.tenant.issuer_id) as (session, admin_token, api_key):
        query = select(Credential.id).where(Credential.issuer_id == loaded.tenant.issuer_id)
        credentials = (await session.scalars(query.order_by(Credential.created_at, Credential.id))).all()
        return {
            "base_url": world.base_url,
            "admin_token": admin_token,
            "issuer_id": loaded.tenant.issuer_id,
            "api_key": api_key,
            "achievement_ids": list(loaded.achievement_ids.values()),
            "panel_id": loaded.panel_id,
            "credential_ids": list(credentials),
        }


@asynccontextmanager
async def _tokens(world: Resources, issuer_id: str) -> AsyncIterator[tuple[AsyncSession, str, str]]:
    now = world.clock.now()
    async with world.database.transaction() as session:
        _, admin_token = await create_client(
            session,
            issuer_id=None,
            name="demo operator",
            scopes={Scope.PLATFORM},
            expires_at=None,
            actor=ACTOR,
            now=now,
        )
        _, api_key = await create_client(
            session,
            issuer_id=issuer_id,
            name="demo partner",
            scopes=TENANT_SCOPES,
            expires_at=None,
            actor=ACTOR,
            now=now,
        )
        yield session, admin_token, api_key


def _write_private(path: Path, text: str) -> None:
    """Readable by the owner alone from the first moment, and whole or not there at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    part.write_text(text)
    part.replace(path)
