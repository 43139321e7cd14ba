"""What a reader sees of a submission, and what of it the badge may name."""

import re

from fastapi import FastAPI

from app.submissions.work import Work, find_owner, list_consented, list_evidence, open_work
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.submissions.attempts import FILE, PDF, STATEMENT, URL, Attempt, enroll, good
from tests.submissions.test_teams import BENS, team_of


async def work_of(ada: Attempt, path: str) -> Work:
    async with ada.world.database.reading() as session:
        return await open_work(session, ada.world.vault, await ada.row(path))


async def test_work_tells_nothing_of_who_made_it_when_or_at_which_attempt(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    ada = await enroll(app, partner)
    path = await ada.draft()
    good(await ada.client.put(f"{path}/statement", json=STATEMENT))
    for name, content in (("ada-example-lesson.pdf", None), ("Ada's audit", "https://evidence.example.org/17")):
        clock.advance(minutes=1)
        body = {**FILE, "name": name, "description": "Grade 7", "genre": "Audit"} | (
            {"url": content} if content else {}
        )
        artifact = good(await ada.client.post(f"{path}/artifacts", json=body))["id"]
        if content is None:
            at = f"{path}/artifacts/{artifact}/file"
            good(await ada.client.put(at, content=PDF, headers={"Content-Type": "application/pdf"}))
    good(await ada.client.post(f"{path}/submit"))
    work = await work_of(ada, path)
    assert [part.key for part in work.parts] == ["overview", "reflection"]
    assert (work.context.role, work.context.grade_band, work.unread) == ("Principal", "6-8", [])
    assert [(each.name, each.media_type, each.url) for each in work.artifacts] == [
        ("Artifacts 1", "application/pdf", None),
        ("Artifacts 2", None, "https://evidence.example.org/17"),
    ]
    told = work.model_dump_json().casefold()
    for id_ in (ada.learner.id, ada.enrollment.id, path.rpartition("/")[2]):
        assert id_ not in told
    words = re.sub("[0-9a-f]{32}", "", told)  # an id may spell a name
    for secret in ("ada", "2026-", "attempt", "fewer referrals"):
        assert secret not in words, secret


async def test_only_what_was_not_met_is_read_again(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    await ada.decide(await ada.submitted(), "not_yet", problem="demonstrated")
    path = await ada.ready()
    good(await ada.client.post(f"{path}/submit"))
    assert (await work_of(ada, path)).unread == ["evidence"]


async def test_work_rests_on_what_was_handed_in_with_it(app: FastAPI, partner: Partner) -> None:
    """A team mate's shared file opens with their own key, and is left out once they were erased."""
    ada = await enroll(app, partner)
    ben = await ada.mate(app, "Ben Example")
    team = await team_of(partner, ada, ben)
    theirs, mine = await ada.ready(team_id=team), await ben.draft(team_id=team)
    shared = await ada.upload(theirs)
    good(await ada.client.patch(shared, json={"shared": True}))
    good(await ben.client.put(f"{mine}/statement", json=BENS))
    good(await ben.client.post(f"{mine}/artifacts", json=URL))
    good(await ben.client.post(f"{mine}/submit"))
    assert [each.media_type for each in (await work_of(ben, mine)).artifacts].count("application/pdf") == 1
    async with ada.world.database.reading() as session:
        evidence = await list_evidence(session, await ben.row(mine))
        [file] = [each for each in evidence if each.kind == "file"]
        owner = await find_owner(session, file)
        assert owner is not None
        assert owner.id == ada.learner.id
    good(await partner.client.post(f"/v1/learners/{ada.learner.id}/erase"))
    assert [each.url for each in (await work_of(ben, mine)).artifacts] == [URL["url"]]
    assert good(await ben.client.get(mine))["shared_artifacts"] == []


async def test_the_badge_names_what_the_learner_consented_to(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    path = await ada.ready()
    good(await ada.client.post(f"{path}/artifacts", json={**URL, "name": "Public", "consent": True}))
    kept = await ada.upload(path)
    consented = await ada.upload(path)
    good(await ada.client.post(f"{path}/submit"))
    good(await ada.client.patch(consented, json={"consent": True}))
    async with ada.world.database.reading() as session:
        found = await list_consented(session, ada.world.vault, await ada.row(path))
    assert sorted((each.name, each.url is None, each.digest is None) for each in found) == [
        ("Lesson plan", True, False),
        ("Public", False, True),
    ]
    assert kept != consented
