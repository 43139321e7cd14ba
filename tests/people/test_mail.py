"""Mail, against real SMTP servers: one that takes it, one that refuses, one that is away, one with STARTTLS."""

import ssl
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from fastapi import FastAPI
from sqlalchemy import select

from app.jobs.queue import Job
from app.people.mail import MOST_ATTEMPTS, send_mail
from app.people.store import Mail
from app.resources import Resources
from app.settings import Settings, parse_smtp_url
from app.worker import open_runner
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.net.tls_site import CertificateAuthority
from tests.people import make_person
from tests.people.signing_in import open_browser, read_outbox, run_jobs

ADDRESS = "ada.example@schools.example.org"
SENDER = "Assay <assay@badges.example.org>"

on_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


@dataclass
class MailBox:
    """What a server answers to a recipient, and what it took."""

    answer: str = "250 OK"
    taken: list[EmailMessage] = field(default_factory=list)
    was_tls: list[bool] = field(default_factory=list)

    async def handle_RCPT(self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: Any) -> str:
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.taken.append(cast(EmailMessage, message_from_bytes(envelope.content, policy=policy.default)))
        self.was_tls.append(session.ssl is not None)
        return "250 OK"


@contextmanager
def serving(box: MailBox, port: int = 0, **options: Any) -> Iterator[int]:
    controller = Controller(box, hostname="127.0.0.1", port=port, **options)
    if port == 0:
        controller.port = _free_port()
    controller.start()
    try:
        yield int(controller.port)
    finally:
        controller.stop()


def _free_port() -> int:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def with_server(app: FastAPI, url: str, **settings: Any) -> None:
    """Let the application hand its mail to this server."""
    world: Resources = app.state.resources
    changed = world.settings.model_copy(update={"smtp_url": _secret(url), "mail_from": SENDER, **settings})
    object.__setattr__(world, "settings", changed)


def _secret(url: str) -> Any:
    return Settings.model_validate({"smtp_url": url, "mail_from": SENDER}).smtp_url


async def write(app: FastAPI, partner: Partner, name: str = "Ada Example", **options: Any) -> str:
    """A queued mail: its id."""
    world: Resources = app.state.resources
    person, _ = await make_person(world, partner.issuer_id, name=name)
    async with world.database.transaction() as session:
        mail = await send_mail(
            session, world.vault, person,
            **{"purpose": "test", "subject": "A word", "text": "To you.\n", "now": world.clock.now(), **options},
        )  # fmt: skip
    return mail.id


async def state_of(partner: Partner, mail_id: str) -> tuple[str, int, str | None]:
    mails = (await partner.client.get("/v1/mails")).json()["items"]
    mail = next(mail for mail in mails if mail["id"] == mail_id)
    return mail["state"], mail["attempts"], mail["last_error"]


async def sealed_of(app: FastAPI, mail_id: str) -> bytes | None:
    world: Resources = app.state.resources
    async with world.database.reading() as session:
        return (await session.scalars(select(Mail).where(Mail.id == mail_id))).one().sealed_message


async def test_a_server_takes_it_and_the_content_is_gone(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    box = MailBox()
    with serving(box) as port:
        with_server(app, f"smtp+plain://127.0.0.1:{port}")
        mail_id = await write(app, partner)
        assert await sealed_of(app, mail_id) is not None
        await run_jobs(app)
    [message] = box.taken
    assert (message["To"], message["From"], message["Subject"]) == (ADDRESS, SENDER, "A word")
    assert message["Message-ID"] == f"<{mail_id}@127.0.0.1>"
    assert message["Date"].datetime == clock.now()
    assert message.get_content().replace("\r\n", "\n") == "To you.\n"
    assert await state_of(partner, mail_id) == ("sent", 1, None)
    assert await sealed_of(app, mail_id) is None
    assert read_outbox(app) == []


async def test_a_lasting_refusal_is_not_tried_again(app: FastAPI, partner: Partner) -> None:
    box = MailBox("550 no such mailbox ada.example@schools.example.org")
    with serving(box) as port:
        with_server(app, f"smtp+plain://127.0.0.1:{port}")
        mail_id = await write(app, partner)
        await run_jobs(app)
    assert box.taken == []
    assert await state_of(partner, mail_id) == ("failed", 1, "MailRefused")
    assert await sealed_of(app, mail_id) is None
    assert await jobs_of(app) == []


async def jobs_of(app: FastAPI) -> list[Job]:
    world: Resources = app.state.resources
    async with world.database.reading() as session:
        return list((await session.scalars(select(Job).where(Job.name == "send_mail"))).all())


async def test_a_server_that_is_away_is_waited_for(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    port = _free_port()
    with_server(app, f"smtp+plain://127.0.0.1:{port}")
    mail_id = await write(app, partner)
    await run_jobs(app)
    assert await state_of(partner, mail_id) == ("queued", 1, "MailDelayed")
    box = MailBox("451 try again later")
    with serving(box, port):
        clock.advance(hours=1)
        await run_jobs(app)
        assert await state_of(partner, mail_id) == ("queued", 2, "MailDelayed")
        [job] = await jobs_of(app)
        assert job.last_error == "MailDelayed"
        box.answer = "250 OK"
        clock.advance(hours=1)
        await run_jobs(app)
    assert len(box.taken) == 1
    assert await state_of(partner, mail_id) == ("sent", 3, None)
    assert await jobs_of(app) == []


async def test_a_server_that_is_away_for_a_day_loses_nothing(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    """But for a sign-in link, which nobody could use any more."""
    port, began = _free_port(), clock.now()
    with_server(app, f"smtp+plain://127.0.0.1:{port}")
    mail_id = await write(app, partner)
    link_id = await write(app, partner, name="Ben Example", expires_at=began + timedelta(minutes=15))
    while clock.now() < began + timedelta(days=1):
        await run_jobs(app)
        await skip_to_next_try(app, clock)
    assert (await state_of(partner, mail_id))[0] == "queued"
    assert (await state_of(partner, link_id))[::2] == ("failed", "Expired")
    with serving(box := MailBox(), port):
        await run_jobs(app)
    assert [message["To"] for message in box.taken] == [ADDRESS]
    assert (await state_of(partner, mail_id))[0] == "sent"


async def skip_to_next_try(app: FastAPI, clock: FixedClock) -> None:
    wait = min(job.run_at for job in await jobs_of(app)) - clock.now()
    clock.advance(seconds=wait.total_seconds())


@on_sqlite
async def test_it_is_given_up_in_the_end(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    began = clock.now()
    with_server(app, f"smtp+plain://127.0.0.1:{_free_port()}")
    mail_id = await write(app, partner)
    await run_jobs(app)
    while await jobs_of(app):
        await skip_to_next_try(app, clock)
        await run_jobs(app)
    assert await state_of(partner, mail_id) == ("failed", MOST_ATTEMPTS, "MailDelayed")
    assert timedelta(days=2) < clock.now() - began < timedelta(days=3)
    assert await sealed_of(app, mail_id) is None


async def test_what_is_too_late_is_not_sent(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    life = timedelta(minutes=15)
    late = await write(app, partner, expires_at=clock.now() + life)
    clock.advance(seconds=life.total_seconds() - 1)
    timely = await write(app, partner, name="Ben Example", expires_at=clock.now() + timedelta(seconds=2))
    clock.advance(seconds=1)
    await run_jobs(app)
    assert await state_of(partner, late) == ("failed", 0 + 1, "Expired")
    assert await state_of(partner, timely) == ("sent", 1, None)
    assert [message["To"] for message in read_outbox(app)] == ["ben.example@schools.example.org"]


@on_sqlite
async def test_starttls_is_insisted_on(
    app: FastAPI, partner: Partner, clock: FixedClock, tmp_path: Path, settings: Settings
) -> None:
    authority = CertificateAuthority(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*authority.issue("localhost"))
    logins: list[tuple[bytes, bytes]] = []

    def authenticate(_: Any, __: Any, ___: Any, mechanism: str, data: Any) -> AuthResult:
        logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"p:ss/w@rd")

    box = MailBox()
    url = "smtp://assay:{password}@localhost:{port}"
    options = {"tls_context": tls, "require_starttls": True, "authenticator": authenticate, "auth_required": True}
    with serving(box, **options) as port:
        # Its certificate is of an authority that is not trusted: nothing is sent, not even the password.
        with_server(app, url.format(password="p%3Ass%2Fw%40rd", port=port))
        mail_id = await write(app, partner)
        await run_jobs(app)
        assert (await state_of(partner, mail_id), logins) == (("queued", 1, "MailDelayed"), [])
        with_server(app, url.format(password="p%3Ass%2Fw%40rd", port=port), outbound_ca_file=authority.ca_file)
        clock.advance(hours=1)
        await run_jobs(app)
    assert await state_of(partner, mail_id) == ("sent", 2, None)
    assert (len(box.taken), box.was_tls) == (1, [True])
    assert logins == [(b"assay", b"p:ss/w@rd")]
    with serving(plain := MailBox()) as port:  # a server without TLS gets nothing
        with_server(app, f"smtp://localhost:{port}", outbound_ca_file=authority.ca_file)
        other = await write(app, partner, name="Ben Example")
        await run_jobs(app)
    assert plain.taken == []
    assert await state_of(partner, other) == ("queued", 1, "MailDelayed")


@on_sqlite
async def test_no_header_can_be_smuggled_in(app: FastAPI, partner: Partner) -> None:
    mail_id = await write(
        app, partner, subject="Welcome\r\nBcc: evil@example.org\r\n\r\nA body of mine", text=".\r\nMAIL FROM:<x>\r\n"
    )
    await run_jobs(app)
    [message] = read_outbox(app)
    assert message["Bcc"] is None
    assert message["Subject"] == "Welcome Bcc: evil@example.org A body of mine"
    assert await state_of(partner, mail_id) == ("sent", 1, None)


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_the_outbox_is_its_owners_alone(app: FastAPI, partner: Partner, settings: Settings) -> None:
    await write(app, partner)
    await run_jobs(app)
    outbox = settings.data_directory / "outbox"
    [file] = outbox.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(outbox.stat().st_mode) == 0o700


async def test_a_mail_exists_with_its_cause_or_not_at_all(app: FastAPI, partner: Partner) -> None:
    world: Resources = app.state.resources
    person, _ = await make_person(world, partner.issuer_id, name="Ada Example")

    async def write_and_fail() -> None:
        async with world.database.transaction() as session:
            await send_mail(session, world.vault, person, purpose="test", subject="A", text="B", now=world.clock.now())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await write_and_fail()
    assert (await partner.client.get("/v1/mails")).json()["items"] == []
    assert await jobs_of(app) == []


async def test_two_workers_send_one_mail(app: FastAPI, partner: Partner) -> None:
    import asyncio

    box = MailBox()
    with serving(box) as port:
        with_server(app, f"smtp+plain://127.0.0.1:{port}")
        for name in ("Ada Example", "Ben Example", "Cai Example"):
            await write(app, partner, name=name)
        runners = [open_runner(app.state.resources) for _ in range(6)]
        await asyncio.gather(*(runner.run_one() for runner in runners))
    assert sorted(message["To"] for message in box.taken) == [
        f"{name}.example@schools.example.org" for name in ("ada", "ben", "cai")
    ]


async def test_mails_are_told_of_without_what_is_in_them(
    partner: Partner, app: FastAPI, api: httpx.AsyncClient
) -> None:
    async with open_browser(app) as browser:
        await make_person(app.state.resources, partner.issuer_id, name="Ada Example")
        await browser.post("/sign-in/academy", data={"email": ADDRESS})
        await run_jobs(app)
    listed = await partner.client.get("/v1/mails")
    [mail] = listed.json()["items"]
    assert (mail["purpose"], mail["state"], mail["expires_at"]) == ("sign_in_link", "sent", "2026-11-23T13:15:00Z")
    assert "links" not in listed.text.replace("sign_in_link", "")
    assert ADDRESS not in listed.text


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://mail.example.org", "must be like"),
        ("smtp://", "must be like"),
        ("smtp://mail.example.org/path", "must be like"),
        ("smtp+plain://user:password@mail.example.org", "without TLS"),
        ("smtp://user@mail.example.org", "or neither"),
    ],
)
def test_a_server_that_cannot_be_right_is_refused_at_start(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_smtp_url(url)
    with pytest.raises(ValueError, match=reason):
        Settings.model_validate({"smtp_url": url, "mail_from": SENDER})


def test_mail_needs_a_sender() -> None:
    with pytest.raises(ValueError, match="ASSAY_MAIL_FROM"):
        Settings.model_validate({"smtp_url": "smtps://mail.example.org"})
    with pytest.raises(ValueError, match="mail_from"):
        Settings.model_validate({"mail_from": "a@b.org\r\nBcc: c@d.org"})
    whole = Settings.model_validate({"smtp_url": "smtps://u:p%40ss@mail.example.org", "mail_from": SENDER})
    assert "p%40ss" not in repr(whole)
    assert whole.smtp_url is not None
    server = parse_smtp_url(whole.smtp_url.get_secret_value())
    assert (server.security, server.host, server.port, server.password) == ("smtps", "mail.example.org", 465, "p@ss")
