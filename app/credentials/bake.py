"""A badge baked into its picture, as PNG and as SVG: both always exist."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.store import find_vector_image, get_image, get_version
from app.credentials.fetch import fetch_body
from app.credentials.store import Credential
from app.keys.vault import Vault
from app.openbadges import baking


async def bake_png(session: AsyncSession, vault: Vault, credential: Credential) -> bytes:
    """The PNG with the bytes of the edition now served. Raises NotFound, or Gone when the learner was erased."""
    edition, body, _ = await fetch_body(session, vault, credential)
    version = await get_version(session, credential.issuer_id, credential.achievement_id, edition.version)
    return baking.bake_png(await get_image(session, version.image_digest), body)


async def bake_svg(session: AsyncSession, vault: Vault, credential: Credential) -> bytes:
    """As `bake_png`: the achievement's own SVG where it has one, else its PNG inside an SVG."""
    edition, body, _ = await fetch_body(session, vault, credential)
    version = await get_version(session, credential.issuer_id, credential.achievement_id, edition.version)
    svg = await find_vector_image(session, credential.issuer_id, version.image_digest)
    return baking.bake_svg(svg or baking.wrap_png(await get_image(session, version.image_digest)), body)
