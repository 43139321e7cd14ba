"""The options of requests. One that is not known is refused: whoever sends it relies on it (VCALM 1.0, "Error Handling")."""

from collections.abc import Collection, Mapping
from typing import Any

from app.errors import Fault
from app.vcapi.errors import UnknownOption

ISSUE = ("credentialId", "mandatoryPointers")
DERIVE = ("selectivePointers",)
PRESENT = ("challenge", "domain")
VERIFY = ("returnResults", "returnProblemDetails", "returnCredential", "checks")
MAX_POINTERS = 64
"""Each of them copies what it leads to."""
VERIFY_PRESENTATION = ("challenge", "domain", "returnPresentation", *VERIFY)
"""`checks` is what earlier drafts had: all are made, whichever it names."""

_KINDS: Mapping[str, tuple[str, type]] = {
    "credentialId": ("text", str),
    "mandatoryPointers": (f"an array of {MAX_POINTERS} JSON Pointers at most", list),
    "selectivePointers": (f"an array of {MAX_POINTERS} JSON Pointers at most", list),
    "challenge": ("text", str),
    "domain": ("text", str),
    "returnResults": ("true or false", bool),
    "returnProblemDetails": ("true or false", bool),
    "returnCredential": ("true or false", bool),
    "returnPresentation": ("true or false", bool),
    "checks": ("an array", list),
}


def read_options(options: Any, known: Collection[str]) -> Mapping[str, Any]:
    """The options of a request, none when it has none. Raises UnknownOption, also for one that is not what it should be."""
    if options is None:
        return {}
    if not isinstance(options, dict):
        raise UnknownOption("`options` is not an object.", faults=[Fault("/options", "must be an object")])
    faults = [Fault(f"/options/{name}", "is no option of this operation") for name in options if name not in known]
    faults += [
        Fault(f"/options/{name}", f"must be {_KINDS[name][0]}")
        for name, value in options.items()
        if name in known and not _is_of_kind(name, value)
    ]
    if faults:
        raise UnknownOption("The request has options that are not understood.", faults=faults)
    return options


def _is_of_kind(name: str, value: Any) -> bool:
    if isinstance(value, list) and name.endswith("Pointers"):
        return len(value) <= MAX_POINTERS and all(isinstance(each, str) for each in value)
    return isinstance(value, _KINDS[name][1])
