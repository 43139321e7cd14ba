"""docs/openapi.json, for people and for code generators. `make openapi` writes it anew."""

import json
from pathlib import Path

from tests.house.operations import application

SNAPSHOT = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"


def compose_snapshot() -> str:
    return json.dumps(application().openapi(), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    SNAPSHOT.write_text(compose_snapshot())
