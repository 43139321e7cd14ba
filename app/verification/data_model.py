"""Which data model a credential follows, and which kind of credential it is. PURE.

Verifiable Credentials Data Model 1.1 and 2.0; Open Badges 3.0 (3.0.0 to 3.0.3) and the Comprehensive Learner Record 2.0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.verification.members import first_texts_of
from app.verification.verdicts import VC_CONTEXT

VC_CONTEXT_1 = "https://www.w3.org/2018/credentials/v1"
OB_CONTEXT_PREFIX = "https://purl.imsglobal.org/spec/ob/v3p0/context"
CLR_CONTEXT_PREFIX = "https://purl.imsglobal.org/spec/clr/v2p0/context"

CLASHING_CONTEXTS = frozenset({f"{OB_CONTEXT_PREFIX}.json", f"{OB_CONTEXT_PREFIX}-3.0.1.json"})
"""Contexts of Open Badges 3.0.0 and 3.0.1: they define terms anew that the context of VCDM 2.0 protects."""


@dataclass(frozen=True, slots=True)
class DataModel:
    """`valid_from` and `valid_until` are the members that hold the validity period."""

    version: Literal["1.1", "2.0"]
    context: str
    valid_from: str
    valid_until: str


VCDM_1 = DataModel("1.1", VC_CONTEXT_1, "issuanceDate", "expirationDate")
VCDM_2 = DataModel("2.0", VC_CONTEXT, "validFrom", "validUntil")


@dataclass(frozen=True, slots=True)
class Kind:
    """`types` are names for one type; `contexts` are prefixes of those that follow the first, in this order."""

    name: Literal["badge", "clr", "endorsement"]
    title: str
    types: frozenset[str]
    contexts: tuple[str, ...]


BADGE = Kind(
    "badge",
    "an Open Badges 3.0 credential",
    frozenset({"OpenBadgeCredential", "AchievementCredential"}),
    (OB_CONTEXT_PREFIX,),
)
CLR = Kind(
    "clr",
    "a Comprehensive Learner Record 2.0",
    frozenset({"ClrCredential"}),
    (CLR_CONTEXT_PREFIX, OB_CONTEXT_PREFIX),
)
ENDORSEMENT = Kind(
    "endorsement", "an endorsement of Open Badges 3.0", frozenset({"EndorsementCredential"}), (OB_CONTEXT_PREFIX,)
)
KINDS = (BADGE, CLR, ENDORSEMENT)


def model_of(credential: Mapping[str, Any]) -> DataModel:
    """By its first context; 2.0 where that is of neither."""
    return VCDM_1 if first_texts_of(credential.get("@context"))[:1] == [VC_CONTEXT_1] else VCDM_2


def find_kind(credential: Mapping[str, Any]) -> Kind | None:
    types = set(first_texts_of(credential.get("type")))
    return next((kind for kind in KINDS if types & kind.types), None)
