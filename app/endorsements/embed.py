"""The choice which endorsements new badges carry inside them."""

import json

from sqlalchemy.ext.asyncio import AsyncSession

from app.endorsements.store import Endorsement, count_embedded
from app.errors import InvalidInput
from app.issuers.carried import CarriedEndorsement
from app.issuers.store import lock_issuer
from app.openbadges.endorsement import find_obstacle

MAX_EMBEDDED = 5
"""Endorsements of one thing that its badges carry."""


class NotEmbeddable(InvalidInput):
    """Inside a badge this endorsement could make the badge fail one day, or it is not of something that badges carry."""

    code = "endorsement_not_embeddable"


async def put_inside_badges(session: AsyncSession, endorsement: Endorsement) -> None:
    """From now on new badges carry it. Raises NotEmbeddable.

    It must name what carries it: the Profile by its DID, an achievement by the address of one version.
    """
    is_version = endorsement.kind == "achievement" and endorsement.version is not None
    if endorsement.body is None or not (endorsement.kind == "profile" or is_version):
        raise NotEmbeddable(
            "Badges carry endorsements of the issuer's own Profile and of one version of its own achievements.",
            cure="Leave `embed` out: it is shown beside what it endorses.",
        )
    obstacle = find_obstacle(json.loads(endorsement.body), size=len(endorsement.body.encode()))
    if obstacle is not None:
        raise NotEmbeddable(
            f"A badge that carries this endorsement could fail with it: {obstacle}.",
            cure="Leave `embed` out: it is shown beside what it endorses.",
        )
    await lock_issuer(session, endorsement.issuer_id)  # two at once would each not see the other
    if await count_embedded(session, endorsement) >= MAX_EMBEDDED:
        raise NotEmbeddable(f"Badges carry {MAX_EMBEDDED} endorsements of it already.", cure="Withdraw another first.")
    endorsement.embed = True
    session.add(
        CarriedEndorsement(
            issuer_id=endorsement.issuer_id, endorsement_id=endorsement.id,
            achievement_id=endorsement.achievement_id, version=endorsement.version, body=endorsement.body,
        )
    )  # fmt: skip
    await session.flush()
