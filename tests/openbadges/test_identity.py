import pytest

from app.openbadges.identity import compose_identity_objects, hash_identity

KOSHER = "sha256$b5809d8a92f8858436d7e6b87c12ebc0ae1eac4baecc2c0b913aee2c922ef399"


def test_hash_identity_is_the_published_one() -> None:
    assert hash_identity("a@example.com", "Kosher") == KOSHER


@pytest.mark.parametrize(("identity", "salt"), [("A@example.com", "Kosher"), ("a@example.com", "kosher")])
def test_hash_identity_compares_as_given(identity: str, salt: str) -> None:
    assert hash_identity(identity, salt) != KOSHER


def test_an_address_is_hashed_and_a_name_is_plain() -> None:
    hashed, plain = compose_identity_objects(email="a@example.com", name="Ada", salt="Kosher")
    assert hashed == {
        "type": "IdentityObject",
        "hashed": True,
        "identityHash": KOSHER,
        "identityType": "emailAddress",
        "salt": "Kosher",
    }
    assert plain == {"type": "IdentityObject", "hashed": False, "identityHash": "Ada", "identityType": "name"}


def test_a_name_alone_needs_no_salt_and_nobody_is_nothing() -> None:
    assert [entry["identityType"] for entry in compose_identity_objects(name="Ada")] == ["name"]
    assert compose_identity_objects() == ()


@pytest.mark.parametrize("salt", [None, ""])
def test_an_address_without_a_salt_is_refused(salt: str | None) -> None:
    with pytest.raises(ValueError, match="salt"):
        compose_identity_objects(email="a@example.com", salt=salt)
