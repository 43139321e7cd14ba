"""CFPackages for tests: a whole one of CASE 1.1 with an object of every class, and shorter ones."""

import copy
from typing import Any

URL = "https://frameworks.example.org/ims/case/v1p1"
WHEN = "2026-01-12T09:00:00Z"
DOCUMENT, STANDARD, STATEMENT, OTHER = (f"{digit}0000000-0000-4000-8000-000000000000" for digit in "d123")
TYPE, SUBJECT, CONCEPT, LICENSE, GROUPING = (f"{digit}0000000-0000-4000-8000-00000000000b" for digit in "12345")
RUBRIC, CRITERION, LEVEL = (f"{digit}0000000-0000-4000-8000-00000000000c" for digit in "123")
ELSEWHERE = "99999999-9999-4999-8999-999999999999"


def case_object(class_name: str, identifier: str, **members: Any) -> dict[str, Any]:
    uri = f"{URL}/{class_name}/{identifier}"
    return {"identifier": identifier, "uri": uri, "lastChangeDateTime": WHEN, **members}


def link(class_name: str, identifier: str, title: str) -> dict[str, str]:
    return {"title": title, "identifier": identifier, "uri": f"{URL}/{class_name}/{identifier}"}


def child_of(number: int, child: str, parent: str, **members: Any) -> dict[str, Any]:
    return association(
        number, "isChildOf", link("CFItems", child, "child"), link("CFItems", parent, "parent"), **members
    )


def association(
    number: int, type_: str, origin: dict[str, Any], destination: dict[str, Any], **members: Any
) -> dict[str, Any]:
    return case_object(
        "CFAssociations",
        f"a0000000-0000-4000-8000-{number:012d}",
        associationType=type_,
        originNodeURI=origin,
        destinationNodeURI=destination,
        **members,
    )


def small_package(items: int = 1, **document: Any) -> dict[str, Any]:
    """A framework with `items` statements, each a child of the document. Written as CASE 1.0."""
    identifiers = [f"c0000000-0000-4000-8000-{number:012d}" for number in range(items)]
    return {
        "CFDocument": case_object("CFDocuments", DOCUMENT, creator="The academy", title="Small", **document),
        "CFItems": [
            case_object("CFItems", each, fullStatement=f"Statement {number}")
            for number, each in enumerate(identifiers, 1)
        ],
        "CFAssociations": [child_of(number, each, DOCUMENT) for number, each in enumerate(identifiers)],
    }


def whole_package() -> dict[str, Any]:
    """Every class of CASE 1.1 with every member, in the very form that we export."""
    level = case_object(
        "CFRubricCriterionLevels", LEVEL,
        description="The evidence shows it.", quality="Demonstrated", score=2.5, feedback="Well done.", position=1,
        rubricCriterionId=CRITERION, extensions=[{"benchmark": True}],
    )  # fmt: skip
    criterion = case_object(
        "CFRubricCriteria", CRITERION,
        category="Practice", description="Frames the problem", CFItemURI=link("CFItems", STATEMENT, "3.c"), weight=1,
        position=1, rubricId=RUBRIC, CFRubricCriterionLevels=[level],
    )  # fmt: skip
    return copy.deepcopy(
        {
            "CFDocument": case_object(
                "CFDocuments", DOCUMENT,
                creator="The academy", title="Leading for equity", caseVersion="1.1", frameworkType="ext:leadership",
                officialSourceURL="https://www.example.org/equity", publisher="The academy", description="What leaders do.",
                subject=["Leadership"], subjectURI=[link("CFSubjects", SUBJECT, "Leadership")], language="en", version="2",
                adoptionStatus="Adopted", statusStartDate="2026-01-01", statusEndDate="2030-12-31",
                licenseURI=link("CFLicenses", LICENSE, "CC BY"), notes="A note.", extensions={"state": "NC"},
            ),
            "CFItems": [
                case_object("CFItems", STANDARD, fullStatement="Equity", humanCodingScheme="3", CFItemType="Standard"),
                case_object(
                    "CFItems", STATEMENT,
                    fullStatement="Ensures equitable access to effective teachers.\r\nFor each student 𝑑.",
                    alternativeLabel="Competency", CFItemType="Element", humanCodingScheme="3.c", listEnumeration="c",
                    abbreviatedStatement="Equitable access", conceptKeywords=["equity", "access"],
                    conceptKeywordsURI=link("CFConcepts", CONCEPT, "equity"), notes="From PSEL.", subject=["Leadership"],
                    subjectURI=[link("CFSubjects", SUBJECT, "Leadership")], language="en", educationLevel=["KG", "12"],
                    CFItemTypeURI=link("CFItemTypes", TYPE, "Element"), licenseURI=link("CFLicenses", LICENSE, "CC BY"),
                    statusStartDate="2026-01-01", statusEndDate="2030-12-31", extensions={"weight": {"of": [1, None]}},
                ),
                case_object("CFItems", OTHER, fullStatement="Voice"),
            ],
            "CFAssociations": [
                child_of(1, STANDARD, DOCUMENT, sequenceNumber=1, notes="First."),
                child_of(2, STATEMENT, STANDARD, CFAssociationGroupingURI=link("CFAssociationGroupings", GROUPING, "Core")),
                child_of(3, OTHER, STANDARD),
                association(4, "ext:supports", link("CFItems", OTHER, "Voice"),
                            {"title": "A course", "identifier": "course-17", "uri": "https://lms.example.org/17",
                             "targetType": "ext:course"}),
                association(5, "exactMatchOf", link("CFItems", STATEMENT, "3.c"), link("CFItems", ELSEWHERE, "PSEL 3.c")),
            ],
            "CFDefinitions": {
                "CFConcepts": [case_object("CFConcepts", CONCEPT, title="equity", hierarchyCode="1", keywords="fair|just",
                                           description="Fairness.")],
                "CFSubjects": [case_object("CFSubjects", SUBJECT, title="Leadership", hierarchyCode="1", description="To lead.")],
                "CFLicenses": [case_object("CFLicenses", LICENSE, title="CC BY", licenseText="Use it.", description="Open.")],
                "CFItemTypes": [case_object("CFItemTypes", TYPE, title="Element", description="A part.", hierarchyCode="2",
                                            typeCode="E")],
                "CFAssociationGroupings": [case_object("CFAssociationGroupings", GROUPING, title="Core", description="All.")],
            },
            "CFRubrics": [case_object("CFRubrics", RUBRIC, title="Rubric", description="One.", CFRubricCriteria=[criterion])],
            "extensions": {"exportedBy": "a tool"},
        }
    )  # fmt: skip


def changed(document: Any, place: tuple[str | int, ...], value: Any) -> Any:
    """A copy of `document` with `value` at `place`; the objects and arrays on the way must be there."""
    if not place:
        return value
    copied = copy.copy(document)
    copied[place[0]] = changed(document[place[0]] if len(place) > 1 else None, place[1:], value)
    return copied
