"""Nothing an assessor is answered depends on what another assessor has read, or has not read yet."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.access.principals import ROLE_SCOPES, Scope
from app.assessors.store import Anchor
from app.identifiers import new_id
from app.main import create_app
from app.readings.store import Reading
from app.settings import Settings
from app.submissions.store import Submission
from tests.builders import results
from tests.conftest import BASE_URL, KEY, Partner, Residents, Templates, open_client
from tests.fakes import FixedClock
from tests.house.operations import list_operations
from tests.people import open_person
from tests.readings.scene import SINGLE, Scene, open_scene
from tests.submissions.attempts import PDF, STATEMENT, Attempt, good

READERS = ("assessor", "lead")
"""Roles of those who read."""
APART = {"high": ("demonstrated", "not-evident"), "low": ("not-evident", "demonstrated")}
"""What first and second reader found in each criterion: they differ, so that a lead adjudicates, and differently each time."""

HIDDEN: dict[str, dict[str, str] | None] = {
    "high": {"problem": "demonstrated", "evidence": "demonstrated"},
    "low": {"problem": "not-evident", "evidence": "developing"},
    "not there yet": None,
}
"""What the other assessor has submitted: the databases differ in this only."""


@dataclass(frozen=True, slots=True)
class Databases:
    settings: dict[str, Settings]
    residents: Residents


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Databases]:
    """A database for each of HIDDEN, all copies of one."""
    templates: Templates = request.getfixturevalue(f"{request.param}_templates")
    template, residents = templates.get(BASE_URL, ("partner",))
    assert residents is not None
    names = {hidden: f"t{uuid4().hex}" for hidden in HIDDEN}
    settings = {
        hidden: Settings.model_validate(
            {"database_url": templates.databases.create(name, template), "data_directory": tmp_path,
             "key_encryption_key": KEY, "public_url": BASE_URL, "verify_processes": 1, "run_jobs": False}
        )
        for hidden, name in names.items()
    }  # fmt: skip
    try:
        yield Databases(settings, residents)
    finally:
        for name in names.values():
            templates.databases.drop(name)


@asynccontextmanager
async def open_world(databases: Databases, hidden: str, *, lead: bool = False) -> AsyncIterator[Scene]:
    app = create_app(databases.settings[hidden], clock=FixedClock())
    async with app.router.lifespan_context(app), open_client(app) as client, open_client(app) as staff:
        resident = databases.residents.partners["partner"]
        client.headers, staff.headers = resident.client.headers, resident.staff.headers
        partner = Partner(client, staff, resident.issuer_id, resident.achievement_id, resident.panel_id)
        async with open_scene(app, partner, {"second_readings": {"random_percent": 100}}, lead=lead) as scene:
            yield scene


def masked(answer: httpx.Response) -> str:
    """Everything of an answer but for generated ids, digests and tokens, and which of the two assessors asks: ids decide that."""
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    return mask(f"{answer.status_code} {sorted(headers.items())} {answer.text}")


def mask(text: str) -> str:
    text = re.sub(r"\bassay_[0-9a-f]{32}_[\w-]{43}", "TOKEN", text)
    return re.sub(r"\b[0-9a-f]{16,64}\b", "ID", re.sub(r"\b([Aa])-0[12]\b", r"\1-00", text))


async def walk(client: httpx.AsyncClient, reading_id: str) -> list[str]:
    """Every operation for people that reads, and every one that changes but cannot here, on this reading."""
    answers = []
    for operation in list_operations():
        if operation.is_for_people and operation.method == "GET":
            names = {name: reading_id if name == "reading_id" else "0" * 32 for name in operation.parameters("path")}
            answer = await client.get(operation.path.format(**names))
            answers.append(f"{operation.id}: {masked(answer)}")
    return answers


async def observe(scene: Scene, hidden: str) -> list[str]:
    """Everything the second reader is answered on the way from the assignment to after their submission."""
    submission = await scene.accept()
    first, first_id = await scene.holder(submission, "first")
    second, second_id = await scene.holder(submission, "second_random")
    levels = HIDDEN[hidden]
    if levels is not None:
        assert (await scene.read(first, first_id, **levels)).status_code == 201
    client = scene.clients[second]
    seen = await walk(client, second_id)
    for path, body in (
        (f"/v1/readings/{first_id}/start", None),
        (f"/v1/readings/{first_id}/recuse", {"reason": "other"}),
        (f"/v1/readings/{first_id}/submission", {"results": results()}),
        (f"/v1/readings/{new_id()}/start", None),
        ("/v1/readings/claim", None),
        (f"/v1/readings/{second_id}/submission", {"results": results()}),
        (f"/v1/readings/{second_id}/start", None),
        (f"/v1/readings/{second_id}/submission", {"results": results()[:1]}),
    ):
        seen.append(masked(await client.post(path, json=body)))
    seen += [masked(await client.get(f"/v1/readings/{first_id}"))]
    seen += await walk(client, second_id)
    seen += [masked(await client.post(f"/v1/readings/{second_id}/submission", json={"results": results()}))]
    await scene.run()
    seen += await walk(client, second_id)
    for path, body in (("claim", None), (f"{second_id}/recuse", {"reason": "other"}), (f"{second_id}/start", None)):
        seen.append(masked(await client.post(f"/v1/readings/{path}", json=body)))
    return seen


async def test_answers_do_not_depend_on_the_hidden_reading(databases: Databases) -> None:
    seen, states = {}, {}
    for hidden in HIDDEN:
        async with open_world(databases, hidden) as scene:
            seen[hidden] = await observe(scene, hidden)
            partner = scene.partner.client
            events = (await partner.get("/v1/events?limit=500")).json()["items"]
            states[hidden] = [each["type"] for each in events if each["type"] == "submission.resolved"]
    assert seen["high"] == seen["low"] == seen["not there yet"]
    assert len(seen["high"]) > 15
    # The pair: the databases do differ, and where they may, it shows.
    assert states == {"high": ["submission.resolved"], "low": [], "not there yet": []}


async def test_what_a_reader_is_told_names_nothing_hidden(databases: Databases) -> None:
    async with open_world(databases, "high") as scene:
        submission = await scene.accept()
        code, reading_id = await scene.holder(submission, "second_random")
        client = scene.clients[code]
        answers = [await client.get("/v1/readings"), await client.post(f"/v1/readings/{reading_id}/start")]
        answers.append(await client.get(f"/v1/readings/{reading_id}"))
        for answer in answers:
            assert "etag" not in answer.headers
            for word in ("kind", "trigger", "second", "attempt", "learner", "first_of", submission.id,
                         submission.learner_id, submission.enrollment_id):  # fmt: skip
                assert word not in answer.text, word


@pytest.mark.parametrize("role", READERS)
def test_who_reads_has_no_scope_that_shows_readings(role: str) -> None:
    shows = {Scope.READINGS_READ, Scope.SUBMISSIONS_READ, Scope.DECISIONS_READ, Scope.EVENTS_READ, Scope.ISSUER_EXPORT,
             Scope.LEARNERS_READ, Scope.PEOPLE_READ}  # fmt: skip
    assert not ROLE_SCOPES[role] & shows
    assert shows - {Scope.ISSUER_EXPORT} <= ROLE_SCOPES["director"]


async def walk_as_lead(scene: Scene, client: httpx.AsyncClient, submission_id: str, reading_id: str) -> list[str]:
    """Every operation, with the ids of this reading, its submission and its program wherever a path asks for one, and every body
    its example: what a lead may not do at all is refused alike, what they may do is answered alike."""
    ids = {
        "reading_id": reading_id, "submission_id": submission_id, "program_id": scene.program.id,
        "achievement_id": scene.partner.achievement_id, "panel_id": scene.partner.panel_id,
        "issuer_id": scene.partner.issuer_id,
    }  # fmt: skip
    seen: list[str] = []
    for operation in list_operations():
        is_last = operation.id in ("submit_reading", "recuse_reading", "end_my_sessions", "sign_out")
        changes_the_scene = operation.id in ("screen_submission", "change_panel_members", "claim_reading")
        if is_last or changes_the_scene or operation.is_public:
            continue
        names = {name: ids.get(name, "0" * 32) for name in operation.parameters("path")}
        path = operation.path.format(**names)
        body = {} if operation.example is None else {"json": operation.example}
        answer = await client.request(operation.method, path, **body)
        told = masked(answer)
        if operation.is_collection and operation.id != "list_readings" and answer.status_code == 200:
            # What was made in one moment stands in the order of its ids.
            told = str(sorted(mask(json.dumps(item)) for item in answer.json()["items"]))
        seen.append(f"{operation.id}: {told}")
    return seen


async def adjudicate(scene: Scene, hidden: str) -> list[str]:
    """Everything the lead is answered who reads what two others did not agree on."""
    submission = await scene.accept()
    for kind, level in zip(("first", "second_random"), APART[hidden], strict=True):
        await scene.finish(submission, kind, problem=level, evidence=level)
    await scene.run()
    code, reading_id = await scene.holder(submission, "adjudication")
    lead = scene.clients[code]
    seen = await walk_as_lead(scene, lead, submission.id, reading_id)
    (artifact,) = [each for each in list_operations() if each.id == "download_reading_artifact"]
    for id_ in (new_id(), submission.id):
        seen.append(masked(await lead.get(artifact.path.format(reading_id=reading_id, artifact_id=id_))))
    for body in (results()[:1], results(), results()):
        seen.append(masked(await lead.post(f"/v1/readings/{reading_id}/submission", json={"results": body})))
    await scene.run()
    return seen + await walk_as_lead(scene, lead, submission.id, reading_id)


async def test_who_adjudicates_learns_nothing_of_what_they_adjudicate(databases: Databases) -> None:
    seen, records = {}, {}
    for hidden in APART:
        async with open_world(databases, hidden, lead=True) as scene:
            # Both first readings are the assessors': a lead who had read could not adjudicate.
            scene.world.clock.advance(seconds=1)  # type: ignore[attr-defined]
            seen[hidden] = await adjudicate(scene, hidden)
            (resolution,) = await scene.all_resolutions()
            records[hidden] = [resolution.method, len(resolution.reading_ids)]
    assert seen["high"] == seen["low"]
    assert len(seen["high"]) > 200
    assert records["high"] == records["low"] == ["expert_judgment", 3]


@pytest.mark.parametrize("path", ["programs/{program}/queue", "programs/{program}/sampling-audit",
                                  "submissions/{submission}/readings"])  # fmt: skip
async def test_counts_and_records_of_readings_are_not_for_who_reads(databases: Databases, path: str) -> None:
    async with open_world(databases, "high", lead=True) as scene:
        submission = await scene.accept()
        url = "/v1/" + path.format(program=scene.program.id, submission=submission.id)
        for code, client in scene.clients.items():
            answer = await client.get(url)
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), code
        assert (await scene.partner.staff.get(url)).json().get("code") in (None, "not_resolved")


async def test_a_second_reading_is_answered_as_a_first_one(databases: Databases) -> None:
    async with open_world(databases, "high") as scene:
        submission = await scene.accept()
        seen: dict[str, list[str]] = {}
        for kind in ("first", "second_random"):
            code, reading_id = await scene.holder(submission, kind)
            client, path = scene.clients[code], f"/v1/readings/{reading_id}"
            answers = [await client.get("/v1/readings"), await client.get(path), await client.post(f"{path}/start")]
            answers.append(await client.post(f"{path}/submission", json={"results": results()[:1]}))
            answers.append(await client.post(f"{path}/submission", json={"results": results()}))
            seen[kind] = [masked(each) for each in answers]
        assert seen["first"] == seen["second_random"]
        assert [each[:3] for each in seen["first"]] == ["200", "200", "200", "422", "201"]


async def hand_in(scene: Scene, name: str) -> tuple[Attempt, str]:
    """Accepted work with an address and two files, always the same: whose, and its path."""
    enrollment, learner = await scene.enroll(name)
    _, client = await open_person(scene.app, scene.partner.issuer_id, "learner", name=name, learner_id=learner.id)
    who = Attempt(scene.world, scene.program, enrollment, learner, client, scene.partner.achievement_id)
    path = await who.ready(STATEMENT)
    for content in (PDF, PDF + PDF):
        scene.world.clock.advance(seconds=1)  # type: ignore[attr-defined]
        await who.upload(path, content)
    good(await client.post(f"{path}/submit"))
    good(await scene.partner.staff.post(f"{path}/screenings", json={"outcome": "accepted"}))
    return who, path


async def enter_validity_anchor(scene: Scene) -> tuple[Attempt, str]:
    """An anchor made of such work, as it came, and given in another order: whose it was, and its id."""
    who, path = await hand_in(scene, "Source Example")
    await who.decide(path, "awarded")
    url, *files = good(await who.client.get(path))["artifacts"]
    statement = STATEMENT["parts"].items()
    content = {
        "context": {"role": "Principal", "school_type": "Middle school", "grade_band": "6-8"},
        "parts": [{"key": key, "text": text} for key, text in reversed(statement)],
        "artifacts": [
            {"part": "artifacts", "name": "The audit of Source", "url": url["url"]},
            *({"part": "artifacts", "name": "Source", "source_artifact_id": each["id"]} for each in files),
        ],
    }
    body = {
        "achievement_id": who.achievement_id, "version": 1, "role": "validity", "content": content,
        "source_submission_id": path.rpartition("/")[2], "consent": True,
    }  # fmt: skip
    made = good(await scene.partner.client.post("/v1/anchors", json=body))
    async with scene.world.database.transaction() as session:
        anchor = await session.get_one(Anchor, (scene.partner.issuer_id, made["id"]))
        anchor.state, anchor.levels, anchor.rationales = "active", HIDDEN["high"], {}
    return who, made["id"]


def unhurried(answer: httpx.Response) -> str:
    """`masked`, and without the moments, which are those of another day."""
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "MOMENT", masked(answer))


async def handle(client: httpx.AsyncClient, reading_id: str) -> list[str]:
    """Everything that an assessor can do with a reading, and what it is answered."""
    path = f"/v1/readings/{reading_id}"
    answers = [await client.get(path), await client.get(f"{path}/artifacts/{new_id()}")]
    answers.append(await client.post(f"{path}/start"))
    artifacts = answers[-1].json()["work"]["artifacts"]
    for artifact in artifacts:
        there = f"{path}/artifacts/{artifact['id']}"
        answers += [await client.get(there), await client.head(there)]
        for asked in ("bytes=2-5", "bytes=-3", "bytes=9999-", "bytes=5-2", "items=1-2"):
            answers.append(await client.get(there, headers={"Range": asked}))
    answers.append(await client.get(f"{path}/artifacts/{new_id()}"))
    for body in ({"results": results()[:1]}, {"results": results()}, {"results": results()}):
        answers.append(await client.post(f"{path}/submission", json=body))
    answers += [await client.get(path), await client.get(f"{path}/artifacts/{artifacts[-1]['id']}")]
    answers += [await client.post(f"{path}/{verb}", json={"reason": "other"}) for verb in ("start", "recuse")]
    return [unhurried(each) for each in answers]


async def test_a_validity_paper_is_answered_to_the_byte_as_the_work_it_was_made_of(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    """The same work, once handed in and once as an anchor: whatever the assessor does with either, the answers are equal."""
    async with open_scene(app, partner, {**SINGLE, "validity_percent": 100}, lead=False) as scene:
        _, anchor_id = await enter_validity_anchor(scene)
        _, submitted = await hand_in(scene, "Ben Example")
        await scene.run()
        code, reading_id, paper = await live_and_paper(scene, submitted, anchor_id)
        seen = {id_: await handle(scene.clients[code], id_) for id_ in (reading_id, paper)}
        assert seen[reading_id] == seen[paper]
        statuses = [each[:3] for each in seen[paper]]
        assert set(statuses) == {"200", "201", "206", "404", "409", "410", "416", "422"}
        listed = (await scene.clients[code].get("/v1/readings")).json()["items"]
        assert len({unhurried(httpx.Response(200, json=each)) for each in listed}) == 1


async def live_and_paper(scene: Scene, path: str, anchor_id: str) -> tuple[str, str, str]:
    """Code of who reads the submission at this path, the reading's id, and the id of their paper on the anchor."""
    async with scene.world.database.reading() as session:
        submission = await session.get_one(Submission, (scene.partner.issuer_id, path.rpartition("/")[2]))
    code, reading_id = await scene.holder(submission)
    scene.world.clock.advance(hours=24)  # type: ignore[attr-defined]
    await scene.run()
    async with scene.world.database.reading() as session:
        of_anchor = (Reading.issuer_id == scene.partner.issuer_id, Reading.anchor_id == anchor_id)
        paper = (await session.scalars(select(Reading).where(*of_anchor))).one()
    assert paper.assessor_code == code
    return code, reading_id, paper.id


async def test_erasing_whose_work_it_was_ends_a_validity_paper_as_any_reading(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    async with open_scene(app, partner, {**SINGLE, "validity_percent": 100}, lead=False) as scene:
        source, anchor_id = await enter_validity_anchor(scene)
        ben, submitted = await hand_in(scene, "Ben Example")
        await scene.run()
        code, reading_id, paper = await live_and_paper(scene, submitted, anchor_id)
        client, seen = scene.clients[code], []
        for id_, who in ((reading_id, ben), (paper, source)):
            good(await client.post(f"/v1/readings/{id_}/start"))
            good(await partner.client.post(f"/v1/learners/{who.learner.id}/erase"))
            answers = [await client.get(f"/v1/readings/{id_}"), await client.post(f"/v1/readings/{id_}/start")]
            await scene.run()
            listed = await client.get("/v1/readings")
            answers.append(await client.get(f"/v1/readings/{id_}"))
            assert id_ not in listed.text
            seen.append([unhurried(each) for each in answers])
        assert seen[0] == seen[1]
        assert [each[:3] for each in seen[0]] == ["409", "409", "200"]


async def test_earlier_scores_are_hidden_from_who_reads_a_further_attempt(app: FastAPI, partner: Partner) -> None:
    """Two learners whose first attempts were scored differently, and one at a first attempt: nobody can tell them apart."""
    async with open_scene(app, partner, lead=False) as scene:
        seen = []
        for name, earlier in (("Ada", HIDDEN["high"]), ("Ben", HIDDEN["low"]), ("Cleo", None)):
            who = await scene.enroll(f"{name} Example")
            if earlier is not None:
                first = await scene.accept(who)
                await scene.finish(first, **earlier)
                await scene.set(first, state="decided")
            submission = await scene.accept(who, attempt=1 if earlier is None else 2)
            code, reading_id = await scene.holder(submission)
            client, path = scene.clients[code], f"/v1/readings/{reading_id}"
            answers = [await client.get(path), await client.post(f"{path}/start"), await client.get(path)]
            seen.append([masked(each) for each in answers])
            for door in ("", "/readings", "/recommendation", "/feedback"):
                for each in [submission] if earlier is None else [first, submission]:
                    refused = await client.get(f"/v1/submissions/{each.id}{door}")
                    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), door
            assert (await client.get("/v1/decisions")).status_code == 403
        assert seen[0] == seen[1] == seen[2]


async def test_who_read_is_hidden_from_the_learner(app: FastAPI, partner: Partner) -> None:
    async with open_scene(app, partner, lead=False) as scene:
        enrollment, learner = await scene.enroll()
        submission = await scene.accept((enrollment, learner))
        code = await scene.finish(submission)
        _, approver = await open_person(app, partner.issuer_id, "approver", name="Approver Example")
        _, own = await open_person(app, partner.issuer_id, "learner", name="Ada Herself", learner_id=learner.id)
        async with approver, own:
            path = f"/v1/submissions/{submission.id}"
            decided = await approver.post(f"{path}/decision", json={"outcome": "awarded"})
            assert decided.status_code == 201, decided.text
            for door in ("/readings", "/recommendation"):
                refused = await own.get(path + door)
                assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), door
            for door in ("", "/feedback"):
                told = await own.get(path + door)
                assert told.status_code == 200, told.text
                person_id = scene.assessors[code].person_id
                assert [each for each in (f'"{code}"', person_id, f"Assessor {code}") if each in told.text] == [], door
