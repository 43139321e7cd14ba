"""Whether the issuer has revoked or suspended a badge, and what else a status says of it. PURE.

A kind of status entry is a row of STATUS_KINDS; what it needs of the world is in `Gathered.status_lists`, by URL. Each kind has a
file of its own: `bitstring_status.py`, `revocation_list.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.verification.bitstring_status import BITSTRING, STATUS_LIST_2021, bitstring_url, judge_bitstring
from app.verification.gathered import Gathered
from app.verification.members import first_texts_of, object_of, text_of, texts_of
from app.verification.revocation_list import judge_revocation_list
from app.verification.verdict import Check
from app.verification.verdicts import check

MAX_STATUS_ENTRIES = 4
"""One for each purpose that there is."""

Entry = Mapping[str, Any]
Contexts = Mapping[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class StatusKind:
    """`type` names it; `list_url` is the document an entry needs, "" for none; `judge` is what it says, and raises nothing."""

    type: str
    list_url: Callable[[Entry], str]
    judge: Callable[[Gathered, str, Entry, datetime, Contexts], Iterator[Check]]


STATUS_KINDS = (
    StatusKind(BITSTRING.entry, bitstring_url, lambda *asked: judge_bitstring(BITSTRING, *asked)),
    StatusKind(STATUS_LIST_2021.entry, bitstring_url, lambda *asked: judge_bitstring(STATUS_LIST_2021, *asked)),
    StatusKind("1EdTechRevocationList", lambda entry: text_of(entry.get("id")), judge_revocation_list),
)


def judge_status(gathered: Gathered, now: datetime, contexts: Contexts) -> Iterator[Check]:
    """What each status entry says, by the rules of its kind."""
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
            yield from kind.judge(gathered, pointer, entry, now, contexts)


def status_lists_needed(credential: Mapping[str, Any]) -> list[str]:
    """The URLs of the documents that judging the status of `credential` needs, one for each entry at most."""
    entries = [entry for _, entry in _status_entries(credential)][:MAX_STATUS_ENTRIES]
    needed = (kind.list_url(entry) for entry in entries if (kind := _find_kind(entry)) is not None)
    return list(dict.fromkeys(filter(None, needed)))


def _status_entries(credential: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Pointer and entry of every status entry, and of one too many where there are more. What is no object is of no kind."""
    status = credential.get("credentialStatus")
    if isinstance(status, list):
        return [
            (f"/credentialStatus/{position}", object_of(each))
            for position, each in enumerate(status[: MAX_STATUS_ENTRIES + 1])
        ]
    return [] if status is None else [("/credentialStatus", object_of(status))]


def _find_kind(entry: Entry) -> StatusKind | None:
    types = first_texts_of(entry.get("type"))
    return next((kind for kind in STATUS_KINDS if kind.type in types), None)
