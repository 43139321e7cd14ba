"""docs/settings.md, the list of settings for operators. `python -m tests.house.settings_page` writes it anew."""

import json
import re
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from app.settings import Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"

HEAD = """# Settings

Assay reads its settings from the environment when it starts, checks them, and refuses to start with one that cannot be
right. Lists are written in JSON. Nothing is read from files, and no setting can be changed while the service runs.
"""


def compose_page() -> str:
    sections = [_section(f"ASSAY_{name.upper()}", field) for name, field in Settings.model_fields.items()]
    return HEAD + "".join(sections)


def _section(name: str, field: FieldInfo) -> str:
    assert field.description is not None
    facts = [f"Default: {_shown(field.get_default(call_default_factory=True))}"]
    if limits := _limits(field):
        facts.append(limits)
    return f"\n## `{name}`\n\n{field.description}\n\n{'. '.join(facts)}.\n"


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return f"`{value}`" if isinstance(value, str | Path) else f"`{json.dumps(value)}`"


def _limits(field: FieldInfo) -> str:
    bounds = {
        name: getattr(rule, name) for rule in field.metadata for name in ("ge", "gt", "le", "lt") if hasattr(rule, name)
    }
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    told = " and ".join(f"{words[name]} {value:,}" for name, value in bounds.items())
    choices = re.findall(r"'(\w+)'", str(field.annotation)) if "Literal" in str(field.annotation) else []
    return told.capitalize() or (f"One of {', '.join(f'`{choice}`' for choice in choices)}" if choices else "")


if __name__ == "__main__":
    PAGE.write_text(compose_page())
