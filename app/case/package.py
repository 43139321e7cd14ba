"""What can be asked of a CFPackage that was read, and the answers of the REST binding that are made from it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.case.read import Package, list_objects, parse_moment

PRIVATE_DRAFT = "Private Draft"
"""The `adoptionStatus` of a framework that nobody else is to see (CASE, section on adoptionStatus)."""


@dataclass(frozen=True, slots=True)
class Target:
    """An object that an alignment may name: a statement, a rubric, one of its criteria or levels.

    `type` is its class, `text` what people read of it, `code` and `label` are the `humanCodingScheme` and `CFItemType` of a
    statement, `body` is the object as it stands in the package.
    """

    type: str
    identifier: str
    text: str
    code: str | None
    label: str | None
    body: Mapping[str, Any]


_TEXTS: Mapping[str, tuple[str, ...]] = {
    "CFItem": ("fullStatement", "abbreviatedStatement"),
    "CFRubric": ("title", "description"),
    "CFRubricCriterion": ("description", "category"),
    "CFRubricCriterionLevel": ("quality", "description"),
}


def list_targets(package: Package) -> Iterator[Target]:
    """What alignments may name, in the order of the document."""
    for _, class_name, each in list_objects(package):
        if class_name in _TEXTS:
            texts = (str(each.get(name, "")) for name in _TEXTS[class_name])
            text = next((text for text in texts if text.strip()), each["identifier"])
            yield Target(
                class_name, each["identifier"], text, each.get("humanCodingScheme"), each.get("CFItemType"), each
            )


def find_newest_change(package: Package) -> datetime:
    """The latest `lastChangeDateTime` of anything in the package: publishers change a statement and not its document."""
    return max(parse_moment(each["lastChangeDateTime"]) for _, _, each in list_objects(package))


def is_private(document: Mapping[str, Any]) -> bool:
    """Whether a CFDocument is one for its owner alone."""
    return str(document.get("adoptionStatus", "")).casefold() == PRIVATE_DRAFT.casefold()


def compose_document(document: Mapping[str, Any], package_uri: str) -> dict[str, Any]:
    """A CFDocument by itself (REST binding, getCFDocument)."""
    link = {"title": document["title"], "identifier": document["identifier"], "uri": package_uri}
    return {**document, "CFPackageURI": link}


def compose_item(item: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """A CFItem or CFAssociation by itself (REST binding, getCFItem)."""
    link = {name: document[name] for name in ("title", "identifier", "uri")}
    return {**item, "CFDocumentURI": link}


def compose_item_associations(item: Mapping[str, Any], package: Package) -> dict[str, Any]:
    """A CFItem with all associations that it is an end of (REST binding, getCFItemAssociations)."""
    document, identifier = package["CFDocument"], item["identifier"]
    ends = ("originNodeURI", "destinationNodeURI")
    found = [each for each in package["CFAssociations"] if identifier in [each[end]["identifier"] for end in ends]]
    return {
        "CFItem": compose_item(item, document),
        "CFAssociations": [compose_item(association, document) for association in found],
    }
