"""A file that is there when it is whole, or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from app.errors import Conflict, Unavailable
from app.identifiers import new_id


class FileExists(Conflict):
    """Such files are never overwritten."""


class NotWritten(Unavailable):
    """The file system refused the file."""


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write, readable by its owner alone; it is at `path` once the block has ended without an error.

    Raises FileExists, NotWritten.
    """
    _require_free(path)
    part = path.with_name(f".{path.name}.{new_id()}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.link(part, path)  # unlike a rename this never replaces what came there meanwhile
        finally:
            part.unlink(missing_ok=True)
    except FileExistsError:
        _require_free(path)
        raise
    except OSError as error:
        raise NotWritten(f"{path} cannot be written: {error.strerror}.", cure="Choose a place with room.") from None


def _require_free(path: Path) -> None:
    if path.exists():
        raise FileExists(f"{path} exists already.", cure="Choose a name of its own, with the date.")
