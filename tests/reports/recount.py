"""The reports counted again, slowly and by other means: whole tables read as they are, loops over everything for each number."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from app.resources import Resources
from app.tables import metadata

Rows = list[dict[str, Any]]

TABLES = (
    "enrollment", "learner", "event", "submission", "decision", "credential", "edition", "program_achievement",
    "screening", "appeal", "reading", "achievement_version", "panel",
)  # fmt: skip


@dataclass
class Recount:
    """`tables` by name, of one issuer; the rest are the filters."""

    tables: dict[str, Rows]
    program_id: str
    as_of: datetime
    cohort_id: str | None = None
    since: datetime = datetime(1900, 1, 1, tzinfo=UTC)
    until: datetime = datetime(2900, 1, 1, tzinfo=UTC)

    @classmethod
    async def read(cls, world: Resources, issuer_id: str, program_id: str) -> "Recount":
        tables: dict[str, Rows] = {}
        async with world.database.reading() as session:
            for name in TABLES:
                table = metadata.tables[name]
                found = await session.execute(select(table).where(table.c.issuer_id == issuer_id))
                tables[name] = [dict(row) for row in found.mappings().all()]
        return cls(tables, program_id, world.clock.now())

    def at(self, as_of: datetime, **filters: Any) -> "Recount":
        return Recount(self.tables, self.program_id, as_of, **filters)

    def within(self, moment: datetime) -> bool:
        return moment <= self.as_of and self.since <= moment < self.until

    def person(self, learner_id: str) -> str:
        learner = next(each for each in self.tables["learner"] if each["id"] == learner_id)
        return str(learner["merged_into"] or learner_id)

    def events(self, object_id: str, *types: str) -> Rows:
        found = [
            each
            for each in self.tables["event"]
            if each["object_id"] == object_id and each["type"] in types and each["occurred_at"] <= self.as_of
        ]
        return sorted(found, key=lambda each: int(each["position"]))

    def taken_up(self) -> dict[str, datetime]:
        """When each person took up their place."""
        found: dict[str, datetime] = {}
        for enrollment in self.tables["enrollment"]:
            if enrollment["program_id"] != self.program_id:
                continue
            for event in self.events(enrollment["id"], "enrollment.created", "enrollment.state_changed"):
                if event["data"]["state"] in ("enrolled", "active", "completed"):
                    person = self.person(enrollment["learner_id"])
                    found[person] = min(found.get(person, event["occurred_at"]), event["occurred_at"])
        return found

    def shown(self) -> set[str]:
        """Those in the cohort, or everybody."""
        return {
            self.person(each["learner_id"])
            for each in self.tables["enrollment"]
            if each["program_id"] == self.program_id and self.cohort_id in (None, each["cohort_id"])
        }

    def enrolled(self) -> set[str]:
        return {person for person, at in self.taken_up().items() if self.within(at) and person in self.shown()}

    def submissions(self) -> Rows:
        return [
            each
            for each in self.tables["submission"]
            if each["program_id"] == self.program_id and self.person(each["learner_id"]) in self.shown()
        ]

    def people_of(self, submissions: Rows) -> set[str]:
        return {self.person(each["learner_id"]) for each in submissions}

    def started(self) -> set[str]:
        return self.people_of([each for each in self.submissions() if self.within(each["created_at"])])

    def submitted(self) -> set[str]:
        return self.people_of(
            [each for each in self.submissions() if each["submitted_at"] and self.within(each["submitted_at"])]
        )

    def belongs(self, decision: dict[str, Any]) -> bool:
        """Whether a decision is the program's, about somebody asked for."""
        person = self.person(decision["learner_id"])
        if person not in self.shown():
            return False
        if decision["submission_id"] is not None:
            of = next(each for each in self.tables["submission"] if each["id"] == decision["submission_id"])
            return bool(of["program_id"] == self.program_id)
        ours = {
            each["achievement_id"]
            for each in self.tables["program_achievement"]
            if each["program_id"] == self.program_id
        }
        return decision["achievement_id"] in ours and person in self.taken_up()

    def chains(self) -> list[Rows]:
        """Decisions with those that superseded them, known by the moment."""
        known = [
            each
            for each in self.tables["decision"]
            if each["recorded_at"] <= self.as_of and each["decided_at"] <= self.as_of and self.belongs(each)
        ]
        chains = []
        for first in known:
            if any(each["id"] == first["supersedes_id"] for each in known):
                continue
            chain = [first]
            while after := [each for each in known if each["supersedes_id"] == chain[-1]["id"]]:
                chain += after
            chains.append(chain)
        return chains

    def decided_at(self, chain: Rows) -> datetime:
        dates: list[datetime] = [chain[0]["decided_at"]]
        dates += [each["decided_at"] for each in chain[1:] if each["reason_code"] == "clerical_error"]
        return dates[-1]

    def decided(self) -> set[str]:
        return {self.person(chain[0]["learner_id"]) for chain in self.chains() if self.within(self.decided_at(chain))}

    def badges(self) -> list[tuple[str, bool]]:
        """Whose each badge is that was awarded in the window, and whether it stands."""
        found = []
        for credential in self.tables["credential"]:
            editions = [
                each
                for each in self.tables["edition"]
                if each["credential_id"] == credential["id"] and each["issued_at"] and each["issued_at"] <= self.as_of
            ]
            if not editions:
                continue
            newest = max(editions, key=lambda each: int(each["number"]))
            decision = next(each for each in self.tables["decision"] if each["id"] == newest["decision_id"])
            if self.belongs(decision) and self.within(newest["awarded_date"]):
                stands = not self.events(credential["id"], "credential.revoked")
                found.append((self.person(credential["learner_id"]), stands))
        return found

    def attempts(self) -> dict[str, list[Rows]]:
        """The chains of each person in order, without earlier awards that were taken over."""
        found: dict[str, list[Rows]] = {}
        for chain in sorted(self.chains(), key=lambda each: (each[0]["decided_at"], each[0]["recorded_at"])):
            if chain[0]["submission_id"] or chain[0]["assessors"]:
                found.setdefault(self.person(chain[0]["learner_id"]), []).append(chain)
        return found
