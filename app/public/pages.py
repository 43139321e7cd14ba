"""What pages for people show: one *view* for each page, a small dataclass with exactly the texts that are to be shown.

Views are composed by those who know the facts (`views.py`) and never hold a credential, so an identity hash, a salt, an e-mail
address or an assessor's name cannot slip from a document onto a page.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import ClassVar, Literal

from app.quality.bodies import QualityReport, QualityWindows

# --- parts -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Party:
    """An organization by name; `url` is where its name leads, if anywhere."""

    name: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class AlignmentView:
    target_name: str
    target_url: str | None = None
    target_code: str | None = None
    target_framework: str | None = None
    target_description: str | None = None
    target_type: str | None = None


@dataclass(frozen=True, slots=True)
class OtherIdentifierView:
    """What a thing is called in somebody's system; `kind` says in which."""

    value: str
    kind: str


@dataclass(frozen=True, slots=True)
class CreatorView:
    """Who designed an achievement. Their e-mail address is in the document only."""

    name: str
    url: str | None = None
    description: str = ""
    official: str = ""
    parent: Party | None = None
    other_identifiers: Sequence[OtherIdentifierView] = ()


@dataclass(frozen=True, slots=True)
class TranslationView:
    """The same achievement in another language (a BCP 47 tag)."""

    language: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class ResultView:
    """The level somebody reached on one criterion: the `position`-th of `of` levels, counted from the lowest.

    `url` is the criterion's place on the achievement's page.
    """

    criterion: str
    level: str
    position: int
    of: int
    level_description: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class EvidenceView:
    name: str
    genre: str = ""
    narrative: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class LevelView:
    key: str
    name: str
    description: str
    points: str | None = None


@dataclass(frozen=True, slots=True)
class CriterionView:
    """A criterion of a rubric. Levels run from low to high; `passing_level` is a level's key."""

    key: str
    name: str
    levels: Sequence[LevelView]
    passing_level: str
    description: str = ""
    is_mandatory: bool = False
    alignments: Sequence[AlignmentView] = ()

    @property
    def passing_position(self) -> int:
        """1 for the lowest level; above the highest when no level is the passing one."""
        return next(
            (n for n, level in enumerate(self.levels, 1) if level.key == self.passing_level), len(self.levels) + 1
        )

    @property
    def passing_level_name(self) -> str:
        return next((level.name for level in self.levels if level.key == self.passing_level), self.passing_level)


@dataclass(frozen=True, slots=True)
class TaskPartView:
    kind: str
    name: str
    prompt: str


@dataclass(frozen=True, slots=True)
class RequiredEvidenceView:
    name: str
    genre: str = ""
    description: str = ""
    minimum: int = 1


@dataclass(frozen=True, slots=True)
class VersionView:
    number: int
    url: str
    state: str
    published_on: date | None = None


@dataclass(frozen=True, slots=True)
class KeyView:
    """A public key: its verification method id and what has become of it ("in use", "retired", …)."""

    verification_method: str
    state: str
    since: date | None = None


@dataclass(frozen=True, slots=True)
class CardView:
    """One entry of a list of things that have a page."""

    name: str
    url: str
    summary: str = ""
    note: str = ""
    image_url: str | None = None


# --- pages -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    """What every page needs: the service's base URL, to find its style sheet and its start page.

    `is_test`: what it shows is a test issuer's, and the page says so before anything else.
    """

    base_url: str
    service_name: str = "Assay"
    is_test: bool = False


CredentialState = Literal["valid", "suspended", "revoked", "expired"]


@dataclass(frozen=True, slots=True)
class StateText:
    label: str
    sentence: str


STATE_TEXTS: Mapping[CredentialState, StateText] = {
    "valid": StateText("Valid", "The issuer stands behind this credential."),
    "suspended": StateText(
        "Suspended", "The issuer has put this credential on hold. Do not rely on it until the hold is lifted."
    ),
    "revoked": StateText("Revoked", "The issuer has withdrawn this credential. It must not be relied on any more."),
    "expired": StateText(
        "Expired", "This credential was good until the date shown. The achievement was real; it is no longer current."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialView(PageView):
    """One issued credential.

    `recipient_name` is None when the credential does not name its holder or the holder has not agreed to be shown.
    `png_url` and `svg_url` are the badge baked into its picture.

    `is_listed` False asks search engines to leave the page out.
    """

    title: str
    description: str
    url: str
    json_url: str
    png_url: str
    svg_url: str
    image_url: str | None
    image_alt: str
    issuer: Party
    achievement_url: str
    state: CredentialState
    awarded_on: date
    valid_from: datetime
    checked_at: datetime
    valid_until: datetime | None = None
    recipient_name: str | None = None
    outcome: str = ""
    narrative: str = ""
    results: Sequence[ResultView] = ()
    evidence: Sequence[EvidenceView] = ()
    panel: Party | None = None
    panel_description: str = ""
    quality_url: str | None = None
    is_taken_over: bool = False
    is_listed: bool = False
    forms: Sequence[tuple[str, str, str]] = ()
    """Further proof profiles: the name, the address, and what a file of it is called."""

    @property
    def state_text(self) -> StateText:
        return STATE_TEXTS[self.state]

    @property
    def verify_command(self) -> str:
        """A line for a shell that asks this service to verify the credential."""
        body = shlex.quote(json.dumps({"url": self.url}))
        return f"curl -H 'Content-Type: application/json' \\\n  -d {body} \\\n  {shlex.quote(self.base_url + '/v1/verify')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AchievementView(PageView):
    """One version of an achievement. `decision_rule` says in a sentence which levels earn it."""

    name: str
    description: str
    url: str
    json_url: str
    image_url: str | None
    image_alt: str
    issuer: Party
    version: int
    state: str
    achievement_type: str
    criteria_narrative: str
    decision_rule: str
    criteria: Sequence[CriterionView]
    creator: CreatorView | None = None
    criteria_url: str | None = None
    in_language: str = ""
    translations: Sequence[TranslationView] = ()
    field_of_study: str = ""
    specialization: str = ""
    human_code: str = ""
    credits_available: str = ""
    other_identifiers: Sequence[OtherIdentifierView] = ()
    published_on: date | None = None
    task_summary: str = ""
    task_parts: Sequence[TaskPartView] = ()
    required_evidence: Sequence[RequiredEvidenceView] = ()
    alignments: Sequence[AlignmentView] = ()
    tags: Sequence[str] = ()
    versions: Sequence[VersionView] = ()
    quality_url: str | None = None
    is_listed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerView(PageView):
    """An issuer. `did` is its id in the credentials it issues; `left_at` when it ended its issuing here."""

    name: str
    description: str
    url: str
    json_url: str
    did: str
    left_at: date | None = None
    verified_as: str | None = None
    verified_at: date | None = None
    website: str | None = None
    image_url: str | None = None
    image_alt: str = ""
    achievements: Sequence[CardView] = ()
    keys: Sequence[KeyView] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelView(PageView):
    """A panel of assessors: how many, never who. Or an external source, who judged earlier awards."""

    name: str
    description: str
    issuer: Party
    assessor_count: int
    is_external: bool = False
    website: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemView(PageView):
    """One problem code. `example` is a problem document (RFC 9457) as it may be received, `example_request` what led to it."""

    code: str
    title: str
    status: int
    cause: str
    cure: str
    example: Mapping[str, object] = field(default_factory=dict)
    example_request: str = ""

    @property
    def url(self) -> str:
        return f"{self.base_url}/problems/{self.code}"

    @property
    def example_json(self) -> str:
        return json.dumps(self.example, indent=2, ensure_ascii=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemsView(PageView):
    problems: Sequence[ProblemView]


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeView(PageView):
    """The start page of the service."""

    docs_url: str
    openapi_url: str
    issuers: Sequence[CardView] = ()
    achievements: Sequence[CardView] = ()
    example_credential_url: str | None = None

    @property
    def verify_command(self) -> str:
        body = shlex.quote(
            json.dumps({"url": self.example_credential_url or f"{self.base_url}/credentials/…"}, ensure_ascii=False)
        )
        return f"curl -H 'Content-Type: application/json' \\\n  -d {body} \\\n  {shlex.quote(self.base_url + '/v1/verify')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFoundView(PageView):
    """Nothing here, or nothing any more."""

    NOTHING: ClassVar[str] = (
        "There is no page at this address. The link may be incomplete, or what it named was never public."
    )
    GONE: ClassVar[str] = (
        "What was here has been removed for good. Copies that people hold are theirs and go on working."
    )

    title: str = "Not found"
    detail: str = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityView(PageView):
    """A quality report. `digest` is the SHA-256 (hex) of a frozen one's JSON."""

    report: QualityReport
    json_url: str
    issuer: Party
    digest: str = ""

    @staticmethod
    def measure(name: str) -> str:
        """A statistic by the name people know it by."""
        return MEASURES.get(name, name)

    @staticmethod
    def reason(reason: str | None) -> str:
        """Why there is no number."""
        return REASONS.get(reason or "", reason or "")

    @staticmethod
    def told(value: float) -> str:
        return f"{value:.2f}"


MEASURES: Mapping[str, str] = {
    "exact_agreement": "Same level",
    "adjacent_agreement": "At most one level apart",
    "cohen_kappa": "Cohen’s kappa",
    "weighted_kappa_quadratic": "Kappa, quadratic weights",
    "krippendorff_alpha_ordinal": "Krippendorff’s alpha, ordinal",
    "krippendorff_alpha_nominal": "Krippendorff’s alpha, nominal",
    "gwet_ac1": "Gwet’s AC1",
}
REASONS: Mapping[str, str] = {
    "no_data": "no readings",
    "one_category": "undefined: all at one level",
    "one_rater": "undefined: one reader",
    "too_few_clusters": "too few submissions",
    "not_computed": "not computed yet",
    "no_disagreement": "too little disagreement",
    "small_cell": "fewer than ten submissions",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityListView(PageView):
    """Which quality reports there are of an achievement version."""

    reports: QualityWindows
    json_url: str
    issuer: Party


View = (
    CredentialView
    | AchievementView
    | IssuerView
    | PanelView
    | ProblemView
    | ProblemsView
    | HomeView
    | NotFoundView
    | QualityView
    | QualityListView
)
