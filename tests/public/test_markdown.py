"""Markdown of strangers: what it may become, and that nothing else gets through either of the two walls."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from app.public.markdown import LINK_REL, MOST_BRACKETS, TAGS, MarkdownRenderer
from app.public.pages import AchievementView, CredentialView, EvidenceView
from app.public.rendering import markdown, paragraphs, render, web_url
from tests.public.test_pages import ACHIEVEMENT, CREDENTIAL, PAYLOADS, Outline

LINKS_THAT_ARE_NONE = (
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](&#106;avascript:alert(1))",
    "[x](java&#10;script:alert(1))",
    "[x](java%0ascript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](file:///etc/passwd)",
    "[x](//evil.example)",
    "[x](/v1/learners)",
    "[x](#_verify)",
    "[x](mailto:a@example.org)",
    "[x](https://bank.example@evil.example/)",
    "[x](https:evil.example)",
    "<javascript:alert(1)>",
    "<mailto:a@example.org>",
    "[x]\n\n[x]: javascript:alert(1)",
    "[x]: https://hidden.example",
)
HOSTILE = (
    *PAYLOADS,
    *LINKS_THAT_ARE_NONE,
    "![x](https://evil.example/pixel.png)",
    '![x](x"onerror="alert(1))',
    '[x](https://ok.example "\\" onmouseover=alert(1) y=\\"")',
    "[<img src=x onerror=alert(1)>](https://ok.example)",
    "[x](https://ok.example/<script>alert(1)</script>)",
    "# <script>alert(1)</script>",
    "```html\n<script>alert(1)</script>\n```",
    '```" onmouseover="alert(1)\nx\n```',
    "    <script>alert(1)</script>",
    "- <svg onload=alert(1)>\n- > <iframe src=//evil.example>",
    "**<b onclick=alert(1)>**",
    '<https://ok.example/"onclick=alert(1)>',
)


def is_harmless(html: str) -> bool:
    outline = Outline(html)
    for element in outline.elements:
        allowed = {"dir"} | ({"href", "rel"} if element.name == "a" else set())
        allowed |= {"start"} if element.name == "ol" else set()
        if element.name not in TAGS or not element.attributes.keys() <= allowed:
            return False
        href, rel = element.attributes.get("href"), element.attributes.get("rel")
        if href is not None and (web_url(href) is None or rel != LINK_REL):
            return False
    return True


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_but_harmless_elements_comes_of_a_text(text: str) -> None:
    assert is_harmless(markdown(text))


@pytest.mark.parametrize("text", HOSTILE)
def test_the_second_wall_stands_alone(text: str) -> None:
    """What nh3 lets through of raw HTML, should markdown-it ever pass it on."""
    assert is_harmless(MarkdownRenderer(lambda url: web_url(url) is not None).sanitize(text))


def test_without_the_walls_the_corpus_is_not_harmless() -> None:
    """The counterpart: `is_harmless` does refuse."""
    assert sum(not is_harmless(f"<p>{payload}</p>") for payload in PAYLOADS if not payload.startswith(("<!", "&"))) > 20
    assert not is_harmless('<a href="javascript:alert(1)" rel="nofollow noopener">x</a>')
    assert not is_harmless('<a href="https://ok.example">x</a>')


@pytest.mark.parametrize("text", LINKS_THAT_ARE_NONE)
def test_what_is_no_web_address_is_no_link_and_stays_to_be_read(text: str) -> None:
    outline = Outline(markdown(text))
    assert not outline.all("a")
    assert "x" in outline.text or "example" in outline.text or "alert" in outline.text


@pytest.mark.parametrize("text", HOSTILE)
def test_a_page_of_hostile_markdown_keeps_its_policy(text: str) -> None:
    achievement: AchievementView = replace(ACHIEVEMENT, criteria_narrative=text, task_summary=text)
    credential: CredentialView = replace(CREDENTIAL, narrative=text, evidence=(EvidenceView("E", "", text),))
    for name, view in (("achievement.html", achievement), ("credential.html", credential)):
        outline = Outline(render(name, view))
        assert len(outline.all("h1")) == len(outline.all("main")) == 1
        for forbidden in ("script", "style", "form", "iframe", "object", "embed", "base"):
            assert not outline.all(forbidden)
        for element in outline.elements:
            assert not any(attribute.startswith("on") or attribute == "style" for attribute in element.attributes)
        assert all(image["src"].startswith("/images/") for image in outline.all("img"))


def test_what_markdown_is_for() -> None:
    html = markdown(
        "# What you show\n\nOne *real* piece of **work**, as in [the guide](https://guide.example/a?b=1&c=2).\nA line.\n\n"
        "1. Find\n2. Change\n\n- `code`\n\n> Said so.\n\n---\n"
    )
    assert html == (
        '<p dir="auto"><strong>What you show</strong></p>\n'
        '<p dir="auto">One <em>real</em> piece of <strong>work</strong>, as in '
        '<a href="https://guide.example/a?b=1&amp;c=2" rel="nofollow noopener">the guide</a>.<br>\nA line.</p>\n'
        '<ol>\n<li dir="auto">Find</li>\n<li dir="auto">Change</li>\n</ol>\n'
        '<ul>\n<li dir="auto"><code>code</code></li>\n</ul>\n'
        '<blockquote dir="auto">\n<p dir="auto">Said so.</p>\n</blockquote>\n<hr>'
    )


@pytest.mark.parametrize("text", ["", "  \n\n ", "One line.", "One\ntwo\n\nthree & <b>"])
def test_a_text_that_is_not_markdown_looks_as_it_always_did(text: str) -> None:
    assert markdown(text) == paragraphs(text)


def test_a_picture_becomes_a_link_that_nobody_follows_by_looking() -> None:
    outline = Outline(markdown("![chart](https://example.org/chart.png)"))
    assert not outline.all("img")
    assert outline.all("a") == [{"href": "https://example.org/chart.png", "rel": LINK_REL}]


LONG = 10_000
"""The longest text our API takes."""


@pytest.mark.parametrize(
    "piece",
    [
        "[",
        "![",
        "[a](b",
        "[a][b",
        "*a **a ",
        "***a",
        "> ",
        "- ",
        "`",
        "a`",
        "&",
        "<",
        "<a ",
        "\\",
        "_a_ ",
        "a\n",
        "* a\n",
        "1. ",
    ],
)
@pytest.mark.timeout(60)
def test_no_text_takes_for_ever(piece: str) -> None:
    assert is_harmless(markdown((piece * LONG)[:LONG]))


def test_too_many_brackets_are_shown_as_they_are() -> None:
    text = "[" * (MOST_BRACKETS + 1)
    assert markdown(text) == paragraphs(text)
    assert "<em>" in markdown("[" * MOST_BRACKETS + " *a*")


def test_threads_render_alike() -> None:
    """Pages are rendered in threads."""
    renderer = MarkdownRenderer(lambda url: web_url(url) is not None)
    text = "**a** [b](https://b.example)\n\n- c\n"
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(renderer.render, [text] * 64))) == 1


def test_names_and_summaries_are_no_markdown() -> None:
    text = Outline(render("achievement.html", replace(ACHIEVEMENT, description="*a*", name="*b*"))).text
    assert "*a*" in text
    assert "*b*" in text
