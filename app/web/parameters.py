"""Unknown query parameters are refused: a mistyped filter would silently give a partner everything."""

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from app.errors import Fault
from app.web.problems import InvalidBody


async def refuse_unknown_parameters(request: Request) -> None:
    """Raises InvalidBody for a query parameter that the operation does not declare."""
    if not request.query_params:
        return
    route: APIRoute = request.scope["route"]
    known = _names(route.dependant)
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        cure = f"the parameters are {', '.join(sorted(known))}" if known else "the operation takes no parameters"
        faults = [Fault(f"/query/{name}", "is not a parameter of this operation", cure) for name in unknown[:20]]
        raise InvalidBody(f"Unknown query parameters: {', '.join(unknown[:20])}.", faults=faults)


def _names(dependant: Dependant) -> set[str]:
    """The query parameters of a route and of everything it depends on."""
    below = (_names(each) for each in dependant.dependencies)
    return {field.alias for field in dependant.query_params}.union(*below)
