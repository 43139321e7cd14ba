"""Profile, and the endorsements a profile may carry.

An endorsement is issued by a profile and a profile carries endorsements: the two are one recursive type, hence one
module.
"""

from typing import Annotated, Literal

from pydantic import Field

from app.openbadges.datatypes import (
    CompactJws,
    Contexts,
    Date,
    DateTimeZ,
    ExtendedContexts,
    IdentifierType,
    Iri,
    MustName,
    StrictClass,
    Text,
    Url,
)


class Image(StrictClass):
    """A picture by reference. Closed; `id` is a URL or a data URI."""

    id: Iri
    type: Literal["Image"]
    caption: Text | None = None


class IdentifierEntry(StrictClass):
    """Another name of the thing, in somebody's system. Closed."""

    type: Literal["IdentifierEntry"]
    identifier: Text
    identifier_type: IdentifierType


class GeoCoordinates(StrictClass):
    """A point on the earth, WGS 84, in degrees."""

    type: Literal["GeoCoordinates"]
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]


class Address(StrictClass):
    """A postal address. `address_country_code` is ISO 3166-1 alpha-2."""

    type: Annotated[list[Text], MustName("Address")]
    address_country: Text | None = None
    address_country_code: Text | None = None
    address_region: Text | None = None
    address_locality: Text | None = None
    street_address: Text | None = None
    post_office_box_number: Text | None = None
    postal_code: Text | None = None
    geo: GeoCoordinates | None = None


class Profile(StrictClass):
    """A person or an organization: an issuer, a creator, a panel that assessed.

    `official` is the name of the representative of an organization.
    """

    id: Iri
    type: Annotated[list[Text], MustName("Profile")]
    name: Text | None = None
    url: Url | None = None
    phone: Text | None = None
    description: Text | None = None
    endorsement: Annotated[list["EndorsementCredential"], Field(min_length=1)] | None = None
    endorsement_jwt: Annotated[list[CompactJws], Field(min_length=1)] | None = None
    image: Image | None = None
    email: Text | None = None
    address: Address | None = None
    other_identifier: Annotated[list[IdentifierEntry], Field(min_length=1)] | None = None
    official: Text | None = None
    parent_org: "Profile | None" = None
    family_name: Text | None = None
    given_name: Text | None = None
    additional_name: Text | None = None
    patronymic_name: Text | None = None
    honorific_prefix: Text | None = None
    honorific_suffix: Text | None = None
    family_name_prefix: Text | None = None
    date_of_birth: Date | None = None


class CredentialSchema(StrictClass):
    """A schema the credential says it follows (VCDM 2.0, section 4.11)."""

    id: Iri
    type: Text


class RefreshService(StrictClass):
    """Where a newer edition may be had (VCDM 2.0, section 5.4; 1EdTech VC Credential Refresh 1.0)."""

    id: Url
    type: Literal["1EdTechCredentialRefresh"]


class TermsOfUse(StrictClass):
    """Terms the credential was issued under (VCDM 2.0, section 5.5)."""

    type: Text
    id: Iri | None = None


class Proof(StrictClass):
    """A Data Integrity proof (Data Integrity 1.0, section 2.1).

    Never present in what is linted, except in endorsements.
    """

    type: Text
    created: DateTimeZ | None = None
    cryptosuite: Text | None = None
    challenge: Text | None = None
    domain: Text | None = None
    nonce: Text | None = None
    proof_purpose: Text | None = None
    proof_value: Text | None = None
    verification_method: Iri | None = None


class BitstringStatusListEntry(StrictClass):
    """Where the status of this credential is found (Bitstring Status List v1.0, section 2.1).

    One bit per entry and one entry per credential, because that is what Open Badges verifiers read.
    """

    id: Iri
    type: Literal["BitstringStatusListEntry"]
    status_purpose: Literal["revocation", "suspension"]
    status_list_index: Annotated[str, Field(pattern=r"^(?:0|[1-9][0-9]{0,15})$")]
    status_list_credential: Url


class VerifiableCredential(StrictClass):
    """What every credential has (VCDM 2.0, section 4). The issuer is always embedded: validators need its `type`."""

    context: Annotated[Contexts | ExtendedContexts, Field(alias="@context")]
    id: Iri
    issuer: Profile
    valid_from: DateTimeZ
    valid_until: DateTimeZ | None = None
    credential_status: BitstringStatusListEntry | None = None
    credential_schema: Annotated[list[CredentialSchema], Field(min_length=1)] | None = None
    refresh_service: RefreshService | None = None
    terms_of_use: Annotated[list[TermsOfUse], Field(min_length=1)] | None = None
    proof: Annotated[list[Proof], Field(min_length=1)] | None = None


class EndorsementSubject(StrictClass):
    """What is endorsed: `id` is a profile's, an achievement's or a credential's."""

    id: Iri
    type: Annotated[list[Text], MustName("EndorsementSubject")]
    endorsement_comment: Text | None = None


class EndorsementCredential(VerifiableCredential):
    """Somebody vouches for a profile, an achievement or a credential."""

    type: Annotated[list[Text], MustName("VerifiableCredential", "EndorsementCredential")]
    name: Text
    description: Text | None = None
    awarded_date: DateTimeZ | None = None
    credential_subject: EndorsementSubject


Profile.model_rebuild()
