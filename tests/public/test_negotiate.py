"""Content negotiation: who gets the page and who the document."""

import pytest

from app.public.negotiate import MediaRange, negotiate, parse_accept, prefers_html

CHROMIUM = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7"
)
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
SAFARI = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    "accept",
    [
        CHROMIUM,
        FIREFOX,
        SAFARI,
        "text/html",
        "TEXT/HTML",
        "text/*",
        "text/html;q=0.9, application/json;q=0.1",
        "text/html, */*;q=0.1",
    ],
)
def test_who_names_html_gets_the_page(accept: str) -> None:
    assert prefers_html(accept)


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "",
        "*/*",
        "application/json",
        "application/ld+json",
        "application/vc+ld+json",
        "application/vc",
        'application/ld+json; profile="https://example.org/a,text/html;b"',
        "application/json, text/html",
        "text/html;q=0.4, application/json;q=0.5",
        "text/html;q=0, */*",
        "image/png",
        "text/html;q=2",
        "rubbish",
        ", ,;;",
    ],
)
def test_everyone_else_gets_the_document(accept: str | None) -> None:
    assert not prefers_html(accept)


OFFERED = ("application/json", "application/ld+json", "text/html")


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("application/ld+json", "application/ld+json"),
        ("application/*;q=0.5, application/ld+json;q=0.4, text/html;q=0.45", "application/json"),
        # RFC 9110 §12.5.1: the more specific range decides, not the higher weight.
        ("*/*, application/json;q=0", "application/ld+json"),
        ("application/json;q=0.001, application/*;q=0", "application/json"),
        ("text/html; q=0.8, application/json ;Q=0.7", "text/html"),
        ('text/html;a="x;q=0.1,y", application/json;q=0.9', "text/html"),
        ("image/png", None),
        ("*/*;q=0", None),
        ("*/html", "application/json"),
    ],
)
def test_the_best_of_what_is_offered(accept: str | None, chosen: str | None) -> None:
    assert negotiate(accept, OFFERED) == chosen


def test_a_parameter_of_an_offer_is_no_part_of_its_name() -> None:
    assert negotiate("text/html", ["text/html; charset=utf-8"]) == "text/html; charset=utf-8"
    assert negotiate("text/plain", ["text/html; charset=utf-8"]) is None


def test_ranges_that_are_none_are_skipped() -> None:
    accept = "text/html, nonsense, a/b/c, text/plain;q=1.5, image/*;q=0.25"
    assert parse_accept(accept) == [MediaRange("text", "html", 1.0), MediaRange("image", "*", 0.25)]


@pytest.mark.parametrize("accept", ['"\\"' * 30_000, "a/b," * 30_000, '"' * 60_000, ";" * 60_000, 'a/b;x="\\' * 10_000])
@pytest.mark.timeout(60)
def test_a_hostile_header_is_read_before_long(accept: str) -> None:
    assert prefers_html(accept) is False
