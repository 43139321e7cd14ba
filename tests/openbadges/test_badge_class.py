"""Open Badges 2.0 BadgeClasses as platforms write them: all that has a place arrives, the rest is told, nothing is made up."""

import base64
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.openbadges.badge_class import (
    MAX_REPORTED,
    STAND_IN_RUBRIC,
    InvalidBadgeClass,
    decode_data_uri,
    is_same_organization,
    read_badge_class,
)
from tests.builders import badge_class

CREATOR = {
    "id": "https://old.example.com/issuers/3",
    "name": "The robot club",
    "url": "https://robots.example.org",
    "description": "A club.",
    "email": "office@robots.example.org",
    "phone": "+1 555 0100",
    "image": "https://robots.example.org/logo.png",
}


def content(**changes: Any) -> Mapping[str, Any]:
    return read_badge_class(badge_class(**changes)).content


def noted(**changes: Any) -> list[str]:
    """Where the notices are, without the one about the rubric, which is always there."""
    first, *others = read_badge_class(badge_class(**changes)).notices
    assert (first.pointer, "rubric" in first.detail) == ("", True)
    return [notice.pointer for notice in others]


def refused(document: object) -> dict[str, str]:
    """Pointer -> detail of every fault; each has a cure."""
    with pytest.raises(InvalidBadgeClass) as caught:
        read_badge_class(document)
    assert all(fault.detail and fault.cure for fault in caught.value.faults)
    return {fault.pointer: fault.detail for fault in caught.value.faults}


def test_every_member_with_a_place_arrives() -> None:
    facts = read_badge_class(badge_class())
    assert facts.content == {
        "name": "Robotics",
        "description": "Builds a robot that finds its way.",
        "achievement_type": "Badge",
        "criteria": {
            "narrative": "Builds **one** robot.",
            "id": "https://old.example.com/classes/17/criteria",
        },
        "tags": ["robots", "sensors"],
        "in_language": "en-US",
        "image_caption": "A robot.",
        "creator": CREATOR,
        "alignments": [
            {
                "target_name": "Uses sensors",
                "target_url": "https://standards.example.org/3",
                "target_code": "S-3",
                "target_description": "What sensors are for.",
                "target_framework": "Standards",
            }
        ],
        "other_identifiers": [{"identifier": "https://old.example.com/classes/17", "identifier_type": "identifier"}],
        "rubric": STAND_IN_RUBRIC,
    }
    assert facts.image_uri == "https://old.example.com/classes/17/image"
    assert [notice.pointer for notice in facts.notices] == [""]


def test_places_of_the_content_lead_back() -> None:
    facts = read_badge_class(badge_class(alignment=[None, badge_class()["alignment"]], tags=["", "robots"]))
    for pointer, source in {
        "/name": "/name",
        "/criteria/narrative": "/criteria/narrative",
        "/alignments/0/target_url": "/alignment/1/targetUrl",
        "/tags/0": "/tags/1",
        "/creator/phone": "/issuer/telephone",
        "/other_identifiers/0/identifier": "/id",
        "/image_caption": "/image/caption",
        "/tags": "/tags",
        "/alignments": "/alignment",
        "/rubric": "",
    }.items():
        assert facts.source_of(pointer) == source


@pytest.mark.parametrize(
    "spelling",
    [
        {"@context": ["https://w3id.org/openbadges/v2", {"ext": "https://e.example/#"}]},
        {"@context": None},
        {"@context": "https://openbadgespec.org/v2/context.json"},
        {"@context": "https://purl.imsglobal.org/spec/ob/v2p1/ob_v2p1.jsonld"},
        {"type": ["BadgeClass"]},
        {"type": ["extensions:Thing", "BadgeClass"]},
        {"type": "https://w3id.org/openbadges#BadgeClass"},
        {"@language": "en_US"},
        {"alignment": [badge_class()["alignment"]]},
        {
            "alignment": [
                badge_class()["alignment"] | {"type": "AlignmentObject"},
                {"targetName": "", "targetUrl": None},
            ]
        },
        {"criteria": [badge_class()["criteria"] | {"type": "Criteria"}]},
        {"image": [badge_class()["image"] | {"type": "Image", "author": None}]},
        {"issuer": [badge_class()["issuer"] | {"type": ["Profile"], "@context": "https://w3id.org/openbadges/v2"}]},
        {"tags": ["robots", "sensors", "", None]},
        {"version": "", "related": [], "endorsement": {}, "expires": None, "extensions:x": " "},
    ],
    ids=str,
)
def test_other_spellings_say_the_same(spelling: dict[str, Any]) -> None:
    plain = read_badge_class(badge_class())
    other = read_badge_class(badge_class(**spelling))
    assert (other.content, other.image_uri, other.notices) == (plain.content, plain.image_uri, plain.notices)


def test_a_member_left_out_is_left_out() -> None:
    document = {"type": "BadgeClass", "name": "N", "description": "D", "criteria": {"narrative": "C"}}
    facts = read_badge_class(document)
    assert facts.content == {"name": "N", "description": "D", "achievement_type": "Badge", "criteria": {"narrative": "C"},
                             "rubric": STAND_IN_RUBRIC}  # fmt: skip
    assert [notice.pointer for notice in facts.notices] == ["", "/id"]
    assert facts.image_uri is None
    assert content(tags="robots")["tags"] == ["robots"]


def test_criteria_by_address_only_stand_in_and_are_told() -> None:
    url = "https://old.example.com/c"
    for criteria, place in (
        (url, "/criteria"),
        ({"id": url}, "/criteria/id"),
        ({"id": url, "narrative": ""}, "/criteria/id"),
    ):
        assert content(criteria=criteria)["criteria"] == {
            "id": url,
            "narrative": f"The criteria are published at <{url}>.",
        }
        assert noted(criteria=criteria) == [place]
    assert content(criteria={"narrative": "N"})["criteria"] == {"narrative": "N"}
    assert noted(criteria={"narrative": "N"}) == []


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({"extensions:level": {"type": ["Extension"], "level": 3}}, ["/extensions:level"]),
        ({"related": [{"id": "https://old.example.com/de", "@language": "de"}]}, ["/related"]),
        ({"version": "2", "endorsement": "https://e.example", "expires": "P1Y"}, ["/version", "/endorsement", "/expires"]),
        ({"a/b~c": 1}, ["/a~1b~0c"]),
        ({"@language": "klingon"}, ["/@language"]),
        ({"id": "_:b0"}, ["/id"]),
        ({"id": "https://old.example.com/" + "a" * 300}, ["/id"]),
        ({"image": {"id": "https://old.example.com/i", "author": "https://a.example"}}, ["/image/author"]),
        ({"criteria": {"id": "urn:x:1", "narrative": "N"}}, ["/criteria/id"]),
        ({"criteria": {"narrative": "N", "extensions:x": 1}}, ["/criteria/extensions:x"]),
        ({"alignment": badge_class()["alignment"] | {"targetType": "CFItem"}}, ["/alignment/targetType"]),
        ({"issuer": "https://old.example.com/issuers/3"}, ["/issuer"]),
        ({"issuer": {"id": "https://old.example.com/issuers/3"}}, ["/issuer"]),
        ({"issuer": {"name": "The robot club"}}, ["/issuer"]),
        (
            {"issuer": badge_class()["issuer"] | {"publicKey": "https://k.example", "image": "data:image/png,x"}},
            ["/issuer/publicKey", "/issuer/image"],
        ),
    ],
    ids=str,
)  # fmt: skip
def test_what_has_no_place_is_told(changes: dict[str, Any], places: list[str]) -> None:
    assert noted(**changes) == places


def test_very_many_notices_are_counted() -> None:
    notices = read_badge_class(badge_class(**{f"x{number}": 1 for number in range(MAX_REPORTED + 50)})).notices
    assert len(notices) == MAX_REPORTED + 2
    assert notices[-1].detail == "50 more members were not carried over."


@pytest.mark.parametrize(
    "document",
    [None, 1, "BadgeClass", [badge_class()], [], True],
    ids=str,
)
def test_what_is_not_an_object_is_refused(document: object) -> None:
    assert list(refused(document)) == [""]


@pytest.mark.parametrize(
    ("changes", "place", "detail"),
    [
        ({"type": "Assertion"}, "/type", "Assertion"),
        ({"type": ["Issuer"]}, "/type", "profile"),
        ({"type": ["Achievement", "https://w3id.org/openbadges#BadgeClass"]}, "/type", "3.0"),
        ({"type": ["VerifiableCredential", "OpenBadgeCredential"]}, "/type", "3.0"),
        ({"type": None}, "/type", "not BadgeClass"),
        ({"type": {"BadgeClass": 1}}, "/type", "not BadgeClass"),
        ({"@context": "https://w3id.org/openbadges/v1"}, "/@context", "2.0"),
        ({"@context": "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"}, "/@context", "2.0"),
        ({"@context": {"a": "b"}}, "/@context", "2.0"),
        ({"name": None}, "/name", "missing"),
        ({"name": "  "}, "/name", "missing"),
        ({"name": {"@value": "Robotics"}}, "/name", "text"),
        ({"name": 0}, "/name", "text"),
        ({"description": ""}, "/description", "missing"),
        ({"description": False}, "/description", "text"),
        ({"criteria": None}, "/criteria", "missing"),
        ({"criteria": {"type": "Criteria"}}, "/criteria", "neither"),
        ({"criteria": "Builds a robot."}, "/criteria", "address"),
        ({"criteria": {"id": "javascript:alert(1)"}}, "/criteria/id", "address"),
        ({"criteria": ["https://a.example", "https://b.example"]}, "/criteria", "one"),
        ({"criteria": 7}, "/criteria", "one"),
        ({"criteria": {"narrative": ["x"]}}, "/criteria/narrative", "text"),
        ({"image": 7}, "/image", "one"),
        ({"image": {"id": 7}}, "/image/id", "text"),
        ({"issuer": 7}, "/issuer", "one"),
        ({"issuer": badge_class()["issuer"] | {"telephone": 555}}, "/issuer/telephone", "text"),
        ({"tags": [["robots"]]}, "/tags/0", "text"),
        ({"tags": {"a": 1}}, "/tags", "text"),
        ({"alignment": ["https://standards.example.org/3"]}, "/alignment/0", "object"),
        ({"alignment": [{"targetName": "Uses sensors"}]}, "/alignment/0/targetUrl", "missing"),
        ({"alignment": badge_class()["alignment"] | {"targetCode": 3}}, "/alignment/targetCode", "text"),
        ({"@language": 3}, "/@language", "text"),
        ({"id": 3}, "/id", "text"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_not_open_badges_2_is_refused_where_it_is(changes: dict[str, Any], place: str, detail: str) -> None:
    faults = refused(badge_class(**changes))
    assert list(faults) == [place]
    assert detail in faults[place]


def test_all_faults_are_told_at_once() -> None:
    assert list(refused(badge_class(name=None, tags=[1], issuer=2))) == ["/name", "/tags/0", "/issuer"]
    assert len(refused(badge_class(tags=list(range(1, 1000))))) == MAX_REPORTED


ISSUER = {"id": "did:web:b.example:issuers:a", "name": "The academy", "url": "https://academy.example.org/"}


@pytest.mark.parametrize(
    ("creator", "same"),
    [
        ({}, False),
        ({"url": "https://other.example.org"}, False),
        ({"name": "the ACADEMY "}, True),
        ({"url": "https://academy.example.org"}, True),
        ({"id": "did:web:b.example:issuers:a"}, True),
        ({"id": "https://old.example.com/issuers/3"}, True),
    ],
)
def test_who_is_the_issuer_itself(creator: dict[str, str], same: bool) -> None:
    known = {"otherIdentifier": [{"identifier": "https://old.example.com/issuers/3"}]}
    other = {"id": "https://old.example.com/issuers/4", "name": "Another"}
    assert is_same_organization(other | creator, ISSUER | known) is same


def test_a_test_issuer_is_known_by_its_name_without_the_mark() -> None:
    assert is_same_organization({"id": "urn:x:1", "name": "The academy"}, ISSUER | {"name": "TEST: The academy"})
    assert not is_same_organization({"id": "urn:x:1", "name": "TEST: "}, {"id": "did:example:1", "name": "The academy"})


def test_data_uris_are_read() -> None:
    encoded = base64.b64encode(b"<svg/>").decode()
    for uri in (
        f"data:image/svg+xml;base64,{encoded}",
        f"DATA:image/svg+xml;charset=utf-8;BASE64,{encoded[:3]}\n {encoded[3:]}",
        f"data:;base64,{encoded.replace('=', '%3D')}",
        "data:image/svg+xml;utf8,<svg/>",
        "data:image/svg+xml,%3Csvg%2F%3E",
    ):
        assert decode_data_uri(uri) == b"<svg/>", uri
    for uri in (
        "data:image/png;base64",
        "https://a.example/,x",
        "data:;base64,é",
        "data:;base64,abc",
        "data:;base64,a*==",
    ):
        with pytest.raises(ValueError, match="is not"):
            decode_data_uri(uri)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
    | st.sampled_from(["https://a.example/x", "data:,x", "en-US", "BadgeClass", "urn:x:y"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["id", "name", "narrative", "caption", "targetName", "targetUrl", "image", "~/"]), inner),
    max_leaves=8,
)  # fmt: skip


def at(document: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        document = document[int(part)] if isinstance(document, list) else document.get(part)
    return document


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from([*badge_class(), "extensions:~/x"]), values))
def test_anything_is_read_or_refused_at_a_place_that_is_there(changes: dict[str, Any]) -> None:
    document = badge_class(**changes)
    try:
        facts = read_badge_class(document)
    except InvalidBadgeClass as error:
        places = [fault.pointer.rpartition("/")[0] for fault in error.faults]
        for place in places:
            at(document, place)
        return
    for source in facts.sources.values():
        at(document, source)
    for notice in facts.notices:
        at(document, notice.pointer)
