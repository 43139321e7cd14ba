"""The policy simulation over HTTP: it prints its model, compares, and refuses what makes no sense."""

from typing import Any

import pytest
from fastapi import FastAPI

from app.programs.policy import ScoringPolicyBody
from app.programs.simulation_texts import tell, tell_comparison
from app.programs.store import Program
from app.psychometrics.simulation import DOUBLE, SINGLE, Model, simulate
from tests.assessing import put_program
from tests.builders import achievement_body
from tests.conftest import Partner, publish
from tests.issuing import world_of


@pytest.fixture
async def program(app: FastAPI, partner: Partner) -> Program:
    policy = ScoringPolicyBody.model_validate({"second_readings": {"random_percent": 25, "near_standard": False}})
    return await put_program(world_of(app), partner, policy)


def path(program: Program) -> str:
    return f"/v1/programs/{program.id}/policy-simulations"


async def ask(partner: Partner, program: Program, **body: Any) -> dict[str, Any]:
    answer = await partner.client.post(path(program), json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_five_policies_are_compared_unless_others_are_asked_for(partner: Partner, program: Program) -> None:
    told = await ask(partner, program, criteria=5)
    by_name = {policy["name"]: policy for policy in told["policies"]}
    assert list(by_name) == ["single", "refused", "near-standard", "double", "in-force"]
    in_force = by_name["in-force"]
    assert (in_force["random_percent"], in_force["near_standard"], in_force["policy_version"]) == (25, False, 1)
    assert in_force["readings"] == pytest.approx(0.75 + 0.25 * by_name["double"]["readings"])
    near = by_name["near-standard"]
    assert near["policy_version"] is None
    assert near["wrongly_refused"] == {"value": pytest.approx(0.0367, abs=5e-5), "reason": None}
    assert near["wrongly_awarded"] == {"value": pytest.approx(0.0131, abs=5e-5), "reason": None}
    assert near["readings"] == pytest.approx(1.554, abs=5e-4)
    assert near["sentence"] == (
        "Of 100 people who meet the standard 3.7 are refused, of 100 who do not 1.3 are awarded; "
        "100 submissions take 155 readings."
    )
    assert told["sentence"] == (
        "With 5 criteria and readers who are right 85 times in 100, of these policies double leaves the fewest wrong decisions, "
        "2.1 wrong in 100 at 2.17 readings a submission; single the most, 9 wrong in 100 at 1.00 readings a submission."
    )
    own = [{"name": "tenth", "random_percent": 10}]
    assert [each["name"] for each in (await ask(partner, program, criteria=5, policies=own))["policies"]] == ["tenth"]


async def test_the_whole_model_is_printed(partner: Partner, program: Program) -> None:
    model = (await ask(partner, program, criteria=5))["model"]
    assumptions = model.pop("assumptions")
    assert model == {
        "criteria": 5, "achievement_id": None, "version": None, "accuracy": 0.85, "accuracy_is_assumed": True,
        "third_accuracy": pytest.approx(0.93), "levels": 4, "bar": 2, "person_means": [1.2, 2.0, 2.4, 2.8], "noise": 0.6,
        "third_gain": 0.08, "third_limit": 0.97, "resolution": "median", "passing": pytest.approx(0.49, abs=5e-4),
    }  # fmt: skip
    assert len(assumptions) == 7
    assert "assumed, not measured" in assumptions[2]
    assert "come on top" in assumptions[-1]
    parameters = {
        "accuracy": 0.9, "levels": 3, "bar": 1, "person_means": [0.5, 1.5], "noise": 0.5, "third_gain": 0.02,
        "third_limit": 0.91, "resolution": "third_reading",
    }  # fmt: skip
    told = await ask(partner, program, criteria=3, policies=[{"name": "twice", "random_percent": 100}], **parameters)
    model = told["model"]
    assert model.items() >= parameters.items()
    assert (model["accuracy_is_assumed"], model["third_accuracy"]) == (False, 0.91)
    assert len(model["assumptions"]) == 6
    assert not any("assumed" in each for each in model["assumptions"])
    own = Model(3, 0.9, 3, 1, (0.5, 1.5), 0.5, 0.02, 0.91, "third_reading")
    assert told["policies"][0]["wrong"] == pytest.approx(simulate(own, {"": DOUBLE})[""].wrong)


async def test_the_criteria_of_a_version_are_counted(partner: Partner, program: Program) -> None:
    told = await ask(partner, program, achievement_id=partner.achievement_id)
    found = {name: told["model"][name] for name in ("criteria", "achievement_id", "version")}
    assert found == {"criteria": 2, "achievement_id": partner.achievement_id, "version": 1}
    assert told["policies"] == (await ask(partner, program, criteria=2))["policies"]
    named = await ask(partner, program, achievement_id=partner.achievement_id, version=1)
    assert named == told


async def test_people_who_read_programs_may_ask_and_nothing_is_written(partner: Partner, program: Program) -> None:
    before = (await partner.client.get("/v1/events?limit=500")).json()
    answer = await partner.staff.post(path(program), json={"criteria": 5})
    assert answer.status_code == 200, answer.text
    assert answer.json() == await ask(partner, program, criteria=5)
    assert (await partner.client.get("/v1/events?limit=500")).json() == before


async def test_other_achievements_and_programs(partner: Partner, program: Program) -> None:
    other = await publish(partner.client, achievement_body(name="Another"))
    for body, status, code in (
        ({"achievement_id": other}, 422, "achievement_not_in_program"),
        ({"achievement_id": "0" * 32}, 404, "not_found"),
        ({"achievement_id": partner.achievement_id, "version": 2}, 404, "not_found"),
    ):
        answer = await partner.client.post(path(program), json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    unknown = await partner.client.post(f"/v1/programs/{'0' * 32}/policy-simulations", json={"criteria": 5})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_what_makes_no_sense_is_refused_with_words(partner: Partner, program: Program) -> None:
    twice = [{"name": "a"}, {"name": "a", "refused": True}]
    for body, words in (
        ({}, "either criteria or achievement_id"),
        ({"criteria": 5, "achievement_id": partner.achievement_id}, "either criteria or achievement_id"),
        ({"criteria": 5, "version": 1}, "version belongs to achievement_id"),
        ({"criteria": 0}, "greater than or equal to 1"),
        ({"criteria": 51}, "less than or equal to 50"),
        ({"criteria": True}, "must be a whole number"),
        ({"criteria": 5, "accuracy": 85}, "less than or equal to 1"),
        ({"criteria": 5, "accuracy": "0.85"}, "number"),
        ({"criteria": 5, "bar": 4}, "bar 4 is not on a scale of 4 levels"),
        ({"criteria": 5, "levels": 3}, "give person_means"),
        ({"criteria": 5, "person_means": []}, "at least 1 item"),
        ({"criteria": 5, "person_means": [3.5]}, "person_means lie on the scale, from 0 to 3"),
        ({"criteria": 5, "noise": 0}, "greater than or equal to 0.01"),
        ({"criteria": 5, "policies": []}, "at least 1 item"),
        ({"criteria": 5, "policies": twice}, "two policies have the same name"),
        ({"criteria": 5, "policies": [{"name": "a", "random_percent": 101}]}, "less than or equal to 100"),
        ({"criteria": 5, "seed": 1}, "is not a member"),
    ):
        answer = await partner.client.post(path(program), json=body)
        assert answer.status_code == 422, (body, answer.text)
        assert words.lower() in answer.text.lower(), (body, answer.text)
    for text in ('{"criteria": 5, "accuracy": NaN}', '{"criteria": 5, "noise": 1e400}'):
        headers = {"Content-Type": "application/json"}
        answer = await partner.client.post(path(program), content=text, headers=headers)
        assert answer.status_code in (400, 422), answer.text


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_a_share_of_nobody_has_a_reason(partner: Partner, program: Program) -> None:
    told = await ask(partner, program, criteria=2, person_means=[3], noise=0.01)
    assert told["policies"][0]["wrongly_awarded"] == {"value": None, "reason": "everybody_passes"}
    assert told["policies"][0]["wrongly_refused"]["value"] == pytest.approx(0, abs=1e-9)
    told = await ask(partner, program, criteria=2, person_means=[0], noise=0.01)
    assert told["policies"][0]["wrongly_refused"] == {"value": None, "reason": "nobody_passes"}
    assert told["policies"][0]["sentence"] == "Of 100 who do not 0 are awarded; 100 submissions take 100 readings."


def test_one_policy_or_equal_ones_are_not_called_best_and_worst() -> None:
    model = Model(5, 0.85)
    alone = simulate(model, {"single": SINGLE})
    expected = (
        "With 5 criteria and readers who are right 85 times in 100, the policy single leaves 9 wrong in 100 at 1.00 readings a "
        "submission."
    )
    assert tell_comparison(model, alone) == expected
    assert tell_comparison(model, {"single": alone["single"], "none": alone["single"]}) == expected
    assert tell(alone["single"]).startswith("Of 100 people who meet the standard 15.9 are refused")
