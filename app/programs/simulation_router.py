"""/v1/programs/{program_id}/policy-simulations."""

from fastapi import APIRouter

from app.access.dependencies import ProgramsRead
from app.identifiers import Identifier
from app.programs.simulate import simulate_policies
from app.programs.simulation_bodies import SimulationOut, SimulationRequest
from app.web.dependencies import ReadSession
from app.web.problems import responses

router = APIRouter(tags=["Programs"])

_EXAMPLE = {"achievement_id": "0f3c0000000000000000000000000001", "accuracy": 0.85}


@router.post("/v1/programs/{program_id}/policy-simulations", operation_id="simulate_policies",
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": _EXAMPLE}}}})  # fmt: skip
async def simulate(
    program_id: Identifier, body: SimulationRequest, tenant: ProgramsRead, session: ReadSession
) -> SimulationOut:
    """Show what policies of second readings cost and which errors they leave, under a model that the answer states in full.

    Nothing is stored, and nothing of the program's data enters but the number of criteria and the policy in force: other
    assumptions give other figures.
    """
    return await simulate_policies(session, tenant.issuer_id, program_id, body)
