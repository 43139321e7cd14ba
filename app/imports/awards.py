"""Earlier awards: each row becomes a decision in the name of an external source, and a badge that we sign today.

A row is known by its external id. Without one it gets one that follows from source, achievement, person and moment, as a keyed
hash: the same row gets the same, and nobody can guess from it who it is about. A row whose decision is there is compared with
it. A badge whose process died is finished when the dead process's claim has run out.
"""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Tenant
from app.achievements.store import find_by_external_id as find_achievement
from app.achievements.store import get_achievement
from app.assessors.store import Panel
from app.credentials.issue import CredentialPending, PendingEdition, complete, recover
from app.credentials.store import Edition, find_edition_of_decision, get_edition
from app.errors import Fault, NotFound
from app.imports.mapping import FieldMapping, RefusedRow, refuse
from app.imports.reading import Row
from app.imports.report import ReportLine
from app.imports.run import Entered
from app.learners.recipients import list_known, normalize_identity, open_key
from app.learners.store import Learner, get_learner
from app.resources import Resources
from app.scoring.award import open_details
from app.scoring.bodies import DecisionCreate
from app.scoring.decide import record
from app.scoring.facts import DecisionFacts, compose_details
from app.scoring.store import Decision, find_by_external_id, find_taken_over
from app.web.problems import faults_of

FIELDS = frozenset(
    {
        "external_id", "achievement", "version", "awarded_at", "learner_external_id", "name", "email", "did", "narrative",
        "role", "activity_start", "activity_end", "evidence_url", "evidence_name", "evidence_genre", "evidence", "results",
    }
)  # fmt: skip
"""`evidence` and `results` are arrays as in POST /v1/decisions: for JSON. CSV has columns for them."""

LEASE = timedelta(seconds=5)
"""How long a row's signing is claimed. Shorter than for a request: the run after a killed one need not wait a minute."""

PATIENCE = timedelta(seconds=90)
"""How long the end of a run waits for another process that signs one of its rows."""

UNKNOWN = "0" * 32
"""Stands for an achievement that a row does not name, while its other faults are looked for."""

_GIVEN_UP = "its badge could not be signed and was given up"

_FIELDS = {
    "/achievement_id": "/achievement", "/decided_at": "/awarded_at", "/recipient": "/email", "/recipient/email": "/email",
    "/recipient/name": "/name", "/recipient/did": "/did", "/recipient/external_id": "/learner_external_id",
    "/evidence/0/url": "/evidence_url", "/evidence/0/name": "/evidence_name", "/evidence/0/genre": "/evidence_genre",
}  # fmt: skip
"""Where the decision has what our fields say."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    row: Row
    external_id: str
    edition_id: str


@dataclass(slots=True)
class AwardImport:
    """An import of awards of one source. `achievement` is for rows that name none: an id or external id."""

    world: Resources
    tenant: Tenant
    mapping: FieldMapping
    source: Panel
    achievement: str | None = None
    _achievement_ids: dict[str, str] = field(default_factory=dict)
    _lines: dict[str, int] = field(default_factory=dict)
    """External ids, and ids of decisions, by the line that has them."""
    _waiting: list[_Waiting] = field(default_factory=list)

    async def prepare(self, row: Row) -> DecisionFacts:
        """The row as a decision. Raises RefusedRow with all its faults."""
        body, faults = await self._body(row)
        try:
            decision = DecisionCreate.model_validate(body)
        except ValidationError as error:
            told = (
                replace(fault, pointer=_FIELDS.get(fault.pointer, fault.pointer)) for fault in faults_of(error, body)
            )
            refuse([*faults, *told])
            raise
        refuse(faults)
        return decision.facts(self.world.clock.now())

    async def enter(self, session: AsyncSession, row: Row, prepared: DecisionFacts) -> Entered:
        """Record the decision and intend its badge, or find what is there. Raises RefusedRow, or what a decision raises."""
        facts, own_ids = prepared, self._own_ids(prepared)
        self._require_once(own_ids[0], row)
        learners = await list_known(
            session, self.world.vault, self.tenant.issuer_id, facts.recipient_external_id, facts.recipient
        )
        earlier = await self._earlier(session, facts, own_ids, learners)
        if earlier is not None:
            self._require_once(earlier.id, row)
            return await self._compare(session, row, facts, earlier, learners)
        named = replace(facts, external_id=own_ids[0])
        decision, pending = await record(session, self.world, self.tenant, named, lease=LEASE)
        assert pending is not None
        self._lines[decision.id] = row.line
        line = self._line(row, decision, pending.credential_id)
        return Entered(line, lambda: self._sign(row, line, pending))

    async def finish(self) -> AsyncIterator[ReportLine]:
        """Sign what killed processes left behind, each as soon as its claim has run out."""
        for waiting in self._waiting:
            yield await self._finish_one(waiting)
        self._waiting.clear()

    def own_id(self, row: Row) -> str:
        return self.mapping.own_id(row)

    def fault(self, fault: Fault) -> str:
        """The fault, with the partner's column for the place."""
        place = self.mapping.name_of(_FIELDS.get(fault.pointer, fault.pointer).strip("/"))
        return f"{place} {fault.detail}".strip() + (f": {fault.cure}" if fault.cure else "")

    async def _body(self, row: Row) -> tuple[dict[str, Any], list[Fault]]:
        """The row as the body of a decision, and what is wrong already."""
        values, faults = self.mapping.values(row)
        recipient = {name: values.get(name) for name in ("name", "email", "did")}
        recipient["external_id"] = values.get("learner_external_id")
        moments = self._moments(values, faults)
        achievement_id = UNKNOWN
        try:
            achievement_id = await self._achievement_id(values.get("achievement", self.achievement))
        except RefusedRow as error:
            faults += error.faults
        body = {
            "external_id": values.get("external_id"),
            "achievement_id": achievement_id,
            "version": _whole_number(values.get("version")),
            "recipient": {name: value for name, value in recipient.items() if value is not None},
            "outcome": "awarded",
            "assessment": {"panel_id": self.source.id},
            "results": values.get("results") or self.mapping.results(row),
            "evidence": values.get("evidence") or self._evidence(values, row),
            "narrative": values.get("narrative"),
            "role": values.get("role"),
            **moments,
        }
        return {name: value for name, value in body.items() if value is not None}, faults

    def _moments(self, values: Mapping[str, Any], faults: list[Fault]) -> dict[str, datetime]:
        moments = {}
        if "awarded_at" not in values:
            faults.append(Fault("/awarded_at", "is missing", "say when it was awarded"))
        for name, ours in (("awarded_at", "decided_at"), ("activity_start",) * 2, ("activity_end",) * 2):
            if name in values:
                try:
                    moments[ours] = self.mapping.moment(name, values[name])
                except RefusedRow as error:
                    faults += error.faults
        return moments

    def _evidence(self, values: Mapping[str, Any], row: Row) -> list[dict[str, Any]]:
        pieces = self.mapping.pieces(row)
        if "evidence_url" in values:
            piece = {"url": values["evidence_url"], "name": values.get("evidence_name", "Evidence")}
            genre = {"genre": values["evidence_genre"]} if "evidence_genre" in values else {}
            pieces.insert(0, {**piece, **genre})
        return pieces

    async def _achievement_id(self, reference: object) -> str:
        """The id of the achievement that this id or external id names."""
        if not isinstance(reference, str):
            cure = "give a column for it, or --achievement"
            raise RefusedRow("No achievement is named.", faults=[Fault("/achievement", "is missing", cure)])
        if reference not in self._achievement_ids:
            async with self.world.database.reading() as session:
                self._achievement_ids[reference] = await find_achievement_id(session, self.tenant.issuer_id, reference)
        return self._achievement_ids[reference]

    def _own_ids(self, facts: DecisionFacts) -> list[str]:
        """The external id of the row; where it has none the one it gets, then those it may have got under an earlier key."""
        if facts.external_id is not None:
            return [facts.external_id]
        known = facts.recipient
        person = facts.recipient_external_id or (known.did or normalize_identity("email", str(known.email)))
        parts = (self.tenant.issuer_id, self.source.id, facts.achievement_id, person, facts.decided_at.isoformat())
        digests = self.world.vault.digests("taken over", [part.encode() for part in parts])
        return [f"taken-over-{digest.hex()[:32]}" for digest in digests]

    def _require_once(self, id_: str, row: Row) -> None:
        first = self._lines.setdefault(id_, row.line)
        if first != row.line:
            cure = "keep one of them; two awards of one achievement to one person need external ids"
            raise RefusedRow(
                "The row repeats another.", faults=[Fault("", f"the award is in line {first} already", cure)]
            )

    async def _earlier(
        self, session: AsyncSession, facts: DecisionFacts, own_ids: list[str], learners: list[Learner]
    ) -> Decision | None:
        """The decision that this row made before. A derived id changes with the person's identities; the award does not."""
        for own_id in own_ids:
            if found := await find_by_external_id(session, self.tenant.issuer_id, own_id):
                return found
        if facts.external_id is not None or not learners:
            return None
        return await find_taken_over(
            session, self.tenant.issuer_id, panel_id=self.source.id, achievement_id=facts.achievement_id,
            decided_at=facts.decided_at, learner_ids=[learner.id for learner in learners],
        )  # fmt: skip

    async def _compare(
        self, session: AsyncSession, row: Row, facts: DecisionFacts, decision: Decision, learners: list[Learner]
    ) -> Entered:
        decided_on = await get_learner(session, decision.issuer_id, decision.learner_id)
        differing = list_differences(facts, decision)
        if decided_on.sealed_key is not None:  # who was erased stays as they are, whatever the row says of them
            details = open_details(open_key(self.world.vault, decided_on), decision)
            differing += list_personal_differences(facts, details, decided_on, learners)
        edition = await find_edition_of_decision(session, decision.issuer_id, decision.id)
        if differing or edition is None:
            cure = f"to correct it, record a decision that supersedes {decision.id}"
            fault = Fault("", f"differs from what was taken over before: {', '.join(differing)}", cure)
            raise RefusedRow("The row differs from what was taken over before.", faults=[fault])
        line = self._line(row, decision, edition.credential_id)
        if edition.state == "burned":
            cure = f"record a decision that supersedes {decision.id}"
            raise RefusedRow("The badge was given up.", faults=[Fault("", _GIVEN_UP, cure)])
        if edition.state != "pending":
            return Entered(replace(line, outcome="already there"))
        waiting = _Waiting(row, line.external_id, edition.id)
        return Entered(line, lambda: self._later(waiting))

    async def _sign(self, row: Row, line: ReportLine, pending: PendingEdition) -> ReportLine | None:
        try:
            await complete(self.world, pending)
        except CredentialPending:  # the process stood still, and another took the signing over
            self._waiting.append(_Waiting(row, line.external_id, pending.edition_id))
            return None
        return line

    async def _later(self, waiting: _Waiting) -> None:
        self._waiting.append(waiting)

    async def _finish_one(self, waiting: _Waiting) -> ReportLine:
        clock, issuer_id = self.world.clock, self.tenant.issuer_id
        deadline = clock.now() + PATIENCE
        while True:
            edition = await self._edition(waiting.edition_id)
            line = ReportLine(
                waiting.row.line, "issued", waiting.external_id, edition.decision_id, self._url(edition.credential_id)
            )
            if edition.state == "burned":
                return replace(line, outcome="refused", faults=(_GIVEN_UP,))
            if edition.state != "pending":
                return line
            free = (edition.claimed_until or clock.now()) + timedelta(milliseconds=1)
            if free > deadline:
                return replace(line, outcome="unsigned", faults=("another process is signing its badge",))
            await clock.sleep_until(free)
            try:
                await recover(self.world, issuer_id, waiting.edition_id)
            except CredentialPending:
                await clock.sleep_until(clock.now() + timedelta(milliseconds=100))

    async def _edition(self, edition_id: str) -> Edition:
        async with self.world.database.reading() as session:
            return await get_edition(session, self.tenant.issuer_id, edition_id)

    def _line(self, row: Row, decision: Decision, credential_id: str) -> ReportLine:
        return ReportLine(row.line, "issued", decision.external_id or "", decision.id, self._url(credential_id))

    def _url(self, credential_id: str) -> str:
        return f"{self.world.base_url}/credentials/{credential_id}"


async def find_achievement_id(session: AsyncSession, issuer_id: str, reference: str) -> str:
    """The id of the achievement with this id or external id. Raises RefusedRow."""
    found = await find_achievement(session, issuer_id, reference)
    if found is not None:
        return found.id
    try:
        return (await get_achievement(session, issuer_id, reference)).id
    except NotFound:
        detail, cure = "is neither the id nor the external_id of an achievement", "import or create it first"
        raise RefusedRow("There is no such achievement.", faults=[Fault("/achievement", detail, cure)]) from None


def list_differences(facts: DecisionFacts, decision: Decision) -> list[str]:
    """In which of our fields a row is not what the register has of it."""
    levels = sorted([result.criterion, result.level] for result in facts.results)
    differing = {
        "outcome": facts.outcome != decision.outcome,
        "achievement": facts.achievement_id != decision.achievement_id,
        "version": facts.version not in (None, decision.version),
        "source": facts.panel_id != decision.panel_id,
        "awarded_at": facts.decided_at != decision.decided_at,
        "results": levels != sorted(decision.levels),
    }
    return [name for name, differs in differing.items() if differs]


def list_personal_differences(
    facts: DecisionFacts, details: Mapping[str, Any], decided_on: Learner, learners: list[Learner]
) -> list[str]:
    """In which of our fields a row is not what is sealed of it, or concerns somebody else."""
    now = compose_details(facts)
    is_same_person = len(learners) == 1 and learners[0].id in (decided_on.id, decided_on.merged_into)
    differing = {
        "recipient": not is_same_person,
        "rationales": now["rationales"] != details["rationales"],
        "evidence": _bare(now["evidence"]) != _bare(details["evidence"]),
    } | {name: now[name] != details[name] for name in ("narrative", "role", "activity_start", "activity_end")}
    return [name for name, differs in differing.items() if differs]


def _bare(evidence: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Evidence without the ids that were drawn for what has no URL."""
    return [
        {name: value for name, value in piece.items() if not str(value).startswith("urn:uuid:")} for piece in evidence
    ]


def _whole_number(value: object) -> object:
    """A cell of digits as a number; anything else, and what is longer than any version, as it is, for the body to refuse."""
    return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value) else value
