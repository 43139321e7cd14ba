"""What the pages for signing in show, and the home page of who has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.public.pages import CardView, PageView, Party

ROLE_TEXTS: Mapping[str, str] = {
    "learner": "You submit your own work and see what became of it.",
    "assessor": "You read work that is assigned to you.",
    "lead": "You look after assessors, anchors and calibration, and adjudicate.",
    "approver": "You decide on what assessors recommend.",
    "director": "You run the program.",
    "partner_viewer": "You see achievements and badges.",
    "recognizer": "You see badges.",
}
"""What each role is about, in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInIssuersView(PageView):
    """Where somebody who has not signed in chooses their institution."""

    issuers: Sequence[CardView]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInView(PageView):
    """The sign-in page of an issuer: an e-mail field, and OpenID providers by name (`url` is where the button leads)."""

    issuer: Party
    action: str
    providers: Sequence[Party] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInSentView(PageView):
    """The answer to whoever asked for a link: the same for everybody."""

    issuer: Party
    minutes: int
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInLinkView(PageView):
    """What a link in a mail leads to: one button. Programs that look into mail follow links; none of them presses it."""

    issuer: Party
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInProblemView(PageView):
    """Why somebody was not signed in."""

    title: str
    detail: str
    cure: str
    code: str
    onward: Party | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleView:
    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MyHomeView(PageView):
    """The home page of somebody who has signed in."""

    name: str
    email: str
    issuer: Party
    roles: Sequence[RoleView]
    sign_out: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentView(PageView):
    """Which software asks a learner for what. `host` is where the browser goes: of what the software says, what is checked."""

    issuer: Party
    name: str
    email: str
    client_name: str
    host: str
    client_uri: str
    policy_uri: str
    tos_uri: str
    wishes: Sequence[str]
    action: str
