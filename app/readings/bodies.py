"""Bodies of readings. What an assessor is told is the same for every kind of reading: neither kind nor reason, neither the
submission nor its attempt, and nothing of other readings."""

from typing import Any, Literal

from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.store import AchievementVersion, get_version
from app.assessors.store import Anchor
from app.readings.held import Held
from app.readings.queue import Queue
from app.readings.sampling_audit import WindowAudit
from app.readings.store import Reading, Resolution
from app.submissions.store import Submission
from app.submissions.work import Work
from app.web.fields import Body, Key, Moment, Prose


class ScoreBody(Body):
    """The level of one criterion."""

    criterion: Key = Field(examples=["problem"])
    level: Key = Field(examples=["demonstrated"])
    rationale: Prose = Field(description="What in the evidence it rests on. For the file, not for the learner.")
    feedback: Prose | None = Field(
        default=None,
        description="For the learner: what they did, and what would come next. Released with the decision.",
    )


class ReadingSubmission(Body):
    """Each criterion to be read, once."""

    results: list[ScoreBody] = Field(min_length=1, max_length=50)


class RecusalBody(Body):
    reason: Literal["knows_author", "recognizes_work", "cannot_be_fair", "no_time", "other"]


class ReadingItem(BaseModel):
    """A reading in its assessor's queue."""

    id: str
    state: str = Field(examples=["assigned"])
    achievement_id: str
    version: int
    achievement_name: str
    assigned_at: Moment | None
    due_at: Moment | None
    started_at: Moment | None
    submitted_at: Moment | None

    @classmethod
    def members(cls, reading: Reading, version: AchievementVersion) -> dict[str, Any]:
        return {
            "id": reading.id, "state": reading.state, "achievement_id": version.achievement_id,
            "version": version.version, "achievement_name": version.content["name"],
            "assigned_at": reading.assigned_at, "due_at": reading.due_at, "started_at": reading.started_at,
            "submitted_at": reading.submitted_at,
        }  # fmt: skip

    @classmethod
    async def of(cls, session: AsyncSession, reading: Reading) -> "ReadingItem":
        subject = await _get_subject(session, reading)
        version = await get_version(session, reading.issuer_id, subject.achievement_id, subject.version)
        return cls(**cls.members(reading, version))


class LevelOut(BaseModel):
    criterion: str
    level: str


class ReadingOut(ReadingItem):
    """A reading. `work` is there from the start of the reading until it ends, `results` once it is submitted."""

    rubric: dict[str, Any] = Field(description="The whole rubric of the version, as the achievement has it.")
    work: Work | None
    results: list[LevelOut] | None
    digest: str | None = Field(description="Of a submitted reading: salted SHA-256, hex. It stands in the audit trail.")

    @classmethod
    async def of_held(cls, session: AsyncSession, held: Held, work: Work | None = None) -> "ReadingOut":
        reading, subject = held.reading, held.subject
        version = await get_version(session, reading.issuer_id, subject.achievement_id, subject.version)
        results = None if reading.levels is None else list_levels(reading.levels)
        return cls(
            **cls.members(reading, version), rubric=version.content["rubric"], work=work, results=results,
            digest=reading.digest,
        )  # fmt: skip


def list_levels(levels: list[list[str]]) -> list[LevelOut]:
    return [LevelOut(criterion=criterion, level=level) for criterion, level in levels]


async def _get_subject(session: AsyncSession, reading: Reading) -> Submission | Anchor:
    """Of which achievement version the reading is."""
    if reading.submission_id is not None:
        return await session.get_one(Submission, (reading.issuer_id, reading.submission_id))
    return await session.get_one(Anchor, (reading.issuer_id, reading.anchor_id))


class ResolvedReading(BaseModel):
    """A submitted reading of a resolved submission."""

    id: str
    kind: str
    trigger: str | None
    assessor_code: str | None
    submitted_at: Moment | None
    levels: list[LevelOut]
    digest: str | None


class ResolutionOut(BaseModel):
    """How readings became the scores of record. The first of `reading_ids` is the reading of record."""

    number: int
    method: str
    reading_ids: list[str]
    levels: list[LevelOut]
    recommendation: str
    resolved_at: Moment

    @classmethod
    def of(cls, resolution: Resolution) -> "ResolutionOut":
        return cls(
            number=resolution.number, method=resolution.method, reading_ids=resolution.reading_ids,
            levels=list_levels(resolution.levels), recommendation=resolution.recommendation,
            resolved_at=resolution.resolved_at,
        )  # fmt: skip


class SubmissionReadingsOut(BaseModel):
    submission_id: str
    readings: list[ResolvedReading]
    resolutions: list[ResolutionOut]

    @classmethod
    def of(cls, submission_id: str, readings: list[Reading], resolutions: list[Resolution]) -> "SubmissionReadingsOut":
        shown = [
            ResolvedReading(
                id=each.id, kind=each.kind, trigger=each.trigger, assessor_code=each.assessor_code,
                submitted_at=each.submitted_at, levels=list_levels(each.levels or []), digest=each.digest,
            )
            for each in readings
            if each.state == "submitted"
        ]  # fmt: skip
        resolved = [ResolutionOut.of(each) for each in resolutions]
        return cls(submission_id=submission_id, readings=shown, resolutions=resolved)


class AuditedWindow(BaseModel):
    """One window of the sampler recomputed; the last one may be without window, where everything counts as selected."""

    window_id: str | None
    starts_at: Moment | None
    ends_at: Moment | None
    seed_hash: str | None
    keeps_commitment: bool = Field(description="Whether the seed has the hash that was published before the window.")
    rate: int | None = Field(description="In percent.")
    accepted: int
    expected: float = Field(description="How many of the accepted the rate would select.")
    selected: int = Field(description="How many the seed does select.")
    second_read: int = Field(description="How many of the selected have their second reading.")
    actual_rate: float | None = Field(description="Selected of accepted, in percent; null without accepted ones.")
    misses: list[str] = Field(
        description="Submissions whose second reading was due, by the sample or a trigger, and that were resolved "
        "without it, or are scored without anybody having been asked for it."
    )

    @classmethod
    def of(cls, audit: WindowAudit) -> "AuditedWindow":
        window = audit.window
        rate = None if window is None else window.rate
        return cls(
            window_id=window and window.id, starts_at=window and window.starts_at, ends_at=window and window.ends_at,
            seed_hash=window and window.seed_hash, keeps_commitment=audit.keeps_commitment, rate=rate,
            accepted=audit.accepted, expected=audit.accepted * (100 if rate is None else rate) / 100,
            selected=audit.selected, second_read=audit.second_read,
            actual_rate=round(100 * audit.selected / audit.accepted, 2) if audit.accepted else None,
            misses=audit.misses,
        )  # fmt: skip


class SamplingAuditOut(BaseModel):
    windows: list[AuditedWindow]
    misses: int = Field(description="Over all windows shown.")

    @classmethod
    def of(cls, audits: list[WindowAudit]) -> "SamplingAuditOut":
        windows = [AuditedWindow.of(each) for each in audits]
        return cls(windows=windows, misses=sum(len(each.misses) for each in audits))


class QueueOut(BaseModel):
    """Counts by state; a state without any is left out."""

    submissions: dict[str, int] = Field(examples=[{"submitted": 2, "accepted": 3, "scoring": 5}])
    readings: dict[str, int] = Field(examples=[{"open": 1, "assigned": 4, "started": 3}])
    overdue_screenings: int
    overdue_readings: int

    @classmethod
    def of(cls, queue: Queue) -> "QueueOut":
        return cls(
            submissions=dict(queue.submissions), readings=dict(queue.readings),
            overdue_screenings=queue.overdue_screenings, overdue_readings=queue.overdue_readings,
        )  # fmt: skip
