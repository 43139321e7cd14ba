"""Files of evidence: what they are, how they lie in the store, and what happens when one does not come or stay whole."""

import asyncio
import io
import shutil
import tracemalloc
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from PIL import Image

from app.settings import Settings
from app.submissions.evidence import PIECE
from app.submissions.store import Artifact
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.submissions.attempts import AS_PDF, FILE, PDF, STATEMENT, URL, Attempt, enroll, good, refused, run_jobs

LONG = b"".join(b"%07d\n" % number for number in range(5 * PIECE // 16))  # two pieces and a half
TEXT = {"Content-Type": "text/plain"}

on_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


def stored(settings: Settings) -> list[Path]:
    return sorted(path for path in (settings.data_directory / "evidence").rglob("*") if path.is_file())


async def slot(ada: Attempt, **changes: Any) -> str:
    """The path of a new draft's artifact whose file is still to come."""
    path = await ada.draft()
    return f"{path}/artifacts/{good(await ada.client.post(f'{path}/artifacts', json={**FILE, **changes}))['id']}"


async def row_of(ada: Attempt, path: str) -> Artifact:
    async with ada.world.database.reading() as session:
        return await session.get_one(Artifact, (ada.program.issuer_id, path.rpartition("/")[2]))


async def test_a_file_comes_back_as_it_was_sent(app: FastAPI, partner: Partner, settings: Settings) -> None:
    ada = await enroll(app, partner)
    path = await slot(ada, name="Журнал")
    artifact = good(await ada.client.put(f"{path}/file", content=LONG, headers=TEXT))
    assert (artifact["size"], artifact["media_type"]) == (len(LONG), "text/plain")
    assert artifact["digest"].startswith("sha256:")
    answer = await ada.client.get(f"{path}/file")
    assert answer.content == LONG
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%D0%96")
    assert answer.headers["content-length"] == str(len(LONG))
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    files = stored(settings)
    assert [file.stat().st_size - 28 for file in files] == [PIECE, PIECE, len(LONG) - 2 * PIECE]
    assert not any(LONG[:64] in file.read_bytes() for file in files), "what is stored is sealed"
    assert (settings.data_directory / "evidence").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("size", [1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE])
@on_sqlite
async def test_files_of_any_length_are_whole(app: FastAPI, partner: Partner, size: int) -> None:
    ada = await enroll(app, partner)
    path = await slot(ada)
    content = (b"practice " * (size // 9 + 1))[:size]
    good(await ada.client.put(f"{path}/file", content=content, headers=TEXT))
    assert (await ada.client.get(f"{path}/file")).content == content
    assert (await row_of(ada, path)).pieces == -(-size // PIECE)


def picture(form: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (30, 30), "red").save(buffer, form)
    return buffer.getvalue()


def archive(**entries: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in entries.items():
            file.writestr(name.replace("__", "/"), content)
    return buffer.getvalue()


def office(folder: str, **entries: str) -> bytes:
    return archive(**{"[Content_Types].xml": "<Types/>", f"{folder}__document.xml": "<a/>", **entries})


OPEN_XML = "application/vnd.openxmlformats-officedocument."
WORD = f"{OPEN_XML}wordprocessingml.document"
ODT = "application/vnd.oasis.opendocument.text"
KINDS = {
    "application/pdf": PDF,
    "image/png": picture("PNG"),
    "image/jpeg": picture("JPEG"),
    "image/gif": picture("GIF"),
    "image/webp": picture("WEBP"),
    "video/mp4": b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(100),
    "video/quicktime": b"\0\0\0\x14ftypqt  \x20\x05\3\0qt  " + bytes(100),
    "video/webm": bytes.fromhex("1a45dfa39f4286810142f7810142f2810442f381084282847765626d42878104") + bytes(100),
    "audio/mpeg": b"ID3\4\0\0\0\0\0\x23TSSE" + bytes(200),
    "audio/mp4": b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom\0\0\0\0" + bytes(100),
    "audio/wav": b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0" + bytes(100),
    "audio/ogg": b"OggS\0\2" + bytes(22) + b"\1\x1e\1vorbis" + bytes(50),
    WORD: office("word"),
    f"{OPEN_XML}spreadsheetml.sheet": office("xl"),
    f"{OPEN_XML}presentationml.presentation": office("ppt"),
    ODT: archive(mimetype=ODT, **{"content.xml": "<a/>"}),
    "text/plain": "Was wäre wenn?\n".encode(),
    "text/csv": b"week,referrals\n1,17\n",
}


@on_sqlite
async def test_a_file_is_what_it_says_or_refused(app: FastAPI, partner: Partner, settings: Settings) -> None:
    """Every kind under its own name and under every other's."""
    ada = await enroll(app, partner)
    path = await slot(ada)
    video, text = {"video/mp4", "video/quicktime", "audio/mp4"}, {"text/plain", "text/csv"}
    wrong = []
    for kind, content in KINDS.items():
        for declared in KINDS:
            answer = await ada.client.put(f"{path}/file", content=content, headers={"Content-Type": declared})
            is_same = kind == declared or {kind, declared} <= video or {kind, declared} <= text
            expected = (200, None) if is_same else (422, "media_type_mismatch")
            # A PDF of mere text is text as well.
            if (answer.status_code, answer.json().get("code")) != expected and (kind, declared) not in (
                ("application/pdf", "text/plain"), ("application/pdf", "text/csv"),
            ):  # fmt: skip
                wrong.append((kind, declared, answer.text))
    assert wrong == []
    await run_jobs(ada.world)
    assert len(stored(settings)) == 1, "of all that came, what was accepted last is there"


@pytest.mark.parametrize(
    ("declared", "content", "code"),
    [
        ("application/pdf", b"MZ\x90\0\3\0\0\0" + bytes(100), "media_type_mismatch"),
        ("application/pdf", b"", "media_type_mismatch"),
        ("text/plain", b"", "media_type_mismatch"),
        ("text/plain", b"text" * PIECE + b"\0", "media_type_mismatch"),
        ("text/csv", "a;b\n".encode("utf-16"), "media_type_mismatch"),
        (WORD, office("word", **{"word__vbaProject.bin": "x"}), "media_type_mismatch"),
        (WORD, archive(**{"a.txt": "x"}), "media_type_mismatch"),
        ("text/html", b"<script>alert(1)</script>", "media_type_not_allowed"),
        ("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "media_type_not_allowed"),
        ("application/octet-stream", PDF, "media_type_not_allowed"),
        ("", PDF, "media_type_not_allowed"),
    ],
)
@on_sqlite
async def test_what_is_not_allowed_leaves_nothing_behind(
    app: FastAPI, partner: Partner, settings: Settings, declared: str, content: bytes, code: str
) -> None:
    ada = await enroll(app, partner)
    path = await slot(ada)
    answer = await ada.client.put(f"{path}/file", content=content, headers={"Content-Type": declared})
    assert refused(answer) == (422, code)
    assert stored(settings) == []
    assert refused(await ada.client.get(f"{path}/file")) == (410, "evidence_missing")
    assert (await ada.client.put(f"{path}/file", content=PDF, headers=AS_PDF)).status_code == 200


async def endless(size: int, sent: list[int], settings: Settings) -> AsyncIterator[bytes]:
    chunk = b"x" * (64 << 10)
    for _ in range(size // len(chunk)):
        sent[0] += len(chunk)
        if sent[0] == 50 << 20:
            sent[1] = len(stored(settings))
        yield chunk


@on_sqlite
async def test_what_is_too_large_is_refused_while_it_comes(app: FastAPI, partner: Partner, settings: Settings) -> None:
    ada = await enroll(app, partner)
    path = await slot(ada)
    sent = [0, 0]
    tracemalloc.start()
    try:
        answer = await ada.client.put(f"{path}/file", content=endless(400 << 20, sent, settings), headers=TEXT)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refused(answer) == (413, "evidence_too_large")
    assert 100 << 20 <= sent[0] <= 101 << 20, "the rest was not asked for"
    assert sent[1] >= 48, "half of it was in the store already"
    assert peak < 16 << 20
    assert stored(settings) == []
    headers = {**TEXT, "Content-Length": str((100 << 20) + 1)}
    early = await ada.client.put(f"{path}/file", content=endless(1 << 20, [0, 0], settings), headers=headers)
    assert refused(early) == (413, "evidence_too_large")


async def hang_up(app: FastAPI, ada: Attempt, path: str, content: bytes) -> tuple[int, bytes]:
    """Send the beginning of a body and close the connection: what was answered all the same."""
    waiting = [{"type": "http.request", "body": content, "more_body": True}, {"type": "http.disconnect"}]
    said: list[Any] = []

    async def receive() -> Any:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        said.append(message)

    headers = [(b"authorization", ada.client.headers["authorization"].encode()), (b"content-type", b"text/plain")]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "PUT", "scheme": "http",
        "path": f"{path}/file", "raw_path": f"{path}/file".encode(), "query_string": b"", "root_path": "",
        "headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000),
    }  # fmt: skip
    await app(scope, receive, send)
    return said[0]["status"], said[1]["body"]


async def test_an_upload_that_breaks_off_leaves_nothing(app: FastAPI, partner: Partner, settings: Settings) -> None:
    ada = await enroll(app, partner)
    path = await slot(ada)
    status, body = await hang_up(app, ada, path, LONG)
    assert (status, b"upload_broken" in body) == (400, True)
    assert stored(settings) == []
    assert (await row_of(ada, path)).digest is None
    good(await ada.client.put(f"{path}/file", content=PDF, headers=AS_PDF))
    await hang_up(app, ada, path, LONG)
    assert (await ada.client.get(f"{path}/file")).content == PDF, "the file before is still there"


async def test_what_a_process_that_died_left_is_swept_up(
    app: FastAPI, partner: Partner, settings: Settings, clock: FixedClock
) -> None:
    ada = await enroll(app, partner)
    path = await slot(ada)
    started = asyncio.Event()

    async def stalling() -> AsyncIterator[bytes]:
        yield LONG
        started.set()
        await asyncio.Event().wait()

    upload = asyncio.create_task(ada.client.put(f"{path}/file", content=stalling(), headers=TEXT))
    await started.wait()
    left = {file: file.read_bytes() for file in stored(settings)}
    assert len(left) == 2
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert stored(settings) == [], "a server that is stopped cleans up"
    for file, content in left.items():  # one that is killed does not
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    await run_jobs(ada.world)
    assert len(stored(settings)) == 2, "it may still be under way"
    clock.advance(hours=3)
    await run_jobs(ada.world)
    assert stored(settings) == []


async def test_a_file_that_is_replaced_or_removed_is_deleted(
    app: FastAPI, partner: Partner, settings: Settings
) -> None:
    ada = await enroll(app, partner)
    path = await slot(ada)
    for content in (LONG, b"short"):
        good(await ada.client.put(f"{path}/file", content=content, headers=TEXT))
    await run_jobs(ada.world)
    assert len(stored(settings)) == 1
    assert (await ada.client.get(f"{path}/file")).content == b"short"
    good(await ada.client.delete(path))
    assert refused(await ada.client.get(f"{path}/file")) == (404, "not_found")
    await run_jobs(ada.world)
    assert stored(settings) == []


async def test_a_file_stays_as_long_as_an_attempt_rests_on_it(
    app: FastAPI, partner: Partner, settings: Settings
) -> None:
    ada = await enroll(app, partner)
    first = await ada.draft()
    artifact = await ada.upload(first)
    good(await ada.client.put(f"{first}/statement", json=STATEMENT))
    good(await ada.client.post(f"{first}/submit"))
    await ada.decide(first, "not_yet")
    second = good(await ada.begin())
    [carried] = second["artifacts"]
    there = f"/v1/submissions/{second['id']}/artifacts/{carried['id']}"
    assert (await ada.client.get(f"{there}/file")).content == PDF
    good(await ada.client.delete(there))
    await run_jobs(ada.world)
    assert (await ada.client.get(f"{artifact}/file")).content == PDF
    assert len(stored(settings)) == 1


async def test_a_url_has_no_file(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    path = await ada.draft()
    artifact = f"{path}/artifacts/{good(await ada.client.post(f'{path}/artifacts', json=URL))['id']}"
    assert refused(await ada.client.put(f"{artifact}/file", content=PDF, headers=AS_PDF)) == (409, "artifact_is_url")
    assert refused(await ada.client.get(f"{artifact}/file")) == (410, "evidence_missing")


@on_sqlite
async def test_a_file_that_vanished_or_was_changed_is_told(app: FastAPI, partner: Partner, settings: Settings) -> None:
    ada = await enroll(app, partner)
    path = await slot(ada)
    good(await ada.client.put(f"{path}/file", content=LONG, headers=TEXT))
    submission = path.partition("/artifacts")[0]
    await ada.upload(submission, LONG, "text/plain")
    own = (await row_of(ada, path)).upload
    mine = [file for file in stored(settings) if file.parent.name == own]
    theirs = [file for file in stored(settings) if file.parent.name != own]
    whole = {file: file.read_bytes() for file in stored(settings)}

    async def told() -> tuple[int, str]:
        answer = refused(await ada.client.get(f"{path}/file"))
        shutil.rmtree(settings.data_directory / "evidence", ignore_errors=True)
        for file, content in whole.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        assert (await ada.client.get(f"{path}/file")).content == LONG
        return answer

    mine[1].unlink()
    assert await told() == (410, "evidence_missing")
    shutil.rmtree(settings.data_directory / "evidence")
    assert await told() == (410, "evidence_missing")
    mine[1].write_bytes(whole[mine[1]][:-1])  # cut short
    assert await told() == (409, "evidence_changed")
    mine[1].write_bytes(b"")
    assert await told() == (409, "evidence_changed")
    mine[0].write_bytes(whole[mine[1]])  # another order
    mine[1].write_bytes(whole[mine[0]])
    assert await told() == (409, "evidence_changed")
    for one, other in zip(mine, theirs, strict=True):  # another file of the same learner
        one.write_bytes(whole[other])
    assert await told() == (409, "evidence_changed")
    byte = bytearray(whole[mine[2]])
    byte[500] ^= 1
    mine[2].write_bytes(bytes(byte))
    assert await told() == (409, "evidence_changed")


@on_sqlite
async def test_a_file_cannot_be_passed_off_as_shorter(app: FastAPI, partner: Partner) -> None:
    ada = await enroll(app, partner)
    path = await slot(ada)
    good(await ada.client.put(f"{path}/file", content=LONG, headers=TEXT))
    async with ada.world.database.transaction() as session:
        row = await session.get_one(Artifact, (ada.program.issuer_id, path.rpartition("/")[2]))
        row.pieces = 2
    assert refused(await ada.client.get(f"{path}/file")) == (409, "evidence_changed")


@on_sqlite
async def test_a_store_that_is_away_is_told(app: FastAPI, partner: Partner, settings: Settings) -> None:
    (settings.data_directory / "evidence").write_text("no folder")
    ada = await enroll(app, partner)
    path = await slot(ada)
    answer = await ada.client.put(f"{path}/file", content=PDF, headers=AS_PDF)
    assert refused(answer) == (503, "evidence_store_unavailable")
    (settings.data_directory / "evidence").unlink()
    good(await ada.client.put(f"{path}/file", content=PDF, headers=AS_PDF))
