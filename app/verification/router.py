"""POST /v1/verify: whether a badge is genuine, unaltered, current and not revoked."""

from typing import Annotated, Any, Self, cast

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, PrivateAttr, model_validator

from app.verification.answer import Verification
from app.verification.beside import Asked
from app.verification.dependencies import Verifies
from app.web.problems import responses

router = APIRouter(prefix="/v1", tags=["Verification"])


class VerifyBody(BaseModel):
    """A badge, or where it is: one of the two. A badge may also be posted as it is."""

    model_config = ConfigDict(extra="forbid", strict=True)

    credential: dict[str, Any] | str | None = Field(
        default=None,
        description="The badge as it was issued: a credential with embedded proofs, an EnvelopedVerifiableCredential, or a token "
        "(compact JWS).",
    )
    url: str | None = Field(
        default=None,
        min_length=1,
        max_length=2048,
        description="The https URL at which the badge is published, or its baked picture.",
    )

    recipient: str | None = Field(
        default=None,
        min_length=1,
        max_length=1000,
        description="Whom the badge should be for: an e-mail address, a DID or another identifier, as the issuer was given it. "
        "The check `recipient` then fails where the badge names somebody else.",
    )
    check_evidence: bool = Field(
        default=False,
        description="Whether the files that the badge names with a digest, as evidence or related, are fetched and compared.",
    )

    _picture: bytes | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.credential is None) == (self.url is None):
            raise ValueError("give either `credential` or `url`")
        return self

    @model_validator(mode="wrap")
    @classmethod
    def _or_the_badge_itself(cls, data: Any, read: ModelWrapValidatorHandler["VerifyBody"]) -> "VerifyBody":
        """Whoever has a badge at hand posts it as it is, as JSON or as the picture it is baked into."""
        if isinstance(data, bytes):
            body = cls.model_construct()
            body._picture = data
            return body
        return read({"credential": data} if isinstance(data, dict) and "@context" in data else data)

    @property
    def picture(self) -> bytes | None:
        """The picture, when the body was one."""
        return self._picture


_EXAMPLES = {
    "token": {"summary": "A badge secured as a JWT", "value": {"credential": "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl"}},
    "url": {"summary": "A published badge", "value": {"url": "https://badges.example.org/credentials/4f1c"}},
    "credential": {
        "summary": "A badge at hand",
        "value": {
            "credential": {
                "@context": [
                    "https://www.w3.org/ns/credentials/v2",
                    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
                ],
                "id": "https://badges.example.org/credentials/4f1c",
                "type": ["VerifiableCredential", "OpenBadgeCredential"],
                "issuer": {
                    "id": "did:web:badges.example.org:issuers:a",
                    "type": ["Profile"],
                    "name": "An Issuer",
                },
                "validFrom": "2026-11-23T13:00:00Z",
                "credentialSubject": {},
                "proof": [],
            }
        },
    },
}

_PICTURE = {
    "schema": {"type": "string", "format": "binary", "description": "A baked badge: the picture with the badge inside."}
}
_PICTURE_BODIES = {"requestBody": {"content": {"image/png": _PICTURE, "image/svg+xml": _PICTURE}}}

_ANSWER_EXAMPLE = {
    "valid": False,
    "checks": [
        {
            "name": "status",
            "outcome": "failed",
            "code": "revoked",
            "detail": "The issuer has revoked the badge.",
            "fault": "nobody",
            "cure": "Ask the issuer.",
            "pointer": "/credentialStatus",
        }
    ],
    "checks_version": "2",
    "checked_at": "2026-11-23T13:00:00Z",
    "credential_id": "https://badges.example.org/credentials/4f1c",
    "issuer": {"id": "did:web:badges.example.org:issuers:a", "name": "An Issuer"},
    "achievement": {
        "name": "Checking for Understanding",
        "image": "https://badges.example.org/images/9a.png",
        "id": "https://badges.example.org/achievements/9a",
    },
    "valid_from": "2026-11-23T13:00:00Z",
    "valid_until": None,
    "fetched": [
        {
            "url": "https://badges.example.org/issuers/a/did.json",
            "purpose": "verification_method",
            "outcome": "fetched",
        }
    ],
    "parts": [],
    "registries": [],
    "standard": "Open Badges 3.0",
}


@router.post(
    "/verify",
    operation_id="verify_credential",
    response_description="What was checked and what was found. A badge that fails is an answer, not an error.",
    responses={
        200: {"content": {"application/json": {"example": _ANSWER_EXAMPLE}}},
        **responses(400, 413, 415, 422, 503),
    },
    openapi_extra=_PICTURE_BODIES,
)
async def verify_credential(
    body: Annotated[VerifyBody, Body(openapi_examples=cast(Any, _EXAMPLES))],
    verifier: Verifies,
) -> Verification:
    """Verify a badge of any issuer: its shape, its proof, that the key is the issuer's, its dates and its status.

    The badge comes as JSON, as a token (compact JWS), by its URL, or as the picture it is baked into (PNG or SVG, at most
    4 MiB). A learner record (ClrCredential) or an endorsement is verified likewise. What is within it, the badges of a
    record and the endorsements of a badge, has verdicts of its own in `parts`; `fetched` is every request that was made
    over the network.

    No token is needed and nothing is stored. The answer is 200 whether the badge is valid or not: see `valid`, and
    `checks` for what was found, whose fault it is and what to do. 503 when too many badges are being verified.
    """
    asked = Asked(recipient=body.recipient, check_evidence=body.check_evidence)
    if body.picture is not None:
        return await verifier.verify_picture(body.picture, asked)
    if body.url is not None:
        return await verifier.verify_url(body.url, asked)
    return await verifier.verify(body.credential or {}, asked)
