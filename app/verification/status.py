"""Whether the issuer has revoked or suspended a badge. PURE.

A kind of status entry is a row of STATUS_KINDS; what it needs of the world is in `Gathered.status_lists`, by URL.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.errors import AssayError
from app.proofs.verification_method import find_moment
from app.statuslists import bitstring
from app.verification.envelopes import open_sent
from app.verification.gathered import Gathered, Missing
from app.verification.members import issuer_id, object_of, text_of, texts_of
from app.verification.proofs import CLOCK_SKEW, judge_trust
from app.verification.verdict import Check, is_valid
from app.verification.verdicts import check

MAX_STATUS_ENTRIES = 2
MAX_STATUS_LIST_BYTES = 2 << 20

STATUS_PURPOSES = {"revocation": "revoked", "suspension": "suspended"}

Entry = Mapping[str, Any]
Contexts = Mapping[str, dict[str, Any]]


def judge_status(gathered: Gathered, now: datetime, contexts: Mapping[str, dict[str, Any]]) -> Iterator[Check]:
    """Bitstring Status List v1.0, "Validate Algorithm", for each status entry."""
    entries = _status_entries(gathered.credential)
    if not entries:
        yield check("no_status")
    if len(entries) > MAX_STATUS_ENTRIES:
        yield check("invalid_status_entry", pointer="/credentialStatus", reason="it has too many entries.")
        return
    for pointer, entry in entries:
        kind = _find_kind(entry)
        if kind is None:
            types = " ".join(texts_of(entry.get("type"))) or "no type"
            yield check("unsupported_status", pointer=pointer, kind=types)
        else:
            yield kind.judge(gathered, pointer, entry, now, contexts)


def status_lists_needed(credential: Mapping[str, Any]) -> list[str]:
    """The URLs of the documents that judging the status of `credential` needs, one for each entry at most."""
    entries = [entry for _, entry in _status_entries(credential)][:MAX_STATUS_ENTRIES]
    needed = (kind.list_url(entry) for entry in entries if (kind := _find_kind(entry)) is not None)
    return list(dict.fromkeys(filter(None, needed)))


def _status_entries(credential: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Pointer and entry of every status entry. What is no object counts as an entry of no kind."""
    status = credential.get("credentialStatus")
    if isinstance(status, list):
        return [(f"/credentialStatus/{position}", object_of(each)) for position, each in enumerate(status)]
    return [] if status is None else [("/credentialStatus", object_of(status))]


def _find_kind(entry: Entry) -> "StatusKind | None":
    return next((kind for kind in STATUS_KINDS if kind.is_of(entry)), None)


# BitstringStatusListEntry


def _judge_bitstring_entry(gathered: Gathered, pointer: str, entry: Entry, now: datetime, contexts: Contexts) -> Check:
    purpose, index = text_of(entry.get("statusPurpose")), _status_index(entry.get("statusListIndex"))
    if not purpose or index is None:
        reason = "it needs `statusPurpose` and `statusListIndex`, a number written as a string."
        return check("invalid_status_entry", pointer=pointer, reason=reason)
    if purpose not in STATUS_PURPOSES:
        return check("status_purpose_ignored", pointer=pointer, purpose=purpose)
    found = gathered.status_lists.get(text_of(entry.get("statusListCredential")))
    if found is None:
        return check("invalid_status_entry", pointer=pointer, reason="it names no `statusListCredential`.")
    if isinstance(found, Missing):
        return check(found.code, pointer=pointer, reason=found.detail)
    status_list = open_sent(found).credential
    if status_list.get("id") != entry.get("statusListCredential"):
        # Another list of the same issuer, served in its place, could clear a revoked badge.
        return check("status_list_invalid", reason="its `id` is not the address it was asked for at.")
    problem = _judge_status_list(found, gathered, purpose, now, contexts)
    return problem or _read_status(status_list, purpose, index, pointer)


def _judge_status_list(
    document: Mapping[str, Any],
    gathered: Gathered,
    purpose: str,
    now: datetime,
    contexts: Mapping[str, dict[str, Any]],
) -> Check | None:
    """What keeps the status list that `document` is, or holds, from being believed, None when it can be."""
    status_list = open_sent(document).credential
    subject = object_of(status_list.get("credentialSubject"))
    types = {*texts_of(status_list.get("type")), *texts_of(subject.get("type"))}
    if not types >= {"BitstringStatusListCredential", "BitstringStatusList"}:
        return check("status_list_invalid", reason="it is not a BitstringStatusListCredential.")
    if issuer_id(status_list) != issuer_id(gathered.credential):
        # A list of someone else's could clear a badge that its issuer has revoked.
        return check("status_list_wrong_issuer", list_issuer=issuer_id(status_list) or "nobody")
    if purpose not in texts_of(subject.get("statusPurpose")):
        return check("status_list_wrong_purpose", purpose=purpose)
    trust = judge_trust(document, gathered, now, contexts)
    if not is_valid(trust):
        reasons = [each.detail for each in trust if each.outcome == "failed"]
        return check("status_list_proof_failed", reason=" ".join(reasons))
    if not _is_current(status_list, now):
        return check("status_list_out_of_date")
    return None


def _is_current(status_list: Mapping[str, Any], now: datetime) -> bool:
    """VCDM 2.0, "Validity Period"; both ends are optional for a status list."""
    for member, bound in (("validFrom", now + CLOCK_SKEW), ("validUntil", now - CLOCK_SKEW)):
        if member in status_list:
            moment = find_moment(status_list[member])
            if moment is None or (moment > bound if member == "validFrom" else moment < bound):
                return False
    return True


def _read_status(status_list: Mapping[str, Any], purpose: str, index: int, pointer: str) -> Check:
    encoded_list = text_of(object_of(status_list.get("credentialSubject")).get("encodedList"))
    try:
        bits = bitstring.decode(encoded_list, max_bytes=MAX_STATUS_LIST_BYTES)
    except AssayError as error:
        return check("status_list_invalid", pointer=pointer, reason=error.detail)
    if index >= len(bits) * 8:
        return check("status_index_out_of_range", pointer=f"{pointer}/statusListIndex", index=index)
    return check(STATUS_PURPOSES[purpose] if bitstring.get_bit(bits, index) else "status_clear", pointer=pointer)


def _bitstring_url(entry: Entry) -> str:
    return text_of(entry.get("statusListCredential")) if text_of(entry.get("statusPurpose")) in STATUS_PURPOSES else ""


def _is_bitstring_entry(entry: Mapping[str, Any]) -> bool:
    # More than one bit an entry carries messages, not validity.
    return "BitstringStatusListEntry" in texts_of(entry.get("type")) and entry.get("statusSize", 1) == 1


def _status_index(value: object) -> int | None:
    """Bitstring Status List v1.0: the index written in base 10. The number itself is seen in the wild."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value, re.ASCII) else None


@dataclass(frozen=True, slots=True)
class StatusKind:
    """`list_url` is the document an entry needs, "" for none; `judge` is what it says, and raises nothing."""

    is_of: Callable[[Entry], bool]
    list_url: Callable[[Entry], str]
    judge: Callable[[Gathered, str, Entry, datetime, Contexts], Check]


STATUS_KINDS = [StatusKind(_is_bitstring_entry, _bitstring_url, _judge_bitstring_entry)]
