"""Which of a learner's badges go into a record, which are left out and why, and how they belong together."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.store import AchievementVersion
from app.credentials.fetch import fetch_body
from app.credentials.store import Credential, Edition, get_current_edition, lock_credentials_of_learner
from app.errors import NotFound
from app.keys.vault import Vault
from app.pathways.store import PathwayComponent, PathwayVersion, list_in_force

Reason = Literal["revoked", "suspended", "expired", "not_issued", "private"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    credential_id: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Chosen:
    """A badge that goes in: the edition now served, and its document."""

    credential: Credential
    edition: Edition
    document: dict[str, Any]

    @property
    def achievement(self) -> str:
        """The `id` of the version that was awarded."""
        return str(self.document["credentialSubject"]["achievement"]["id"])


@dataclass(frozen=True, slots=True)
class Choice:
    """`partial` where there is a badge that stands and was not chosen."""

    chosen: list[Chosen]
    left_out: list[LeftOut]
    partial: bool


@dataclass(frozen=True, slots=True)
class Ties:
    """`parents` are pairs of achievement ids, whole and part; `achievements` are documents of wholes that nobody was awarded."""

    parents: list[tuple[str, str]]
    achievements: list[dict[str, Any]]


async def choose_badges(
    session: AsyncSession,
    vault: Vault,
    issuer_id: str,
    learner_id: str,
    wanted: Collection[str] | None,
    *,
    with_private: bool,
    now: datetime,
) -> Choice:
    """All that stand, or of the wanted ones those. The badges are locked: none is revoked or reissued meanwhile.

    Raises NotFound where a wanted one is not the learner's.
    """
    held = sorted(await lock_credentials_of_learner(session, issuer_id, learner_id), key=_by_age)
    if wanted is not None and not set(wanted) <= {each.id for each in held}:
        raise NotFound("The learner has no credential with this id.")
    chosen: list[Chosen] = []
    left_out: list[LeftOut] = []
    unchosen = 0
    for credential in held:
        is_wanted = wanted is None or credential.id in wanted
        reason = await _find_reason(session, credential, now, with_private=with_private)
        if is_wanted and reason is None:
            edition, body, _ = await fetch_body(session, vault, credential)
            chosen.append(Chosen(credential, edition, json.loads(body)))
        elif is_wanted and reason is not None:
            left_out.append(LeftOut(credential.id, reason))
        unchosen += reason == "private" or (reason is None and not is_wanted)
    return Choice(chosen, left_out, partial=unchosen > 0)


async def find_ties(session: AsyncSession, issuer_id: str, chosen: Sequence[Chosen], *, with_goals: bool) -> Ties:
    """Each pathway's badge with the parts of the pathway that were earned. With `with_goals` also pathways in force whose badge
    is not among them, as achievements that nobody was awarded."""
    parts_of = await _list_parts(session, issuer_id)
    parents: list[tuple[str, str]] = []
    goals: dict[str, dict[str, Any]] = {}
    for whole in chosen:
        version = (whole.credential.achievement_id, whole.edition.version)
        for parts in parts_of.get(version, ()):
            parents += [(whole.achievement, each.achievement) for each in chosen if _is_part(each, parts, whole)]
    if with_goals:
        earned = {each.credential.achievement_id for each in chosen}
        for pathway in await list_in_force(session, issuer_id):
            leads_to = (pathway.achievement_id, pathway.achievement_version)
            document = await _find_document(session, issuer_id, *leads_to)
            met = [each for parts in parts_of.get(leads_to, ()) for each in chosen if _is_part(each, parts)]
            if met and document is not None and pathway.achievement_id not in earned:
                goals[document["id"]] = document
                parents += [(document["id"], each.achievement) for each in met]
    return Ties(list(dict.fromkeys(parents)), list(goals.values()))


async def _find_reason(
    session: AsyncSession, credential: Credential, now: datetime, *, with_private: bool
) -> Reason | None:
    if credential.state == "revoked":
        return "revoked"
    if credential.state == "suspended":
        return "suspended"
    if credential.edition_number == 0:
        return "not_issued"
    until = (await get_current_edition(session, credential)).valid_until
    if until is not None and until <= now:
        return "expired"
    return "private" if credential.visibility == "private" and not with_private else None


async def _list_parts(session: AsyncSession, issuer_id: str) -> dict[tuple[str, int], list[frozenset[str]]]:
    """Awarded version of an achievement -> for each version of a pathway that leads to it what its rule names."""
    query = (
        select(
            PathwayVersion.achievement_id,
            PathwayVersion.achievement_version,
            PathwayVersion.pathway_id,
            PathwayVersion.version,
            PathwayComponent.achievement_id.label("part"),
        )
        .join(
            PathwayComponent,
            (PathwayComponent.issuer_id == PathwayVersion.issuer_id)
            & (PathwayComponent.pathway_id == PathwayVersion.pathway_id)
            & (PathwayComponent.version == PathwayVersion.version),
        )
        .where(PathwayVersion.issuer_id == issuer_id, PathwayVersion.state != "draft")
    )
    rules: dict[tuple[str, int, str, int], set[str]] = {}
    for row in (await session.execute(query)).all():
        key = (row.achievement_id, row.achievement_version, row.pathway_id, row.version)
        rules.setdefault(key, set()).add(row.part)
    found: dict[tuple[str, int], list[frozenset[str]]] = {}
    for (achievement_id, version, *_), parts in sorted(rules.items()):
        found.setdefault((achievement_id, version), []).append(frozenset(parts))
    return found


async def _find_document(
    session: AsyncSession, issuer_id: str, achievement_id: str, version: int
) -> dict[str, Any] | None:
    found = await session.get(AchievementVersion, (issuer_id, achievement_id, version))
    return found.document if found else None


def _is_part(each: Chosen, parts: frozenset[str], whole: Chosen | None = None) -> bool:
    return each is not whole and each.credential.achievement_id in parts


def _by_age(credential: Credential) -> tuple[datetime, str]:
    return credential.created_at, credential.id
