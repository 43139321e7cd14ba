"""Routes name what the learner must have let the software do: `ReadsBadges`, … The alias is the permission."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import OAuth2AuthorizationCodeBearer

from app.errors import Unauthenticated
from app.oauth.scopes import (
    CREDENTIAL_READONLY,
    CREDENTIAL_UPSERT,
    LEARNER_SCOPES,
    PROFILE_READONLY,
    PROFILE_UPDATE,
)
from app.oauth.tokens import LearnerGrant, take_token
from app.web.dependencies import Now, World

_scheme = OAuth2AuthorizationCodeBearer(
    authorizationUrl="/oauth/authorize", tokenUrl="/oauth/token", refreshUrl="/oauth/token", scopes=dict(LEARNER_SCOPES),
    scheme_name="OAuth2ACG", auto_error=False, description="An access token that a learner consented to.",
)  # fmt: skip


def _grant_with(scope: str) -> Callable[..., Awaitable[LearnerGrant]]:
    async def dependency(
        request: Request, world: World, now: Now, token: Annotated[str | None, Security(_scheme, scopes=[scope])]
    ) -> LearnerGrant:
        if not token:
            raise Unauthenticated("The request has no access token.")
        async with world.database.reading() as session:
            grant = await take_token(session, token, scope, now)
        request.state.principal_id = grant.client_id
        return grant

    return dependency


ReadsBadges = Annotated[LearnerGrant, Depends(_grant_with(CREDENTIAL_READONLY))]
KeepsBadges = Annotated[LearnerGrant, Depends(_grant_with(CREDENTIAL_UPSERT))]
ReadsProfile = Annotated[LearnerGrant, Depends(_grant_with(PROFILE_READONLY))]
ChangesProfile = Annotated[LearnerGrant, Depends(_grant_with(PROFILE_UPDATE))]
