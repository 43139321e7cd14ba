"""What the house tests need of learner records."""

from typing import Any

from tests.builders import achievement_body, decision_body
from tests.conftest import Partner, publish
from tests.house.areas.stories import Mistakes, Story
from tests.people import make_person


async def ids(partner: Partner, known: dict[str, str]) -> dict[str, str]:
    """One object of every kind that this issuer has, by the name of the parameter that takes its id."""
    made = await partner.client.post(f"/v1/learners/{known['learner_id']}/clr", json={})
    assert made.status_code == 201, made.text
    return {"clr_id": made.json()["id"]}


async def examples(story: Story) -> None:
    """Call every operation once."""
    story.token = story.client
    made = await story.call("create_clr", body={"name": "Leadership, 2024 to 2026"})
    await story.call("list_clr")
    await story.call("get_clr", clr_id=made["id"])
    await story.call("fetch_clr", clr_id=made["id"])
    await story.call("revoke_clr", clr_id=made["id"])
    learner_id = await _refresh(story)
    _, story.token = await make_person(
        story.world, story.known["issuer_id"], "learner", name="Bundling Example", learner_id=learner_id
    )
    await story.call("create_my_clr", body={"recipient_name": True})
    await story.call("list_my_clr")
    story.token = story.client


async def _refresh(story: Story) -> str:
    """A badge that says where its newest edition is had: id of its learner."""
    headers = {"Authorization": f"Bearer {story.client}"}
    body = achievement_body(name="Refreshed", settings={"refresh": True})
    made = (await story.http.post("/v1/achievements", json=body, headers=headers)).json()["id"]
    await story.http.post(f"/v1/achievements/{made}/versions/1/publish", headers=headers)
    recipient = {"name": "Bundling Example", "email": "bundling@schools.example.org"}
    decision = decision_body(made, story.known["panel_id"], recipient=recipient)
    answer = await story.http.post("/v1/decisions", json=decision, headers=headers)
    url = answer.json()["credential"]["document"]["refreshService"]["id"]
    await story.call("refresh_credential", refresh_id=url.rpartition("/")[2])
    return str(answer.json()["learner_id"])


async def mistakes(made: Mistakes) -> None:
    """Make every mistake once."""
    panel_id = await made.panel()
    badges = [await _earn_large(made, panel_id, f"Bundled {number}") for number in range(2)]
    path = f"/v1/learners/{badges[0]['learner_id']}/clr"
    await made.make("clr_too_large", "POST", path, json={})
    first = badges[0]["credential"]["id"]
    await made.client.post(f"/v1/credentials/{first}/revoke", json={"reason": "Not theirs."})
    await made.make("nothing_to_bundle", "POST", path, json={"credential_ids": [first]})


async def _earn_large(made: Mistakes, panel_id: str, name: str) -> dict[str, Any]:
    """A decision whose badge is nearly as large as badges may be."""
    achievement_id = await publish(made.client, achievement_body(name=name))
    evidence = [
        {"url": f"https://evidence.example.org/{number}", "name": "Log", "genre": "Log", "narrative": "word " * 1_950}
        for number in range(23)
    ]
    recipient = {"email": "bundled@schools.example.org"}
    body = decision_body(achievement_id, panel_id, recipient=recipient, evidence=evidence)
    answer = await made.client.post("/v1/decisions", json=body)
    assert answer.status_code == 201, answer.text
    decision: dict[str, Any] = answer.json()
    return decision
