"""What became of decisions afterwards: amendments, appeals, moderations, and badges that were revoked."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.dependencies import ReportsRead
from app.appeals.store import Appeal, Moderation, ModerationItem
from app.db import read_rows
from app.identifiers import Identifier
from app.reports.answer import ChosenFormat, Row, Snapshot, report_response, report_responses
from app.reports.decided import DecisionChain, DecisionRow, count_decided, load_decisions, select_chains
from app.reports.disclosure import Counted, Disclosure
from app.reports.earned import load_badges
from app.reports.figures import RateOut, ReportOut, opening
from app.reports.filters import Reported, ReportFilters, get_reported
from app.reports.people import People, is_told, load_people
from app.reports.words import count_of, tell_hidden, tell_scope
from app.scoring.store import REASON_CODES

router = APIRouter()

_HIDDEN = ("decisions", "awarded", "not_yet", "amended", "amendments", "appeals", "revocations", "moderations")


class AmendmentOut(BaseModel):
    reason_code: str = Field(examples=["appeal"])
    to_awarded: int = Field(description="Not yet before, awarded after.")
    to_not_yet: int = Field(description="Awarded before, not yet after.")
    same_outcome: int = Field(description="Other levels or another date, the same outcome.")


class AppealsOut(BaseModel):
    """Those filed in the window, as they stood at `as_of`."""

    filed: int
    waiting: int
    inadmissible: int
    confirmed: int
    changed: int = Field(description="Levels changed, up or down.")
    void: int = Field(description="Another attempt had earned the award meanwhile.")
    changed_rate: RateOut = Field(description="Of those that were confirmed or changed, the changed ones.")
    answered_in_time: RateOut = Field(
        description="Of those confirmed, changed or void, the ones answered when they were due."
    )


class ModerationOut(BaseModel):
    """Decisions under review, by the reason of the review."""

    reason_code: str
    moderations: int
    decisions: int
    waiting: int
    confirmed: int
    changed: int


class RevocationOut(BaseModel):
    """`reason` is the reason code of the decision that took the award back, or `without_decision`."""

    reason: str = Field(examples=["misconduct"])
    badges: int


class DecisionsOut(ReportOut):
    decisions: int | None = Field(description="Judgments that were first made in the window; an amendment is none.")
    awarded: int | None = Field(description="Those of them that stand awarded.")
    not_yet: int | None
    amended: RateOut = Field(description="Of the judgments, those that were amended since, at least once.")
    amendments: list[AmendmentOut] | None = Field(description="Recorded in the window, by reason code.")
    appeals: AppealsOut | None
    revocations: list[RevocationOut] | None = Field(description="Badges awarded in the window that are revoked.")
    moderations: list[ModerationOut] | None = Field(description="Reviews opened in the window.")


@router.get("/v1/programs/{program_id}/reports/decisions", operation_id="report_decisions",
            responses=report_responses(DecisionsOut))  # fmt: skip
async def decisions(
    program_id: Identifier, tenant: ReportsRead, session: Snapshot, filters: ReportFilters, chosen: ChosenFormat
) -> Response:
    """Amendments by reason, appeals and what they changed, moderations, and badges that were revoked."""
    body = await measure(session, await get_reported(session, tenant.issuer_id, program_id, filters))
    return report_response(chosen, body, rows(body))


async def measure(session: AsyncSession, reported: Reported) -> DecisionsOut:
    """The window applies to each for itself: decided, recorded, filed, awarded or opened in it. Amendments, appeals and reviews
    are told of in a window where enough people have had them in it, not just decisions."""
    people = await load_people(session, reported)
    window = "when each was decided, recorded, filed, awarded or opened"
    rows_ = await load_decisions(session, reported)
    disclosure = Disclosure(count_decided(rows_, people), reported.minimum_cell)
    if not is_told(reported, people, disclosure):
        sentence = f"{tell_scope(reported)}: {tell_hidden(reported)}"
        none = dict.fromkeys(_HIDDEN) | {"amended": RateOut.hidden()}
        return DecisionsOut.model_validate(
            {
                **opening(
                    "decisions",
                    reported,
                    sentence=sentence,
                    window=window,
                    suppressed=_HIDDEN,
                    moments=disclosure.moments,
                ),
                **none,
            }
        )
    chains = select_chains(rows_, reported, people)
    badges = await load_badges(session, reported, people, rows_)
    judged = [each for each in chains if reported.filters.is_within(each.decided_at)]
    awarded = sum(each.is_awarded for each in judged)
    amended = sum(len(each.decisions) > 1 for each in judged)
    amendments = _count_amendments(chains, reported)
    appeals = await _count_appeals(session, reported, chains)
    reasons = {row.id: _reason(chain) for chain in chains for row in chain.decisions}
    revoked = Counter(
        reasons.get(each.decision_id) or "without_decision"
        for each in badges
        if not each.stands and reported.filters.is_within(each.awarded_at)
    )
    hidden = await _find_hidden_sections(session, reported, people, rows_)
    told = {
        "amendments": amendments,
        "appeals": appeals,
        "moderations": await _count_moderations(session, reported, chains),
    }
    filed = "" if "appeals" in hidden else (
        f"{count_of(appeals.filed, 'appeal')} filed, {appeals.changed} of which changed a decision; "
    )  # fmt: skip
    return DecisionsOut.model_validate(
        {
            **opening(
                "decisions", reported, window=window,
                sentence=f"{tell_scope(reported)}: {count_of(len(judged), 'decision')}, {amended} of them amended since; "
                f"{filed}{count_of(revoked.total(), 'badge')} revoked.",
                suppressed=hidden, moments=disclosure.moments if hidden else (),
            ),
            "decisions": len(judged),
            "awarded": awarded,
            "not_yet": len(judged) - awarded,
            "amended": RateOut.of(amended, len(judged)),
            "revocations": [RevocationOut(reason=reason, badges=number) for reason, number in sorted(revoked.items())],
            **told,
            **dict.fromkeys(hidden),
        }
    )  # fmt: skip


async def _find_hidden_sections(
    session: AsyncSession, reported: Reported, people: People, decisions: Mapping[str, DecisionRow]
) -> list[str]:
    """In a window: what has its own time, and happened to too few people to tell when."""
    if not reported.filters.is_windowed:
        return []
    filed = select(Appeal.decision_id, Appeal.filed_at).where(Appeal.issuer_id == reported.issuer_id)
    opened = (
        select(ModerationItem.decision_id, Moderation.opened_at)
        .join(
            Moderation,
            (Moderation.issuer_id == ModerationItem.issuer_id) & (Moderation.id == ModerationItem.moderation_id),
        )
        .where(Moderation.issuer_id == reported.issuer_id, Moderation.program_id == reported.program.id)
    )
    happened = {
        "amendments": [(each.id, each.recorded_at) for each in decisions.values() if each.supersedes_id is not None],
        "appeals": await read_rows(session, filed),
        "moderations": await read_rows(session, opened),
    }
    return [
        section
        for section, found in happened.items()
        if not Disclosure(_count(found, people, decisions), reported.minimum_cell).tells(reported.filters)
    ]


def _count(
    happened: Sequence[tuple[str, datetime]], people: People, decisions: Mapping[str, DecisionRow]
) -> Iterator[Counted]:
    for decision_id, at in happened:
        row = decisions.get(decision_id)
        person = people.known.get(row.person_id) if row is not None else None
        if row is not None and person is not None:
            yield Counted(person.id, person.cohorts, row.achievement_id, row.version, at, (at,))


def _reason(chain: DecisionChain) -> str | None:
    """Why an award was taken back; None while it stands."""
    return None if chain.is_awarded else chain.standing.reason_code or "other"


def _count_amendments(chains: Sequence[DecisionChain], reported: Reported) -> list[AmendmentOut]:
    changes = Counter(
        (after.reason_code or "other", before.outcome, after.outcome)
        for chain in chains
        for before, after in pairwise(chain.decisions)
        if reported.filters.is_within(after.recorded_at)
    )
    return [
        AmendmentOut(
            reason_code=code, to_awarded=changes[code, "not_yet", "awarded"],
            to_not_yet=changes[code, "awarded", "not_yet"],
            same_outcome=changes[code, "awarded", "awarded"] + changes[code, "not_yet", "not_yet"],
        )
        for code in REASON_CODES
    ]  # fmt: skip


async def _count_appeals(session: AsyncSession, reported: Reported, chains: Sequence[DecisionChain]) -> AppealsOut:
    filters = reported.filters
    ours = {row.id for chain in chains for row in chain.decisions}
    query = select(
        Appeal.decision_id, Appeal.filed_at, Appeal.state, Appeal.outcome, Appeal.decided_at, Appeal.answer_due_at
    ).where(Appeal.issuer_id == reported.issuer_id)
    outcomes: list[str] = []
    in_time = 0
    for decision_id, filed_at, state, outcome, decided_at, due_at in (await session.execute(query)).all():
        if decision_id not in ours or not filters.is_within(filed_at):
            continue
        if not filters.is_known(decided_at):
            outcomes.append("waiting")
            continue
        outcomes.append(outcome or state)
        in_time += outcome is not None and decided_at <= due_at
    counts = Counter(outcomes)
    answered = counts["confirmed"] + counts["changed"]
    return AppealsOut(
        filed=len(outcomes), waiting=counts["waiting"], inadmissible=counts["inadmissible"],
        confirmed=counts["confirmed"], changed=counts["changed"], void=counts["void"],
        changed_rate=RateOut.of(counts["changed"], answered),
        answered_in_time=RateOut.of(in_time, answered + counts["void"]),
    )  # fmt: skip


async def _count_moderations(
    session: AsyncSession, reported: Reported, chains: Sequence[DecisionChain]
) -> list[ModerationOut]:
    filters = reported.filters
    ours = {row.id for chain in chains for row in chain.decisions}
    query = (
        select(
            Moderation.id, Moderation.reason_code, Moderation.opened_at, ModerationItem.decision_id,
            ModerationItem.outcome, ModerationItem.updated_at,
        )
        .join(
            ModerationItem,
            (ModerationItem.issuer_id == Moderation.issuer_id) & (ModerationItem.moderation_id == Moderation.id),
        )
        .where(Moderation.issuer_id == reported.issuer_id, Moderation.program_id == reported.program.id)
    )  # fmt: skip
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    reviews: dict[str, set[str]] = defaultdict(set)
    for id_, code, opened_at, decision_id, outcome, updated_at in (await session.execute(query)).all():
        if decision_id in ours and filters.is_within(opened_at):
            came_to = outcome if filters.is_known(updated_at) else None
            outcomes[code][came_to or "waiting"] += 1
            reviews[code].add(id_)
    return [
        ModerationOut(
            reason_code=code, moderations=len(reviews[code]), decisions=counts.total(), waiting=counts["waiting"],
            confirmed=counts["confirmed"], changed=counts["changed"],
        )
        for code, counts in sorted(outcomes.items())
    ]  # fmt: skip


def rows(body: DecisionsOut) -> list[Row]:
    """A line for each number: `section`, `code` (a reason code, where there is one), `what`, `count`, and of rates the rest."""
    lines: list[Row] = [
        _line("decisions", None, what, getattr(body, what)) for what in ("decisions", "awarded", "not_yet")
    ]
    lines.append(_rate_line("decisions", "amended", body.amended))
    for section, found, key in (
        ("amendments", body.amendments, "reason_code"),
        ("revocations", body.revocations, "reason"),
        ("moderations", body.moderations, "reason_code"),
        ("appeals", [body.appeals] if body.appeals is not None else None, None),
    ):
        for each in found or ():
            members = each.model_dump(exclude={"changed_rate", "answered_in_time"})
            reason = members.pop(key) if key is not None else None
            lines += [_line(section, reason, what, count) for what, count in members.items()]
    if body.appeals is not None:
        lines.append(_rate_line("appeals", "changed_rate", body.appeals.changed_rate))
        lines.append(_rate_line("appeals", "answered_in_time", body.appeals.answered_in_time))
    return lines


def _line(section: str, reason: str | None, what: str, count: int | None) -> Row:
    none = dict.fromkeys(RateOut.hidden().cells())
    return {"section": section, "code": reason, "what": what, "count": count, **none}


def _rate_line(section: str, what: str, rate: RateOut) -> Row:
    return {"section": section, "code": None, "what": what, "count": rate.numerator, **rate.cells()}
