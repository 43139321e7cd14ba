"""Verifying an assertion of Open Badges 2.0, hosted or signed: gather, then judge.

Nothing here is canonicalized, so judging costs what reading the documents costs, and needs no process that can be killed.
The documents come through the one library, with its limits, and each fetch is told in the answer. What an assertion embeds of
another document that has an address of its own is not believed: the address is asked.

Specification: Open Badges 2.0 (Final), section "Verification". The Profile always comes from its own https address, because who
publishes there is who the issuer is.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.errors import AssayError, Broken, InvalidInput
from app.net.client import FetchGone
from app.openbadges.open_badges_2 import (
    Assertion,
    BadgeClass,
    InvalidOpenBadge2,
    Method,
    Profile,
    Reference,
    SignatureRefused,
    find_revocation,
    find_signed_assertion,
    is_assertion,
    is_in_scope,
    is_same,
    read_assertion,
    read_badge_class,
    read_profile,
    verify_signature,
)
from app.verification.answer import AchievementSummary, IssuerSummary, Verification, web_image
from app.verification.envelopes import ENVELOPE, Opened
from app.verification.gather import reason_of, recorded
from app.verification.gathered import Fetch, Missing, Purpose
from app.verification.library import Library
from app.verification.members import first_texts_of, text_of
from app.verification.proofs import CLOCK_SKEW
from app.verification.verdict import NAMES, Check, in_order, is_valid
from app.verification.verdicts import CHECKS_VERSION, check, not_checked

MAX_KEYS = 3
"""Greatest number of keys tried where the assertion names none."""

Document = Mapping[str, Any]


def find_assertion(opened: Opened) -> tuple[Document, str | None] | None:
    """The assertion that was sent, and the compact JWS that it came in if it came in one; None for every other badge.

    May parse a token: of one that has been read only if it holds an assertion.
    """
    document = opened.document
    if is_assertion(document):
        return document, None
    if ENVELOPE not in first_texts_of(document.get("type")):
        return None
    if opened.token is not None and not is_assertion(opened.token.claims):
        return None
    _, _, token = text_of(document.get("id")).partition(",")
    signed = find_signed_assertion(token)
    return (signed, token) if signed is not None else None


@dataclass(frozen=True, slots=True)
class GatheredAssertion:
    """An assertion as it was handed in, and what the world says of it. None is what was not looked for.

    `token` is the compact JWS of a signed one. `published` is what stands at the address of a hosted one. `keys` are to be tried.
    """

    handed_in: Document
    token: str | None
    published: Document | Missing | None = None
    badge: Document | Missing | None = None
    profile: Document | Missing | None = None
    keys: Sequence[tuple[Reference, Document | Missing]] = ()
    revocation_list: Document | Missing | None = None

    @property
    def assertion(self) -> Document:
        """What counts: the published assertion where there is one."""
        return self.published if isinstance(self.published, Mapping) else self.handed_in


async def gather_assertion(handed_in: Document, token: str | None, library: Library) -> GatheredAssertion:
    """Everything `judge_assertion` needs to know of the world."""
    published: Document | Missing | None = None
    read = _read(read_assertion, handed_in)
    if isinstance(read, Assertion) and read.method == "hosted":
        # It must be what stands there now: a copy that was kept for a while could hide a revocation.
        published = await _get(Reference(read.id), "hosted", "credential", library)
        if isinstance(published, Mapping):
            read = _read(read_assertion, published)
    if not isinstance(read, Assertion):
        return GatheredAssertion(handed_in, token, published)
    badge = await _get(read.badge, "badge_class", "badge_class", library)
    badge_class = _read(read_badge_class, badge)
    if not isinstance(badge_class, BadgeClass):
        return GatheredAssertion(handed_in, token, published, badge)
    profile = await _get(Reference(badge_class.issuer.id), "issuer_profile", "issuer_profile", library)
    issuer = _read(read_profile, profile)
    if not isinstance(issuer, Profile) or read.method == "hosted":
        return GatheredAssertion(handed_in, token, published, badge, profile)
    wanted = _keys_wanted(read, issuer)
    lists = [issuer.revocation_list] if issuer.revocation_list else []
    *keys, revocation_list = await asyncio.gather(
        *(_get(each, "verification_method", "verification_method", library) for each in wanted),
        *(_get(Reference(each), "status_list", "status_list", library) for each in lists),
        *([] if lists else [_nothing()]),
    )
    found = [(each, key) for each, key in zip(wanted, keys, strict=True) if key is not None]
    return GatheredAssertion(handed_in, token, published, badge, profile, found, revocation_list)


def _keys_wanted(assertion: Assertion, profile: Profile) -> list[Reference]:
    """The key that the assertion names, else those of the Profile. One that the Profile writes out needs no fetch."""
    if not assertion.creator:
        return list(profile.keys[:MAX_KEYS])
    return [next((each for each in profile.keys if each.id == assertion.creator), Reference(assertion.creator))]


async def _get(reference: Reference, kind: str, purpose: Purpose, library: Library) -> Document | Missing | None:
    """The document: from its address where it has one, else as it is embedded. `kind` begins the codes of what goes wrong.

    A Profile lists its own keys: what it writes out of them is its word.
    """
    if reference.embedded is not None and (not reference.is_published or kind == "verification_method"):
        return reference.embedded
    if not reference.is_published:
        return Missing(f"{kind}_refused", "It has no https address.")
    try:
        return await library.get_document(reference.id, purpose)
    except Broken:
        raise
    except FetchGone as error:
        return Missing("hosted_gone", error.detail) if kind == "hosted" else recorded(error, kind)
    except AssayError as error:
        return recorded(error, kind)


async def _nothing() -> None:
    return None


def _read(read: Any, document: Document | Missing | None) -> Any:
    """What `read` makes of the document, the error where it is unsound, None where there is no document."""
    if not isinstance(document, Mapping):
        return None
    try:
        return read(document)
    except InvalidOpenBadge2 as error:
        return error


# judging: pure from here on


@dataclass(frozen=True, slots=True)
class JudgedAssertion:
    """The checks, and the documents as far as they could be read. `method` is None where not even that could."""

    checks: Sequence[Check]
    method: Method | None
    assertion: Document
    badge_class: BadgeClass | None
    profile: Profile | None


def compose_answer(judged: JudgedAssertion, now: datetime, fetched: Sequence[Fetch]) -> Verification:
    """The answer to whoever wanted the assertion verified. The issuer's name and the picture are what was fetched says."""
    said = judged.assertion
    id_, issued_on, expires = (text_of(said.get(name)) or None for name in ("id", "issuedOn", "expires"))
    achieved, issuer = judged.badge_class, judged.profile
    return Verification(
        valid=is_valid(judged.checks),
        checks=judged.checks,
        checks_version=CHECKS_VERSION,
        checked_at=now,
        credential_id=id_,
        issuer=IssuerSummary(issuer.id, issuer.name) if issuer else None,
        achievement=AchievementSummary(achieved.name, web_image(achieved.image), achieved.id) if achieved else None,
        valid_from=issued_on,
        valid_until=expires,
        fetched=list(fetched),
        standard=f"Open Badges 2.0, {judged.method}" if judged.method else "Open Badges 2.0",
    )


def judge_assertion(gathered: GatheredAssertion, now: datetime) -> JudgedAssertion:
    """All checks of an assertion at the moment `now`, at least one of each of the five names. Nothing is raised."""
    read = _read(read_assertion, gathered.assertion)
    assertion = read if isinstance(read, Assertion) else None
    badge_class, profile = _read(read_badge_class, gathered.badge), _read(read_profile, gathered.profile)
    method = assertion.method if assertion else None
    found = list(_judge_shape(gathered, read, badge_class))
    if assertion is None:
        found += _not_judged(found)
        return JudgedAssertion(in_order(found), method, gathered.assertion, None, None)
    issuer = profile if isinstance(profile, Profile) else None
    if method == "hosted":
        found += _judge_hosting(gathered)
        found += _judge_scope(gathered, assertion, profile)
    else:
        found += _judge_signature(gathered, issuer)
        found += _judge_profile(gathered, profile)
    found += _judge_validity(assertion, now)
    found += _judge_status(gathered, assertion, issuer)
    found += _not_judged(found)
    whole = badge_class if isinstance(badge_class, BadgeClass) else None
    return JudgedAssertion(in_order(found), method, gathered.assertion, whole, issuer)


def _judge_shape(gathered: GatheredAssertion, read: object, badge_class: object) -> Iterator[Check]:
    if not isinstance(read, Assertion):
        published = isinstance(gathered.published, Mapping)
        yield _unsound("hosted_invalid" if published else "invalid_assertion", read, "")
        return
    if isinstance(gathered.badge, Missing):
        yield check(gathered.badge.code, pointer="/badge", reason=gathered.badge.detail)
    elif isinstance(badge_class, InvalidOpenBadge2):
        yield _unsound("badge_class_invalid", badge_class, "/badge")
    elif _differs(read.badge, gathered.badge):
        yield check("badge_class_invalid", pointer="/badge", reason="Its `id` is not the address it was had from.")
    else:
        yield check("open_badges_2", method=read.method)


def _judge_hosting(gathered: GatheredAssertion) -> Iterator[Check]:
    """Section "Hosted Verification": the issuer's site says it, at the assertion's own address."""
    published = gathered.published
    if isinstance(published, Missing):
        yield check(published.code, pointer="/id", reason=published.detail)
    elif published is None or published.get("id") != gathered.handed_in.get("id"):
        yield check("hosted_elsewhere", pointer="/id")
    elif not is_same(published, gathered.handed_in):
        yield check("hosted_differs")
    else:
        yield check("hosted_verified", pointer="/id")


def _judge_scope(gathered: GatheredAssertion, assertion: Assertion, profile: object) -> Iterator[Check]:
    problem = _find_profile_problem(gathered, profile)
    if problem:
        yield problem
    elif isinstance(profile, Profile) and isinstance(gathered.published, Mapping):
        code = "hosted_by_issuer" if is_in_scope(assertion.id, profile) else "hosted_out_of_scope"
        yield check(code, pointer="/id", issuer=profile.id)


def _judge_signature(gathered: GatheredAssertion, profile: Profile | None) -> Iterator[Check]:
    """Section "Signed Verification": a key that the Profile names, and that names the Profile, made the signature."""
    if gathered.token is None:
        yield check("unsigned_assertion")
        return
    if profile is None:
        return
    refused: list[Check] = []
    for named, key in gathered.keys:
        outcome = _try_key(gathered.token, key)
        if outcome is None and isinstance(key, Mapping):
            yield check("proof_verified", pointer="/verification/creator")
            yield _judge_key(named, key, profile)
            return
        refused += [outcome] if outcome else []
    reason = "The Profile names no key, and the assertion names none either."
    yield from refused[:1] or [check("signing_key_invalid", pointer="/verification/creator", reason=reason)]


def _try_key(token: str, key: Document | Missing) -> Check | None:
    """None when the signature verifies with the key."""
    pointer = "/verification/creator"
    if isinstance(key, Missing):
        return check(key.code, pointer=pointer, reason=key.detail)
    try:
        verify_signature(token, key)
    except SignatureRefused:
        return check("signature_invalid", pointer=pointer)
    except InvalidInput as error:
        return check("signing_key_invalid", pointer=pointer, reason=reason_of(error))
    return None


def _judge_key(named: Reference, key: Document, profile: Profile) -> Check:
    """Both must say so: the Profile of the key, and the key, where it stands by itself, of the Profile."""
    listed = [each for each in profile.keys if each == named or (each.id and each.id == named.id)]
    is_embedded = any(each.embedded is key for each in listed)
    owner = key.get("owner")
    is_own = owner == profile.id or (is_embedded and owner is None)
    code = "signed_by_issuer" if listed and is_own and key.get("id", "") == named.id else "key_not_of_issuer"
    return check(code, pointer="/verification/creator", issuer=profile.id)


def _judge_profile(gathered: GatheredAssertion, profile: object) -> Iterator[Check]:
    problem = _find_profile_problem(gathered, profile)
    if problem:
        yield problem


def _find_profile_problem(gathered: GatheredAssertion, profile: object) -> Check | None:
    """What keeps the Profile from being believed. It must stand at the address that is its `id`."""
    pointer = "/badge/issuer"
    if isinstance(gathered.profile, Missing):
        return check(gathered.profile.code, pointer=pointer, reason=gathered.profile.detail)
    if isinstance(profile, InvalidOpenBadge2):
        return _unsound("issuer_profile_invalid", profile, pointer)
    named = _read(read_badge_class, gathered.badge)
    if isinstance(profile, Profile) and isinstance(named, BadgeClass) and profile.id != named.issuer.id:
        reason = "Its `id` is not the address it was had from."
        return check("issuer_profile_invalid", pointer=pointer, reason=reason)
    return None


def _judge_validity(assertion: Assertion, now: datetime) -> Iterator[Check]:
    if assertion.issued_on > now + CLOCK_SKEW:
        yield check("not_yet_valid", pointer="/issuedOn", moment=assertion.issued_on.isoformat())
    elif assertion.expires is not None and assertion.expires < now - CLOCK_SKEW:
        yield check("expired", pointer="/expires", moment=assertion.expires.isoformat())
    else:
        yield check("in_validity_period")


def _judge_status(gathered: GatheredAssertion, assertion: Assertion, profile: Profile | None) -> Iterator[Check]:
    """A hosted assertion is revoked where it stands, a signed one in the list that the Profile names."""
    published = gathered.published
    if isinstance(published, Missing):
        if published.code == "hosted_gone":
            yield check("revoked", pointer="/id")
        return
    if assertion.revoked:
        reason = gathered.assertion.get("revocationReason")
        yield _revoked(text_of(reason), "/revoked")
    elif assertion.method == "hosted":
        yield check("status_clear")
    elif profile is not None:
        yield _read_list(gathered, assertion, profile)


def _read_list(gathered: GatheredAssertion, assertion: Assertion, profile: Profile) -> Check:
    found, pointer = gathered.revocation_list, "/badge/issuer/revocationList"
    if found is None:
        return check("no_status")
    if isinstance(found, Missing):
        return check(found.code, pointer=pointer, reason=found.detail)
    named = found.get("issuer", profile.id)
    lister = named.get("id") if isinstance(named, Mapping) else named
    if lister != profile.id:
        return check("status_list_wrong_issuer", pointer=pointer, list_issuer=lister)
    try:
        reason = find_revocation(found, assertion.id)
    except InvalidOpenBadge2 as error:
        return check("status_list_invalid", pointer=pointer, reason=reason_of(error))
    return check("status_clear", pointer=pointer) if reason is None else _revoked(reason, pointer)


def _revoked(reason: str, pointer: str) -> Check:
    return check("revoked_for", pointer=pointer, reason=reason) if reason else check("revoked", pointer=pointer)


def _not_judged(found: Sequence[Check]) -> list[Check]:
    return not_checked(name for name in NAMES if not any(each.name == name for each in found))


def _unsound(code: str, error: object, at: str) -> Check:
    faults = error.faults if isinstance(error, InvalidOpenBadge2) else ()
    pointer = at or (faults[0].pointer if faults else "")
    return check(code, pointer=pointer, reason=error.detail if isinstance(error, InvalidOpenBadge2) else "it is empty.")


def _differs(reference: Reference, document: Document | Missing | None) -> bool:
    return reference.is_published and isinstance(document, Mapping) and document.get("id") != reference.id
