"""What the house tests need of the Open Badges API."""

from tests.conftest import Partner
from tests.house.areas.stories import Mistakes, Story
from tests.verification.badges import badge, did_key_issuer, sign

_ISSUER = did_key_issuer("elsewhere")
_BADGE = sign(badge(_ISSUER), _ISSUER)


async def ids(partner: Partner, known: dict[str, str]) -> dict[str, str]:
    """One object of every kind that this issuer has, by the name of the parameter that takes its id."""
    return {}


async def examples(story: Story) -> None:
    """Call every operation once."""
    await story.call("get_service_description")
    story.token = story.known["oauth_token"]  # of the area OAuth 2.0, which comes before
    await story.call("upsert_credential", body=_BADGE)
    await story.call("get_credentials")
    await story.call("get_profile")
    await story.call("put_profile", body={"id": "did:example:ada", "type": ["Profile"], "name": "Ada Example"})
    story.token = story.known["learner_token"]
    await story.call("revoke_my_consent")


async def mistakes(made: Mistakes) -> None:
    """Make every mistake once."""
