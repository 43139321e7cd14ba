"""The sample recomputed from its seeds, and the second readings that were due compared with those there are."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.rubric import Rubric
from app.keys.vault import Vault
from app.programs.policy import ScoringPolicyBody
from app.programs.store import Program
from app.readings.entitled import get_pinned_policy
from app.readings.resolve import SECOND_KINDS, get_rubric, look_at_first
from app.readings.sampler import compute_commitment, is_selected
from app.readings.store import STANDING, Reading, Resolution, SamplingWindow, list_windows
from app.readings.triggers import Facts, find_due
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
class _Facts:
    """Everything of a program that the audit looks at, read at once."""

    submissions: Sequence[Submission]
    readings: dict[str, list[Reading]]
    resolved_at: dict[str, datetime]


async def audit_sample(
    session: AsyncSession, vault: Vault, program: Program, *, since: datetime | None = None
) -> list[WindowAudit]:
    """The program's windows, oldest first, without those that were over by `since`; then what fell into none, if anything did."""
    windows = await list_windows(session, program.id)
    seeds = {window.id: open_seed(vault, window) for window in windows}
    audits = {
        window.id: WindowAudit(window, compute_commitment(seeds[window.id]) == window.seed_hash) for window in windows
    }
    outside = WindowAudit(None)
    facts = await _load(session, program)
    policies: dict[int | None, ScoringPolicyBody] = {}
    rubrics: dict[tuple[str, int], Rubric] = {}
    ranks: Counter[tuple[str, int]] = Counter()
    for submission in facts.submissions:
        version = submission.achievement_id, submission.version
        window = find_window(windows, submission)
        if version not in rubrics:
            rubrics[version] = await get_rubric(session, submission)
        if submission.policy_version not in policies:
            policies[submission.policy_version] = await get_pinned_policy(session, submission)
        hit = None if window is None else is_selected(seeds[window.id], submission.id, window.rate)
        _look_at(
            outside if window is None else audits[window.id], submission, facts, hit, ranks[version], rubrics[version],
            policies[submission.policy_version],
        )  # fmt: skip
        ranks[version] += 1
    shown = [each for each in audits.values() if since is None or each.window is None or each.window.ends_at > since]
    return [*shown, outside] if outside.accepted else shown


def _look_at(
    audit: WindowAudit, submission: Submission, facts: _Facts, hit: bool | None, rank: int, rubric: Rubric,
    policy: ScoringPolicyBody,
) -> None:  # fmt: skip
    readings = facts.readings[submission.id]
    first = next((each for each in readings if each.kind == "first" and each.state in STANDING), None)
    seconds = [each for each in readings if each.kind in SECOND_KINDS and each.state in STANDING]
    near, probationary = look_at_first(submission, rubric, first)
    due = find_due(policy.second_readings, Facts(hit, rank, submission.attempt, near, probationary))
    audit.accepted += 1
    is_in_sample = hit is None or hit
    audit.selected += is_in_sample
    audit.second_read += is_in_sample and any(each.state == "submitted" for each in seconds)
    if due is not None and _is_missed(submission, first, seconds, facts.resolved_at.get(submission.id)):
        audit.misses.append(submission.id)


def _is_missed(
    submission: Submission, first: Reading | None, seconds: Sequence[Reading], resolved_at: datetime | None
) -> bool:
    if resolved_at is not None:
        return not any(each.submitted_at is not None and each.submitted_at <= resolved_at for each in seconds)
    # Nobody was asked yet while the job is on its way, or while the work is held.
    return submission.state == "scoring" and first is not None and not seconds


async def _load(session: AsyncSession, program: Program) -> _Facts:
    issuer_id = program.issuer_id
    of_program = (Submission.issuer_id == issuer_id, Submission.program_id == program.id)
    accepted = select(Submission).where(*of_program, Submission.accepted_at.is_not(None))
    submissions = (await session.scalars(accepted.order_by(Submission.accepted_at, Submission.id))).all()
    readings: dict[str, list[Reading]] = defaultdict(list)
    query = select(Reading).where(
        Reading.issuer_id == issuer_id, Reading.program_id == program.id, Reading.submission_id.is_not(None)
    )
    for reading in (await session.scalars(query.order_by(Reading.created_at, Reading.id))).all():
        readings[str(reading.submission_id)].append(reading)
    resolutions = select(Resolution.submission_id, Resolution.resolved_at).where(
        Resolution.issuer_id == issuer_id, Resolution.number == 1,
        Resolution.submission_id.in_(select(Submission.id).where(*of_program)),
    )  # fmt: skip
    return _Facts(submissions, readings, dict((await session.execute(resolutions)).all()))
