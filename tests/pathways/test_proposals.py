"""From the components that somebody earns to the badge they lead to, and what happens when one is lost."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.identifiers import new_id
from app.programs.store import Affiliation
from app.scoring.store import Decision
from tests.builders import achievement_body
from tests.conftest import Partner, publish
from tests.fakes import FixedClock
from tests.issuing import Document, count_rows, list_all_events, record, require_verifies, world_of
from tests.pathways.stacks import (
    act,
    all_of,
    change_badge,
    earn,
    group,
    list_proposals,
    pathway_body,
    publish_components,
    publish_pathway,
    run_jobs,
    stack_body,
)
from tests.people import find_session_of, open_person

GRACE = "grace.example@schools.example.org"


@dataclass
class Scene:
    """A pathway over two components, Reading and Writing, in force."""

    app: FastAPI
    partner: Partner
    reading: str
    writing: str
    awarded: str
    pathway_id: str

    async def earn_both(self, email: str = "ada.example@schools.example.org") -> tuple[Document, Document]:
        first = await earn(self.app, self.partner, self.reading, email)
        return first, await earn(self.app, self.partner, self.writing, email)

    async def proposal(self) -> Document:
        [found] = await list_proposals(self.partner)
        return found

    async def approved(self) -> Document:
        answer = await act(self.partner.staff, await self.proposal(), "approve")
        assert answer.status_code == 201, answer.text
        await run_jobs(self.app)
        found: Document = answer.json()
        return found

    async def events(self) -> list[str]:
        found = await list_all_events(world_of(self.app), self.partner.issuer_id)
        return [each.type.removeprefix("pathway.") for each in found if each.object_id == self.pathway_id][2:]

    async def progress(self, learner_id: str) -> Document:
        answer = await self.partner.client.get(f"/v1/pathways/{self.pathway_id}/progress/{learner_id}")
        assert answer.status_code == 200, answer.text
        found: Document = answer.json()
        return found


async def open_scene(app: FastAPI, partner: Partner, **settings: Any) -> Scene:
    reading, writing = [
        await publish(partner.client, _component(name, settings)) for name in ("Reading", "Writing")
    ]  # fmt: skip
    awarded = await publish(partner.client, stack_body())
    pathway_id = await publish_pathway(partner, pathway_body(partner, awarded, all_of(reading, writing)))
    await run_jobs(app)
    return Scene(app, partner, reading, writing, awarded, pathway_id)


def _component(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    return achievement_body(name=name, settings={"status_purpose": "suspension", **settings})


async def test_carolinacred_from_the_first_badge_to_the_stack(app: FastAPI, partner: Partner) -> None:
    """No fewer than four; one at least of each domain; two at least from the Literacy stacks."""
    literacy = await publish_components(partner, "Reading", "Writing", "Speaking")
    numeracy = await publish_components(partner, "Counting", "Measuring")
    awarded = await publish(partner.client, stack_body())
    sets = [{"group": "literacy"}, {"group": "numeracy"}]
    rule = {"all": [{"at_least": 4, "of": sets}, {"at_least": 1, "of": sets[1:]}, {"at_least": 2, "of": sets[:1]}]}
    groups = {"literacy": group("Literacy", literacy), "numeracy": group("Numeracy", numeracy)}
    pathway_id = await publish_pathway(partner, pathway_body(partner, awarded, rule, groups=groups))
    told = []
    for achievement_id in (literacy[0], numeracy[0], numeracy[1], literacy[2]):
        badge = await earn(app, partner, achievement_id)
        found = await partner.client.get(f"/v1/pathways/{pathway_id}/progress/{badge['learner_id']}")
        told.append((found.json()["sentence"], found.json()["stage"]))
    assert told == [
        ("1 of 4; still 1 from Numeracy and 1 from Literacy", "part"),
        ("2 of 4; still 1 from Literacy", "part"),
        ("3 of 4; still 1 from Literacy", "part"),
        ("4 of 4", "proposed"),
    ]
    [proposal] = await list_proposals(partner, state="proposed")
    assert len(proposal["credential_ids"]) == 4
    approved = await act(partner.staff, proposal, "approve")
    assert approved.status_code == 201, approved.text
    decision = approved.json()
    assert (decision["origin"], decision["proposal_id"], decision["assessors"]) == ("pathway", proposal["id"], [])
    badge = decision["credential"]["document"]
    await require_verifies(world_of(app), badge)
    urls = [each["id"] for each in badge["evidence"]]
    assert urls == [f"http://127.0.0.1:8000/credentials/{id_}" for id_ in proposal["credential_ids"]]
    assert [(await partner.client.get(url)).status_code for url in urls] == [200] * 4
    assert [each["name"] for each in badge["evidence"]] == ["Reading", "Speaking", "Counting", "Measuring"]
    result = badge["credentialSubject"]["result"][0]
    assert (result["value"], result["achievedLevel"].endswith("components-earned")) == ("Earned", True)
    assert badge["credentialSubject"]["source"]["name"] == "Academy assessors"
    await run_jobs(app)
    found = await partner.client.get(f"/v1/learners/{decision['learner_id']}/pathways")
    assert [each["stage"] for each in found.json()["items"]] == ["awarded"]
    assert [each["state"] for each in await list_proposals(partner)] == ["approved"]


async def test_it_is_proposed_once_and_only_when_it_is_met(app: FastAPI, partner: Partner) -> None:
    scene = await open_scene(app, partner)
    first = await earn(app, partner, scene.reading)
    assert await list_proposals(partner) == []
    assert (await scene.progress(first["learner_id"]))["sentence"] == "still Writing"
    await earn(app, partner, scene.reading, GRACE)
    second = await earn(app, partner, scene.writing)
    proposal = await scene.proposal()
    assert (proposal["learner_id"], proposal["state"]) == (first["learner_id"], "proposed")
    assert proposal["credential_ids"] == [first["id"], second["id"]]
    await earn(app, partner, scene.writing)  # the same badge again
    assert [each["id"] for each in await list_proposals(partner)] == [proposal["id"]]
    assert await scene.events() == ["proposed"]
    [event] = [e for e in await list_all_events(world_of(app), partner.issuer_id) if e.type == "pathway.proposed"]
    assert event.data["proposal_id"] == proposal["id"]


async def test_who_had_earned_it_before_is_proposed_when_it_is_published(app: FastAPI, partner: Partner) -> None:
    reading, writing = await publish_components(partner, "Reading", "Writing")
    for email in ("ada.example@schools.example.org", GRACE):
        await earn(app, partner, reading, email)
    badge = await earn(app, partner, writing, GRACE)
    awarded = await publish(partner.client, stack_body())
    await publish_pathway(partner, pathway_body(partner, awarded, all_of(reading, writing)))
    await run_jobs(app)
    assert [each["learner_id"] for each in await list_proposals(partner)] == [badge["learner_id"]]


async def test_a_component_lost_before_the_approval_lapses_the_proposal(app: FastAPI, partner: Partner) -> None:
    scene = await open_scene(app, partner)
    first, _ = await scene.earn_both()
    await change_badge(app, partner, first["id"], "suspend")
    assert (await scene.proposal())["state"] == "lapsed"
    refused = await act(partner.staff, await scene.proposal(), "approve")
    assert (refused.status_code, refused.json()["code"]) == (409, "proposal_not_open")
    assert (await scene.progress(first["learner_id"]))["sentence"] == "still Reading"
    await change_badge(app, partner, first["id"], "reinstate")
    assert (await scene.proposal())["state"] == "proposed"
    await change_badge(app, partner, first["id"], "revoke")
    assert (await scene.proposal())["state"] == "lapsed"
    assert await scene.events() == ["proposed", "lapsed", "proposed", "lapsed"]
    again = await earn(app, partner, scene.reading)
    assert again["id"] in (await scene.proposal())["credential_ids"]
    await scene.approved()


async def test_an_approval_that_overtakes_the_job_is_refused(app: FastAPI, partner: Partner) -> None:
    scene = await open_scene(app, partner)
    first, _ = await scene.earn_both()
    revoked = await partner.client.post(f"/v1/credentials/{first['id']}/revoke", json={"reason": "Not theirs."})
    assert revoked.status_code == 200
    refused = await act(partner.staff, await scene.proposal(), "approve")
    assert (refused.status_code, refused.json()["code"]) == (409, "pathway_not_met")
    assert (await scene.proposal())["state"] == "proposed"
    await run_jobs(app)
    assert (await scene.proposal())["state"] == "lapsed"


async def test_a_component_that_runs_out_does_not_count(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    scene = await open_scene(app, partner, validity_days=300)
    first, _ = await scene.earn_both()
    assert (await scene.proposal())["state"] == "proposed"
    clock.advance(days=100)
    assert (await scene.progress(first["learner_id"]))["stage"] == "proposed"
    await run_jobs(app)
    assert (await scene.proposal())["state"] == "lapsed"
    assert (await scene.progress(first["learner_id"]))["stage"] == "not_begun"


@pytest.mark.parametrize("outcome", ["kept", "revoked"])
async def test_after_the_award_a_loss_is_a_task_and_takes_nothing_away(
    app: FastAPI, partner: Partner, outcome: str
) -> None:
    scene = await open_scene(app, partner)
    first, _ = await scene.earn_both()
    badge_id = (await scene.approved())["credential"]["id"]
    early = await act(partner.staff, await scene.proposal(), "review", outcome=outcome, reason="Nothing is wrong.")
    assert (early.status_code, early.json()["code"]) == (409, "proposal_not_open")
    await change_badge(app, partner, first["id"], "suspend")
    assert (await scene.proposal())["review_since"] is not None
    await change_badge(app, partner, first["id"], "reinstate")
    assert (await scene.proposal())["review_since"] is None
    await change_badge(app, partner, first["id"], "revoke")
    proposal = await scene.proposal()
    assert (proposal["state"], proposal["review_since"] is None) == ("approved", False)
    assert (await partner.client.get(f"/v1/credentials/{badge_id}")).json()["state"] == "issued"
    reviewed = await act(partner.staff, proposal, "review", outcome=outcome, reason="Looked at.")
    assert (reviewed.status_code, reviewed.json()["review_since"]) == (200, None)
    assert reviewed.json()["reason"] == "Looked at."
    await run_jobs(app)
    state = (await partner.client.get(f"/v1/credentials/{badge_id}")).json()["state"]
    assert state == {"kept": "issued", "revoked": "revoked"}[outcome]
    assert (await scene.proposal())["review_since"] is None
    assert await scene.events() == [
        "proposed", "approved", "component_lost", "review_ended", "component_lost", "reviewed",
    ]  # fmt: skip


async def test_a_declined_proposal_comes_back_with_another_component_only(app: FastAPI, partner: Partner) -> None:
    scene = await open_scene(app, partner)
    first, second = await scene.earn_both()
    declined = await act(partner.staff, await scene.proposal(), "decline", reason="Under appeal.")
    assert (declined.status_code, declined.json()["state"], declined.json()["reason"]) == (
        200, "declined", "Under appeal.",
    )  # fmt: skip
    for verb in ("approve", "decline"):
        refused = await act(partner.staff, await scene.proposal(), verb, **({"reason": "?"} if verb[0] == "d" else {}))
        assert (refused.status_code, refused.json()["code"]) == (409, "proposal_not_open")
    await change_badge(app, partner, first["id"], "suspend")
    await change_badge(app, partner, first["id"], "reinstate")
    assert (await scene.proposal())["state"] == "declined"
    assert (await scene.progress(first["learner_id"]))["stage"] == "met"
    await change_badge(app, partner, second["id"], "revoke")
    await earn(app, partner, scene.writing)
    assert ((await scene.proposal())["state"], (await scene.proposal())["reason"]) == ("proposed", None)


async def test_two_approvals_at_once_give_one_badge(app: FastAPI, partner: Partner) -> None:
    scene = await open_scene(app, partner)
    await scene.earn_both()
    _, other = await open_person(app, partner.issuer_id, "approver", name="Second Approver")
    proposal = await scene.proposal()
    answers = await asyncio.gather(
        act(partner.staff, proposal, "approve"), act(other, proposal, "approve"), act(other, proposal, "approve")
    )
    assert Counter(each.status_code for each in answers) == {201: 1, 409: 2}, [each.text for each in answers]
    assert {each.json()["code"] for each in answers if each.status_code == 409} == {"proposal_not_open"}
    assert (await count_rows(world_of(app)))["award"] == 3
    async with world_of(app).database.reading() as session:
        query = select(Decision.id).where(Decision.proposal_id == proposal["id"])
        assert len((await session.scalars(query)).all()) == 1
    await other.aclose()


async def test_approval_and_revocation_at_once_never_leave_a_loss_unseen(app: FastAPI, partner: Partner) -> None:
    scene = await open_scene(app, partner)
    first, _ = await scene.earn_both()
    approved, _ = await asyncio.gather(
        act(partner.staff, await scene.proposal(), "approve"),
        partner.client.post(f"/v1/credentials/{first['id']}/revoke", json={"reason": "Not theirs."}),
    )
    await run_jobs(app)
    proposal = await scene.proposal()
    if approved.status_code == 201:
        assert (proposal["state"], proposal["review_since"] is None) == ("approved", False)
    else:
        assert (approved.json()["code"], proposal["state"]) == ("pathway_not_met", "lapsed")


async def test_a_repeated_approval_is_answered_as_the_first(app: FastAPI, partner: Partner) -> None:
    scene = await open_scene(app, partner)
    await scene.earn_both()
    url, headers = f"/v1/pathway-proposals/{(await scene.proposal())['id']}/approve", {"Idempotency-Key": "once"}
    first = await partner.staff.post(url, headers=headers)
    again = await partner.staff.post(url, headers=headers)
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)


async def test_only_a_person_who_approves_and_is_not_close_decides(app: FastAPI, partner: Partner) -> None:
    scene = await open_scene(app, partner)
    first, _ = await scene.earn_both()
    proposal = await scene.proposal()
    bodies = {"approve": {}, "decline": {"reason": "No."}, "review": {"outcome": "kept", "reason": "No."}}
    _, lead = await open_person(app, partner.issuer_id, "lead", "director", name="Lead Example")
    _, own = await open_person(
        app, partner.issuer_id, "approver", "learner", name="Own Example", learner_id=first["learner_id"]
    )
    for verb, body in bodies.items():
        assert (await act(partner.client, proposal, verb, **body)).json()["code"] == "person_required"
        assert (await act(lead, proposal, verb, **body)).json()["code"] == "forbidden"
        assert (await act(own, proposal, verb, **body)).json()["code"] == "approver_conflict"
    me = (await find_session_of(world_of(app), partner.staff)).person_id
    now = world_of(app).clock.now()
    async with world_of(app).database.transaction() as session:
        session.add(
            Affiliation(
                issuer_id=partner.issuer_id, id=new_id(), learner_id=first["learner_id"], person_id=me, kind="coach",
                declared_by="test",
                created_at=now, ended_at=None,
            )
        )  # fmt: skip
    assert (await act(partner.staff, proposal, "approve")).json()["code"] == "approver_conflict"
    assert (await scene.proposal())["state"] == "proposed"
    for client in (lead, own):
        await client.aclose()


async def test_who_has_the_badge_is_not_proposed_nor_given_a_second(app: FastAPI, partner: Partner) -> None:
    scene = await open_scene(app, partner)
    await scene.earn_both()
    results = [{"criterion": "components", "level": "earned", "rationale": "Shown elsewhere."}]
    await earn(app, partner, scene.awarded, results=results)
    refused = await act(partner.staff, await scene.proposal(), "approve")
    assert (refused.status_code, refused.json()["code"]) == (409, "already_awarded")
    await earn(app, partner, scene.awarded, GRACE, results=results)
    await scene.earn_both(GRACE)
    assert len(await list_proposals(partner)) == 1


async def test_a_partners_system_does_not_amend_what_was_approved(app: FastAPI, partner: Partner) -> None:
    scene = await open_scene(app, partner)
    await scene.earn_both()
    decision = await scene.approved()
    refused = await record(
        partner, achievement_id=scene.awarded, recipient=None, learner_id=decision["learner_id"], outcome="not_yet",
        supersedes=decision["id"], reason="We think otherwise.",
        results=[{"criterion": "components", "level": "not-earned", "rationale": "None."}],
    )  # fmt: skip
    assert (refused.status_code, refused.json()["code"]) == (409, "decision_of_workflow")


async def test_stacks_of_stacks(app: FastAPI, partner: Partner) -> None:
    scene = await open_scene(app, partner)
    bundle = await publish(partner.client, stack_body("Bundle"))
    await publish_pathway(partner, pathway_body(partner, bundle, all_of(scene.awarded), name="Bundle"))
    await scene.earn_both()
    decision = await scene.approved()
    proposal = next(each for each in await list_proposals(partner) if each["pathway_id"] != scene.pathway_id)
    assert (proposal["state"], proposal["credential_ids"]) == ("proposed", [decision["credential"]["id"]])
    assert (await act(partner.staff, proposal, "approve")).status_code == 201


async def test_a_merged_learner_has_earned_what_either_had(app: FastAPI, partner: Partner) -> None:
    scene = await open_scene(app, partner)
    first = await earn(app, partner, scene.reading)
    second = await earn(app, partner, scene.writing, GRACE)
    merged = await partner.client.post(
        f"/v1/learners/{first['learner_id']}/merge", json={"learner_id": second["learner_id"]}
    )
    assert merged.status_code == 200, merged.text
    await run_jobs(app)
    assert (await scene.proposal())["learner_id"] == first["learner_id"]
    assert (await scene.progress(second["learner_id"]))["learner_id"] == first["learner_id"]
    await scene.approved()


async def test_two_who_were_both_proposed_and_are_one_get_one_badge(app: FastAPI, partner: Partner) -> None:
    scene = await open_scene(app, partner)
    first, _ = await scene.earn_both()
    second, _ = await scene.earn_both(GRACE)
    both = {"learner_id": second["learner_id"]}
    assert (await partner.client.post(f"/v1/learners/{first['learner_id']}/merge", json=both)).status_code == 200
    await run_jobs(app)
    states = {each["learner_id"]: each["state"] for each in await list_proposals(partner)}
    assert states == {first["learner_id"]: "proposed", second["learner_id"]: "lapsed"}


async def test_an_erased_learner_is_proposed_no_more(app: FastAPI, partner: Partner) -> None:
    scene = await open_scene(app, partner)
    first, _ = await scene.earn_both()
    await act(partner.staff, await scene.proposal(), "decline", reason="A private matter.")
    second, _ = await scene.earn_both(GRACE)
    export = await partner.client.get(f"/v1/learners/{first['learner_id']}/export")
    assert [each["reason"] for each in export.json()["pathway_proposals"]] == ["A private matter."]
    for each in (first, second):
        assert (await partner.client.post(f"/v1/learners/{each['learner_id']}/erase")).status_code == 200
    await run_jobs(app)
    found = sorted(await list_proposals(partner), key=lambda each: str(each["state"]))
    assert [(each["state"], each["reason"]) for each in found] == [("declined", None), ("lapsed", None)]
    assert (await act(partner.staff, found[1], "approve")).status_code in (409, 410)
    gone = await partner.client.get(f"/v1/pathways/{scene.pathway_id}/progress/{first['learner_id']}")
    assert gone.status_code == 410


async def test_a_learner_sees_their_own_progress_and_nobody_elses(app: FastAPI, partner: Partner) -> None:
    scene = await open_scene(app, partner)
    mine = await earn(app, partner, scene.reading)
    theirs = await earn(app, partner, scene.reading, GRACE)
    _, learner = await open_person(app, partner.issuer_id, "learner", name="Ada Self", learner_id=mine["learner_id"])
    for path in (f"/v1/pathways/{scene.pathway_id}/progress/{{}}", "/v1/learners/{}/pathways"):
        assert (await learner.get(path.format(mine["learner_id"]))).status_code == 200
        assert (await learner.get(path.format(theirs["learner_id"]))).status_code == 404
    assert (await learner.get("/v1/pathway-proposals")).status_code == 403
    await learner.aclose()


async def test_the_next_version_proposes_and_the_one_before_no_more(app: FastAPI, partner: Partner) -> None:
    scene = await open_scene(app, partner)
    url = f"/v1/pathways/{scene.pathway_id}/versions"
    body = pathway_body(partner, scene.awarded, all_of(scene.reading))
    assert (await partner.client.post(url, json=body)).status_code == 201
    first = await earn(app, partner, scene.reading)
    assert await list_proposals(partner) == []
    assert (await partner.client.post(f"{url}/2/publish")).status_code == 200
    await run_jobs(app)
    assert (await scene.proposal())["version"] == 2
    await earn(app, partner, scene.writing)
    assert [each["version"] for each in await list_proposals(partner)] == [2]
    assert (await partner.client.post(f"{url}/2/retire")).status_code == 200
    await run_jobs(app)
    assert (await scene.progress(first["learner_id"]))["version"] == 1
    await scene.approved()


async def test_a_private_component_is_named_without_its_address(app: FastAPI, partner: Partner) -> None:
    scene = await open_scene(app, partner, visibility="private")
    await scene.earn_both()
    badge = (await scene.approved())["credential"]["document"]
    await require_verifies(world_of(app), badge)
    assert [("id" in each, each["name"]) for each in badge["evidence"]] == [(False, "Reading"), (False, "Writing")]
