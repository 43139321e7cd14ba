"""Pages with forms: what keeps them from being sent by other sites, the cookies that belong to them, and their headers.

They work without JavaScript. Nothing of them is cached. A form is taken from our own pages only: its Origin must be ours.
"""

from collections.abc import Mapping

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from app.errors import Forbidden
from app.public.negotiate import HTML
from app.public.pages import PageView
from app.public.rendering import SECURITY_HEADERS, render
from app.resources import Resources
from app.web.dependencies import World

_OF_FORMS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    # With no-referrer, as on all other pages, browsers would send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
}


class ForeignForm(Forbidden):
    """A form came from another site, or from nobody knows where."""

    code = "foreign_form"


async def _require_own_form(request: Request, world: World) -> None:
    if request.headers.get("origin") != world.base_url:
        raise ForeignForm("The form was not sent from a page of this service.")


OwnForm = Depends(_require_own_form)


def form_page(template: str, view: PageView, *, status: int = 200, leads_outside: bool = False) -> Response:
    """A page with forms. `leads_outside`: the answer to one of them leads on to another site, which browsers hold against it."""
    policy = SECURITY_HEADERS["Content-Security-Policy"]
    target = "form-action 'self' https:" if leads_outside else "form-action 'self'"
    headers = {
        **SECURITY_HEADERS,
        **_OF_FORMS,
        "Content-Security-Policy": policy.replace("form-action 'none'", target),
    }
    return Response(render(template, view), status, headers, media_type=HTML)


def redirect(url: str, *, status: int = 303) -> Response:
    """Send the browser elsewhere, after a form too."""
    return RedirectResponse(url, status, {**SECURITY_HEADERS, **_OF_FORMS})


def cookie_of(request: Request, world: Resources, name: str) -> str:
    """The value of a cookie of these pages; "" without one."""
    return request.cookies.get(_cookie_name(world, name), "")


def set_cookie(response: Response, world: Resources, name: str, value: str, seconds: int) -> None:
    """Give the browser a cookie of these pages."""
    set_named_cookie(response, world, _cookie_name(world, name), value, seconds)


def forget_cookie(response: Response, world: Resources, name: str) -> None:
    """Have the browser drop a cookie of these pages."""
    response.delete_cookie(
        _cookie_name(world, name), path="/", secure=world.settings.is_https, httponly=True, samesite="lax"
    )


def set_named_cookie(response: Response, world: Resources, name: str, value: str, seconds: int) -> None:
    """As `set_cookie`, under exactly this name."""
    # Lax, not strict: a browser comes here from a mail, and back from the institution.
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=world.settings.is_https, httponly=True, samesite="lax"
    )


def _cookie_name(world: Resources, name: str) -> str:
    # Over https one that no subdomain can set (RFC 6265bis, section 4.1.3.2).
    return f"__Host-{name}" if world.settings.is_https else name
