"""A server process that is killed while it answers: `python -m tests.credentials.dying_process`, for test_crash.py.

Its settings are in the environment, what to do on standard input as JSON: `moment` the clock shows, `token` of who posts, `body`
and `key` of the decision it posts to itself at `path`, and the `failpoint` at which it kills itself:

    before signing      the signer has been asked and has not signed
    after signing       the signature exists, and nobody but the signer has seen it
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx

from app.main import create_app
from app.proofs.signer import Signature, Signer, SigningRequest
from app.settings import Settings
from tests.fakes import FixedClock


class FatalSigner:
    def __init__(self, signer: Signer, failpoint: str) -> None:
        self._signer = signer
        self._failpoint = failpoint

    async def sign(self, requests: Sequence[SigningRequest]) -> list[Signature]:
        if self._failpoint == "after signing":
            await self._signer.sign(requests)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("nobody survives SIGKILL")


async def main(order: dict[str, Any]) -> None:
    app = create_app(Settings(run_jobs=False), clock=FixedClock(datetime.fromisoformat(order["moment"])))
    async with app.router.lifespan_context(app):
        resources = app.state.resources
        app.state.resources = replace(resources, signer=FatalSigner(resources.signer, order["failpoint"]))
        headers = {"Authorization": f"Bearer {order['token']}", "Idempotency-Key": order["key"]}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=resources.base_url, headers=headers) as client:
            answer = await client.post(order["path"], json=order["body"])
    print("it lived:", answer.status_code, answer.text, file=sys.stderr)


if __name__ == "__main__":
    asyncio.run(main(json.load(sys.stdin)))
