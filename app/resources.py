"""What the service has at its disposal, opened once at start and handed down explicitly."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.clock import Clock, SystemClock
from app.contexts import Contexts, installed_contexts
from app.db import Database, open_database
from app.keys.vault import Vault, VaultSigner, open_vault
from app.net.client import OutboundClient
from app.net.evidence import EvidenceStore
from app.proofs.open_contexts import OpenContexts
from app.proofs.signer import Signer
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Resources:
    settings: Settings
    clock: Clock
    database: Database
    vault: Vault
    signer: Signer
    contexts: Contexts
    open_contexts: Contexts
    """For credentials of any kind: with catch-alls, and terms defined in line."""
    outbound: OutboundClient
    evidence: EvidenceStore

    @property
    def base_url(self) -> str:
        """Origin of every URL we publish, without a trailing slash."""
        return self.settings.public_url


@asynccontextmanager
async def open_resources(
    settings: Settings, *, clock: Clock | None = None, sqlite_hurries: bool = False
) -> AsyncIterator[Resources]:
    """Open everything, and close it when the block ends. `sqlite_hurries`: see `open_database`."""
    url = settings.database_url.get_secret_value()
    database = open_database(url, role=settings.database_role, sqlite_hurries=sqlite_hurries)
    key_database = open_database(url, role=settings.database_role, pool_size=1, sqlite_hurries=sqlite_hurries)
    vault = open_vault(settings)
    outbound = OutboundClient(
        allow_networks=settings.outbound_allow_networks,
        ca_file=settings.outbound_ca_file,
    )
    try:
        yield Resources(
            settings=settings,
            clock=clock or SystemClock(),
            database=database,
            vault=vault,
            signer=VaultSigner(key_database, vault),
            contexts=installed_contexts(),
            open_contexts=OpenContexts(installed_contexts(catch_alls=True)),
            outbound=outbound,
            evidence=EvidenceStore.of(settings),
        )
    finally:
        await outbound.close()
        await key_database.close()
        await database.close()
