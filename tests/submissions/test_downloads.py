"""Downloads by HEAD and by range, from a folder and from a bucket: right bytes, and no more pieces opened than they lie in."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from app.submissions.evidence import PIECE
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.submissions.attempts import FILE, URL, Attempt, enroll, good, refused
from tests.submissions.test_evidence import LONG, TEXT, on_sqlite
from tests.submissions.test_store import keys, s3

__all__ = ["keys", "s3"]

SIZE = len(LONG)


@dataclass(frozen=True, slots=True)
class Uploaded:
    """LONG, uploaded as the file at `path`: two pieces and a half."""

    ada: Attempt
    path: str

    async def get(self, asked: str | None = None, **headers: str) -> httpx.Response:
        return await self.ada.client.get(self.path, headers={**({"Range": asked} if asked else {}), **headers})

    async def spoil(self, *numbers: int) -> None:
        """Change what is stored of these pieces, so that they do not open."""
        store = self.ada.world.evidence
        paths = sorted(await store.list_sizes(self.ada.program.issuer_id))
        for number in numbers:
            await store.put(paths[number], bytes(100))


@pytest.fixture(params=["folder", "bucket"])
async def uploaded(
    request: pytest.FixtureRequest, settings: Settings, partner: Partner, clock: FixedClock
) -> AsyncIterator[Uploaded]:
    url = request.getfixturevalue("s3") if request.param == "bucket" else None
    there = create_app(settings.model_copy(update={"run_jobs": False, "evidence_url": url}), clock=clock)
    async with there.router.lifespan_context(there):
        ada = await enroll(there, partner)
        draft = await ada.draft()
        artifact = good(await ada.client.post(f"{draft}/artifacts", json=FILE))
        path = f"{draft}/artifacts/{artifact['id']}/file"
        good(await ada.client.put(path, content=LONG, headers=TEXT))
        yield Uploaded(ada, path)
        await ada.world.evidence.delete_under(partner.issuer_id)


@on_sqlite
async def test_a_range_has_the_bytes_asked_for(uploaded: Uploaded) -> None:
    whole = await uploaded.get()
    assert (whole.status_code, whole.content, whole.headers["accept-ranges"]) == (200, LONG, "bytes")
    for asked, first, last in (
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, SIZE - 1),
        (f"bytes={PIECE - 1}-{PIECE}", PIECE - 1, PIECE),
        (f"bytes={PIECE}-{2 * PIECE - 1}", PIECE, 2 * PIECE - 1),
        (f"bytes=17-{2 * PIECE + 3}", 17, 2 * PIECE + 3),
        ("bytes=-5", SIZE - 5, SIZE - 1),
        (f"bytes={SIZE - 1}-{SIZE + 7}", SIZE - 1, SIZE - 1),
    ):
        answer = await uploaded.get(asked)
        assert (answer.status_code, answer.content) == (206, LONG[first : last + 1]), asked
        assert answer.headers["content-range"] == f"bytes {first}-{last}/{SIZE}"
        assert answer.headers["content-length"] == str(last + 1 - first)
        for name in ("content-type", "content-disposition", "content-security-policy", "cache-control", "etag"):
            assert answer.headers[name] == whole.headers[name]


@on_sqlite
async def test_a_range_behind_the_end_is_told_the_size(uploaded: Uploaded) -> None:
    answer = await uploaded.get(f"bytes={SIZE}-")
    assert refused(answer) == (416, "range_not_satisfiable")
    assert answer.headers["content-range"] == f"bytes */{SIZE}"


@on_sqlite
async def test_what_is_no_single_range_gets_the_whole_file(uploaded: Uploaded) -> None:
    for asked in ("bytes=5-2", "bytes=0-1,5-6", "items=0-1", "bytes"):
        answer = await uploaded.get(asked)
        assert (answer.status_code, answer.content) == (200, LONG), asked
        assert "content-range" not in answer.headers


@on_sqlite
async def test_going_on_with_another_file_begins_anew(uploaded: Uploaded) -> None:
    etag = (await uploaded.get("bytes=0-1")).headers["etag"]
    assert (await uploaded.get("bytes=2-3", **{"If-Range": etag})).status_code == 206
    good(await uploaded.ada.client.put(uploaded.path, content=LONG[1:], headers=TEXT))
    answer = await uploaded.get("bytes=2-3", **{"If-Range": etag})
    assert (answer.status_code, answer.content) == (200, LONG[1:])
    assert answer.headers["etag"] != etag


@on_sqlite
async def test_only_the_pieces_of_the_range_are_opened(uploaded: Uploaded) -> None:
    await uploaded.spoil(0, 2)
    answer = await uploaded.get(f"bytes={PIECE}-{2 * PIECE - 1}")
    assert (answer.status_code, answer.content) == (206, LONG[PIECE : 2 * PIECE])
    for asked in (None, f"bytes={PIECE - 1}-{PIECE}", "bytes=-1"):
        assert refused(await uploaded.get(asked)) == (409, "evidence_changed"), asked


@on_sqlite
async def test_head_tells_of_the_file_and_opens_nothing(uploaded: Uploaded) -> None:
    whole = await uploaded.get()
    await uploaded.spoil(0, 1, 2)
    for headers in ({}, {"Range": "bytes=0-1"}):
        answer = await uploaded.ada.client.head(uploaded.path, headers=headers)
        assert (answer.status_code, answer.content) == (200, b"")
        assert {**answer.headers, "x-request-id": ""} == {**whole.headers, "x-request-id": ""}
    await uploaded.ada.world.evidence.delete_under(uploaded.ada.program.issuer_id)
    assert (await uploaded.ada.client.head(uploaded.path)).status_code == 410
    assert refused(await uploaded.get("bytes=0-1")) == (410, "evidence_missing")


@on_sqlite
async def test_head_is_refused_where_get_is(uploaded: Uploaded) -> None:
    ada, draft = uploaded.ada, uploaded.path.partition("/artifacts")[0]
    url = good(await ada.client.post(f"{draft}/artifacts", json=URL))["id"]
    assert (await ada.client.head(f"{draft}/artifacts/{url}/file")).status_code == 410
    assert (await ada.client.head(f"{draft}/artifacts/{'0' * 32}/file")).status_code == 404
    nobody = httpx.AsyncClient(transport=ada.client._transport, base_url=ada.client.base_url)
    assert (await nobody.head(uploaded.path)).status_code == 401
