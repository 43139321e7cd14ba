"""What a badge carries by the issuer's choice beside the award itself: endorsements, and where it is refreshed."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.credentials.store import Credential
from app.identifiers import new_id
from app.issuers.carried import list_carried, with_endorsements
from app.openbadges.conformance import Contexts, Linted, LintFailed, lint


def open_refresh(credential: Credential, *, wanted: bool, base_url: str) -> str | None:
    """The address at which anybody who has it reads the newest edition; the same for all editions of a badge.

    None where the achievement does not ask for one, and for a private badge, which has no public address.
    """
    if not wanted or credential.visibility == "private":
        return None
    credential.refresh_id = credential.refresh_id or new_id()
    return refresh_url(base_url, credential.refresh_id)


def refresh_url(base_url: str, refresh_id: str) -> str:
    return f"{base_url}/refresh/{refresh_id}"


async def list_endorsements(
    session: AsyncSession, issuer_id: str, achievement_id: str, version: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What a new badge carries of its issuer's Profile, and of its achievement."""
    return await list_carried(session, issuer_id), await list_carried(session, issuer_id, achievement_id, version)


def lint_carrying(
    document: dict[str, Any],
    endorsements: tuple[list[dict[str, Any]], list[dict[str, Any]]],
    *,
    contexts: Contexts,
) -> Linted:
    """Lint the badge with its endorsements; without them where they do not go together with what else it says.

    Somebody else's words must never keep a learner from a badge. Raises LintFailed when the badge itself is not sound.
    """
    of_profile, of_achievement = endorsements
    if not of_profile and not of_achievement:
        return lint(document, contexts=contexts)
    subject = document["credentialSubject"]
    carrying = {
        **document,
        "issuer": with_endorsements(document["issuer"], of_profile),
        "credentialSubject": {**subject, "achievement": with_endorsements(subject["achievement"], of_achievement)},
    }
    try:
        return lint(carrying, contexts=contexts)
    except LintFailed:
        return lint(document, contexts=contexts)
