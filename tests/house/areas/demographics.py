"""What the house tests need of demographics."""

from tests.conftest import Partner
from tests.house.areas.stories import Mistakes, Story
from tests.people import make_person

VALUES = [{"key": "woman", "label": "Woman"}, {"key": "man", "label": "Man"}]


async def ids(partner: Partner, known: dict[str, str]) -> dict[str, str]:
    """One object of every kind that this issuer has, by the name of the parameter that takes its id."""
    body = {"dimensions": [{"key": "gender", "label": "Gender", "values": VALUES}]}
    assert (await partner.client.put("/v1/demographics/vocabulary", json=body)).status_code == 200
    return {}


async def examples(story: Story) -> None:
    """Call every operation once."""
    kept = story.token
    await story.call("put_demographic_vocabulary", body={"dimensions": [
        {"key": "gender", "label": "Gender", "values": VALUES}], "minimum_people": 60})  # fmt: skip
    await story.call("get_demographic_vocabulary")
    await story.call("declare_demographics", body={"values": {"gender": "woman"}})
    await story.call("withdraw_demographics")
    issuer_id, learner_id = story.known["issuer_id"], story.known["learner_id"]
    _, story.token = await make_person(
        story.world, issuer_id, "learner", name="Speaking Example", learner_id=learner_id
    )
    await story.call("declare_my_demographics", body={"values": {"gender": "woman"}})
    await story.call("get_my_demographics")
    await story.call("withdraw_my_demographics")
    story.token = kept


async def mistakes(made: Mistakes) -> None:
    """Make every mistake once."""
    learner = await made.client.post("/v1/learners", json={"email": "demographics@schools.example.org"})
    path = f"/v1/learners/{learner.json()['id']}/demographics"
    await made.make("no_vocabulary", "PUT", path, json={"values": {"gender": "woman"}})
    body = {"dimensions": [{"key": "gender", "label": "Gender", "values": VALUES}]}
    assert (await made.client.put("/v1/demographics/vocabulary", json=body)).status_code == 200
    await made.make("unknown_demographic", "PUT", path, json={"values": {"gender": "wizard"}})
