"""/v1/programs/{program_id}/reports: every report has its route beside its numbers; here they are put together and listed."""

from fastapi import APIRouter
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field

from app.access.dependencies import ReportsRead
from app.identifiers import Identifier
from app.programs.store import get_program
from app.reports import (
    agreement,
    assessors,
    decisions,
    double_reading,
    equity,
    funder_export,
    funnel,
    headline,
    impact,
    pass_rate,
    pathways,
    turnaround,
)
from app.web.dependencies import ReadSession
from app.web.problems import responses

router = APIRouter(tags=["Reports"])

REPORTS = (
    headline,
    funnel,
    pass_rate,
    pathways,
    turnaround,
    double_reading,
    decisions,
    agreement,
    assessors,
    equity,
    impact,
    funder_export,
)
"""A report is a module with a body model, `measure`, `rows`, and a `router` that has its GET."""


class ReportItem(BaseModel):
    name: str = Field(examples=["headline"])
    shows: str = Field(examples=["Enrolled people, people who earned, and credentials: three different numbers."])
    path: str = Field(examples=["/v1/programs/0b9f3c1e5a7d4e2f8c6b1a3d5e7f9012/reports/headline"])


class ReportsOut(BaseModel):
    reports: list[ReportItem]


@router.get("/v1/programs/{program_id}/reports", operation_id="list_reports", responses=responses(401, 403, 404, 422))
async def list_(program_id: Identifier, tenant: ReportsRead, session: ReadSession) -> ReportsOut:
    """The reports there are of a program, and what each shows."""
    program = await get_program(session, tenant.issuer_id, program_id)
    shown = [
        ReportItem(
            name=route.path.rpartition("/")[2],
            shows=route.description.partition("\n")[0],
            path=route.path.format(program_id=program.id),
        )
        for report in REPORTS
        for route in report.router.routes
        if isinstance(route, APIRoute)
    ]
    return ReportsOut(reports=shown)


for _report in REPORTS:
    router.include_router(_report.router)
