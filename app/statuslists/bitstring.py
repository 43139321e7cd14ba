"""The bits of a status list, their encoding, and the credential that carries them (Bitstring Status List v1.0).

Pure. Bits are `bytes`, read left to right: index 0 is the most significant bit of the first byte (section 3.3).
"""

import re
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal

from jsonschema_rs import Draft202012Validator
from pydantic import Field, StringConstraints

from app.errors import Fault, InvalidInput
from app.openbadges.conformance import (
    Contexts,
    Linted,
    Rule,
    check_list_contexts,
    check_size,
    check_text,
    check_unsecured,
    compile_schema,
    lint_by,
    schema_faults,
)
from app.openbadges.datatypes import VC_CONTEXT, DateTimeZ, Iri, MustName, StrictClass, Text, Url, format_date_time_z
from app.openbadges.json_schema import class_schema

LIST_LENGTH = 131_072
"""Entries of a list, and the fewest a verifier accepts: 16 KiB of bits, a crowd for every holder to disappear in."""

MAX_DECODED_BYTES = 2 * 1024 * 1024

_ENCODED_LIST = re.compile(r"u([A-Za-z0-9_-]*)")
_GZIP = 16 + zlib.MAX_WBITS


class MalformedStatusList(InvalidInput):
    """An encodedList is not one gzip member in base64url, is cut short, too large, or too short to hide in."""

    code = "malformed_status_list"


class StatusIndexOutOfRange(InvalidInput):
    """The index lies outside the list (RANGE_ERROR of the specification)."""

    code = "status_index_out_of_range"


def new_bits(length: int = LIST_LENGTH, *, ones: Iterable[int] = ()) -> bytes:
    """`length` bits, all 0 but those whose indexes are in `ones`.

    Raises ValueError if `length` is not a positive multiple of 8, StatusIndexOutOfRange for an index outside.
    """
    if length <= 0 or length % 8:
        raise ValueError("a list has a positive multiple of 8 entries")
    bits = bytearray(length // 8)
    for index in ones:
        _require_within(bits, index)
        bits[index // 8] |= _mask(index)
    return bytes(bits)


def get_bit(bits: bytes, index: int) -> bool:
    """Whether the bit at `index` is set. Raises StatusIndexOutOfRange."""
    _require_within(bits, index)
    return bool(bits[index // 8] & _mask(index))


def set_bit(bits: bytes, index: int, value: bool) -> bytes:
    """New bits that differ from `bits` at most at `index`. Raises StatusIndexOutOfRange."""
    _require_within(bits, index)
    changed = bytearray(bits)
    if value:
        changed[index // 8] |= _mask(index)
    else:
        changed[index // 8] &= ~_mask(index) & 0xFF
    return bytes(changed)


def encode(bits: bytes) -> str:
    """The `encodedList` of `bits`: `u` and the base64url, without padding, of their gzip (section 3.3).

    The gzip header has no time in it, so equal bits are equal text and a list that did not change keeps its digest.
    """
    compressor = zlib.compressobj(level=9, wbits=_GZIP)
    return "u" + urlsafe_b64encode(compressor.compress(bits) + compressor.flush()).rstrip(b"=").decode("ascii")


def decode(encoded: str, *, max_bytes: int = MAX_DECODED_BYTES) -> bytes:
    """The bits of an `encodedList` (section 3.4), never inflating more than `max_bytes`.

    Exactly one whole gzip member is accepted: what follows it would be seen by some verifiers and not by others.
    Raises MalformedStatusList.
    """
    compressed = _from_base64url(encoded)
    inflater = zlib.decompressobj(_GZIP)
    try:
        bits = inflater.decompress(compressed, max_bytes + 1)
    except zlib.error as error:
        raise MalformedStatusList("The encoded list is not gzip.") from error
    if len(bits) > max_bytes:
        raise MalformedStatusList(f"The encoded list inflates to more than {max_bytes} bytes.")
    if not inflater.eof:
        raise MalformedStatusList("The encoded list is cut short.")
    if inflater.unused_data:
        raise MalformedStatusList("The encoded list goes on after its gzip member.")
    if len(bits) * 8 < LIST_LENGTH:
        raise MalformedStatusList(f"The list has fewer than {LIST_LENGTH} entries.")
    return bits


def compose_status_list_credential(
    *, id: str, issuer_id: str, purpose: str, encoded_list: str, valid_from: datetime, ttl_seconds: int
) -> dict[str, Any]:
    """The unsecured BitstringStatusListCredential (section 2.2) at the URL `id`.

    `purpose` is `revocation` or `suspension`, one per list. `ttl_seconds` says how long a copy may be used; the
    document has it in milliseconds.
    """
    return {
        "@context": [VC_CONTEXT],
        "id": id,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer_id,
        "validFrom": format_date_time_z(valid_from),
        "credentialSubject": {
            "id": f"{id}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose,
            "ttl": ttl_seconds * 1000,
            "encodedList": encoded_list,
        },
    }


def lint_status_list(document: dict[str, Any], *, contexts: Contexts) -> Linted:
    """Judge a BitstringStatusListCredential that is about to be signed.

    Raises `app.openbadges.conformance.LintFailed` with a LintFault for every place that is wrong.
    """
    return lint_by(_STAGES, document, contexts=contexts)


class BitstringStatusList(StrictClass):
    """The list: one purpose, one bit per entry. `ttl` in milliseconds."""

    id: Iri
    type: Literal["BitstringStatusList"]
    status_purpose: Literal["revocation", "suspension"]
    ttl: Annotated[int, Field(gt=0, le=7 * 24 * 3600 * 1000)]
    encoded_list: Annotated[str, StringConstraints(pattern=r"^u[A-Za-z0-9_\-]+$")]


class BitstringStatusListCredential(StrictClass):
    """The credential that carries a list; `id` is the URL it is served at."""

    context: Annotated[tuple[Literal["https://www.w3.org/ns/credentials/v2"]], Field(alias="@context")]
    id: Url
    type: Annotated[list[Text], MustName("VerifiableCredential", "BitstringStatusListCredential")]
    issuer: Iri
    valid_from: DateTimeZ
    credential_subject: BitstringStatusList


def check_list_schema(document: dict[str, Any]) -> Iterator[Fault]:
    """The compiled strict schema of BitstringStatusListCredential."""
    yield from schema_faults(_list_validator(), document)


def check_list_subject(document: dict[str, Any]) -> Iterator[Fault]:
    """The subject is the list `<URL>#list`, not the credential."""
    if document["credentialSubject"]["id"] != f"{document['id']}#list":
        yield Fault("/credentialSubject/id", "must be the id of the credential and `#list`")


def check_encoded_list(document: dict[str, Any]) -> Iterator[Fault]:
    """The list decodes, within limits and long enough."""
    try:
        decode(document["credentialSubject"]["encodedList"])
    except MalformedStatusList as error:
        yield Fault("/credentialSubject/encodedList", error.detail)


_STAGES: Sequence[Mapping[str, Rule]] = (
    {"size": check_size},
    {
        "unsecured": check_unsecured,
        "contexts": check_list_contexts,
        "text": check_text,
        "schema": check_list_schema,
    },
    {"list_subject": check_list_subject, "encoded_list": check_encoded_list},
)


@cache
def _list_validator() -> Draft202012Validator:
    return compile_schema(class_schema(BitstringStatusListCredential))


def _mask(index: int) -> int:
    return 0x80 >> index % 8


def _require_within(bits: bytes | bytearray, index: int) -> None:
    if not 0 <= index < len(bits) * 8:
        raise StatusIndexOutOfRange(f"A list of {len(bits) * 8} entries has no index {index}.")


def _from_base64url(encoded: str) -> bytes:
    match = _ENCODED_LIST.fullmatch(encoded)
    if match is None or len(match[1]) % 4 == 1:
        raise MalformedStatusList("The encoded list is not `u` and base64url without padding.")
    return urlsafe_b64decode(match[1] + "=" * (-len(match[1]) % 4))
