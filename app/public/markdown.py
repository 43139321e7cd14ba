"""Markdown of issuers and learners (Open Badges 3.0: narratives are Markdown) as HTML that can do nothing. PURE.

Two walls. markdown-it makes the elements, with HTML, pictures and link definitions switched off, and a link only of an
address that `is_link` passes. nh3 (the ammonia sanitizer) then lets through the elements listed here and nothing else,
should the first wall ever have a hole. A heading becomes a bold paragraph: the outline of a page is the page's own.
"""

from collections.abc import Callable, Sequence
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

TAGS = frozenset("p br em strong ul ol li blockquote code pre hr a".split())  # noqa: SIM905
LINK_REL = "nofollow noopener"

MOST_BRACKETS = 200
"""Unmatched brackets cost quadratic time; no prose has as many."""


class MarkdownRenderer:
    """Renders texts whose links `is_link` accepts; anything else that looks like one stays the text it is."""

    def __init__(self, is_link: Callable[[str], bool]) -> None:
        self._parser = _Parser(is_link)
        self._cleaner = nh3.Cleaner(
            tags=set(TAGS),
            attributes={"*": set(), "a": {"href"}, "ol": {"start"}},
            attribute_filter=lambda _, name, value: value if name != "href" or is_link(value) else None,
            url_schemes={"http", "https"},
            url_relative="deny",
            link_rel=LINK_REL,
            # Arabic beside English: each block finds its own direction.
            set_tag_attribute_values={tag: {"dir": "auto"} for tag in ("p", "li", "blockquote")},
        )
        self._parser.render("*a*\n")  # compiles its rules, which two threads must not do at once

    def render(self, text: str) -> Markup:
        """The text as HTML. Raises ValueError when it has more than MOST_BRACKETS opening brackets."""
        if text.count("[") > MOST_BRACKETS:
            raise ValueError("too many brackets")
        return self.sanitize(str(self._parser.render(text)))

    def sanitize(self, html: str) -> Markup:
        """The second wall by itself: what of this HTML is allowed."""
        return Markup(self._cleaner.clean(html).strip())  # noqa: S704 - this is where untrusted HTML becomes safe


class _Parser(MarkdownIt):
    def __init__(self, is_link: Callable[[str], bool]) -> None:
        # breaks: a line end in a text that was never meant as Markdown is still one.
        super().__init__("commonmark", {"html": False, "breaks": True})
        self._is_link = is_link
        # A link definition is shown nowhere; what is signed must not hide from the page.
        self.disable(["html_block", "html_inline", "image", "reference"])
        self.add_render_rule("heading_open", _constant("<p><strong>"))
        self.add_render_rule("heading_close", _constant("</strong></p>\n"))

    def validateLink(self, url: str) -> bool:
        return self._is_link(url)


def _constant(html: str) -> Callable[..., str]:
    def rule(_renderer: Any, _tokens: Sequence[Token], _index: int, _options: Any, _env: Any) -> str:
        return html

    return rule
