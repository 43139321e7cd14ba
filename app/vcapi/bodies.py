"""What VC-API requests and answers hold: the names are VCALM's.

Credentials and presentations are taken as they come: what is wrong with them is told by the room, in the standard's own terms.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.statuslists.store import StatusPurpose
from app.vcapi.settings import IssuingSettings
from app.vcapi.store import DidMethod, ExistingProof
from app.web.fields import Line, Moment

_OPTIONS = Field(default=None, json_schema_extra={"type": "object"}, description="Options; an unknown one is refused.")


def _document(description: str) -> Any:
    return Field(default=None, json_schema_extra={"type": "object"}, description=description)


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class IssueBody(_Body):
    """`credential` has no proof yet, unless the client's settings say what is to be done with one."""

    credential: Any = _document("The credential to sign. Its issuer is the client's.")
    options: Any = _OPTIONS


class DeriveBody(_Body):
    verifiableCredential: Any = _document("A credential with a base proof of ecdsa-sd-2023.")
    options: Any = _OPTIONS


class VerifyCredentialBody(_Body):
    verifiableCredential: Any = Field(
        default=None, description="A credential with its proof, an EnvelopedVerifiableCredential, or a JWT."
    )
    options: Any = _OPTIONS


class VerifyPresentationBody(_Body):
    verifiablePresentation: Any = _document("A presentation with its proof.")
    options: Any = _OPTIONS


class PresentationBody(_Body):
    presentation: Any = _document("The presentation to sign. Its holder, if it names one, is the client's issuer.")
    options: Any = _OPTIONS


class CredentialStatusBody(_Body):
    type: str = Field(examples=["BitstringStatusListEntry"])
    statusPurpose: str = Field(examples=["revocation"])
    statusListIndex: str | None = None
    statusListCredential: str | None = None
    id: str | None = None


class StatusBody(_Body):
    credentialId: str = Field(
        min_length=1, max_length=4096, description="The credential's own `id`, or the last part of its Location."
    )
    credentialStatus: CredentialStatusBody
    status: bool = Field(description="Whether the status is set: true to revoke or suspend.")
    indexAllocator: str | None = None


class ProblemDetail(BaseModel):
    """RFC 9457, with the problem types of VCALM, the Data Model, Data Integrity and Bitstring Status List."""

    type: str
    title: str
    detail: str
    pointer: str = ""


class CredentialResult(BaseModel):
    verified: bool
    problemDetails: list[ProblemDetail]


class VerificationAnswer(BaseModel):
    """`verified`, and why not. `errors` are the problems as text, as earlier drafts had them; `warnings` do not keep a credential
    from being verified. Members that were not asked for are left out."""

    verified: bool
    problemDetails: list[ProblemDetail] | None = None
    warnings: list[ProblemDetail] | None = None
    errors: list[str] | None = None
    credential: Any = None
    presentation: Any = None
    presentationResult: CredentialResult | None = None
    credentialResults: list[CredentialResult] | None = None


class ChallengeOut(BaseModel):
    challenge: str


class VerifiableCredentialOut(BaseModel):
    verifiableCredential: dict[str, Any]


class VerifiablePresentationOut(BaseModel):
    verifiablePresentation: dict[str, Any]


Cryptosuite = Literal[
    "eddsa-rdfc-2022",
    "eddsa-jcs-2022",
    "ecdsa-rdfc-2019",
    "ecdsa-jcs-2019",
    "ecdsa-sd-2023",
    "Ed25519Signature2020",
]


class SettingsBody(BaseModel):
    """How an API client issues through the VC-API."""

    model_config = ConfigDict(extra="forbid", strict=True)

    did_method: DidMethod = Field(
        default="issuer",
        description="`issuer`: the credential's issuer is the issuer's DID. `key`: it is the did:key of the key that signs.",
    )
    cryptosuite: Cryptosuite = "eddsa-rdfc-2022"
    status_purpose: StatusPurpose | None = Field(
        default=None, description="Add a BitstringStatusListEntry of this purpose; null for none."
    )
    existing_proof: ExistingProof = Field(
        default="refuse",
        description="A credential that has a proof already is refused, gets one more beside it (a proof set), or one more that "
        "covers it (a chain).",
    )
    mandatory_pointers: list[Line] = Field(
        default=["/issuer"], max_length=64, description="For ecdsa-sd-2023: what every derived credential discloses."
    )

    def settings(self) -> IssuingSettings:
        return IssuingSettings(
            did_method=self.did_method,
            cryptosuite=self.cryptosuite,
            status_purpose=self.status_purpose,
            existing_proof=self.existing_proof,
            mandatory_pointers=tuple(self.mandatory_pointers),
        )


class SettingsOut(BaseModel):
    """The settings of a client, and what follows: the DID that its credentials name as issuer."""

    did_method: DidMethod
    cryptosuite: str
    status_purpose: StatusPurpose | None
    existing_proof: ExistingProof
    mandatory_pointers: list[str]
    issuer_did: str = Field(examples=["did:key:z6Mk…"])
    generic: bool = Field(description="Whether the client may issue credentials of any kind (scope `vcapi:generic`).")
    updated_at: Moment | None
