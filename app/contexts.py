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


def load_contexts(directory: Path = CONTEXTS_DIRECTORY, *, catch_alls: bool = False) -> Contexts:
    """Every context that `directory/index.json` lists (`{url: {"file": name, "sha256": hex}}`), hashes verified.

    With `catch_alls` also those of `open.json`, which give a meaning to whatever they do not name: for credentials of any
    kind, never for badges. Raises Broken, naming the file, when one is missing, altered or unreadable.
    """
    listed = _list(directory, catch_alls=catch_alls)
    return MappingProxyType({url: _read_pinned(path, sha256) for url, path, sha256 in listed})


@cache
def installed_contexts(*, catch_alls: bool = False) -> Contexts:
    """Those of this installation, read once in a process. Arguments and errors are those of `load_contexts`."""
    return load_contexts(CONTEXTS_DIRECTORY, catch_alls=catch_alls)


def load_resources(directory: Path = CONTEXTS_DIRECTORY) -> Mapping[str, bytes]:
    """The exact bytes of every context by URL: what a digest of it is taken of."""
    return MappingProxyType({url: _read_bytes(path) for url, path, _ in _list(directory, catch_alls=True)})


def _list(directory: Path, *, catch_alls: bool) -> list[tuple[str, Path, str]]:
    names = ["index.json", *(["open.json"] if catch_alls else [])]
    entries = [item for name in names for item in _read_object(directory / name).items()]
    return [(url, directory / entry["file"], entry["sha256"]) for url, entry in entries]


def _read_pinned(path: Path, sha256: str) -> dict[str, Any]:
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
