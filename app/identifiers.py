"""Identifiers of our own objects: 128 random bits, so that knowing one tells nothing of another."""

import re
import secrets
from typing import Annotated

from pydantic import StringConstraints

ID_PATTERN = r"^[0-9a-f]{32}$"

Identifier = Annotated[str, StringConstraints(pattern=ID_PATTERN)]


def new_id() -> str:
    """A fresh identifier: 32 lower-case hexadecimal digits."""
    return secrets.token_hex(16)


def is_identifier(text: str) -> bool:
    """Whether it can be one of ours.

    What strangers send is asked this before it is looked up: PostgreSQL takes no text with U+0000.
    """
    return re.fullmatch(ID_PATTERN, text) is not None
