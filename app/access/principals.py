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
    DECISIONS_READ = "decisions:read"
    DECISIONS_WRITE = "decisions:write"
    CREDENTIALS_READ = "credentials:read"
    CREDENTIALS_STATUS = "credentials:status"
    EVENTS_READ = "events:read"


TENANT_SCOPES = frozenset(Scope) - {Scope.PLATFORM}

_READ = frozenset(scope for scope in Scope if scope.value.endswith(":read"))

# A person may do what their roles say. No role lets a person record a decision in somebody else's name through the API:
# that is for the partner's system, and for the assessor's own workflow.
ROLE_SCOPES: Mapping[str, frozenset[Scope]] = {
    "learner": frozenset(),
    "assessor": frozenset({Scope.ACHIEVEMENTS_READ}),
    "lead": frozenset({Scope.ACHIEVEMENTS_READ, Scope.ASSESSORS_READ, Scope.ASSESSORS_WRITE, Scope.DECISIONS_READ}),
    "approver": frozenset({Scope.ACHIEVEMENTS_READ, Scope.DECISIONS_READ, Scope.CREDENTIALS_READ}),
    "director": _READ | {Scope.ACHIEVEMENTS_WRITE, Scope.CREDENTIALS_STATUS},
    "partner_viewer": frozenset({Scope.ACHIEVEMENTS_READ, Scope.CREDENTIALS_READ}),
    "recognizer": frozenset({Scope.CREDENTIALS_READ}),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who makes the request. `issuer_id` is None for the platform only."""

    kind: Literal["platform", "client", "person"]
    id: str
    issuer_id: str | None
    scopes: frozenset[Scope]

    @property
    def actor(self) -> str:
        """How the audit trail names this principal."""
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class Tenant:
    """A principal at work inside one issuer, permitted to do what the route asked for."""

    issuer_id: str
    actor: str
    scopes: frozenset[Scope]

    def may_grant(self, scopes: Iterable[Scope]) -> bool:
        """Whether these scopes may be handed on: nobody grants more than they hold; the platform holds all."""
        return Scope.PLATFORM in self.scopes or self.scopes.issuperset(scopes)


def person(id_: str, issuer_id: str, roles: frozenset[str]) -> Principal:
    """The principal of a person with these roles (keys of ROLE_SCOPES) in one issuer."""
    scopes = frozenset[Scope]().union(*(ROLE_SCOPES[role] for role in roles))
    return Principal("person", id_, issuer_id, scopes)
