"""The background wiring: job name -> handler. `assay serve` runs it in its own process, `assay work` alone."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from app.access.idempotency import FORGET_JOB, forget_key
from app.appeals.jobs import END_APPEALS_JOB
from app.appeals.void import end_appeals
from app.assessors.certify import expire_certification
from app.assessors.jobs import (
    EVALUATE_ASSESSORS_JOB,
    EXPIRE_JOB,
    ISSUE_BADGE_JOB,
    RECHECK_ASSESSOR_JOB,
    RECHECK_PANEL_JOB,
    REVOKE_BADGE_JOB,
)
from app.credentials.issue import RECOVERY_JOB, REISSUE_JOB, recover
from app.credentials.jobs import HOLDINGS_JOB
from app.credentials.remind import REMINDER_JOB, remind
from app.demographics.jobs import CLOSE_PERIOD_JOB
from app.identity.reissue import reissue_badges
from app.issuers.jobs import FREEZE_QUALITY_JOB
from app.issuers.rotate import REPUBLISH_JOB
from app.issuers.store import IssuerLeft
from app.jobs.embedded import EmbeddedRunner, Handler
from app.misconduct.close import close_case
from app.misconduct.jobs import CLOSE_CASE_JOB
from app.monitoring.evaluate import evaluate_assessors, watch_assessors
from app.oauth.consents import end_grants
from app.obapi.hosts import forget_hosts_of_erased
from app.pathways.jobs import PROPOSE_JOB
from app.pathways.propose import look_again, propose_to_all
from app.people.jobs import END_GRANTS_JOB, RECHECK_PERSON_JOB
from app.people.mail import MAIL_JOB, deliver_mail
from app.people.sign_in_link import LINK_JOB, send_link
from app.programs.jobs import (
    OPEN_WINDOWS_JOB,
    RECHECK_CONFLICTS_JOB,
    RECHECK_PROGRAM_JOB,
    WATCH_ASSESSORS_JOB,
)
from app.quality.freeze import freeze_reports
from app.quality.recompute import recompute_reports
from app.readings.assign import assign_readings
from app.readings.jobs import ASSIGN_READINGS_JOB, EXPIRE_READING_JOB, RECOMPUTE_QUALITY_JOB, VALIDITY_PAPER_JOB
from app.readings.reassign import cancel_readings, expire_reading
from app.readings.recheck import (
    recheck_assessor,
    recheck_conflicts_of_learner,
    recheck_panel,
    recheck_person,
    recheck_program,
)
from app.readings.resolve import open_readings
from app.readings.validity import assign_validity_paper
from app.readings.windows import open_windows
from app.reports.close_period import close_periods
from app.resources import Resources
from app.scoring.certification_badge import issue_certification_badge, revoke_certification_badge
from app.statuslists.publish import republish
from app.submissions.evidence import DELETE_JOB, delete_evidence
from app.submissions.jobs import CANCEL_READINGS_JOB, OPEN_READINGS_JOB
from app.vcapi.challenges import FORGET_CHALLENGE_JOB, forget_challenge
from app.vcapi.issue import BURN_JOB, burn

Verb = Callable[[Resources, Mapping[str, Any]], Awaitable[None]]


def about(name: str, verb: Callable[[Resources, str, str], Awaitable[object]]) -> Verb:
    """`verb` is called with the issuer's id and with the id that the payload has under `name`."""

    async def handle(world: Resources, payload: Mapping[str, Any]) -> None:
        await verb(world, payload["issuer_id"], payload[name])

    return handle


def unless_left(verb: Verb) -> Verb:
    """Nothing of this kind is begun any more, today or later, once the issuer has left."""

    async def handle(world: Resources, payload: Mapping[str, Any]) -> None:
        with suppress(IssuerLeft):
            await verb(world, payload)

    return handle


async def _expire_certification(world: Resources, payload: Mapping[str, Any]) -> None:
    async with world.database.transaction() as session:
        await expire_certification(session, payload["issuer_id"], payload["certification_id"], world.clock.now())


async def _forget_key(world: Resources, payload: Mapping[str, Any]) -> None:
    async with world.database.transaction() as session:
        await forget_key(session, payload["principal_id"], payload["key"])


async def _remind(world: Resources, payload: Mapping[str, Any]) -> None:
    await remind(world.database, payload["issuer_id"], payload["edition_id"], world.clock.now())


async def _end_grants(world: Resources, payload: Mapping[str, Any]) -> None:
    await end_grants(world, payload)
    await forget_hosts_of_erased(world, payload)


async def _freeze_reports(world: Resources, payload: Mapping[str, Any]) -> None:
    await freeze_reports(world, payload["issuer_id"])


async def _republish(world: Resources, payload: Mapping[str, Any]) -> None:
    await republish(world, payload["issuer_id"])


async def _close_periods(world: Resources, payload: Mapping[str, Any]) -> None:
    await close_periods(world, payload["issuer_id"])


VERBS: Mapping[str, Verb] = {
    FORGET_JOB: _forget_key,
    MAIL_JOB: about("mail_id", deliver_mail),
    LINK_JOB: send_link,
    END_GRANTS_JOB: _end_grants,
    OPEN_WINDOWS_JOB: about("program_id", open_windows),
    DELETE_JOB: delete_evidence,
    OPEN_READINGS_JOB: about("submission_id", open_readings),
    CANCEL_READINGS_JOB: about("submission_id", cancel_readings),
    ASSIGN_READINGS_JOB: about("submission_id", assign_readings),
    EXPIRE_READING_JOB: about("reading_id", expire_reading),
    RECOMPUTE_QUALITY_JOB: about("achievement_id", recompute_reports),
    FREEZE_QUALITY_JOB: _freeze_reports,
    VALIDITY_PAPER_JOB: about("reading_id", assign_validity_paper),
    RECHECK_CONFLICTS_JOB: about("learner_id", recheck_conflicts_of_learner),
    RECHECK_ASSESSOR_JOB: about("assessor_id", recheck_assessor),
    RECHECK_PERSON_JOB: about("person_id", recheck_person),
    RECHECK_PANEL_JOB: about("panel_id", recheck_panel),
    RECHECK_PROGRAM_JOB: about("program_id", recheck_program),
    EXPIRE_JOB: _expire_certification,
    ISSUE_BADGE_JOB: unless_left(about("certification_id", issue_certification_badge)),
    REVOKE_BADGE_JOB: about("certification_id", revoke_certification_badge),
    END_APPEALS_JOB: about("submission_id", end_appeals),
    WATCH_ASSESSORS_JOB: about("program_id", watch_assessors),
    EVALUATE_ASSESSORS_JOB: about("program_id", evaluate_assessors),
    CLOSE_CASE_JOB: unless_left(about("case_id", close_case)),
    HOLDINGS_JOB: unless_left(look_again),
    PROPOSE_JOB: unless_left(about("pathway_id", propose_to_all)),
    RECOVERY_JOB: about("edition_id", recover),
    REISSUE_JOB: unless_left(about("learner_id", reissue_badges)),
    REMINDER_JOB: _remind,
    REPUBLISH_JOB: _republish,
    CLOSE_PERIOD_JOB: _close_periods,
    BURN_JOB: about("credential_id", burn),
    FORGET_CHALLENGE_JOB: about("challenge_id", forget_challenge),
}
"""Every job this release knows."""


def handlers(world: Resources) -> dict[str, Handler]:
    return {job: partial(verb, world) for job, verb in VERBS.items()}


def open_runner(world: Resources) -> EmbeddedRunner:
    return EmbeddedRunner(world.database, world.clock, handlers(world))
