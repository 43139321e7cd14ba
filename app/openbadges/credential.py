"""AchievementCredential: an achievement, awarded to a subject, with results and evidence."""

from typing import Annotated, Literal

from pydantic import Field

from app.openbadges.achievement import Achievement, Alignment
from app.openbadges.datatypes import (
    CompactJws,
    Credits,
    DateTimeZ,
    DigestMultibase,
    IdentifierType,
    Iri,
    MustName,
    ResultStatusType,
    StrictClass,
    Text,
)
from app.openbadges.profile import EndorsementCredential, Image, Profile, VerifiableCredential


class IdentityObject(StrictClass):
    """A recipient's identity that is not a DID. Closed; see `app.openbadges.identity` for the hash."""

    type: Literal["IdentityObject"]
    hashed: bool
    identity_hash: Text
    identity_type: IdentifierType
    salt: Text | None = None


class Evidence(StrictClass):
    """What was assessed. On the credential; under the subject it would be undefined and unsigned.

    `digest_multibase` (VCDM 2.0, section 5.3) lets a verifier tell whether the file behind `id` is the one assessed.
    """

    type: Annotated[list[Text], MustName("Evidence")]
    id: Iri | None = None
    name: Text | None = None
    description: Text | None = None
    narrative: Text | None = None
    genre: Text | None = None
    audience: Text | None = None
    digest_multibase: DigestMultibase | None = None


class Result(StrictClass):
    """What was reached on one ResultDescription of the awarded achievement."""

    type: Annotated[list[Text], MustName("Result")]
    result_description: Iri | None = None
    achieved_level: Iri | None = None
    status: ResultStatusType | None = None
    value: Text | None = None
    alignment: Annotated[list[Alignment], Field(min_length=1)] | None = None


class AchievementSubject(StrictClass):
    """The recipient and what was awarded. `source` assessed on the issuer's behalf: a panel, not a person."""

    id: Iri | None = None
    type: Annotated[list[Text], MustName("AchievementSubject")]
    identifier: Annotated[list[IdentityObject], Field(min_length=1)] | None = None
    activity_start_date: DateTimeZ | None = None
    activity_end_date: DateTimeZ | None = None
    credits_earned: Credits | None = None
    image: Image | None = None
    license_number: Text | None = None
    narrative: Text | None = None
    role: Text | None = None
    source: Profile | None = None
    term: Text | None = None
    achievement: Achievement
    result: Annotated[list[Result], Field(min_length=1)] | None = None


class AchievementCredential(VerifiableCredential):
    """A badge. We write `OpenBadgeCredential`; `AchievementCredential` is an alias of the same IRI."""

    type: Annotated[list[Text], MustName("VerifiableCredential", "OpenBadgeCredential")]
    name: Text | None = None
    description: Text | None = None
    image: Image | None = None
    awarded_date: DateTimeZ | None = None
    credential_subject: AchievementSubject
    evidence: Annotated[list[Evidence], Field(min_length=1)] | None = None
    endorsement: Annotated[list[EndorsementCredential], Field(min_length=1)] | None = None
    endorsement_jwt: Annotated[list[CompactJws], Field(min_length=1)] | None = None
