"""Verbs on panels, and the Profile a badge carries of one."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.assessors.jobs import RECHECK_PANEL_JOB
from app.assessors.store import Panel, PanelKind, find_by_external_id
from app.audit.store import audit
from app.errors import ExternalIdTaken, Fault, InvalidInput
from app.events.store import record_event
from app.identifiers import new_id
from app.jobs.queue import enqueue
from app.openbadges.compose import compose_profile


class SourceMismatch(InvalidInput):
    """What is said of who judged does not fit what they are: a panel of ours, or an external source."""

    code = "source_mismatch"


async def create_panel(
    session: AsyncSession,
    issuer_id: str,
    *,
    external_id: str | None,
    name: str,
    description: str | None,
    url: str | None,
    members: Sequence[str],
    actor: str,
    now: datetime,
    kind: PanelKind = "panel",
    organization: Mapping[str, str | None] | None = None,
) -> Panel:
    """A new panel with members, or an external source without. `organization` has a name and may have a URL.

    Raises ExternalIdTaken.
    """
    if external_id is not None and await find_by_external_id(session, issuer_id, external_id) is not None:
        raise ExternalIdTaken(f"There is already a panel with external_id {external_id!r}.")
    panel = Panel(
        issuer_id=issuer_id, id=new_id(), external_id=external_id, name=name, description=description, url=url,
        members=list(members), kind=kind, organization_name=organization["name"] if organization else None,
        organization_url=organization["url"] if organization else None, created_at=now, updated_at=now,
    )  # fmt: skip
    session.add(panel)
    await session.flush()
    _note(session, panel, "created", actor, now)
    return panel


def change_members(session: AsyncSession, panel: Panel, *, members: Sequence[str], actor: str, now: datetime) -> None:
    """Replace the members. Decisions already recorded keep the assessors they name; what somebody who left was to read goes to
    others. Raises SourceMismatch."""
    if panel.kind == "external":
        fault = Fault("/members", "an external source has no members", "make a panel of its own for your assessors")
        raise SourceMismatch("This is an external source, not a panel of yours.", faults=[fault])
    if not set(panel.members) <= set(members):
        enqueue(session, RECHECK_PANEL_JOB, {"issuer_id": panel.issuer_id, "panel_id": panel.id}, run_at=now)
    panel.members = list(members)
    panel.updated_at = now
    _note(session, panel, "changed", actor, now)


def compose_panel_profile(
    panel: Panel, base_url: str, *, is_of_workflow: bool = False, quality_url: str | None = None
) -> dict[str, Any]:
    """The Profile that `credentialSubject.source` carries: the panel and whose it is, no person.

    Of a decision of our own workflow it says at least how the work was assessed. In a badge its URL is the quality report
    (`quality_url`), which says how well the readings agreed; an external source keeps its own.
    """
    uri = f"{base_url}/panels/{panel.id}"
    description = panel.description or (_describe(panel) if is_of_workflow else None)
    url = quality_url if quality_url is not None and panel.kind == "panel" else panel.url or uri
    return compose_profile(
        id=uri, name=panel.name, url=url, description=description, parent_org=_compose_parent(panel, uri)
    )


def _describe(panel: Panel) -> str:
    count = len(panel.members)
    return f"{count} certified assessor{'' if count == 1 else 's'}, blind readings"


def _compose_parent(panel: Panel, uri: str) -> dict[str, Any] | None:
    if panel.organization_name is None:
        return None
    url = panel.organization_url
    return compose_profile(id=url or f"{uri}#organization", name=panel.organization_name, url=url)


def _note(session: AsyncSession, panel: Panel, what: str, actor: str, now: datetime) -> None:
    audit(session, issuer_id=panel.issuer_id, actor=actor, action=f"panel.{what}", object_id=panel.id,
          content={"name": panel.name, "members": panel.members}, at=now)  # fmt: skip
    record_event(session, panel.issuer_id, f"panel.{what}", panel.id, at=now)
