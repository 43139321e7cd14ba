"""Credentials in pictures: what is baked is read back, by nobody else's rules than the standard's."""

import json
import random
import struct
import zlib
from io import BytesIO
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
from openbadgeslib import baking as theirs
from PIL import Image, PngImagePlugin

from app.openbadges.badge_image import InvalidImage, normalize_png
from app.openbadges.baking import (
    KEYWORD,
    MAX_BAKED,
    MAX_CREDENTIAL,
    NAMESPACE,
    NotBaked,
    bake_png,
    bake_svg,
    is_picture,
    unbake,
    wrap_png,
)
from app.openbadges.svg import sanitize_svg

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CREDENTIAL = '{"id":"urn:uuid:1","name":"Größe 証 \\u0007 <&\\"\'> ]] > {}","proof":[]}'.encode()
OTHER = b'{"id":"urn:uuid:2"}'


def png(side: int = 100) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (side, side), "navy").save(buffer, "PNG")
    return normalize_png(buffer.getvalue())


def svg() -> bytes:
    return sanitize_svg(
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path id="a>b" d="M0 0H9"/><title>A &gt; B</title></svg>'
    )


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Read by other code than what is tested."""
    found, at = [], 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def with_chunk(data: bytes, kind: bytes, content: bytes) -> bytes:
    """The PNG with one more chunk, right behind its header."""
    return data[:33] + chunk(kind, content) + data[33:]


PICTURES = {"png": png(), "svg": svg(), "wrapped": wrap_png(png())}


def bake(name: str, picture: bytes, credential: bytes) -> bytes:
    return (bake_png if name == "png" else bake_svg)(picture, credential)


@pytest.mark.parametrize("name", PICTURES)
def test_what_is_baked_is_read_back_byte_for_byte(name: str) -> None:
    baked = bake(name, PICTURES[name], CREDENTIAL)
    assert is_picture(baked)
    assert unbake(baked).encode() == CREDENTIAL
    assert bake(name, PICTURES[name], CREDENTIAL) == baked


@pytest.mark.parametrize("name", PICTURES)
def test_an_already_baked_picture_is_overwritten(name: str) -> None:
    once = bake(name, PICTURES[name], CREDENTIAL)
    assert bake(name, once, OTHER) == bake(name, PICTURES[name], OTHER)
    assert bake(name, once, CREDENTIAL) == once


def test_the_png_chunk_is_to_the_letter() -> None:
    before, after = chunks(png()), chunks(bake_png(png(), CREDENTIAL))
    [carrier] = [content for kind, content in after if kind == b"iTXt"]
    assert carrier == b"openbadgecredential\0\0\0\0\0" + CREDENTIAL
    assert [each for each in after if each[0] != b"iTXt"] == before
    kinds = [kind for kind, _ in after]
    assert kinds.index(b"iTXt") < kinds.index(b"IDAT")
    with Image.open(BytesIO(bake_png(png(), CREDENTIAL))) as image:
        image.load()
        assert image.info == {"openbadgecredential": CREDENTIAL.decode()}
        assert image.tobytes() == Image.open(BytesIO(png())).tobytes()


def test_other_texts_of_a_png_stay() -> None:
    noted = with_chunk(png(), b"tEXt", b"Author\0Somebody")
    assert (b"tEXt", b"Author\0Somebody") in chunks(bake_png(noted, CREDENTIAL))


@pytest.mark.parametrize("name", ["svg", "wrapped"])
def test_the_svg_element_is_to_the_letter(name: str) -> None:
    baked = bake_svg(PICTURES[name], CREDENTIAL)
    root = fromstring(baked)
    assert root[0].tag == f"{{{NAMESPACE}}}credential"
    assert (root[0].attrib, root[0].text) == ({}, CREDENTIAL.decode())
    assert [element.tag for element in root.iter()].count(root[0].tag) == 1
    assert b' xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0"' in baked.partition(b">")[0]
    assert b"><openbadges:credential><![CDATA[{" in baked
    root.remove(root[0])
    assert [element.tag for element in root.iter()] == [element.tag for element in fromstring(PICTURES[name]).iter()]


@pytest.mark.parametrize(
    "text", ["a]]>b", "]]>", "]]>]]>", "]]]]>>", "\ufffe\uffff", "</openbadges:credential>", "<![CDATA["]
)
@pytest.mark.parametrize("name", PICTURES)
def test_what_ends_cdata_does_not_end_the_credential(name: str, text: str) -> None:
    credential = json.dumps({"name": text}, ensure_ascii=False).encode()
    baked = bake(name, PICTURES[name], credential)
    assert json.loads(unbake(baked)) == {"name": text}
    assert bake(name, bake(name, baked, OTHER), credential) == baked
    if name != "png":
        assert baked.count(b"]]>") == 1
        assert json.loads(fromstring(baked)[0].text or "") == {"name": text}


def test_a_wrapped_png_is_the_png() -> None:
    root = fromstring(wrap_png(png()))
    assert root.attrib == {"width": "100", "height": "100", "viewBox": "0 0 100 100"}
    [image] = root
    assert image.attrib["href"].startswith("data:image/png;base64,")


@pytest.mark.parametrize("credential", [b"", b"[]", b"a.b.c", b'{"a": "\0"}', b"{" + b" " * MAX_CREDENTIAL])
@pytest.mark.parametrize("name", PICTURES)
def test_only_json_objects_of_bearable_size_are_baked(name: str, credential: bytes) -> None:
    with pytest.raises(NotBaked):
        bake(name, PICTURES[name], credential)


def test_only_what_was_made_safe_is_baked_into() -> None:
    for foreign in (
        b"<svg/>",
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b'<?xml version="1.0"?>' + svg(),
        b'<!DOCTYPE svg><svg xmlns="http://www.w3.org/2000/svg"></svg>',
        b"",
    ):
        with pytest.raises(InvalidImage):
            bake_svg(foreign, CREDENTIAL)
    for foreign in (
        b"",
        b"GIF89a",
        SIGNATURE,
        png()[:-20],
        SIGNATURE + chunk(b"IHDR", bytes(13)) + chunk(b"IEND", b""),
    ):
        with pytest.raises(NotBaked):
            bake_png(foreign, CREDENTIAL)


def itxt(text: bytes, *, keyword: bytes = KEYWORD, head: bytes = b"\0\0\0\0") -> bytes:
    return with_chunk(png(), b"iTXt", keyword + b"\0" + head + text)


def test_language_and_translated_keyword_are_passed_over() -> None:
    assert unbake(itxt(CREDENTIAL, head=b"\0\0de\0Nachweis\0")).encode() == CREDENTIAL


BAD_PNGS = {
    "nothing inside": png(),
    "empty": itxt(b""),
    "compressed": itxt(zlib.compress(CREDENTIAL), head=b"\1\0\0\0"),
    "compressed bomb": itxt(zlib.compress(bytes(200 << 20)), head=b"\1\0\0\0"),
    "not UTF-8": itxt(b"{\xff}"),
    "cut short": with_chunk(png(), b"iTXt", KEYWORD + b"\0\0\0"),
    "cut at the flag": with_chunk(png(), b"iTXt", KEYWORD + b"\0"),
    "two": with_chunk(bake_png(png(), CREDENTIAL), b"iTXt", KEYWORD + b"\0\0\0\0\0" + OTHER),
    "too large a credential": itxt(b"{" + b" " * MAX_CREDENTIAL),
    "other keyword": itxt(CREDENTIAL, keyword=b"openbadgecredentials"),
    "in a tEXt chunk": with_chunk(png(), b"tEXt", KEYWORD + b"\0" + CREDENTIAL),
    "two of Open Badges 2.0": with_chunk(
        itxt(CREDENTIAL, keyword=b"openbadges"), b"iTXt", b"openbadges\0\0\0\0\0" + OTHER
    ),
    "behind the end": png() + chunk(b"iTXt", KEYWORD + b"\0\0\0\0\0" + CREDENTIAL),
    "wrong checksum": bake_png(png(), CREDENTIAL).replace(b"urn:uuid:1", b"urn:uuid:3"),
    "length beyond the file": SIGNATURE + chunk(b"IHDR", bytes(13)) + struct.pack(">I", 0xFFFFFFF0) + b"iTXt" + bytes(9),
    "no header": SIGNATURE + chunk(b"iTXt", KEYWORD + b"\0\0\0\0\0" + CREDENTIAL) + chunk(b"IEND", b""),
    "no end": bake_png(png(), CREDENTIAL)[:-12],
    "100,000 chunks": with_chunk(png(), b"tEXt", b"")[:33] + chunk(b"tEXt", b"") * 100_000 + png()[33:],
    "larger than is read": bake_png(png(), CREDENTIAL) + bytes(MAX_BAKED),
    "signature alone": SIGNATURE,
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_PNGS)
def test_a_png_that_is_not_well_baked_is_refused(name: str) -> None:
    with pytest.raises(NotBaked) as refused:
        unbake(BAD_PNGS[name])
    assert ("more than one" in refused.value.detail) == name.startswith("two")


def test_pixels_are_not_decoded() -> None:
    """A PNG of 20,000 x 20,000 pixels is read like any other: its credential is text."""
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 6, 0, 0, 0)
    carrier = chunk(b"iTXt", KEYWORD + b"\0\0\0\0\0" + CREDENTIAL)
    bomb = (
        SIGNATURE
        + chunk(b"IHDR", header)
        + carrier
        + chunk(b"IDAT", zlib.compress(bytes(1 << 20)))
        + chunk(b"IEND", b"")
    )
    assert unbake(bomb).encode() == CREDENTIAL


NS = f'xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="{NAMESPACE}"'
ELEMENT = "<openbadges:credential>%s</openbadges:credential>"


def test_an_svg_baked_by_others_is_read() -> None:
    text = '{"a":"&lt;"}'
    for inside in (
        ELEMENT % '<![CDATA[{"a":"<"}]]>',
        ELEMENT % text,
        ELEMENT % f"\n  {text}\n",
        "<path/>" + ELEMENT % text,
        f'<ob:credential xmlns:ob="{NAMESPACE}">{text}</ob:credential>',
    ):
        assert json.loads(unbake(f"<svg {NS}>{inside}</svg>".encode())) == {"a": "<"}
    doctype = '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
    assert unbake(f"\ufeff<?xml version='1.0'?>\n{doctype}<svg {NS}>{ELEMENT % text}</svg>".encode()) == '{"a":"<"}'
    assert unbake(f'<svg {NS}><openbadges:credential verify="a.b.c"/></svg>'.encode()) == "a.b.c"


OLDER = '<a:assertion xmlns:a="http://openbadges.org" verify="%s">%s</a:assertion>'
ASSERTION = '<![CDATA[{"type":"Assertion"}]]>'


@pytest.mark.parametrize(
    ("verify", "body", "found"),
    [
        ("a.b.c", "", "a.b.c"),
        ("a.b.c", ASSERTION, "a.b.c"),
        ("https://badges.example/1", ASSERTION, '{"type":"Assertion"}'),
        ("", ASSERTION, '{"type":"Assertion"}'),
        ("https://badges.example/1", " ", "https://badges.example/1"),
    ],
)
def test_an_svg_of_open_badges_2_is_read(verify: str, body: str, found: str) -> None:
    assert unbake(f"<svg {NS}>{OLDER % (verify, body)}</svg>".encode()) == found
    newer = f"<svg {NS}>{OLDER % (verify, body)}{ELEMENT % '{}'}</svg>"
    assert unbake(newer.encode()) == "{}"


def test_a_png_of_open_badges_2_is_read_unless_it_carries_something_newer() -> None:
    older = itxt(OTHER, keyword=b"openbadges")
    assert unbake(older).encode() == OTHER
    assert unbake(bake_png(older, CREDENTIAL)).encode() == CREDENTIAL


BAD_SVGS = {
    "nothing inside": f"<svg {NS}/>",
    "two": f"<svg {NS}>{ELEMENT % '{}'}{ELEMENT % '{}'}</svg>",
    "one in the other": f"<svg {NS}>{ELEMENT % (ELEMENT % '{}')}</svg>",
    "elements in it": f"<svg {NS}>{ELEMENT % '<b>{}</b>'}</svg>",
    "empty": f"<svg {NS}>{ELEMENT % '  '}</svg>",
    "namespace with /spec/": f"<svg {NS}>{ELEMENT % '{}'}</svg>".replace("org/ob/", "org/spec/ob/"),
    "two of Open Badges 2.0": f"<svg {NS}>{2 * OLDER % ('a.b.c', '', 'a.b.c', '')}</svg>",
    "not an SVG": f"<html {NS}>{ELEMENT % '{}'}</html>",
    "SVG without its namespace": "<svg><credential>{}</credential></svg>",
    "not XML": f"<svg {NS}>{ELEMENT % '{}'}",
    "entity": f'<!DOCTYPE svg [<!ENTITY e "{{}}">]><svg {NS}>{ELEMENT % "&e;"}</svg>',
    "billion laughs": '<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {n} "{f"&{p};" * 10}">' for p, n in zip("abcdefgh", "bcdefghi", strict=True))
    + f"]><svg {NS}>{ELEMENT % '&i;'}</svg>",
    "foreign entity": f'<!DOCTYPE svg [<!ENTITY e SYSTEM "file:///etc/passwd">]><svg {NS}>{ELEMENT % "&e;"}</svg>',
    "many tags": f"<svg {NS}>{'<g/>' * 250_000}{ELEMENT % '{}'}</svg>",
    "too large a credential": f"<svg {NS}>{ELEMENT % ('{' + ' ' * MAX_CREDENTIAL + '}')}</svg>",
}


@pytest.mark.parametrize("name", BAD_SVGS)
def test_an_svg_that_is_not_well_baked_is_refused(name: str) -> None:
    with pytest.raises(NotBaked) as refused:
        unbake(BAD_SVGS[name].encode())
    assert ("more than one" in refused.value.detail) == name.startswith("two")
    assert "passwd" not in refused.value.detail


def test_other_encodings_are_refused() -> None:
    for encoding in ("utf-16", "latin-1"):
        with pytest.raises(NotBaked):
            unbake(f"<svg {NS}><title>é</title>{ELEMENT % '{}'}</svg>".encode(encoding))


def test_what_is_no_picture() -> None:
    for data in (b"", b"{}", b' {"a": "<svg>"}', b"GIF89a", b"\x89PNG"):
        assert not is_picture(data)
        with pytest.raises(NotBaked):
            unbake(data)
    assert is_picture(b"\xef\xbb\xbf \n<svg/>")


def test_damage_anywhere_is_refused_or_harmless() -> None:
    """Whatever a byte is changed to: a text comes out or NotBaked, nothing else."""
    source = random.Random(7)
    for name, picture in PICTURES.items():
        baked = bake(name, picture, CREDENTIAL)
        outcomes = set()
        for _ in range(400):
            changed = bytearray(baked)
            for _ in range(source.randint(1, 3)):
                changed[source.randrange(len(changed))] = source.randrange(256)
            try:
                unbake(bytes(changed))
                outcomes.add("read")
            except NotBaked:
                outcomes.add("refused")
        assert "refused" in outcomes, name


# --- other people's software -----------------------------------------------------------------------------------------


def test_openbadgeslib_reads_the_same_bytes() -> None:
    assert theirs.extract_png(bake_png(png(), CREDENTIAL), keyword=theirs.ITXT_KEYWORD_OB3) == CREDENTIAL.decode()
    for name in ("svg", "wrapped"):
        baked = bake_svg(PICTURES[name], CREDENTIAL)
        found = theirs.extract_svg(baked, element=theirs.SVG_ELEMENT_OB3, text_fallback=True)
        assert found == CREDENTIAL.decode()


def test_what_openbadgeslib_bakes_is_read() -> None:
    text = CREDENTIAL.decode()
    baked = theirs.bake_png(png(), text, keyword=theirs.ITXT_KEYWORD_OB3)
    assert unbake(baked) == text
    drawn = theirs.bake_svg(svg(), text, element=theirs.SVG_ELEMENT_OB3, namespace=theirs.SVG_NS_OB3, as_text=True)
    assert unbake(drawn) == text
    jwt = theirs.bake_svg(svg(), "a.b.c", element=theirs.SVG_ELEMENT_OB3, namespace=theirs.SVG_NS_OB3)
    assert unbake(jwt) == "a.b.c"
    # Uploaded as an achievement's picture, it loses what it carried: nothing old is baked into anything new.
    assert unbake(bake_svg(sanitize_svg(drawn), OTHER)).encode() == OTHER
    assert unbake(bake_png(normalize_png(baked), OTHER)).encode() == OTHER


def test_openbadgeslib_overwrites_nothing_and_we_do() -> None:
    """It adds a second chunk to a baked PNG; baking that again leaves one."""
    twice = theirs.bake_png(bake_png(png(), CREDENTIAL), OTHER.decode(), keyword=theirs.ITXT_KEYWORD_OB3)
    with pytest.raises(NotBaked, match="more than one"):
        unbake(twice)
    assert unbake(bake_png(twice, OTHER)).encode() == OTHER


def test_pillow_refuses_what_the_upload_must_not_hold(tmp_path: Path) -> None:
    """A text bomb in an uploaded picture: refused before anything is baked."""
    info = PngImagePlugin.PngInfo()
    info.add_itxt("openbadgecredential", "A" * (80 << 20), zip=True)
    path = tmp_path / "bomb.png"
    Image.new("RGB", (100, 100)).save(path, "PNG", pnginfo=info)
    assert path.stat().st_size < 100_000
    with pytest.raises(InvalidImage):
        normalize_png(path.read_bytes())
    with pytest.raises(NotBaked, match="compressed"):
        unbake(path.read_bytes())
