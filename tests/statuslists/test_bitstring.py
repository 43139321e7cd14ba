"""Bits, their encoding, and the status list credential."""

import gzip
import random
import time
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.contexts import load_contexts
from app.openbadges.conformance import LintFailed, LintFault
from app.statuslists.bitstring import (
    LIST_LENGTH,
    MalformedStatusList,
    StatusIndexOutOfRange,
    compose_status_list_credential,
    decode,
    encode,
    get_bit,
    lint_status_list,
    new_bits,
    set_bit,
)

URL = "https://badges.example.org/status-lists/1"
Document = dict[str, Any]


def test_index_0_is_the_leftmost_bit() -> None:
    assert new_bits(16, ones=[0])[0] == 0b1000_0000
    assert new_bits(16, ones=[7])[0] == 0b0000_0001
    assert new_bits(16, ones=[8]) == b"\x00\x80"


def test_bits_are_set_and_cleared_in_a_copy() -> None:
    before = new_bits()
    after = set_bit(before, 94_567, True)
    assert (get_bit(before, 94_567), get_bit(after, 94_567)) == (False, True)
    assert sum(map(int.bit_count, after)) == 1
    assert set_bit(after, 94_567, True) == after
    assert set_bit(after, 94_567, False) == before


def test_many_bits_are_those_and_no_others() -> None:
    ones = set(random.Random(7).sample(range(LIST_LENGTH), 500))
    bits = new_bits(ones=ones)
    assert {index for index in range(LIST_LENGTH) if get_bit(bits, index)} == ones
    cleared = bits
    for index in ones:
        cleared = set_bit(cleared, index, False)
    assert cleared == new_bits()


@pytest.mark.parametrize("index", [-1, LIST_LENGTH])
def test_an_index_outside_the_list_is_refused(index: int) -> None:
    bits = new_bits()
    attempts: tuple[Callable[[], object], ...] = (
        lambda: get_bit(bits, index),
        lambda: set_bit(bits, index, True),
        lambda: new_bits(ones=[index]),
    )
    for attempt in attempts:
        with pytest.raises(StatusIndexOutOfRange):
            attempt()
    assert get_bit(bits, LIST_LENGTH - 1) is False


@pytest.mark.parametrize("length", [0, -8, 12])
def test_a_list_is_whole_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="multiple of 8"):
        new_bits(length)


def test_encoding_is_gzip_in_base64url_without_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    bits = new_bits(ones=[1, 94_567])
    encoded = encode(bits)
    assert encoded[0] == "u"
    assert "=" not in encoded
    compressed = _bytes_of(encoded)
    assert compressed[4:8] == b"\0\0\0\0", "the gzip header has no modification time"
    assert gzip.decompress(compressed) == bits
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    assert encode(bits) == encoded


def test_what_is_encoded_decodes() -> None:
    bits = random.Random(1).randbytes(LIST_LENGTH // 8)
    assert decode(encode(bits)) == bits


@pytest.mark.parametrize("size", [2 * 1024 * 1024 + 1, 200 * 1024 * 1024])
def test_a_bomb_is_not_inflated(size: int) -> None:
    bomb = _encoded(gzip.compress(bytes(size), 1))
    with pytest.raises(MalformedStatusList, match="more than 2097152 bytes"):
        decode(bomb)


def test_the_cap_itself_is_allowed() -> None:
    assert len(decode(_encoded(gzip.compress(bytes(2 * 1024 * 1024), 1)))) == 2 * 1024 * 1024


GOOD = gzip.compress(new_bits(), mtime=0)


@pytest.mark.parametrize(
    ("compressed", "reason"),
    [
        (GOOD + GOOD, "goes on"),
        (GOOD + b"\0", "goes on"),
        (GOOD[:-1], "cut short"),
        (GOOD[:-9], "cut short"),
        (b"", "cut short"),
        (GOOD[:-8] + b"\0\0\0\0" + GOOD[-4:], "not gzip"),
        (zlib.compress(new_bits()), "not gzip"),
        (b"plain bytes", "not gzip"),
        (gzip.compress(bytes(LIST_LENGTH // 8 - 1)), "fewer than 131072"),
    ],
    ids=["two", "a byte behind", "no last byte", "no trailer", "nothing", "a wrong checksum", "zlib", "text", "short"],
)
def test_a_broken_encoding_is_refused(compressed: bytes, reason: str) -> None:
    assert decode(_encoded(GOOD)) == new_bits()
    with pytest.raises(MalformedStatusList, match=reason):
        decode(_encoded(compressed))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[1:],
        lambda text: "z" + text[1:],
        lambda text: text + "=",
        lambda text: text + "\n",
        lambda text: text[:20] + "+" + text[21:],
        lambda text: text[:20] + " " + text[20:],
        lambda text: text[:22],
    ],
    ids=[
        "no prefix",
        "another prefix",
        "padding",
        "a newline",
        "the other alphabet",
        "a space",
        "an impossible length",
    ],
)
def test_text_that_is_not_base64url_is_refused(spoil: Callable[[str], str]) -> None:
    with pytest.raises(MalformedStatusList, match="base64url"):
        decode(spoil(_encoded(GOOD)))


@pytest.fixture(scope="module")
def contexts() -> Mapping[str, Document]:
    return load_contexts(Path(__file__).resolve().parents[2] / "schemas" / "contexts")


@pytest.fixture
def status_list() -> Document:
    return compose_status_list_credential(
        id=URL,
        issuer_id="did:web:badges.example.org:issuers:sila",
        purpose="revocation",
        encoded_list=encode(new_bits(ones=[94_567])),
        valid_from=datetime(2026, 4, 11, 8, 0, 0, 1, tzinfo=UTC),
        ttl_seconds=300,
    )


def test_the_credential_of_a_list(status_list: Document) -> None:
    encoded = status_list["credentialSubject"].pop("encodedList")
    assert get_bit(decode(encoded), 94_567)
    assert status_list == {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": URL,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": "did:web:badges.example.org:issuers:sila",
        "validFrom": "2026-04-11T08:00:00Z",
        "credentialSubject": {
            "id": f"{URL}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "ttl": 300_000,
        },
    }


def test_a_sound_list_is_linted(status_list: Document, contexts: Mapping[str, Document]) -> None:
    linted = lint_status_list(status_list, contexts=contexts)
    assert linted.document == status_list
    linted.token.redeem(linted.canonical.sha256)


@pytest.mark.parametrize(
    ("change", "rule", "pointer"),
    [
        ({"proof": []}, "unsecured", "/proof"),
        ({"@context": ["https://www.w3.org/2018/credentials/v1"]}, "contexts", "/@context"),
        ({"@context": ["https://www.w3.org/ns/credentials/v2", "https://x.example/"]}, "contexts", "/@context"),
        ({"issuer": "a\0b"}, "text", "/issuer"),
        ({"issuer": {"id": "did:web:x"}}, "schema", "/issuer"),
        ({"type": ["VerifiableCredential"]}, "schema", "/type"),
        ({"validFrom": "2026-04-11"}, "schema", "/validFrom"),
        ({"name": "List"}, "schema", "/name"),
        ({"credentialSubject.type": ["BitstringStatusList"]}, "schema", "/credentialSubject/type"),
        ({"credentialSubject.statusPurpose": ["revocation"]}, "schema", "/credentialSubject/statusPurpose"),
        ({"credentialSubject.statusPurpose": "message"}, "schema", "/credentialSubject/statusPurpose"),
        ({"credentialSubject.ttl": "300000"}, "schema", "/credentialSubject/ttl"),
        ({"credentialSubject.ttl": 0}, "schema", "/credentialSubject/ttl"),
        ({"credentialSubject.id": URL}, "list_subject", "/credentialSubject/id"),
        ({"credentialSubject.encodedList": "uAAAA"}, "encoded_list", "/credentialSubject/encodedList"),
        (
            {"credentialSubject.encodedList": encode(bytes(LIST_LENGTH // 8 - 1))},
            "encoded_list",
            "/credentialSubject/encodedList",
        ),
    ],
)
def test_one_fault_is_refused_where_it_is(
    status_list: Document, contexts: Mapping[str, Document], change: Document, rule: str, pointer: str
) -> None:
    for place, value in change.items():
        holder, _, member = place.rpartition(".")
        (status_list[holder] if holder else status_list)[member] = value
    with pytest.raises(LintFailed) as refused:
        lint_status_list(status_list, contexts=contexts)
    (fault,) = refused.value.faults
    assert isinstance(fault, LintFault)
    assert (fault.rule, fault.pointer) == (rule, pointer)


def _encoded(compressed: bytes) -> str:
    return "u" + urlsafe_b64encode(compressed).rstrip(b"=").decode()


def _bytes_of(encoded: str) -> bytes:
    return urlsafe_b64decode(encoded[1:] + "=" * (-(len(encoded) - 1) % 4))
