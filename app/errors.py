"""The root of every error the domain raises.

    AssayError
    ├── InvalidInput        what was sent cannot be accepted as it stands
    ├── NotFound            no such object, or not one of this principal's
    ├── Conflict            the object's state does not allow the operation
    │   └── ExternalIdTaken     the partner's own id names another object already
    ├── Unauthenticated     no principal, or a token that is not good any more
    ├── Forbidden           the principal lacks the scope
    ├── Gone                the object existed and is no longer served
    ├── Unavailable         try again later
    └── Broken              a promise of ours does not hold (an incident)

Errors know nothing of HTTP: `app.web.problems` maps them to RFC 9457 problem details. Every subclass has a stable `code`
that is part of the API.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, where it is, and how to mend it.

    `pointer` is a JSON Pointer (RFC 6901) into the body or document; "" is the whole of it.
    """

    pointer: str
    detail: str
    cure: str = ""


class AssayError(Exception):
    """Root of the tree. `detail` is for the caller and never carries secrets or personal data."""

    code: ClassVar[str] = "internal_error"
    type_uri: ClassVar[str] = ""
    """What a standard calls this kind of problem (RFC 9457 §3.1.1), where one does; else it is our page about the code."""

    def __init__(self, detail: str, *, faults: Iterable[Fault] = (), cure: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.cure = cure
        self.faults = tuple(faults)


class InvalidInput(AssayError):
    code = "invalid_input"


class NotFound(AssayError):
    code = "not_found"


class Conflict(AssayError):
    code = "conflict"


class ExternalIdTaken(Conflict):
    """The partner's own id is that of another object of the same kind."""

    code = "external_id_taken"


class Unauthenticated(AssayError):
    code = "unauthenticated"


class Forbidden(AssayError):
    code = "forbidden"


class Gone(AssayError):
    code = "gone"


class Unavailable(AssayError):
    code = "unavailable"


class Broken(AssayError):
    code = "internal_error"
