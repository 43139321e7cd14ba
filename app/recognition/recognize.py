"""The verbs: grant credit for a set of badges, and look at them again.

Verifying touches the world and takes its time: it is done before the transaction, which only writes down what was found. What a
badge says counts only where it is valid and of the issuer that the mapping names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Tenant
from app.achievements.store import get_achievement
from app.audit.store import audit
from app.errors import Fault, InvalidInput
from app.events.store import record_event
from app.identifiers import new_id
from app.issuers.store import get_issuer, lock_issuer
from app.recognition.bodies import HandedIn, Mapped, RecognitionCreate
from app.recognition.examine import UNKNOWN, Finding, Known, examine_all, identify
from app.recognition.store import (
    Outcome,
    Recognition,
    RecognizedBadge,
    Standing,
    get_recognition,
    list_badges,
    list_credited,
)
from app.resources import Resources
from app.verification.verify import Verifier


class UnfitMapping(InvalidInput):
    """The mapping names an achievement twice."""

    code = "unfit_mapping"


class BadgeNotRecognized(InvalidInput):
    """A badge that is to be looked at again is not one of this recognition."""

    code = "badge_not_recognized"


@dataclass(frozen=True, slots=True)
class Worth:
    """The credit of badges of this achievement (of any version of it, for one of ours) by this issuer."""

    achievement: str
    issuer: str
    credit: str
    is_ours: bool

    def is_of(self, finding: Finding) -> bool:
        """Whether this is what the badge was issued for."""
        said = finding.achievement or ""
        same = said == self.achievement or (self.is_ours and said.startswith(self.achievement + "/"))
        return same and finding.issuer == self.issuer


async def read_mapping(
    session: AsyncSession, world: Resources, issuer_id: str, mapping: Sequence[Mapped]
) -> list[Worth]:
    """Raises NotFound for an achievement that is not the issuer's, UnfitMapping."""
    did = (await get_issuer(session, issuer_id)).did
    worths: list[Worth] = []
    for position, each in enumerate(mapping):
        if each.achievement_id is not None:
            achievement = await get_achievement(session, issuer_id, each.achievement_id)
            worth = Worth(f"{world.base_url}/achievements/{achievement.id}", did, each.credit, is_ours=True)
        else:
            worth = Worth(each.achievement or "", each.issuer or "", each.credit, is_ours=False)
        if any((worth.achievement, worth.issuer) == (other.achievement, other.issuer) for other in worths):
            fault = Fault(f"/mapping/{position}", "is an achievement that stands there before", "name each once")
            raise UnfitMapping("An achievement has one credit.", faults=[fault])
        worths.append(worth)
    return worths


async def recognize(
    session: AsyncSession,
    world: Resources,
    tenant: Tenant,
    body: RecognitionCreate,
    worths: Sequence[Worth],
    findings: Sequence[Finding],
) -> tuple[Recognition, list[RecognizedBadge]]:
    """Write down what was found, and grant the credit. `findings` are those of `body.badges`, `worths` those of its mapping.

    Of several requests at once the first grants: the issuer is locked meanwhile.
    """
    await lock_issuer(session, tenant.issuer_id)
    now = world.clock.now()
    recognition = Recognition(
        issuer_id=tenant.issuer_id, id=new_id(), recognizer=tenant.actor, unit=body.unit,
        mapping=[each.model_dump(mode="json") for each in body.mapping], created_at=now, updated_at=now,
    )  # fmt: skip
    session.add(recognition)
    await session.flush()
    # What is not valid is nobody's word, its id neither.
    known = [
        mark if finding.valid else UNKNOWN
        for finding, mark in zip(findings, await identify(session, world.base_url, findings), strict=True)
    ]
    credited = await list_credited(
        session, tenant.issuer_id, tenant.actor, {each.digest for each in known if each.digest}
    )
    badges = []
    for number, (handed_in, finding, mark) in enumerate(zip(body.badges, findings, known, strict=True), 1):
        worth = next((each for each in worths if each.is_of(finding)), None)
        outcome = _judge(finding, mark, worth, credited)
        if outcome == "granted" and mark.digest is not None:
            credited.add(mark.digest)
        badges.append(_compose(recognition, number, handed_in, finding, mark, outcome, worth, now))
    session.add_all(badges)
    _note(
        session, recognition, "created", tenant.actor, now, {"granted": sum(each.credit is not None for each in badges)}
    )
    return recognition, badges


async def look_again(
    world: Resources, verifier: Verifier, tenant: Tenant, recognition_id: str, handed_in: Sequence[HandedIn]
) -> None:
    """Verify again what credit was granted for: badges of this service as they are published, others as they are handed in.

    No credit is taken away: that is the recognizer's to decide. What could not be verified is `unknown`.
    Raises NotFound, BadgeNotRecognized.
    """
    async with world.database.reading() as session:
        await get_recognition(session, tenant.issuer_id, tenant.actor, recognition_id)
        granted = [
            each for each in await list_badges(session, tenant.issuer_id, [recognition_id]) if each.outcome == "granted"
        ]
    published = [each for each in granted if each.credential_id is not None]
    urls = [HandedIn(url=f"{world.base_url}/credentials/{each.credential_id}") for each in published]
    findings = await examine_all(verifier, [*handed_in, *urls])
    async with world.database.reading() as session:
        marks = await identify(session, world.base_url, findings[: len(handed_in)])
    digests = {each.badge_digest: each.number for each in granted}
    for position, mark in enumerate(marks):
        if mark.digest not in digests:
            fault = Fault(
                f"/badges/{position}", "is not a badge that this recognition granted credit for", "leave it out"
            )
            raise BadgeNotRecognized("A badge is not one of this recognition.", faults=[fault])
    found: dict[int, Finding] = {
        **{each.number: finding for each, finding in zip(published, findings[len(handed_in) :], strict=True)},
        **{digests[mark.digest]: finding for mark, finding in zip(marks, findings, strict=False)},
    }
    await _write_down(world, tenant, recognition_id, found)


async def _write_down(world: Resources, tenant: Tenant, recognition_id: str, found: Mapping[int, Finding]) -> None:
    now = world.clock.now()
    async with world.database.transaction() as session:
        recognition = await get_recognition(session, tenant.issuer_id, tenant.actor, recognition_id, lock=True)
        for badge in await list_badges(session, tenant.issuer_id, [recognition_id]):
            if badge.outcome != "granted":
                continue
            finding = found.get(badge.number, Finding(None, ["hand_in_again"]))
            badge.standing, badge.standing_reasons, badge.verified_at = _standing(finding), finding.reasons, now
        recognition.updated_at = now
        _note(session, recognition, "verified", tenant.actor, now, {"numbers": sorted(found)})


def _judge(finding: Finding, mark: Known, worth: Worth | None, credited: set[str]) -> Outcome:
    if finding.valid is None:
        return "not_verified"
    if not finding.valid or mark.digest is None:
        return "not_valid"
    if finding.is_test:
        return "test_badge"
    if finding.recipient == "differs":
        return "recipient_differs"
    if worth is None:
        return "not_mapped"
    return "already_granted" if mark.digest in credited else "granted"


def _compose(
    recognition: Recognition,
    number: int,
    handed_in: HandedIn,
    finding: Finding,
    mark: Known,
    outcome: Outcome,
    worth: Worth | None,
    now: datetime,
) -> RecognizedBadge:
    return RecognizedBadge(
        issuer_id=recognition.issuer_id, recognition_id=recognition.id, number=number, recognizer=recognition.recognizer,
        reference=handed_in.reference, badge_digest=mark.digest, credential_id=mark.credential_id,
        achievement=finding.achievement, badge_issuer=finding.issuer, valid=finding.valid, reasons=finding.reasons,
        recipient=finding.recipient, outcome=outcome, credit=worth.credit if worth and outcome == "granted" else None,
        standing=_standing(finding), standing_reasons=finding.reasons, verified_at=now,
    )  # fmt: skip


def _standing(finding: Finding) -> Standing:
    return "unknown" if finding.valid is None else "stands" if finding.valid else "fails"


def _note(
    session: AsyncSession, recognition: Recognition, what: str, actor: str, now: datetime, content: Mapping[str, object]
) -> None:
    audit(session, issuer_id=recognition.issuer_id, actor=actor, action=f"recognition.{what}", object_id=recognition.id,
          content=content, at=now)  # fmt: skip
    record_event(session, recognition.issuer_id, f"recognition.{what}", recognition.id, at=now)
