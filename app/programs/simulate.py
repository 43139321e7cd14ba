"""What policies of second readings would cost a program and which errors they leave, before one is chosen. Nothing is stored."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.store import AchievementVersion, get_published_version, get_version
from app.programs.policy import get_policy
from app.programs.simulation_bodies import (
    ModelOut,
    SimulatedOut,
    SimulatedPolicy,
    SimulationOut,
    SimulationRequest,
)
from app.programs.simulation_texts import tell, tell_assumptions, tell_comparison
from app.programs.store import Program, get_program, require_in_program
from app.psychometrics.simulation import Model, Outcome, simulate

COMPARED = (
    SimulatedPolicy(name="single"),
    SimulatedPolicy(name="refused", refused=True),
    SimulatedPolicy(name="near-standard", near_standard=True),
    SimulatedPolicy(name="double", random_percent=100),
)
IN_FORCE = "in-force"


async def simulate_policies(
    session: AsyncSession, issuer_id: str, program_id: str, wanted: SimulationRequest
) -> SimulationOut:
    """Raises NotFound, VersionNotPublished, AchievementNotInProgram."""
    program = await get_program(session, issuer_id, program_id)
    version = await _find_version(session, program, wanted)
    criteria = wanted.criteria if version is None else len(version.content["rubric"]["criteria"])
    assert criteria is not None  # the body has one of the two
    model = wanted.model(criteria)
    policies = wanted.policies or [*COMPARED, await _find_in_force(session, program)]
    rereadings = {policy.name: policy.rereading for policy in policies}
    outcomes = simulate(model, rereadings)
    in_force = None if wanted.policies else program.policy_version
    return SimulationOut(
        program_id=program.id,
        model=_compose_model(wanted, model, version, outcomes[policies[0].name]),
        policies=[
            SimulatedOut.of(
                policy,
                outcomes[policy.name],
                in_force if policy.name == IN_FORCE else None,
                tell(outcomes[policy.name]),
            )
            for policy in policies
        ],
        sentence=tell_comparison(model, outcomes),
    )


async def _find_version(
    session: AsyncSession, program: Program, wanted: SimulationRequest
) -> AchievementVersion | None:
    if wanted.achievement_id is None:
        return None
    if wanted.version is None:
        version = await get_published_version(session, program.issuer_id, wanted.achievement_id)
    else:
        version = await get_version(session, program.issuer_id, wanted.achievement_id, wanted.version)
    await require_in_program(session, program.issuer_id, program.id, wanted.achievement_id)
    return version


async def _find_in_force(session: AsyncSession, program: Program) -> SimulatedPolicy:
    """What can be simulated of the program's policy: its random sample, and its second readings near the standard."""
    policy = await get_policy(session, program.issuer_id, program.id, program.policy_version)
    second = policy.second_readings
    return SimulatedPolicy(name=IN_FORCE, random_percent=second.random_percent, near_standard=second.near_standard)


def _compose_model(
    wanted: SimulationRequest, model: Model, version: AchievementVersion | None, outcome: Outcome
) -> ModelOut:
    return ModelOut(
        assumptions=tell_assumptions(
            model, accuracy_is_assumed=wanted.accuracy is None, with_in_force=wanted.policies is None
        ),
        criteria=model.criteria,
        achievement_id=None if version is None else version.achievement_id,
        version=None if version is None else version.version,
        accuracy=model.accuracy,
        accuracy_is_assumed=wanted.accuracy is None,
        third_accuracy=model.third_accuracy,
        levels=model.levels,
        bar=model.bar,
        person_means=list(model.person_means),
        noise=model.noise,
        third_gain=model.third_gain,
        third_limit=model.third_limit,
        resolution=model.resolution,
        passing=outcome.passing,
    )
