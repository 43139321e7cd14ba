from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from fastapi import FastAPI

from tests.assessing import put_enrollment, put_program, put_submission
from tests.conftest import Partner
from tests.issuing import world_of
from tests.misconduct.trial import Trial
from tests.people import open_person


@pytest.fixture
async def trial(app: FastAPI, partner: Partner) -> AsyncIterator[Trial]:
    world = world_of(app)
    enrollment, learner = await put_enrollment(world, await put_program(world, partner))
    submission = await put_submission(world, partner, enrollment, learner)
    found = Trial(app, partner, submission.id, learner.id)
    async with AsyncExitStack() as stack:
        for members, names in ((found.panel, "ABC"), (found.others, "XYZ")):
            for name in names:
                id_, client = await open_person(app, partner.issuer_id, "approver", name=f"Member {name}")
                members[id_] = await stack.enter_async_context(client)
        found.director_id, director = await open_person(app, partner.issuer_id, "director", name="Di Rector")
        _, own = await open_person(app, partner.issuer_id, "learner", name="Ada E", learner_id=learner.id)
        found.director, found.learner = [await stack.enter_async_context(client) for client in (director, own)]
        yield found
