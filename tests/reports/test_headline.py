"""The headline."""

from fastapi import FastAPI

from tests.conftest import Partner
from tests.scoring.judging import open_case


async def test_three_different_numbers(app: FastAPI, partner: Partner) -> None:
    case = await open_case(app, partner)
    await case.decided()
    answer = await partner.client.get(f"/v1/programs/{case.program.id}/reports/headline")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["enrolled"], body["distinct_earners"], body["credentials"]) == (1, 1, 1)
    table = await partner.client.get(f"/v1/programs/{case.program.id}/reports/headline?format=csv")
    assert "credentials,,1,\r\n" in table.text
    listed = await partner.client.get(f"/v1/programs/{case.program.id}/reports")
    assert listed.json()["reports"][0]["name"] == "headline"
