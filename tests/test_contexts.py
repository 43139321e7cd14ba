"""The vendored contexts: complete, unaltered, and of a kind the canonicalizer can vouch for."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.contexts import CONTEXTS_DIRECTORY, load_contexts
from app.errors import Broken

SOURCES = CONTEXTS_DIRECTORY.parent / "SOURCES.md"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CONTEXTS_DIRECTORY, tmp_path / "contexts"))


def test_the_contexts_of_a_badge_are_there() -> None:
    contexts = load_contexts()
    for url in (
        "https://www.w3.org/ns/credentials/v2",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
    ):
        assert "@context" in contexts[url]


def test_the_open_badges_context_is_the_newest_published_content() -> None:
    data = (CONTEXTS_DIRECTORY / "ob-v3p0-context-3.0.3.json").read_bytes()
    assert hashlib.sha256(data).hexdigest() == "3d34f4d4ef1bce691106e63798beb5e7b862ba841423f5ee1e53ab7ddf3bca84"


def test_the_mapping_cannot_be_changed() -> None:
    contexts: Any = load_contexts()
    with pytest.raises(TypeError):
        contexts["https://example.org/"] = {}


def test_an_altered_file_is_refused_by_name(directory: Path) -> None:
    assert load_contexts(directory) == load_contexts()
    path = directory / "credentials-v2.json"
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(Broken, match=r"credentials-v2\.json"):
        load_contexts(directory)


def test_a_missing_file_is_refused_by_name(directory: Path) -> None:
    (directory / "security-multikey-v1.json").unlink()
    with pytest.raises(Broken, match=r"security-multikey-v1\.json"):
        load_contexts(directory)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"a": 1, "a": 2}'])
def test_an_unreadable_index_is_refused_by_name(directory: Path, content: bytes) -> None:
    (directory / "index.json").write_bytes(content)
    with pytest.raises(Broken, match=r"index\.json"):
        load_contexts(directory)


def test_every_file_is_pinned_and_its_source_is_told() -> None:
    index = json.loads((CONTEXTS_DIRECTORY / "index.json").read_text("utf-8"))
    index |= json.loads((CONTEXTS_DIRECTORY / "open.json").read_text("utf-8"))
    files = {path.name for path in CONTEXTS_DIRECTORY.iterdir()} - {"index.json", "open.json"}
    assert {entry["file"] for entry in index.values()} == files
    sources = SOURCES.read_text("utf-8")
    for url, entry in index.items():
        row = next(line for line in sources.splitlines() if f"`{entry['file']}`" in line)
        assert entry["sha256"] in row
        assert url in row


def members(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield name, member
            yield from members(member)
    elif isinstance(value, list):
        for item in value:
            yield from members(item)


@pytest.mark.parametrize("url", load_contexts())
def test_a_context_stands_alone_and_renames_no_keyword_but_id_and_type(url: str) -> None:
    """What `app.proofs.rdfc` takes for granted: no other spelling of @value, @graph…, no catch-all, no loading."""
    for name, value in members(load_contexts()[url]):
        assert name not in ("@import", "@vocab", "@base", "@reverse", "@nest", "@index", "@language", "@direction")
        definition = value.get("@id") if isinstance(value, dict) else value
        if not name.startswith("@") and isinstance(definition, str) and definition.startswith("@"):
            assert (name, definition) in (("id", "@id"), ("type", "@type"))
        if name == "@context":
            assert value is None or isinstance(value, dict)
