"""What the routes of the VC-API need."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, cast

from fastapi import Depends, Request

from app.net.client import OutboundClient
from app.settings import Settings
from app.vcapi.judge import MODULE, VcApiJudges
from app.vcapi.verify import VcApiVerifier
from app.verification.judge import JudgePool
from app.verification.library import OwnDocuments


@asynccontextmanager
async def open_vcapi(
    settings: Settings, outbound: OutboundClient, own_documents: OwnDocuments, now: Callable[[], datetime]
) -> AsyncIterator[tuple[VcApiJudges, VcApiVerifier]]:
    """Judges with processes of their own, which start with the first document and end with the block, and the verifier."""
    pool = JudgePool(size=settings.verify_processes, max_waiting=settings.verify_queue, module=MODULE)
    pool.start_lazily()
    judges = VcApiJudges(pool)
    verifier = VcApiVerifier(
        outbound=outbound, judges=judges, own_documents=own_documents, now=now, max_parallel=settings.verify_queue
    )
    try:
        yield judges, verifier
    finally:
        await pool.close()


async def _judges(request: Request) -> VcApiJudges:
    return cast(tuple[VcApiJudges, VcApiVerifier], request.app.state.vcapi)[0]


async def _verifier(request: Request) -> VcApiVerifier:
    return cast(tuple[VcApiJudges, VcApiVerifier], request.app.state.vcapi)[1]


Judges = Annotated[VcApiJudges, Depends(_judges)]
Verifies = Annotated[VcApiVerifier, Depends(_verifier)]
