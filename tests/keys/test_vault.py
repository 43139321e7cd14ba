"""What is sealed under a personal key as JSON, and what rows of earlier releases hold."""

import json

import pytest

from app.keys.vault import PersonalKey, Unreadable, Vault

PLACE = {"table": "artifact", "row": "1", "column": "sealed_details"}
VALUE = {"name": "Журнал", "n": 3, "url": None, "parts": ["a", {"b": True}]}


def personal_key() -> PersonalKey:
    vault = Vault(bytes(32))
    sealed = vault.new_personal_key("issuer", "learner")
    return vault.open_personal_key(sealed, issuer_id="issuer", owner_id="learner")


def test_a_value_comes_back_as_it_was_sealed() -> None:
    key = personal_key()
    sealed = key.seal_json(VALUE, **PLACE)
    assert key.open_json(sealed, **PLACE) == VALUE
    assert "Журнал".encode() in key.open(sealed, **PLACE)
    with pytest.raises(Unreadable):
        key.open_json(sealed, **{**PLACE, "row": "2"})


@pytest.mark.parametrize(
    "encoded", [json.dumps(VALUE), json.dumps(VALUE, ensure_ascii=False, sort_keys=True, separators=(",", ":"))]
)
def test_what_was_sealed_in_another_spelling_of_json_opens(encoded: str) -> None:
    key = personal_key()
    assert key.open_json(key.seal(encoded.encode(), **PLACE), **PLACE) == VALUE
