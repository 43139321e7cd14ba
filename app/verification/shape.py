"""Whether a document has the shape of a badge, a learner record or an endorsement. PURE. Open Badges 3.0, "Data Model"."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from app.errors import Fault, InvalidInput
from app.proofs.errors import WorkBudgetExceeded
from app.proofs.integrity import find_differences
from app.proofs.verification_method import find_moment
from app.verification.data_model import (
    BADGE,
    CLASHING_CONTEXTS,
    CLR,
    ENDORSEMENT,
    VCDM_2,
    DataModel,
    Kind,
    find_kind,
    model_of,
)
from app.verification.members import is_iri, issuer_id, object_of, text_of, texts_of
from app.verification.verdict import Check
from app.verification.verdicts import check


def judge_shape(credential: Mapping[str, Any], contexts: Mapping[str, dict[str, Any]]) -> Iterator[Check]:
    """The parts that the other checks and a reader of the badge build on."""
    model, kind = model_of(credential), find_kind(credential)
    yield from _judge_contexts(credential.get("@context"), model, kind or BADGE, contexts)
    if kind is None or "VerifiableCredential" not in texts_of(credential.get("type")):
        yield check("not_an_open_badge", pointer="/type")
    if not is_iri(credential.get("id")):
        yield check("invalid_credential_id", pointer="/id")
    if not is_iri(issuer_id(credential)):
        yield check("invalid_issuer", pointer="/issuer")
    yield from _JUDGES[(kind or BADGE).name](credential.get("credentialSubject"))
    if find_moment(credential.get(model.valid_from)) is None:
        yield check("invalid_date", pointer=f"/{model.valid_from}", member=model.valid_from)
    for member in (model.valid_until, "awardedDate"):
        if member in credential and find_moment(credential[member]) is None:
            yield check("invalid_date", pointer=f"/{member}", member=member)


def judge_integrity(credential: Mapping[str, Any], contexts: Mapping[str, dict[str, Any]]) -> Iterator[Check]:
    """Whether the contexts give each member the meaning that its name promises, whatever secures the document."""
    unsecured = {member: value for member, value in credential.items() if member != "proof"}
    try:
        faults = find_differences(unsecured, contexts=contexts)
    except WorkBudgetExceeded:
        yield check("work_budget_exceeded")
    except InvalidInput as error:
        for fault in error.faults or [Fault("", error.detail)]:
            yield check(error.code, pointer=fault.pointer, reason=fault.detail)
    else:
        yield from (check("context_integrity", pointer=fault.pointer) for fault in faults)


def _judge_contexts(
    named: object, model: DataModel, kind: Kind, contexts: Mapping[str, dict[str, Any]]
) -> Iterator[Check]:
    """The first contexts are fixed, in their order. Contexts in line would redefine what was signed."""
    urls = texts_of(named)
    if not isinstance(named, list) or len(urls) != len(named) or urls[:1] != [model.context] or len(urls) < 2:
        yield check("invalid_context", pointer="/@context")
        return
    for position, prefix in enumerate(kind.contexts, start=1):
        if not any(url.startswith(prefix) for url in urls[position : position + 1]):
            yield check("invalid_context", pointer=f"/@context/{position}")
    for position, url in enumerate(urls):
        if url not in contexts:
            reason = f"The context {url} is not known here."
            yield check("unknown_context", pointer=f"/@context/{position}", reason=reason)
        elif url in CLASHING_CONTEXTS and model is VCDM_2:
            yield check("context_clash", pointer=f"/@context/{position}", context=url)


def _judge_badge(subject: object) -> Iterator[Check]:
    if not isinstance(subject, dict) or "AchievementSubject" not in texts_of(subject.get("type")):
        yield check("invalid_subject", pointer="/credentialSubject")
        return
    if not subject.get("id") and not subject.get("identifier"):
        yield check("invalid_subject", pointer="/credentialSubject")
    achievement = object_of(subject.get("achievement"))
    if (
        "Achievement" not in texts_of(achievement.get("type"))
        or not is_iri(achievement.get("id"))
        or not all(text_of(achievement.get(member)) for member in ("name", "description"))
        or not isinstance(achievement.get("criteria"), dict)
    ):
        yield check("invalid_achievement", pointer="/credentialSubject/achievement")


def _judge_clr(subject: object) -> Iterator[Check]:
    if not isinstance(subject, dict) or "ClrSubject" not in texts_of(subject.get("type")):
        yield check("invalid_clr_subject", pointer="/credentialSubject")


def _judge_endorsement(subject: object) -> Iterator[Check]:
    is_one = isinstance(subject, dict) and "EndorsementSubject" in texts_of(subject.get("type"))
    if not is_one or not is_iri(object_of(subject).get("id")):
        yield check("invalid_endorsement_subject", pointer="/credentialSubject")


_JUDGES: Mapping[str, Callable[[object], Iterator[Check]]] = {
    BADGE.name: _judge_badge,
    CLR.name: _judge_clr,
    ENDORSEMENT.name: _judge_endorsement,
}
