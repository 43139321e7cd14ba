"""What the house tests need of approval, appeals, moderation."""

from tests.conftest import Partner
from tests.house.areas.stories import Mistakes, Story


async def ids(partner: Partner, known: dict[str, str]) -> dict[str, str]:
    """One object of every kind that this issuer has, by the name of the parameter that takes its id."""
    return {}


async def examples(story: Story) -> None:
    """One good call of every operation."""


async def mistakes(made: Mistakes) -> None:
    """One request for every problem that somebody can make by themselves."""
