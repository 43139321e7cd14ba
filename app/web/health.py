"""/healthz (the process is up), /readyz (it can work), /metrics (Prometheus)."""

from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from sqlalchemy import text

from app.errors import Unavailable
from app.metrics import REGISTRY
from app.migration import current_revision, head_revision
from app.web.dependencies import World
from app.web.problems import responses

router = APIRouter(tags=["Operation"])


class Health(BaseModel):
    status: str = "ok"


@router.get("/healthz", operation_id="healthz")
async def healthz() -> Health:
    """The process answers."""
    return Health()


@router.get("/readyz", operation_id="readyz", responses=responses(503))
async def readyz(world: World) -> Health:
    """The database answers and is at this release's revision. 503 otherwise."""
    async with world.database.reading() as session:
        await session.execute(text("SELECT 1"))
        revision = await (await session.connection()).run_sync(current_revision)
    if revision != head_revision():
        raise Unavailable("The database is not at this release's revision.", cure="Run `assay migrate`.")
    return Health()


@router.get("/metrics", operation_id="metrics", response_class=Response)
async def metrics() -> Response:
    """Metrics in the Prometheus text format. Keep it from the public at the proxy."""
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)
