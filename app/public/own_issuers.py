"""What this service knows of its own issuers, for whoever verifies a badge here."""

from app.issuers.create import profile_url
from app.issuers.store import find_issuer_by_did, is_test_issuer
from app.resources import Resources
from app.verification.registry import Listing


async def is_own_test_issuer(world: Resources, did: str) -> bool:
    """Whether the DID is that of an issuer of this service that is for tests."""
    async with world.database.reading() as session:
        return await is_test_issuer(session, did)


async def find_own_listing(world: Resources, did: str) -> Listing | None:
    """The operator's word for an issuer of this service that they have verified; None for every other."""
    async with world.database.reading() as session:
        issuer = await find_issuer_by_did(session, did)
    if issuer is None or issuer.verified_as is None:
        return None
    return Listing(world.base_url, "known", issuer.verified_as, url=profile_url(world.base_url, issuer.slug))
