import base64
import gzip
import time
from typing import Any

import pytest

from app.statuslists import bitstring
from app.verification.gathered import Missing
from app.verification.status import status_lists_needed
from app.verification.verdict import Check, is_valid
from tests.verification.badges import LIST_URL, Document, badge, put, sign, status_entry, status_list
from tests.verification.judging import ISSUER, STRANGER, codes, failed, judged


def with_status(entry: Document | list[Document], found: Document | Missing | None) -> list[Check]:
    lists = {} if found is None else {LIST_URL: found}
    return judged(sign(badge(ISSUER, credentialStatus=entry), ISSUER), status_lists=lists)


@pytest.mark.parametrize(("purpose", "code"), [("revocation", "revoked"), ("suspension", "suspended")])
@pytest.mark.parametrize("index", [0, 7, 131_071])
def test_the_bit_decides(purpose: str, code: str, index: int) -> None:
    entry = status_entry(index, purpose)
    others = {0, 6, 8, 131_070, 131_071} - {index}
    clear = with_status(entry, sign(status_list(ISSUER, ones=others, purpose=purpose), ISSUER))
    assert codes(clear)["status"] == ["status_clear"]
    assert is_valid(clear)
    taken = with_status(entry, sign(status_list(ISSUER, ones=[index], purpose=purpose), ISSUER))
    assert failed(taken) == [("status", code, "/credentialStatus")]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"type": "TokenStatusList"}, "unsupported_status"),
        ({"type": "StatusList2021Entry"}, "status_list_invalid"),
        ({"type": "1EdTechRevocationList"}, "invalid_status_entry"),
        ({"statusSize": 2}, "invalid_status_entry"),
        ({"statusSize": 0}, "invalid_status_entry"),
        ({"statusSize": "1"}, "invalid_status_entry"),
        ({"statusSize": 1 << 30}, "invalid_status_entry"),
        ({"statusMessage": "none"}, "invalid_status_entry"),
        ({"statusMessage": [{"status": "0x0"}]}, "invalid_status_entry"),
        ({"statusMessage": [{"status": "0x0"}, {"status": "0x0"}]}, "invalid_status_entry"),
        ({"statusListIndex": "131072"}, "status_index_out_of_range"),
        ({"statusListIndex": "-1"}, "invalid_status_entry"),
        ({"statusListIndex": "seven"}, "invalid_status_entry"),
        ({"statusPurpose": ["revocation"]}, "invalid_status_entry"),
        ({"statusListCredential": None}, "invalid_status_entry"),
    ],
)
def test_a_status_entry_that_cannot_be_read_fails(members: Document, code: str) -> None:
    signed = sign(badge(ISSUER, credentialStatus=status_entry()), ISSUER)
    good = sign(status_list(ISSUER), ISSUER)
    assert is_valid(judged(signed, status_lists={LIST_URL: good}))
    changed = signed | {"credentialStatus": status_entry() | members}
    assert code in codes(judged(changed, status_lists={LIST_URL: good}))["status"]


def test_a_purpose_that_is_not_known_is_a_warning() -> None:
    entry = status_entry(purpose="amusement")
    checks = with_status(entry, None)
    assert codes(checks)["status"] == ["status_purpose_ignored"]
    assert is_valid(checks)
    assert status_lists_needed(badge(ISSUER, credentialStatus=entry)) == []


def test_two_status_entries_are_both_read() -> None:
    other_url = f"{LIST_URL}2"
    entries = [status_entry(), status_entry(purpose="suspension", id=f"{other_url}#7", statusListCredential=other_url)]
    signed = sign(badge(ISSUER, credentialStatus=entries), ISSUER)
    clear = sign(status_list(ISSUER), ISSUER)
    suspended = sign(status_list(ISSUER, purpose="suspension", ones=[7], id=other_url), ISSUER)
    checks = judged(signed, status_lists={LIST_URL: clear, other_url: suspended})
    assert codes(checks)["status"] == ["status_clear", "suspended"]
    assert status_lists_needed(signed) == [LIST_URL, other_url]
    five = judged(signed | {"credentialStatus": [*entries, *entries, *entries[:1]]}, status_lists={LIST_URL: clear})
    assert codes(five)["status"] == ["invalid_status_entry"]


def test_a_list_of_the_issuer_in_the_place_of_another_is_not_believed() -> None:
    signed = sign(badge(ISSUER, credentialStatus=status_entry()), ISSUER)
    sibling = sign(status_list(ISSUER, id=f"{LIST_URL}-sibling"), ISSUER)
    assert codes(judged(signed, status_lists={LIST_URL: sibling}))["status"] == ["status_list_invalid"]
    assert codes(judged(signed, status_lists={LIST_URL: sign(status_list(ISSUER), ISSUER)}))["status"] == [
        "status_clear"
    ]


@pytest.mark.parametrize("suffix", ["unavailable", "refused", "invalid"])
def test_a_list_that_was_not_had_fails_the_status(suffix: str) -> None:
    missing = Missing(f"status_list_{suffix}", "Why.")
    assert failed(with_status(status_entry(), missing)) == [("status", missing.code, "/credentialStatus")]


def _short_list() -> str:
    return bitstring.encode(bitstring.new_bits(131_064))


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"type": ["VerifiableCredential"]}, "status_list_invalid"),
        ({"issuer": STRANGER.id}, "status_list_proof_failed"),
        ({"subject": {"statusPurpose": "suspension"}}, "status_list_wrong_purpose"),
        ({"subject": {"encodedList": "uAAAA"}}, "status_list_invalid"),
        ({"subject": {"encodedList": _short_list()}}, "status_list_invalid"),
        ({"validUntil": "2026-11-22T13:00:00Z"}, "status_list_out_of_date"),
        ({"validFrom": "2026-11-24T13:00:00Z"}, "status_list_out_of_date"),
    ],
)
def test_a_list_that_is_not_the_right_one_fails_the_status(members: Document, code: str) -> None:
    unsecured = status_list(ISSUER)
    subject = unsecured["credentialSubject"] | members.get("subject", {})
    changes = {member: value for member, value in members.items() if member != "subject"}
    checks = with_status(status_entry(), sign(unsecured | {"credentialSubject": subject} | changes, ISSUER))
    assert [each for _, each, _ in failed(checks)] == [code]


def _gzipped(content: bytes) -> str:
    return "u" + base64.urlsafe_b64encode(gzip.compress(content)).rstrip(b"=").decode()


def _two_members() -> str:
    members = gzip.compress(bytes(16_384)) + gzip.compress(b"\xff" * 16_384)
    return "u" + base64.urlsafe_b64encode(members).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("encoded", "said"),
    [
        (_gzipped(bytes(64 << 20)), "more than"),
        (_two_members(), "after its gzip member"),
        (_gzipped(bytes(16_384))[:-20], ""),
        (_gzipped(bytes(16_383)), "fewer than"),
        ("z" + _gzipped(bytes(16_384))[1:], "base64url"),
    ],
    ids=["bomb", "two members", "cut short", "too short", "another multibase"],
)
def test_tricks_with_the_compression_are_refused(encoded: str, said: str) -> None:
    tricked = put(status_list(ISSUER), "/credentialSubject/encodedList", encoded)
    started = time.process_time()
    checks = with_status(status_entry(), sign(tricked, ISSUER))
    assert time.process_time() - started < 2
    [refused] = [each for each in checks if each.outcome == "failed"]
    assert refused.code == "status_list_invalid"
    assert said in refused.detail


def test_a_list_of_another_issuer_is_read_and_said_to_be_one() -> None:
    """The badge, signed by its issuer, names the list, so it may be another's; it must be signed by that other."""
    clear = with_status(status_entry(), sign(status_list(STRANGER), STRANGER))
    assert codes(clear)["status"] == ["status_list_of_another_issuer", "status_clear"]
    assert is_valid(clear)
    revoked = with_status(status_entry(), sign(status_list(STRANGER, ones=[7]), STRANGER))
    assert codes(revoked)["status"] == ["status_list_of_another_issuer", "revoked"]
    forged = with_status(status_entry(), sign(status_list(STRANGER), ISSUER))
    assert codes(forged)["status"] == ["status_list_proof_failed"]


# several bits, messages and refresh

MESSAGES = [{"status": f"0x{value}", "message": f"Stage {value}"} for value in range(4)]


def _sized(value: int, index: int = 7) -> list[int]:
    """The bits that are 1 where the entry at `index`, of two bits, has the value."""
    return [2 * index + place for place, bit in enumerate(f"{value:02b}") if bit == "1"]


def _long_list(purpose: str, ones: list[int], length: int = 262_144) -> Document:
    bits = bitstring.encode(bitstring.new_bits(length, ones=ones))
    return sign(put(status_list(ISSUER, purpose=purpose), "/credentialSubject/encodedList", bits), ISSUER)


@pytest.mark.parametrize("value", range(4))
def test_a_message_is_told_and_leaves_the_badge_valid(value: int) -> None:
    entry = status_entry(purpose="message", statusSize=2, statusMessage=MESSAGES, statusReference="https://a.example/s")
    checks = with_status(entry, _long_list("message", _sized(value)))
    [said] = [each for each in checks if each.name == "status"]
    assert (said.code, said.outcome) == ("status_message", "warning")
    assert said.detail == f"The issuer says of the badge: Stage {value} (https://a.example/s)"
    assert is_valid(checks)


@pytest.mark.parametrize(
    ("purpose", "ones", "code"),
    [
        ("message", [], "status_not_set"),
        ("message", [7], "status_message"),
        ("refresh", [], "status_not_set"),
        ("refresh", [7], "status_refresh"),
    ],
)
def test_purposes_without_bearing_on_validity(purpose: str, ones: list[int], code: str) -> None:
    checks = with_status(status_entry(purpose=purpose), sign(status_list(ISSUER, purpose=purpose, ones=ones), ISSUER))
    assert codes(checks)["status"] == [code]
    assert is_valid(checks)


def test_a_revocation_of_two_bits_is_one_by_any_of_them() -> None:
    entry = status_entry(statusSize=2, statusMessage=MESSAGES)
    assert is_valid(with_status(entry, _long_list("revocation", [13, 16])))
    for value in (1, 2, 3):
        assert codes(with_status(entry, _long_list("revocation", _sized(value))))["status"] == ["revoked"]
    last = entry | {"statusListIndex": "131071"}
    assert codes(with_status(last, _long_list("revocation", _sized(2, 131_071))))["status"] == ["revoked"]
    beyond = entry | {"statusListIndex": "131072"}
    assert codes(with_status(beyond, _long_list("revocation", [])))["status"] == ["status_index_out_of_range"]
    # Enough bits for entries of one, too few to hide in with entries of two.
    assert codes(with_status(entry, _long_list("revocation", [], 131_072)))["status"] == ["status_list_invalid"]


# StatusList2021

SUITE_CONTEXT = "https://w3id.org/security/data-integrity/v2"
CONTEXT_2021 = "https://w3id.org/vc/status-list/2021/v1"


def _entry_2021() -> Document:
    return status_entry() | {"type": "StatusList2021Entry"}


def _list_2021(ones: list[int], *, encoded: str | None = None, **members: Any) -> Document:
    """As the world publishes them: VCDM 1.1, and plain base64 of the one or the other alphabet."""
    bits = base64.urlsafe_b64encode(gzip.compress(bitstring.new_bits(ones=ones))).rstrip(b"=").decode()
    subject = {"id": f"{LIST_URL}#list", "type": "StatusList2021", "statusPurpose": "revocation"}
    return {
        "@context": ["https://www.w3.org/2018/credentials/v1", CONTEXT_2021, SUITE_CONTEXT],
        "id": LIST_URL,
        "type": ["VerifiableCredential", "StatusList2021Credential"],
        "issuer": ISSUER.id,
        "issuanceDate": "2026-11-22T13:00:00Z",
        "credentialSubject": subject | {"encodedList": encoded or bits},
    } | members


def with_status_2021(found: Document) -> list[Check]:
    contexts = [*badge(ISSUER)["@context"], CONTEXT_2021]
    credential = badge(ISSUER, credentialStatus=_entry_2021()) | {"@context": contexts}
    return judged(sign(credential, ISSUER), status_lists={LIST_URL: found})


@pytest.mark.parametrize(("ones", "code"), [([6, 8], "status_clear"), ([7], "revoked")])
def test_a_list_of_2021_is_read(ones: list[int], code: str) -> None:
    checks = with_status_2021(sign(_list_2021(ones), ISSUER))
    assert codes(checks)["status"] == [code]
    assert codes(checks)["shape"] == ["well_formed"]
    padded = base64.b64encode(gzip.compress(bitstring.new_bits(ones=ones))).decode()
    assert codes(with_status_2021(sign(_list_2021([], encoded=padded), ISSUER)))["status"] == [code]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"expirationDate": "2026-11-22T13:00:00Z"}, "status_list_out_of_date"),
        ({"issuanceDate": "2026-11-24T13:00:00Z"}, "status_list_out_of_date"),
        ({"id": f"{LIST_URL}2"}, "status_list_invalid"),
        ({"type": ["VerifiableCredential"]}, "status_list_invalid"),
        ({"issuer": STRANGER.id}, "status_list_proof_failed"),
    ],
)
def test_a_list_of_2021_is_held_to_the_same_rules(members: Document, code: str) -> None:
    assert codes(with_status_2021(sign(_list_2021([]) | members, ISSUER)))["status"] == [code]


def test_a_list_of_one_kind_is_none_of_the_other() -> None:
    assert codes(with_status_2021(sign(status_list(ISSUER), ISSUER)))["status"] == ["status_list_invalid"]
    assert codes(with_status(status_entry(), sign(_list_2021([]), ISSUER)))["status"] == ["status_list_invalid"]


# 1EdTechRevocationList


def with_revocation_list(found: Document | Missing | None, **entry: Any) -> list[Check]:
    contexts = [*badge(ISSUER)["@context"], "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"]
    named = {"id": LIST_URL, "type": "1EdTechRevocationList"} | entry
    credential = badge(ISSUER, credentialStatus=named) | {"@context": contexts}
    assert status_lists_needed(credential) == [LIST_URL]
    lists = {} if found is None else {LIST_URL: found}
    return judged(sign(credential, ISSUER), status_lists=lists)


BADGE_ID = str(badge(ISSUER)["id"])


@pytest.mark.parametrize(
    ("listed", "code"),
    [
        ([], "not_in_revocation_list"),
        ([{"id": "urn:uuid:1"}], "not_in_revocation_list"),
        ([{"id": BADGE_ID, "revoked": False}], "not_in_revocation_list"),
        ([{"id": BADGE_ID}], "revoked"),
        ([{"id": BADGE_ID, "revoked": True, "revocationReason": "Fraud"}], "revoked_for"),
        (["x", 5, {"id": BADGE_ID}], "revoked"),
    ],
)
def test_a_plain_list_names_what_is_revoked(listed: list[Any], code: str) -> None:
    document = {"id": LIST_URL, "issuer": ISSUER.id, "revokedCredential": listed}
    checks = with_revocation_list(document)
    assert codes(checks)["status"] == [code]
    assert is_valid(checks) is (code == "not_in_revocation_list")


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"id": f"{LIST_URL}2"}, "status_list_invalid"),
        ({"issuer": STRANGER.id}, "status_list_wrong_issuer"),
        ({"issuer": {"id": STRANGER.id}}, "status_list_wrong_issuer"),
        ({"revokedCredential": None}, "status_list_invalid"),
        ({"revokedCredential": {}}, "status_list_invalid"),
    ],
)
def test_a_plain_list_that_is_not_the_right_one_fails(members: Document, code: str) -> None:
    document = {"id": LIST_URL, "issuer": ISSUER.id, "revokedCredential": []} | members
    assert [each for _, each, _ in failed(with_revocation_list(document))] == [code]
    missing = Missing("status_list_unavailable", "Why.")
    assert [each for _, each, _ in failed(with_revocation_list(missing))] == ["status_list_unavailable"]


def test_a_list_must_be_signed_by_its_issuer() -> None:
    assert is_valid(with_status(status_entry(), sign(status_list(ISSUER), ISSUER)))
    unsigned = status_list(ISSUER)
    by_stranger = sign(status_list(ISSUER), STRANGER)
    cleared = put(
        sign(status_list(ISSUER, ones=[7]), ISSUER),
        "/credentialSubject/encodedList",
        bitstring.encode(bitstring.new_bits()),
    )
    for untrusted in (unsigned, by_stranger, cleared):
        checks = with_status(status_entry(), untrusted)
        assert [code for _, code, _ in failed(checks)] == ["status_list_proof_failed"]
