"""Alignments that name something of a framework by its GUID alone, written out as Open Badges 3.0 wants them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Fault
from app.frameworks.store import Framework, FrameworkObject, find_object
from app.openbadges.datatypes import URL_PATTERN

_MAX_LINE, _MAX_PROSE, _MAX_URL = 300, 10_000, 2_000
_PART_OF_A_WORD = re.compile(r"\s+\S*$")
_NOT_ONE_LINE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ufffe\uffff]+")
"""Blanks, and the characters that no text of a badge may have."""


async def expand_alignments(
    session: AsyncSession, issuer_id: str, content: Mapping[str, Any]
) -> tuple[Mapping[str, Any], list[Fault]]:
    """A version's content with every `{"statement": GUID}` written out, and the faults.

    A fault is a GUID that none of the issuer's frameworks has, or whose object has no address on the web.
    """
    faults: list[Fault] = []
    written: dict[str, Any] = {}
    for pointer, alignment in _list_alignments(content):
        if "statement" not in alignment:
            continue
        found = await find_object(session, issuer_id, alignment["statement"].lower())
        if found is None:
            cure = "import its framework with POST /v1/frameworks, or give target_name and target_url"
            faults.append(Fault(f"{pointer}/statement", "is in none of your frameworks", cure))
        elif len(found[0].body["uri"]) > _MAX_URL or not re.match(URL_PATTERN, found[0].body["uri"]):
            cure = "give target_name and target_url"
            faults.append(Fault(f"{pointer}/statement", "has a uri that is no address on the web", cure))
        else:
            written[pointer] = compose_alignment(*found)
    return _replaced(content, written), faults


def compose_alignment(found: FrameworkObject, framework: Framework) -> dict[str, Any]:
    """The alignment to an object of a framework, in the members of our API.

    Its name begins with the code that people know it by; what is too long for a name stands whole in the description.
    """
    text = _one_line(found.text)
    name = _one_line(f"{found.code or ''} {text}") or found.identifier
    alignment = {
        "target_name": _shortened(name, _MAX_LINE),
        "target_url": found.body["uri"],
        "target_code": found.identifier,
        "target_framework": _shortened(_one_line(framework.document["title"]), _MAX_LINE) or None,
        "target_type": found.type,
    }
    if len(name) > _MAX_LINE:
        alignment["target_description"] = _shortened(text, _MAX_PROSE)
    return {member: value for member, value in alignment.items() if value is not None}


def _one_line(text: str) -> str:
    return _NOT_ONE_LINE.sub(" ", text).strip()


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else _PART_OF_A_WORD.sub("", text[: most - 1]) + "…"


def _list_alignments(content: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for index, alignment in enumerate(content.get("alignments", ())):
        yield f"/alignments/{index}", alignment
    for number, criterion in enumerate(content["rubric"]["criteria"]):
        for index, alignment in enumerate(criterion.get("alignments", ())):
            yield f"/rubric/criteria/{number}/alignments/{index}", alignment


def _replaced(content: Mapping[str, Any], written: Mapping[str, Any]) -> dict[str, Any]:
    def at(pointer: str, alignments: list[Any]) -> list[Any]:
        return [written.get(f"{pointer}/{index}", alignment) for index, alignment in enumerate(alignments)]

    criteria = [
        {**criterion, "alignments": at(f"/rubric/criteria/{number}/alignments", criterion.get("alignments", []))}
        for number, criterion in enumerate(content["rubric"]["criteria"])
    ]
    return {
        **content,
        "alignments": at("/alignments", content.get("alignments", [])),
        "rubric": {**content["rubric"], "criteria": criteria},
    }
