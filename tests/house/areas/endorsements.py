"""What the house tests need of endorsements."""

from tests.builders import achievement_body
from tests.conftest import Partner, publish
from tests.endorsements.endorsing import theirs
from tests.house.areas.stories import BASE_URL, Mistakes, Story
from tests.verification.badges import put

_BODY = {
    "endorsed": "https://state.example.org/achievements/7",
    "name": "Accepted for license renewal",
    "comment": "The state accepts this micro-credential for **15** renewal hours.",
}


async def ids(partner: Partner, known: dict[str, str]) -> dict[str, str]:
    """One object of every kind that this issuer has, by the name of the parameter that takes its id."""
    made = await partner.client.post("/v1/endorsements", json=_BODY)
    assert made.status_code == 201, made.text
    return {"endorsement_id": made.json()["id"]}


async def examples(story: Story) -> None:
    """Call every operation once."""
    story.token = story.client
    version = f"{BASE_URL}/achievements/{story.known['achievement_id']}/v1"
    made = await story.call("create_endorsement", body={**_BODY, "endorsed": version})
    known = {"endorsement_id": made["id"]}
    await story.call("get_endorsement", **known)
    await story.call("list_endorsements")
    await story.call("fetch_endorsement", **known)
    await story.call("fetch_endorsements_of_achievement")
    await story.call("fetch_endorsements_of_issuer")
    await story.call("fetch_endorsements_of_credential")
    taken = await story.call("import_endorsement", body={"credential": theirs(version)})
    await story.call("accept_endorsement", body={"embed": False}, endorsement_id=taken["id"])
    await story.call("withdraw_endorsement", endorsement_id=taken["id"])
    await story.call("revoke_endorsement", **known)


async def mistakes(made: Mistakes) -> None:
    """Make every mistake once."""
    embed = {**_BODY, "embed": True, "revocable": False}
    await made.make("endorsement_not_embeddable", "POST", "/v1/endorsements", json=embed)
    over = {**_BODY, "valid_until": "2020-01-01T00:00:00Z"}
    await made.make("endorsement_over", "POST", "/v1/endorsements", json=over)
    given = (await made.client.post("/v1/endorsements", json={**_BODY, "revocable": False})).json()["id"]
    await made.make("endorsement_not_revocable", "POST", f"/v1/endorsements/{given}/revoke")
    assert (await made.client.post(f"/v1/endorsements/{given}/withdraw")).status_code == 200
    await made.make("endorsement_not_open", "POST", f"/v1/endorsements/{given}/accept", json={})
    elsewhere = theirs("https://elsewhere.example.org/achievements/1")
    path = "/v1/endorsements/import"
    await made.make("endorsement_not_ours", "POST", path, json={"credential": elsewhere})
    await made.make("not_an_endorsement", "POST", path, json={"credential": {**elsewhere, "type": ["Another"]}})
    changed = put(elsewhere, "/credentialSubject/endorsementComment", "We love it.")
    await made.make("endorsement_not_verified", "POST", path, json={"credential": changed})
    version = f"{BASE_URL}/achievements/{await publish(made.client, achievement_body(name='Endorsed'))}/v1"
    assert (await made.client.post(path, json={"credential": theirs(version)})).status_code == 201
    await made.make("endorsement_known", "POST", path, json={"credential": theirs(version)})
