"""A worker that is killed while it runs its jobs: `python -m tests.identity.dying_job MOMENT N`, settings in the environment.

It kills itself (SIGKILL) when it is asked for its N-th signature; it prints how many it made when it lives to see the end.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from app.proofs.signer import Signature, Signer, SigningRequest
from app.resources import open_resources
from app.settings import Settings
from app.worker import open_runner
from tests.fakes import FixedClock


class MortalSigner:
    def __init__(self, signer: Signer, last: int) -> None:
        self._signer = signer
        self._last = last
        self.signed = 0

    async def sign(self, requests: Sequence[SigningRequest]) -> list[Signature]:
        self.signed += 1
        if self.signed == self._last:
            os.kill(os.getpid(), signal.SIGKILL)
        return await self._signer.sign(requests)


async def main(moment: str, last: str) -> None:
    async with open_resources(Settings(), clock=FixedClock(datetime.fromisoformat(moment))) as world:
        signer = MortalSigner(world.signer, int(last))
        runner = open_runner(replace(world, signer=signer))
        while await runner.run_one():
            pass
    print(signer.signed)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
