"""What every report may be narrowed to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeGuard

from fastapi import Depends, Query
from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.store import get_version
from app.errors import Fault, InvalidInput, NotFound
from app.identifiers import Identifier
from app.programs.policy import get_policy
from app.programs.store import Cohort, Program, get_cohort, get_program, require_in_program
from app.web.dependencies import Now
from app.web.fields import Moment


class UnfitFilters(InvalidInput):
    """The filters contradict each other, or name what is not the program's."""

    code = "unfit_filters"


@dataclass(frozen=True, slots=True)
class Filters:
    """`as_of`: only what had happened by then counts, and as it stood then. `since` and `until` (itself not part of it) are the
    window: what each report counts must have happened in it. The others narrow to one cohort, achievement, or version of it.
    `looks_back` is whether a moment was asked for, and not just what there is."""

    as_of: datetime
    since: datetime | None = None
    until: datetime | None = None
    cohort_id: str | None = None
    achievement_id: str | None = None
    version: int | None = None
    looks_back: bool = False

    def is_known(self, moment: datetime | None) -> TypeGuard[datetime]:
        """Whether it had happened by `as_of`."""
        return moment is not None and moment <= self.as_of

    def is_within(self, moment: datetime | None) -> TypeGuard[datetime]:
        """Whether it had happened by `as_of`, in the window."""
        return (
            self.is_known(moment)
            and (self.since is None or self.since <= moment)
            and (self.until is None or moment < self.until)
        )

    @property
    def is_windowed(self) -> bool:
        return self.since is not None or self.until is not None

    @property
    def is_narrowed(self) -> bool:
        """Whether they ask for less than everything there is."""
        return self.looks_back or self.is_windowed or self.cohort_id is not None or self.achievement_id is not None

    def is_about(self, achievement_id: str, version: int) -> bool:
        """Whether this version of the achievement is asked for."""
        return self.achievement_id in (None, achievement_id) and self.version in (None, version)


@dataclass(frozen=True, slots=True)
class Reported:
    """What a report is about. `minimum_cell` is how many people a group has at least whose results are told."""

    program: Program
    filters: Filters
    cohort: Cohort | None
    minimum_cell: int

    @property
    def issuer_id(self) -> str:
        return self.program.issuer_id


def _filters(
    now: Now,
    as_of: Annotated[Moment | None, Query(description="Only what had happened by then; now, if left out.")] = None,
    since: Annotated[Moment | None, Query(description="Beginning of the window.")] = None,
    until: Annotated[Moment | None, Query(description="End of the window, itself not part of it.")] = None,
    cohort_id: Annotated[Identifier | None, Query(description="Only this cohort.")] = None,
    achievement_id: Annotated[Identifier | None, Query(description="Only this achievement.")] = None,
    version: Annotated[
        int | None, Query(ge=1, le=1_000_000, description="Only this version of `achievement_id`.")
    ] = None,
) -> Filters:
    faults = []
    if as_of is not None and as_of > now:
        faults.append(Fault("/query/as_of", "lies in the future", "leave it out for today"))
    if since is not None and until is not None and since >= until:
        faults.append(Fault("/query/until", "is not after `since`"))
    if version is not None and achievement_id is None:
        faults.append(Fault("/query/version", "belongs to an achievement", "give `achievement_id` too"))
    if faults:
        raise UnfitFilters("The filters do not fit together.", faults=faults)
    return Filters(as_of or now, since, until, cohort_id, achievement_id, version, looks_back=as_of is not None)


ReportFilters = Annotated[Filters, Depends(_filters)]


async def get_reported(session: AsyncSession, issuer_id: str, program_id: str, filters: Filters) -> Reported:
    """What a report is about. Raises NotFound, and UnfitFilters where a filter names what is not in the program."""
    program = await get_program(session, issuer_id, program_id)
    cohort = None
    if filters.cohort_id is not None:
        cohort = await get_cohort(session, issuer_id, filters.cohort_id)
        if cohort.program_id != program.id:
            fault = Fault("/query/cohort_id", "is a cohort of another program")
            raise UnfitFilters("The cohort is not in this program.", faults=[fault])
    if filters.achievement_id is not None:
        await require_in_program(session, issuer_id, program.id, filters.achievement_id)
        if filters.version is not None:
            try:
                await get_version(session, issuer_id, filters.achievement_id, filters.version)
            except NotFound:
                fault = Fault("/query/version", "is not a version of the achievement")
                raise UnfitFilters("There is no such version.", faults=[fault]) from None
    policy = await get_policy(session, issuer_id, program.id, program.policy_version)
    return Reported(program, filters, cohort, policy.minimum_cell)
