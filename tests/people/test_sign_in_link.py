"""Signing in by a one-time link, as a browser does it."""

import asyncio
from http.cookies import Morsel, SimpleCookie

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.access.sessions import BROWSER_LIFE
from app.access.store import PersonSession
from app.people.sign_in_link import LINK_LIFE, MOST_LINKS_PER_HOUR, MOST_LIVE_LINKS
from app.people.store import Mail, SignInLink
from app.resources import Resources
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.people import make_person
from tests.people.signing_in import HTML, ask_for_link, open_browser, read_outbox, run_jobs

ADA = "Ada Example"
ADDRESS = "ada.example@schools.example.org"


def cookies_of(answer: httpx.Response) -> dict[str, Morsel[str]]:
    parsed: SimpleCookie = SimpleCookie()
    for line in answer.headers.get_list("set-cookie"):
        parsed.load(line)
    return dict(parsed)


async def enter_ada(app: FastAPI, partner: Partner) -> str:
    person, _ = await make_person(app.state.resources, partner.issuer_id, "assessor", name=ADA)
    return person.id


async def test_from_the_form_to_the_home_page_and_out_again(app: FastAPI, partner: Partner) -> None:
    await enter_ada(app, partner)
    async with open_browser(app) as browser:
        page = await browser.get("/sign-in/academy")
        assert 'name="email"' in page.text
        [link] = await ask_for_link(app, browser, ADDRESS.upper())
        opened = await browser.get(link)
        assert (opened.status_code, "press the button" in opened.text) == (200, True)
        assert (await browser.get("/home")).headers["location"].endswith("/sign-in"), "a GET signs nobody in"

        signed_in = await browser.post(link)
        assert (signed_in.status_code, signed_in.headers["location"]) == (303, "http://127.0.0.1:8000/home")
        home = await browser.get("/home")
        assert (home.status_code, ADA in home.text, "assessor" in home.text) == (200, True, True)
        me = await browser.get("/v1/me")
        assert (me.json()["email"], me.json()["roles"]) == (ADDRESS, ["assessor"])

        out = await browser.post("/sign-out")
        assert (out.status_code, out.headers["location"]) == (303, "http://127.0.0.1:8000/sign-in/academy")
        assert (await browser.get("/home")).status_code == 303
        assert (await browser.get("/v1/me")).status_code == 401


async def test_an_address_of_nobody_is_answered_alike(app: FastAPI, partner: Partner) -> None:
    await enter_ada(app, partner)
    answers, told = [], []
    world: Resources = app.state.resources
    for address in (ADDRESS, "nobody.example@schools.example.org"):
        async with open_browser(app) as browser:
            answers.append(await browser.post("/sign-in/academy", data={"email": address}))
    known, unknown = answers
    assert (known.status_code, known.text) == (unknown.status_code, unknown.text) == (200, known.text)
    for answer in answers:
        varying = {"x-request-id", "set-cookie"}
        told.append([(name, value) for name, value in answer.headers.items() if name not in varying])
    assert told[0] == told[1]
    await run_jobs(app)
    assert [message["To"] for message in read_outbox(app)] == [ADDRESS]
    async with world.database.reading() as session:
        assert [mail.purpose for mail in (await session.scalars(select(Mail))).all()] == ["sign_in_link"]


async def test_the_cookies_are_as_closed_as_they_can_be(app: FastAPI, partner: Partner) -> None:
    await enter_ada(app, partner)
    async with open_browser(app) as browser:
        asked = await browser.post("/sign-in/academy", data={"email": ADDRESS})
        [link] = await ask_for_link(app, browser, ADDRESS.replace("ada", "nobody")) or [""]
        signed_in = await browser.post(link)
    browser_cookie, session_cookie = cookies_of(asked)["assay_browser"], cookies_of(signed_in)["assay_session"]
    for cookie, age in ((browser_cookie, "3600"), (session_cookie, str(12 * 3600))):
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "lax", "/")
        assert (cookie["domain"], cookie["secure"], cookie["max-age"]) == ("", "", age)


class TestOverHttps:
    @pytest.fixture
    def public_url(self) -> str:
        return "https://badges.example.org"

    @pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
    async def test_cookies_are_of_this_host_alone(self, app: FastAPI, partner: Partner, public_url: str) -> None:
        await enter_ada(app, partner)
        async with open_browser(app, public_url) as browser:
            asked = await browser.post("/sign-in/academy", data={"email": ADDRESS})
            await run_jobs(app)
            [link] = await ask_for_link(app, browser, "nobody.example@schools.example.org")
            signed_in = await browser.post(link)
            assert (await browser.get("/home")).status_code == 200
        for answer, name in ((asked, "__Host-assay_browser"), (signed_in, "__Host-assay_session")):
            cookie = cookies_of(answer)[name]
            assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")


async def test_a_link_signs_in_once_however_many_press_the_button(app: FastAPI, partner: Partner) -> None:
    person_id = await enter_ada(app, partner)
    world: Resources = app.state.resources
    async with open_browser(app) as browser:
        [link] = await ask_for_link(app, browser, ADDRESS)
        answers = await asyncio.gather(*(browser.post(link) for _ in range(20)))
        assert sorted(answer.status_code for answer in answers) == [303] + [409] * 19
        again = await browser.post(link, headers={"Accept": "application/json"})
        assert (again.status_code, again.json()["code"]) == (409, "sign_in_link_used")
        page = await browser.get(link)
        assert (page.status_code, "Ask for a new link" in page.text) == (409, True)
    async with world.database.reading() as session:
        query = select(PersonSession).where(PersonSession.person_id == person_id, PersonSession.kind == "browser")
        assert len((await session.scalars(query)).all()) == 1


async def test_another_browser_is_told_so_and_the_first_one_still_signs_in(app: FastAPI, partner: Partner) -> None:
    await enter_ada(app, partner)
    async with open_browser(app) as browser, open_browser(app) as other:
        [link] = await ask_for_link(app, browser, ADDRESS)
        await other.post("/sign-in/academy", data={"email": "nobody@schools.example.org"})
        for method in ("GET", "POST"):
            refused = await other.request(method, link, headers={"Accept": "application/json"})
            assert (refused.status_code, refused.json()["code"]) == (403, "sign_in_link_other_browser")
        page = await other.get(link)
        assert (page.status_code, "another browser" in page.text) == (403, True)
        assert (await browser.post(link)).status_code == 303


async def test_a_link_ends_at_the_second(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    await enter_ada(app, partner)
    async with open_browser(app) as browser:
        [link] = await ask_for_link(app, browser, ADDRESS)
        clock.advance(seconds=LINK_LIFE.total_seconds() - 1)
        assert (await browser.get(link)).status_code == 200
        clock.advance(seconds=1)
        for method in ("GET", "POST"):
            late = await browser.request(method, link, headers={"Accept": "application/json"})
            assert (late.status_code, late.json()["code"]) == (410, "sign_in_link_expired")


async def test_a_session_ends_at_the_second(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    await enter_ada(app, partner)
    async with open_browser(app) as browser:
        [link] = await ask_for_link(app, browser, ADDRESS)
        await browser.post(link)
        clock.advance(seconds=BROWSER_LIFE.total_seconds() - 1)
        assert (await browser.get("/v1/me")).status_code == 200
        clock.advance(seconds=1)
        assert (await browser.get("/v1/me")).json()["code"] == "unauthenticated"


async def test_what_is_no_link_of_ours_is_unknown(app: FastAPI, partner: Partner) -> None:
    await enter_ada(app, partner)
    async with open_browser(app) as browser:
        [link] = await ask_for_link(app, browser, ADDRESS)
        wrong = link[:-1] + ("A" if link[-1] != "A" else "B")
        for path in (wrong, "/sign-in/links/x", f"/sign-in/links/{'0' * 32}_{'A' * 43}"):
            for method in ("GET", "POST"):
                answer = await browser.request(method, path, headers={"Accept": "application/json"})
                assert (answer.status_code, answer.json()["code"]) == (404, "sign_in_link_unknown")
        assert (await browser.post(link)).status_code == 303


async def test_a_form_of_another_site_is_refused(app: FastAPI, partner: Partner) -> None:
    await enter_ada(app, partner)
    async with open_browser(app) as browser:
        [link] = await ask_for_link(app, browser, ADDRESS)
        for origin in ("https://evil.example", "null", ""):
            for path in ("/sign-in/academy", link, "/sign-out"):
                refused = await browser.post(path, headers={"Origin": origin, "Accept": "application/json"})
                assert (refused.status_code, refused.json()["code"]) == (403, "foreign_form"), path
        assert (await browser.post(link)).status_code == 303
        body = {"name": "A token for somebody else"}
        for origin in ("https://evil.example", "null"):
            stolen = await browser.post("/v1/me/tokens", json=body, headers={"Origin": origin})
            assert stolen.status_code == 403, stolen.text
        assert (await browser.post("/v1/me/tokens", json=body)).status_code == 201


async def test_at_most_five_links_live_and_ten_are_sent_in_an_hour(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    await enter_ada(app, partner)
    world: Resources = app.state.resources
    async with open_browser(app) as browser:
        for count in range(1, MOST_LINKS_PER_HOUR + 3):
            clock.advance(seconds=1)
            links = await ask_for_link(app, browser, ADDRESS)
            assert len(links) == min(count, MOST_LINKS_PER_HOUR)
        async with world.database.reading() as session:
            live = select(SignInLink).where(SignInLink.expires_at > clock.now())
            assert len((await session.scalars(live)).all()) == MOST_LIVE_LINKS
        states = [(await browser.get(link)).status_code for link in links]
        assert sorted(states) == [200] * MOST_LIVE_LINKS + [410] * (MOST_LINKS_PER_HOUR - MOST_LIVE_LINKS)
        clock.advance(hours=1)
        assert len(await ask_for_link(app, browser, ADDRESS)) == MOST_LINKS_PER_HOUR + 1


async def test_who_is_no_longer_active_gets_no_link_and_uses_none(app: FastAPI, partner: Partner) -> None:
    person_id = await enter_ada(app, partner)
    async with open_browser(app) as browser:
        [link] = await ask_for_link(app, browser, ADDRESS)
        ended = await partner.client.patch(f"/v1/people/{person_id}", json={"is_active": False})
        assert ended.status_code == 200, ended.text
        late = await browser.post(link, headers={"Accept": "application/json"})
        assert (late.status_code, late.json()["code"]) == (410, "sign_in_link_expired")
        assert len(await ask_for_link(app, browser, ADDRESS)) == 1
        await partner.client.patch(f"/v1/people/{person_id}", json={"is_active": True})
        assert len(await ask_for_link(app, browser, ADDRESS)) == 2


async def test_what_is_no_address_is_no_form(app: FastAPI, partner: Partner) -> None:
    async with open_browser(app) as browser:
        for content in (b"", b"email=", b"email=ada", b"email=ada%40a%0d%0aBcc:x@b.org", b"\xff=\xff", b"a=1&" * 9):
            headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
            answer = await browser.post("/sign-in/academy", content=content, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid_body"), content
        large = await browser.post("/sign-in/academy", content=b"email=" + b"a" * (16 << 10), headers=headers)
        assert large.status_code == 413
        elsewhere = await browser.post("/v1/people", content=b"email=a", headers=headers)
        assert elsewhere.status_code == 415
        page = await browser.post("/sign-in/academy", data={"email": "ada"})
        assert (page.status_code, "not an e-mail address" in page.text) == (422, True)
        assert (await browser.get("/sign-in/no-such-issuer")).status_code == 404


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_pages_may_send_forms_home_and_load_nothing_else(app: FastAPI, partner: Partner) -> None:
    async with open_browser(app) as browser:
        for path in ("/sign-in", "/sign-in/academy"):
            page = await browser.get(path, headers=HTML)
            assert page.status_code == 200
            assert page.headers["cache-control"] == "no-store"
            # no-referrer would make browsers send `Origin: null` with the form.
            assert page.headers["referrer-policy"] == "same-origin"
            assert "form-action 'self';" in page.headers["content-security-policy"]
            assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "form-action 'none'" in (await browser.get("/")).headers["content-security-policy"]


async def test_after_leaving_people_still_sign_in_and_read(
    app: FastAPI, partner: Partner, operator: httpx.AsyncClient
) -> None:
    person_id = await enter_ada(app, partner)
    left = await operator.post(f"/v1/issuers/{partner.issuer_id}/leave")
    assert left.status_code == 200, left.text
    async with open_browser(app) as browser:
        [link] = await ask_for_link(app, browser, ADDRESS)
        assert (await browser.post(link)).status_code == 303
        assert (await browser.get("/v1/me")).status_code == 200
        assert (await browser.post("/v1/me/tokens", json={"name": "x"})).json()["code"] == "issuer_left"
        assert (await browser.delete("/v1/me/sessions")).status_code == 200
    body = {"name": "New", "email": "new@schools.example.org"}
    assert (await partner.staff.post("/v1/people", json=body)).json()["code"] == "issuer_left"
    assert (await partner.staff.post(f"/v1/people/{person_id}/erase")).status_code == 200
