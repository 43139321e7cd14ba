"""What routes that verify need."""

from typing import Annotated, cast

from fastapi import Depends, Request

from app.verification.verify import Verifier


async def _verifier(request: Request) -> Verifier:
    return cast(Verifier, request.app.state.verifier)


Verifies = Annotated[Verifier, Depends(_verifier)]
"""The application's one verifier: its places are shared by everybody who verifies."""
