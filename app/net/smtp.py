"""Handing a message to a mail server, over TLS, and to nothing else."""

import asyncio
import ssl
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib

from app.settings import MailServer

STEP_SECONDS = 15.0
DEADLINE_SECONDS = 45.0
"""Less than a job's lease, so that no other worker sends the same message meanwhile."""


class MailRefused(Exception):
    """The server will never take this message to this address (a 5xx answer, RFC 5321 section 4.2.1)."""


class MailDelayed(Exception):
    """The server was away, or said to try again."""


async def deliver(server: MailServer, message: EmailMessage, *, ca_file: Path | None = None) -> None:
    """Hand the message over. Raises MailRefused for a lasting refusal of its address or content, MailDelayed for all else.

    A refused password is MailDelayed: the message is sound, and the operator will mend the setting.
    """
    tls = ssl.create_default_context()
    if ca_file is not None:
        tls.load_verify_locations(ca_file)
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            await aiosmtplib.send(
                message,
                hostname=server.host,
                port=server.port,
                username=server.user,
                password=server.password,
                timeout=STEP_SECONDS,
                use_tls=server.security == "smtps",
                start_tls=server.security == "smtp",
                tls_context=None if server.security == "smtp+plain" else tls,
            )
    except aiosmtplib.SMTPRecipientsRefused as error:
        raise _outcome(*(refused.code for refused in error.recipients)) from None
    except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError) as error:
        raise _outcome(error.code) from None
    except (aiosmtplib.SMTPException, OSError):
        raise MailDelayed from None


def _outcome(*codes: int) -> MailRefused | MailDelayed:
    # The server's own words quote the address, so they are kept out of what is raised.
    return MailRefused() if all(500 <= code < 600 for code in codes) else MailDelayed()
