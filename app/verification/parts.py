"""Credentials within a credential: the endorsements of a badge, the badges of a learner record. PURE.

Each is verified by itself, as if it had been sent alone. What it means for the whole:

    endorsement   never more than a warning: whoever endorses, or stops endorsing, has no say in whether a badge is valid
    badge         a record is not valid with a badge that is forged or cannot be verified; one that has expired or was revoked is
                  genuine, and stays a part of what the learner has done
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Literal

from app.openbadges.clr import MAX_BADGES
from app.verification.data_model import BADGE, CLR, ENDORSEMENT, find_kind
from app.verification.envelopes import Opened, open_sent, wrap
from app.verification.members import issuer_id, object_of, text_of
from app.verification.verdict import Check, is_valid
from app.verification.verdicts import check

MAX_ENDORSEMENTS = 16
MAX_PLACES = 400
"""Values of a document, with the badges in it, that are looked at for endorsements: a record of MAX_BADGES has half as many."""

_BADGES = "/credentialSubject/verifiableCredential"


@dataclass(frozen=True, slots=True)
class Part:
    """What stands at `pointer` in the whole, a token wrapped and opened; `carrier` is the id of what carries an endorsement."""

    kind: Literal["endorsement", "badge"]
    pointer: str
    opened: Opened
    carrier: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """At most MAX_BADGES badges, then at most MAX_ENDORSEMENTS endorsements, and whether there are more, or may be, of either."""

    parts: Sequence[Part]
    has_more_badges: bool
    has_more_endorsements: bool


def find_parts(credential: Mapping[str, Any]) -> Found:
    """Where the specifications have them, as far as the limits go: what it costs does not grow with the document. Each token is
    opened, here and nowhere else."""
    held = list(islice(_find_badges(credential), MAX_BADGES + 1))
    badges = [Part("badge", pointer, open_sent(object_of(each))) for pointer, each in held[:MAX_BADGES]]
    roots = [("", credential), *((each.pointer, each.opened.credential) for each in badges)]
    places = chain.from_iterable(_walk(pointer, root) for pointer, root in roots)
    endorsed = chain.from_iterable(_endorsements_of(pointer, place) for pointer, place in islice(places, MAX_PLACES))
    carried = list(islice(endorsed, MAX_ENDORSEMENTS + 1))
    endorsements = [
        Part("endorsement", pointer, open_sent(document), carrier)
        for pointer, document, carrier in carried[:MAX_ENDORSEMENTS]
    ]
    return Found(
        [*badges, *endorsements],
        has_more_badges=len(held) > MAX_BADGES,
        has_more_endorsements=len(carried) > MAX_ENDORSEMENTS or next(places, None) is not None,
    )


def judge_counts(found: Found) -> Iterator[Check]:
    """Whether there are more parts than are verified."""
    if found.has_more_badges:
        yield check("too_many_badges", pointer=_BADGES, limit=MAX_BADGES)
    if found.has_more_endorsements:
        yield check("too_many_endorsements", limit=MAX_ENDORSEMENTS)


def skip_parts(credential: Mapping[str, Any]) -> Iterator[Check]:
    """What is said in the place of verdicts when the whole is not its issuer's word. Nothing is walked or opened for it: the
    badge itself, its issuer and its achievement are asked whether they have the member."""
    subject = object_of(credential.get("credentialSubject"))
    if find_kind(credential) is CLR and "verifiableCredential" in subject:
        yield check("not_checked", name="badges")
    carriers = (credential, object_of(credential.get("issuer")), object_of(subject.get("achievement")))
    if any(member in each for each in carriers for member in ("endorsement", "endorsementJwt")):
        yield check("not_checked", name="endorsements")


def judge_part(part: Part) -> Iterator[Check]:
    """What is wrong with it in the place where it stands, beside what is wrong with it by itself."""
    credential = part.opened.credential
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
    credential = part.opened.credential
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


def _find_badges(credential: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if find_kind(credential) is CLR:
        yield from _items(object_of(credential.get("credentialSubject")), "verifiableCredential", "/credentialSubject")


def _walk(pointer: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Every value that may carry endorsements (Open Badges 3.0: a credential, an Achievement, a Profile) and those on the way to
    it, one by one, so that whoever asks can stop. Never into another credential."""
    yield pointer, value
    if isinstance(value, list):
        for position, each in enumerate(value):
            yield from _walk(f"{pointer}/{position}", each)
    elif isinstance(value, dict):
        for name in _LEADING_ON:
            if name in value:
                yield from _walk(f"{pointer}/{name}", value[name])


_LEADING_ON = ("issuer", "parentOrg", "credentialSubject", "source", "achievement", "creator")


def _endorsements_of(pointer: str, carrier: Any) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """Pointer and document of each endorsement, and the id of its carrier."""
    if not isinstance(carrier, dict):
        return
    id_ = text_of(carrier.get("id"))
    for place, each in _items(carrier, "endorsement", pointer):
        yield place, object_of(each), id_
    for place, each in _items(carrier, "endorsementJwt", pointer):
        yield place, wrap(text_of(each)), id_


def _items(carrier: Mapping[str, Any], member: str, pointer: str) -> Iterator[tuple[str, Any]]:
    """Pointer and item of what may be an array or one item."""
    value = carrier.get(member)
    if isinstance(value, list):
        yield from ((f"{pointer}/{member}/{position}", each) for position, each in enumerate(value))
    elif value is not None:
        yield f"{pointer}/{member}", value
