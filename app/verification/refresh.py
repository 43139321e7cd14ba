"""Whether the issuer has a newer version of a badge (1EdTech Verifiable Credentials Refresh 1.0). PURE.

A badge that names a refresh service may have been replaced under the same id. The newer version is what counts, if it is its
issuer's; if it cannot be had, the badge at hand counts.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from app.proofs.verification_method import find_moment
from app.verification.data_model import model_of
from app.verification.members import first_texts_of, issuer_id, normalize_id, object_of, text_of
from app.verification.verdict import Check

SERVICE = "1EdTechCredentialRefresh"
MAX_SERVICES = 8
"""Refresh services of one badge that are looked at."""


def find_refresh_url(credential: Mapping[str, Any], checks: Sequence[Check]) -> str:
    """Where a newer version may be; "" for nowhere. A badge that is not its issuer's word is not asked about anything."""
    if not is_trusted(checks):
        return ""
    services = credential.get("refreshService")
    for service in map(object_of, services[:MAX_SERVICES] if isinstance(services, list) else [services]):
        if SERVICE in first_texts_of(service.get("type")):
            return text_of(service.get("id"))
    return ""


def is_trusted(checks: Sequence[Check]) -> bool:
    """Whether the document is its issuer's word, current or not."""
    trust = [each.outcome for each in checks if each.name in ("proof", "issuer_binding")]
    return "failed" not in trust and "passed" in trust


def is_same_badge(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Open Badges 3.0, "Verifiable Credential Equality": the issuer and the id, normalized."""
    return _identity(one) == _identity(other)


def is_newer(candidate: Mapping[str, Any], than: Mapping[str, Any]) -> bool:
    begins, began = (find_moment(each.get(model_of(each).valid_from)) for each in (candidate, than))
    return begins is not None and began is not None and begins > began


def _identity(credential: Mapping[str, Any]) -> tuple[str, str]:
    return normalize_id(issuer_id(credential)), normalize_id(text_of(credential.get("id")))
