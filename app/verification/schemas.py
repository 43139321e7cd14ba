"""Whether a badge fits the JSON Schemas that it names as its own (`credentialSchema`). PURE.

`1EdTechJsonSchemaValidator2019` (Open Badges 3.0) and `JsonSchema` (Verifiable Credentials JSON Schema Specification). The schema
of Open Badges 3.0 itself need not be had where the badge fits our own types, which are narrower. Where a schema cannot be had or
used, the answer says that the badge was not compared with it: that is no fault of the badge. No reference is followed out of a
schema. What a schema costs is bounded by the process that judges.
"""

import copy
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NoReturn

import jsonschema_rs

from app.openbadges.json_schema import achievement_credential_schema
from app.verification.gathered import Gathered, Missing
from app.verification.members import first_texts_of, object_of, text_of, texts_of
from app.verification.verdict import Check
from app.verification.verdicts import check

MAX_SCHEMAS = 2
KINDS = ("1EdTechJsonSchemaValidator2019", "JsonSchema")

_CANONICAL = re.compile(
    r"https://purl\.imsglobal\.org/spec/ob/v3p0/schema/(?:json|jsonld)/ob_v3p0_(?:any)?achievementcredential_schema\.json"
)


def schemas_needed(credential: Mapping[str, Any]) -> list[str]:
    """The URLs of the schemas that have to be had to compare the badge with them."""
    named = [text_of(entry.get("id")) for _, entry in _entries(credential)[:MAX_SCHEMAS] if _is_known(entry)]
    return [url for url in dict.fromkeys(named) if url and not _fits_own(url, credential)]


def judge_schemas(credential: Mapping[str, Any], gathered: Gathered) -> Iterator[Check]:
    """The check `schema`, for each schema that the badge names."""
    entries = _entries(credential)
    for pointer, entry in entries[:MAX_SCHEMAS]:
        url, kind = text_of(entry.get("id")), " ".join(texts_of(entry.get("type"))) or "no type"
        if not _is_known(entry) or not url:
            yield check("schema_kind_unknown", pointer=pointer, kind=kind)
        elif _fits_own(url, credential):
            yield check("schema_fits", pointer=pointer, url=url)
        else:
            yield _compare(gathered.documents.get(url), credential, url, pointer)
    if len(entries) > MAX_SCHEMAS:
        yield check("schema_not_compared", pointer="/credentialSchema", reason="The badge names too many.")


def _compare(
    schema: Mapping[str, Any] | Missing | None, credential: Mapping[str, Any], url: str, pointer: str
) -> Check:
    if schema is None or isinstance(schema, Missing):
        reason = schema.detail if schema else "It was not fetched."
        return check("schema_not_compared", pointer=pointer, reason=reason)
    try:
        validator = jsonschema_rs.validator_for(dict(schema), retriever=_refuse, validate_formats=False)
        error = next(iter(validator.iter_errors(dict(credential))), None)
    except (ValueError, TypeError, jsonschema_rs.ReferencingError):
        reason = "It is no JSON Schema that can be used, or refers to others."
        return check("schema_not_compared", pointer=pointer, reason=reason)
    if error is None:
        return check("schema_fits", pointer=pointer, url=url)
    at = "".join(f"/{step}" for step in error.instance_path)
    return check("schema_not_met", pointer=pointer, url=url, at=at or "the whole of it", reason=error.message)


def _refuse(url: str) -> NoReturn:
    raise ValueError(f"{url} is not followed")


def _fits_own(url: str, credential: Mapping[str, Any]) -> bool:
    return _CANONICAL.fullmatch(url) is not None and _own_types().is_valid(dict(credential))


@cache
def _own_types() -> jsonschema_rs.Validator:
    """Our types, but for their closedness: the canonical schema lets members of other contexts through."""
    schema = copy.deepcopy(achievement_credential_schema())
    _open(schema)
    return jsonschema_rs.validator_for(schema, retriever=_refuse)


def _open(part: Any) -> None:
    if isinstance(part, dict) and part.get("additionalProperties") is False:
        del part["additionalProperties"]
    for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _open(each)


def _is_known(entry: Mapping[str, Any]) -> bool:
    return any(kind in KINDS for kind in first_texts_of(entry.get("type")))


def _entries(credential: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Pointer and entry of every schema it names, and of one too many where there are more."""
    named = credential.get("credentialSchema")
    if isinstance(named, list):
        return [
            (f"/credentialSchema/{position}", object_of(each)) for position, each in enumerate(named[: MAX_SCHEMAS + 1])
        ]
    return [] if named is None else [("/credentialSchema", object_of(named))]
