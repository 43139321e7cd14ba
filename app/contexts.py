"""The JSON-LD contexts this service understands: files in `schemas/contexts`, pinned by SHA-256, never fetched.

A context decides what a signature means, so its exact bytes are part of the source: `index.json` names, for every
context URL, the file and its hash (`schemas/SOURCES.md` says where each file came from and under which licence).
"""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from app import strict_json
from app.errors import Broken

Contexts = Mapping[str, dict[str, Any]]
"""Context URL -> the context document, `{"@context": …}`."""

CONTEXTS_DIRECTORY = Path(__file__).resolve().parent.parent / "schemas" / "contexts"


def load_contexts(directory: Path = CONTEXTS_DIRECTORY) -> Contexts:
    """Every context that `directory/index.json` lists (`{url: {"file": name, "sha256": hex}}`), hashes verified.

    Raises Broken, naming the file, when one is missing, altered or unreadable.
    """
    index = _read_object(directory / "index.json")
    return MappingProxyType(
        {url: _read_pinned(directory, entry["file"], entry["sha256"]) for url, entry in index.items()}
    )


@cache
def installed_contexts() -> Contexts:
    """Those of this installation, read once in a process. Raises as `load_contexts`."""
    return load_contexts(CONTEXTS_DIRECTORY)


def _read_pinned(directory: Path, file: str, sha256: str) -> dict[str, Any]:
    path = directory / file
    if hashlib.sha256(_read_bytes(path)).hexdigest() != sha256:
        raise Broken(f"The JSON-LD context {path.name} is not the pinned one (SHA-256 differs).")
    return _read_object(path)


def _read_object(path: Path) -> dict[str, Any]:
    try:
        document = strict_json.loads(_read_bytes(path))
    except strict_json.MalformedDocument as error:
        raise Broken(f"{path.name} is not JSON: {error.detail}") from error
    if not isinstance(document, dict):
        raise Broken(f"{path.name} is not a JSON object.")
    return document


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Broken(f"{path.name} cannot be read: {error.strerror}.") from error
