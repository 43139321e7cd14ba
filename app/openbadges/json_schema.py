"""The JSON Schema (2020-12) of what we issue, generated from the classes.

`schemas/json/achievement_credential.json` is this, published for partners; a test keeps the file equal to it.
"""

import json
from functools import cache
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from app.openbadges.credential import AchievementCredential
from app.openbadges.datatypes import StrictClass


class _AbsentNotNull(GenerateJsonSchema):
    """An optional member may be left out but is never null, and has no default a reader should assume."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def class_schema(data_class: type[StrictClass]) -> dict[str, Any]:
    """The JSON Schema of one class and of the classes it refers to.

    Patterns and formats are both meant to be asserted.
    """
    schema = data_class.model_json_schema(by_alias=True, mode="validation", schema_generator=_AbsentNotNull)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


@cache
def achievement_credential_schema() -> dict[str, Any]:
    """The JSON Schema of AchievementCredential. One shared dict: do not change it."""
    return class_schema(AchievementCredential)


def render_schema(schema: dict[str, Any]) -> str:
    """The text of a schema file: two-space indentation, a newline at the end."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
