"""Rosters: each row becomes a learner, completes one, or finds everything there already."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Tenant
from app.errors import Fault
from app.imports.mapping import FieldMapping, RefusedRow, refuse
from app.imports.reading import Row
from app.imports.report import Outcome, ReportLine
from app.imports.run import Entered
from app.learners.bodies import RecipientBody
from app.learners.recipients import (
    Identities,
    find_or_create_learner,
    list_known,
    open_identities,
)
from app.learners.store import Learner
from app.resources import Resources
from app.web.problems import faults_of

FIELDS = frozenset({"external_id", "name", "email", "did"})


@dataclass(slots=True)
class RosterImport:
    """An import of people. They are found by external id, e-mail address or DID."""

    world: Resources
    tenant: Tenant
    mapping: FieldMapping
    _lines: dict[tuple[str, str], int] = field(default_factory=dict)

    async def prepare(self, row: Row) -> RecipientBody:
        """Raises RefusedRow with all faults of the row."""
        values, faults = self.mapping.values(row)
        try:
            person = RecipientBody.model_validate(values)
        except ValidationError as error:
            refuse([*faults, *faults_of(error, values)])
            raise
        refuse(faults)
        return person

    async def enter(self, session: AsyncSession, row: Row, prepared: RecipientBody) -> Entered:
        """Enter the person or complete what is known of them. Raises RefusedRow, IdentityTaken."""
        self._require_once(prepared, row)
        issuer_id, identities = self.tenant.issuer_id, prepared.identities()
        before = await list_known(session, self.world.vault, issuer_id, prepared.external_id, identities)
        outcome = await self._outcome(session, before, prepared.external_id, identities)
        learner = await find_or_create_learner(
            session, self.world.vault, issuer_id,
            external_id=prepared.external_id, identities=identities, actor=self.tenant.actor, now=self.world.clock.now(),
        )  # fmt: skip
        return Entered(ReportLine(row.line, outcome, prepared.external_id or "", learner.id))

    async def finish(self) -> AsyncIterator[ReportLine]:
        """Nothing: a person is entered in one transaction."""
        return
        yield

    def own_id(self, row: Row) -> str:
        return self.mapping.own_id(row)

    def fault(self, fault: Fault) -> str:
        place = self.mapping.name_of(fault.pointer.strip("/"))
        return f"{place} {fault.detail}".strip() + (f": {fault.cure}" if fault.cure else "")

    def _require_once(self, person: RecipientBody, row: Row) -> None:
        for name, value in (("external_id", person.external_id), *person.identities().items()):
            if value is None or name == "name":
                continue
            first = self._lines.setdefault((name, value.lower() if name == "email" else value), row.line)
            if first != row.line:
                fault = Fault(f"/{name}", f"is in line {first} already", "keep one row for each person")
                raise RefusedRow("The row repeats another.", faults=[fault])

    async def _outcome(
        self, session: AsyncSession, before: list[Learner], external_id: str | None, identities: Identities
    ) -> Outcome:
        if not before:
            return "created"
        learner = before[0]
        known = await open_identities(session, self.world.vault, learner)
        if identities.name is not None and known.name not in (None, identities.name):
            cure = "a change of name is an act of its own, not part of a roster: leave the name out here"
            fault = Fault("/name", "is not the name that the learner is known by", cure)
            raise RefusedRow("The learner has another name.", faults=[fault])
        adds = [kind for kind, _ in identities.items() if getattr(known, kind) is None]
        is_new_id = external_id is not None and learner.external_id is None
        return "completed" if adds or is_new_id else "already there"
