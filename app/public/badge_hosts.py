"""Where a learner's browser comes back to from another host of badges (`app.obapi.hosts`)."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.access.dependencies import AnyPerson
from app.obapi.hosts import CALLBACK, finish_connection
from app.public.forms import redirect
from app.web.dependencies import Now, World

router = APIRouter(include_in_schema=False)


@router.get(CALLBACK)
async def come_back(request: Request, member: AnyPerson, world: World, now: Now) -> Response:
    """Finish what the learner began; `state` is a secret of theirs, so no other site can."""
    await finish_connection(world, member, dict(request.query_params), now=now)
    return redirect(f"{world.base_url}/home")
