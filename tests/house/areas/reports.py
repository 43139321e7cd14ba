"""What the house tests need of reports."""

from tests.builders import achievement_body
from tests.conftest import Partner, publish
from tests.house.areas.stories import Mistakes, Story

REPORTS = (
    "headline",
    "funnel",
    "pass-rate",
    "turnaround",
    "double-reading",
    "decisions",
    "agreement",
    "equity",
    "impact",
    "pathways",
)


async def ids(partner: Partner, known: dict[str, str]) -> dict[str, str]:
    """One object of every kind that this issuer has, by the name of the parameter that takes its id."""
    return {}


async def examples(story: Story) -> None:
    """Call every operation once."""
    story.token, kept = story.client, story.token
    known = story.known
    body = {"name": "Reported", "panel_id": known["panel_id"], "achievement_ids": [known["achievement_id"]]}
    program = await story.call("create_program", body=body)
    recipient = {"name": "Rona Example", "email": "rona.example@schools.example.org"}
    await story.call("create_enrollment", body={"program_id": program["id"], "recipient": recipient})
    await story.call("list_reports", program_id=program["id"])
    for name in REPORTS:
        await story.call(f"report_{name.replace('-', '_')}", program_id=program["id"])
    story.token = story.staff
    await story.call("report_funder_export", program_id=program["id"])
    story.token = kept


async def mistakes(made: Mistakes) -> None:
    """Make every mistake once."""
    achievement_id = await publish(made.client, achievement_body())
    body = {"name": "Reported", "panel_id": await made.panel(), "achievement_ids": [achievement_id]}
    program = await made.client.post("/v1/programs", json=body)
    path = f"/v1/programs/{program.json()['id']}/reports/headline"
    await made.make("unfit_filters", "GET", path, params={"version": 1})
