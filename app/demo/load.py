"""Loading the demonstration with the service's own verbs, and writing `demo.json`.

A whole program is played through at its own pace: assessors qualify on an anchor bank in summer, fellows' work is handed in,
screened, read blind and decided through the school year, the panel calibrates in winter, and qualifies anew some weeks before
today, so that a newcomer finds it at work. Loading is resumable: what is there already is left alone, so a run that was
interrupted is finished by the next. People, levels and dates are the same everywhere; keys, ids and who reads what are drawn.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.clients import create_client
from app.access.principals import TENANT_SCOPES, Scope
from app.achievements import versions
from app.achievements.bodies import AchievementCreate
from app.achievements.store import find_by_external_id as find_achievement
from app.assessors.panels import create_panel
from app.assessors.store import find_by_external_id as find_panel
from app.credentials.store import Credential
from app.demo.academy import ACTOR, Academy, calibrate, enter_program, enter_staff, fill_anchor_bank, qualify
from app.demo.achievements import ACADEMY, ACHIEVEMENTS
from app.demo.calendar import Calendar
from app.demo.decisions import awards
from app.demo.demographics import VOCABULARY, declarations
from app.demo.people import ASSESSMENT_PANEL, fellows
from app.demo.school_year import SchoolYear
from app.demo.stack import approve_proposals, enter_pathway
from app.demo.vcapi import enter_vcapi
from app.demographics.declare import declare_demographics
from app.demographics.store import find_vocabulary
from app.demographics.vocabulary import VocabularyBody, put_vocabulary
from app.issuers.create import create_issuer
from app.issuers.store import BaseUrlPinned, find_issuer_by_slug, pin_base_url
from app.learners.recipients import Identities
from app.programs.enrollments import CONTEXT, EnrollmentFacts, enroll
from app.programs.store import Enrollment
from app.resources import Resources, open_resources
from app.settings import Settings
from app.submissions.store import Submission

ISSUER: Mapping[str, Any] = {
    "slug": "leadership-academy",
    "profile": {name: ACADEMY[name] for name in ("name", "url", "description")},
}


_RENEWED = timedelta(days=20)
"""How long before today the panel qualifies anew."""
_FOUNDED = timedelta(days=30)
"""How long before the first decision the academy is set up."""


async def load_demo(settings: Settings, console: Console) -> dict[str, Any]:
    """Load or finish loading the demonstration: the contents of `demo.json`."""
    path = settings.data_directory / "demo.json"
    # Six thousand transactions: to wait for the disk after each takes half a minute. What a power failure took is loaded again,
    # and `demo.json` is written when everything is closed, and on disk.
    async with open_resources(settings, sqlite_hurries=True) as world:
        await _pin(world)
        if path.exists():
            summary: dict[str, Any] = json.loads(path.read_text())
            return summary
        attempts = awards(world.clock.now())
        calendar = Calendar(world.clock, datetime.fromisoformat(attempts[0]["decided_at"]) - _FOUNDED)
        academy, enrollment_ids, panel_id = await _found(replace(world, clock=calendar), calendar, attempts)
        await _play(academy, enrollment_ids, attempts, console)
        await _reach_today(academy, enrollment_ids, world.clock.now())
        summary = await _summarize(world, academy, panel_id)
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
  Quality reports    {base}/achievements/{achievement_id}/v1/quality
  The API            {base}/docs
  Sign in            {base}/sign-in/{ISSUER["slug"]}  as assessor-1@academy.example.org; the link comes to {directory}/outbox

The demonstration has {len(summary["credential_ids"])} badges of fellows, \
{len(summary["pathway_credential_ids"])} of a pathway for who earned both, and \
{len(summary["assessor_credential_ids"])} of assessors. Tokens and ids are in {directory}/demo.json. Issue one more badge:

  curl -s {base}/v1/decisions -H 'Authorization: Bearer {summary["api_key"]}' \\
    -H 'Content-Type: application/json' -d '{json.dumps(body)}'

What the numbers say of the program (docs/reports.md has all of them):

  curl -s {base}/v1/programs/{summary["program_id"]}/reports/headline -H 'Authorization: Bearer {summary["api_key"]}'
  curl -s '{base}/v1/programs/{summary["program_id"]}/reports/equity?by=first-generation' \\
    -H 'Authorization: Bearer {summary["api_key"]}'

Stop with Ctrl-C; `make run` again keeps the data.
"""


async def _pin(world: Resources) -> None:
    try:
        async with world.database.transaction() as session:
            await pin_base_url(session, world.base_url, world.clock.now())
    except BaseUrlPinned as error:
        cure = f"{error.cure} To start the demonstration over at another address, forget it first: make clean-demo"
        raise BaseUrlPinned(error.detail, cure=cure) from None


async def _found(
    world: Resources, calendar: Calendar, attempts: Sequence[Mapping[str, Any]]
) -> tuple[Academy, dict[str, str], str]:
    """What stands before the school year: the academy, ids of the enrollments by fellow, the panel's id."""
    now = calendar.now()
    async with world.database.transaction() as session:
        issuer = await find_issuer_by_slug(session, ISSUER["slug"])
        if issuer is None:
            issuer = await create_issuer(session, world, **ISSUER, actor=ACTOR, now=now)
        achievement_ids = {key: await _achievement(session, world, issuer.id, key, now) for key in ACHIEVEMENTS}
        panel = await find_panel(session, issuer.id, ASSESSMENT_PANEL["external_id"])
        if panel is None:
            panel = await create_panel(session, issuer.id, **ASSESSMENT_PANEL, actor=ACTOR, now=now)
        ids = list(achievement_ids.values())
        program_id, cohort_id = await enter_program(session, issuer.id, panel.id, ids, now)
        pathway_id, stack_id = await enter_pathway(session, world, issuer.id, panel.id, achievement_ids, now)
        members, assessors = await enter_staff(session, world, issuer.id, now)
        if await find_vocabulary(session, issuer.id) is None:
            asked = VocabularyBody.model_validate(VOCABULARY)
            await put_vocabulary(session, issuer.id, asked, actor=ACTOR, now=now)
        academy = Academy(
            world, calendar, issuer.id, program_id, cohort_id, achievement_ids, pathway_id, stack_id, members, assessors
        )  # fmt: skip
        return academy, await _enroll(session, academy, attempts), panel.id


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


async def _enroll(session: AsyncSession, academy: Academy, attempts: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Enrollment ids by fellow; whoever is not enrolled yet is, and says of themselves what they want to."""
    rows = (await session.scalars(select(Enrollment).where(Enrollment.program_id == academy.program_id))).all()
    ids = {str(row.external_id): row.id for row in rows}
    contexts = {attempt["fellow"]: attempt["work"]["context"] for attempt in attempts}
    for number, fellow in enumerate(fellows()):
        external_id = fellow["external_id"]
        if external_id in ids:
            continue
        facts = EnrollmentFacts(
            external_id=external_id,
            program_id=academy.program_id,
            cohort_id=academy.cohort_id,
            learner_id=None,
            recipient_external_id=external_id,
            recipient=Identities(name=fellow["name"], email=fellow.get("email"), did=fellow.get("did")),
            school=f"school-{number % 37 + 1:02d}",
            state="active",
            context={**dict.fromkeys(CONTEXT), **contexts.get(external_id, {})},
        )
        enrollment, _ = await enroll(
            session, academy.world.vault, academy.issuer_id, facts, actor=ACTOR, now=academy.calendar.now()
        )  # fmt: skip
        ids[external_id] = enrollment.id
        if values := declarations(external_id):
            await declare_demographics(
                session, academy.world.vault, academy.issuer_id, enrollment.learner_id, values, actor=ACTOR,
                now=academy.calendar.now(),
            )  # fmt: skip
    return ids


async def _play(
    academy: Academy, enrollment_ids: Mapping[str, str], attempts: Sequence[Mapping[str, Any]], console: Console
) -> None:
    """From the first qualification to today."""
    year = SchoolYear(academy, enrollment_ids)
    await year.run_jobs()
    await fill_anchor_bank(academy)
    await qualify(academy, ("first-a", "first-b"))
    await year.run_jobs()
    decided = await _list_decided(academy)
    waiting = [attempt for attempt in attempts if attempt["external_id"] not in decided]
    middle = datetime.fromisoformat(attempts[0]["decided_at"]) + timedelta(days=100)
    for attempt in track(waiting, "Playing the academy's school year …", console=console, disable=not waiting):
        if datetime.fromisoformat(attempt["decided_at"]) - timedelta(days=6) > middle:
            await calibrate(academy, "winter")
        await year.play(attempt)
    academy.calendar.pass_by(days=3)
    await year.run_jobs()
    await approve_proposals(academy)


async def _reach_today(academy: Academy, enrollment_ids: Mapping[str, str], today: datetime) -> None:
    """The panel qualifies anew: what it is certified for holds today. Each quarter on the way is closed when it ends."""
    year = SchoolYear(academy, enrollment_ids)
    renewed = today - _RENEWED
    await year.pass_quarters(renewed)
    await qualify(academy, ("second-a", "second-b"))
    await year.pass_quarters(today)
    await year.work_out_reports()


async def _list_decided(academy: Academy) -> set[str]:
    """External ids of the attempts that are over."""
    async with academy.world.database.reading() as session:
        query = select(Submission.external_id).where(
            Submission.issuer_id == academy.issuer_id, Submission.state == "decided"
        )
        return {str(each) for each in (await session.scalars(query)).all()}


async def _summarize(world: Resources, academy: Academy, panel_id: str) -> dict[str, Any]:
    async with _tokens(world, academy.issuer_id) as (session, admin_token, api_key):
        query = select(Credential.id, Credential.achievement_id).where(Credential.issuer_id == academy.issuer_id)
        rows = (await session.execute(query.order_by(Credential.created_at, Credential.id))).all()
        ours = set(academy.achievement_ids.values())
        return {
            "base_url": world.base_url,
            "admin_token": admin_token,
            "issuer_id": academy.issuer_id,
            "api_key": api_key,
            "program_id": academy.program_id,
            "achievement_ids": list(academy.achievement_ids.values()),
            "panel_id": panel_id,
            "pathway_id": academy.pathway_id,
            "credential_ids": [id_ for id_, achievement_id in rows if achievement_id in ours],
            "pathway_credential_ids": [id_ for id_, achievement_id in rows if achievement_id == academy.stack_id],
            "assessor_credential_ids": [
                id_ for id_, achievement_id in rows if achievement_id not in {*ours, academy.stack_id}
            ],
            **await enter_vcapi(session, world, world.clock.now()),
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
