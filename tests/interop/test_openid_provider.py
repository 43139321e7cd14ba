"""Signing in at a real OpenID provider, certified by the OpenID Foundation: panva/oidc-provider, in a process of its own."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.interop.verifier_core import require_node
from tests.net.tls_site import CertificateAuthority
from tests.people import make_person
from tests.people.provider import CLIENT_ID, CLIENT_SECRET, register, trust
from tests.people.signing_in import open_browser
from tests.serving import free_port

PROVIDER = Path(__file__).with_name("openid_provider.mjs")


@pytest.fixture
def clock() -> FixedClock:
    """The time it is: the provider has a clock of its own."""
    return FixedClock(datetime.now(UTC))


@asynccontextmanager
async def real_provider(authority: CertificateAuthority, redirect_uri: str) -> AsyncIterator[str]:
    """The provider's issuer URL."""
    require_node()
    port = free_port()
    certificate, key = authority.issue("localhost")
    arguments = [str(port), str(certificate), str(key), redirect_uri, CLIENT_ID, CLIENT_SECRET]
    process = await asyncio.create_subprocess_exec(
        "node", str(PROVIDER), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            assert await process.stdout.readline() == b"ready\n"
        yield f"https://localhost:{port}"
    finally:
        process.kill()
        await process.communicate()


async def log_in(there: httpx.AsyncClient, url: str, name: str) -> str:
    """Log in and consent as a browser would, until the provider sends the browser back: where to."""
    answer = await there.get(url)
    for _ in range(12):
        if answer.status_code in (302, 303):
            url = urljoin(str(answer.url), answer.headers["location"])
            if url.startswith("http://"):
                return url
            answer = await there.get(url)
            continue
        assert answer.status_code == 200, answer.text
        action = re.search(r'<form[^>]* action="([^"]+)"', answer.text)
        prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
        assert action is not None, answer.text
        assert prompt is not None, answer.text
        data = {"prompt": prompt[1]} | ({"login": name, "password": "any"} if prompt[1] == "login" else {})
        answer = await there.post(urljoin(str(answer.url), action[1]), data=data)
    raise AssertionError("the provider never sends the browser back")


async def sign_in(app: FastAPI, browser: httpx.AsyncClient, button: str, name: str, ca_file: Path) -> httpx.Response:
    import ssl

    async with httpx.AsyncClient(verify=ssl.create_default_context(cafile=ca_file)) as there:
        sent = await browser.post(button)
        assert sent.status_code == 303, sent.text
        back = await log_in(there, sent.headers["location"], name)
    assert "iss=https" in back, "the provider names itself (RFC 9207)"
    return await browser.get(back)


async def test_people_sign_in_at_a_real_provider(app: FastAPI, partner: Partner, tmp_path: Path) -> None:
    await make_person(app.state.resources, partner.issuer_id, "assessor", name="Ada")
    await make_person(app.state.resources, partner.issuer_id, "director", name="Ben")
    authority = CertificateAuthority(tmp_path)
    await trust(app, authority)
    async with real_provider(authority, "http://127.0.0.1:8000/sign-in/oidc/callback") as issuer:
        button = await register(partner, issuer)
        for _ in range(2):  # the first time by address, the second by subject
            async with open_browser(app) as browser:
                signed_in = await sign_in(app, browser, button, "ada", authority.ca_file)
                assert signed_in.status_code == 303, signed_in.text
                assert (await browser.get("/v1/me")).json()["name"] == "Ada"
        for stranger in ("ben", "ada.nobody"):  # an address that is not verified, one that nobody has
            async with open_browser(app) as browser:
                refused = await sign_in(app, browser, button, stranger, authority.ca_file)
                assert (refused.status_code, "oidc_person_unknown" in refused.text) == (403, True)
                assert (await browser.get("/v1/me")).status_code == 401
