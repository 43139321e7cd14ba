"""Mail to people: a sealed row and a job in the caller's transaction, then delivery, until it is sent or given up."""

import asyncio
import os
from collections.abc import Mapping
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.store import Person, get_person
from app.identifiers import new_id
from app.jobs.queue import enqueue
from app.keys.vault import Vault
from app.net.smtp import MailDelayed, MailRefused, deliver
from app.people.identities import open_person, open_person_key
from app.people.store import Mail
from app.resources import Resources
from app.settings import Settings, parse_smtp_url

MAIL_JOB = "send_mail"
MOST_ATTEMPTS = 60
"""Tries before a message is given up. The pauses between them double to an hour: a server may be away for two days."""


async def send_mail(
    session: AsyncSession,
    vault: Vault,
    person: Person,
    *,
    purpose: str,
    subject: str,
    text: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> Mail:
    """Have a message sent to the person's address once this transaction commits; not after `expires_at`.

    `purpose` is a word for the list of mails ("sign_in_link"); subject and text are sealed under the person's key, and gone once
    the message is sent. Raises Gone for somebody who was erased.
    """
    id_ = new_id()
    message = {"to": (await open_person(session, vault, person)).email, "subject": subject, "text": text}
    sealed = open_person_key(vault, person).seal_json(message, table="mail", row=id_, column="sealed_message")
    mail = Mail(
        issuer_id=person.issuer_id, id=id_, person_id=person.id, purpose=purpose, sealed_message=sealed, state="queued",
        attempts=0, last_error=None, expires_at=expires_at, created_at=now, sent_at=None,
    )  # fmt: skip
    session.add(mail)
    enqueue(session, MAIL_JOB, {"issuer_id": person.issuer_id, "mail_id": id_}, run_at=now)
    await session.flush()
    return mail


async def deliver_mail(world: Resources, issuer_id: str, mail_id: str) -> None:
    """Try to send a queued mail once. Raises MailDelayed when it is to be tried again, so that its job is postponed.

    A process that dies between the server's word and ours sends again, under the same Message-ID.
    """
    async with world.database.reading() as session:
        mail = await session.get(Mail, (issuer_id, mail_id))
        if mail is None or mail.state != "queued" or mail.sealed_message is None:
            return
        person = await get_person(session, issuer_id, mail.person_id)
        if person.sealed_key is None:
            return
        key = open_person_key(world.vault, person)
        content = key.open_json(mail.sealed_message, table="mail", row=mail.id, column="sealed_message")
    if mail.expires_at is not None and mail.expires_at <= world.clock.now():
        await _settle(world, mail, "failed", "Expired")
        return
    try:
        await _hand_over(world.settings, compose_message(world, mail, content), mail.id)
    except MailRefused:
        await _settle(world, mail, "failed", "MailRefused")
    except MailDelayed:
        if mail.attempts + 1 >= MOST_ATTEMPTS:
            await _settle(world, mail, "failed", "MailDelayed")
            return
        await _settle(world, mail, "queued", "MailDelayed")
        raise
    else:
        await _settle(world, mail, "sent", None)


def compose_message(world: Resources, mail: Mail, content: Mapping[str, str]) -> EmailMessage:
    """The message as it is handed over (RFC 5322). The library refuses a header with a line end in it."""
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = world.settings.mail_from or "Assay <assay@localhost>"
    message["To"] = content["to"]
    message["Subject"] = " ".join(content["subject"].split())
    message["Date"] = format_datetime(mail.created_at)
    message["Message-ID"] = f"<{mail.id}@{urlsplit(world.base_url).hostname}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers to it
    # Plain where it can be, so that a link stands in the file in one piece.
    message.set_content(content["text"], cte="7bit" if content["text"].isascii() else "quoted-printable")
    return message


async def _hand_over(settings: Settings, message: EmailMessage, mail_id: str) -> None:
    if settings.smtp_url is None:
        await asyncio.to_thread(_write_to_outbox, settings.data_directory / "outbox", message, mail_id)
        return
    server = parse_smtp_url(settings.smtp_url.get_secret_value())
    await deliver(server, message, ca_file=settings.outbound_ca_file)


def _write_to_outbox(directory: Path, message: EmailMessage, mail_id: str) -> None:
    """Without a mail server: a file that the developer opens. Only its owner can read it."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished, path = directory / f".{mail_id}", directory / f"{mail_id}.eml"
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(message.as_bytes())
    unfinished.replace(path)


async def _settle(world: Resources, tried: Mail, state: Literal["queued", "sent", "failed"], error: str | None) -> None:
    now = world.clock.now()
    query = select(Mail).where(Mail.issuer_id == tried.issuer_id, Mail.id == tried.id).with_for_update()
    async with world.database.transaction() as session:
        mail = (await session.scalars(query)).one()
        if mail.state != "queued":  # erased meanwhile, or another worker was faster
            return
        mail.state, mail.last_error, mail.attempts = state, error, mail.attempts + 1
        mail.sent_at = now if state == "sent" else None
        if state != "queued":
            mail.sealed_message = None
