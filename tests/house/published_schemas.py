"""The JSON Schemas of what is issued, as they are published. `make schemas` writes them anew; a test keeps them so."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from app.openbadges.clr import clr_credential_schema
from app.openbadges.endorsement import endorsement_credential_schema
from app.openbadges.json_schema import achievement_credential_schema, render_schema

DIRECTORY = Path(__file__).resolve().parents[2] / "schemas/json"
PUBLISHED: Mapping[str, Callable[[], dict[str, Any]]] = {
    "achievement_credential": achievement_credential_schema,
    "clr_credential": clr_credential_schema,
    "endorsement_credential": endorsement_credential_schema,
}


def main() -> None:
    for name, schema in PUBLISHED.items():
        (DIRECTORY / f"{name}.json").write_text(render_schema(schema()))


if __name__ == "__main__":
    main()
