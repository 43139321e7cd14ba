"""What the house tests need of Open Badges API."""

from tests.conftest import Partner
from tests.house.areas.stories import Mistakes, Story


async def ids(partner: Partner, known: dict[str, str]) -> dict[str, str]:
    """One object of every kind that this issuer has, by the name of the parameter that takes its id."""
    return {}


async def examples(story: Story) -> None:
    """Call every operation once."""


async def mistakes(made: Mistakes) -> None:
    """Make every mistake once."""
