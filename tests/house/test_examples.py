"""Every operation shows a real answer, and the recorded answers still have the shape the operation declares."""

from typing import Any

import jsonschema_rs
import pytest

from tests.house.operations import Operation, application, list_operations

# Their answer is a picture, or whatever file was uploaded.
PICTURES = {"fetch_image", "fetch_badge_png", "fetch_badge_svg"}
WITHOUT_AN_EXAMPLE = PICTURES | {
    "download_artifact_file",
    "download_reading_artifact",
    "download_work_file",
    "download_anchor_artifact",
    "download_anchor_session_artifact",
}

each_operation = pytest.mark.parametrize("operation", list_operations(), ids=lambda operation: operation.id)


@each_operation
def test_operation_has_an_example_answer_of_its_shape(operation: Operation) -> None:
    shown = [
        (content["example"], content.get("schema"))
        for status, response in operation.spec["responses"].items()
        if status in ("200", "201", "202")
        for content in response.get("content", {}).values()
        if "example" in content
    ]
    assert bool(shown) == (operation.id not in WITHOUT_AN_EXAMPLE)
    for example, schema in shown:
        if schema:
            jsonschema_rs.validator_for(_whole(schema)).validate(example)


def _whole(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "components": application().openapi()["components"]}
