"""Finding a report, and which there are."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.store import AchievementVersion
from app.errors import NotFound
from app.quality.bodies import QualityReport, QualityWindowEntry, QualityWindows
from app.quality.compose import compose_report, describe, report_uri, version_uri_of
from app.quality.facts import load_facts
from app.quality.freeze import first_window
from app.quality.store import find_frozen, find_open, list_digests
from app.quarters import Quarter, quarter_of, quarters_between


def decided_in(version: AchievementVersion, decided_at: datetime) -> str:
    """The URI of the report that a badge links: of the window its decision fell into.

    A decision may be older than the version, when it is entered afterwards: then of the version's first window.
    """
    return report_uri(version, max(first_window(version), quarter_of(decided_at)))


async def find_report(
    session: AsyncSession, versions: Sequence[AchievementVersion], version: AchievementVersion, window: Quarter,
    now: datetime,
) -> tuple[str, bool]:  # fmt: skip
    """The JSON of a version's report, and whether it is frozen. `versions` are all that the achievement published.

    Nothing is resampled here: before the job has computed a window, its report has no such intervals. Raises NotFound for a
    window before the version's publication, or one that has not begun.
    """
    if not first_window(version) <= window <= quarter_of(now):
        raise NotFound(
            "There is no quality report of this window: the version was not published yet, or it has not begun."
        )
    place = version.issuer_id, version.achievement_id, version.version, window.label
    frozen = await find_frozen(session, *place)
    if frozen is not None:
        return frozen.body, True
    computed = await find_open(session, *place)
    if computed is not None:
        return computed.body, False
    return compose_report(await load_facts(session, versions, window), version, "open", None).model_dump_json(), False


def read_report(body: str) -> QualityReport:
    """A report from its JSON."""
    return QualityReport.model_validate_json(body)


async def list_reports(session: AsyncSession, version: AchievementVersion, now: datetime) -> QualityWindows:
    """The windows of a version from its publication to today, newest first."""
    digests = await list_digests(session, version.issuer_id, version.achievement_id, version.version)
    windows = reversed(list(quarters_between(first_window(version), quarter_of(now))))
    return QualityWindows(
        id=f"{version_uri_of(version)}/quality",
        achievement=describe(version),
        windows=[
            QualityWindowEntry(
                label=each.label, id=report_uri(version, each), state="frozen" if each.label in digests else "open",
                digest=digests.get(each.label),
            )
            for each in windows
        ],
    )  # fmt: skip
