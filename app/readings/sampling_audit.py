"""The sample recomputed from its seeds, and the second readings that were due compared with those there are."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache

from sqlalchemy import String, case, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.rubric import Rubric
from app.achievements.store import AchievementVersion
from app.db import read_rows
from app.keys.vault import Vault
from app.learners.store import load_merged
from app.programs.policy import ScoringPolicyBody
from app.programs.store import Program, ScoringPolicy
from app.readings.resolve import SECOND_KINDS
from app.readings.sampler import compute_commitment, is_selected
from app.readings.scores import is_near_standard
from app.readings.store import STANDING, Reading, Resolution, SamplingWindow, list_windows
from app.readings.triggers import PROBATION, Due, Facts, find_due
from app.readings.windows import find_window, open_seed
from app.submissions.store import Submission


@dataclass(slots=True)
class WindowAudit:
    """What became of the submissions of one window, or of none (`window` is None): those count as selected.

    `accepted` are its submissions, `selected` those that the sampler hits, `second_read` those of them with a second reading
    submitted. `misses` are ids of submissions, whose second reading was due, by the sample or a trigger, and that were resolved
    without it, or are scored without anybody having been asked for it.
    """

    window: SamplingWindow | None
    keeps_commitment: bool = True
    accepted: int = 0
    selected: int = 0
    second_read: int = 0
    misses: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class AcceptedSubmission:
    """The columns of a submission that the audit looks at. `person_id` is the learner's, or of whom they were merged into;
    `banked` is the text of the JSON, null for a first attempt."""

    id: str
    person_id: str
    achievement_id: str
    version: int
    attempt: int
    state: str
    policy_version: int | None
    banked: str | None
    accepted_at: datetime


@dataclass(frozen=True, slots=True)
class _Read:
    """The columns of a reading that the audit looks at. The levels are those of a first one, the text of the JSON: of thousands
    few are different, and only those are parsed."""

    submission_id: str
    kind: str
    state: str
    trigger: str | None
    levels: str | None
    submitted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found of one accepted submission. `is_selected` is None where no window covers it; `due` is the second reading it
    had to have."""

    submission: AcceptedSubmission
    window: SamplingWindow | None
    is_selected: bool | None
    due: Due | None
    is_second_read: bool
    is_missed: bool
    resolved_at: datetime | None

    @property
    def is_in_sample(self) -> bool:
        return self.is_selected is not False


async def audit_sample(
    session: AsyncSession, vault: Vault, program: Program, *, since: datetime | None = None
) -> list[WindowAudit]:
    """The program's windows, oldest first, without those that were over by `since`; then what fell into none, if anything did."""
    windows = await list_windows(session, program.id)
    audits = {
        window.id: WindowAudit(window, compute_commitment(open_seed(vault, window)) == window.seed_hash)
        for window in windows
    }
    outside = WindowAudit(None)
    for each in await check_sample(session, vault, program):
        audit = outside if each.window is None else audits[each.window.id]
        audit.accepted += 1
        audit.selected += each.is_in_sample
        audit.second_read += each.is_in_sample and each.is_second_read
        if each.is_missed:
            audit.misses.append(each.submission.id)
    shown = [each for each in audits.values() if since is None or each.window is None or each.window.ends_at > since]
    return [*shown, outside] if outside.accepted else shown


async def check_sample(
    session: AsyncSession, vault: Vault, program: Program, *, as_of: datetime | None = None
) -> list[Checked]:
    """Every submission that the program has accepted, in that order: what was due for it, and what there is.

    With `as_of` what had been accepted, read and resolved by then.
    """
    windows = await list_windows(session, program.id)
    seeds = {window.id: open_seed(vault, window) for window in windows}
    readings, resolved_at = await _load_readings(session, program, as_of), await _load_resolved(session, program, as_of)
    policies, rubrics = await _load_policies(session, program), await _load_rubrics(session, program)

    @cache  # many have the same levels
    def is_near(version: tuple[str, int], banked: str | None, levels: str | None) -> bool:
        return is_near_standard(rubrics[version], _all_levels(banked, levels))

    ranks: Counter[tuple[str, int]] = Counter()
    found = []
    for submission in await _load_accepted(session, program, as_of):
        version = submission.achievement_id, submission.version
        window = find_window(windows, submission.accepted_at)
        hit = None if window is None else is_selected(seeds[window.id], submission.id, window.rate)
        standing = [each for each in readings[submission.id] if each.state in STANDING]
        first = next((each for each in standing if each.kind == "first"), None)
        seconds = [each for each in standing if each.kind in SECOND_KINDS]
        is_read = first is not None and first.state == "submitted"
        facts = Facts(
            hit, ranks[version], submission.attempt,
            is_near(version, submission.banked, first.levels) if first is not None and is_read else None,
            first is not None and is_read and first.trigger == PROBATION,
        )  # fmt: skip
        ranks[version] += 1
        due = find_due(policies[submission.policy_version].second_readings, facts)
        moment = resolved_at.get(submission.id)
        is_second_read = any(each.state == "submitted" for each in seconds)
        is_missed = due is not None and _is_missed(submission, first, seconds, moment)
        found.append(Checked(submission, window, hit, due, is_second_read, is_missed, moment))
    return found


def _all_levels(banked: str | None, levels: str | None) -> dict[str, str]:
    """As `app.readings.resolve.all_levels`, of the texts of columns."""
    before = {str(criterion): str(level) for criterion, level, _ in json.loads(banked or "null") or ()}
    return before | {str(criterion): str(level) for criterion, level in json.loads(levels or "null") or ()}


def _is_missed(
    submission: AcceptedSubmission, first: _Read | None, seconds: Sequence[_Read], resolved_at: datetime | None
) -> bool:
    if resolved_at is not None:
        return not any(each.submitted_at is not None and each.submitted_at <= resolved_at for each in seconds)
    # Nobody was asked yet while the job is on its way, or while the work is held.
    return submission.state == "scoring" and first is not None and not seconds


async def _load_accepted(session: AsyncSession, program: Program, as_of: datetime | None) -> list[AcceptedSubmission]:
    query = (
        select(
            Submission.id, Submission.learner_id, Submission.achievement_id, Submission.version,
            Submission.attempt, Submission.state, Submission.policy_version,
            case((Submission.attempt > 1, cast(Submission.banked, String))), Submission.accepted_at,
        )
        .where(
            Submission.issuer_id == program.issuer_id, Submission.program_id == program.id,
            Submission.accepted_at.is_not(None) if as_of is None else Submission.accepted_at <= as_of,
        )
        .order_by(Submission.accepted_at, Submission.id)
    )  # fmt: skip
    merged = await load_merged(session, program.issuer_id)
    return [AcceptedSubmission(row[0], merged.get(row[1], row[1]), *row[2:]) for row in await read_rows(session, query)]


async def _load_readings(session: AsyncSession, program: Program, as_of: datetime | None) -> Mapping[str, list[_Read]]:
    query = select(
        Reading.submission_id, Reading.kind, Reading.state, Reading.trigger,
        case((Reading.kind == "first", cast(Reading.levels, String))), Reading.submitted_at,
        *(() if as_of is None else (Reading.created_at, Reading.updated_at)),
    ).where(
        Reading.issuer_id == program.issuer_id, Reading.program_id == program.id, Reading.submission_id.is_not(None),
        Reading.kind.in_(("first", *SECOND_KINDS)),
    )  # fmt: skip
    readings: dict[str, list[_Read]] = defaultdict(list)
    for row in await read_rows(session, query.order_by(Reading.created_at, Reading.id)):
        reading = _Read(*row[:6])
        if as_of is None or row[7] <= as_of:
            readings[reading.submission_id].append(reading)
        elif row[6] <= as_of:  # then somebody still had it, or it waited for somebody
            readings[reading.submission_id].append(replace(reading, state="assigned", submitted_at=None))
    return readings


async def _load_resolved(session: AsyncSession, program: Program, as_of: datetime | None) -> Mapping[str, datetime]:
    of_program = (Submission.issuer_id == program.issuer_id, Submission.program_id == program.id)
    query = select(Resolution.submission_id, Resolution.resolved_at).where(
        Resolution.issuer_id == program.issuer_id, Resolution.number == 1,
        Resolution.submission_id.in_(select(Submission.id).where(*of_program)),
    )  # fmt: skip
    if as_of is not None:
        query = query.where(Resolution.resolved_at <= as_of)
    return dict(await read_rows(session, query))


async def _load_policies(session: AsyncSession, program: Program) -> Mapping[int | None, ScoringPolicyBody]:
    """By version; what has none pinned is judged by the one in force."""
    query = select(ScoringPolicy.version, ScoringPolicy.content).where(
        ScoringPolicy.issuer_id == program.issuer_id, ScoringPolicy.program_id == program.id
    )
    found: dict[int | None, ScoringPolicyBody] = {
        version: ScoringPolicyBody.model_validate(content) for version, content in (await session.execute(query)).all()
    }
    return found | {None: found[program.policy_version]}


async def _load_rubrics(session: AsyncSession, program: Program) -> Mapping[tuple[str, int], Rubric]:
    submitted = select(Submission.achievement_id).where(
        Submission.issuer_id == program.issuer_id, Submission.program_id == program.id
    )
    query = select(AchievementVersion.achievement_id, AchievementVersion.version, AchievementVersion.content).where(
        AchievementVersion.issuer_id == program.issuer_id, AchievementVersion.achievement_id.in_(submitted)
    )
    return {(id_, version): content["rubric"] for id_, version, content in (await session.execute(query)).all()}
