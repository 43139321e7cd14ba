"""Opening a verifier: for the server, and for the command line, which needs no server."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from app.net.client import OutboundClient
from app.settings import Settings
from app.verification.judge import JudgePool
from app.verification.library import OwnDocuments
from app.verification.registries import Registries
from app.verification.shelf import Shelf
from app.verification.verify import TestIssuers, Verifier


@asynccontextmanager
async def open_verifier(
    settings: Settings,
    outbound: OutboundClient,
    own_documents: OwnDocuments,
    now: Callable[[], datetime],
    *,
    test_issuers: TestIssuers | None = None,
) -> AsyncIterator[Verifier]:
    """A verifier with judging processes of its own, which start with the first document and end with the block."""
    judges = JudgePool(size=settings.verify_processes, max_waiting=settings.verify_queue)
    judges.start_lazily()
    registries = Registries(settings.issuer_registries, outbound)
    try:
        yield Verifier(
            outbound=outbound,
            judges=judges,
            own_documents=own_documents,
            now=now,
            test_issuers=test_issuers,
            registries=registries,
            shelf=Shelf(per_host=settings.verify_fetches_per_host),
            max_parallel=settings.verify_queue,
        )
    finally:
        await registries.close()
        await judges.close()


async def nothing_is_ours(_url: str) -> None:
    """The own documents of somebody who publishes none."""
