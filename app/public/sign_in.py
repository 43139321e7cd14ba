"""Pages for people who sign in: by a link in an e-mail, or at their institution; and their home page.

No answer leads to another site but the institution's own sign-in. Who was on the way to let other software at their badges
(`authorize.py`) goes on there.
"""

import re
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import TypeAdapter, ValidationError

from app.access.dependencies import AnyPerson, cookie_name
from app.access.sessions import BROWSER_LIFE, end_session
from app.access.store import find_session, get_person
from app.access.tokens import new_secret, parse_token
from app.errors import AssayError, Fault, Unauthenticated
from app.identifiers import Identifier
from app.issuers.store import Issuer, get_issuer, get_issuer_by_slug, list_issuers
from app.people.identities import open_person
from app.people.oidc import begin_sign_in, finish_sign_in
from app.people.providers import list_active_providers
from app.people.sign_in_link import LINK_LIFE, SignedIn, ask_for_link, require_link, sign_in_by_link
from app.public.documents import Slug
from app.public.forms import OwnForm, cookie_of, form_page, redirect, set_cookie, set_named_cookie
from app.public.negotiate import prefers_html
from app.public.pages import CardView, Party
from app.public.returning import come_back, go_and_come_back
from app.public.sign_in_pages import (
    ROLE_TEXTS,
    MyHomeView,
    RoleView,
    SignInIssuersView,
    SignInLinkView,
    SignInProblemView,
    SignInSentView,
    SignInView,
)
from app.resources import Resources
from app.web.dependencies import Now, ReadSession, Session, World
from app.web.fields import Email
from app.web.problem_types import PROBLEM_TYPES
from app.web.problems import InvalidBody

router = APIRouter(include_in_schema=False)

_OURS = re.compile(r"/(sign-in(/.*)?|sign-out|home|oauth/authorize|badge-hosts/callback)")
_BROWSER_COOKIE = "assay_browser"
_BROWSER_COOKIE_LIFE = 3600
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_EMAIL: TypeAdapter[str] = TypeAdapter(Email)


@router.get("/sign-in")
async def choose(session: ReadSession, world: World) -> Response:
    """The issuers, to choose where to sign in."""
    issuers = [
        CardView(name=each.profile["name"], url=f"{world.base_url}/sign-in/{each.slug}")
        for each in await list_issuers(session)
    ]
    return form_page("sign_in_issuers.html", SignInIssuersView(base_url=world.base_url, issuers=issuers))


@router.get("/sign-in/{slug}")
async def sign_in_page(slug: Slug, session: ReadSession, world: World) -> Response:
    """Where people of an issuer sign in."""
    issuer = await get_issuer_by_slug(session, slug)
    action = f"{world.base_url}/sign-in/{slug}"
    providers = [
        Party(each.name, f"{action}/oidc/{each.id}") for each in await list_active_providers(session, issuer.id)
    ]
    view = SignInView(
        base_url=world.base_url,
        is_test=issuer.is_test,
        issuer=_party(world, issuer),
        action=action,
        providers=providers,
    )
    return form_page("sign_in.html", view, leads_outside=bool(providers))


@router.post("/sign-in/{slug}", dependencies=[OwnForm])
async def ask(slug: Slug, request: Request, session: Session, world: World, now: Now) -> Response:
    """Have a link sent. The answer is the same whether or not somebody has the address."""
    issuer = await get_issuer_by_slug(session, slug)
    email = await _email_of_form(request)
    secret = _browser_secret(request, world) or new_secret()
    ask_for_link(session, world.vault, issuer, email, browser_secret=secret, now=now)
    view = SignInSentView(
        base_url=world.base_url, is_test=issuer.is_test, issuer=_party(world, issuer),
        minutes=int(LINK_LIFE.total_seconds() // 60), action=f"{world.base_url}/sign-in/{slug}",
    )  # fmt: skip
    response = form_page("sign_in_sent.html", view)
    set_cookie(response, world, _BROWSER_COOKIE, secret, _BROWSER_COOKIE_LIFE)
    return response


@router.get("/sign-in/links/{token}")
async def link_page(token: str, request: Request, session: ReadSession, world: World, now: Now) -> Response:
    """What the link in the mail leads to. It signs nobody in: that takes the button."""
    link = await require_link(session, token, _browser_secret(request, world), now)
    issuer = await get_issuer(session, link.issuer_id)
    view = SignInLinkView(
        base_url=world.base_url, is_test=issuer.is_test, issuer=_party(world, issuer),
        action=f"{world.base_url}/sign-in/links/{token}",
    )  # fmt: skip
    return form_page("sign_in_link.html", view)


@router.post("/sign-in/links/{token}", dependencies=[OwnForm])
async def use_link(token: str, request: Request, session: Session, world: World, now: Now) -> Response:
    """Sign in by the link, once."""
    return _signed_in(request, world, await sign_in_by_link(session, token, _browser_secret(request, world), now))


@router.post("/sign-in/{slug}/oidc/{provider_id}", dependencies=[OwnForm])
async def begin_at_provider(slug: Slug, provider_id: Identifier, request: Request, world: World, now: Now) -> Response:
    """Send the browser to an institution's own sign-in."""
    async with world.database.reading() as session:
        issuer = await get_issuer_by_slug(session, slug)
    secret = _browser_secret(request, world) or new_secret()
    url = await begin_sign_in(world, issuer.id, provider_id, browser_secret=secret, now=now)
    response = redirect(url)
    set_cookie(response, world, _BROWSER_COOKIE, secret, _BROWSER_COOKIE_LIFE)
    return response


@router.get("/sign-in/oidc/callback")
async def come_back_from_provider(request: Request, world: World, now: Now) -> Response:
    """Where the institution sends the browser back to."""
    answer = dict(request.query_params)
    secret = _browser_secret(request, world)
    return _signed_in(request, world, await finish_sign_in(world, answer, browser_secret=secret, now=now))


@router.get("/home")
async def home(member: AnyPerson, session: ReadSession, world: World) -> Response:
    """Who one is here, and in which roles."""
    person = await get_person(session, member.issuer_id, member.person_id)
    issuer = await get_issuer(session, member.issuer_id)
    known = await open_person(session, world.vault, person)
    view = MyHomeView(
        base_url=world.base_url, is_test=issuer.is_test, name=known.name, email=known.email,
        issuer=_party(world, issuer), sign_out=f"{world.base_url}/sign-out",
        roles=[RoleView(name=role.replace("_", " "), text=ROLE_TEXTS[role]) for role in sorted(member.roles)],
    )  # fmt: skip
    return form_page("my_home.html", view)


@router.post("/sign-out", dependencies=[OwnForm])
async def sign_out(request: Request, session: Session, world: World, now: Now) -> Response:
    """End the browser's session. Without one it is ended already."""
    name = cookie_name(is_https=world.settings.is_https)
    session_id, _ = parse_token(request.cookies.get(name, "")) or ("", "")
    found = await find_session(session, session_id)
    response = redirect(f"{world.base_url}/sign-in")
    if found is not None:
        end_session(session, found, actor=f"person:{found.person_id}", now=now)
        issuer = await get_issuer(session, found.issuer_id)
        response = redirect(f"{world.base_url}/sign-in/{issuer.slug}")
    response.delete_cookie(name, path="/", secure=world.settings.is_https, httponly=True, samesite="lax")
    return response


def problem_page(request: Request, error: AssayError, *, onward: Party | None = None) -> Response | None:
    """The page for whoever was not signed in; None where it is no page of these, or the client is not a browser.

    `onward`: another service, to which a link leads.
    """
    if not _OURS.fullmatch(request.scope["path"]) or not prefers_html(request.headers.get("accept")):
        return None
    base_url: str = request.app.state.base_url
    if isinstance(error, Unauthenticated):
        return go_and_come_back(request, f"{base_url}/sign-in")
    problem = PROBLEM_TYPES[error.code]
    view = SignInProblemView(
        base_url=base_url, title=problem.title, detail=error.detail, cure=error.cure or problem.cure, code=problem.code,
        onward=onward,
    )  # fmt: skip
    return form_page("sign_in_problem.html", view, status=problem.status)


def _signed_in(request: Request, world: Resources, signed_in: SignedIn) -> Response:
    response = come_back(request, world) or redirect(f"{world.base_url}/home")
    name = cookie_name(is_https=world.settings.is_https)
    set_named_cookie(response, world, name, signed_in.token, int(BROWSER_LIFE.total_seconds()))
    return response


async def _email_of_form(request: Request) -> str:
    """Raises InvalidBody."""
    try:
        fields = dict(parse_qsl((await request.body()).decode(), max_num_fields=5))
        return _EMAIL.validate_python(fields.get("email", "").strip())
    except (ValidationError, ValueError):
        fault = Fault("/email", "is not an e-mail address", "write one address without a name, like ada@example.org")
        raise InvalidBody("That is not an e-mail address.", faults=[fault], cure="Go back and correct it.") from None


def _browser_secret(request: Request, world: Resources) -> str | None:
    """The secret that this browser was given; None when it has none, or what it has is none of ours."""
    secret = cookie_of(request, world, _BROWSER_COOKIE)
    return secret if _SECRET.fullmatch(secret) else None


def _party(world: Resources, issuer: Issuer) -> Party:
    return Party(issuer.profile["name"], f"{world.base_url}/issuers/{issuer.slug}")
