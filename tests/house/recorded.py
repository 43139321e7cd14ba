"""Files of recorded examples that change only where the service does: ids, keys and signatures are drawn in every run."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_DRAWN = re.compile(
    r"[0-9a-f]{16,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[A-Za-z0-9_-]{40,}|(?<=#)[0-9]+|^[0-9]+$"
)


def write_recorded(path: Path, recorded: Mapping[str, Any], *, before: Mapping[str, Any]) -> None:
    """Write the examples by name. One that differs from the one `before` only in what is drawn, stays as it was."""
    kept = {
        name: before[name] if _masked(before.get(name)) == _masked(example) else example
        for name, example in recorded.items()
    }
    path.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n")


def _masked(value: Any) -> Any:
    """What is drawn also decides the order of what was made in one second."""
    if isinstance(value, dict):
        return {name: _masked(member) for name, member in value.items()}
    if isinstance(value, list):
        return sorted(json.dumps(_masked(item)) for item in value)
    return _DRAWN.sub("*", value) if isinstance(value, str) else value
