"""Unknown query parameters are refused: a mistyped filter would silently give a partner everything."""

from fastapi import Request

from app.errors import Fault
from app.web.problems import InvalidBody


async def refuse_unknown_parameters(request: Request) -> None:
    """Raises InvalidBody for a query parameter that the operation does not declare."""
    operation = request.app.openapi()["paths"][request.scope["route"].path][request.method.lower()]
    known = {parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "query"}
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        cure = f"the parameters are {', '.join(sorted(known))}" if known else "the operation takes no parameters"
        faults = [Fault(f"/query/{name}", "is not a parameter of this operation", cure) for name in unknown[:20]]
        raise InvalidBody(f"Unknown query parameters: {', '.join(unknown[:20])}.", faults=faults)
