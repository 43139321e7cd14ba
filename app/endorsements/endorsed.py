"""What an endorsement is about: one of the issuer's own things, somebody else's of this service, or anything in the world."""

import re
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.store import get_public_versions, pick_version
from app.credentials.store import Credential, get_public_credential
from app.endorsements.store import EndorsedKind
from app.errors import NotFound
from app.issuers.store import find_issuer_by_slug, get_issuer
from app.resources import Resources

_ACHIEVEMENT = re.compile(r"/achievements/([0-9a-f]{32})(?:/v([1-9][0-9]{0,6}))?")
_CREDENTIAL = re.compile(r"/credentials/([0-9a-f]{32})")
_ISSUER = re.compile(r"/issuers/([a-z0-9][a-z0-9-]{0,62})")


@dataclass(frozen=True, slots=True)
class Endorsed:
    """`id` is how documents name it. `kind` is `other` where it is not the issuer's own."""

    id: str
    kind: EndorsedKind = "other"
    achievement_id: str | None = None
    version: int | None = None
    credential_id: str | None = None
    learner_id: str | None = None


async def find_endorsed(session: AsyncSession, world: Resources, issuer_id: str, named: str) -> Endorsed:
    """What the id names. Raises NotFound where it is an address of this service with nothing (public) behind it.

    An issuer's page means its Profile, which badges know by the DID.
    """
    own = await get_issuer(session, issuer_id)
    path = named.removeprefix(world.base_url) if named.startswith(world.base_url + "/") else ""
    if match := _ISSUER.fullmatch(path):
        found = await find_issuer_by_slug(session, match[1])
        if found is None:
            raise NotFound("There is no issuer with this slug.")
        named = found.did
    if named == own.did:
        return Endorsed(named, "profile")
    if match := _ACHIEVEMENT.fullmatch(path):
        versions = await get_public_versions(session, match[1])
        version = pick_version(versions, int(match[2])) if match[2] else None
        if versions[0].issuer_id == issuer_id:
            return Endorsed(named, "achievement", match[1], version.version if version else None)
        return Endorsed(named)
    if match := _CREDENTIAL.fullmatch(path):
        mine = await session.get(Credential, (issuer_id, match[1]))
        if mine is not None and mine.edition_number > 0:
            return Endorsed(named, "credential", credential_id=mine.id, learner_id=mine.learner_id)
        await get_public_credential(session, match[1])
        return Endorsed(named)
    if path:
        raise NotFound("This service has nothing at that address that can be endorsed.")
    return Endorsed(named)
