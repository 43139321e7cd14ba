"""Credentials within a credential: the endorsements of a badge, the badges of a learner record. PURE.

Each is verified by itself, as if it had been sent alone. What it means for the whole:

    endorsement   never more than a warning: whoever endorses, or stops endorsing, has no say in whether a badge is valid
    badge         a record is not valid with a badge that is forged or cannot be verified; one that has expired or was revoked is
                  genuine, and stays a part of what the learner has done
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from app.openbadges.clr import MAX_BADGES
from app.verification.data_model import BADGE, CLR, ENDORSEMENT, find_kind
from app.verification.envelopes import open_sent, wrap
from app.verification.members import issuer_id, object_of, text_of
from app.verification.verdict import Check, is_valid
from app.verification.verdicts import check

MAX_ENDORSEMENTS = 16

_BADGES = "/credentialSubject/verifiableCredential"


@dataclass(frozen=True, slots=True)
class Part:
    """`document` as it stands at `pointer` in the whole, a token wrapped; `carrier` is the id of what carries an endorsement."""

    kind: Literal["endorsement", "badge"]
    pointer: str
    document: Mapping[str, Any]
    carrier: str = ""


def find_parts(credential: Mapping[str, Any]) -> list[Part]:
    """In the order of the document, at most MAX_BADGES and MAX_ENDORSEMENTS of them."""
    badges = _find_badges(credential)[:MAX_BADGES]
    endorsements = list(_find_endorsements(credential))
    for badge in badges:
        endorsements += _find_endorsements(open_sent(badge.document).credential, badge.pointer)
    return [*badges, *endorsements[:MAX_ENDORSEMENTS]]


def judge_counts(credential: Mapping[str, Any]) -> Iterator[Check]:
    """Whether there are more parts than are verified."""
    badges = _find_badges(credential)
    inside = (open_sent(each.document).credential for each in badges[:MAX_BADGES])
    endorsements = sum(1 for each in (credential, *inside) for _ in _find_endorsements(each))
    if len(badges) > MAX_BADGES:
        yield check("too_many_badges", pointer=_BADGES, limit=MAX_BADGES)
    if endorsements > MAX_ENDORSEMENTS:
        yield check("too_many_endorsements", limit=MAX_ENDORSEMENTS)


def skip_parts(credential: Mapping[str, Any]) -> Iterator[Check]:
    """What is said in the place of verdicts when the whole is not its issuer's word."""
    for kind in dict.fromkeys(part.kind for part in find_parts(credential)):
        yield check("not_checked", name="badges" if kind == "badge" else "endorsements")


def judge_part(part: Part) -> Iterator[Check]:
    """What is wrong with it in the place where it stands, beside what is wrong with it by itself."""
    credential = open_sent(part.document).credential
    kind = find_kind(credential)
    if part.kind == "badge":
        if kind is not BADGE:
            yield check("not_a_badge_of_a_record", pointer="/type")
    elif kind is not ENDORSEMENT:
        yield check("not_an_endorsement", pointer="/type")
    else:
        endorsed = text_of(object_of(credential.get("credentialSubject")).get("id"))
        if endorsed != part.carrier or not endorsed:
            yield check("endorsement_of_another", pointer="/credentialSubject/id", endorsed=endorsed or "nothing")


def conclude(part: Part, checks: Sequence[Check], whole: Mapping[str, Any]) -> Check:
    """What the part means for the whole, whose own signature covers it."""
    credential = open_sent(part.document).credential
    failed = [each for each in checks if each.outcome == "failed"]
    reason = failed[0].detail if failed else "its proof was not verified."
    if part.kind == "endorsement":
        if is_valid(checks):
            return check("endorsement_verified", pointer=part.pointer, issuer=issuer_id(credential))
        return check("endorsement_not_verified", pointer=part.pointer, reason=reason)
    badge = text_of(credential.get("id")) or "without an id"
    if is_valid(checks):
        return check("badge_verified", pointer=part.pointer, badge=badge)
    if all(each.code == "no_proof" for each in failed) and issuer_id(credential) == issuer_id(whole):
        return check("badge_unsigned", pointer=part.pointer, badge=badge)
    if failed and all(each.code in _ONCE_VALID for each in failed):
        return check("badge_not_current", pointer=part.pointer, badge=badge, reason=reason)
    return check("badge_not_verified", pointer=part.pointer, badge=badge, reason=reason)


_ONCE_VALID = frozenset({"expired", "revoked", "suspended"})


def _find_badges(credential: Mapping[str, Any]) -> list[Part]:
    if find_kind(credential) is not CLR:
        return []
    return [
        Part("badge", pointer, object_of(each))
        for pointer, each in _items(
            object_of(credential.get("credentialSubject")), "verifiableCredential", "/credentialSubject"
        )
    ]


def _find_endorsements(credential: Mapping[str, Any], prefix: str = "") -> Iterator[Part]:
    """Wherever in the credential, but not within another credential that it holds."""
    stack: list[tuple[str, Any]] = [(prefix, credential)]
    while stack:
        pointer, value = stack.pop()
        if isinstance(value, list):
            stack += [(f"{pointer}/{position}", each) for position, each in enumerate(value)][::-1]
        elif isinstance(value, dict):
            carrier = text_of(value.get("id"))
            for name, document in _endorsements_of(value, pointer):
                yield Part("endorsement", name, document, carrier)
            stack += [(f"{pointer}/{name}", each) for name, each in value.items() if name not in _CREDENTIALS][::-1]


_CREDENTIALS = frozenset({"@context", "proof", "endorsement", "endorsementJwt", "verifiableCredential"})


def _endorsements_of(carrier: Mapping[str, Any], pointer: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for place, each in _items(carrier, "endorsement", pointer):
        yield place, object_of(each)
    for place, each in _items(carrier, "endorsementJwt", pointer):
        yield place, wrap(text_of(each))


def _items(carrier: Mapping[str, Any], member: str, pointer: str) -> Iterator[tuple[str, Any]]:
    """Pointer and item of what may be an array or one item."""
    value = carrier.get(member)
    if isinstance(value, list):
        yield from ((f"{pointer}/{member}/{position}", each) for position, each in enumerate(value))
    elif value is not None:
        yield f"{pointer}/{member}", value
