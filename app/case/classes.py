"""The classes of a CFPackage and their members, as data.

A member is of one of these kinds:

    guid           a UUID in lower case
    uri            an absolute URI
    text           any text (NormalizedString, String, Language and URL of the information model)
    texts          an array of text
    moment, date   ISO 8601
    integer, number
    link           {title, identifier: GUID, uri}: an object of the framework, or of another one
    links          an array of them
    node           {title, identifier, uri, targetType}: what an association leads from or to, not always of CASE
    association    the type of an association; one of one's own begins with `ext:`
    version        the version of CASE that the document is written in
    object         one object of the class `of`
    objects        an array of them
    extensions     an object with anything in it
    extensions_of_level   an array of them: CFRubricCriterionLevel alone has it so
"""

from collections.abc import Mapping
from dataclasses import dataclass

VERSION = "1.1"
OLDER_VERSIONS = ("1.0",)

ASSOCIATION_TYPES = (
    "isChildOf", "isPeerOf", "isPartOf", "exactMatchOf", "precedes", "isRelatedTo", "replacedBy", "exemplar",
    "hasSkillLevel", "isTranslationOf",
)  # fmt: skip
EXTENSION = r"ext:[A-Za-z0-9._-]+"
"""What an association type or target type of one's own looks like."""


@dataclass(frozen=True, slots=True)
class Member:
    kind: str
    required: bool = False
    of: str = ""


def _members(required: str, optional: str = "", **others: Member) -> Mapping[str, Member]:
    """Members written as `name:kind`; kind is text where it is left out."""
    members = {}
    for names, is_required in ((required, True), (optional, False)):
        for name, _, kind in (each.partition(":") for each in names.split()):
            members[name] = Member(kind or "text", is_required)
    return {**members, **others, **({} if "extensions" in others else {"extensions": Member("extensions")})}


_SAME = "identifier:guid uri:uri lastChangeDateTime:moment"
"""What every object of CASE has."""

CLASSES: Mapping[str, Mapping[str, Member]] = {
    "CFPackage": _members(
        "",
        CFDocument=Member("object", True, "CFDocument"),
        CFItems=Member("objects", of="CFItem"),
        CFAssociations=Member("objects", of="CFAssociation"),
        CFDefinitions=Member("object", of="CFDefinition"),
        CFRubrics=Member("objects", of="CFRubric"),
    ),
    "CFDocument": _members(
        f"{_SAME} creator title",
        "caseVersion:version frameworkType officialSourceURL publisher description subject:texts subjectURI:links language "
        "version adoptionStatus statusStartDate:date statusEndDate:date licenseURI:link notes",
    ),
    "CFItem": _members(
        f"{_SAME} fullStatement",
        "alternativeLabel CFItemType humanCodingScheme listEnumeration abbreviatedStatement conceptKeywords:texts "
        "conceptKeywordsURI:link notes subject:texts subjectURI:links language educationLevel:texts CFItemTypeURI:link "
        "licenseURI:link statusStartDate:date statusEndDate:date",
    ),
    "CFAssociation": _members(
        f"{_SAME} associationType:association originNodeURI:node destinationNodeURI:node",
        "sequenceNumber:integer CFAssociationGroupingURI:link notes",
    ),
    "CFDefinition": _members(
        "",
        CFConcepts=Member("objects", of="CFConcept"),
        CFSubjects=Member("objects", of="CFSubject"),
        CFLicenses=Member("objects", of="CFLicense"),
        CFItemTypes=Member("objects", of="CFItemType"),
        CFAssociationGroupings=Member("objects", of="CFAssociationGrouping"),
    ),
    "CFConcept": _members(f"{_SAME} title hierarchyCode", "keywords description"),
    "CFSubject": _members(f"{_SAME} title hierarchyCode", "description"),
    "CFLicense": _members(f"{_SAME} title licenseText", "description"),
    "CFItemType": _members(f"{_SAME} title description hierarchyCode", "typeCode"),
    "CFAssociationGrouping": _members(f"{_SAME} title", "description"),
    "CFRubric": _members(
        _SAME, "title description", CFRubricCriteria=Member("objects", of="CFRubricCriterion")
    ),
    "CFRubricCriterion": _members(
        _SAME,
        "category description CFItemURI:link weight:number position:integer rubricId:guid",
        CFRubricCriterionLevels=Member("objects", of="CFRubricCriterionLevel"),
    ),
    "CFRubricCriterionLevel": _members(
        _SAME,
        "description quality score:number feedback position:integer rubricCriterionId:guid",
        extensions=Member("extensions_of_level"),
    ),
    "LinkURI": {"title": Member("text", True), "identifier": Member("guid", True), "uri": Member("uri", True)},
    "LinkGenURI": {
        "title": Member("text", True),
        "identifier": Member("text", True),
        "uri": Member("uri", True),
        "targetType": Member("target"),
    },
}  # fmt: skip
