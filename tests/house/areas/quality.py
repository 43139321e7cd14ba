"""What the house tests need of quality reports: they are public and about what is published."""

from app.quarters import quarter_of
from tests.conftest import Partner
from tests.house.areas.stories import Mistakes, Story


async def ids(partner: Partner, known: dict[str, str]) -> dict[str, str]:
    """None: a report is named by its achievement, version and window."""
    return {}


async def examples(story: Story) -> None:
    """The reports of the first version, and today's."""
    await story.call("fetch_quality_reports", version="1")
    await story.call("fetch_quality_report", version="1", window=quarter_of(story.world.clock.now()).label)


async def mistakes(made: Mistakes) -> None:
    """None of its own: a window without a report is `not_found`."""
