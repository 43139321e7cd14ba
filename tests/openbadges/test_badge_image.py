"""Badges that are drawn, and pictures that are uploaded."""

import random
import struct
import zlib
from io import BytesIO
from itertools import pairwise

import pytest
from PIL import Image, PngImagePlugin

from app.errors import InvalidInput
from app.openbadges.badge_image import (
    MAX_BYTES,
    OUTLINES,
    PALETTES,
    SIZE,
    InvalidImage,
    Palette,
    check_png,
    draw_badge,
    normalize_png,
)

NAME, ISSUER = "Implementing Equitable Practices", "Mira Education"

# --- drawn badges ----------------------------------------------------------------------------------------------------


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data)).convert("RGBA")


def difference(a: Image.Image, b: Image.Image) -> int:
    """Pixels that differ visibly at 64 px."""
    small = [image.resize((64, 64), Image.Resampling.BOX).tobytes() for image in (a, b)]
    pixels = [[data[k : k + 4] for k in range(0, len(data), 4)] for data in small]
    return sum(max(abs(x - y) for x, y in zip(p, q, strict=True)) > 24 for p, q in zip(*pixels, strict=True))


def test_the_same_badge_has_the_same_bytes() -> None:
    assert draw_badge(NAME, ISSUER, "seed") == draw_badge(NAME, ISSUER, "seed")


def test_a_badge_is_a_square_png_with_transparent_corners() -> None:
    data = draw_badge(NAME, ISSUER, "seed")
    check_png(data)
    image = opened(data)
    assert image.size == (SIZE, SIZE) == (600, 600)
    assert len(data) < 60_000
    alpha = image.getchannel("A")
    assert [alpha.getpixel(corner) for corner in ((0, 0), (599, 0), (0, 599), (599, 599))] == [0, 0, 0, 0]
    assert alpha.getpixel((300, 300)) == 255


def test_seeds_are_told_apart_at_64_pixels() -> None:
    badges = [opened(draw_badge(NAME, ISSUER, f"seed-{k}")) for k in range(12)]
    for index, badge in enumerate(badges):
        for other in badges[index + 1 :]:
            assert difference(badge, other) > 200


def test_names_and_issuers_are_drawn() -> None:
    badge = opened(draw_badge(NAME, ISSUER, "seed"))
    renamed = opened(draw_badge("Applying Improvement Science", ISSUER, "seed"))
    assert difference(badge, renamed) > 20
    assert difference(badge, renamed) < 1500, "the face stays when the name changes"
    assert draw_badge(NAME, ISSUER, "seed") != draw_badge(NAME, "Somebody else", "seed")


@pytest.mark.parametrize(
    ("name", "issuer_name"),
    [
        ("", ""),
        (" \n ", "\t"),
        ("A", "B"),
        ("…", "—"),
        ("W" * 400, "W" * 400),
        ("word " * 500, "issuer " * 500),
        ("of the and", "the"),
        ("(((", "&&&"),
        ("Évaluer l’oral en français", "Académie de Genève"),
        ("数学教育", "京都大学"),
        ("تعليم", "🎓🎓"),
        ("nul\x00 bell\x07 \u202eesrever \ud800", "x\u0301" * 300),
        ("a-b/c-d " * 3, "x"),
    ],
)
def test_any_name_can_be_drawn(name: str, issuer_name: str) -> None:
    for seed in ("a", "b", ""):
        data = draw_badge(name, issuer_name, seed)
        assert opened(data).size == (SIZE, SIZE)
        assert len(data) < 60_000


def test_accents_are_dropped_and_other_scripts_give_a_star() -> None:
    assert draw_badge("Évaluer", "Genève", "seed") == draw_badge("Evaluer", "Geneve", "seed")
    assert draw_badge("数学教育", ISSUER, "seed") == draw_badge("", ISSUER, "seed")
    assert draw_badge("Math 101", ISSUER, "seed") != draw_badge("", ISSUER, "seed")


@pytest.mark.parametrize("outline", OUTLINES)
def test_outlines_fill_the_picture_and_stay_inside(outline: object) -> None:
    assert callable(outline)
    points = outline(1.0)
    assert all(0 <= x <= SIZE and 0 <= y <= SIZE for x, y in points)
    assert (
        max(
            max(x for x, _ in points) - min(x for x, _ in points), max(y for _, y in points) - min(y for _, y in points)
        )
        > 580
    )
    assert len(set(points)) > 20
    assert all(abs(a[0] - b[0]) + abs(a[1] - b[1]) < SIZE for a, b in pairwise(points))


@pytest.mark.parametrize("palette", PALETTES)
def test_palettes_keep_contrast(palette: object) -> None:
    assert isinstance(palette, Palette)
    assert contrast(palette.light, palette.deep) >= 7
    assert contrast(palette.accent, palette.deep) >= 4.5
    assert contrast(palette.light, palette.ground) >= 3


def contrast(a: tuple[int, int, int], b: tuple[int, int, int]) -> float:
    """WCAG 2.2, contrast ratio."""
    darker, lighter = sorted(map(luminance, (a, b)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: tuple[int, int, int]) -> float:
    shares = [c / 255 for c in color]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


# --- uploaded pictures -----------------------------------------------------------------------------------------------

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *, extra: bytes = b"", after: bytes = b"", rows: int | None = None) -> bytes:
    """A gray picture; `extra` goes before the pixels, `after` behind them, `rows` are how many it really has."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    line = b"\x00" + b"\x80" * width
    pixels = b"".join(packer.compress(line) for _ in range(height if rows is None else rows)) + packer.flush()
    return SIGNATURE + chunk(b"IHDR", header) + extra + chunk(b"IDAT", pixels) + after + chunk(b"IEND", b"")


def itxt(size: int) -> bytes:
    return chunk(b"iTXt", b"openbadgecredential\x00\x01\x00\x00\x00" + zlib.compress(b"A" * size, 9))


def ztxt(size: int) -> bytes:
    return chunk(b"zTXt", b"comment\x00\x00" + zlib.compress(b"A" * size, 9))


def saved(image: Image.Image, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, format="PNG", **options)
    return out.getvalue()


@pytest.mark.parametrize("size", [(90, 90), (600, 600), (4096, 4096), (200, 100)])
def test_pictures_within_bounds_are_taken(size: tuple[int, int]) -> None:
    data = png(*size)
    check_png(data)
    assert Image.open(BytesIO(normalize_png(data))).size == size


@pytest.mark.parametrize("size", [(89, 90), (90, 89), (4097, 4096), (4096, 4097), (201, 100), (100, 4096), (0, 0)])
def test_pictures_out_of_bounds_are_refused(size: tuple[int, int]) -> None:
    data = png(*size)
    with pytest.raises(InvalidImage):
        check_png(data)
    with pytest.raises(InvalidImage):
        normalize_png(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG",
        SIGNATURE,
        SIGNATURE + b"\x00\x00\x00\x0dIHDR",
        b"GIF89a" + b"\x00" * 100,
        b"\xff\xd8\xff\xe0" + b"\x00" * 100,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        SIGNATURE + chunk(b"tEXt", b"a\x00b") + png(100, 100)[8:],
    ],
)
def test_what_is_no_png_is_refused_before_decoding(data: bytes) -> None:
    with pytest.raises(InvalidImage):
        check_png(data)
    with pytest.raises(InvalidImage):
        normalize_png(data)


def test_a_bomb_of_pixels_is_refused_by_its_header() -> None:
    """20,000 x 20,000 in a file of some kilobytes: the header alone decides, the pixels are never unpacked."""
    bomb = png(20_000, 20_000, rows=20_000)
    assert len(bomb) < MAX_BYTES
    with pytest.raises(InvalidImage, match="20000 x 20000"):
        check_png(bomb)
    with pytest.raises(InvalidImage):
        normalize_png(bomb)


@pytest.mark.parametrize("bomb", [itxt, ztxt])
@pytest.mark.parametrize("place", ["extra", "after"])
def test_a_bomb_of_text_is_refused(bomb: object, place: str) -> None:
    assert callable(bomb)
    assert normalize_png(png(100, 100, **{place: bomb(1000)})) == normalize_png(png(100, 100))
    data = png(100, 100, **{place: bomb(200_000_000)})
    assert len(data) < MAX_BYTES
    with pytest.raises(InvalidImage):
        normalize_png(data)


def test_a_bomb_of_a_color_profile_is_refused() -> None:
    def profile(size: int) -> bytes:
        return chunk(b"iCCP", b"p\x00\x00" + zlib.compress(b"A" * size, 9))

    assert normalize_png(png(100, 100, extra=profile(1000))) == normalize_png(png(100, 100))
    with pytest.raises(InvalidImage):
        normalize_png(png(100, 100, extra=profile(200_000_000)))


def test_more_bytes_than_allowed_are_refused() -> None:
    padding = MAX_BYTES - len(png(100, 100)) - 12
    data = png(100, 100, after=chunk(b"prVt", b"\x00" * padding))
    assert len(data) == MAX_BYTES
    assert normalize_png(data) == normalize_png(png(100, 100))
    with pytest.raises(InvalidImage):
        check_png(data + b"\x00")


def test_truncated_and_damaged_pictures_are_refused() -> None:
    whole = saved(Image.effect_noise((200, 200), 60))
    normalize_png(whole)
    for length in (30, 60, len(whole) // 2, len(whole) - 100):
        with pytest.raises(InvalidImage):
            normalize_png(whole[:length])
    header_flipped = bytearray(whole)
    header_flipped[24] ^= 0xFF
    with pytest.raises(InvalidImage):
        normalize_png(bytes(header_flipped))
    pixels_flipped = bytearray(whole)
    pixels_flipped[len(whole) // 2] ^= 0xFF
    with pytest.raises(InvalidImage):
        normalize_png(bytes(pixels_flipped))


def test_a_flipped_byte_is_refused() -> None:
    """But for the last of the data: there the picture is whole before its checksum is read, and it is encoded anew."""
    noise = Image.frombytes("L", (90, 90), random.Random(7).randbytes(8_100))
    whole = saved(noise, optimize=True)
    for position in range(0, len(whole) * 3 // 4, 23):
        damaged = bytearray(whole)
        damaged[position] ^= 0x55
        with pytest.raises(InvalidImage) as refused:
            normalize_png(bytes(damaged))
        assert refused.value.cure


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_pixels_survive_and_metadata_does_not(mode: str) -> None:
    pattern = Image.linear_gradient("L").resize((128, 128))
    image = pattern.convert(mode) if mode != "I;16" else Image.new("I;16", (128, 128), 40_000)
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", "canary-author")
    texts.add_itxt("openbadgecredential", "canary-credential", zip=True)
    exif = Image.Exif()
    exif[0x010E] = "canary-exif"
    data = saved(image, pnginfo=texts, exif=exif, dpi=(300, 300), icc_profile=b"canary-profile") + b"canary-behind"

    out = normalize_png(data)

    again = Image.open(BytesIO(out))
    again.load()
    assert again.mode == image.mode
    assert again.tobytes() == image.tobytes()
    assert b"canary" in data
    kinds = chunk_kinds(out)
    assert set(kinds) <= {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
    assert out.endswith(b"IEND\xaeB`\x82")
    assert normalize_png(out) == out


def chunk_kinds(data: bytes) -> list[bytes]:
    kinds, position = [], 8
    while position < len(data):
        (length,) = struct.unpack_from(">I", data, position)
        kinds.append(data[position + 4 : position + 8])
        position += 12 + length
    return kinds


def test_transparency_survives() -> None:
    badge = draw_badge(NAME, ISSUER, "seed")
    out = normalize_png(badge)
    assert opened(out).tobytes() == opened(badge).tobytes()


def test_only_the_first_frame_of_an_animation_is_kept() -> None:
    frames = [Image.new("RGB", (100, 100), color) for color in ("red", "blue")]
    data = saved(frames[0], save_all=True, append_images=frames[1:])
    assert b"acTL" in data
    out = normalize_png(data)
    assert b"acTL" not in out
    assert opened(out).getpixel((50, 50)) == (255, 0, 0, 255)


def test_a_refusal_says_what_to_do() -> None:
    with pytest.raises(InvalidInput) as refused:
        normalize_png(b"not a picture")
    assert refused.value.code == "invalid_image"
    assert "90 to 4096 pixels" in refused.value.cure
