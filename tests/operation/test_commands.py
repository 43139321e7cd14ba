"""The commands as an operator runs them: 0 when all is well, 1 with the planted fault named, 2 when they cannot begin."""

import subprocess
from pathlib import Path

from fastapi import FastAPI
from pydantic import SecretStr

from app.settings import Settings
from tests.conftest import PROJECT, Partner
from tests.issuing import decided
from tests.journeys.test_journey import ASSAY, environment
from tests.operation.behind import flipped, unguarded


def assay(settings: Settings, *arguments: str) -> tuple[int, str]:
    ended = subprocess.run(
        [*ASSAY, *arguments], cwd=PROJECT, env=environment(settings), capture_output=True, text=True, timeout=120
    )
    assert "Traceback" not in ended.stderr
    return ended.returncode, ended.stdout + ended.stderr


async def test_each_command_names_the_planted_fault(
    app: FastAPI, settings: Settings, partner: Partner, tmp_path: Path
) -> None:
    badge = (await decided(partner))["credential"]["id"]
    file = tmp_path / "backup.tar"
    assert assay(settings, "check")[0] == 0
    assert assay(settings, "audit", "verify")[0] == 0
    code, told = assay(settings, "backup", str(file))
    assert (code, "1 badges" in told, "0 pieces of files of evidence" in told) == (0, True, True)
    code, told = assay(settings, "backup", str(tmp_path / "without.tar"), "--without-evidence")
    assert (code, "evidence are NOT in this archive" in told, "rsync -a" in told) == (0, True, True)
    bucket = settings.model_copy(update={"evidence_url": "s3://evidence/assay?endpoint=https://s3.example.org"})
    code, told = assay(bucket, "backup", str(tmp_path / "bucket.tar"), "--without-evidence")
    command = "aws s3 sync s3://evidence/assay backup-of-evidence/ --endpoint-url https://s3.example.org"
    assert (code, command in told) == (0, True)

    async with unguarded(settings) as change:
        [(body,)] = await change("SELECT sealed_body FROM representation")
        await change("UPDATE representation SET sealed_body = :value", value=flipped(bytes(body)))
        await change("UPDATE audit_entry SET actor = 'nobody' WHERE action = 'credential.issued'")
        await change("UPDATE signing_key SET state = 'retired'")
    code, told = assay(settings, "check")
    assert (code, f"/credentials/{badge}" in told) == (1, True)
    code, told = assay(settings, "audit", "verify")
    assert (code, f"credential.issued of {badge}" in told, ", 1 faults." in told) == (1, True, True)
    code, told = assay(settings, "doctor")
    assert (code, "academy has no active signing key" in told) == (1, True)

    code, told = assay(settings, "backup", str(file))
    assert (code, "exists already" in told) == (2, True)
    code, told = assay(settings, "restore", str(file))
    assert (code, "There is a database already" in told) == (2, True)
    fresh = Settings.model_validate(
        {**settings.model_dump(), "database_url": f"sqlite+aiosqlite:///{tmp_path / 'fresh' / 'assay.db'}"}
    )
    code, told = assay(fresh, "restore", str(tmp_path / "without.tar"))
    assert (code, "evidence were NOT in this archive" in told) == (0, True)
    fresh = fresh.model_copy(
        update={"database_url": SecretStr(f"sqlite+aiosqlite:///{tmp_path / 'fresher' / 'assay.db'}")}
    )
    code, told = assay(fresh, "restore", str(file))
    assert (code, "NOT in this archive" in told) == (0, False)
    assert assay(fresh, "check")[0] == 0
