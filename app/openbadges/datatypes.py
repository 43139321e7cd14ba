"""The primitive types and enumerations of Open Badges 3.0, each as narrow as what we issue.

Patterns are written in the common subset of the Rust, ECMA 262 and Python dialects, because the same text runs in
Pydantic, in the compiled schema and in other people's validators.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, core_schema

VC_CONTEXT = "https://www.w3.org/ns/credentials/v2"
OB_CONTEXT = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
EXTENSIONS_CONTEXT = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
"""Defines the types of 1EdTech's own extensions, of which a badge here uses one: REFRESH_TYPE."""

REFRESH_TYPE = "1EdTechCredentialRefresh"

_IRI_CHARACTER = r"""[^\s\u0000-\u0020\u007F-\u009F<>"{}|\\^`%]"""
IRI_PATTERN = rf"^[A-Za-z][A-Za-z0-9+.\-]*:(?:{_IRI_CHARACTER}|%[0-9A-Fa-f]{{2}})+$"
URL_PATTERN = rf"^https?://(?:{_IRI_CHARACTER}|%[0-9A-Fa-f]{{2}})+$"
DATE_TIME_Z_PATTERN = (
    r"^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$"
)
EXTENSION_PATTERN = r"^ext:[A-Za-z0-9._\-]+$"
LANGUAGE_PATTERN = r"^[a-z]{2,4}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|[0-9]{3}))?$"


def format_date_time_z(moment: datetime) -> str:
    """`moment` as DateTimeZ text: UTC, whole seconds (fractions are cut off), `Z`.

    Whole seconds because a VC-JWT of the same badge must repeat validFrom as a NumericDate. Raises ValueError for a
    datetime without an offset: such a moment is not one.
    """
    if moment.utcoffset() is None:
        raise ValueError("a datetime without an offset does not name a moment")
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def parse_date_time_z(text: str) -> datetime:
    """The moment that DateTimeZ text names. Raises ValueError for anything but `YYYY-MM-DDTHH:MM:SSZ`."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _require_calendar_date(text: str) -> str:
    parse_date_time_z(text)
    return text


def _require_date(text: str) -> str:
    datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    return text


class MustName:
    """Annotates a `type` array: it names every one of `names`, and no type twice.

    Further types are allowed: whether a context defines them is for canonicalization to say.
    """

    def __init__(self, *names: str) -> None:
        self.names = names

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._require, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        contains = [{"contains": {"const": name}} for name in self.names]
        return handler(schema) | {"minItems": 1, "uniqueItems": True, "allOf": contains}

    def _require(self, types: list[str]) -> list[str]:
        if not set(self.names) <= set(types) or len(set(types)) != len(types):
            raise ValueError(f"must name {' and '.join(self.names)}, and no type twice")
        return types


Text = Annotated[str, StringConstraints(min_length=1)]
"""Non-empty text. Markdown where the specification says so. Absent is absent, never ""."""

Iri = Annotated[str, StringConstraints(pattern=IRI_PATTERN), Field(json_schema_extra={"format": "iri"})]
"""Absolute RFC 3987 IRI: DID, URN, URL or data URI. A malformed one would be dropped by JSON-LD and left unsigned."""

Url = Annotated[str, StringConstraints(pattern=URL_PATTERN), Field(json_schema_extra={"format": "iri"})]
"""Absolute http(s) URL."""

DateTimeZ = Annotated[
    str,
    StringConstraints(pattern=DATE_TIME_Z_PATTERN),
    AfterValidator(_require_calendar_date),
    Field(json_schema_extra={"format": "date-time"}),
]
"""`YYYY-MM-DDTHH:MM:SSZ`: one moment, one spelling, so that equal badges have equal bytes."""

Date = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
    AfterValidator(_require_date),
    Field(json_schema_extra={"format": "date"}),
]

Language = Annotated[str, StringConstraints(pattern=LANGUAGE_PATTERN)]

Extension = Annotated[str, StringConstraints(pattern=EXTENSION_PATTERN)]
"""A value of our own in an extensible enumeration: `ext:` and a name."""

Credits = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
"""A number of credits. Bounded because integers past 2**53 are signed differently by JavaScript and Python."""

CompactJws = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]*\.[A-Za-z0-9_\-]+$")]

DigestMultibase = Annotated[str, StringConstraints(pattern=r"^uEi[A-D][A-Za-z0-9_\-]{42}[AQgw]$")]
"""A sha2-256 multihash in base64url without padding (Controlled Identifiers 1.0, Multibase and Multihash)."""


AchievementType = (
    Literal[
        "Achievement",
        "ApprenticeshipCertificate",
        "Assessment",
        "Assignment",
        "AssociateDegree",
        "Award",
        "Badge",
        "BachelorDegree",
        "Certificate",
        "CertificateOfCompletion",
        "Certification",
        "CommunityService",
        "Competency",
        "Course",
        "CoCurricular",
        "Degree",
        "Diploma",
        "DoctoralDegree",
        "Fieldwork",
        "GeneralEducationDevelopment",
        "JourneymanCertificate",
        "LearningProgram",
        "License",
        "Membership",
        "ProfessionalDoctorate",
        "QualityAssuranceCredential",
        "MasterCertificate",
        "MasterDegree",
        "MicroCredential",
        "ResearchDoctorate",
        "SecondarySchoolDiploma",
    ]
    | Extension
)

AlignmentTargetType = (
    Literal[
        "ceasn:Competency",
        "ceterms:Credential",
        "CFItem",
        "CFRubric",
        "CFRubricCriterion",
        "CFRubricCriterionLevel",
        "CTDL",
    ]
    | Extension
)

IdentifierType = (
    Literal[
        "name",
        "sourcedId",
        "systemId",
        "productId",
        "userName",
        "accountId",
        "emailAddress",
        "nationalIdentityNumber",
        "isbn",
        "issn",
        "lisSourcedId",
        "oneRosterSourcedId",
        "sisSourcedId",
        "ltiContextId",
        "ltiDeploymentId",
        "ltiToolId",
        "ltiPlatformId",
        "ltiUserId",
        "identifier",
    ]
    | Extension
)

ResultType = (
    Literal[
        "GradePointAverage",
        "LetterGrade",
        "Percent",
        "PerformanceLevel",
        "PredictedScore",
        "RawScore",
        "Result",
        "RubricCriterion",
        "RubricCriterionLevel",
        "RubricScore",
        "ScaledScore",
        "Status",
    ]
    | Extension
)

ResultStatusType = Literal["Completed", "Enrolled", "Failed", "InProgress", "OnHold", "Provisional", "Withdrew"]


Contexts = tuple[
    Literal["https://www.w3.org/ns/credentials/v2"],
    Literal["https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
]
"""`VC_CONTEXT` and `OB_CONTEXT`, in this order and nothing else: the only ones every common verifier bundles."""


ExtendedContexts = tuple[
    Literal["https://www.w3.org/ns/credentials/v2"],
    Literal["https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
    Literal["https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"],
]
"""With `EXTENSIONS_CONTEXT`, for a credential that has a refresh service, and for no other."""


class StrictClass(BaseModel):
    """Base of every class: camelCase members, strict types, nothing unknown, nothing null, immutable."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=False,
    )

    @model_validator(mode="after")
    def _refuse_nulls(self) -> Self:
        if any(getattr(self, name) is None for name in self.model_fields_set):
            raise ValueError("absent members are left out, not null")
        return self
