"""The verb that ends what is known of a person."""

from datetime import datetime

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.idempotency import IdempotencyRecord
from app.access.store import Person, PersonSession, list_roles
from app.audit.store import audit
from app.events.store import record_event
from app.people.people import sign_out_everywhere, take_roles
from app.people.store import Mail, PersonIdentity, SignInLink


async def erase_person(session: AsyncSession, person: Person, *, actor: str, now: datetime) -> None:
    """Destroy the key of a person, who is locked; delete what they are known by, their roles, links and messages; sign them out.

    Their id stays in what they did. Doing it again changes nothing.
    """
    if person.sealed_key is None:
        return
    await sign_out_everywhere(session, person, actor=actor, now=now)
    await take_roles(session, person, (await list_roles(session, person.issuer_id, [person.id]))[person.id], now)
    for table in (PersonIdentity, SignInLink):
        await session.execute(delete(table).where(table.issuer_id == person.issuer_id, table.person_id == person.id))
    mine = (Mail.issuer_id == person.issuer_id, Mail.person_id == person.id)
    await session.execute(update(Mail).where(*mine, Mail.state == "queued").values(state="failed", last_error="Erased"))
    await session.execute(update(Mail).where(*mine).values(sealed_message=None))
    # What somebody called their tokens may tell who they are.
    sessions = (PersonSession.issuer_id == person.issuer_id, PersonSession.person_id == person.id)
    await session.execute(update(PersonSession).where(*sessions).values(name=""))
    kept = (IdempotencyRecord.issuer_id == person.issuer_id, IdempotencyRecord.resource_id == person.id)
    await session.execute(delete(IdempotencyRecord).where(*kept))
    own = IdempotencyRecord.principal_id == person.id
    await session.execute(delete(IdempotencyRecord).where(own, IdempotencyRecord.learner_id.is_(None)))
    person.sealed_key = person.external_id = person.learner_id = None
    person.is_active = False
    person.updated_at = now
    audit(session, issuer_id=person.issuer_id, actor=actor, action="person.erased", object_id=person.id, content={},
          at=now)  # fmt: skip
    record_event(session, person.issuer_id, "person.erased", person.id, at=now)
    await session.flush()
