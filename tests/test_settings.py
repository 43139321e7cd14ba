"""Settings: what is refused at start, and that docs/settings.md tells operators what the class says."""

import base64
from typing import Any

import pytest
from pydantic import ValidationError

from app.errors import Conflict
from app.keys.vault import WrongEncryptionKey
from app.main import create_app
from app.settings import Settings, decode_key
from tests.conftest import KEY, PROJECT, Partner
from tests.fakes import FixedClock
from tests.house.settings_page import PAGE, compose_page

HTTPS = {"public_url": "https://badges.example.org", "key_encryption_key": KEY}


def refusal(**values: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate(values)
    return str(refused.value)


def test_page_tells_every_setting() -> None:
    assert PAGE == PROJECT / "docs" / "settings.md"
    assert PAGE.read_text() == compose_page(), "Run `.venv/bin/python -m tests.house.settings_page`."
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert f"`ASSAY_{name.upper()}`" in PAGE.read_text()


def test_environment_is_read_under_its_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_VERIFY_QUEUE", "7")
    monkeypatch.setenv("VERIFY_PROCESSES", "7")
    assert (Settings().verify_queue, Settings().verify_processes) == (7, 2)


def test_https_needs_a_key_of_its_own() -> None:
    assert "assay keys new-encryption-key" in refusal(public_url="https://badges.example.org")
    assert Settings.model_validate(HTTPS).is_https
    assert not Settings.model_validate({"public_url": "http://badges.example.org"}).is_https


@pytest.mark.parametrize(
    "url",
    [
        "badges.example.org",
        "ftp://badges.example.org",
        "https://",
        "https://badges.example.org/assay",
        "https://badges.example.org?x=1",
        "https://badges.example.org#x",
        "https://user@badges.example.org",
        "https://user:secret@badges.example.org",
        "https://badges.example.org:port",
        "https://badges.example.org:99999",
        "https://badges.example.org:0",
        "https://badges example.org",
        "https://-badges.example.org",
        "https://badges..example.org",
        "https://badges.example.org\n",
        "https://b\u00e4dges.example.org",
        "",
    ],
)
def test_unusable_base_urls_are_refused(url: str) -> None:
    assert "public_url" in refusal(public_url=url, key_encryption_key=KEY)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("https://badges.example.org/", "https://badges.example.org"),
        ("HTTPS://Badges.Example.org", "https://badges.example.org"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
        ("https://badges.example.org:443", "https://badges.example.org"),
        ("https://xn--bdges-gra.example.org:8443", "https://xn--bdges-gra.example.org:8443"),
    ],
)
def test_base_urls_have_one_spelling(given: str, meant: str) -> None:
    assert Settings.model_validate({"public_url": given, "key_encryption_key": KEY}).public_url == meant


def test_a_revocation_is_visible_within_a_day() -> None:
    assert "less than 86400" in refusal(status_list_ttl_seconds=24 * 3600)
    assert "greater than or equal to 1" in refusal(status_list_ttl_seconds=0)
    assert Settings.model_validate({"status_list_ttl_seconds": 24 * 3600 - 1}).status_list_ttl_seconds == 86_399


@pytest.mark.parametrize(
    "key", ["", "x", "é" * 43, base64.urlsafe_b64encode(bytes(31)).decode(), base64.b64encode(bytes(33)).decode()]
)
def test_unusable_encryption_keys_are_refused_without_being_told(key: str) -> None:
    told = refusal(key_encryption_key=key)
    assert "base64url" in told
    assert len(key) < 2 or key not in told


def test_encryption_keys_may_leave_padding_out() -> None:
    assert decode_key(KEY) == decode_key(KEY.rstrip("=")) == bytes(range(32))


def test_settings_are_closed_frozen_and_keep_their_secrets() -> None:
    assert "surplus" in refusal(surplus=1)
    assert "database_role" in refusal(database_role='x"; DROP ROLE')
    settings = Settings.model_validate({**HTTPS, "database_url": "postgresql+psycopg://u:canary@h/n"})
    with pytest.raises(ValidationError):
        settings.public_url = "https://other.example.org"  # type: ignore[misc]
    assert "canary" not in repr(settings)
    assert KEY not in repr(settings)


def with_another_key(settings: Settings) -> Settings:
    key = base64.urlsafe_b64encode(bytes(32)).decode()
    return Settings.model_validate({**settings.model_dump(), "key_encryption_key": key})


async def start(settings: Settings) -> None:
    application = create_app(settings.model_copy(update={"run_jobs": False}), clock=FixedClock())
    async with application.router.lifespan_context(application):
        pass


async def test_base_url_is_pinned_at_first_start(settings: Settings) -> None:
    await start(settings)
    await start(settings)
    moved = settings.model_copy(update={"public_url": "http://127.0.0.1:9000"})
    with pytest.raises(Conflict) as refused:
        await start(moved)
    assert refused.value.detail == (
        "This database belongs to http://127.0.0.1:8000, but ASSAY_PUBLIC_URL is http://127.0.0.1:9000."
    )
    assert "ASSAY_PUBLIC_URL=http://127.0.0.1:8000" in refused.value.cure
    await start(settings)


async def test_another_encryption_key_is_refused_at_start(settings: Settings, partner: Partner) -> None:
    """`partner` has an issuer, so there is a key that was sealed."""
    other = with_another_key(settings)
    with pytest.raises(WrongEncryptionKey) as refused:
        await start(other)
    assert "ASSAY_KEY_ENCRYPTION_KEY" in refused.value.detail
    assert refused.value.cure
    await start(settings)


async def test_an_empty_database_takes_any_encryption_key(settings: Settings) -> None:
    """The pair of the test above."""
    await start(settings)
    await start(with_another_key(settings))
