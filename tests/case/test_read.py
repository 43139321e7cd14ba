"""CFPackages of both versions, read into CASE 1.1: nothing lost in silence, nothing accepted that leads nowhere."""

import contextlib
import copy
import itertools
import json
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.case.classes import CLASSES
from app.case.package import find_newest_change, list_targets
from app.case.read import MAX_LEVELS, MAX_REPORTED, InvalidFramework, ReadPackage, list_objects, read_package
from tests.frameworks.packages import (
    CRITERION,
    DOCUMENT,
    ELSEWHERE,
    LEVEL,
    OTHER,
    RUBRIC,
    STANDARD,
    STATEMENT,
    TYPE,
    WHEN,
    association,
    changed,
    child_of,
    link,
    small_package,
    whole_package,
)

PUBLISHED = ("ItemTypeTestFramework", "MarkdownFramework", "SmartLevelFramework", "Utf8TestFramework")


FORMATS = jsonschema.FormatChecker(formats=())
"""Formats as the schema means them: its `oneOf` of date and date-time needs them to be told apart."""


@FORMATS.checks("date", ValueError)
def is_date(value: object) -> bool:
    return re.fullmatch(r"[0-9-]{10}", str(value)) is not None and date.fromisoformat(str(value)) is not None


@FORMATS.checks("date-time", ValueError)
def is_moment(value: object) -> bool:
    return datetime.fromisoformat(str(value)).tzinfo is not None


@FORMATS.checks("uri")
def is_uri(value: object) -> bool:
    return re.match(r"[a-z]+:[!-~]+$", str(value)) is not None


class Schema:
    """The schema of CASE 1.0."""

    def __init__(self, shared: Path) -> None:
        schema = json.loads((shared / "data/case/case-v1p0-cfpackage-schema.json").read_text())
        self._validator = jsonschema.Draft7Validator(schema, format_checker=FORMATS)

    def list_errors(self, package: Any) -> list[str]:
        return [error.json_path for error in self._validator.iter_errors(package)]


@pytest.fixture
def schema(shared: Path) -> Schema:
    return Schema(shared)


def pointers(error: InvalidFramework) -> list[str]:
    return [fault.pointer for fault in error.faults]


def refused(document: Any) -> InvalidFramework:
    with pytest.raises(InvalidFramework) as raised:
        read_package(document)
    assert raised.value.faults
    assert all(fault.detail and fault.cure for fault in raised.value.faults)
    return raised.value


def notices(read: ReadPackage) -> dict[str, str]:
    return {notice.pointer: notice.detail for notice in read.notices}


# The box of the issue


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_frameworks_are_read_without_a_loss(shared: Path, schema: Schema, name: str) -> None:
    document = json.loads((shared / f"data/case/{name}.json").read_text())
    assert schema.list_errors(document) == []
    read = read_package(document)
    assert read.notices == ()
    definitions = {name: objects for name, objects in document["CFDefinitions"].items() if objects}
    kept = {**document, "CFDocument": {**document["CFDocument"], "caseVersion": "1.1"}, "CFDefinitions": definitions}
    assert read.package == {name: value for name, value in kept.items() if value != {}}
    assert schema.list_errors(read.package) == []


def test_a_whole_package_of_case_1_1_is_read_as_it_is() -> None:
    classes = {class_name for _, class_name, _ in list_objects(whole_package())}
    assert classes == CLASSES.keys() - {"CFPackage", "CFDefinition", "LinkURI", "LinkGenURI"}
    read = read_package(whole_package())
    assert read.package == whole_package()
    assert read.notices == ()


def test_what_is_exported_keeps_the_schema_of_case_1_0_where_the_versions_agree(schema: Schema) -> None:
    package = read_package(whole_package()).package
    assert schema.list_errors(package) != []  # it does hold members that CASE 1.0 does not know
    assert schema.list_errors(as_case_1_0(package)) == []
    broken = changed(as_case_1_0(package), ("CFItems", 0, "fullStatement"), 3)
    assert schema.list_errors(broken) == ["$.CFItems[0].fullStatement"]


def as_case_1_0(value: Any) -> Any:
    """Without what CASE 1.1 added: `extensions` everywhere, `targetType`, association types of one's own."""
    if isinstance(value, list):
        return [as_case_1_0(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {name: as_case_1_0(each) for name, each in value.items() if name not in ("extensions", "targetType")}
    if kept.get("associationType", "").startswith("ext:"):
        kept["associationType"] = "isRelatedTo"
    return kept


# What publishers write otherwise

LENIENT: dict[str, tuple[tuple[str | int, ...], Any, Any, str]] = {
    "null is not given": (("CFItems", 0, "notes"), None, None, ""),
    "empty text is not given": (("CFItems", 0, "notes"), "", None, ""),
    "empty array is not given": (("CFItems", 0, "conceptKeywords"), [], None, ""),
    "one text is a list of it": (("CFItems", 0, "educationLevel"), "09", ["09"], ""),
    "upper-case GUID": (("CFItems", 0, "identifier"), STANDARD.upper(), STANDARD, ""),
    "number as text": (("CFAssociations", 0, "sequenceNumber"), "7", 7, "was text"),
    "whole float": (("CFAssociations", 0, "sequenceNumber"), 7.0, 7, ""),
    "weight as text": (("CFRubrics", 0, "CFRubricCriteria", 0, "weight"), "0.25", 0.25, "was text"),
    "text as number": (("CFItems", 0, "humanCodingScheme"), 3.1, "3.1", "was a number"),
    "midnight as a date": (("CFDocument", "statusStartDate"), "2026-01-01T00:00:00Z", "2026-01-01", ""),
    "date with a time": (("CFDocument", "statusStartDate"), "2026-01-01T08:30:00Z", "2026-01-01", "time of day"),
    "time without a zone": (("CFItems", 0, "lastChangeDateTime"), "2026-01-12 09:00", "2026-01-12T09:00:00Z", "UTC"),
    "time without a colon": (("CFItems", 0, "lastChangeDateTime"), "2026-01-12T09:00:00-0500", "2026-01-12T09:00:00-05:00", ""),
    "time as RFC 3339": (("CFItems", 0, "lastChangeDateTime"), "2026-01-12t09:00:00.12z", "2026-01-12t09:00:00.12z", ""),
    "association type": (("CFAssociations", 4, "associationType"), "isSupportedBy", "ext:isSupportedBy", "kept as ext:"),
    "older version": (("CFDocument", "caseVersion"), "1.0", "1.1", ""),
    "version as number": (("CFDocument", "caseVersion"), 1.1, "1.1", ""),
    "extensions of a level": (
        ("CFRubrics", 0, "CFRubricCriteria", 0, "CFRubricCriterionLevels", 0, "extensions"), {"a": 1}, [{"a": 1}], "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LENIENT)
def test_what_is_beyond_doubt_is_put_right(name: str) -> None:
    place, value, expected, notice = LENIENT[name]
    read = read_package(changed(whole_package(), place, value))
    found: Any = read.package
    for part in place[:-1]:
        found = found[part]
    assert found.get(place[-1]) == expected
    told = notices(read).get("/" + "/".join(map(str, place)), "")
    assert (notice in told) if notice else (told == "")
    again = read_package(read.package)
    assert (again.package, again.notices) == (read.package, ())


def test_what_is_no_member_of_case_is_kept_and_named() -> None:
    package = whole_package()
    package["smarterBalanced"] = {"grade": 3}
    package["CFItems"][0]["full_statement_html"] = "<p>Equity</p>"
    package["CFItems"][1]["grade"] = [3]
    package["CFAssociations"][0]["originNodeURI"]["hint"] = "x"
    package["CFRubrics"][0]["CFRubricCriteria"][0]["CFRubricCriterionLevels"][0]["color"] = "red"
    read = read_package(package)
    item, other = read.package["CFItems"][:2]
    assert item["extensions"] == {"full_statement_html": "<p>Equity</p>"}
    assert other["extensions"] == {"weight": {"of": [1, None]}, "grade": [3]}
    assert read.package["extensions"] == {"exportedBy": "a tool", "smarterBalanced": {"grade": 3}}
    level = read.package["CFRubrics"][0]["CFRubricCriteria"][0]["CFRubricCriterionLevels"][0]
    assert level["extensions"] == [{"benchmark": True}, {"color": "red"}]
    assert set(notices(read)) == {
        "/smarterBalanced", "/CFItems/0/full_statement_html", "/CFItems/1/grade", "/CFAssociations/0/originNodeURI/hint",
        "/CFRubrics/0/CFRubricCriteria/0/CFRubricCriterionLevels/0/color",
    }  # fmt: skip
    assert read_package(read.package).notices == ()


def test_an_unknown_member_does_not_take_the_place_of_an_extension() -> None:
    package = changed(whole_package(), ("extensions",), {"grade": 3})
    assert pointers(refused({**package, "grade": 4})) == ["/grade"]


def test_which_document_something_stands_in_is_not_repeated() -> None:
    package = small_package()
    package["CFDocument"]["CFPackageURI"] = link("CFPackages", DOCUMENT.upper(), "Small")
    package["CFItems"][0]["CFDocumentURI"] = link("CFDocuments", DOCUMENT, "Small")
    package["CFAssociations"][0]["CFDocumentURI"] = link("CFDocuments", ELSEWHERE, "Another")
    read = read_package(package)
    assert set(notices(read)) == {"/CFAssociations/0/CFDocumentURI"}
    assert read.package["CFAssociations"][0]["extensions"]["CFDocumentURI"]["identifier"] == ELSEWHERE


def test_an_item_type_of_case_1_0_gets_the_description_that_1_1_wants() -> None:
    package = whole_package()
    del package["CFDefinitions"]["CFItemTypes"][0]["description"]
    read = read_package(package)
    assert read.package["CFDefinitions"]["CFItemTypes"][0]["description"] == "Element"
    assert set(notices(read)) == {"/CFDefinitions/CFItemTypes/0/description"}


def test_what_leads_out_of_the_package_is_named_once() -> None:
    package = whole_package()
    del package["CFDefinitions"]["CFItemTypes"]
    package["CFItems"][0]["CFItemTypeURI"] = link("CFItemTypes", TYPE, "Element")
    package["CFAssociations"].append(
        association(6, "isRelatedTo", link("CFItems", ELSEWHERE, "a"), link("CFItems", ELSEWHERE, "b"))
    )
    read = read_package(package)
    assert set(notices(read)) == {"/CFItems/0/CFItemTypeURI", "/CFAssociations/5"}


def test_notices_end_somewhere() -> None:
    package = small_package(MAX_REPORTED + 50)
    for item in package["CFItems"]:
        item["grade"] = 3
    read = read_package(package)
    assert len(read.notices) == MAX_REPORTED
    assert read.notices[-1].detail == "There are 51 more notices like these."


# What is refused


def test_what_is_not_a_package_is_told_so() -> None:
    for document, pointer in (
        ([], ""), ("CFPackage", ""), (None, ""), ({}, "/CFDocument"), ({"CFItems": []}, "/CFDocument"),
        ({"CFDocuments": []}, ""), ({"CFPackage": small_package()}, "/CFPackage"), ({"CFDocument": None}, "/CFDocument"),
        ({"CFDocument": "x"}, "/CFDocument"),
    ):  # fmt: skip
        assert pointers(refused(document)) == [pointer], document


FAULTY: dict[str, tuple[tuple[str | int, ...], Any]] = {
    "required member": (("CFItems", 0, "fullStatement"), None),
    "identifier": (("CFItems", 0, "identifier"), "item-1"),
    "identifier of a number": (("CFItems", 0, "identifier"), 1),
    "relative uri": (("CFItems", 0, "uri"), "/CFItems/1"),
    "moment": (("CFItems", 0, "lastChangeDateTime"), "last week"),
    "moment that never was": (("CFItems", 0, "lastChangeDateTime"), "2026-02-30T00:00:00Z"),
    "moment at the calendar's end": (("CFItems", 0, "lastChangeDateTime"), "9999-12-31T23:59:59-12:00"),
    "date": (("CFDocument", "statusStartDate"), "2026-13-01"),
    "date of a number": (("CFDocument", "statusStartDate"), 2026),
    "version": (("CFDocument", "caseVersion"), "2.0"),
    "text of an object": (("CFDocument", "title"), {"en": "x"}),
    "text of a truth": (("CFDocument", "title"), True),
    "text too long": (("CFDocument", "notes"), "x" * 50_001),
    "texts of an object": (("CFDocument", "subject"), {"en": "x"}),
    "text in a list": (("CFDocument", "subject", 0), ["x"]),
    "link of a text": (("CFDocument", "licenseURI"), "https://example.org"),
    "link without a GUID": (("CFDocument", "licenseURI", "identifier"), "cc-by"),
    "node without a uri": (("CFAssociations", 0, "originNodeURI", "uri"), None),
    "association type": (("CFAssociations", 0, "associationType"), "is child of"),
    "association type of a list": (("CFAssociations", 0, "associationType"), ["isChildOf"]),
    "fraction": (("CFAssociations", 0, "sequenceNumber"), 1.5),
    "large number": (("CFAssociations", 0, "sequenceNumber"), 2**31),
    "truth as number": (("CFAssociations", 0, "sequenceNumber"), True),
    "number as word": (("CFRubrics", 0, "CFRubricCriteria", 0, "weight"), "half"),
    "extensions of a list": (("extensions",), [1]),
    "items of an object": (("CFItems",), {"a": 1}),
    "item of a text": (("CFItems", 1), "x"),
    "definitions of a list": (("CFDefinitions",), [1]),
    "rubric of another": (("CFRubrics", 0, "CFRubricCriteria", 0, "rubricId"), ELSEWHERE),
    "criterion of another": (
        ("CFRubrics", 0, "CFRubricCriteria", 0, "CFRubricCriterionLevels", 0, "rubricCriterionId"), ELSEWHERE,
    ),
    "child that is not there": (("CFAssociations", 0, "originNodeURI", "identifier"), ELSEWHERE),
    "parent that is not there": (("CFAssociations", 0, "destinationNodeURI", "identifier"), ELSEWHERE),
    "document as a child": (("CFAssociations", 0, "originNodeURI", "identifier"), DOCUMENT),
    "identifier twice": (("CFItems", 1, "identifier"), DOCUMENT.upper()),
    "identifier of a level twice": (
        ("CFRubrics", 0, "CFRubricCriteria", 0, "CFRubricCriterionLevels", 0, "identifier"), RUBRIC,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTY)
def test_what_is_not_sound_is_refused_at_its_place(name: str) -> None:
    read_package(whole_package())
    place, value = FAULTY[name]
    assert pointers(refused(changed(whole_package(), place, value))) == ["/" + "/".join(map(str, place))]


def test_all_faults_are_told_at_once_and_end_somewhere() -> None:
    package = small_package(MAX_REPORTED + 50)
    for item in package["CFItems"]:
        item["uri"] = "nowhere"
    assert len(refused(package).faults) == MAX_REPORTED


class Walked(list[Any]):
    """A list that counts how many of its items were looked at."""

    count = 0

    def __iter__(self) -> Iterator[Any]:
        for each in super().__iter__():
            self.count += 1
            yield each


@pytest.mark.parametrize("item", [{}, 1], ids=["empty", "number"])
def test_a_package_of_mere_faults_is_not_read_to_its_end(item: Any) -> None:
    package = small_package()
    package["CFItems"] = Walked([item] * 10 * MAX_REPORTED)
    assert len(refused(package).faults) == MAX_REPORTED
    assert 0 < package["CFItems"].count <= MAX_REPORTED


def test_a_statement_is_not_its_own_ancestor() -> None:
    package = whole_package()
    package["CFAssociations"].append(child_of(7, STANDARD, STATEMENT))
    error = refused(package)
    assert pointers(error) in (["/CFAssociations/1"], ["/CFAssociations/5"])
    assert STANDARD in error.faults[0].detail
    assert STATEMENT in error.faults[0].detail
    assert OTHER not in error.faults[0].detail  # it hangs on the cycle and is not of it
    package["CFAssociations"][-1] = child_of(7, OTHER, OTHER)
    assert pointers(refused(package)) == ["/CFAssociations/5"]
    package["CFAssociations"][-1] = child_of(7, OTHER, STATEMENT)
    assert read_package(package).notices == ()  # two parents are no cycle


def test_a_tree_has_so_many_levels_and_no_more() -> None:
    for levels, is_sound in ((MAX_LEVELS, True), (MAX_LEVELS + 1, False)):
        package = small_package(levels)
        identifiers = [item["identifier"] for item in package["CFItems"]]
        package["CFAssociations"] = [
            child_of(number, child, parent) for number, (parent, child) in enumerate(itertools.pairwise(identifiers))
        ]
        if is_sound:
            read_package(package)
        else:
            assert pointers(refused(package)) == [f"/CFAssociations/{levels - 2}"]


def test_a_chain_of_thousands_is_no_burden() -> None:
    package = small_package(5_000)
    items = package["CFItems"]
    package["CFAssociations"] = [
        child_of(number, items[number]["identifier"], items[(number + 1) % len(items)]["identifier"])
        for number in range(len(items))
    ]
    assert len(refused(package).faults) == 1


# Whatever is sent

PLACES = [place for place, *_ in (*LENIENT.values(), *FAULTY.values())]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=20)
    | st.sampled_from([DOCUMENT, STANDARD, STATEMENT, CRITERION, LEVEL, WHEN, "isChildOf", "0000-00-00", "2026-01-01T99:99"]),
    lambda children: st.lists(children, max_size=3)
    | st.dictionaries(st.sampled_from(["identifier", "uri", "title", "extensions", "a/b~c"]), children, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.integers(1, 8), ANYTHING), min_size=1, max_size=3))
def test_anything_anywhere_is_read_or_refused(changes: list[tuple[tuple[str | int, ...], int, Any]]) -> None:
    document: Any = whole_package()
    for place, depth, value in changes:
        with contextlib.suppress(KeyError, IndexError, TypeError):  # an earlier change took the place away
            document = changed(document, place[:depth], copy.deepcopy(value))
    try:
        read = read_package(document)
    except InvalidFramework:
        refused(document)
    else:
        assert read_package(read.package).package == read.package


# What is found in a package


def test_what_alignments_may_name_is_found() -> None:
    targets = {target.identifier: target for target in list_targets(read_package(whole_package()).package)}
    assert list(targets) == [STANDARD, STATEMENT, OTHER, RUBRIC, CRITERION, LEVEL]
    assert [target.text for target in targets.values()][3:] == ["Rubric", "Frames the problem", "Demonstrated"]
    assert (targets[STATEMENT].code, targets[STATEMENT].label) == ("3.c", "Element")


def test_the_newest_change_is_that_of_any_object() -> None:
    package = changed(whole_package(), ("CFRubrics", 0, "lastChangeDateTime"), "2026-03-01T01:00:00+02:00")
    assert find_newest_change(package).isoformat() == "2026-03-01T01:00:00+02:00"
