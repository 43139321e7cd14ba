"""The operations of the API as its OpenAPI document tells them: what house tests walk over."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from fastapi import FastAPI

from app.identifiers import ID_PATTERN
from app.main import create_app
from app.settings import Settings
from tests.conftest import BASE_URL, KEY


@dataclass(frozen=True, slots=True)
class Operation:
    id: str
    method: str
    path: str
    spec: Mapping[str, Any]

    @property
    def is_public(self) -> bool:
        return not self.spec.get("security")

    @property
    def has_own_errors(self) -> bool:
        """Whether a standard says how it is called and how it tells of errors: OAuth 2.0, the Open Badges API."""
        return self.path.startswith(("/oauth/", "/ims/"))

    @property
    def is_for_people(self) -> bool:
        """Whether only a person may, no API client."""
        return any("person" in scheme for scheme in self.spec.get("security", ()))

    @property
    def body_types(self) -> list[str]:
        return list(self.spec.get("requestBody", {}).get("content", {}))

    @property
    def body_schema(self) -> Mapping[str, Any]:
        """The schema of the JSON body; empty without one."""
        content = self.spec.get("requestBody", {}).get("content", {})
        schema: Mapping[str, Any] = content.get("application/json", {}).get("schema", {})
        return schema

    @property
    def example(self) -> Any:
        """The example of the JSON body; None without one."""
        content = self.spec.get("requestBody", {}).get("content", {}).get("application/json", {})
        examples = [content["example"]] if "example" in content else []
        return (examples + [entry["value"] for entry in content.get("examples", {}).values()] or [None])[0]

    def parameters(self, place: str) -> list[str]:
        """Names of the parameters in "path", "query" or "header"."""
        return [entry["name"] for entry in self.spec.get("parameters", ()) if entry["in"] == place]

    def answer_schema(self, status: int) -> Mapping[str, Any]:
        content = self.spec["responses"].get(str(status), {}).get("content", {})
        schema: Mapping[str, Any] = content.get("application/json", {}).get("schema", {})
        return resolve(schema)

    @property
    def is_collection(self) -> bool:
        return self.method == "GET" and "items" in self.answer_schema(200).get("properties", {})


@cache
def application() -> FastAPI:
    """The application, not started: enough for its routes and its OpenAPI document."""
    return create_app(Settings.model_validate({"public_url": BASE_URL, "key_encryption_key": KEY}))


@cache
def list_operations() -> tuple[Operation, ...]:
    paths = application().openapi()["paths"]
    return tuple(
        Operation(spec.get("operationId", ""), method.upper(), path, spec)
        for path, methods in paths.items()
        for method, spec in methods.items()
    )


def resolve(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema that a reference means."""
    while "$ref" in schema:
        schema = application().openapi()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


@dataclass(frozen=True, slots=True)
class Leaf:
    """A place in a body that holds no object and no array. `pointer` goes through the first item of arrays."""

    pointer: tuple[str | int, ...]
    schema: Mapping[str, Any]

    @property
    def name(self) -> str:
        return "/" + "/".join(str(part) for part in self.pointer)

    @property
    def is_id(self) -> bool:
        """Whether it holds the id of one of our objects."""
        return self.schema.get("pattern") == ID_PATTERN


def list_leaves(
    schema: Mapping[str, Any], pointer: tuple[str | int, ...] = (), within: frozenset[str] = frozenset()
) -> Iterator[Leaf]:
    """Every place of a body of this schema; an alternative of a union is a place of its own. What a schema has inside itself
    once more is not walked again: `within` are the references on the way."""
    if schema.get("$ref") in within:
        return
    within |= {schema["$ref"]} if "$ref" in schema else set()
    schema = resolve(schema)
    alternatives = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    for alternative in alternatives:
        yield from list_leaves(alternative, pointer, within)
    for name, member in schema.get("properties", {}).items():
        yield from list_leaves(member, (*pointer, name), within)
    if "items" in schema:
        yield from list_leaves(schema["items"], (*pointer, 0), within)
    if not alternatives and schema.get("type") not in ("object", "array", "null"):
        yield Leaf(pointer, schema)


def put_at(body: Any, pointer: tuple[str | int, ...], value: Any) -> Any:
    """A copy of `body` with `value` at `pointer`; objects and arrays on the way are made."""
    if not pointer:
        return value
    head, rest = pointer[0], pointer[1:]
    if isinstance(head, int):
        items = list(body) if isinstance(body, list) else []
        items = items or [None]
        return [put_at(items[0], rest, value), *items[1:]]
    members = dict(body) if isinstance(body, dict) else {}
    return {**members, head: put_at(members.get(head), rest, value)}
