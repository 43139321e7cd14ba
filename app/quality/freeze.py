"""Freezing the reports of windows that are over.

A job of each issuer does it: five minutes after the end of every quarter, and at once for windows that were missed. What is
frozen never changes, whatever becomes of decisions, people and work later; its digest is in the audit trail.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.store import AchievementVersion, list_public_versions
from app.audit.store import audit
from app.events.store import record_event
from app.issuers.jobs import FREEZE_QUALITY_JOB
from app.jobs.queue import enqueue_once
from app.quality.commitment import FROZEN, compose_report_commitment
from app.quality.compose import compose_report, seed_of
from app.quality.facts import WindowFacts, load_facts
from app.quality.store import FrozenQualityReport, find_frozen, forget_open, list_frozen
from app.quarters import Quarter, quarter_of, quarters_between
from app.resources import Resources

SETTLING = timedelta(minutes=5)
"""How long after its end a window is frozen: what was begun within it has been committed by then."""

_SERVICE = "service:quality"


async def freeze_reports(world: Resources, issuer_id: str) -> None:
    """Freeze what is over and not frozen, and come back when the current window is. Doing it again changes nothing."""
    now = world.clock.now()
    under_way = quarter_of(now - SETTLING)
    async with world.database.reading() as session:
        missing = await _list_missing(session, issuer_id, under_way)
    for window, versions, of_achievement in missing:
        async with world.database.reading() as session:
            facts = await load_facts(session, of_achievement, window)
        # In a thread: a thousand resamples of much work take their time, and others need not wait for it.
        bodies = [await asyncio.to_thread(_compose, facts, version) for version in versions]
        async with world.database.transaction() as session:
            for version, body in zip(versions, bodies, strict=True):
                await _keep(session, version, window, body, now)
    async with world.database.transaction() as session:
        payload = {"issuer_id": issuer_id}
        await enqueue_once(session, FREEZE_QUALITY_JOB, payload, run_at=under_way.ends_at + SETTLING)


async def _list_missing(
    session: AsyncSession, issuer_id: str, under_way: Quarter
) -> list[tuple[Quarter, list[AchievementVersion], list[AchievementVersion]]]:
    """Windows, each with the versions of one achievement that have no report of it, and with all that it has."""
    achievements: dict[str, list[AchievementVersion]] = defaultdict(list)
    for version in await list_public_versions(session, issuer_id):
        achievements[version.achievement_id].append(version)
    over = {window for versions in achievements.values() for window in _windows_of(versions[0], under_way)}
    frozen = await list_frozen(session, issuer_id, [each.label for each in over])
    missing = []
    for versions in achievements.values():
        for window in _windows_of(versions[0], under_way):
            unfrozen = [
                each
                for each in versions
                if first_window(each) <= window and (each.achievement_id, each.version, window.label) not in frozen
            ]
            if unfrozen:
                missing.append((window, unfrozen, versions))
    return missing


def _windows_of(version: AchievementVersion, under_way: Quarter) -> Iterator[Quarter]:
    """From the publication of the version on, those that are over."""
    return (each for each in quarters_between(first_window(version), under_way) if each != under_way)


def first_window(version: AchievementVersion) -> Quarter:
    """That of its publication: the earliest with a report."""
    assert version.published_at is not None
    return quarter_of(version.published_at)


def _compose(facts: WindowFacts, version: AchievementVersion) -> str:
    return compose_report(facts, version, "frozen", seed_of(version, facts.window)).model_dump_json()


async def _keep(session: AsyncSession, version: AchievementVersion, window: Quarter, body: str, now: datetime) -> None:
    issuer_id, achievement_id, number = version.issuer_id, version.achievement_id, version.version
    if await find_frozen(session, issuer_id, achievement_id, number, window.label) is not None:
        return
    digest = hashlib.sha256(body.encode()).hexdigest()
    session.add(
        FrozenQualityReport(
            issuer_id=issuer_id, achievement_id=achievement_id, version=number, label=window.label, body=body,
            digest=digest, seed=seed_of(version, window), computed_at=now,
        )
    )  # fmt: skip
    await forget_open(session, issuer_id, achievement_id, number, window.label)
    content = compose_report_commitment(number, window.label, digest)
    audit(session, issuer_id=issuer_id, actor=_SERVICE, action=FROZEN, object_id=achievement_id,
          content=content, at=now)  # fmt: skip
    record_event(session, issuer_id, FROZEN, achievement_id, at=now, data=content)
