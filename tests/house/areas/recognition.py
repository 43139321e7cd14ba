"""What the house tests need of recognition."""

from tests.conftest import Partner
from tests.house.areas.stories import Mistakes, Story
from tests.verification.badges import badge, did_key_issuer, sign

_ISSUER = did_key_issuer("elsewhere")
_BADGE = sign(badge(_ISSUER), _ISSUER)
_MAPPED = {"achievement": _BADGE["credentialSubject"]["achievement"]["id"], "issuer": _ISSUER.id, "credit": "15"}


async def ids(partner: Partner, known: dict[str, str]) -> dict[str, str]:
    """One object of every kind that this issuer has, by the name of the parameter that takes its id."""
    body = {"unit": "hours", "mapping": [_MAPPED], "badges": [{"credential": _BADGE}]}
    made = await partner.client.post("/v1/recognitions", json=body)
    assert made.status_code == 201, made.text
    return {"recognition_id": made.json()["id"]}


async def examples(story: Story) -> None:
    """Call every operation once."""
    story.token = story.client
    body = {"unit": "renewal hours", "mapping": [_MAPPED], "badges": [{"credential": _BADGE, "reference": "staff-17"}]}
    made = await story.call("create_recognition", body=body)
    await story.call("list_recognitions")
    await story.call("get_recognition", recognition_id=made["id"])
    await story.call("verify_recognition", recognition_id=made["id"], body={"badges": [{"credential": _BADGE}]})


async def mistakes(made: Mistakes) -> None:
    """Make every mistake once."""
    body = {"unit": "hours", "mapping": [_MAPPED], "badges": [{"credential": _BADGE}]}
    await made.make("unfit_mapping", "POST", "/v1/recognitions", json={**body, "mapping": [_MAPPED, _MAPPED]})
    recognition = (await made.client.post("/v1/recognitions", json=body)).json()
    other = sign(badge(_ISSUER, id="https://badges.example/credentials/2"), _ISSUER)
    path = f"/v1/recognitions/{recognition['id']}/verifications"
    await made.make("badge_not_recognized", "POST", path, json={"badges": [{"credential": other}]})
