"""Real answers of every operation, as the examples of the OpenAPI document. `make openapi` records them anew.

A partner's whole story is played against the service (at the address https://badges.example.org); what it answers is the example.
"""

import asyncio
import base64
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI

import app.web
from app.access.principals import TENANT_SCOPES
from app.achievements.router import BADGE_CLASS
from app.frameworks.router import PACKAGE
from app.main import create_app
from app.migration import migrate
from app.settings import Settings
from app.web.observation import configure_logging
from tests.builders import achievement_body, decision_body, panel_body
from tests.fakes import FixedClock
from tests.frameworks.packages import whole_package
from tests.house.areas import (
    assessors,
    clr,
    decisions,
    demographics,
    endorsements,
    misconduct,
    monitoring,
    oauth,
    obapi,
    pathways,
    people,
    profiles,
    programs,
    quality,
    readings,
    recognition,
    reports,
    submissions,
    vcapi,
)
from tests.house.areas.stories import BASE_URL, Story
from tests.house.recorded import write_recorded
from tests.people import sign_in_everybody

EXAMPLES = Path(app.web.__file__).with_name("openapi_examples.json")


async def record() -> dict[str, Any]:
    """Operation id -> the answer of one good call: its media type and value."""
    async with open_application() as application:
        return await _play(application)


@asynccontextmanager
async def open_application() -> AsyncIterator[FastAPI]:
    """The service, empty, at the address that examples show."""
    with tempfile.TemporaryDirectory() as directory:
        settings = Settings.model_validate(
            {
                "database_url": f"sqlite+aiosqlite:///{directory}/assay.db",
                "data_directory": directory,
                "public_url": BASE_URL,
                "key_encryption_key": base64.urlsafe_b64encode(bytes(32)).decode(),
                "run_jobs": False,
                "verify_processes": 1,
            }
        )
        await migrate(settings)
        application = create_app(settings, clock=FixedClock())
        async with application.router.lifespan_context(application):
            yield application


async def _play(application: FastAPI) -> dict[str, Any]:
    story = Story(application)
    await story.sign_in()
    profile = {"name": "School Improvement Leadership Academy", "description": "Prepares school leaders."}
    issuer = await story.call("create_issuer", body={"slug": "leadership-academy", "profile": profile})
    story.known["issuer_id"], story.known["slug"] = issuer["id"], issuer["slug"]
    await story.call("list_issuers")
    await story.call("get_issuer")
    await story.call("change_issuer_profile", body=profile)
    scopes = sorted(scope.value for scope in TENANT_SCOPES)
    client = await story.call("create_api_client", body={"name": "Partner portal", "scopes": scopes})
    await story.call("list_api_clients")
    await story.call("rotate_key")
    await story.call("list_keys")
    spare = await story.call("create_api_client", body={"name": "Old portal", "scopes": ["events:read"]})
    await story.call("revoke_api_client", client_id=spare["id"])
    story.token = story.client = client["token"]

    await _play_frameworks(story)
    settings = {"status_purpose": "suspension", "visibility": "public", "recipient_name": True}
    achievement = await story.call("create_achievement", body=achievement_body(settings=settings))
    await story.call("import_badge_class", body=BADGE_CLASS)
    story.known |= {"achievement_id": achievement["id"], "version": "1"}
    await story.call("edit_achievement_version", body=achievement_body())
    png = await story.image(achievement["versions"][0]["image_url"])
    await story.call("change_achievement_image", content=png)
    await story.call("publish_achievement_version")
    await story.call("change_achievement_settings", body=settings)
    await story.call("draft_achievement_version", body=achievement_body())
    await story.call("publish_achievement_version", version="2")
    await story.call("retire_achievement_version", version="1")
    for operation in ("list_achievements", "get_achievement", "fetch_achievement"):
        await story.call(operation)
    for operation in ("get_achievement_version", "fetch_achievement_version", "fetch_achievement_case"):
        await story.call(operation, version="2")

    panel = await story.call("create_panel", body=panel_body())
    story.known["panel_id"] = panel["id"]
    await story.call("change_panel_members", body={"members": ["A-01", "A-02", "A-03"]})
    for operation in ("list_panels", "get_panel", "fetch_panel"):
        await story.call(operation)
    learner = await story.call("create_learner", body={"external_id": "fellow-17", "name": "Ada Example",
                                                       "email": "ada.example@schools.example.org"})  # fmt: skip
    story.known["learner_id"] = learner["id"]
    await story.call("list_learners")
    await story.call("get_learner")

    body = decision_body(achievement["id"], panel["id"], external_id="row-17")
    decision = await story.call("record_decision", body=body)
    badge = decision["credential"]["document"]
    story.known |= {"decision_id": decision["id"], "credential_id": decision["credential"]["id"]}
    story.known["status_list_id"] = badge["credentialStatus"]["statusListCredential"].rpartition("/")[2]
    for operation in ("get_decision", "list_decisions", "get_credential", "list_credentials", "fetch_credential"):
        await story.call(operation)
    await story.call("verify_credential", body={"credential": badge})
    await _change_identities(story)
    for operation in ("suspend_credential", "reinstate_credential", "revoke_credential"):
        await story.call(operation, body={"reason": "The evidence turned out not to be the learner's own work."})
    story.staff = await sign_in_everybody(story.world, issuer["id"])
    for area in (
        people, programs, submissions, assessors, readings, decisions, misconduct, profiles,
        pathways, demographics, quality, monitoring, reports, recognition,
        endorsements, clr, oauth, obapi, vcapi,
    ):  # fmt: skip
        story.token = story.client
        await area.examples(story)
    story.token = story.client
    await story.call("export_learner")
    await story.call("erase_learner")
    keys = await story.call("fetch_jwks")
    story.known["key_id"] = keys["keys"][0]["kid"].rpartition("/")[2]
    for operation in ("fetch_issuer", "fetch_did_document", "fetch_key", "fetch_status_list", "list_events"):
        await story.call(operation)
    for operation in ("healthz", "readyz", "metrics"):
        await story.call(operation)
    await story.call("export_issuer")
    story.token = story.operator
    await story.call("leave_issuer")
    return dict(sorted(story.examples.items()))


async def _change_identities(story: "Story") -> None:
    await story.call("change_learner", body={"name": "Ada Example-Byron", "email": "ada.byron@schools.example.org"})
    changed = await story.call("add_identity", body={"kind": "email", "value": "ada.example@mail.example.org"})
    spare = next(each for each in changed["identities"] if each["value"] == "ada.example@mail.example.org")
    await story.call("remove_identity", identity_id=spare["id"])
    twin = await story.call("create_learner", body={"external_id": "fellow-71", "email": "a.byron@schools.example.org"})
    await story.call("merge_learners", body={"learner_id": twin["id"]})


async def _play_frameworks(story: "Story") -> None:
    package = whole_package() | {name: PACKAGE[name] for name in ("CFDocument", "CFItems", "CFAssociations")}
    framework = await story.call("import_framework", body=package)
    story.known["framework_id"] = framework["id"]
    for operation in ("list_frameworks", "get_framework", "list_statements"):
        await story.call(operation)
    await story.call("export_framework", version="1")
    document, item, rubric = (package[name] for name in ("CFDocument", "CFItems", "CFRubrics"))
    await story.call("fetch_case_documents")
    for operation, identifier in (
        ("fetch_case_document", document["identifier"]),
        ("fetch_case_package", document["identifier"]),
        ("fetch_case_item", item[0]["identifier"]),
        ("fetch_case_item_associations", item[0]["identifier"]),
        ("fetch_case_rubric", rubric[0]["identifier"]),
    ):
        await story.call(operation, sourced_id=identifier)


if __name__ == "__main__":
    configure_logging("error", "json")
    before = json.loads(EXAMPLES.read_text())
    EXAMPLES.write_text("{}\n")
    write_recorded(EXAMPLES, asyncio.run(record()), before=before)
