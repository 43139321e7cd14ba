"""From a view to the page: templates, and what an untrusted text may become in them.

Pages need no JavaScript, no inline style and nothing from another origin; `SECURITY_HEADERS` forbids all three and belongs on
every answer that carries one.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from app.public.markdown import MarkdownRenderer
from app.public.pages import PageView

STATIC_DIRECTORY = Path(__file__).parent / "static"
"""What is to be served under `{base}/static`."""

MEDIA_TYPE = "text/html; charset=utf-8"

SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

_MOST_URL_LENGTH = 2048
_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f-\xa0\u2000-\u200f\u2028-\u202f\u2060-\u206f\ufeff\"<>\\^`{|}]")
_CODE_SPAN = re.compile(r"`([^`<>\n]+)`")
_MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905


def web_url(url: str | None) -> str | None:
    """The URL when it may become a link: http or https, with a host, without user name, blanks or quotes. Else None."""
    if not url or len(url) > _MOST_URL_LENGTH or _NOT_IN_URLS.search(url):
        return None
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and has_host and "@" not in parts.netloc else None


def local_path(url: str | None, base_url: str) -> str | None:
    """The path of a URL of this service, else None.

    Pages refer to their own pictures and styles by path, so that they show under whatever name the service is reached; a
    picture from elsewhere would be refused by the content security policy anyway.
    """
    if web_url(url) is None or web_url(base_url) is None:
        return None
    assert url is not None
    there, here = urlsplit(url), urlsplit(base_url)
    return there.path if (there.scheme, there.netloc) == (here.scheme, here.netloc) else None


def paragraphs(text: str) -> Markup:
    """Plain text as paragraphs: blank lines part them, single line ends break lines. Everything in it is text, no markup."""
    blocks = re.split(r"\n[^\S\n]*\n\s*", text.replace("\r\n", "\n").replace("\r", "\n").strip())
    lines = (Markup("<br>\n").join(escape(line) for line in block.split("\n")) for block in blocks if block.strip())
    return Markup("\n").join(Markup('<p dir="auto">{}</p>').format(block) for block in lines)


def markdown(text: str) -> Markup:
    """A text that is Markdown, as its author meant it; one that takes too much work as plain paragraphs."""
    try:
        return _markdown.render(text)
    except ValueError:
        return paragraphs(text)


def with_code(text: str | Markup) -> Markup:
    """Escaped text, with what stands between backticks as code. For our own texts, which are written that way."""
    return Markup(_CODE_SPAN.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - nothing is unescaped here


def summary(text: str, length: int = 200) -> str:
    """The beginning of a text on one line, as the preview of a shared link shows it."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rsplit(" ", 1)[0] + "…"


def long_date(day: date) -> str:
    """14 April 2025; a time is told in UTC."""
    if isinstance(day, datetime):
        day = day.astimezone(UTC)
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def long_time(time: datetime) -> str:
    """14 April 2025, 16:05 UTC."""
    time = time.astimezone(UTC)
    return f"{long_date(time)}, {time:%H:%M} UTC"


def render(name: str, view: PageView) -> str:
    """The page of a template ("credential.html") for its view.

    Raises:
        jinja2.TemplateNotFound, jinja2.UndefinedError: the template does not exist, or is not one for this view.
    """
    return _environment.get_template(name).render(view=view)


def _environment_of_pages() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "web_url": web_url,
        "local_path": local_path,
        "paragraphs": paragraphs,
        "markdown": markdown,
        "with_code": with_code,
        "summary": summary,
        "long_date": long_date,
        "long_time": long_time,
    }
    return environment


_markdown = MarkdownRenderer(lambda url: web_url(url) is not None)
_environment = _environment_of_pages()
