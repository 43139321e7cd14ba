"""Looking an installation over, before it starts or while it runs, and naming a cure for everything that is wrong.

The parts are opened one by one, not with `open_resources`: what is broken is a finding here, not the end. Nothing is changed.
"""

import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app import strict_json
from app.clock import Clock
from app.contexts import CONTEXTS_DIRECTORY, load_contexts
from app.db import Database, open_database
from app.errors import AssayError
from app.events.store import Event
from app.issuers.did_document import has_own_domain
from app.issuers.own_domain import fetch_did_document, list_ended, require_complete
from app.issuers.published import did_document_of
from app.issuers.store import Issuer, find_base_url, list_issuers
from app.jobs.queue import Job
from app.keys.store import ED25519, SigningKey, list_all_keys, list_keys
from app.keys.vault import list_unreadable, open_vault
from app.migration import current_revision, head_revision
from app.net.client import FetchRefused, OutboundClient
from app.net.evidence import EvidenceStore, EvidenceStoreAway
from app.net.loopback import get_from_loopback, is_loopback
from app.operation.evidence import list_missing
from app.settings import Settings

Outcome = Literal["good", "warning", "wrong", "not checked"]

CLOCK_TOLERANCE = timedelta(seconds=5)
FUTURE_TOLERANCE = timedelta(seconds=60)
JOBS_LATE_AFTER = timedelta(minutes=10)
JOBS_FAILING_AFTER = 5
FREE_BYTES = 256 << 20
OLDEST_POSTGRESQL = 15


@dataclass(frozen=True, slots=True)
class Finding:
    check: str
    outcome: Outcome
    detail: str
    cure: str = ""


Findings = AsyncIterator[Finding]


@dataclass(frozen=True, slots=True)
class _Place:
    """What the checks of a database that answers look at."""

    settings: Settings
    clock: Clock
    database: Database


async def examine(
    settings: Settings, clock: Clock, *, contexts_directory: Path = CONTEXTS_DIRECTORY, free_bytes: int = FREE_BYTES
) -> list[Finding]:
    """Every finding, at least one of each check, in the order an operator would look."""
    found = [*_examine_url(settings), *_examine_contexts(contexts_directory), *_examine_disk(settings, free_bytes)]
    role = None if settings.is_sqlite else settings.database_role
    database = open_database(settings.database_url.get_secret_value(), role=role, pool_size=1)
    try:
        reachable = await _examine_database(settings, database)
        found += reachable
        checks = (
            _examine_pin, _examine_clock, _examine_keys, _examine_jobs, _examine_evidence, _examine_did_documents,
        )  # fmt: skip
        if any(finding.outcome == "wrong" and finding.check == "database" for finding in reachable):
            found += [Finding(check.__name__.removeprefix("_examine_"), "not checked", "The database comes first.")
                      for check in checks]  # fmt: skip
        else:
            for check in checks:
                found += [finding async for finding in check(_Place(settings, clock, database))]
    finally:
        await database.close()
    return found


def is_well(findings: list[Finding]) -> bool:
    return not any(finding.outcome == "wrong" for finding in findings)


def _examine_url(settings: Settings) -> list[Finding]:
    url, host = settings.public_url, urlsplit(settings.public_url).hostname or ""
    if settings.is_https and (is_loopback(url) or "." not in host):
        cure = "Set ASSAY_PUBLIC_URL to the name the world knows this service by, before the first badge."
        return [Finding("url", "warning", f"{url} can be reached from this machine or network only.", cure)]
    if not settings.is_https and not is_loopback(url):
        cure = (
            "Put a proxy that ends TLS in front, and set ASSAY_PUBLIC_URL to its https address before the first badge."
        )
        return [Finding("url", "wrong", f"{url} is not https: verifiers will not fetch status lists from it.", cure)]
    if not settings.is_https:
        return [Finding("url", "good", f"{url}, for development: issuers are did:key.")]
    return [Finding("url", "good", f"{url}: new issuers are did:web.")]


def _examine_contexts(directory: Path) -> list[Finding]:
    try:
        contexts = load_contexts(directory)
    except AssayError as error:
        return [Finding("contexts", "wrong", error.detail, "Install this release anew: its files were changed.")]
    return [Finding("contexts", "good", f"{len(contexts)} JSON-LD contexts have the pinned SHA-256.")]


def _examine_disk(settings: Settings, free_bytes: int) -> list[Finding]:
    """SQLite writes beside its file (the write-ahead log), so the directory counts."""
    if settings.sqlite_file is None:
        return [Finding("disk", "not checked", "The database server looks after its disk.")]
    path = settings.sqlite_file.absolute()
    cure = "Make it a directory that the user the service runs as may write to."
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            free = shutil.disk_usage(path.parent).free
        if path.exists():
            path.open("r+b").close()
    except OSError as error:
        return [Finding("disk", "wrong", f"{path.parent} cannot be written to: {error.strerror}.", cure)]
    told = f"{path.parent} has {free >> 20:,} MiB free"
    if free < free_bytes:
        return [
            Finding("disk", "wrong", f"{told}, less than {free_bytes >> 20:,} MiB.", "Make room, or move the database.")
        ]
    return [Finding("disk", "good", f"{told} and can be written to.")]


async def _examine_database(settings: Settings, database: Database) -> list[Finding]:
    if settings.lacks_sqlite_file():
        return [Finding("database", "wrong", "There is no database yet.", "Run `assay migrate`.")]
    try:
        async with database.reading() as session:
            revision = await (await session.connection()).run_sync(current_revision)
            if revision != head_revision():
                detail = f"The database is at revision {revision}, this release works with {head_revision()}."
                return [Finding("database", "wrong", detail, "Run `assay migrate` (with this release).")]
            migrated = Finding("database", "good", f"It answers and is at revision {revision}.")
            return [migrated, await _examine_role(session)]
    except (SQLAlchemyError, OSError) as error:
        sqlstate = getattr(getattr(error, "orig", None), "sqlstate", None) if isinstance(error, DBAPIError) else None
        if sqlstate in ("42704", "22023", "42501"):  # no such role, or not a member of it
            detail = f"The role {settings.database_role} cannot be taken on."
            cure = f"Run `assay migrate`, or as administrator: CREATE ROLE {settings.database_role} NOLOGIN; GRANT it."
            return [Finding("database", "wrong", detail, cure)]
        cure = "Check ASSAY_DATABASE_URL, that the server runs, and that this machine may connect to it."
        return [Finding("database", "wrong", f"The database does not answer ({type(error).__name__}).", cure)]


async def _examine_role(session: AsyncSession) -> Finding:
    """The role the service works as may not be able to take the append-only triggers off."""
    if session.get_bind().dialect.name == "sqlite":
        return Finding("role", "not checked", "SQLite has no roles; the triggers guard what is append-only.")
    query = text(
        "SELECT current_user, rolsuper, (SELECT count(*) FROM pg_class WHERE relowner = pg_roles.oid AND relkind = 'r'), "
        "current_setting('server_version_num')::int / 10000 FROM pg_roles WHERE rolname = current_user"
    )
    name, is_superuser, owned, major = (await session.execute(query)).one()
    if major < OLDEST_POSTGRESQL:
        detail = f"PostgreSQL {major} is older than {OLDEST_POSTGRESQL}."
        return Finding("role", "wrong", detail, f"Move to PostgreSQL {OLDEST_POSTGRESQL} or newer.")
    if is_superuser or owned:
        why = "is a superuser" if is_superuser else f"owns {owned} tables"
        cure = "Set ASSAY_DATABASE_ROLE to assay_app, which migrations create, or another role that owns nothing."
        return Finding(
            "role", "wrong", f"The service works as {name}, which {why}: nothing would be append-only.", cure
        )
    return Finding("role", "good", f"The service works as {name}, which owns nothing (PostgreSQL {major}).")


async def _examine_pin(place: _Place) -> Findings:
    async with place.database.reading() as session:
        pinned = await find_base_url(session)
    if pinned is None:
        yield Finding("pin", "good", "No public URL is pinned yet: the first start pins it.")
    elif pinned != place.settings.public_url:
        detail = f"The database belongs to {pinned}, but ASSAY_PUBLIC_URL is {place.settings.public_url}."
        yield Finding("pin", "wrong", detail, f"Start with ASSAY_PUBLIC_URL={pinned}: badges carry it for good.")
    else:
        yield Finding("pin", "good", f"The database belongs to {pinned}.")


async def _examine_clock(place: _Place) -> Findings:
    cure = "Let time synchronization (NTP) run here and on the database server."
    async with place.database.reading() as session:
        if place.settings.is_sqlite:
            shown = (await session.execute(text("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')"))).scalar_one()
            theirs = datetime.fromisoformat(shown).replace(tzinfo=UTC)
        else:
            theirs = (await session.execute(text("SELECT clock_timestamp()"))).scalar_one()
        ours = place.clock.now()
        newest = (await session.execute(select(func.max(Event.occurred_at)))).scalar_one_or_none()
    apart = abs(ours - theirs)
    if apart > CLOCK_TOLERANCE:
        yield Finding(
            "clock", "wrong", f"This clock and the database's are {apart.total_seconds():,.0f} s apart.", cure
        )
    elif newest is not None and newest > ours + FUTURE_TOLERANCE:
        detail = f"The newest event is of {newest.isoformat(timespec='seconds')}, which is still to come: the clock went back."
        yield Finding("clock", "wrong", detail, cure + " New badges would be dated before older ones.")
    else:
        yield Finding("clock", "good", f"It agrees with the database's to {apart.total_seconds():.1f} s.")


async def _examine_keys(place: _Place) -> Findings:
    async with place.database.reading() as session:
        keys, issuers = await list_all_keys(session), await list_issuers(session)
    try:
        vault = open_vault(place.settings)
    except (AssayError, OSError, ValueError):
        cure = "Set ASSAY_KEY_ENCRYPTION_KEY, or make keys/ writable for the development key."
        yield Finding("keys", "wrong", "There is no key-encryption key, and none can be made.", cure)
        return
    wrong = list_unreadable(vault, keys)
    for key in wrong:
        detail = f"The signing key {key.id} of issuer {key.issuer_id} does not open, or is not the published one."
        cure = (
            "Start with the key-encryption key it was sealed under; if only this key fails, restore it from a backup."
        )
        yield Finding("keys", "wrong", detail, cure)
    # Without its Ed25519 key an issuer cannot issue; keys of other algorithms are further.
    own = [key for key in keys if key.algorithm == ED25519]
    active = {key.issuer_id for key in own if key.state == "active"}
    waiting = {key.issuer_id for key in own if key.state == "pending"} - active
    idle = [issuer.slug for issuer in issuers if issuer.id not in active | waiting]
    for slug in idle:
        yield Finding("keys", "wrong", f"The issuer {slug} has no active signing key.", "Restore it from a backup.")
    for slug in (issuer.slug for issuer in issuers if issuer.id in waiting and issuer.left_at is None):
        cure = f"Publish {place.settings.public_url}/issuers/{slug}/did.json at its domain, then `assay keys rotate {slug}`."
        yield Finding("keys", "warning", f"The issuer {slug} cannot issue yet: its first key is not in use.", cure)
    if not wrong and not idle:
        yield Finding("keys", "good", f"{len(keys)} signing keys of {len(issuers)} issuers open.")
    if place.settings.previous_key_encryption_key is not None:
        cure = (
            "Run `assay keys reencrypt`, then remove ASSAY_PREVIOUS_KEY_ENCRYPTION_KEY (docs/operations.md says when)."
        )
        yield Finding("keys", "warning", "The key-encryption key is being replaced.", cure)
    if place.settings.key_encryption_key is None:
        cure = "Keep keys/development.key with the database, or set ASSAY_KEY_ENCRYPTION_KEY from the start."
        yield Finding("keys", "warning", "The development key-encryption key is in use.", cure)


async def _examine_jobs(place: _Place) -> Findings:
    now = place.clock.now()
    async with place.database.reading() as session:
        due = select(Job).where(Job.run_at <= now).order_by(Job.run_at).limit(1)
        oldest = (await session.scalars(due)).first()
        failing = select(Job).where(Job.attempts >= JOBS_FAILING_AFTER).order_by(Job.attempts.desc()).limit(5)
        failed = (await session.scalars(failing)).all()
        waiting = (await session.execute(select(func.count()).select_from(Job))).scalar_one()
    late = now - oldest.run_at if oldest is not None else timedelta()
    for job in failed:
        detail = f"The job {job.name} {job.id} was tried {job.attempts} times; last: {job.last_error or 'no end'}."
        yield Finding("jobs", "warning", detail, "Look for `job_failed` in the log; it is tried again by itself.")
    if oldest is not None and late > JOBS_LATE_AFTER:
        detail = f"The job {oldest.name} {oldest.id} has been due for {late.total_seconds() / 60:,.0f} minutes."
        cure = "Run `assay work`, or the servers with ASSAY_RUN_JOBS=true; if one runs, look at its log."
        yield Finding("jobs", "wrong", detail, cure)
    elif not failed:
        yield Finding("jobs", "good", f"{waiting} waiting, none late.")


async def _examine_evidence(place: _Place) -> Findings:
    store = EvidenceStore.of(place.settings)
    cure = "Check ASSAY_EVIDENCE_URL, and that the user the service runs as may read and write there."
    try:
        async with place.database.reading() as session:
            files, missing = await list_missing(session, store)
    except EvidenceStoreAway as error:
        yield Finding("evidence", "wrong", error.detail, cure)
        return
    if missing:
        shown = ", ".join(missing[:5])
        detail = f"{len(missing)} of {files} files of evidence are not in the store, or not whole; artifacts {shown}."
        yield Finding("evidence", "wrong", detail, f"{cure} What is lost, restore from a backup.")
    else:
        yield Finding("evidence", "good", f"{files} files of evidence are in the store.")


async def _examine_did_documents(place: _Place) -> Findings:
    """Our own address is asked over https as a verifier would, or on loopback directly; issuers' own domains over https."""
    base = place.settings.public_url
    async with place.database.reading() as session:
        issuers = [(issuer, await list_keys(session, issuer.id)) for issuer in await list_issuers(session)]
    if not place.settings.is_https and not is_loopback(base):
        yield Finding("did_documents", "not checked", f"{base} is neither https nor on this machine.")
        return
    try:
        outbound = OutboundClient(
            allow_networks=place.settings.outbound_allow_networks, ca_file=place.settings.outbound_ca_file
        )
    except OSError as error:
        cure = "Let ASSAY_OUTBOUND_CA_FILE name a PEM file that can be read."
        yield Finding("did_documents", "wrong", f"The further authorities cannot be read: {error}.", cure)
        return
    try:
        found = await _compare_all(place, outbound, issuers)
    finally:
        await outbound.close()
    for finding in found:
        yield finding
    if not found:
        yield Finding("did_documents", "good", f"{base} answers, with {len(issuers)} DID documents as they should be.")


async def _compare_all(
    place: _Place, outbound: OutboundClient, issuers: list[tuple[Issuer, list[SigningKey]]]
) -> list[Finding]:
    base = place.settings.public_url

    async def get(url: str) -> bytes:
        if place.settings.is_https:
            return (await outbound.get(url, accept="application/json")).body
        return await get_from_loopback(url, accept="application/json")

    wanted = {}
    for issuer, keys in issuers:
        wanted[f"{base}/issuers/{issuer.slug}/did.json"] = did_document_of(issuer, keys, base)
    found = [await _compare(get, url, wanted.get(url)) for url in wanted or [f"{base}/healthz"]]
    for issuer, keys in issuers:
        if has_own_domain(issuer.did, base, issuer.slug):
            found.append(await _look_at_domain(outbound, issuer, keys, base))
    return [finding for finding in found if finding is not None]


async def _look_at_domain(
    outbound: OutboundClient, issuer: Issuer, keys: list[SigningKey], base_url: str
) -> Finding | None:
    """What is wrong with the document at an issuer's own domain: badges stand on the keys that have signed."""
    if issuer.left_at is not None and all(key.state == "pending" for key in keys):
        return None
    try:
        document = await fetch_did_document(outbound, issuer, base_url=base_url)
        require_complete(document, issuer, keys, base_url=base_url)
    except AssayError as error:
        has_signed = any(key.state != "pending" for key in keys)
        told = " ".join([error.detail, *(f"{fault.detail}." for fault in error.faults)])
        return Finding("did_documents", "wrong" if has_signed else "warning", f"{issuer.slug}: {told}", error.cure)
    if ended := list_ended(document, issuer, keys):
        told = (
            f"{issuer.slug}: Its domain puts an end to keys that have signed: nothing verifies with {', '.join(ended)}."
        )
        return Finding(
            "did_documents", "wrong", told, "Take `expires` and `revoked` from them, unless they were stolen."
        )
    return None


async def _compare(
    get: Callable[[str], Awaitable[bytes]], url: str, wanted: dict[str, object] | None
) -> Finding | None:
    """What is wrong at one of our own addresses; with nothing wanted, whether anything answers."""
    try:
        served = strict_json.loads(await get(url))
    except FetchRefused:
        cure = "If that is how it should be, allow its network with ASSAY_OUTBOUND_ALLOW_NETWORKS; outsiders cannot verify then."
        return Finding("did_documents", "wrong", f"{url} does not lead to a public address on port 443.", cure)
    except AssayError as error:
        cure = "Start the service (`assay serve`); behind a proxy, check its name, certificate and where it passes requests to."
        return Finding("did_documents", "wrong", f"{url} cannot be had. {error.detail}", cure)
    if wanted is not None and served != json.loads(json.dumps(wanted)):
        cure = "Something else answers at this address, or a cache holds an old copy: check the proxy and its cache."
        return Finding(
            "did_documents", "wrong", f"{url} is not what this database says: badges would not verify.", cure
        )
    return None
