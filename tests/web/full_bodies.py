"""A body for every operation that takes one: sound ones, and full ones with every optional member. Bad input is made from both.

A full body follows from the OpenAPI document, so that a new member or operation is walked without being listed anywhere;
values come from the sound one where it has them. What is written out here is what no example shows and the document does not
tell: bodies that have to agree with what is there, or are read by rules of their own.
"""

import re
from collections.abc import Mapping
from typing import Any

from tests.builders import achievement_body, badge_class, decision_body, panel_body
from tests.conftest import Partner
from tests.frameworks.packages import whole_package
from tests.house.operations import list_operations, resolve

ALIGNMENT = {
    "target_name": "Equity",
    "target_url": "https://standards.example.org/3",
    "target_code": "5f3c9a52-0d5e-11ef-9c1a-0242ac120002",
    "target_description": "What equity asks.",
    "target_framework": "Standards",
    "target_type": "CFItem",
}
PROFILE = {
    "name": "The academy",
    "url": "https://academy.example.org",
    "description": "A program.",
    "email": "office@academy.example.org",
    "phone": "+1 555 0100",
    "official": "The director",
}
SETTINGS = {
    "validity_days": 365,
    "status_purpose": "suspension",
    "visibility": "public",
    "proof_profiles": ["eddsa-rdfc-2022"],
    "recipient_name": True,
}


def content(**changes: Any) -> dict[str, Any]:
    body = achievement_body(
        achievement_type="MicroCredential",
        tags=["equity"],
        in_language="en",
        field_of_study="Education",
        specialization="Leadership",
        human_code="IEP-1",
        credits_available=1.5,
        image_caption="A badge.",
        creator={
            "id": "did:example:1",
            "name": "Designers",
            "url": "https://d.example.org",
            "description": "They design.",
            "email": "office@d.example.org",
            "phone": "+1 555 0101",
            "image": "https://d.example.org/logo.png",
            "official": "The director",
            "other_identifiers": [{"identifier": "D-9", "identifier_type": "systemId"}],
            "parent_org": {"id": "did:example:2", "name": "University", "url": "https://u.example.org"},
        },
        alignments=[ALIGNMENT],
        other_identifiers=[{"identifier": "IEP", "identifier_type": "systemId"}],
        performance_task={
            "summary": "Do it.",
            "parts": [{"key": "one", "kind": "artifact", "name": "A", "prompt": "Show."}],
            "variants": [{"key": "rural", "name": "Rural", "prompt": "In a small school."}],
        },
        required_evidence=[
            {"key": "task", "name": "Task", "genre": "Performance task", "description": "One.", "minimum": 1}
        ],
        **changes,
    )
    first, *others = body["rubric"]["criteria"]
    first = {**first, "lineage_id": "ab" * 16, "description": "What is seen.", "alignments": [ALIGNMENT]}
    rule = {"type": "points", "minimum": "3", "mandatory": ["problem"]}
    return {**body, "rubric": {"criteria": [first, *others], "decision_rule": rule}}


def decision(partner: Partner, **changes: Any) -> dict[str, Any]:
    body = decision_body(
        partner.achievement_id,
        partner.panel_id,
        version=1,
        narrative="How it hangs together.",
        role="Principal",
        activity_start="2026-01-09T14:00:00Z",
        activity_end="2026-03-09T14:00:00+02:00",
    )
    recipient = {"name": "Ada Example", "email": "ada.example@schools.example.org", "did": "did:example:ada"}
    piece = {**body["evidence"][0], "narrative": "What.", "description": "How.", "audience": "Teachers"}
    return {**body, "recipient": recipient, "evidence": [piece, body["evidence"][1]], **changes}


def _submission_bodies() -> dict[str, dict[str, Any]]:
    one = "ab" * 16
    artifact = {"name": "Plan", "genre": "Plan", "description": "A plan.", "consent": True, "shared": False}
    impact = {
        "indicator": "Referrals", "baseline": "61 %", "follow_up": "38 %", "n": 40, "period": "A year", "level": "team",
    }  # fmt: skip
    attested = {"own_work": True, "ai_use": "none", "student_privacy": True, "permissions": True}
    return {
        "begin_submission": {
            "enrollment_id": one, "achievement_id": one, "version": 1, "variant": "rural", "team_id": one,
            "external_id": "row-1",
        },
        "write_statement": {"parts": {"overview": "A school."}, "impact": impact, "attestations": attested},
        "add_artifact": {**artifact, "part": "artifacts", "url": "https://evidence.example.org/17"},
        "change_artifact": artifact,
        "screen_submission": {"outcome": "on_hold", "condition_codes": ["other"], "note": "A doubt."},
        "offer_support": {"note": "Come and see me."},
        "create_team": {"program_id": one, "name": "Team North", "enrollment_ids": [one]},
        "change_team_members": {"enrollment_ids": [one]},
    }  # fmt: skip


ORGANIZATION = {"name": "State Department of Education", "url": "https://education.example.gov"}


FORMS = (
    "ab" * 16, "one", "2026-01-09T14:00:00Z", "2026-01-09", "https://example.org/1", "did:example:ada", "en", "1.5", "student",
    "ada.example@schools.example.org", "ext:Thing", "5f3c9a52-0d5e-11ef-9c1a-0242ac120002", "sha256:" + "ab" * 32,
)  # fmt: skip
"""Texts of a form: a pattern gets the first that has it."""


def full_bodies(partner: Partner) -> dict[str, dict[str, Any]]:
    """By operation id, with every member there is. Members that exclude each other are all there."""
    sound = sound_bodies(partner)
    return {each.id: fill(each.body_schema, sound.get(each.id)) for each in list_operations() if each.body_schema}


def fill(schema: Mapping[str, Any], sound: Any = None) -> Any:
    """A value of the schema with every optional member; `sound` is one that has some, and its values are kept."""
    schema = resolve(schema)
    alternatives = [each for each in (*schema.get("anyOf", ()), *schema.get("oneOf", ())) if each.get("type") != "null"]
    if alternatives:
        return fill(next(each for each in alternatives if _may_be(each, sound)), sound)
    if schema.get("type") == "object":
        members = {name: fill(each, (sound or {}).get(name)) for name, each in schema.get("properties", {}).items()}
        others = schema.get("additionalProperties")
        return {**members, **{name: each for name, each in (sound or {}).items() if name not in members}} or {
            "one": fill(others) if isinstance(others, Mapping) else "Of any kind."
        }
    if schema.get("type") == "array":
        first, *others = sound or [None]
        return [fill(schema["items"], first), *others]
    return _fill_leaf(schema) if sound is None else sound


def _may_be(schema: Mapping[str, Any], sound: Any) -> bool:
    """Whether `sound` is of this alternative of a union, as far as its members tell."""
    members, is_object = resolve(schema).get("properties"), resolve(schema).get("type") == "object"
    if members is None or not isinstance(sound, dict):
        return sound is None or is_object == isinstance(sound, dict)
    return all(name in members and members[name].get("const", each) == each for name, each in sound.items())


def _fill_leaf(schema: Mapping[str, Any]) -> Any:
    told = [*schema.get("examples", ()), *schema.get("enum", ()), *([schema["const"]] if "const" in schema else [])]
    if told:
        return told[0]
    kind, pattern = schema.get("type"), schema.get("pattern")
    if kind == "string" and (pattern or "format" in schema):
        wanted = pattern or {"date": r"^[\d-]{10}$", "date-time": r"^[\d-]{10}T"}[schema["format"]]
        return next(text for text in FORMS if re.search(wanted, text))
    return {"string": "Words.", "integer": schema.get("minimum", 1), "number": 1.5, "boolean": True}[kind or "string"]


def sound_bodies(partner: Partner) -> dict[str, dict[str, Any]]:
    """By operation id: what is written here, else the example of the operation."""
    examples = {each.id: each.example for each in list_operations() if each.example is not None}
    return {
        **examples,
        "create_issuer": {"slug": "one-more", "profile": PROFILE, "test": True, "did": "did:web:own.example.org"},
        "change_issuer_profile": PROFILE,
        "create_api_client": {"name": "Portal", "scopes": ["issuer:read"], "expires_in_days": 30},
        "create_achievement": content(external_id="row-1", settings=SETTINGS, translations=[partner.achievement_id]),
        # Its picture is in it: what is fetched is tested where there is something to fetch.
        "import_badge_class": badge_class(image={"id": "data:image/png;base64,iVBORw0KGgo=", "caption": "A robot."}),
        "import_framework": whole_package(),
        "change_achievement_settings": SETTINGS,
        "draft_achievement_version": content(),
        "edit_achievement_version": content(),
        "create_panel": panel_body(external_id="row-1", url="https://panel.example.org", organization=ORGANIZATION),
        "change_panel_members": {"members": ["A-01", "A-02"]},
        "create_learner": {
            "external_id": "row-1",
            "name": "Ada Example",
            "email": "ada.example@schools.example.org",
            "did": "did:example:ada",
        },
        "change_learner": {
            "external_id": "row-1",
            "name": "Ada Example",
            "email": "ada.example@schools.example.org",
            "did": "did:example:ada",
        },
        "add_identity": {"kind": "email", "value": "ada.example@mail.example.org", "primary": True},
        "merge_learners": {"learner_id": "ab" * 16},
        "decide_submission": {"outcome": "not_yet", "feedback": {"evidence": "Measure the change."}, "note": "Close."},
        "return_submission": {"reason": "The rationale is thin."},
        "file_appeal": {"decision_id": "ab" * 16, "grounds": "The baseline is on page 2."},
        "declare_appeal_inadmissible": {"reason": "It concerns another program."},
        "decide_appeal": {
            "outcome": "changed",
            "answer": "Read again.",
            "feedback": {"evidence": "Measure the change."},
            "note": "Close.",
        },
        "open_moderation": {
            "program_id": "ab" * 16,
            "filter": {
                "achievement_id": partner.achievement_id,
                "version": 1,
                "decided_from": "2026-01-01T00:00:00Z",
                "decided_until": "2027-01-01T00:00:00Z",
            },
            "reason_code": "other",
            "note": "Looked at again.",
        },
        "open_misconduct_case": {
            "submission_id": "ab" * 16,
            "notice": "Copied.",
            "panel": [f"{n}" * 32 for n in "abc"],
        },
        "answer_misconduct_case": {"text": "The references got lost."},
        "vote_on_misconduct_case": {"vote": "void", "reason": "Copied word for word."},
        "appeal_misconduct_case": {"text": "The panel saw the wrong version."},
        "name_appeal_panel": {"panel": [f"{n}" * 32 for n in "abc"]},
        "review_decision": {"outcome": "changed", "feedback": {"evidence": "Measure the change."}, "note": "Close."},
        "record_decision": decision(partner, external_id="row-1"),
        "revoke_credential": {"reason": "An error."},
        "suspend_credential": {"reason": "A doubt."},
        "reinstate_credential": {"reason": "The doubt is gone."},
        **_submission_bodies(),
        "verify_credential": {"credential": {"@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["A"]}},
    }
