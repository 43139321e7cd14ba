"""Importing a framework: the first time, and again when its owner has changed it."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.case.package import find_newest_change, is_private, list_targets
from app.case.read import Notice, Package, read_package
from app.errors import Conflict
from app.events.store import record_event
from app.frameworks.store import (
    Framework,
    FrameworkObject,
    FrameworkVersion,
    get_version,
    list_objects,
    lock_by_identifier,
)
from app.identifiers import new_id


class FrameworkNotNewer(Conflict):
    """What was sent differs from what is there and is not newer."""

    code = "framework_not_newer"


@dataclass(frozen=True, slots=True)
class PreparedFramework:
    """A package that can be imported: read, as the bytes that are kept, with what can be looked up in it."""

    package: Package
    body: bytes
    objects: tuple[dict[str, Any], ...]
    newest_change: datetime
    notices: tuple[Notice, ...]

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


def prepare_framework(document: object) -> PreparedFramework:
    """Read a parsed CFPackage. Takes seconds for a large one, for a thread. Raises InvalidFramework."""
    read = read_package(document)
    objects = tuple(
        {
            "identifier": target.identifier,
            "position": position,
            "type": target.type,
            "text": target.text,
            "code": target.code,
            "label": target.label,
            "body": dict(target.body),
        }
        for position, target in enumerate(list_targets(read.package), 1)
    )
    body = json.dumps(read.package, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    return PreparedFramework(read.package, body, objects, find_newest_change(read.package), read.notices)


async def import_framework(
    session: AsyncSession, issuer_id: str, prepared: PreparedFramework, *, actor: str, now: datetime
) -> tuple[Framework, tuple[Notice, ...], bool]:
    """The framework with what was sent as its newest version, notices, and whether anything changed.

    The very content of the newest version changes nothing. Raises FrameworkNotNewer when the content is another one though
    no `lastChangeDateTime` in it is later.
    """
    framework = await lock_by_identifier(session, issuer_id, prepared.package["CFDocument"]["identifier"])
    notices = prepared.notices
    if framework is None:
        framework = Framework(issuer_id=issuer_id, id=new_id(), version=0, created_at=now)
        known: list[FrameworkObject] = []
    else:
        newest = await get_version(session, framework, framework.version)
        if newest.digest == prepared.digest:
            return framework, (*notices, Notice("", f"is what version {newest.version} says: nothing changed")), False
        if prepared.newest_change <= framework.last_change_at:
            raise FrameworkNotNewer(
                f"Version {newest.version} was last changed at {_text(framework.last_change_at)}, what was sent at "
                f"{_text(prepared.newest_change)}."
            )
        known = await list_objects(session, framework)
    current = {each.identifier for each in known if each.version == framework.version}
    _describe(framework, prepared, now)
    session.add(framework)
    await session.flush()
    version = FrameworkVersion(
        issuer_id=issuer_id,
        framework_id=framework.id,
        version=framework.version,
        package=prepared.body,
        digest=prepared.digest,
        created_at=now,
    )
    session.add(version)
    await session.flush()
    await _index(session, framework, prepared, known)
    _note(session, framework, prepared, actor, now)
    return framework, (*notices, *_list_gone(current, prepared)), True


def _describe(framework: Framework, prepared: PreparedFramework, now: datetime) -> None:
    document = prepared.package["CFDocument"]
    framework.identifier = document["identifier"]
    framework.version += 1
    framework.document = document
    framework.is_public = not is_private(document)
    framework.statements = len(prepared.package["CFItems"])
    framework.rubrics = len(prepared.package.get("CFRubrics", ()))
    framework.last_change_at = prepared.newest_change
    framework.updated_at = now


async def _index(
    session: AsyncSession, framework: Framework, prepared: PreparedFramework, known: Iterable[FrameworkObject]
) -> None:
    rows = {row.identifier: row for row in known}
    added = []
    for each in prepared.objects:
        if row := rows.get(each["identifier"]):
            row.version = framework.version
            for name, value in each.items():
                setattr(row, name, value)
        else:
            added.append(each)
    if added:
        of = {"issuer_id": framework.issuer_id, "framework_id": framework.id, "version": framework.version}
        await session.execute(insert(FrameworkObject), [{**of, **each} for each in added])
    await session.flush()


def _list_gone(current: set[str], prepared: PreparedFramework) -> Iterable[Notice]:
    gone = sorted(current - {each["identifier"] for each in prepared.objects})
    if gone:
        shown = ", ".join(gone[:5]) + (f" and {len(gone) - 5} more" if len(gone) > 5 else "")
        yield Notice("", f"no longer has {shown}: what is aligned to them stays so")


def _note(session: AsyncSession, framework: Framework, prepared: PreparedFramework, actor: str, now: datetime) -> None:
    content = {"identifier": framework.identifier, "version": framework.version, "digest": prepared.digest}
    audit(session, issuer_id=framework.issuer_id, actor=actor, action="framework.imported", object_id=framework.id,
          content=content, at=now)  # fmt: skip
    record_event(session, framework.issuer_id, "framework.imported", framework.id, at=now,
                 data={"version": framework.version})  # fmt: skip


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
