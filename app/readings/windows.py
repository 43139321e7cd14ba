"""Windows of the sampler: the commitment is published before a window begins, the seed revealed when it is over.

The first window of a program begins a minute after its publication, and every further one stands published for the whole window
before it. A submission belongs to the first window that was published when it was accepted and is not over: in that first minute
it is the window about to begin.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.events.store import record_event
from app.identifiers import new_id
from app.jobs.queue import enqueue
from app.keys.vault import Vault
from app.programs.jobs import OPEN_WINDOWS_JOB
from app.programs.policy import get_policy
from app.programs.store import Program
from app.readings.sampler import SEED_SIZE, compute_commitment, is_selected
from app.readings.store import SamplingWindow, list_windows
from app.readings.trail import SERVICE
from app.resources import Resources
from app.submissions.store import Submission

NOTICE = timedelta(minutes=1)
"""How long the commitment of a program's first window is public before the window begins."""
AHEAD = 2
"""Windows that are always published and not over: the current one and the next."""


async def open_windows(world: Resources, issuer_id: str, program_id: str) -> None:
    """Reveal the seeds of windows that are over and publish the ones that are missing. Doing it again changes nothing."""
    now = world.clock.now()
    async with world.database.transaction() as session:
        query = select(Program).where(Program.issuer_id == issuer_id, Program.id == program_id)
        program = (await session.scalars(query.with_for_update())).one()
        windows = await list_windows(session, program_id)
        for window in windows:
            if window.ends_at <= now and window.seed is None:
                _reveal(session, world.vault, window, now)
        policy = (await get_policy(session, issuer_id, program_id, program.policy_version)).second_readings
        unended = [window for window in windows if window.ends_at > now]
        missing = AHEAD - len(unended)
        for _ in range(missing):
            starts_at = max([now + NOTICE, *(window.ends_at for window in unended[-1:])])
            unended.append(
                _publish(session, world.vault, program, starts_at, policy.window_days, policy.random_percent, now)
            )
        if missing > 0:
            payload = {"issuer_id": issuer_id, "program_id": program_id}
            enqueue(session, OPEN_WINDOWS_JOB, payload, run_at=unended[0].ends_at)


def _publish(
    session: AsyncSession, vault: Vault, program: Program, starts_at: datetime, days: int, rate: int, now: datetime
) -> SamplingWindow:
    id_, seed = new_id(), secrets.token_bytes(SEED_SIZE)
    sealed_key = vault.new_personal_key(program.issuer_id, id_)
    key = vault.open_personal_key(sealed_key, issuer_id=program.issuer_id, owner_id=id_)
    window = SamplingWindow(
        issuer_id=program.issuer_id, id=id_, program_id=program.id, starts_at=starts_at,
        ends_at=starts_at + timedelta(days=days), rate=rate, seed_hash=compute_commitment(seed), sealed_key=sealed_key,
        sealed_seed=key.seal(seed, table="sampling_window", row=id_, column="sealed_seed"), seed=None,
        published_at=now, revealed_at=None,
    )  # fmt: skip
    session.add(window)
    _note(session, window, "published", now)
    return window


def _reveal(session: AsyncSession, vault: Vault, window: SamplingWindow, now: datetime) -> None:
    window.seed, window.revealed_at = open_seed(vault, window).hex(), now
    _note(session, window, "revealed", now)


def _note(session: AsyncSession, window: SamplingWindow, what: str, now: datetime) -> None:
    content = {"program": window.program_id, "seed_hash": window.seed_hash, "rate": window.rate,
               "starts_at": window.starts_at, "ends_at": window.ends_at}  # fmt: skip
    audit(session, issuer_id=window.issuer_id, actor=SERVICE, action=f"sampling_window.{what}", object_id=window.id,
          content=content, at=now)  # fmt: skip
    record_event(session, window.issuer_id, f"sampling_window.{what}", window.id, at=now,
                 data={"program_id": window.program_id, "seed_hash": window.seed_hash})  # fmt: skip


def open_seed(vault: Vault, window: SamplingWindow) -> bytes:
    """The window's seed, whether or not it is revealed. Raises Unreadable."""
    key = vault.open_personal_key(window.sealed_key, issuer_id=window.issuer_id, owner_id=window.id)
    return key.open(window.sealed_seed, table="sampling_window", row=window.id, column="sealed_seed")


def find_window(windows: Sequence[SamplingWindow], accepted_at: datetime | None) -> SamplingWindow | None:
    """The window that a submission belongs to, by when it was accepted. `windows` are those of its program, oldest first."""
    if accepted_at is None:
        return None
    return next((each for each in windows if each.published_at <= accepted_at < each.ends_at), None)


def draw(vault: Vault, window: SamplingWindow | None, submission: Submission) -> bool | None:
    """The sampler's word on a submission; None without a window."""
    return None if window is None else is_selected(open_seed(vault, window), submission.id, window.rate)
