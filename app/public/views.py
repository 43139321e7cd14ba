"""From stored facts to the views that pages show. What is not copied here by name is on no page."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.achievements.rubric import mandatory_criteria
from app.achievements.store import AchievementVersion, list_current_versions, list_live_translations
from app.assessors.store import Panel, get_public_panel
from app.credentials.profiles import read_plan
from app.credentials.store import Credential, Edition
from app.issuers.did_document import verification_method_id
from app.issuers.store import Issuer, get_issuer, list_issuers
from app.keys.store import list_keys
from app.public.pages import (
    AchievementView,
    AlignmentView,
    CardView,
    CreatorView,
    CredentialState,
    CredentialView,
    CriterionView,
    EvidenceView,
    HomeView,
    IssuerView,
    KeyView,
    LevelView,
    OtherIdentifierView,
    PanelView,
    Party,
    ProblemsView,
    ProblemView,
    RequiredEvidenceView,
    ResultView,
    TaskPartView,
    TranslationView,
    VersionView,
)
from app.resources import Resources
from app.web.problem_types import PROBLEM_TYPES, ProblemType, example_of

_KEY_STATES = {"pending": "published and not in use yet", "active": "in use", "retired": "retired"}


async def credential_view(
    session: AsyncSession,
    world: Resources,
    credential: Credential,
    edition: Edition,
    document: Mapping[str, Any],
    now: datetime,
) -> CredentialView:
    """A badge, from the document that was signed and from its state in the register."""
    issuer = await get_issuer(session, credential.issuer_id)
    subject, url = document["credentialSubject"], f"{world.base_url}/credentials/{credential.id}"
    achievement = subject["achievement"]
    source = subject.get("source", {})
    is_taken_over = bool(source) and await _is_external(session, source["id"])
    return CredentialView(
        base_url=world.base_url,
        is_test=issuer.is_test,
        title=document["name"],
        description=achievement["description"],
        url=url,
        json_url=f"{url}?format=json",
        png_url=f"{url}/badge.png",
        svg_url=f"{url}/badge.svg",
        forms=[
            (planned.profile.name, f"{url}/{planned.profile.name}", f"badge.{planned.profile.extension}")
            for planned in map(read_plan, edition.profiles)
            if planned.skipped is None and planned.profile.is_public
        ],
        image_url=achievement["image"]["id"],
        image_alt=achievement["image"].get("caption") or f"Badge: {document['name']}",
        issuer=_issuer_party(issuer, world),
        achievement_url=achievement["id"],
        state=_state(credential, edition, now),
        awarded_on=edition.awarded_date,
        valid_from=edition.valid_from,
        valid_until=edition.valid_until,
        checked_at=now,
        recipient_name=_recipient_name(subject),
        narrative=subject.get("narrative", ""),
        results=_results(subject),
        evidence=[_evidence(piece) for piece in document.get("evidence", ())],
        panel=Party(source["name"], source["id"]) if source else None,
        panel_description=source.get("description", ""),
        quality_url=_quality_url(source, achievement["id"], is_taken_over),
        is_taken_over=is_taken_over,
        is_listed=credential.visibility == "public",
    )


async def achievement_view(
    session: AsyncSession, world: Resources, versions: list[AchievementVersion], version: AchievementVersion
) -> AchievementView:
    """One version of an achievement with its rubric and task."""
    issuer = await get_issuer(session, version.issuer_id)
    content, rubric = version.content, version.content["rubric"]
    task = content.get("performance_task") or {}
    mandatory = mandatory_criteria(rubric)
    translations = await list_live_translations(session, version.issuer_id, version.achievement_id)
    return AchievementView(
        base_url=world.base_url,
        is_test=issuer.is_test,
        name=content["name"],
        description=content["description"],
        url=_version_url(version, world),
        json_url=_version_url(version, world) + "?format=json",
        image_url=f"{world.base_url}/images/{version.image_digest}.png",
        image_alt=content.get("image_caption") or f"Badge: {content['name']}",
        issuer=_issuer_party(issuer, world),
        creator=_creator(content.get("creator")),
        criteria_url=content["criteria"].get("id"),
        in_language=content.get("in_language") or "",
        translations=[
            TranslationView(each.content.get("in_language") or "", each.content["name"], _version_url(each, world))
            for each in translations
        ],
        field_of_study=content.get("field_of_study") or "",
        specialization=content.get("specialization") or "",
        human_code=content.get("human_code") or "",
        credits_available=_number(content.get("credits_available")),
        other_identifiers=_other_identifiers(content),
        version=version.version,
        state=version.state,
        published_on=version.published_at,
        achievement_type=content["achievement_type"],
        criteria_narrative=content["criteria"]["narrative"],
        decision_rule=_decision_rule(rubric),
        criteria=[_criterion(criterion, criterion["key"] in mandatory) for criterion in rubric["criteria"]],
        task_summary=task.get("summary", ""),
        task_parts=[TaskPartView(part["kind"], part["name"], part["prompt"]) for part in task.get("parts", ())],
        required_evidence=[
            RequiredEvidenceView(wanted["name"], wanted["genre"], wanted.get("description", ""), wanted["minimum"])
            for wanted in content.get("required_evidence", ())
        ],
        alignments=[_alignment(alignment) for alignment in content.get("alignments", ())],
        tags=content.get("tags", ()),
        quality_url=f"{_version_url(version, world)}/quality",
        versions=[VersionView(v.version, _version_url(v, world), v.state, v.published_at) for v in reversed(versions)],
    )


async def issuer_view(session: AsyncSession, world: Resources, issuer: Issuer) -> IssuerView:
    """An issuer with its current achievements and all its keys."""
    url = f"{world.base_url}/issuers/{issuer.slug}"
    website = issuer.profile.get("url")
    return IssuerView(
        base_url=world.base_url,
        is_test=issuer.is_test,
        name=issuer.profile["name"],
        description=issuer.profile.get("description", ""),
        url=url,
        json_url=f"{url}?format=json",
        did=issuer.did,
        left_at=issuer.left_at,
        verified_as=issuer.verified_as,
        verified_at=issuer.verified_at,
        website=website if website != url else None,
        achievements=await _achievement_cards(session, world, issuer),
        keys=[
            KeyView(
                verification_method_id(issuer.did, key.public_key_multibase),
                _KEY_STATES[key.state],
                key.retired_at or key.activated_at or key.created_at,
            )
            for key in await list_keys(session, issuer.id)
        ],
    )


async def panel_view(session: AsyncSession, world: Resources, panel: Panel) -> PanelView:
    """A panel: how many assessors it has, never who. Or an external source."""
    issuer = await get_issuer(session, panel.issuer_id)
    return PanelView(
        base_url=world.base_url,
        is_test=issuer.is_test,
        name=panel.name,
        description=panel.description or "",
        issuer=_issuer_party(issuer, world),
        assessor_count=len(panel.members),
        is_external=panel.kind == "external",
        website=panel.url,
    )


async def home_view(session: AsyncSession, world: Resources) -> HomeView:
    """The start page: who issues here, and what can be earned."""
    issuers = await list_issuers(session)
    cards = [card for issuer in issuers for card in await _achievement_cards(session, world, issuer)]
    return HomeView(
        base_url=world.base_url,
        docs_url=f"{world.base_url}/docs",
        openapi_url=f"{world.base_url}/openapi.json",
        issuers=[
            CardView(
                issuer.profile["name"],
                f"{world.base_url}/issuers/{issuer.slug}",
                summary=issuer.profile.get("description", ""),
            )
            for issuer in issuers
        ],
        achievements=cards,
    )


def problems_view(world: Resources) -> ProblemsView:
    """Every problem the service can answer with."""
    views = [problem_view(world, problem) for _, problem in sorted(PROBLEM_TYPES.items())]
    return ProblemsView(base_url=world.base_url, problems=views)


def problem_view(world: Resources, problem: ProblemType) -> ProblemView:
    """One problem, with the document it arrives as."""
    example = example_of(problem, world.base_url)
    return ProblemView(
        base_url=world.base_url, code=problem.code, title=problem.title, status=problem.status, cause=problem.cause,
        cure=problem.cure, example=example.answer, example_request=example.request,
    )  # fmt: skip


async def _is_external(session: AsyncSession, panel_uri: str) -> bool:
    return (await get_public_panel(session, panel_uri.rpartition("/")[2])).kind == "external"


def _quality_url(source: Mapping[str, Any], version_url: str, is_taken_over: bool) -> str | None:
    """The quality report that a badge links; of one from before there were reports, all of its version."""
    if not source or is_taken_over:
        return None
    url = str(source.get("url", ""))
    return url if url.startswith(f"{version_url}/quality/") else f"{version_url}/quality"


def _state(credential: Credential, edition: Edition, now: datetime) -> CredentialState:
    if credential.state == "revoked":
        return "revoked"
    if credential.state == "suspended":
        return "suspended"
    return "expired" if edition.valid_until is not None and edition.valid_until <= now else "valid"


def _issuer_party(issuer: Issuer, world: Resources) -> Party:
    return Party(issuer.profile["name"], f"{world.base_url}/issuers/{issuer.slug}")


def _version_url(version: AchievementVersion, world: Resources) -> str:
    return f"{world.base_url}/achievements/{version.achievement_id}/v{version.version}"


def _recipient_name(subject: Mapping[str, Any]) -> str | None:
    names = [
        i["identityHash"] for i in subject.get("identifier", ()) if i["identityType"] == "name" and not i["hashed"]
    ]
    return names[0] if names else None


def _results(subject: Mapping[str, Any]) -> list[ResultView]:
    descriptions = {d["id"]: d for d in subject["achievement"]["resultDescription"]}
    views = []
    for result in subject["result"]:
        if "achievedLevel" not in result:
            continue
        description = descriptions[result["resultDescription"]]
        levels = description["rubricCriterionLevel"]
        position = [level["id"] for level in levels].index(result["achievedLevel"])
        level = levels[position]
        views.append(
            ResultView(
                criterion=description["name"], level=level["name"], position=position + 1, of=len(levels),
                level_description=level.get("description", ""), url=description["id"],
            )
        )  # fmt: skip
    return views


def _evidence(piece: Mapping[str, Any]) -> EvidenceView:
    return EvidenceView(piece["name"], piece.get("genre", ""), piece.get("narrative", ""), piece.get("id"))


def _criterion(criterion: Mapping[str, Any], is_mandatory: bool) -> CriterionView:
    return CriterionView(
        key=criterion["key"],
        name=criterion["name"],
        description=criterion.get("description", ""),
        passing_level=criterion["passing_level"],
        is_mandatory=is_mandatory,
        levels=[
            LevelView(level["key"], level["name"], level.get("description", ""), level.get("points"))
            for level in criterion["levels"]
        ],
        alignments=[_alignment(alignment) for alignment in criterion.get("alignments", ())],
    )


def _alignment(alignment: Mapping[str, Any]) -> AlignmentView:
    return AlignmentView(
        alignment["target_name"],
        alignment["target_url"],
        alignment.get("target_code"),
        alignment.get("target_framework"),
        alignment.get("target_description"),
        alignment.get("target_type"),
    )


def _creator(creator: Mapping[str, Any] | None) -> CreatorView | None:
    if creator is None:
        return None
    parent = creator.get("parent_org")
    return CreatorView(
        name=creator["name"],
        url=creator.get("url"),
        description=creator.get("description") or "",
        official=creator.get("official") or "",
        parent=Party(parent["name"], parent.get("url")) if parent else None,
        other_identifiers=_other_identifiers(creator),
    )


def _other_identifiers(content: Mapping[str, Any]) -> list[OtherIdentifierView]:
    return [
        OtherIdentifierView(entry["identifier"], entry["identifier_type"])
        for entry in content.get("other_identifiers", ())
    ]


def _number(number: float | None) -> str:
    return "" if number is None else f"{number:,.10g}"


def _decision_rule(rubric: Mapping[str, Any]) -> str:
    rule = rubric["decision_rule"]
    names = {criterion["key"]: criterion["name"] for criterion in rubric["criteria"]}
    mandatory = ", ".join(names[key] for key in rule.get("mandatory", ()))
    never = f" These must always be at their passing level: {mandatory}." if mandatory else ""
    if rule["type"] == "all":
        return "Every criterion must be at its passing level or above."
    if rule["type"] == "all_but":
        count = "One criterion" if rule["exceptions"] == 1 else f"Up to {rule['exceptions']} criteria"
        return f"{count} may be one level below passing; all others must pass.{never}"
    return f"The levels must earn at least {rule['minimum']} points in all.{never}"


async def _achievement_cards(session: AsyncSession, world: Resources, issuer: Issuer) -> list[CardView]:
    return [
        CardView(
            name=version.content["name"],
            url=_version_url(version, world),
            summary=version.content["description"],
            note=issuer.profile["name"],
            image_url=f"{world.base_url}/images/{version.image_digest}.png",
        )
        for version in await list_current_versions(session, issuer.id)
    ]
