"""Versions of a scoring policy. None is ever changed: what was submitted under one is judged by it to the end."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.errors import Conflict, NotFound
from app.events.store import record_event
from app.programs.policy import ScoringPolicyBody
from app.programs.store import Program, ScoringPolicy, lock_program


class PolicyUnchanged(Conflict):
    """The policy that was sent is the one in force, word for word."""

    code = "policy_unchanged"


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """One figure that differs between two versions, by its JSON Pointer."""

    pointer: str
    before: Any
    after: Any


def compose_version(
    program: Program, version: int, policy: ScoringPolicyBody, actor: str, now: datetime
) -> ScoringPolicy:
    """The row of a version. Its digest is the SHA-256 of its JSON, keys sorted, without spaces (hex)."""
    content = policy.model_dump(mode="json")
    plain = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    return ScoringPolicy(
        issuer_id=program.issuer_id, program_id=program.id, version=version, content=content,
        digest=hashlib.sha256(plain).hexdigest(), created_by=actor, created_at=now,
    )  # fmt: skip


async def add_policy(
    session: AsyncSession, issuer_id: str, program_id: str, policy: ScoringPolicyBody, *, actor: str, now: datetime
) -> ScoringPolicy:
    """The next version of the program's policy, in force from now on for what is submitted. Raises NotFound, PolicyUnchanged."""
    program = await lock_program(session, issuer_id, program_id)
    before = await get_policy_version(session, issuer_id, program_id, program.policy_version)
    row = compose_version(program, before.version + 1, policy, actor, now)
    if not list_changes(before.content, row.content):
        raise PolicyUnchanged(f"Version {before.version} says the same.")
    session.add(row)
    program.policy_version, program.updated_at = row.version, now
    content = {"version": row.version, "digest": row.digest}
    audit(session, issuer_id=issuer_id, actor=actor, action="program.policy_changed", object_id=program_id,
          content=content, at=now)  # fmt: skip
    record_event(session, issuer_id, "program.policy_changed", program_id, at=now, data=content)
    await session.flush()
    return row


async def get_policy_version(session: AsyncSession, issuer_id: str, program_id: str, version: int) -> ScoringPolicy:
    """The row of one version. Raises NotFound."""
    row = await session.get(ScoringPolicy, (issuer_id, program_id, version))
    if row is None:
        raise NotFound("There is no such version of the program's scoring policy.")
    return row


async def list_policy_versions(session: AsyncSession, issuer_id: str, program_id: str) -> list[ScoringPolicy]:
    """Every version of the program's policy, oldest first."""
    query = select(ScoringPolicy).where(ScoringPolicy.issuer_id == issuer_id, ScoringPolicy.program_id == program_id)
    return list((await session.scalars(query.order_by(ScoringPolicy.version))).all())


def list_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[PolicyChange]:
    """What differs, in the order of the pointers. A member that one of the two lacks counts as null there."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    return [
        PolicyChange(pointer, old.get(pointer), new.get(pointer))
        for pointer in sorted(old.keys() | new.keys())
        if old.get(pointer) != new.get(pointer)
    ]


def _leaves(content: Mapping[str, Any], pointer: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in content.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{pointer}/{name}")
        else:
            yield f"{pointer}/{name}", value
