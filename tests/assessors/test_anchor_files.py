"""Files of an anchor: taken over from the submission it was made of, and gone with its learner."""

from typing import Any

from fastapi import FastAPI

from tests.anchoring import Bench, codes
from tests.conftest import Partner
from tests.issuing import pointers
from tests.submissions.attempts import PDF, STATEMENT, URL, Attempt, enroll, good, refused


async def decided(app: FastAPI, partner: Partner) -> tuple[Attempt, str, dict[str, str]]:
    """A learner, the path of their decided submission, and the ids of its artifacts by kind."""
    ada = await enroll(app, partner)
    path = await ada.ready(STATEMENT)
    file = (await ada.upload(path)).rpartition("/")[2]
    good(await ada.client.post(f"{path}/submit"))
    url = next(each["id"] for each in good(await ada.client.get(path))["artifacts"] if each["id"] != file)
    await ada.decide(path, "awarded")
    return ada, path, {"file": file, "url": url}


def body(partner: Partner, path: str, artifact_id: str) -> dict[str, Any]:
    taken = {"part": "artifacts", "name": "Lesson plan of a named school", "source_artifact_id": artifact_id}
    content = {"parts": [{"key": "overview", "text": "A problem."}], "artifacts": [URL, taken]}
    return {
        "achievement_id": partner.achievement_id, "version": 1, "role": "practice", "content": content,
        "source_submission_id": path.rpartition("/")[2], "consent": True,
    }  # fmt: skip


async def test_a_file_of_the_source_is_taken_over(app: FastAPI, partner: Partner) -> None:
    bench = await Bench.set_up(app, partner)
    _, path, artifacts = await decided(app, partner)
    made = good(await partner.client.post("/v1/anchors", json=body(partner, path, artifacts["file"])))
    anchor, [url, file] = f"/v1/anchors/{made['id']}", made["content"]["artifacts"]
    assert (file["media_type"], file["size"]) == ("application/pdf", len(PDF))
    assert file["id"] != artifacts["file"], "a reader of the anchor cannot ask for it as part of the submission"
    answer = await bench.lead.get(f"{anchor}/artifacts/{file['id']}")
    assert (answer.status_code, answer.content) == (200, PDF)
    assert "Artifacts%202.pdf" in answer.headers["content-disposition"]
    assert refused(await bench.lead.get(f"{anchor}/artifacts/{url['id']}")) == (410, "evidence_missing")
    assert refused(await bench.lead.get(f"{anchor}/artifacts/{artifacts['file']}")) == (404, "not_found")
    assert refused(await partner.client.get(f"{anchor}/artifacts/{file['id']}")) == (403, "person_required")


async def test_who_scores_an_anchor_gets_its_files(app: FastAPI, partner: Partner) -> None:
    bench = await Bench.set_up(app, partner)
    for code in ("A-01", "A-02"):
        await bench.enter(code)
    _, path, artifacts = await decided(app, partner)
    made = good(await partner.client.post("/v1/anchors", json=body(partner, path, artifacts["file"])))
    [levels] = [{"problem": "demonstrated", "evidence": "demonstrated"}]
    leads = [bench.lead, partner.staff, await bench.one_more_lead()]
    for lead in leads:
        good(await lead.post(f"/v1/anchors/{made['id']}/master-readings", json={"levels": levels}))
    settled = {"levels": levels, "rationales": dict.fromkeys(levels, "As agreed.")}
    good(await bench.lead.post(f"/v1/anchors/{made['id']}/reconcile", json=settled))
    practice = {**bench.scope, "assessor_id": bench.ids["A-01"], "anchor_ids": [made["id"]]}
    opened = good(await bench.lead.post("/v1/practice-sessions", json=practice))
    there = f"/v1/anchor-sessions/{opened['id']}/anchors/{made['id']}"
    work = good(await bench.assessors["A-01"].get(there))["work"]
    assert [each["name"] for each in work["artifacts"]] == ["Artifacts 1", "Artifacts 2"]
    [_, file] = work["artifacts"]
    assert (await bench.assessors["A-01"].get(f"{there}/artifacts/{file['id']}")).content == PDF
    assert codes(await bench.assessors["A-02"].get(f"{there}/artifacts/{file['id']}")) == [(404, "not_found")]


async def test_only_files_that_stay_are_taken_over(app: FastAPI, partner: Partner) -> None:
    _, path, artifacts = await decided(app, partner)
    other = await enroll(app, partner, name="Ben Example")
    under_way = await other.draft()
    theirs = (await other.upload(under_way)).rpartition("/")[2]
    for source, artifact_id in ((path, artifacts["url"]), (under_way, theirs)):
        answer = await partner.client.post("/v1/anchors", json=body(partner, source, artifact_id))
        assert (codes(answer), pointers(answer)) == (
            [(422, "anchor_source_unfit")], ["/content/artifacts/1/source_artifact_id"]
        )  # fmt: skip
    without = {**body(partner, path, artifacts["file"]), "source_submission_id": None}
    for of_nothing in (without, body(partner, path, theirs), body(partner, path, "0" * 32)):
        assert codes(await partner.client.post("/v1/anchors", json=of_nothing)) == [(404, "not_found")]
    assert (await partner.client.post("/v1/anchors", json=body(partner, path, artifacts["file"]))).status_code == 201


async def test_the_files_go_with_their_learner(app: FastAPI, partner: Partner) -> None:
    bench = await Bench.set_up(app, partner)
    ada, path, artifacts = await decided(app, partner)
    made = good(await partner.client.post("/v1/anchors", json=body(partner, path, artifacts["file"])))
    file = f"/v1/anchors/{made['id']}/artifacts/{made['content']['artifacts'][1]['id']}"
    assert (await bench.lead.get(file)).status_code == 200
    good(await partner.client.post(f"/v1/learners/{ada.learner.id}/erase"))
    assert refused(await bench.lead.get(file)) == (404, "not_found")
