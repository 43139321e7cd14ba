"""Whether a file is what it says it is. PURE.

What is allowed can be looked at without being run, and is told by its first bytes (`puremagic` knows them). Office files are all
zip archives; which one is told by the names in them. What is stored is never rendered or run by this service.
"""

import re
from collections.abc import Mapping

from puremagic import PureError, magic_string

from app.errors import InvalidInput

_WORD, _EXCEL, _POWERPOINT = (
    f"application/vnd.openxmlformats-officedocument.{kind}"
    for kind in ("wordprocessingml.document", "spreadsheetml.sheet", "presentationml.presentation")
)
_ODT = "application/vnd.oasis.opendocument.text"

_OFFICE: Mapping[str, bytes] = {_WORD: b"word/", _EXCEL: b"xl/", _POWERPOINT: b"ppt/"}
_TEXT = ("text/plain", "text/csv")

EXTENSIONS: Mapping[str, str] = {
    "application/pdf": ".pdf",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
    "audio/wav": ".wav",
    "audio/ogg": ".ogg",
    _WORD: ".docx",
    _EXCEL: ".xlsx",
    _POWERPOINT: ".pptx",
    _ODT: ".odt",
    "text/plain": ".txt",
    "text/csv": ".csv",
}
"""Media types that evidence may have, and the extension of a file of each."""

_ALIASES: Mapping[str, str] = {
    "image/jpg": "image/jpeg",
    "audio/mp3": "audio/mpeg",
    "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "application/ogg": "audio/ogg",
    "application/csv": "text/csv",
}

# One container: phones name a recording now this, now that.
_ISO_MEDIA = frozenset({".mp4", ".m4a", ".m4v", ".mov", ".f4a"})
_SAME: Mapping[str, frozenset[str]] = {
    ".mp4": _ISO_MEDIA,
    ".mov": _ISO_MEDIA,
    ".m4a": _ISO_MEDIA,
    ".mp3": frozenset({".mp3", ".mpga"}),
    ".ogg": frozenset({".ogg", ".oga", ".opus"}),
    ".jpg": frozenset({".jpg", ".jpeg", ".jfif"}),
}

_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


class MediaTypeNotAllowed(InvalidInput):
    code = "media_type_not_allowed"


class MediaTypeMismatch(InvalidInput):
    """A file that is not what it says."""

    code = "media_type_mismatch"


def normalize_media_type(declared: str) -> str:
    """The media type under its usual name. Raises MediaTypeNotAllowed."""
    media_type = _ALIASES.get(declared, declared)
    if media_type not in EXTENSIONS:
        raise MediaTypeNotAllowed(
            "Evidence cannot be a file of this media type.",
            cure=f"Send one of {', '.join(EXTENSIONS)}, named in Content-Type.",
        )
    return media_type


def has_binary(piece: bytes) -> bool:
    """Whether there is something in it that plain text has not."""
    return _NO_TEXT.search(piece) is not None


def require_media_type(media_type: str, *, head: bytes, tail: bytes, is_text: bool) -> None:
    """Raises MediaTypeMismatch. `head` and `tail` are the first and last of the file, some 100 KiB at least (or all of it)."""
    if not _fits(media_type, head, tail, is_text):
        raise MediaTypeMismatch(
            f"The file is not {media_type}, as its Content-Type says.",
            cure="Send the file as what it is. Text must be UTF-8; an Office file must have no macros.",
        )


def _fits(media_type: str, head: bytes, tail: bytes, is_text: bool) -> bool:
    if not head:
        return False
    if media_type in _TEXT:
        return is_text
    if media_type == _ODT:
        return head.startswith(b"PK\x03\x04") and head[30:38] == b"mimetype" and head[38:].startswith(_ODT.encode())
    if folder := _OFFICE.get(media_type):
        ends = head + tail
        is_office = head.startswith(b"PK\x03\x04") and b"[Content_Types].xml" in ends and folder in ends
        return is_office and b"vbaProject.bin" not in ends
    extension = EXTENSIONS[media_type]
    return not _guess(head).isdisjoint(_SAME.get(extension, {extension}))


def _guess(head: bytes) -> set[str]:
    """The extensions of what the first bytes are most likely those of."""
    try:
        found = magic_string(head)
    except (PureError, ValueError):
        return set()
    best = max(each.confidence for each in found)
    return {each.extension for each in found if each.confidence == best}
