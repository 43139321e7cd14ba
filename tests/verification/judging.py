"""Judging what a test has gathered by hand."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from app.proofs.verification_method import VerificationMethod
from app.verification.checks import judge
from app.verification.gathered import Gathered, Missing
from app.verification.verdict import NAMES, Check
from tests.verification.badges import CONTEXTS, NOW, Document, Issuer, did_key_issuer

ISSUER = did_key_issuer()
STRANGER = did_key_issuer("a stranger")


def judged(
    credential: Document,
    *,
    issuers: Sequence[Issuer] = (ISSUER, STRANGER),
    methods: Mapping[str, VerificationMethod | Missing] | None = None,
    status_lists: Mapping[str, Document | Missing] | None = None,
    now: datetime = NOW,
) -> list[Check]:
    known = methods if methods is not None else {issuer.method_id: issuer.method for issuer in issuers}
    return judge(Gathered(credential, known, status_lists or {}), now, contexts=CONTEXTS)


def codes(checks: Sequence[Check]) -> dict[str, list[str]]:
    """Codes by the name of their check."""
    return {name: [each.code for each in checks if each.name == name] for name in NAMES}


def failed(checks: Sequence[Check]) -> list[tuple[str, str, str]]:
    return [(each.name, each.code, each.pointer) for each in checks if each.outcome == "failed"]
