"""What is personal or secret about people stays out of the log, the metrics and the clear of the database."""

import logging
from pathlib import Path

import pytest
from fastapi import FastAPI

from app.settings import Settings
from tests.conftest import Partner, open_client
from tests.fakes import FixedClock
from tests.house.databases import is_in, list_contents, open_owner
from tests.house.logs import capture_log
from tests.people.provider import CLIENT_SECRET, begin, hostile_provider, register
from tests.people.signing_in import link_in, open_browser, read_outbox, run_jobs
from tests.people.test_mail import MailBox, serving, with_server
from tests.people.test_oidc import claims_for, come_back

NAME, MAILBOX, TOKEN_NAME, SUBJECT = "Kanaryname Quill", "kanarymail", "kanarytoken", "kanarysubject"
ADDRESS = f"{MAILBOX}@schools.example.org"


async def test_no_address_link_token_or_secret_gets_out(
    app: FastAPI, partner: Partner, settings: Settings, clock: FixedClock, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    secrets: list[str] = [NAME, MAILBOX, MAILBOX.upper(), TOKEN_NAME, SUBJECT, CLIENT_SECRET]
    body = {"name": NAME, "email": ADDRESS, "roles": ["assessor"], "invite": True}
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # the test's own mail server, not the service
    with capture_log(capsys) as log:
        async with hostile_provider(app, tmp_path) as provider, open_browser(app) as browser:
            button = await register(partner, provider.issuer)
            entered = await partner.client.post("/v1/people", json=body, headers={"Idempotency-Key": "k"})
            assert entered.status_code == 201
            assert (await partner.client.post("/v1/people", json=body)).status_code == 409
            await partner.client.patch(f"/v1/people/{entered.json()['id']}", json={"email": "kanarymail"})
            await browser.post("/sign-in/academy", data={"email": f"{MAILBOX} x"})
            await browser.post("/sign-in/academy", data={"email": ADDRESS})
            await run_jobs(app)
            link = next(link_in(m) for m in read_outbox(app) if "Sign in" in m["Subject"])
            await browser.get(link)
            for _ in range(2):
                signed_in = await browser.post(link)
            await browser.get(link + "x")
            made = await browser.post("/v1/me/tokens", json={"name": TOKEN_NAME})
            asked = await begin(browser, button)
            token = provider.sign(claims_for(provider, asked, clock, sub=SUBJECT, email=ADDRESS))
            for changes in ({"error": MAILBOX}, {}):
                asked = await begin(browser, button)
                token = provider.sign(claims_for(provider, asked, clock, sub=SUBJECT, email=ADDRESS))
                provider.answer_with(token)
                signed_in = await come_back(browser, asked, **changes)
            assert signed_in.status_code == 303
            secrets += [*link.rpartition("/")[2].split("_", 1)[1:], made.json()["token"].split("_", 2)[2], token]
            secrets += [asked["state"], asked["nonce"], browser.cookies["assay_browser"]]
            secrets.append(browser.cookies["assay_session"].split("_", 2)[2])
            # A server whose own words quote the address, one that is away, and a password that is wrong.
            with serving(MailBox(f"550 <{ADDRESS}> unknown")) as port:
                with_server(app, f"smtp+plain://127.0.0.1:{port}")
                await browser.post("/sign-in/academy", data={"email": ADDRESS})
                await run_jobs(app)
            with_server(app, "smtp://kanaryuser:kanarypassword@127.0.0.1:1")
            await browser.post("/sign-in/academy", data={"email": ADDRESS})
            await run_jobs(app)
            metrics = (await browser.get("/metrics")).text
        logged = log()
    assert logged.count('"event": "request"') > 15
    assert "job_failed" in logged
    assert [secret for secret in (*secrets, "kanary") if secret in logged or secret in metrics] == []
    async with open_client(app, made.json()["token"]) as program:
        assert NAME in (await program.get("/v1/me")).text, "what is searched for must have been there"
    async with open_owner(settings) as owner:
        contents = await list_contents(owner)
    found = {secret: is_in(contents, secret) for secret in secrets if secret != TOKEN_NAME}
    assert {secret: tables for secret, tables in found.items() if tables} == {}
