"""The verb that welcomes a person."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.store import Person
from app.issuers.store import get_issuer
from app.people.identities import open_person
from app.people.mail import send_mail
from app.resources import Resources


async def invite_person(session: AsyncSession, world: Resources, person: Person, *, now: datetime) -> None:
    """Mail the person the address of the sign-in page. The mail holds no secret: whoever signs in proves their address there."""
    issuer = await get_issuer(session, person.issuer_id)
    known = await open_person(session, world.vault, person)
    issuer_name = issuer.profile["name"]
    text = (
        f"Hello {known.name},\n\nyou can now sign in to {issuer_name}:\n\n{world.base_url}/sign-in/{issuer.slug}\n\n"
        "There is no password. Enter this e-mail address there, and a link is sent to you that signs you in; or use your "
        "institution's sign-in, where the page offers it.\n"
    )
    await send_mail(
        session, world.vault, person, purpose="invitation", subject=f"Welcome to {issuer_name}", text=text, now=now
    )
