"""What every route of the API asks before it writes: that the issuer concerned has not left."""

import re

from fastapi import Request

from app.access.dependencies import AnyPrincipal
from app.identifiers import ID_PATTERN
from app.issuers.store import Issuer, require_not_left
from app.web.dependencies import World

AFTER_LEAVING = frozenset(
    {
        # What is published has to stay true, and a person's rights do not end.
        "revoke_credential", "suspend_credential", "reinstate_credential", "erase_learner",
        # Writes nothing: what a learner may show of a badge stays theirs to choose.
        "derive_credential",
        # Somebody has to be able to do that: the operator makes a client for it.
        "create_api_client", "revoke_api_client", "leave_issuer",
        # People go on signing in, to read what is theirs; who must not any more is shut out, and who wants to go goes.
        "change_person", "erase_person", "revoke_my_token", "end_my_sessions",
    }
)  # fmt: skip
"""The operations that still write for an issuer that has left. Whatever is not named here is refused."""


async def refuse_after_leaving(request: Request, principal: AnyPrincipal, world: World) -> None:
    """Raises IssuerLeft. `record`, `prepare` and `rotate_key` ask again in their transactions; this is for all the rest."""
    issuer_id = principal.issuer_id or request.path_params.get("issuer_id", "")
    operation = getattr(request.scope.get("route"), "operation_id", None)
    if request.method == "GET" or operation in AFTER_LEAVING or not re.fullmatch(ID_PATTERN, issuer_id):
        return
    async with world.database.reading() as session:
        issuer = await session.get(Issuer, issuer_id)
    if issuer is not None:
        require_not_left(issuer)
