"""Team work: shared artifacts of a declared team, and a reflection of everybody's own."""

import asyncio

import pytest
from fastapi import FastAPI

from tests.assessing import put_enrollment, put_program
from tests.conftest import Partner
from tests.submissions.attempts import PDF, STATEMENT, URL, Attempt, enroll, good, pointers, refused

BENS = {**STATEMENT, "parts": {**STATEMENT["parts"], "reflection": "I learned to listen."}}


async def team_of(partner: Partner, *members: Attempt) -> str:
    body = {
        "program_id": members[0].program.id, "name": "Team North",
        "enrollment_ids": [member.enrollment.id for member in members],
    }  # fmt: skip
    return str(good(await partner.client.post("/v1/teams", json=body))["id"])


async def test_a_team_is_of_one_program_and_its_members_see_it(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    ben, cleo = await ada.mate(app, "Ben Example"), await ada.mate(app, "Cleo Example")
    team = await team_of(partner, ada, ben)
    assert sorted(good(await ada.client.get(f"/v1/teams/{team}"))["enrollment_ids"]) == sorted(
        [ada.enrollment.id, ben.enrollment.id]
    )
    assert [item["id"] for item in good(await ben.client.get("/v1/teams"))["items"]] == [team]
    assert good(await cleo.client.get("/v1/teams"))["items"] == []
    assert refused(await cleo.client.get(f"/v1/teams/{team}")) == (404, "not_found")
    other = await put_program(ada.world, partner)
    stranger, _ = await put_enrollment(ada.world, other, name="Dee Example")
    wrong = {"enrollment_ids": [ada.enrollment.id, stranger.id]}
    answer = await partner.client.put(f"/v1/teams/{team}/members", json=wrong)
    assert (refused(answer), pointers(answer)) == ((422, "enrollment_not_in_program"), {"/enrollment_ids/1"})
    assert refused(await ada.client.put(f"/v1/teams/{team}/members", json={"enrollment_ids": []})) == (
        403, "not_for_learners",
    )  # fmt: skip


async def test_who_has_work_in_the_team_stays(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    ben = await ada.mate(app, "Ben Example")
    team = await team_of(partner, ada, ben)
    path = await ada.draft(team_id=team)
    members = f"/v1/teams/{team}/members"
    only_ben = {"enrollment_ids": [ben.enrollment.id]}
    assert refused(await partner.client.put(members, json=only_ben)) == (409, "member_has_submission")
    good(await ada.client.post(f"{path}/withdraw"))
    assert good(await partner.client.put(members, json=only_ben))["enrollment_ids"] == [ben.enrollment.id]
    assert refused(await ada.begin(team_id=team)) == (409, "not_a_team_member")


async def test_sharing_needs_a_declared_team(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    path = await ada.draft()
    shared = await ada.client.post(f"{path}/artifacts", json={**URL, "shared": True})
    assert refused(shared) == (409, "team_not_declared")
    artifact = good(await ada.client.post(f"{path}/artifacts", json=URL))["id"]
    changed = await ada.client.patch(f"{path}/artifacts/{artifact}", json={"shared": True})
    assert refused(changed) == (409, "team_not_declared")


async def test_what_one_shares_is_evidence_of_all(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    ben = await ada.mate(app, "Ben Example")
    team = await team_of(partner, ada, ben)
    theirs, mine = await ada.draft(team_id=team), await ben.draft(team_id=team)
    good(await ben.client.put(f"{mine}/statement", json=BENS))
    artifact = good(await ada.client.post(f"{theirs}/artifacts", json={**URL, "name": "Our plan"}))
    assert pointers(await ben.client.post(f"{mine}/submit")) == {"/artifacts"}, "it is not shared yet"
    at = f"{theirs}/artifacts/{artifact['id']}"
    good(await ada.client.patch(at, json={"shared": True}))
    submitted = good(await ben.client.post(f"{mine}/submit"))
    assert [(each["name"], each["submission_id"]) for each in submitted["shared_artifacts"]] == [
        ("Our plan", theirs.rpartition("/")[2])
    ]
    for answer in (await ada.client.delete(at), await ada.client.patch(at, json={"shared": False})):
        assert refused(answer) == (409, "artifact_in_use")
    good(await ada.client.post(f"{theirs}/artifacts", json={**URL, "name": "Later", "shared": True}))
    after = good(await ben.client.get(mine))["shared_artifacts"]
    assert [each["name"] for each in after] == ["Our plan"], "what was handed in stays as it was"
    there = submitted["shared_artifacts"][0]["id"]
    assert refused(await ben.client.get(f"{mine}/artifacts/{there}/file")) == (410, "evidence_missing"), "it is a URL"
    assert refused(await ben.client.delete(f"{mine}/artifacts/{there}")) == (404, "not_found"), "it is a mate's"
    cleo = await ada.mate(app, "Cleo Example")
    alone = good(await cleo.client.get(await cleo.draft()))
    assert alone["shared_artifacts"] == [], "who is not in the team gets nothing of it"


async def test_everybody_reflects_for_themselves(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    ben = await ada.mate(app, "Ben Example")
    team = await team_of(partner, ada, ben)
    await ada.submitted(team_id=team)
    copied = {**STATEMENT, "parts": {**STATEMENT["parts"], "reflection": "WHAT I would do —\n otherwise!"}}
    path = await ben.ready(copied, team_id=team)
    answer = await ben.client.post(f"{path}/submit")
    assert refused(answer) == (422, "reflection_not_individual")
    assert pointers(answer) == {"/statement/parts/reflection"}
    good(await ben.client.put(f"{path}/statement", json=BENS))
    good(await ben.client.post(f"{path}/submit"))
    cleo = await ada.mate(app, "Cleo Example")
    await cleo.submitted()


@pytest.mark.parametrize("same", [True, False])
async def test_two_mates_hand_in_the_same_reflection_at_once(app: FastAPI, partner: Partner, same: bool) -> None:
    ada = await enroll(app, partner)
    ben = await ada.mate(app, "Ben Example")
    team = await team_of(partner, ada, ben)
    paths = [await ada.ready(team_id=team), await ben.ready(STATEMENT if same else BENS, team_id=team)]
    answers = await asyncio.gather(ada.client.post(f"{paths[0]}/submit"), ben.client.post(f"{paths[1]}/submit"))
    assert sorted(answer.status_code for answer in answers) == ([200, 422] if same else [200, 200])


async def test_a_shared_file_is_downloaded_by_mates_alone(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    ben, cleo = await ada.mate(app, "Ben Example"), await ada.mate(app, "Cleo Example")
    team = await team_of(partner, ada, ben)
    theirs, mine, other = await ada.draft(team_id=team), await ben.draft(team_id=team), await cleo.draft()
    artifact = await ada.upload(theirs)
    there = f"artifacts/{artifact.rpartition('/')[2]}/file"
    assert refused(await ben.client.get(f"{mine}/{there}")) == (404, "not_found"), "it is not shared yet"
    good(await ada.client.patch(artifact, json={"shared": True}))
    assert (await ben.client.get(f"{mine}/{there}")).content == PDF
    assert refused(await cleo.client.get(f"{other}/{there}")) == (404, "not_found")
    assert refused(await cleo.client.get(f"{mine}/{there}")) == (404, "not_found")
    overwrite = await ben.client.put(f"{mine}/{there}", content=PDF, headers={"Content-Type": "application/pdf"})
    assert refused(overwrite) == (404, "not_found")
