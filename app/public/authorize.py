"""The authorization endpoint (RFC 6749, section 3.1): a learner sees which software asks for what, and consents or refuses."""

from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from fastapi import APIRouter, BackgroundTasks, Depends, Request
from fastapi.responses import Response

from app.access.dependencies import AnyPerson, find_person
from app.access.principals import Member
from app.access.store import get_person
from app.issuers.store import get_issuer
from app.oauth.authorize import (
    AuthorizationRequest,
    MisfitRequest,
    UnfitAuthorizationRequest,
    consent,
    has_consented,
    is_let_in,
    read_request,
    require_learner,
)
from app.oauth.protocol import refuse
from app.oauth.scopes import LEARNER_SCOPES
from app.people.identities import open_person
from app.public.forms import OwnForm, form_page, redirect
from app.public.pages import Party
from app.public.sign_in import problem_page
from app.public.sign_in_pages import ConsentView
from app.web.dependencies import Now, Session, World
from app.web.problems import problem_response

router = APIRouter(include_in_schema=False)


class Turned(Exception):  # not an error: it carries the answer for the client past the route
    """Raised where the browser goes back to the client, to tell it what is wrong with its request."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


async def answer_turned(_: Request, turned: Exception) -> Response:
    assert isinstance(turned, Turned)
    return redirect(turned.location, status=302)


class Held(UnfitAuthorizationRequest):
    """As Turned, where nobody vouches for the client: anybody can register one, so the person decides whether to go there."""

    def __init__(self, location: str) -> None:
        self.onward = Party(urlsplit(location).hostname or "", location)
        super().__init__(
            f"The service at {self.onward.name} asked for something that it may not have.",
            cure=f"Follow the link only if you were at {self.onward.name} just now and trust it. Tell the people who run it.",
        )


async def answer_held(request: Request, held: Exception) -> Response:
    assert isinstance(held, Held)
    return problem_page(request, held, onward=held.onward) or problem_response(request, held)


async def _read(request: Request, world: World, background: BackgroundTasks) -> AuthorizationRequest:
    """Before anybody is asked to sign in for it. Raises UnfitAuthorizationRequest, Held, Turned."""
    query = request.scope["query_string"].decode("latin-1")
    try:
        # Not in the route's session: that would hold a connection while another is waited for, to find out who asks.
        async with world.database.reading() as session:
            return await read_request(session, query, iss=world.base_url)
    except MisfitRequest as misfit:
        person = await find_person(request, world, background)
        if person is None or person.issuer_id is None:
            raise Held(misfit.location) from None
        async with world.database.reading() as session:
            is_trusted = await is_let_in(session, person.issuer_id, person.id, misfit.client_id)
        raise (Turned if is_trusted else Held)(misfit.location) from None


Requested = Annotated[AuthorizationRequest, Depends(_read, scope="function")]


@router.get("/oauth/authorize")
async def ask(requested: Requested, member: AnyPerson, session: Session, world: World, now: Now) -> Response:
    """Ask the learner. Who consented to all of it before is not asked again."""
    require_learner(member)
    if await has_consented(session, member, requested):
        return redirect(await consent(session, member, requested, iss=world.base_url, now=now), status=302)
    return form_page("consent.html", await _view(requested, member, session, world), leads_outside=True)


@router.post("/oauth/authorize", dependencies=[OwnForm])
async def answer(
    request: Request, requested: Requested, member: AnyPerson, session: Session, world: World, now: Now
) -> Response:
    """Take the learner's answer, and send the browser back with a code or a refusal."""
    if dict(parse_qsl((await request.body()).decode("utf-8", "replace"))).get("answer") != "allow":
        return redirect(refuse(requested.asked, iss=world.base_url), status=302)
    return redirect(await consent(session, member, requested, iss=world.base_url, now=now), status=302)


async def _view(requested: AuthorizationRequest, member: Member, session: Session, world: World) -> ConsentView:
    issuer = await get_issuer(session, member.issuer_id)
    known = await open_person(session, world.vault, await get_person(session, member.issuer_id, member.person_id))
    said = requested.client.registration
    return ConsentView(
        base_url=world.base_url,
        is_test=issuer.is_test,
        issuer=Party(issuer.profile["name"], f"{world.base_url}/issuers/{issuer.slug}"),
        name=known.name,
        email=known.email,
        client_name=said["client_name"],
        host=urlsplit(requested.asked.redirect_uri).hostname or "",
        client_uri=said["client_uri"],
        policy_uri=said["policy_uri"],
        tos_uri=said["tos_uri"],
        wishes=[LEARNER_SCOPES[scope] for scope in LEARNER_SCOPES if scope in requested.asked.scopes],
        action=f"?{requested.query}",
    )
