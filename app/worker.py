"""The background wiring: job name -> handler. `assay serve` runs it in its own process, `assay work` alone."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from app.access.idempotency import FORGET_JOB, forget_key
from app.assessors.certify import expire_certification
from app.assessors.jobs import EXPIRE_JOB, ISSUE_BADGE_JOB, RECHECK_ASSESSOR_JOB, REVOKE_BADGE_JOB
from app.credentials.issue import RECOVERY_JOB, REISSUE_JOB, recover
from app.credentials.remind import REMINDER_JOB, remind
from app.identity.reissue import reissue_badges
from app.issuers.rotate import REPUBLISH_JOB
from app.issuers.store import IssuerLeft
from app.jobs.embedded import EmbeddedRunner, Handler
from app.misconduct.close import close_case
from app.misconduct.jobs import CLOSE_CASE_JOB
from app.people.mail import MAIL_JOB, deliver_mail
from app.people.sign_in_link import LINK_JOB, send_link
from app.programs.jobs import OPEN_WINDOWS_JOB, RECHECK_CONFLICTS_JOB
from app.readings.assign import assign_readings
from app.readings.jobs import ASSIGN_READINGS_JOB, EXPIRE_READING_JOB, VALIDITY_PAPER_JOB
from app.readings.reassign import (
    cancel_readings,
    expire_reading,
    recheck_conflicts_of_assessor,
    recheck_conflicts_of_learner,
)
from app.readings.resolve import open_readings
from app.readings.validity import assign_validity_paper
from app.readings.windows import open_windows
from app.resources import Resources
from app.scoring.certification_badge import issue_certification_badge, revoke_certification_badge
from app.statuslists.publish import republish
from app.submissions.evidence import DELETE_JOB, delete_evidence
from app.submissions.jobs import CANCEL_READINGS_JOB, OPEN_READINGS_JOB


def handlers(world: Resources) -> dict[str, Handler]:
    """Every job this release knows."""

    async def recover_edition(payload: Mapping[str, Any]) -> None:
        await recover(world, payload["issuer_id"], payload["edition_id"])

    async def forget_idempotency_key(payload: Mapping[str, Any]) -> None:
        async with world.database.transaction() as session:
            await forget_key(session, payload["principal_id"], payload["key"])

    async def remind_of_expiry(payload: Mapping[str, Any]) -> None:
        await remind(world.database, payload["issuer_id"], payload["edition_id"], world.clock.now())

    async def republish_status_lists(payload: Mapping[str, Any]) -> None:
        await republish(world, payload["issuer_id"])

    async def reissue_badges_of_learner(payload: Mapping[str, Any]) -> None:
        with suppress(IssuerLeft):  # then nothing is begun any more, today or later
            await reissue_badges(world, payload["issuer_id"], payload["learner_id"])

    async def issue_badge_of_certification(payload: Mapping[str, Any]) -> None:
        with suppress(IssuerLeft):
            await issue_certification_badge(world, payload["issuer_id"], payload["certification_id"])

    async def revoke_badge_of_certification(payload: Mapping[str, Any]) -> None:
        await revoke_certification_badge(world, payload["issuer_id"], payload["certification_id"])

    async def expire(payload: Mapping[str, Any]) -> None:
        async with world.database.transaction() as session:
            await expire_certification(session, payload["issuer_id"], payload["certification_id"], world.clock.now())

    async def send_mail(payload: Mapping[str, Any]) -> None:
        await deliver_mail(world, payload["issuer_id"], payload["mail_id"])

    async def send_sign_in_link(payload: Mapping[str, Any]) -> None:
        await send_link(world, payload)

    async def delete_evidence_of_upload(payload: Mapping[str, Any]) -> None:
        await delete_evidence(world, payload)

    async def close_misconduct_case(payload: Mapping[str, Any]) -> None:
        with suppress(IssuerLeft):
            await close_case(world, payload["issuer_id"], payload["case_id"])

    return {
        ISSUE_BADGE_JOB: issue_badge_of_certification,
        REVOKE_BADGE_JOB: revoke_badge_of_certification,
        EXPIRE_JOB: expire,
        MAIL_JOB: send_mail,
        LINK_JOB: send_sign_in_link,
        DELETE_JOB: delete_evidence_of_upload,
        CLOSE_CASE_JOB: close_misconduct_case,
        RECOVERY_JOB: recover_edition,
        REISSUE_JOB: reissue_badges_of_learner,
        FORGET_JOB: forget_idempotency_key,
        REMINDER_JOB: remind_of_expiry,
        REPUBLISH_JOB: republish_status_lists,
        **_reading_handlers(world),
    }


def _reading_handlers(world: Resources) -> dict[str, Handler]:
    """Those of readings: each verb takes the issuer's id and the id of its object."""

    def about(name: str, verb: Callable[[Resources, str, str], Awaitable[None]]) -> Handler:
        async def handle(payload: Mapping[str, Any]) -> None:
            await verb(world, payload["issuer_id"], payload[name])

        return handle

    return {
        OPEN_WINDOWS_JOB: about("program_id", open_windows),
        OPEN_READINGS_JOB: about("submission_id", open_readings),
        CANCEL_READINGS_JOB: about("submission_id", cancel_readings),
        ASSIGN_READINGS_JOB: about("submission_id", assign_readings),
        EXPIRE_READING_JOB: about("reading_id", expire_reading),
        VALIDITY_PAPER_JOB: about("reading_id", assign_validity_paper),
        RECHECK_CONFLICTS_JOB: about("learner_id", recheck_conflicts_of_learner),
        RECHECK_ASSESSOR_JOB: about("assessor_id", recheck_conflicts_of_assessor),
    }


def open_runner(world: Resources) -> EmbeddedRunner:
    return EmbeddedRunner(world.database, world.clock, handlers(world))
