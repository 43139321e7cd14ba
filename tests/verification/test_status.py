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
        ({"type": "StatusList2021Entry"}, "unsupported_status"),
        ({"type": "1EdTechRevocationList"}, "unsupported_status"),
        ({"statusSize": 2}, "unsupported_status"),
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


def test_a_purpose_without_bearing_on_validity_is_a_warning() -> None:
    entry = status_entry(purpose="message")
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
    three = judged(signed | {"credentialStatus": [*entries, *entries[:1]]}, status_lists={LIST_URL: clear})
    assert codes(three)["status"] == ["invalid_status_entry"]


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
        ({"issuer": STRANGER.id}, "status_list_wrong_issuer"),
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
