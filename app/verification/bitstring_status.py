"""Status lists of bits: Bitstring Status List v1.0, and StatusList2021, from which it grew. PURE.

A list is a credential, signed by whoever keeps it. The badge, signed by its issuer, names the list, so another issuer's list may
be what its issuer meant (section "Validate Algorithm" allows it); but then the badge is only as safe from being cleared as that
other issuer is, and the answer says so.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.errors import AssayError
from app.proofs.verification_method import find_moment
from app.statuslists import bitstring
from app.verification.envelopes import Opened, open_sent
from app.verification.gathered import Gathered, Missing
from app.verification.members import issuer_id, object_of, text_of, texts_of
from app.verification.proofs import CLOCK_SKEW, judge_trust
from app.verification.verdict import Check, is_valid
from app.verification.verdicts import check

MAX_STATUS_LIST_BYTES = 2 << 20
MAX_STATUS_SIZE = 8
"""Greatest number of bits of one entry. It has a message for each value, and no list of 256 is ever read by people."""

_PURPOSES = {"revocation": "revoked", "suspension": "suspended"}
"""The purposes that concern validity, with what a bit that is set means."""
_TELLING = (*_PURPOSES, "message", "refresh")


@dataclass(frozen=True, slots=True)
class ListKind:
    """What a kind of list calls its entries, the credential that carries it and the list in it."""

    entry: str
    credential: str
    subject: str


BITSTRING = ListKind("BitstringStatusListEntry", "BitstringStatusListCredential", "BitstringStatusList")
STATUS_LIST_2021 = ListKind("StatusList2021Entry", "StatusList2021Credential", "StatusList2021")


def bitstring_url(entry: Mapping[str, Any]) -> str:
    """Where the list of an entry is, "" where its purpose is one that is not looked at."""
    return text_of(entry.get("statusListCredential")) if entry.get("statusPurpose") in _TELLING else ""


def judge_bitstring(
    kind: ListKind,
    gathered: Gathered,
    pointer: str,
    entry: Mapping[str, Any],
    now: datetime,
    contexts: Mapping[str, dict[str, Any]],
) -> Iterator[Check]:
    """What an entry says, by the "Validate Algorithm" of Bitstring Status List v1.0."""
    purpose, index = text_of(entry.get("statusPurpose")), _find_index(entry.get("statusListIndex"))
    fault = _find_fault(entry, purpose, index)
    if fault or index is None:
        yield check("invalid_status_entry", pointer=pointer, reason=fault)
        return
    if purpose not in _TELLING:
        yield check("status_purpose_ignored", pointer=pointer, purpose=purpose)
        return
    found = gathered.status_lists.get(text_of(entry.get("statusListCredential")))
    if found is None:
        yield check("invalid_status_entry", pointer=pointer, reason="it names no `statusListCredential`.")
        return
    if isinstance(found, Missing):
        yield check(found.code, pointer=pointer, reason=found.detail)
        return
    opened = open_sent(found)
    problem = _find_list_problem(kind, opened, gathered, entry, now, contexts)
    if problem:
        yield problem
        return
    status_list = opened.credential
    if issuer_id(status_list) != issuer_id(gathered.credential):
        yield check("status_list_of_another_issuer", pointer=pointer, list_issuer=issuer_id(status_list) or "nobody")
    yield _read_entry(status_list, entry, purpose, index, pointer)


def _find_fault(entry: Mapping[str, Any], purpose: str, index: int | None) -> str:
    """What is wrong with an entry, "" when nothing is."""
    if not purpose or index is None:
        return "it needs `statusPurpose` and `statusListIndex`, a number written as a string."
    size, messages = entry.get("statusSize", 1), entry.get("statusMessage")
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= MAX_STATUS_SIZE:
        return f"`statusSize` must be a number from 1 to {MAX_STATUS_SIZE}."
    if messages is None:
        return "`statusSize` greater than 1 needs `statusMessage`." if size > 1 else ""
    values = [_find_value(each) for each in messages] if isinstance(messages, list) else []
    if len(values) != 1 << size or set(values) != set(range(1 << size)):
        return f"`statusMessage` must have one message for each of the {1 << size} values."
    return ""


def _find_list_problem(
    kind: ListKind,
    opened: Opened,
    gathered: Gathered,
    entry: Mapping[str, Any],
    now: datetime,
    contexts: Mapping[str, dict[str, Any]],
) -> Check | None:
    """What keeps the list, itself or the one in a token, from being believed, None when it can be."""
    if opened.problem:
        return check("status_list_invalid", reason=opened.problem.detail)
    status_list = opened.credential
    subject, purpose = object_of(status_list.get("credentialSubject")), text_of(entry.get("statusPurpose"))
    if kind.credential not in texts_of(status_list.get("type")) or kind.subject not in texts_of(subject.get("type")):
        return check("status_list_invalid", reason=f"it is not a {kind.credential}.")
    if status_list.get("id") != entry.get("statusListCredential"):
        # Another list of the same issuer, served in its place, could clear a revoked badge.
        return check("status_list_invalid", reason="its `id` is not the address it was asked for at.")
    if purpose not in texts_of(subject.get("statusPurpose")):
        return check("status_list_wrong_purpose", purpose=purpose)
    trust = judge_trust(opened, gathered, now, contexts)
    if not is_valid(trust):
        reasons = [each.detail for each in trust if each.outcome == "failed"]
        return check("status_list_proof_failed", reason=" ".join(reasons))
    if not _is_current(status_list, now):
        return check("status_list_out_of_date")
    return None


def _is_current(status_list: Mapping[str, Any], now: datetime) -> bool:
    """VCDM 2.0, "Validity Period", and its names in 1.1; both ends are optional for a status list."""
    begins = [find_moment(status_list[name]) for name in ("validFrom", "issuanceDate") if name in status_list]
    ends = [find_moment(status_list[name]) for name in ("validUntil", "expirationDate") if name in status_list]
    return all(moment is not None and moment <= now + CLOCK_SKEW for moment in begins) and all(
        moment is not None and moment >= now - CLOCK_SKEW for moment in ends
    )


def _read_entry(
    status_list: Mapping[str, Any], entry: Mapping[str, Any], purpose: str, index: int, pointer: str
) -> Check:
    size = int(entry.get("statusSize", 1))
    try:
        bits = _decode(text_of(object_of(status_list.get("credentialSubject")).get("encodedList")))
        if len(bits) * 8 < bitstring.LIST_LENGTH * size:
            reason = f"it has fewer than {bitstring.LIST_LENGTH} entries."
            return check("status_list_invalid", pointer=pointer, reason=reason)
        if (index + 1) * size > len(bits) * 8:
            return check("status_index_out_of_range", pointer=f"{pointer}/statusListIndex", index=index)
        read = [bitstring.get_bit(bits, position) for position in range(index * size, (index + 1) * size)]
    except AssayError as error:
        return check("status_list_invalid", pointer=pointer, reason=error.detail)
    return _say(entry, purpose, read, pointer)


def _say(entry: Mapping[str, Any], purpose: str, bits: Sequence[bool], pointer: str) -> Check:
    """What the bits of an entry, the most significant first, mean for its purpose."""
    if purpose in _PURPOSES:
        return check(_PURPOSES[purpose] if any(bits) else "status_clear", pointer=pointer)
    if purpose == "refresh":
        return check("status_refresh" if any(bits) else "status_not_set", pointer=pointer, purpose=purpose)
    value = sum(1 << place for place, bit in enumerate(reversed(bits)) if bit)
    messages = {_find_value(each): text_of(each.get("message")) for each in entry.get("statusMessage") or []}
    told = messages.get(value, "")
    if not told and not value:
        return check("status_not_set", pointer=pointer, purpose=purpose)
    references = ", ".join(texts_of(entry.get("statusReference")))
    message = told or f"0x{value:x}"
    return check("status_message", pointer=pointer, message=f"{message} ({references})" if references else message)


def _decode(encoded_list: str) -> bytes:
    """The bits: of a Bitstring in multibase, of StatusList2021 in plain base64 of either alphabet. Raises MalformedStatusList."""
    if encoded_list.startswith("H"):  # gzip begins so in base64, and no multibase prefix is an H
        encoded_list = "u" + encoded_list.rstrip("=").replace("+", "-").replace("/", "_")
    return bitstring.decode(encoded_list, max_bytes=MAX_STATUS_LIST_BYTES)


def _find_index(value: object) -> int | None:
    """Bitstring Status List v1.0: the index written in base 10. The number itself is seen in the wild."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value, re.ASCII) else None


def _find_value(message: object) -> int | None:
    """The value that a `statusMessage` is for, written like 0x1."""
    status = text_of(object_of(message).get("status"))
    return int(status, 16) if re.fullmatch(r"0x[0-9a-fA-F]{1,4}", status, re.ASCII) else None
