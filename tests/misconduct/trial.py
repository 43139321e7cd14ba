"""What the tests of misconduct begin with: a submission, a director, panels and the learner."""

from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import select

from app.access.principals import Tenant
from app.credentials.store import find_edition_of_decision
from app.jobs.queue import Job
from app.learners.recipients import Identities
from app.misconduct.close import close_case
from app.resources import Resources
from app.scoring.decide import decide
from app.scoring.facts import CriterionResult, DecisionFacts
from app.submissions.store import get_submission
from app.worker import open_runner
from tests.conftest import Partner
from tests.issuing import world_of

NOTICE, ANSWER, APPEAL, REASON = "kanarynotice", "kanaryanswer", "kanaryappeal", "kanaryreason"
CASES = "/v1/misconduct-cases"


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class Trial:
    """A submission that is decided or not, a director, two panels, and the learner: each a client that is signed in."""

    def __init__(self, app: FastAPI, partner: Partner, submission_id: str, learner_id: str) -> None:
        self.app, self.partner = app, partner
        self.world: Resources = world_of(app)
        self.submission_id, self.learner_id = submission_id, learner_id
        self.panel: dict[str, httpx.AsyncClient] = {}
        self.others: dict[str, httpx.AsyncClient] = {}
        self.director: httpx.AsyncClient
        self.learner: httpx.AsyncClient
        self.director_id = self.case = ""

    async def open(self, **changes: Any) -> httpx.Response:
        body = {"submission_id": self.submission_id, "notice": NOTICE, "panel": list(self.panel), **changes}
        return await self.director.post(CASES, json=body)

    async def opened(self) -> "Trial":
        made = await self.open()
        assert made.status_code == 201, made.text
        self.case = f"{CASES}/{made.json()['id']}"
        return self

    async def answered(self) -> "Trial":
        await self.opened()
        assert (await self.learner.post(f"{self.case}/answer", json={"text": ANSWER})).status_code == 200
        return self

    async def vote(self, *votes: str, appeal: bool = False) -> list[httpx.Response]:
        members = self.others if appeal else self.panel
        return [
            await client.post(f"{self.case}/votes", json={"vote": vote, "reason": REASON})
            for client, vote in zip(members.values(), votes, strict=False)
        ]

    async def close(self) -> None:
        await close_case(self.world, self.partner.issuer_id, self.case.rpartition("/")[2])

    async def run(self) -> None:
        """Do everything that is due."""
        runner = open_runner(self.world)
        while await runner.run_one():
            pass

    async def shown(self) -> dict[str, Any]:
        return dict((await self.director.get(self.case)).json())

    async def submission(self) -> tuple[str, str | None]:
        async with self.world.database.reading() as session:
            found = await get_submission(session, self.partner.issuer_id, self.submission_id)
            return found.state, found.held_from

    async def jobs(self, name: str) -> list[Job]:
        async with self.world.database.reading() as session:
            return list((await session.scalars(select(Job).where(Job.name == name).order_by(Job.run_at))).all())

    async def award(self) -> tuple[str, str]:
        """Record that the submission was awarded: ids of the decision and the badge."""
        facts = DecisionFacts(
            external_id=None, achievement_id=self.partner.achievement_id, version=1, learner_id=self.learner_id,
            recipient_external_id=None, recipient=Identities(), outcome="awarded", decided_at=self.world.clock.now(),
            panel_id=self.partner.panel_id, assessors=("A-01",), evidence=(), submission_id=self.submission_id,
            results=tuple(CriterionResult(key, "demonstrated", "Shown.") for key in ("problem", "evidence")),
        )  # fmt: skip
        tenant = Tenant(self.partner.issuer_id, "test", frozenset())
        decision = await decide(self.world, tenant, facts)
        async with self.world.database.transaction() as session:
            edition = await find_edition_of_decision(session, self.partner.issuer_id, decision.id)
            assert edition is not None
            (await get_submission(session, self.partner.issuer_id, self.submission_id)).state = "decided"
            return decision.id, edition.credential_id

    async def badge(self, credential_id: str) -> str:
        return str((await self.partner.client.get(f"/v1/credentials/{credential_id}")).json()["state"])
