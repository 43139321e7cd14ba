import pytest

from app.openbadges.identity import compose_identity_objects, hash_identity, says_of_recipient

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


WHO: dict[str, str | None] = {"did": "did:example:ada", "email": "a@example.com", "name": "Ada"}


def subject(*, salt: str = "Kosher", **who: str | None) -> dict[str, object]:
    """A credentialSubject about somebody, as `compose` makes it."""
    entries = [dict(each) for each in compose_identity_objects(email=who["email"], name=who["name"], salt=salt)]
    members = {"id": who["did"], "type": ["AchievementSubject"], "identifier": entries}
    return {name: value for name, value in members.items() if value}


@pytest.mark.parametrize("salt", ["Kosher", "another"])
@pytest.mark.parametrize("without", [(), ("did",), ("email",), ("name",), ("email", "name")])
def test_a_subject_says_what_it_was_composed_with_and_nothing_else(salt: str, without: tuple[str, ...]) -> None:
    who = {kind: None if kind in without else value for kind, value in WHO.items()}
    composed = subject(salt=salt, **who)
    assert says_of_recipient(composed, **who)
    for kind in who:
        for value in ("other", WHO[kind], None):
            if value != who[kind]:
                assert not says_of_recipient(composed, **{**who, kind: value}), (kind, value)
