"""Walking the chains of the audit trail: every link is computed anew from its entry, and what differs is named with its place.
Of decisions and frozen quality reports the entry's content too is composed anew, from what is stored.

The columns are read as the database holds them. A byte that was changed behind the service's back may leave what is not text
or not a moment any more, and that must be found, not stumbled over.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, LargeBinary, cast, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import ColumnElement

from app.audit.store import BEGINNING, AuditChain, AuditEntry, AuditLink, content_digest, link_digest
from app.db import Table
from app.quality.commitment import FROZEN, compose_report_commitment
from app.quality.store import FrozenQualityReport
from app.scoring.commitment import RECORDED, compose_commitment, compose_earlier_commitments
from app.scoring.store import Decision

_BATCH = 1000
_ENTRY = AuditEntry.__table__
_LINK = AuditLink.__table__
_DECISION = Decision.__table__
_REPORT = FrozenQualityReport.__table__


@dataclass(frozen=True, slots=True)
class TrailFault:
    """What is wrong at a position of a chain; `position` is None for what has no place in one, `entry_id` when there is none."""

    chain: str
    position: int | None
    entry_id: int | None
    detail: str
    cure: str = ""


@dataclass(slots=True)
class Head:
    """Where a chain ends: how many entries it has, and the digest that stands for all of them."""

    chain: str
    position: int = 0
    digest: str = BEGINNING


@dataclass(slots=True)
class Trail:
    heads: list[Head] = field(default_factory=list)
    faults: list[TrailFault] = field(default_factory=list)

    @property
    def entries(self) -> int:
        return sum(head.position for head in self.heads)


async def verify_audit_trail(session: AsyncSession) -> Trail:
    """Verify every chain from its beginning. `session` is a snapshot, so that what is written meanwhile does not disturb."""
    trail = Trail()
    walk = _Walk(trail)
    query = select(*_columns(session, _LINK, "link"), *_columns(session, _ENTRY, "entry")).select_from(
        _LINK.outerjoin(_ENTRY, _ENTRY.c.id == _LINK.c.entry_id)
    )
    ordered = query.order_by(_LINK.c.chain, _LINK.c.position).execution_options(yield_per=_BATCH)
    async for row in await session.stream(ordered):
        walk.step({name: _as_text(value) for name, value in row._mapping.items()})
    trail.faults += _judge_heads(trail, await _stored_heads(session))
    trail.faults += [fault async for fault in _changed_decisions(session)]
    trail.faults += [fault async for fault in _changed_reports(session)]
    trail.faults += [fault async for fault in _loose_entries(session)]
    trail.faults += [fault async for fault in _issuers_without_chain(session, trail)]
    return trail


class _Walk:
    """One pass over the links in order. `_digests` are those the next link may name: the stored and the computed."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail
        self._head: Head | None = None
        self._digests: set[str] = set()

    def step(self, row: Mapping[str, Any]) -> None:
        chain, position = str(row["link_chain"]), row["link_position"]
        if self._head is None or self._head.chain != chain:
            self._head, self._digests = Head(chain), {BEGINNING}
            self._trail.heads.append(self._head)
        entry = {name.removeprefix("entry_"): value for name, value in row.items() if name.startswith("entry_")}
        computed = None
        if entry["id"] is not None:
            entry["recorded_at"] = _as_moment(entry["recorded_at"])
            computed = link_digest(chain, position, row["link_previous"], entry)
        if (detail := self._find_fault(row, computed)) is not None:
            about = f" ({entry['action']} of {entry['object_id']})" if computed else ""
            self._trail.faults.append(TrailFault(chain, position, row["link_entry_id"], detail + about))
        self._digests = {row["link_digest"], computed or row["link_digest"]}
        if isinstance(position, int):
            self._head.position = position
        self._head.digest = row["link_digest"]

    def _find_fault(self, row: Mapping[str, Any], computed: str | None) -> str | None:
        assert self._head is not None
        expected = self._head.position + 1
        if row["link_position"] != expected:
            return f"position {expected} is missing before it"
        if computed is None:
            return "its entry is missing"
        if computed != row["link_digest"]:
            return "the entry or its link was changed: its digest is another"
        if row["link_previous"] not in self._digests:
            return "it does not follow from the entry before"
        return None


def _judge_heads(trail: Trail, stored: Mapping[str, Head]) -> Iterator[TrailFault]:
    faulted = {(fault.chain, fault.position) for fault in trail.faults}
    walked = {head.chain: head for head in trail.heads}
    for chain in sorted(walked.keys() | stored.keys()):
        end, head = walked.get(chain, Head(chain)), stored.get(chain)
        if head is None:
            yield TrailFault(chain, None, None, "the chain's head is missing")
        elif head.position != end.position:
            detail = f"the chain ends at position {end.position}, its head says {head.position}: entries were removed"
            yield TrailFault(chain, end.position + 1, None, detail)
        elif head.digest != end.digest and (chain, end.position) not in faulted:
            yield TrailFault(chain, end.position, None, "the chain's head names another digest than its last link")


async def _stored_heads(session: AsyncSession) -> dict[str, Head]:
    rows = (await session.execute(select(*_columns(session, AuditChain.__table__, "head")))).mappings()
    heads = [Head(*(_as_text(row[f"head_{name}"]) for name in ("chain", "position", "digest"))) for row in rows]
    return {head.chain: head for head in heads}


async def _loose_entries(session: AsyncSession) -> Any:
    linked = select(_LINK.c.entry_id).where(_LINK.c.entry_id == _ENTRY.c.id)
    loose = (await session.scalars(select(_ENTRY.c.id).where(~linked.exists()).order_by(_ENTRY.c.id))).all()
    if loose:
        yield TrailFault(
            "", None, loose[0], f"{len(loose)} entries from {loose[0]} on are in no chain",
            cure="If an earlier release has run beside this one, append what it wrote with `assay audit link`. If none "
            "has, somebody else wrote these.",
        )  # fmt: skip


async def _changed_decisions(session: AsyncSession) -> Any:
    """Decisions that are not what their entries commit to, are missing, or have no entry."""
    recorded = (_ENTRY.c.object_id == _DECISION.c.id) & (_ENTRY.c.issuer_id == _DECISION.c.issuer_id)
    rows = select(
        *_columns(session, _DECISION, "decision"),
        *_columns(session, _ENTRY, "entry"),
        *_columns(session, _LINK, "link"),
    ).select_from(
        _DECISION.outerjoin(_ENTRY, recorded & (_ENTRY.c.action == RECORDED)).outerjoin(
            _LINK, _LINK.c.entry_id == _ENTRY.c.id
        )
    )
    async for row in await session.stream(rows.execution_options(yield_per=_BATCH)):
        values = {name: _as_text(value) for name, value in row._mapping.items()}
        decision = {c.name: values[f"decision_{c.name}"] for c in _DECISION.columns}
        place = decision["issuer_id"], values["link_position"], values["entry_id"]
        if values["entry_id"] is None:
            yield TrailFault(*place, f"the decision {decision['id']} is in no entry: somebody else wrote it")
        elif values["entry_digest"] not in commitments_of(decision):
            yield TrailFault(*place, f"the decision {decision['id']} was changed: it is not what was chained")
    gone = select(_ENTRY.c.id, _ENTRY.c.issuer_id, _ENTRY.c.object_id, _LINK.c.position).select_from(
        _ENTRY.outerjoin(_LINK, _LINK.c.entry_id == _ENTRY.c.id)
    )
    exists = select(_DECISION.c.id).where(recorded).exists()
    for entry_id, issuer_id, id_, position in await session.execute(
        gone.where(_ENTRY.c.action == RECORDED, ~exists).order_by(_ENTRY.c.id)
    ):
        yield TrailFault(str(issuer_id), position, entry_id, f"the decision {id_} is missing")


def commitments_of(decision: Mapping[str, Any]) -> set[str]:
    """What may be chained of a decision: by this release, or by one before, which committed to less."""
    row = {
        **decision,
        "levels": _as_json(decision["levels"]),
        "assessors": _as_json(decision["assessors"]),
        "decided_at": _as_moment(decision["decided_at"]),
    }
    contents = (compose_commitment(row), *compose_earlier_commitments(row))
    return {content_digest(content) for content in contents}


async def _changed_reports(session: AsyncSession) -> Any:
    """Frozen quality reports whose bytes are not those that an entry commits to, and entries whose report is missing."""
    chained: dict[tuple[str, str, str], tuple[int, int | None]] = {}
    entries = select(_ENTRY.c.issuer_id, _ENTRY.c.object_id, _ENTRY.c.digest, _ENTRY.c.id, _LINK.c.position)
    joined = entries.select_from(_ENTRY.outerjoin(_LINK, _LINK.c.entry_id == _ENTRY.c.id))
    for issuer_id, achievement_id, digest, entry_id, position in await session.execute(
        joined.where(_ENTRY.c.action == FROZEN).order_by(_ENTRY.c.id)
    ):
        chained[issuer_id, achievement_id, digest] = entry_id, position
    reports = select(*_columns(session, _REPORT, "report"))
    async for row in await session.stream(reports.execution_options(yield_per=_BATCH)):
        report = {name.removeprefix("report_"): _as_text(value) for name, value in row._mapping.items()}
        body = hashlib.sha256(str(report["body"]).encode()).hexdigest()
        digest = content_digest(compose_report_commitment(report["version"], report["label"], body))
        if chained.pop((report["issuer_id"], report["achievement_id"], digest), None) is None:
            what = f"the quality report {report['label']} of {report['achievement_id']} v{report['version']}"
            yield TrailFault(str(report["issuer_id"]), None, None, f"{what} is not what was chained")
    for (issuer_id, achievement_id, _), (entry_id, position) in chained.items():
        what = f"a quality report of {achievement_id} is missing, or was changed"
        yield TrailFault(str(issuer_id), position, entry_id, what)


async def _issuers_without_chain(session: AsyncSession, trail: Trail) -> Any:
    """Creating an issuer is audited, so every issuer has a chain."""
    issuer = Table.metadata.tables["issuer"]
    chained = {head.chain for head in trail.heads}
    for issuer_id in (await session.scalars(select(issuer.c.id).order_by(issuer.c.id))).all():
        if issuer_id not in chained:
            yield TrailFault(issuer_id, None, None, "the issuer has no audit chain")


def _columns(session: AsyncSession, table: Any, prefix: str) -> list[ColumnElement[Any]]:
    sqlite = session.get_bind().dialect.name == "sqlite"
    return [_raw(column, sqlite).label(f"{prefix}_{column.name}") for column in table.columns]


def _raw(column: Column[Any], sqlite: bool) -> ColumnElement[Any]:
    """SQLite takes any bytes for a text or a moment; PostgreSQL sees to it that they are one."""
    return cast(column, LargeBinary) if sqlite and column.type.python_type is not int else column


def _as_text(value: object) -> Any:
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else value


def _as_moment(value: object) -> object:
    """A moment as the database gave it; as it stands when it is none."""
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
        except ValueError:
            return value
    return value


def _as_json(value: object) -> object:
    """A JSON column as the database gave it; as it stands when it is none."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
