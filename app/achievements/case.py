"""A published version as CASE sees it: a CFPackage with its rubric. PURE.

GUIDs are made from the addresses of what they name (UUID version 5 of the URL namespace), so that they are the same
whenever and wherever they are made. The `uri` of a criterion or level is the one that badges use for it.
Spec: CASE 1.1, CFRubric, CFRubricCriterion, CFRubricCriterionLevel.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from app.openbadges.compose import criterion_uri, level_uri


def compose_case_package(
    content: Mapping[str, Any], *, uri: str, version: int, creator: str, published_at: str, retired_at: str | None
) -> dict[str, Any]:
    """The CFPackage of a version whose address is `uri`. The moments are RFC 3339, `creator` is the issuer's name.

    A criterion names the first statement (CFItem with a GUID) that it is aligned to.
    """
    package_uri = f"{uri}/case"
    rubric = _case_object(package_uri, published_at)
    document = {
        **_case_object(uri, retired_at or published_at),
        "creator": creator,
        "title": content["name"],
        "description": content["description"],
        "caseVersion": "1.1",
        "version": str(version),
        "adoptionStatus": "Deprecated" if retired_at else "Adopted",
    }
    if language := content.get("in_language"):
        document["language"] = language
    criteria = [
        _criterion(criterion, rubric["identifier"], position, uri, published_at)
        for position, criterion in enumerate(content["rubric"]["criteria"], 1)
    ]
    return {
        "CFDocument": document,
        "CFItems": [],
        "CFAssociations": [],
        "CFRubrics": [{**rubric, "title": content["name"], "CFRubricCriteria": criteria}],
    }


def _criterion(criterion: Mapping[str, Any], rubric_id: str, position: int, uri: str, at: str) -> dict[str, Any]:
    composed = {
        **_case_object(criterion_uri(uri, criterion["key"]), at),
        # CASE has no name of a criterion: the name is its first line.
        "description": "\n\n".join(text for text in (criterion["name"], criterion.get("description")) if text),
        "position": position,
        "rubricId": rubric_id,
    }
    for alignment in criterion.get("alignments", ()):
        if alignment.get("target_type") == "CFItem" and alignment.get("target_code"):
            composed["CFItemURI"] = {
                "title": alignment["target_name"],
                "identifier": alignment["target_code"].lower(),
                "uri": alignment["target_url"],
            }
            break
    composed["CFRubricCriterionLevels"] = [
        _level(level, composed["identifier"], number, level_uri(uri, criterion["key"], level["key"]), at)
        for number, level in enumerate(criterion["levels"], 1)
    ]
    return composed


def _level(level: Mapping[str, Any], criterion_id: str, position: int, uri: str, at: str) -> dict[str, Any]:
    composed = {
        **_case_object(uri, at),
        "quality": level["name"],
        "position": position,
        "rubricCriterionId": criterion_id,
    }
    if description := level.get("description"):
        composed["description"] = description
    if (points := level.get("points")) is not None:
        composed["score"] = float(points)
    return composed


def _case_object(uri: str, changed_at: str) -> dict[str, Any]:
    return {"identifier": str(uuid.uuid5(uuid.NAMESPACE_URL, uri)), "uri": uri, "lastChangeDateTime": changed_at}
