"""Whether levels fit a rubric: every criterion once, at a level of this very version. PURE."""

from collections.abc import Collection, Iterator, Mapping

from app.achievements.rubric import Rubric
from app.errors import Fault, InvalidInput


class UnknownCriterion(InvalidInput):
    """A criterion is named that the version's rubric does not have, or one that it has is left out."""

    code = "unknown_criterion"


class UnknownLevel(InvalidInput):
    """A level is named that the criterion does not have in this version, though it may in another."""

    code = "unknown_level"


def require_levels(rubric: Rubric, levels: Mapping[str, str], *, pointer: str = "/levels") -> None:
    """`levels` are of all criteria of the rubric and no others. Raises UnknownCriterion, UnknownLevel."""
    require_criteria(rubric, levels, pointer=pointer)
    if faults := list(_level_faults(rubric, levels, pointer)):
        raise UnknownLevel("A level is not one of this version's rubric.", faults=faults)


def require_criteria(rubric: Rubric, named: Collection[str], *, pointer: str) -> None:
    """`named` are all criteria of the rubric and no others. Raises UnknownCriterion."""
    keys = [criterion["key"] for criterion in rubric["criteria"]]
    cure = "the criteria are " + ", ".join(keys)
    faults = [
        Fault(f"{pointer}/{key}", f"{key} is not a criterion of the version", cure) for key in named if key not in keys
    ]
    faults += [Fault(f"{pointer}/{key}", "is missing", "name every criterion") for key in keys if key not in named]
    if faults:
        raise UnknownCriterion("The criteria are not those of this version's rubric.", faults=faults)


def _level_faults(rubric: Rubric, levels: Mapping[str, str], pointer: str) -> Iterator[Fault]:
    for criterion in rubric["criteria"]:
        key, known = criterion["key"], [level["key"] for level in criterion["levels"]]
        if levels[key] not in known:
            cure = "the levels are " + ", ".join(known)
            yield Fault(f"{pointer}/{key}", f"{levels[key]} is not a level of {key}", cure)
