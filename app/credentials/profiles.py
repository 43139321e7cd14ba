"""The proof profiles a badge can be issued in: a table.

    profile                 secured by                                       key                      served
    eddsa-rdfc-2022         Data Integrity (always made, stands alone)       Ed25519                  to everybody
    ecdsa-rdfc-2019         Data Integrity                                   P-256, else P-384        to everybody
    eddsa-jcs-2022          Data Integrity                                   Ed25519                  to everybody
    ecdsa-jcs-2019          Data Integrity                                   P-256, else P-384        to everybody
    Ed25519Signature2020    a proof type of its own, with its own @context   Ed25519                  to everybody
    proof-set               eddsa-rdfc-2022, then ecdsa-rdfc-2019            both                     to everybody
    ecdsa-sd-2023           Data Integrity, a base proof to derive from      P-256                    to issuer and holder
    ob3-jwt                 JWS as Open Badges 3.0 has it                    RSA, else P-256          to everybody
    vc-jose-cose            JWS as VC-JOSE-COSE has it                       P-256, else Ed25519      to everybody

A profile that a badge cannot be issued in is skipped, and the reason is kept with the edition. SD-JWT VC is not among them: no
library for it is kept up and free to build into this.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from app.openbadges.jwt import MEDIA_TYPE as VC_JWT
from app.openbadges.jwt import JwtForm
from app.proofs.public_key import KeyAlgorithm

ProfileName = Literal[
    "eddsa-rdfc-2022", "ecdsa-rdfc-2019", "eddsa-jcs-2022", "ecdsa-jcs-2019", "Ed25519Signature2020", "proof-set",
    "ecdsa-sd-2023", "ob3-jwt", "vc-jose-cose",
]  # fmt: skip
PROFILE_NAMES: tuple[ProfileName, ...] = get_args(ProfileName)

DEFAULT: ProfileName = "eddsa-rdfc-2022"
VC_LD_JSON = "application/vc+ld+json"
ED25519_2020_CONTEXT = "https://w3id.org/security/suites/ed25519-2020/v1"

SkipReason = Literal["did_key", "no_key", "no_subject_id", "not_sound"]
SKIP_REASONS: Mapping[SkipReason, str] = {
    "did_key": "The issuer's id is a did:key, which names its Ed25519 key alone, and the profile is made with another.",
    "no_key": "The issuer had no key in use of an algorithm that the profile is made with.",
    "no_subject_id": "The badge names its recipient by an identifier alone, and the profile needs an id: a DID of the learner.",
    "not_sound": "The badge cannot be written in the form that the profile signs.",
}

_ECDSA: tuple[KeyAlgorithm, ...] = ("P-256", "P-384")


@dataclass(frozen=True, slots=True)
class Signing:
    """One signature: the suite of a proof or the form of a JWT, and the algorithms it can be made with, the first one that the
    issuer has a key of."""

    algorithms: Sequence[KeyAlgorithm]
    suite: str | None = None
    form: JwtForm | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """How one representation is made, in the order of `signings`. `further_contexts` come behind those of the badge."""

    name: ProfileName
    signings: Sequence[Signing]
    media_type: str = VC_LD_JSON
    further_contexts: Sequence[str] = ()
    is_public: bool = True
    needs_subject_id: bool = False

    @property
    def is_jwt(self) -> bool:
        return self.signings[0].form is not None

    @property
    def extension(self) -> str:
        """Of a file with it, Open Badges 3.0 §5.3."""
        return "jwt" if self.is_jwt else "json"


PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("eddsa-rdfc-2022", [Signing(["Ed25519"], "eddsa-rdfc-2022")]),
        Profile("ecdsa-rdfc-2019", [Signing(_ECDSA, "ecdsa-rdfc-2019")]),
        Profile("eddsa-jcs-2022", [Signing(["Ed25519"], "eddsa-jcs-2022")]),
        Profile("ecdsa-jcs-2019", [Signing(_ECDSA, "ecdsa-jcs-2019")]),
        Profile(
            "Ed25519Signature2020",
            [Signing(["Ed25519"], "Ed25519Signature2020")],
            further_contexts=[ED25519_2020_CONTEXT],
        ),
        Profile("proof-set", [Signing(["Ed25519"], "eddsa-rdfc-2022"), Signing(_ECDSA, "ecdsa-rdfc-2019")]),
        Profile("ecdsa-sd-2023", [Signing(["P-256"], "ecdsa-sd-2023")], is_public=False),
        Profile("ob3-jwt", [Signing(["RSA", "P-256"], form="ob3-jwt")], media_type="text/plain", needs_subject_id=True),
        Profile("vc-jose-cose", [Signing(["P-256", "Ed25519"], form="vc-jose-cose")], media_type=VC_JWT),
    )
}


@dataclass(frozen=True, slots=True)
class Planned:
    """A further profile of one edition: the keys of its signings in their order, or why it is skipped."""

    profile: Profile
    key_ids: Sequence[str] = ()
    skipped: SkipReason | None = None


def plan(profile: Profile, document: Mapping[str, Any], key_ids: Mapping[str, str]) -> Planned:
    """Whether a badge with this unsecured `document` can carry the profile. `key_ids`: the issuer's active keys by algorithm.

    Of a did:key nobody could tie another key than its own to the issuer, not even one that stands at an address of this service.
    """
    if document["issuer"]["id"].startswith("did:key:"):
        key_ids = {name: id_ for name, id_ in key_ids.items() if name == "Ed25519"}
        if not all("Ed25519" in each.algorithms for each in profile.signings):
            return Planned(profile, skipped="did_key")
    chosen = [next((key_ids[name] for name in each.algorithms if name in key_ids), None) for each in profile.signings]
    if profile.needs_subject_id and "id" not in document["credentialSubject"]:
        return Planned(profile, skipped="no_subject_id")
    if None in chosen:
        return Planned(profile, skipped="no_key")
    return Planned(profile, [id_ for id_ in chosen if id_ is not None])


def write_plan(planned: Planned) -> dict[str, Any]:
    """As it is kept with the edition."""
    what = {"skipped": planned.skipped} if planned.skipped else {"keys": list(planned.key_ids)}
    return {"profile": planned.profile.name, **what}


def read_plan(written: Mapping[str, Any]) -> Planned:
    return Planned(PROFILES[written["profile"]], written.get("keys", ()), written.get("skipped"))


_MANDATORY = (
    "/issuer", "/validFrom", "/validUntil", "/awardedDate", "/name", "/credentialStatus", "/refreshService", "/credentialSchema",
    "/credentialSubject/achievement/name", "/credentialSubject/achievement/description",
    "/credentialSubject/achievement/achievementType", "/credentialSubject/achievement/criteria",
)  # fmt: skip


def list_mandatory(document: Mapping[str, Any]) -> list[str]:
    """JSON Pointers to what every derived badge discloses: what Open Badges 3.0 requires and what its validity hangs on.

    The recipient by one identity: the subject's id, or else its first identifier. Ids and types always come with their nodes.
    """
    recipient = "/credentialSubject/id" if "id" in document["credentialSubject"] else "/credentialSubject/identifier/0"
    return [pointer for pointer in (*_MANDATORY, recipient) if _leads_somewhere(document, pointer)]


def _leads_somewhere(document: Mapping[str, Any], pointer: str) -> bool:
    place: Any = document
    for step in pointer.split("/")[1:]:
        is_there = int(step) < len(place) if isinstance(place, list) else step in place
        if not is_there:
            return False
        place = place[int(step) if isinstance(place, list) else step]
    return True
