"""What a verification answers: the checks, and what the badge says of itself. PURE."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from app.verification.data_model import model_of
from app.verification.gathered import Fetch
from app.verification.members import issuer_id
from app.verification.parts import Part
from app.verification.registry import Listing
from app.verification.verdict import Check, is_valid
from app.verification.verdicts import CHECKS_VERSION

OPEN_BADGES_3 = "Open Badges 3.0"


@dataclass(frozen=True, slots=True)
class IssuerSummary:
    """The issuer as the badge itself describes it. Only the binding of `id` to the signing key is verified."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class AchievementSummary:
    """What was achieved, as the badge says. `image` is a web URL or None; `id` is "" where it has none."""

    name: str
    image: str | None
    id: str = ""


@dataclass(frozen=True, slots=True)
class PartVerification:
    """A credential within the one that was verified, at `pointer`. The pointers of its checks are into the part."""

    kind: Literal["endorsement", "badge"]
    pointer: str
    valid: bool
    checks: Sequence[Check]
    credential_id: str | None
    issuer: IssuerSummary | None
    achievement: AchievementSummary | None
    valid_from: str | None
    valid_until: str | None


@dataclass(frozen=True, slots=True)
class JudgedPart:
    part: Part
    checks: Sequence[Check]


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome, at the moment `checked_at`. What the badge says is None where it does not say it.

    `fetched` is every request that was made over the network for it, in the order in which they were begun. `parts` are the
    credentials within it: endorsements, and the badges of a learner record, each verified by itself. `registries` is what each
    list of issuers that the operator has chosen says of the issuer: information, which makes no badge valid. It is empty where
    the badge is not its issuer's. `standard` is that of the badge, and for Open Badges 2.0 its way of being verified."""

    valid: bool
    checks: Sequence[Check]
    checks_version: str
    checked_at: datetime
    credential_id: str | None
    issuer: IssuerSummary | None
    achievement: AchievementSummary | None
    valid_from: str | None
    valid_until: str | None
    fetched: Sequence[Fetch]
    parts: Sequence[PartVerification] = ()
    registries: Sequence[Listing] = ()
    standard: str = OPEN_BADGES_3


@dataclass(frozen=True, slots=True)
class Examined:
    """A verification, and the badge it is of: empty where it could not be read. What the badge says is to be trusted only as
    far as it is valid."""

    verification: Verification
    credential: Mapping[str, Any]


def compose_verification(
    credential: Mapping[str, Any],
    checks: Sequence[Check],
    now: datetime,
    fetched: Sequence[Fetch] = (),
    parts: Sequence[JudgedPart] = (),
) -> Verification:
    return Verification(
        valid=is_valid(checks),
        checks=checks,
        checks_version=CHECKS_VERSION,
        checked_at=now,
        credential_id=_find_text(credential, "id"),
        issuer=_summarize_issuer(credential),
        achievement=_summarize_achievement(credential),
        valid_from=_find_text(credential, model_of(credential).valid_from),
        valid_until=_find_text(credential, model_of(credential).valid_until),
        fetched=list(fetched),
        parts=[_compose_part(each) for each in parts],
    )


def _compose_part(judged: JudgedPart) -> PartVerification:
    credential = judged.part.opened.credential
    return PartVerification(
        kind=judged.part.kind,
        pointer=judged.part.pointer,
        valid=is_valid(judged.checks),
        checks=judged.checks,
        credential_id=_find_text(credential, "id"),
        issuer=_summarize_issuer(credential),
        achievement=_summarize_achievement(credential),
        valid_from=_find_text(credential, model_of(credential).valid_from),
        valid_until=_find_text(credential, model_of(credential).valid_until),
    )


def _summarize_issuer(credential: Mapping[str, Any]) -> IssuerSummary | None:
    found = issuer_id(credential)
    return IssuerSummary(found, _find_text(credential, "issuer", "name") or "") if found else None


def _summarize_achievement(credential: Mapping[str, Any]) -> AchievementSummary | None:
    path = ("credentialSubject", "achievement")
    name = _find_text(credential, *path, "name")
    image = _find_text(credential, *path, "image", "id") or _find_text(credential, *path, "image") or ""
    if not name:
        return None
    return AchievementSummary(name, web_image(image), _find_text(credential, *path, "id") or "")


def web_image(url: str) -> str | None:
    return url if url.startswith(("https://", "http://")) else None


def _find_text(document: Mapping[str, Any], *path: str) -> str | None:
    """The string at the end of `path`, whatever else the document holds on the way."""
    value: object = document
    for member in path:
        value = value.get(member) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else None
