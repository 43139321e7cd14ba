"""What the house tests need of pathways."""

from typing import Any

import httpx

from app.pathways.propose import look_again
from app.resources import Resources
from tests.builders import achievement_body, decision_body, panel_body
from tests.conftest import Partner, publish
from tests.house.areas.stories import Mistakes, Story
from tests.pathways.stacks import all_of, group, pathway_body, stack_body
from tests.people import app_of, find_session_of

NAMES = ("Reading", "Writing", "Speaking", "Counting", "Measuring")


async def ids(partner: Partner, known: dict[str, str]) -> dict[str, str]:
    """One object of every kind that this issuer has, by the name of the parameter that takes its id."""
    world: Resources = app_of(partner.client).state.resources
    met = await _met(world, partner, name="Stacking Example")
    return {"pathway_id": met["pathway_id"], "proposal_id": met["proposal_id"]}


async def _put_pathway(partner: Partner, awarded: str, components: list[str]) -> str:
    """Id of a pathway in force: all of these components."""
    made = await partner.client.post("/v1/pathways", json=pathway_body(partner, awarded, all_of(*components)))
    assert made.status_code == 201, made.text
    pathway_id = str(made.json()["id"])
    published = await partner.client.post(f"/v1/pathways/{pathway_id}/versions/1/publish")
    assert published.status_code == 200, published.text
    return pathway_id


async def _met(world: Resources, partner: Partner, *, name: str) -> dict[str, str]:
    """A pathway of one component that somebody has earned: ids of pathway, learner, credential, proposal."""
    component = await publish(partner.client, achievement_body(name="Reading"))
    awarded = await publish(partner.client, stack_body())
    pathway_id = await _put_pathway(partner, awarded, [component])
    return {"pathway_id": pathway_id, **await _earned(world, partner, component, name=name)}


async def _earned(world: Resources, partner: Partner, component: str, *, name: str) -> dict[str, str]:
    email = f"{name.lower().replace(' ', '.')}@schools.example.org"
    body = decision_body(component, partner.panel_id, recipient={"name": name, "email": email})
    decided = await partner.client.post("/v1/decisions", json=body)
    assert decided.status_code == 201, decided.text
    learner_id, issuer_id = decided.json()["learner_id"], partner.issuer_id
    await look_again(world, {"issuer_id": issuer_id, "learner_id": learner_id, "achievement_id": None})
    proposals = await partner.client.get("/v1/pathway-proposals", params={"limit": 200})
    proposal_id = next(each["id"] for each in proposals.json()["items"] if each["learner_id"] == learner_id)
    return {"learner_id": learner_id, "credential_id": decided.json()["credential"]["id"], "proposal_id": proposal_id}


def _open(story: Story) -> httpx.AsyncClient:
    """The partner's system."""
    return httpx.AsyncClient(
        transport=story.http._transport, base_url=story.http.base_url, timeout=60,
        headers={"Authorization": f"Bearer {story.client}"},
    )  # fmt: skip


async def examples(story: Story) -> None:
    """Call every operation once."""
    kept, known = story.token, story.known
    client = _open(story)
    partner = Partner(client, client, known["issuer_id"], known["achievement_id"], known["panel_id"])
    stacks = [await publish(client, achievement_body(name=name)) for name in NAMES]
    awarded = await publish(client, stack_body())
    body = _domains(partner, awarded, stacks)
    story.token = story.client
    pathway = {"pathway_id": (await story.call("create_pathway", body=body))["id"]}
    await story.call("edit_pathway_version", body=_without_id(body), version="1", **pathway)
    await story.call("publish_pathway_version", version="1", **pathway)
    await story.call("draft_pathway_version", body=_without_id(body), **pathway)
    await story.call("get_pathway_version", version="2", **pathway)
    await story.call("list_pathways")
    await story.call("get_pathway", **pathway)
    for component in (stacks[0], stacks[3]):
        learner_id = (await client.post("/v1/decisions", json=decision_body(component, partner.panel_id))).json()[
            "learner_id"
        ]
    await story.call("get_pathway_progress", learner_id=learner_id, **pathway)
    await story.call("list_pathways_of_learner", learner_id=learner_id)
    await story.call("retire_pathway_version", version="1", **pathway)
    await _decide(story, partner)
    story.token = kept


async def _decide(story: Story, partner: Partner) -> None:
    met = await _met(story.world, partner, name="Stacking Example")
    await story.call("get_pathway_proposal", proposal_id=met["proposal_id"])
    story.token = story.staff
    await story.call("approve_pathway_proposal", proposal_id=met["proposal_id"])
    revoked = await partner.client.post(
        f"/v1/credentials/{met['credential_id']}/revoke", json={"reason": "Not theirs."}
    )
    assert revoked.status_code == 200, revoked.text
    await look_again(
        story.world, {"issuer_id": partner.issuer_id, "learner_id": met["learner_id"], "achievement_id": None}
    )
    body = {"outcome": "kept", "reason": "What it stood for has been shown."}
    await story.call("review_pathway_proposal", body=body, proposal_id=met["proposal_id"])
    other = await _met(story.world, partner, name="Declined Example")
    body = {"reason": "One of the components is under appeal."}
    await story.call("decline_pathway_proposal", body=body, proposal_id=other["proposal_id"])
    await story.call("list_pathway_proposals")


def _domains(partner: Partner, awarded: str, stacks: list[str]) -> dict[str, Any]:
    sets = [{"group": "literacy"}, {"group": "numeracy"}]
    rule = {"all": [{"at_least": 4, "of": sets}, {"at_least": 1, "of": sets[1:]}, {"at_least": 2, "of": sets[:1]}]}
    groups = {"literacy": group("Literacy", stacks[:3]), "numeracy": group("Numeracy", stacks[3:])}
    return pathway_body(partner, awarded, rule, groups=groups, external_id="literacy-leader")


def _without_id(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "external_id"}


async def mistakes(made: Mistakes) -> None:
    """Make every mistake once."""
    issuer_id = (await find_session_of(made.world, made.staff)).issuer_id
    panel = await made.client.post("/v1/panels", json=panel_body())
    component = await publish(made.client, achievement_body(name="Reading"))
    partner = Partner(made.client, made.staff, issuer_id, component, panel.json()["id"])
    awarded = await publish(made.client, stack_body("Stack"))
    bundle = await publish(made.client, stack_body("Bundle"))
    unsound = pathway_body(partner, awarded, {"at_least": 2, "of": all_of(component)["all"]})
    await made.make("pathway_rule_unsound", "POST", "/v1/pathways", json=unsound)
    unfit = pathway_body(partner, component, all_of(awarded))
    await made.make("pathway_award_unfit", "POST", "/v1/pathways", json=unfit)
    await _put_pathway(partner, awarded, [component])
    await _put_pathway(partner, bundle, [awarded])
    circle = pathway_body(partner, awarded, all_of(bundle))
    await made.make("pathway_cycle", "POST", "/v1/pathways", json=circle)
    met = await _earned(made.world, partner, component, name="Stacking Example")
    url = f"/v1/pathway-proposals/{met['proposal_id']}"
    review = {"outcome": "kept", "reason": "Nothing is wrong."}
    await made.make("proposal_not_open", "POST", f"{url}/review", as_person=True, json=review)
    revoked = await made.client.post(f"/v1/credentials/{met['credential_id']}/revoke", json={"reason": "Not theirs."})
    assert revoked.status_code == 200, revoked.text
    await made.make("pathway_not_met", "POST", f"{url}/approve", as_person=True)
