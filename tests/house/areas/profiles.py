"""What the house tests need of keys, proof profiles and what makes an issuer known."""

from typing import Any

from tests.builders import achievement_body, decision_body
from tests.conftest import Partner
from tests.house.areas.stories import Mistakes, Story

_PROFILES = ["eddsa-rdfc-2022", "ecdsa-sd-2023", "vc-jose-cose", "ob3-jwt"]


async def ids(partner: Partner, known: dict[str, str]) -> dict[str, str]:
    """Nothing has an id of its own here; a profile has a name."""
    return {"profile": "eddsa-rdfc-2022"}


async def examples(story: Story) -> None:
    """Call every operation once."""
    story.token = story.client
    await story.call("rotate_key", body={"algorithm": "P-256"})
    await story.call("get_registry_entry")
    settings = {"proof_profiles": _PROFILES, "visibility": "public"}
    achievement = await story.call("create_achievement", body=achievement_body(settings=settings))
    await story.call("publish_achievement_version", achievement_id=achievement["id"], version="1")
    body = decision_body(achievement["id"], story.known["panel_id"], recipient=_RECIPIENT)
    decision = await story.call("record_decision", body=body)
    where = {"credential_id": decision["credential"]["id"], "profile": "vc-jose-cose"}
    await story.call("get_representation", **where)
    await story.call("fetch_credential_in_profile", **where)
    await story.call("derive_credential", body={"selective_pointers": ["/credentialSubject/result"]}, **where)
    await story.call("fetch_did_configuration")
    story.token = story.operator
    await story.call("verify_issuer", body={"verified_as": "School Improvement Leadership Academy, accredited 2024"})


async def mistakes(made: Mistakes) -> None:
    """Make every mistake once."""
    achievement = (await made.client.post("/v1/achievements", json=achievement_body())).json()
    await made.client.post(f"/v1/achievements/{achievement['id']}/versions/1/publish")
    body = decision_body(achievement["id"], await made.panel(), recipient=_RECIPIENT)
    decision = (await made.client.post("/v1/decisions", json=body)).json()
    path = f"/v1/credentials/{decision['credential']['id']}/derive"
    await made.make("not_selective", "POST", path, json={"selective_pointers": ["/evidence"]})


_RECIPIENT: dict[str, Any] = {"did": "did:web:learner.example.org"}
