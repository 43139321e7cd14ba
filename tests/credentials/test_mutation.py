"""One real badge, changed in every place, one place at a time: no change goes unnoticed.

Excepted is only what JSON-LD holds for equal: OpenBadgeCredential and AchievementCredential (two terms for one IRI), and numbers
of equal value.
"""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from app.openbadges.conformance import LintFailed, lint
from tests.builders import achievement_body
from tests.conftest import Partner, publish
from tests.issuing import Document, decided, failures, require_verifies, verify, world_of

# The bytes of a badge do not depend on the database that keeps them.
pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)

Path = tuple[str | int, ...]

FULL_ACHIEVEMENT: Document = {
    "tags": ["equity", "practice"],
    "in_language": "en",
    "field_of_study": "Education",
    "human_code": "IEP-1",
    "credits_available": 2.5,
    "image_caption": "A laurel.",
    "creator": {"id": "https://designer.example.org/", "name": "The designer"},
    "alignments": [
        {"target_name": "Equity", "target_url": "https://standards.example.org/3", "target_type": "ext:Standard"},
        {"target_name": "Reflection", "target_url": "https://standards.example.org/4", "target_code": "4"},
    ],
    "other_identifiers": [{"identifier": "IEP", "identifier_type": "systemId"}],
    "settings": {
        "status_purpose": "revocation",
        "visibility": "unlisted",
        "validity_days": 3650,
        "recipient_name": True,
    },
}
FULL_DECISION: Document = {
    "recipient": {
        "name": "Ada Example",
        "email": "ada.example@schools.example.org",
        "did": "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
    },
    "narrative": "Both pieces show one change.",
    "role": "Assistant principal",
    "activity_start": "2025-09-01T00:00:00Z",
    "activity_end": "2026-03-01T00:00:00Z",
}


async def full_badge(partner: Partner) -> Document:
    """A badge that has every member this service can issue."""
    partner.achievement_id = await publish(partner.client, achievement_body(**FULL_ACHIEVEMENT))
    document: Document = (await decided(partner, **FULL_DECISION))["credential"]["document"]
    return document


def walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value with its path."""
    yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, member in items:
        yield from walk(member, (*path, step))


def other(leaf: Any) -> list[Any]:
    """Values near a leaf that are not it, of its own type and of others."""
    if isinstance(leaf, bool):
        return [not leaf, str(leaf).lower(), int(leaf)]
    if isinstance(leaf, int | float):
        return [leaf + 1, str(leaf)]
    assert isinstance(leaf, str)
    near = leaf[:-1] + ("a" if leaf[-1] != "a" else "b")
    return [near, leaf + " ", leaf.swapcase()] if leaf.swapcase() != leaf else [near, leaf + " "]


def at(document: Any, path: Path) -> Any:
    for step in path:
        document = document[step]
    return document


def _unsecured(badge: Document) -> Document:
    return {name: value for name, value in badge.items() if name != "proof"}


def changed(document: Document, path: Path, value: Any) -> Document:
    result = copy.deepcopy(document)
    at(result, path[:-1])[path[-1]] = value
    return result


def without(document: Document, path: Path) -> Document:
    result = copy.deepcopy(document)
    del at(result, path[:-1])[path[-1]]
    return result


async def test_no_change_of_a_badge_goes_unnoticed(app: FastAPI, partner: Partner) -> None:
    world = world_of(app)
    badge = await full_badge(partner)
    await require_verifies(world, badge)
    mutants = [
        (path, "changed to", value)
        for path, leaf in walk(badge)
        if path and not isinstance(leaf, dict | list)
        for value in other(leaf)
    ]
    assert len(mutants) > 350
    assert any(isinstance(at(badge, path), float) for path, _, _ in mutants)
    assert any(isinstance(at(badge, path), bool) for path, _, _ in mutants)
    unnoticed = [
        (path, what, value) for path, what, value in mutants if (await verify(world, changed(badge, path, value))).valid
    ]
    assert unnoticed == []


async def test_nothing_can_be_taken_out_of_a_badge_unnoticed(app: FastAPI, partner: Partner) -> None:
    world = world_of(app)
    badge = await full_badge(partner)
    places = [path for path, _ in walk(badge) if path]
    assert len(places) > 200
    unnoticed = [path for path in places if (await verify(world, without(badge, path))).valid]
    assert unnoticed == []


async def test_nothing_can_be_repeated_or_added_unnoticed(app: FastAPI, partner: Partner) -> None:
    """Each array with its first element twice, each object with a further member; the proof, which covers itself not, below."""
    world = world_of(app)
    badge = await full_badge(partner)
    mutants = []
    for path, value in walk(_unsecured(badge)):
        if isinstance(value, list):
            mutants.append((path, changed(badge, path, [*value, copy.deepcopy(value[0])])))
        elif isinstance(value, dict):
            fresh = next(name for name in ("comment", "narrative", "phone", "notes") if name not in value)
            mutants.append((path, changed(badge, (*path, fresh), "Something more.")))
    unnoticed = [path for path, mutant in mutants if (await verify(world, mutant)).valid]
    assert unnoticed == []


async def test_what_means_the_same_verifies(app: FastAPI, partner: Partner) -> None:
    """The exceptions, so that nobody takes them for an oversight."""
    world = world_of(app)
    partner.achievement_id = await publish(partner.client, achievement_body(credits_available=2))
    badge: Document = (await decided(partner, **FULL_DECISION))["credential"]["document"]
    assert badge["credentialSubject"]["achievement"]["creditsAvailable"] == 2
    await require_verifies(world, changed(badge, ("type", 1), "AchievementCredential"))
    await require_verifies(world, changed(badge, ("credentialSubject", "achievement", "creditsAvailable"), 2.0))
    await require_verifies(world, changed(badge, ("type",), badge["type"][::-1]))
    await require_verifies(world, dict(reversed(badge.items())))
    # A proof that is there twice is a proof set of two good proofs.
    await require_verifies(world, changed(badge, ("proof",), badge["proof"] * 2))


SAMPLE: list[Path] = [
    ("name",),
    ("issuer", "name"),
    ("validFrom",),
    ("credentialSubject", "achievement", "criteria", "narrative"),
    ("credentialSubject", "result", 0, "achievedLevel"),
    ("credentialSubject", "identifier", 0, "identityHash"),
    ("credentialStatus", "statusListIndex"),
    ("proof", 0, "created"),
    ("proof", 0, "proofValue"),
]


async def test_a_sample_over_http(app: FastAPI, partner: Partner) -> None:
    badge = await full_badge(partner)

    async def ask(document: Document) -> tuple[bool, str]:
        answer = await partner.client.post("/v1/verify", json={"credential": document})
        assert answer.status_code == 200, answer.text
        return answer.json()["valid"], answer.text

    assert (await ask(badge))[0]
    for path in SAMPLE:
        valid, text = await ask(changed(badge, path, other(at(badge, path))[0]))
        assert not valid, (path, text)


# What a signature would not cover

OBJECTS: list[Path] = [
    (),
    ("issuer",),
    ("credentialSubject", "achievement", "image"),
    ("credentialSubject",),
    ("credentialSubject", "achievement"),
    ("credentialSubject", "achievement", "criteria"),
    ("credentialSubject", "achievement", "resultDescription", 0, "rubricCriterionLevel", 1),
    ("credentialSubject", "result", 0),
    ("credentialSubject", "source"),
    ("evidence", 0),
    ("credentialStatus",),
]
IRIS: list[Path] = [
    ("id",),
    ("issuer", "id"),
    ("credentialSubject", "achievement", "image", "id"),
    ("credentialSubject", "id"),
    ("credentialSubject", "achievement", "id"),
    ("credentialSubject", "achievement", "alignment", 0, "targetUrl"),
    ("credentialSubject", "achievement", "resultDescription", 0, "rubricCriterionLevel", 1, "id"),
    ("credentialSubject", "result", 0, "achievedLevel"),
    ("evidence", 0, "id"),
]


async def test_what_a_signature_would_not_cover_is_neither_signed_nor_accepted(app: FastAPI, partner: Partner) -> None:
    world = world_of(app)
    badge = await full_badge(partner)
    unsecured = _unsecured(badge)
    lint(copy.deepcopy(unsecured), contexts=world.contexts)
    bad = [((*path, "grade"), "A+") for path in OBJECTS]
    bad += [(path, value) for path in IRIS for value in ("relative/x", "https://a b.example/", "nothing", "")]
    for path, value in bad:
        with pytest.raises(LintFailed) as failed:
            lint(changed(unsecured, path, value), contexts=world.contexts)
        pointer = "".join(f"/{step}" for step in path)
        assert pointer in [fault.pointer for fault in failed.value.faults], (path, value)
        verification = await verify(world, changed(badge, path, value))
        assert not verification.valid, (path, value)
    for path in OBJECTS:
        verification = await verify(world, changed(badge, (*path, "grade"), "A+"))
        assert {"unsafe_document", "unsigned_content"} <= set(failures(verification)), path
        assert "".join(f"/{step}" for step in (*path, "grade")) in [check.pointer for check in verification.checks]
