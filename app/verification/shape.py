"""Whether a document has the shape of a badge. PURE. Open Badges 3.0, section "Data Model"."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.proofs.verification_method import find_moment
from app.verification.members import is_iri, issuer_id, object_of, text_of, texts_of
from app.verification.verdict import Check
from app.verification.verdicts import VC_CONTEXT, check

VC_CONTEXT_1 = "https://www.w3.org/2018/credentials/v1"
OB_CONTEXT_PREFIX = "https://purl.imsglobal.org/spec/ob/v3p0/context"
BADGE_TYPES = frozenset({"OpenBadgeCredential", "AchievementCredential"})


def judge_shape(credential: Mapping[str, Any], contexts: Mapping[str, dict[str, Any]]) -> Iterator[Check]:
    """Open Badges 3.0, AchievementCredential: the parts that the other checks and a reader of the badge build on."""
    yield from _judge_contexts(credential.get("@context"), contexts)
    types = set(texts_of(credential.get("type")))
    if "VerifiableCredential" not in types or not types & BADGE_TYPES:
        yield check("not_an_open_badge", pointer="/type")
    if not is_iri(credential.get("id")):
        yield check("invalid_credential_id", pointer="/id")
    if not is_iri(issuer_id(credential)):
        yield check("invalid_issuer", pointer="/issuer")
    yield from _judge_subject(credential.get("credentialSubject"))
    if find_moment(credential.get("validFrom")) is None:
        yield check("invalid_date", pointer="/validFrom", member="validFrom")
    for member in ("validUntil", "awardedDate"):
        if member in credential and find_moment(credential[member]) is None:
            yield check("invalid_date", pointer=f"/{member}", member=member)
    if _has_endorsements(credential):
        yield check("endorsements_not_checked")


def _judge_contexts(named: object, contexts: Mapping[str, dict[str, Any]]) -> Iterator[Check]:
    """Open Badges 3.0: the first two contexts are fixed. Contexts in line would redefine what was signed."""
    if named == VC_CONTEXT_1 or (isinstance(named, list) and named[:1] == [VC_CONTEXT_1]):
        yield check("unsupported_data_model", pointer="/@context/0")
        return
    urls = texts_of(named)
    if not isinstance(named, list) or len(urls) != len(named) or urls[:1] != [VC_CONTEXT] or len(urls) < 2:
        yield check("invalid_context", pointer="/@context")
        return
    if not urls[1].startswith(OB_CONTEXT_PREFIX):
        yield check("invalid_context", pointer="/@context/1")
    for position, url in enumerate(urls):
        if url not in contexts:
            yield check(
                "unknown_context", pointer=f"/@context/{position}", reason=f"The context {url} is not known here."
            )


def _judge_subject(subject: object) -> Iterator[Check]:
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


def _has_endorsements(credential: Mapping[str, Any]) -> bool:
    achievement = object_of(object_of(credential.get("credentialSubject")).get("achievement"))
    carriers = (credential, object_of(credential.get("issuer")), achievement)
    return any(carrier.get(member) for carrier in carriers for member in ("endorsement", "endorsementJwt"))
