"""Settings, read once from the environment (prefix `ASSAY_`), checked at start and frozen.

`docs/settings.md` lists them for operators; a house test keeps that page and this class equal.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?/?",
    re.ASCII,
)

_EVIDENCE_URL = re.compile(
    r"file:///[^?#]+|s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^?#]*)?(\?(endpoint|region)=[^#]+)?"
)


class Settings(BaseSettings):
    # hide_input_in_errors: what is wrong may be a key or a password.
    model_config = SettingsConfigDict(env_prefix="ASSAY_", frozen=True, extra="forbid", hide_input_in_errors=True)

    public_url: str = Field(
        default="http://127.0.0.1:8000",
        description="Base URL under which the world reaches this service. Every badge carries it: it is pinned in the "
        "database at first start and cannot change afterwards.",
    )
    database_url: SecretStr = Field(
        default=SecretStr("sqlite+aiosqlite:///var/assay.db"),
        description="SQLAlchemy URL: sqlite+aiosqlite:///path or postgresql+psycopg://user:password@host/name.",
    )
    database_role: str = Field(
        default="assay_app",
        pattern=r"^[a-z_][a-z0-9_]{0,62}$",
        description="PostgreSQL role the service takes on after connecting (SET ROLE), so that it does not work as the "
        "owner of its tables. Migrations create `assay_app` for this. SQLite has no roles.",
    )
    key_encryption_key: SecretStr | None = Field(
        default=None,
        description="32 bytes in base64url that encrypt every private key and learner key at rest. When absent a "
        "development key is made in keys/, which is refused when public_url is https.",
    )
    previous_key_encryption_key: SecretStr | None = Field(
        default=None,
        description="Only while key_encryption_key is being replaced: the key before, so that what is still encrypted under it "
        "opens. Remove it once `assay keys reencrypt` has ended.",
    )
    data_directory: Path = Field(default=Path("var"), description="Where the embedded database and demo.json live.")
    evidence_url: str | None = Field(
        default=None,
        description="Where files of evidence are kept, encrypted: file:///absolute/folder or s3://bucket/prefix, for "
        "S3-compatible stores with ?endpoint=https://…&region=…; their keys come from AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY or the machine's role. When absent the folder evidence in data_directory.",
    )
    evidence_max_bytes: int = Field(
        default=100 << 20, ge=1, le=10 << 30, description="Greatest size of one file of evidence, in bytes."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severity logged."
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="One JSON object a line, or text for people."
    )
    status_list_ttl_seconds: int = Field(
        default=300,
        ge=1,
        lt=24 * 3600,
        description="How long a status list may be cached: its `ttl` and its Cache-Control. A revocation is visible at "
        "the origin at once and everywhere after this time.",
    )
    run_jobs: bool = Field(default=True, description="Run background jobs inside the server process.")
    verify_processes: int = Field(default=2, ge=1, le=16, description="Processes that judge foreign documents.")
    verify_queue: int = Field(default=32, ge=1, le=1024, description="Verifications that may wait; more answer 503.")
    verify_fetches_per_host: int = Field(
        default=60,
        ge=6,
        le=10_000,
        description="Documents that verifications may fetch from one host in a minute. A badge decides which hosts are asked, "
        "so this keeps strangers from being flooded through this service.",
    )
    issuer_registries: list[str] = Field(
        default_factory=list,
        description="Registries of known issuers (JSON array of files and https URLs), in the format of the Digital Credentials "
        "Consortium. What they say of an issuer is told beside a verification and makes no badge valid.",
    )
    outbound_allow_networks: list[IPv4Network | IPv6Network] = Field(
        default_factory=list,
        description="Networks that outbound requests may reach although they are not public (JSON array), for issuers "
        "on an intranet. Empty: public addresses only.",
    )
    outbound_ca_file: Path | None = Field(
        default=None, description="PEM file of further certificate authorities that outbound requests trust."
    )
    smtp_url: SecretStr | None = Field(
        default=None,
        description="Mail server: smtp://user:password@host:587 (STARTTLS, insisted on), smtps://user:password@host:465 "
        "(TLS), or smtp+plain://host:25 for a relay on the same machine. User and password are percent-encoded. Without it, "
        "mail is written into the folder outbox of the data directory, for development.",
    )
    mail_from: str | None = Field(
        default=None,
        pattern=r"^[^\r\n]{0,100}?<?[^\s@<>]{1,64}@[A-Za-z0-9.-]{1,189}>?$",
        description="Sender of the mail, like Assay <assay@badges.example.org>. Required with smtp_url.",
    )

    @field_validator("public_url")
    @classmethod
    def _origin_only(cls, value: str) -> str:
        origin = _ORIGIN.fullmatch(value.lower())
        if origin is None or (origin["port"] and not 0 < int(origin["port"]) < 65_536):
            raise ValueError(
                "must be an http or https URL of a host alone, like https://badges.example.org: without user, path, query or "
                "fragment (did:web and well-known documents live at the root of a host), in ASCII (xn--… for other names)"
            )
        is_default = (origin["scheme"], origin["port"]) in (("http", "80"), ("https", "443"))
        port = f":{int(origin['port'])}" if origin["port"] and not is_default else ""
        return f"{origin['scheme']}://{origin['host']}{port}"

    @field_validator("issuer_registries")
    @classmethod
    def _files_or_https(cls, value: list[str]) -> list[str]:
        if any(not each or ("://" in each and not each.startswith("https://")) for each in value):
            raise ValueError("must be paths of files and https URLs")
        return value

    @field_validator("evidence_url")
    @classmethod
    def _folder_or_bucket(cls, value: str | None) -> str | None:
        if value is not None and not _EVIDENCE_URL.fullmatch(value):
            raise ValueError("must be file:///absolute/folder or s3://bucket/prefix?endpoint=https://…&region=…")
        return value

    @field_validator("key_encryption_key", "previous_key_encryption_key")
    @classmethod
    def _thirty_two_bytes(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            decode_key(value.get_secret_value())
        return value

    @model_validator(mode="after")
    def _https_needs_a_real_key(self) -> Self:
        if self.is_https and self.key_encryption_key is None:
            raise ValueError(
                "ASSAY_KEY_ENCRYPTION_KEY is required when ASSAY_PUBLIC_URL is https: the development key in keys/ is for "
                "http only. Make one with `assay keys new-encryption-key`."
            )
        return self

    @model_validator(mode="after")
    def _mail_needs_server_and_sender(self) -> Self:
        if self.smtp_url is not None:
            parse_smtp_url(self.smtp_url.get_secret_value())
            if self.mail_from is None:
                raise ValueError("ASSAY_MAIL_FROM is required when ASSAY_SMTP_URL is set: mail needs a sender.")
        return self

    @cached_property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    @cached_property
    def is_sqlite(self) -> bool:
        return self.database_url.get_secret_value().startswith("sqlite")

    @cached_property
    def sqlite_file(self) -> Path | None:
        """The file of a SQLite database; None on PostgreSQL."""
        return Path(self.database_url.get_secret_value().partition(":///")[2]) if self.is_sqlite else None

    def lacks_sqlite_file(self) -> bool:
        """Whether the database is one of SQLite that is not there yet: connecting would make it."""
        return self.sqlite_file is not None and not self.sqlite_file.exists()


def decode_key(text: str) -> bytes:
    """The 32 bytes of a key written in base64url (padding optional). Raises ValueError otherwise."""
    try:
        key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise ValueError("must be base64url") from None
    if len(key) != 32:
        raise ValueError("must be 32 bytes in base64url")
    return key


MailSecurity = Literal["smtps", "smtp", "smtp+plain"]
_MAIL_PORTS: dict[MailSecurity, int] = {"smtps": 465, "smtp": 587, "smtp+plain": 25}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over. `security`: TLS from the beginning, STARTTLS insisted on, or none."""

    security: MailSecurity
    host: str
    port: int
    user: str | None = None
    password: str | None = None


def parse_smtp_url(url: str) -> MailServer:
    """The server of smtps://, smtp:// or smtp+plain://, user and password percent-encoded. Raises ValueError otherwise."""
    parts = urlsplit(url)
    security = next((each for each in _MAIL_PORTS if each == parts.scheme), None)
    if security is None or not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(
            "must be like smtp://user:password@host:587 (STARTTLS), smtps://… (TLS) or smtp+plain://host:25"
        )
    if security == "smtp+plain" and parts.username is not None:
        raise ValueError("must not send a password without TLS: use smtp:// or smtps://")
    if (parts.username is None) != (parts.password is None):
        raise ValueError("must have a user and a password, or neither")
    user, password = (None if part is None else unquote(part) for part in (parts.username, parts.password))
    return MailServer(security, parts.hostname, parts.port or _MAIL_PORTS[security], user, password)
