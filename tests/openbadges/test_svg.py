"""Uploaded SVGs: what is left of them is harmless, and what would look different is refused."""

import random
import time
from xml.etree.ElementTree import fromstring

import pytest
from PIL import Image

from app.achievements.rasterize import rasterize
from app.openbadges.badge_image import MAX_BYTES, InvalidImage
from app.openbadges.svg import KEPT, MAX_ELEMENTS, sanitize_svg

SVG = "{http://www.w3.org/2000/svg}"
HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'xmlns:ink="http://www.inkscape.org/namespaces/inkscape" viewBox="0 0 100 100"'
)
RECT = '<rect width="50" height="100" fill="#d00000"/>'


def drawn(inside: str, attributes: str = "") -> bytes:
    return f"{HEAD} {attributes}>{inside}</svg>".encode()


def sanitized(inside: str, attributes: str = "") -> str:
    clean = sanitize_svg(drawn(inside, attributes))
    assert sanitize_svg(clean) == clean
    return clean.decode()


PLAIN = sanitized(RECT)


def test_a_plain_picture_stays() -> None:
    assert PLAIN == (
        '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="600" viewBox="0 0 100 100">'
        '<rect width="50" height="100" fill="#d00000" /></svg>'
    )


@pytest.mark.parametrize(
    "hidden",
    [
        "<script>alert(1)</script>",
        '<script href="https://evil.example/x.js"/>',
        "<script><![CDATA[alert(1)]]></script>",
        "<metadata><rdf/></metadata>",
        '<animate attributeName="href" values="javascript:alert(1)"/>',
        '<set attributeName="onload" to="alert(1)"/>',
        "<!-- a comment -->",
        '<?xml-stylesheet href="https://evil.example/a.css"?>',
        "<ink:namedview onload='alert(1)'><path/></ink:namedview>",
        '<x:script xmlns:x="http://www.w3.org/1999/xhtml">alert(1)</x:script>',
        '<iframe xmlns="http://www.w3.org/1999/xhtml" src="javascript:alert(1)"/>',
        '<script xmlns="">alert(1)</script>',
        '<c:credential xmlns:c="https://purl.imsglobal.org/ob/v3p0"><![CDATA[{}]]></c:credential>',
    ],
)
def test_what_does_not_show_is_left_out(hidden: str) -> None:
    assert sanitized(hidden + RECT + hidden) == PLAIN


@pytest.mark.parametrize(
    "attribute",
    [
        'onload="alert(1)"',
        'onclick="alert(1)"',
        'ONLOAD="alert(1)"',
        'ink:label="x"',
        'class="a"',
        'data-x="javascript:alert(1)"',
        'xlink:title="x"',
        'style="-ink-x: url(https://evil.example); background: url(https://evil.example)"',
        'xml:base="https://evil.example/"',
        'requiredExtensions="x"',
        'href="https://evil.example"',
        'begin="onload"',
    ],
)
def test_attributes_that_are_not_listed_are_left_out(attribute: str) -> None:
    assert sanitized(RECT.replace("<rect", f"<rect {attribute}"), attribute) == PLAIN


@pytest.mark.parametrize(
    "inside",
    [
        '<image href="https://evil.example/pixel.png" width="9" height="9"/>',
        '<image xlink:href="data:image/svg+xml;base64,PHN2Zz4=" width="9" height="9"/>',
        "<foreignObject><body xmlns='http://www.w3.org/1999/xhtml'>x</body></foreignObject>",
        "<text>A</text>",
        "<style>@import url(https://evil.example/a.css)</style>",
        '<use href="https://evil.example/a.svg#b"/>',
        '<use xlink:href="https://evil.example/a.svg#b"/>',
        '<use href="data:image/svg+xml,%3Csvg/%3E#a"/>',
        '<use href="//evil.example/a.svg#b"/>',
        '<use href=""/>',
        '<rect fill="url(https://evil.example/a.svg#b)"/>',
        '<rect fill="URL( //evil.example )"/>',
        "<rect fill=\"url('#a') url(https://evil.example)\"/>",
        '<rect style="fill:url(https://evil.example/a.svg#b)"/>',
        '<rect style="FILL: u\\72l(https://evil.example)"/>',
        '<rect fill="u\\72l(https://evil.example)"/>',
        '<rect fill="u/**/rl(https://evil.example)"/>',
        "<rect fill=\"image('https://evil.example/')\"/>",
        '<rect fill="expression(alert(1));"/>',
        '<rect mask="&quot;&gt;&lt;script&gt;"/>',
        '<path d="M0 0&#10;&lt;/svg&gt;"/>',
        '<filter id="f"><feImage href="https://evil.example/pixel.png"/></filter>',
        '<filter id="f"><feTurbulence numOctaves="9999"/></filter>',
        '<marker id="m"/>',
        '<gradient-of-mine/>',
        "<SCRIPT>alert(1)</SCRIPT>",
    ],
)  # fmt: skip
def test_what_shows_and_cannot_be_kept_is_refused(inside: str) -> None:
    with pytest.raises(InvalidImage) as refused:
        sanitize_svg(drawn(inside))
    assert refused.value.cure
    assert "evil" not in refused.value.detail


def test_references_inside_are_kept() -> None:
    inside = (
        '<defs><linearGradient id="a"><stop offset="0" stop-color="red"/></linearGradient>'
        '<linearGradient id="b" xlink:href="#a"/><clipPath id="c"><circle r="9"/></clipPath></defs>'
        '<g clip-path="url(#c)"><rect id="r" fill="url( \'#b\' ) none" transform="rotate(45, 1 1)"/></g>'
        '<use xlink:href="#r" x="5"/>'
    )
    clean = sanitized(inside)
    assert 'href="#a"' in clean
    assert 'fill="url(#b) none"' in clean
    assert '<use href="#r" x="5" />' in clean
    assert "xlink" not in clean


def test_styles_become_attributes_and_links_groups() -> None:
    clean = sanitized(
        '<a href="https://example.org" target="_top"><rect fill="red" style="fill: #0f0 !important; Stroke:#000"/></a>'
    )
    assert '<g><rect fill="#0f0" stroke="#000" /></g>' in clean


def test_title_is_text() -> None:
    assert "<title>A &lt;b&gt; C</title>" in sanitized("<title onclick='x'>A &lt;b&gt; <g>C</g></title>" + RECT)


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ('width="300" height="150"', ("600", "300")),
        ('width="3cm" height="2cm"', ("600", "400")),
        ('width="100%" height="100%"', ("600", "600")),
        ('width="20000" height="20000"', ("600", "600")),
        ('width="1e9" height="1"', ("600", "600")),
    ],
)
def test_the_picture_keeps_its_proportions(attributes: str, size: tuple[str, str]) -> None:
    root = fromstring(sanitized(RECT, attributes))
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == (*size, "0 0 100 100")


def test_a_picture_without_viewbox_gets_one() -> None:
    clean = sanitize_svg(b'<svg xmlns="http://www.w3.org/2000/svg" width="30px" height="20"/>')
    with_units = sanitize_svg(b'<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"/>')
    assert fromstring(with_units).get("viewBox") == "0 0 30 20"
    assert fromstring(clean).tag == f"{SVG}svg"


NS = b'xmlns="http://www.w3.org/2000/svg"'
REFUSED = {
    "nothing": b"",
    "not XML": b"<svg",
    "JSON": b"{}",
    "PNG": b"\x89PNG\r\n\x1a\n",
    "HTML": b"<html/>",
    "no namespace": b'<svg viewBox="0 0 9 9"/>',
    "no size": b"<svg %s/>" % NS,
    "size in percent alone": b'<svg %s width="100%%" height="100%%"/>' % NS,
    "nothing wide": b'<svg %s viewBox="0 0 0 9"/>' % NS,
    "negative": b'<svg %s viewBox="0 0 -9 -9"/>' % NS,
    "not a number": b'<svg %s viewBox="0 0 NaN inf"/>' % NS,
    "banner": b'<svg %s viewBox="0 0 900 100"/>' % NS,
    "DOCTYPE": b'<!DOCTYPE svg><svg %s viewBox="0 0 9 9"/>' % NS,
    "DOCTYPE elsewhere": b'<!DOCTYPE svg SYSTEM "https://evil.example/a.dtd"><svg %s viewBox="0 0 9 9"/>' % NS,
    "entity": b'<!DOCTYPE svg [<!ENTITY e "x">]><svg %s viewBox="0 0 9 9"><title>&e;</title></svg>' % NS,
    "foreign entity": b'<!DOCTYPE svg [<!ENTITY e SYSTEM "file:///etc/passwd">]><svg %s><title>&e;</title></svg>' % NS,
    "UTF-16": drawn(RECT).decode().encode("utf-16"),
    "unknown encoding": b'<?xml version="1.0" encoding="klingon"?><svg %s viewBox="0 0 9 9"><a></svg>' % NS,
    "too many bytes": drawn("<!--" + "x" * MAX_BYTES + "-->"),
    "too many elements": drawn("<g/>" * (MAX_ELEMENTS + 1)),
    "far too many elements": drawn("<g/>" * 100_000),
    "too deep": drawn("<g>" * 65 + "</g>" * 65),
    "itself": drawn('<g id="a"><use href="#a"/></g>'),
    "one another": drawn('<pattern id="a" href="#b"/><pattern id="b" href="#a"/>'),
    "a billion": drawn(
        '<g id="g0"/>' + "".join(f'<g id="g{k + 1}">' + f'<use href="#g{k}"/>' * 10 + "</g>" for k in range(9))
    ),
    "a long chain": drawn("".join(f'<g id="g{k}"><use href="#g{k + 1}"/></g>' for k in range(2000)) + '<g id="g2000"/>'),
}  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_sound_picture_is_refused(name: str) -> None:
    with pytest.raises(InvalidImage) as refused:
        sanitize_svg(REFUSED[name])
    assert "passwd" not in refused.value.detail


def test_just_within_the_limits_is_accepted() -> None:
    """The pair of the test above."""
    assert sanitize_svg(drawn("<g/>" * (MAX_ELEMENTS - 1))).count(b"<g />") == MAX_ELEMENTS - 1
    assert sanitize_svg(drawn("<g>" * 63 + "</g>" * 63))
    assert sanitize_svg(drawn('<g id="a"/><g id="b"><use href="#a"/><use href="#a"/></g><use href="#b"/>'))


def test_damage_gives_a_safe_picture_or_a_refusal() -> None:
    source, outcomes = random.Random(3), set()
    seed = drawn('<script>x</script><g onload="x"><use xlink:href="#a"/><rect id="a" style="fill:url(#b)"/></g>')
    for _ in range(2000):
        changed = bytearray(seed)
        for _ in range(source.randint(1, 4)):
            changed[source.randrange(len(changed))] = source.choice(b"<>\"'&;#/:xao =\x00\xff")
        try:
            clean = sanitize_svg(bytes(changed))
        except InvalidImage:
            outcomes.add("refused")
            continue
        outcomes.add("kept")
        for element in fromstring(clean).iter():
            name = element.tag.removeprefix(SVG)
            assert element.attrib.keys() <= KEPT[name]
    assert outcomes == {"refused", "kept"}


# --- drawing ---------------------------------------------------------------------------------------------------------


def test_a_safe_picture_is_drawn(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "drawn.png"
    path.write_bytes(rasterize(sanitize_svg(drawn(RECT, 'width="100" height="80"'))))
    with Image.open(path) as image:
        assert image.size == (600, 480)
        pixels = image.convert("RGBA")
    assert pixels.getpixel((200, 240)) == (0xD0, 0, 0, 255)
    assert pixels.getpixel((400, 240))[3] == 0  # type: ignore[index]


def test_drawing_ends_in_time() -> None:
    fill = '<linearGradient id="a"><stop/><stop offset="1" stop-color="red"/></linearGradient>'
    costly = sanitize_svg(drawn(fill + '<rect width="100" height="100" fill="url(#a)"/>' * 1200))
    begun = time.monotonic()
    with pytest.raises(InvalidImage, match="time"):
        rasterize(costly, seconds=1)
    assert time.monotonic() - begun < 4
    with pytest.raises(InvalidImage):
        rasterize(b"<svg")
