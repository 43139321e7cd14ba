"""/v1/programs/{program_id}/reports: every report has its route beside its numbers; here they are put together."""

from fastapi import APIRouter

router = APIRouter(tags=["Reports"])
