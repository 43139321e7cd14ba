"""Identifiers of our own objects: 128 random bits, so that knowing one tells nothing of another."""

import secrets
from typing import Annotated

from pydantic import StringConstraints

ID_PATTERN = r"^[0-9a-f]{32}$"

Identifier = Annotated[str, StringConstraints(pattern=ID_PATTERN)]


def new_id() -> str:
    """A fresh identifier: 32 lower-case hexadecimal digits."""
    return secrets.token_hex(16)
