"""Computing the reports of the window under way, intervals and all, at most once an hour."""

import asyncio
import hashlib

from app.achievements.store import AchievementVersion, list_versions
from app.quality.compose import compose_report, seed_of
from app.quality.facts import WindowFacts, load_facts
from app.quality.freeze import first_window
from app.quality.store import OpenQualityReport, find_frozen, find_open
from app.quarters import Quarter, quarter_of
from app.resources import Resources


async def recompute_reports(world: Resources, issuer_id: str, achievement_id: str) -> None:
    """Something of the achievement was read: its versions' reports of this window are computed anew where they say otherwise."""
    window = quarter_of(world.clock.now())
    async with world.database.reading() as session:
        versions = [each for each in await list_versions(session, issuer_id, [achievement_id]) if each.published_at]
        if not versions:
            return
        facts = await load_facts(session, versions, window)
    for version in versions:
        if first_window(version) <= window:
            await _recompute(world, facts, version)


async def _recompute(world: Resources, facts: WindowFacts, version: AchievementVersion) -> None:
    window = facts.window
    place = version.issuer_id, version.achievement_id, version.version, window.label
    basis = await asyncio.to_thread(basis_of, facts, version)
    async with world.database.reading() as session:
        stored = await find_open(session, *place)
    if stored is not None and stored.basis == basis:
        return
    seed = seed_of(version, window)
    report = await asyncio.to_thread(compose_report, facts, version, "open", seed)
    async with world.database.transaction() as session:
        if await find_frozen(session, *place) is None:
            await session.merge(_row(version, window, report.model_dump_json(), basis, seed, world))


def basis_of(facts: WindowFacts, version: AchievementVersion) -> str:
    """What a report rests on: all that it says but for its resampled intervals, as SHA-256 (hex)."""
    return hashlib.sha256(compose_report(facts, version, "open", None).model_dump_json().encode()).hexdigest()


def _row(
    version: AchievementVersion, window: Quarter, body: str, basis: str, seed: int, world: Resources
) -> OpenQualityReport:
    return OpenQualityReport(
        issuer_id=version.issuer_id, achievement_id=version.achievement_id, version=version.version,
        label=window.label, body=body, basis=basis, seed=seed, computed_at=world.clock.now(),
    )  # fmt: skip
