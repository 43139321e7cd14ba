"""Somebody else on a panel, in the place of a member who cannot vote any more, or does not: so that every case ends."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.principals import Member
from app.errors import Fault
from app.misconduct.cases import AlreadyVoted, CaseStateConflict, note
from app.misconduct.panel import PanelUnfit, get_people, require_replacement
from app.misconduct.store import MisconductCase, Stage, get_case, list_votes, lock_case
from app.submissions.store import lock_submission


async def replace_member(
    session: AsyncSession, member: Member, case_id: str, *, person_id: str, replacement_id: str, now: datetime
) -> MisconductCase:
    """Let another person sit, and vote, in the place of one who has not voted, on the panel whose vote is open.

    Who replaces is fit as whoever is named at first (`require_panel`). A vote that was given stays. Raises NotFound, PanelUnfit,
    AlreadyVoted, CaseStateConflict when no vote is open.
    """
    submission_id = (await get_case(session, member.issuer_id, case_id)).submission_id
    submission = await lock_submission(session, member.issuer_id, submission_id)
    case = await lock_case(session, member.issuer_id, case_id)
    await get_people(session, member.issuer_id, [person_id, replacement_id])
    stage, panel = _open_panel(case)
    if person_id not in panel:
        raise PanelUnfit(
            "This person is not on the panel.",
            faults=[Fault("/person_id", "is not on the panel whose vote is open", "name one of its members")],
        )
    votes = await list_votes(session, case.issuer_id, case.id)
    if any((each.stage, each.person_id) == (stage, person_id) for each in votes):
        raise AlreadyVoted("This member has voted, and stays on the panel.", cure="Replace who has not voted.")
    opener = case.opened_by.removeprefix("person:")
    not_among = {*case.panel, *(case.appeal_panel or ()), opener, member.person_id}
    await require_replacement(session, submission, replacement_id, not_among=not_among)
    replaced = [replacement_id if each == person_id else each for each in panel]
    if stage == "appeal":
        case.appeal_panel = replaced
    else:
        case.panel = replaced
    case.updated_at = now
    about = {"stage": stage, "person_id": person_id, "replacement_id": replacement_id}
    note(session, case, "member_replaced", member.actor, now, about)
    return case


def _open_panel(case: MisconductCase) -> tuple[Stage, list[str]]:
    """The panel whose vote is open, or will be once the learner has answered. Raises CaseStateConflict."""
    if case.state in ("noticed", "answered"):
        return "case", case.panel
    if case.state == "appealed" and case.appeal_panel is not None:
        return "appeal", case.appeal_panel
    raise CaseStateConflict(f"The case is {case.state}: no panel is to vote now.")
