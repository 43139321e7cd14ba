"""What is known of a learner from their submissions: told on request, gone with them; and safe in a backup."""

import json
import shutil
import tarfile
from pathlib import Path

import pytest
from fastapi import FastAPI

from app.clock import SystemClock
from app.errors import AssayError
from app.handover.export import export_issuer
from app.operation.backup import write_backup
from app.operation.doctor import examine
from app.operation.restore import restore_backup
from app.settings import Settings
from tests.conftest import Partner, open_client
from tests.fakes import FixedClock
from tests.house.databases import is_in, list_contents, open_owner
from tests.operation.test_backup import empty, vault_of
from tests.submissions.attempts import ATTESTED, FILE, PDF, Attempt, enroll, good, refused, run_jobs
from tests.submissions.test_evidence import stored
from tests.submissions.test_screening import RETURNED

__all__ = ["empty"]

CANARY = "kanaryword"
WORDS = {
    "parts": {"overview": f"{CANARY} one", "reflection": f"{CANARY} two"},
    "impact": {"indicator": f"{CANARY} three", "baseline": "1", "follow_up": "2"},
    "attestations": {**ATTESTED, "ai_use": f"{CANARY} four"},
}
SAID = [f"{CANARY} {word}" for word in ("one", "two", "three", "four", "five", "six", "seven", "eight")]


async def live(ada: Attempt, partner: Partner) -> str:
    """A submission in which everything is said that can be: its path."""
    path = await ada.draft()
    good(await ada.client.put(f"{path}/statement", json=WORDS))
    body = {**FILE, "name": f"{CANARY} five", "description": f"{CANARY} six", "genre": "Plan"}
    key = {"Idempotency-Key": "a-1"}
    artifact = good(await ada.client.post(f"{path}/artifacts", json=body, headers=key))["id"]
    at = f"{path}/artifacts/{artifact}/file"
    good(await ada.client.put(at, content=PDF + CANARY.encode(), headers={"Content-Type": "application/pdf"}))
    good(await ada.client.post(f"{path}/submit"))
    returned = {**RETURNED, "note": f"{CANARY} seven"}
    good(await partner.staff.post(f"{path}/screenings", json=returned, headers={"Idempotency-Key": "s-1"}))
    await ada.decide(path, "not_yet")
    good(await partner.client.post(f"{path}/support", json={"note": f"{CANARY} eight"}))
    return path


async def test_what_a_learner_says_is_sealed_told_and_erased(
    app: FastAPI, partner: Partner, settings: Settings
) -> None:
    ada = await enroll(app, partner)
    path = await live(ada, partner)
    exported = await partner.client.get(f"/v1/learners/{ada.learner.id}/export")
    assert [said for said in SAID if said not in exported.text] == []
    assert exported.json()["submissions"][0]["artifacts"][0]["digest"].startswith("sha256:")
    async with ada.world.database.snapshot() as session:
        handed_over = b"".join([line async for line in export_issuer(session, ada.world, partner.issuer_id)]).decode()
    assert [said for said in SAID if said not in handed_over] == []
    async with open_owner(settings) as owner:
        contents = await list_contents(owner)
        assert is_in(contents, path.rpartition("/")[2])
        assert is_in(contents, CANARY) == []
    assert not any(CANARY.encode() in file.read_bytes() for file in stored(settings))

    assert len(stored(settings)) == 1
    good(await partner.client.post(f"/v1/learners/{ada.learner.id}/erase"))
    await run_jobs(ada.world)
    assert stored(settings) == []
    assert refused(await partner.client.get(path)) == (410, "gone")
    artifact = exported.json()["submissions"][0]["artifacts"][0]["id"]
    assert refused(await partner.client.get(f"{path}/artifacts/{artifact}/file")) == (410, "gone")
    assert good(await partner.client.get("/v1/submissions"))["items"][0]["id"] == path.rpartition("/")[2]
    async with ada.world.database.snapshot() as session:
        after = b"".join([line async for line in export_issuer(session, ada.world, partner.issuer_id)]).decode()
    assert CANARY not in after
    assert '"genre":"Plan"' not in after.replace(" ", "")


async def test_a_backup_has_the_files_and_brings_them_back(
    app: FastAPI, partner: Partner, settings: Settings, empty: Settings, clock: FixedClock, tmp_path: Path
) -> None:
    from app.main import create_app

    ada = await enroll(app, partner)
    path = await live(ada, partner)
    artifact = good(await ada.client.get(path))["artifacts"][0]["id"]
    file = tmp_path / "backup.tar"
    written = await write_backup(ada.world.database, clock, file, ada.world.evidence)
    assert written.evidence is not None
    assert written.evidence.rows == 1
    elsewhere = Settings.model_validate({**empty.model_dump(), "data_directory": tmp_path / "elsewhere"})
    assert await restore_backup(elsewhere, vault_of(elsewhere), clock, file) == written
    there = create_app(elsewhere.model_copy(update={"run_jobs": False}), clock=clock)
    async with there.router.lifespan_context(there), open_client(there) as client:
        client.headers.update(ada.client.headers)
        answer = await client.get(f"{path}/artifacts/{artifact}/file")
        assert answer.content == PDF + CANARY.encode()


async def test_an_archive_whose_evidence_was_changed_is_refused(
    app: FastAPI, partner: Partner, settings: Settings, clock: FixedClock, tmp_path: Path
) -> None:
    ada = await enroll(app, partner)
    await live(ada, partner)
    good_file, bad_file = tmp_path / "good.tar", tmp_path / "bad.tar"
    await write_backup(ada.world.database, clock, good_file, ada.world.evidence)
    with tarfile.open(good_file) as archive, tarfile.open(bad_file, "w") as changed:
        for member in archive.getmembers():
            if not member.name.startswith("evidence/"):
                changed.addfile(member, archive.extractfile(member))
    place = Settings.model_validate(
        {**settings.model_dump(), "database_url": f"sqlite+aiosqlite:///{tmp_path / 'new' / 'assay.db'}"}
    )
    with pytest.raises(AssayError, match="files of evidence are not what the manifest says"):
        await restore_backup(place, vault_of(place), clock, bad_file)


async def test_the_doctor_misses_files_that_are_not_there(app: FastAPI, partner: Partner, settings: Settings) -> None:
    async def told() -> tuple[str, str]:
        [finding] = [each for each in await examine(settings, SystemClock()) if each.check == "evidence"]
        return finding.outcome, finding.detail

    assert await told() == ("good", "0 files of evidence are in the store.")
    ada = await enroll(app, partner)
    path = await live(ada, partner)
    assert await told() == ("good", "1 files of evidence are in the store.")
    shutil.rmtree(settings.data_directory / "evidence")
    outcome, detail = await told()
    artifact = json.loads((await ada.client.get(path)).text)["artifacts"][0]["id"]
    assert outcome == "wrong"
    assert artifact in detail
