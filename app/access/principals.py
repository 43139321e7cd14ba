"""Principals and the scopes they hold. PURE."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Scope(StrEnum):
    """What a token may do inside its issuer. `platform` stands above the issuers and creates them."""

    PLATFORM = "platform"
    ISSUER_READ = "issuer:read"
    ISSUER_WRITE = "issuer:write"
    ISSUER_EXPORT = "issuer:export"
    CLIENTS_MANAGE = "clients:manage"
    KEYS_MANAGE = "keys:manage"
    ACHIEVEMENTS_READ = "achievements:read"
    ACHIEVEMENTS_WRITE = "achievements:write"
    ASSESSORS_READ = "assessors:read"
    ASSESSORS_WRITE = "assessors:write"
    LEARNERS_READ = "learners:read"
    LEARNERS_WRITE = "learners:write"
    PEOPLE_READ = "people:read"
    PEOPLE_WRITE = "people:write"
    PROGRAMS_READ = "programs:read"
    PROGRAMS_WRITE = "programs:write"
    READINGS_READ = "readings:read"
    SUBMISSIONS_READ = "submissions:read"
    SUBMISSIONS_WRITE = "submissions:write"
    DECISIONS_READ = "decisions:read"
    DECISIONS_WRITE = "decisions:write"
    CREDENTIALS_READ = "credentials:read"
    CREDENTIALS_STATUS = "credentials:status"
    CLR_READ = "clr:read"
    CLR_WRITE = "clr:write"
    ENDORSEMENTS_READ = "endorsements:read"
    ENDORSEMENTS_WRITE = "endorsements:write"
    EVENTS_READ = "events:read"
    PATHWAYS_READ = "pathways:read"
    PATHWAYS_WRITE = "pathways:write"
    DEMOGRAPHICS_WRITE = "demographics:write"
    REPORTS_READ = "reports:read"
    RECOGNITIONS_READ = "recognitions:read"
    RECOGNITIONS_WRITE = "recognitions:write"
    VCAPI_ISSUE = "vcapi:issue"
    VCAPI_VERIFY = "vcapi:verify"
    VCAPI_GENERIC = "vcapi:generic"


TENANT_SCOPES = frozenset(Scope) - {Scope.PLATFORM}

_READ = frozenset(scope for scope in Scope if scope.value.endswith(":read"))

# A person may do what their roles say. No role lets a person record a decision in somebody else's name through the API: that is
# for the partner's system. What an assessor, a lead or an approver does in our own workflow is asked for by role, not by scope:
# no token of a partner's system can do it. Nobody who reads sees what others read, nor how much there is of it: assessors and
# leads have no `readings:read`.
ROLE_SCOPES: Mapping[str, frozenset[Scope]] = {
    "learner": frozenset(),
    "assessor": frozenset({Scope.ACHIEVEMENTS_READ}),
    "lead": frozenset(
        {
            Scope.ACHIEVEMENTS_READ,
            Scope.ASSESSORS_READ,
            Scope.ASSESSORS_WRITE,
            Scope.PATHWAYS_READ,
            Scope.PROGRAMS_READ,
        }
    ),
    "approver": frozenset(
        {
            Scope.ACHIEVEMENTS_READ,
            Scope.PATHWAYS_READ,
            Scope.PROGRAMS_READ,
            Scope.READINGS_READ,
            Scope.DECISIONS_READ,
            Scope.CREDENTIALS_READ,
        }
    ),
    "director": _READ
    | {
        Scope.ACHIEVEMENTS_WRITE,
        Scope.PROGRAMS_WRITE,
        Scope.DEMOGRAPHICS_WRITE,
        Scope.PATHWAYS_WRITE,
        Scope.PEOPLE_WRITE,
        Scope.SUBMISSIONS_WRITE,
        Scope.CREDENTIALS_STATUS,
        Scope.CLR_WRITE,
        Scope.ENDORSEMENTS_WRITE,
    },
    "partner_viewer": frozenset({Scope.ACHIEVEMENTS_READ, Scope.CREDENTIALS_READ}),
    "recognizer": frozenset({Scope.RECOGNITIONS_READ, Scope.RECOGNITIONS_WRITE}),
}

Role = Literal["learner", "assessor", "lead", "approver", "director", "partner_viewer", "recognizer"]

OWN_SCOPES = frozenset(
    {
        Scope.CLR_READ,
        Scope.CLR_WRITE,
        Scope.CREDENTIALS_READ,
        Scope.PATHWAYS_READ,
        Scope.SUBMISSIONS_READ,
        Scope.SUBMISSIONS_WRITE,
    }
)
"""What a learner may do with what is their own."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who makes the request. `issuer_id` is None for the platform only; `roles` and `learner_id` are a person's."""

    kind: Literal["platform", "client", "person"]
    id: str
    issuer_id: str | None
    scopes: frozenset[Scope]
    roles: frozenset[str] = frozenset()
    learner_id: str | None = None

    @property
    def actor(self) -> str:
        """How the audit trail names this principal."""
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class Tenant:
    """A principal at work inside one issuer, permitted to do what the route asked for.

    `only_learner_id` is set where the permission reaches no further than what belongs to this learner (`app.learners.own`).
    """

    issuer_id: str
    actor: str
    scopes: frozenset[Scope]
    only_learner_id: str | None = None
    client_id: str | None = None
    """The API client, where a route asked for one."""

    def may_grant(self, scopes: Iterable[Scope]) -> bool:
        """Whether these scopes may be handed on: nobody grants more than they hold; the platform holds all."""
        return Scope.PLATFORM in self.scopes or self.scopes.issuperset(scopes)


@dataclass(frozen=True, slots=True)
class Member:
    """A person at work inside one issuer, in the role the route asked for."""

    issuer_id: str
    person_id: str
    roles: frozenset[str]
    learner_id: str | None = None

    @property
    def actor(self) -> str:
        """As Principal.actor."""
        return f"person:{self.person_id}"


def person(id_: str, issuer_id: str, roles: frozenset[str], learner_id: str | None = None) -> Principal:
    """The principal of a person with these roles (keys of ROLE_SCOPES) in one issuer."""
    scopes = frozenset[Scope]().union(*(ROLE_SCOPES[role] for role in roles))
    return Principal("person", id_, issuer_id, scopes, roles, learner_id)
