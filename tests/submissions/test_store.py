"""The evidence store against a server that speaks S3, and where it goes by its settings."""

from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from moto.server import ThreadedMotoServer
from pydantic import ValidationError

from app.keys.vault import Vault, read_key_encryption_key
from app.main import create_app
from app.net.evidence import EvidenceStore, EvidenceStoreAway
from app.operation.backup import write_backup
from app.operation.restore import restore_backup
from app.settings import Settings
from tests.conftest import Partner, open_client
from tests.fakes import FixedClock
from tests.submissions.attempts import AS_PDF, FILE, PDF, enroll, good, refused, run_jobs
from tests.submissions.test_evidence import LONG, TEXT, on_sqlite


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The evidence URL of a bucket on a server of this machine."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        urlopen(Request(f"http://{host}:{port}/evidence", method="PUT")).close()
        yield f"s3://evidence/assay?region=us-east-1&endpoint=http://{host}:{port}"
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


async def test_objects_are_put_listed_and_deleted(s3: str, tmp_path: Path) -> None:
    for url in (s3, (tmp_path / "folder").as_uri()):
        store = EvidenceStore(url)
        for path, data in (("i/u/00000", b"one"), ("i/u/00001", b"two"), ("i/uu/00000", b"other")):
            await store.put(path, data)
        assert await store.get("i/u/00001") == b"two"
        assert await store.get("i/u/00002") is None
        assert await store.list_sizes("i/u") == {"i/u/00000": 3, "i/u/00001": 3}, "uu is not under u"
        await store.delete_under("i/u")
        await store.delete_under("i/u")
        assert await store.list_sizes("i") == {"i/uu/00000": 5}
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o700


async def test_a_bucket_that_is_not_there_is_told(s3: str) -> None:
    store = EvidenceStore(s3.replace("s3://evidence", "s3://another"))
    with pytest.raises(EvidenceStoreAway) as told:
        await store.put("i/u/00000", b"one")
    assert "secret" not in str(told.value)
    assert "http" not in str(told.value)


@on_sqlite
async def test_evidence_in_a_bucket(s3: str, settings: Settings, partner: Partner, clock: FixedClock) -> None:
    """Up, down, cut short, and gone again."""
    there = create_app(settings.model_copy(update={"run_jobs": False, "evidence_url": s3}), clock=clock)
    async with there.router.lifespan_context(there):
        ada = await enroll(there, partner)
        draft = await ada.draft()
        artifact = f"{draft}/artifacts/{good(await ada.client.post(f'{draft}/artifacts', json=FILE))['id']}"
        good(await ada.client.put(f"{artifact}/file", content=LONG, headers=TEXT))
        assert (await ada.client.get(f"{artifact}/file")).content == LONG
        wrong = await ada.client.put(f"{artifact}/file", content=LONG, headers=AS_PDF)
        assert refused(wrong) == (422, "media_type_mismatch")
        store = ada.world.evidence
        assert len(await store.list_sizes(partner.issuer_id)) == 3
        [first, *_, last] = sorted(await store.list_sizes(partner.issuer_id))
        await store.put(last, await store.get(first) or b"")
        assert refused(await ada.client.get(f"{artifact}/file")) == (409, "evidence_changed")
        await store.delete_under(last)
        good(await ada.client.delete(artifact))
        await run_jobs(ada.world)
        assert await store.list_sizes(partner.issuer_id) == {}
        await ada.upload(draft, PDF)


@on_sqlite
@pytest.mark.parametrize("source", ["folder", "bucket"])
async def test_evidence_goes_through_a_backup_from_either_kind_of_store_into_the_other(
    s3: str, settings: Settings, partner: Partner, clock: FixedClock, tmp_path: Path, source: str
) -> None:
    folder, s3 = (tmp_path / "there").as_uri(), s3.replace("/assay?", f"/{source}?")
    from_url, to_url = (folder, s3) if source == "folder" else (s3, folder)
    here = create_app(settings.model_copy(update={"run_jobs": False, "evidence_url": from_url}), clock=clock)
    async with here.router.lifespan_context(here):
        ada = await enroll(here, partner)
        draft = await ada.draft()
        artifact = await ada.upload(draft, LONG, "text/plain")
        store = ada.world.evidence
        kept = {path: await store.get(path) for path in await store.list_sizes(partner.issuer_id)}
        written = await write_backup(ada.world.database, clock, tmp_path / "backup.tar", store)
        without = await write_backup(ada.world.database, clock, tmp_path / "without.tar")
        await store.delete_under(partner.issuer_id)
    assert written.evidence is not None
    assert (written.evidence.rows, len(kept), without.evidence) == (3, 3, None)
    elsewhere = Settings.model_validate(
        {**settings.model_dump(), "evidence_url": to_url, "run_jobs": False,
         "database_url": f"sqlite+aiosqlite:///{tmp_path / 'elsewhere' / 'assay.db'}"}
    )  # fmt: skip
    await restore_backup(elsewhere, Vault(read_key_encryption_key(elsewhere)), clock, tmp_path / "backup.tar")
    restored = EvidenceStore.of(elsewhere)
    assert {path: await restored.get(path) for path in await restored.list_sizes(partner.issuer_id)} == kept
    there = create_app(elsewhere, clock=clock)
    async with there.router.lifespan_context(there), open_client(there) as client:
        client.headers = ada.client.headers
        assert (await client.get(f"{artifact}/file")).content == LONG
    await restored.delete_under(partner.issuer_id)


def test_the_place_is_the_data_directory_unless_another_is_named(settings: Settings) -> None:
    assert EvidenceStore.of(settings).folder == settings.data_directory / "evidence"
    assert EvidenceStore.of(settings.model_copy(update={"evidence_url": "s3://bucket/x"})).folder is None
    for good_url in (
        "file:///srv/evidence",
        "s3://bucket",
        "s3://bucket/a/b?endpoint=https://s3.example.org&region=eu",
    ):
        assert Settings.model_validate({**settings.model_dump(), "evidence_url": good_url}).evidence_url == good_url
    for bad in ("/srv/evidence", "file://host/x", "https://s3.example.org/bucket", "s3://", "s3://bucket?key=secret"):
        with pytest.raises(ValidationError):
            Settings.model_validate({**settings.model_dump(), "evidence_url": bad})
