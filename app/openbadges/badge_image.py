"""The picture of a badge: drawn from its name, or uploaded and made safe.

`draw_badge` gives every achievement a picture of its own, so that none is published with a placeholder. What it draws is a
function of its arguments alone: the same input gives the same bytes, and the image URL, which is their digest, stays put.

`normalize_png` is the one way in for an uploaded picture: what it returns was encoded here and carries pixels only. Open Badges
3.0 lets an Achievement and a Profile carry an Image (§B.1.9), and bakes a credential into a PNG (§5.3), so PNG is what we take.
"""

import struct
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from io import BytesIO
from itertools import combinations, pairwise
from math import atan2, ceil, cos, degrees, pi, sin
from zlib import error as ZlibError

from PIL import Image, ImageChops, ImageDraw, ImageFont

from app.errors import InvalidInput

SIZE = 600
"""Width and height of a drawn badge, in pixels."""

MIN_SIDE, MAX_SIDE = 90, 4096
"""Least and greatest width and height of an uploaded picture, in pixels."""

MAX_STRETCH = 2
"""The longer side of an uploaded picture is at most this many times the shorter one: badges are shown in squares."""

MAX_BYTES = 2 * 1024 * 1024
"""Greatest size of an uploaded picture, in bytes."""


class InvalidImage(InvalidInput):
    """An uploaded picture that is not a PNG we accept."""

    code = "invalid_image"


# --- uploaded pictures -----------------------------------------------------------------------------------------------

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_IHDR = struct.Struct(">I4sII")
_CURE = (
    f"Send a PNG of {MIN_SIDE} to {MAX_SIDE} pixels a side, roughly square, of at most {MAX_BYTES // 1024 // 1024} MiB,"
    " saved without embedded texts or color profiles."
)
_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"})


def check_png(data: bytes) -> None:
    """Refuse what can be refused before anything is decoded: too many bytes, not a PNG, pixels out of bounds.

    Reads the first 24 bytes only, so a bomb costs nothing. It does not promise that the picture decodes.

    Raises:
        InvalidImage: with the cure.
    """
    if len(data) > MAX_BYTES:
        raise _invalid(f"The picture has {len(data):,} bytes; at most {MAX_BYTES:,} are accepted.")
    if not data.startswith(_SIGNATURE):
        raise _invalid("This is not a PNG: the signature is missing.")
    if len(data) < len(_SIGNATURE) + _IHDR.size:
        raise _invalid("The PNG ends inside its header.")
    length, kind, width, height = _IHDR.unpack_from(data, len(_SIGNATURE))
    if length != 13 or kind != b"IHDR":
        raise _invalid("The PNG does not begin with its header (IHDR).")
    shorter, longer = sorted((width, height))
    if shorter < MIN_SIDE or longer > MAX_SIDE:
        raise _invalid(f"The picture is {width} x {height} pixels; {MIN_SIDE} to {MAX_SIDE} a side are accepted.")
    if longer > shorter * MAX_STRETCH:
        raise _invalid(f"The picture is {width} x {height} pixels, which is too far from a square.")


def normalize_png(data: bytes) -> bytes:
    """Decode an uploaded PNG and encode its pixels anew.

    The result has no texts, no profiles, no further frames and nothing behind its end, so no metadata of the person who made
    it and no second file hidden in it. Normalizing it again gives the same bytes.

    Raises:
        InvalidImage: not a PNG, out of bounds, damaged, or hiding more than it shows (compressed text bombs).
    """
    check_png(data)
    pixels = _decode(data)
    out = BytesIO()
    pixels.save(out, format="PNG", optimize=True)
    if out.tell() > MAX_BYTES:
        raise _invalid(f"The picture has {out.tell():,} bytes after encoding; at most {MAX_BYTES:,} are accepted.")
    return out.getvalue()


def _decode(data: bytes) -> Image.Image:
    try:
        with Image.open(BytesIO(data), formats=["PNG"]) as image:
            image.load()
            pixels = image.copy()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _invalid("The picture has too many pixels.") from error
    # What Pillow raises on hostile bytes: OSError (truncated, unidentified), SyntaxError (broken chunks), ValueError (text
    # chunks that inflate beyond MAX_TEXT_CHUNK), and what its readers let through.
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, struct.error, ZlibError) as error:
        raise _invalid("The PNG is damaged, or one of its chunks unpacks to more than is accepted.") from error
    transparency = pixels.info.get("transparency")
    pixels.info = {} if transparency is None else {"transparency": transparency}
    return pixels if pixels.mode in _MODES else pixels.convert("RGBA")


def _invalid(detail: str) -> InvalidImage:
    return InvalidImage(detail, cure=_CURE)


# --- drawn badges: what there is to choose from ----------------------------------------------------------------------

Point = tuple[float, float]
Color = tuple[int, int, int]
Outline = Callable[[float], list[Point]]
"""The points of an outline of a size (1.0 fills the picture), in the coordinates of a 600 x 600 picture."""

_SUPERSAMPLING = 3
_CENTER = SIZE / 2
_REACH = 294.0
_FIELD = 0.918


@dataclass(frozen=True, slots=True)
class Palette:
    """Four colors that stay legible on each other: `light` and `accent` on `deep`, `deep` on `light`."""

    ground: Color
    deep: Color
    accent: Color
    light: Color


def _rgb(code: str) -> Color:
    return int(code[0:2], 16), int(code[2:4], 16), int(code[4:6], 16)


PALETTES: Sequence[Palette] = tuple(
    Palette(*map(_rgb, row.split()))
    for row in (
        "12757b 07393f f4b942 fdf7ea",  # lagoon and amber
        "2f4b9b 16234f f7a072 fbf6f0",  # ink and apricot
        "7a2e5d 3b1230 f2c14e fdf5ee",  # plum and saffron
        "2f6b3c 12331c f1d36b f9f8ec",  # forest and straw
        "a63d2f 4a1410 ffcf8f fff6ec",  # brick and peach
        "4d4f63 20212e 7fd8be f5f8f7",  # slate and mint
        "5b3fa0 261552 ffb3c6 fbf5fb",  # violet and rose
        "0f6fb0 06304f ffd166 f3f9fd",  # azure and sun
        "8a5a13 3a2404 f8dc94 fdf8ec",  # bronze and cream
        "b0304f 4d0c20 ffc9b5 fff4f1",  # crimson and shell
        "1f6f5c 0a3028 ff9f80 f5faf6",  # pine and coral
        "3c3c3c 161616 e8b84a faf7f0",  # graphite and gold
    )
)


def _regular(sides: int, turn: float, rounding: float) -> Outline:
    corners = [2 * pi * k / sides + turn for k in range(sides)]
    return _rounded([(cos(a), sin(a)) for a in corners], rounding)


def _rounded(unit: Sequence[Point], rounding: float) -> Outline:
    """A polygon about the origin, its corners cut at `rounding` of every side and bent into curves."""
    curve: list[Point] = []
    steps = [step / 12 for step in range(13)] if rounding else [0.0]
    for before, corner, after in zip((unit[-1], *unit), unit, (*unit[1:], unit[0]), strict=False):
        start, end = _between(corner, before, rounding), _between(corner, after, rounding)
        curve += [_between(_between(start, corner, t), _between(corner, end, t), t) for t in steps]
    xs, ys = sorted(x for x, _ in curve), sorted(y for _, y in curve)
    middle, reach = ((xs[0] + xs[-1]) / 2, (ys[0] + ys[-1]) / 2), max(xs[-1] - xs[0], ys[-1] - ys[0]) / 2
    fitted = [((x - middle[0]) / reach * _REACH, (y - middle[1]) / reach * _REACH) for x, y in curve]
    return lambda scale: [(_CENTER + x * scale, _CENTER + y * scale) for x, y in fitted]


def _radial(radius_at: Callable[[float], float]) -> Outline:
    angles = [2 * pi * k / 720 - pi / 2 for k in range(720)]
    return _rounded([(cos(a) * radius_at(a), sin(a) * radius_at(a)) for a in angles], 0.0)


def _between(a: Point, b: Point, t: float) -> Point:
    return a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t


_SHIELD: Sequence[Point] = (
    *((-0.93, -0.88), (0.0, -1.0), (0.93, -0.88), (0.95, 0.22)),
    *((0.74, 0.72), (0.0, 1.0), (-0.74, 0.72), (-0.95, 0.22)),
)

OUTLINES: Sequence[Outline] = (
    _radial(lambda _: 1.0),
    _radial(lambda a: 1.0 + 0.028 * cos(18 * (a + pi / 2))),
    _radial(lambda a: 1.0 + 0.05 * abs(cos(10 * (a + pi / 2)))),
    _radial(lambda a: (abs(cos(a)) ** 4.6 + abs(sin(a)) ** 4.6) ** (-1 / 4.6)),
    _regular(6, pi / 2, 0.16),
    _regular(6, 0.0, 0.16),
    _regular(8, pi / 8, 0.16),
    _regular(5, -pi / 2, 0.24),
    _regular(12, pi / 12, 0.3),
    _rounded(_SHIELD, 0.2),
)


@dataclass(frozen=True, slots=True)
class _Choice:
    """What one seed stands for."""

    palette: Palette
    outline: Outline
    pattern: int
    wreath: int
    divide: int
    phase: float

    @classmethod
    def of(cls, seed: str) -> "_Choice":
        digest = sha256(seed.encode("utf-8", "surrogatepass")).digest()
        return cls(
            palette=PALETTES[digest[0] % len(PALETTES)],
            outline=OUTLINES[digest[1] % len(OUTLINES)],
            pattern=digest[2] % len(_PATTERNS),
            wreath=digest[3] % len(_WREATHS),
            divide=digest[4] % len(_DIVIDES),
            phase=digest[5] / 256,
        )


# --- drawn badges: the drawing ---------------------------------------------------------------------------------------

_MARK: Point = (300.0, 206.0)
_MARK_ALONE: Point = (300.0, 300.0)
_MARK_RADIUS = 112.0
_MONOGRAM_WIDTH = 168.0
_DIVIDE_Y = 346.0
_LEADING = 1.12
_MOST_CHARACTERS = 200
_MOST_WORDS = 24  # beyond it there is nothing to balance, and the ways to break grow with the cube


def draw_badge(name: str, issuer_name: str, seed: str) -> bytes:
    """The picture of a badge: PNG, 600 x 600, transparent around its outline.

    `seed` (the achievement's lineage, say) chooses outline, colors and pattern, so that a badge keeps its face when it is
    renamed. At 64 px the outline and the monogram are left to see; at 600 px the name and the issuer's name can be read.
    The letters drawn are those of Pillow's own font, which has ASCII: accents are dropped, and a name in another script
    is not drawn but replaced by a star, for no text is better than boxes.
    """
    choice = _Choice.of(seed)
    canvas = _Canvas(choice.palette)
    title = _drawable(name)
    mark = _MARK if title else _MARK_ALONE
    _draw_field(canvas, choice, mark)
    if title:
        _draw_floor(canvas, choice)
    _draw_mark(canvas, choice, mark, _monogram(title))
    if title:
        _draw_texts(canvas, choice, title, _drawable(issuer_name))
    return canvas.png()


class _Canvas:
    """A supersampled picture that is drawn on in the coordinates of the final one."""

    def __init__(self, palette: Palette) -> None:
        side = SIZE * _SUPERSAMPLING
        # Fully transparent pixels carry the rim's color, else resampling would bleed black into the edge.
        self._image = Image.new("RGBA", (side, side), (*palette.deep, 0))

    def pen(self, color: Color) -> "_Pen":
        """For shapes, whose edges are sharp: as `fill` with their mask, in half the time."""
        return _Pen(self._image, (*color, 255))

    def mask(self, draw: Callable[["_Pen"], None]) -> Image.Image:
        mask = Image.new("L", self._image.size, 0)
        draw(_Pen(mask))
        return mask

    def fill(self, color: Color, mask: Image.Image, *, within: Image.Image | None = None) -> None:
        if within is not None:
            mask = ImageChops.multiply(mask, within)
        box = mask.getbbox()
        if box is not None:
            ink = Image.new("RGBA", (box[2] - box[0], box[3] - box[1]), (*color, 255))
            self._image.paste(ink, box, mask.crop(box))

    def png(self) -> bytes:
        out = BytesIO()
        # The mean of every 3 x 3 pixels. Windows with negative lobes (Lanczos) ring beside the edges of flat colors, which
        # makes twice the bytes for a picture no sharper.
        image = self._image.reduce(_SUPERSAMPLING)
        image.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        return out.getvalue()


class _Pen:
    """Draws in the coordinates of the final picture: white on a mask, or with another ink."""

    def __init__(self, image: Image.Image, ink: int | tuple[int, int, int, int] = 255) -> None:
        self._draw = ImageDraw.Draw(image)
        self._ink = ink

    def polygon(self, points: Iterable[Point], ink: int | None = None) -> None:
        scaled = [(x * _SUPERSAMPLING, y * _SUPERSAMPLING) for x, y in points]
        self._draw.polygon(scaled, fill=self._ink if ink is None else ink)

    def disc(self, center: Point, radius: float) -> None:
        self._draw.ellipse(_box(center, radius), fill=self._ink)

    def ring(self, center: Point, radius: float, width: float) -> None:
        self._draw.ellipse(_box(center, radius), outline=self._ink, width=round(width * _SUPERSAMPLING))

    def line(self, points: Iterable[Point], width: float) -> None:
        scaled = [(x * _SUPERSAMPLING, y * _SUPERSAMPLING) for x, y in points]
        self._draw.line(scaled, fill=self._ink, width=round(width * _SUPERSAMPLING), joint="curve")

    def text(self, at: Point, text: str, size: float, *, anchor: str, weight: float = 0.0) -> None:
        font = _font(round(size * _SUPERSAMPLING))
        stroke = weight * size * _SUPERSAMPLING
        self._draw.text(
            (at[0] * _SUPERSAMPLING, at[1] * _SUPERSAMPLING),
            text,
            fill=self._ink,
            font=font,
            anchor=anchor,
            stroke_width=stroke,
        )


def _box(center: Point, radius: float) -> tuple[float, float, float, float]:
    x, y, r = center[0] * _SUPERSAMPLING, center[1] * _SUPERSAMPLING, radius * _SUPERSAMPLING
    return x - r, y - r, x + r, y + r


def _mix(a: Color, b: Color, share: float) -> Color:
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


def _draw_field(canvas: _Canvas, choice: _Choice, mark: Point) -> None:
    colors, outline = choice.palette, choice.outline
    for color, scale in ((colors.deep, 1.0), (colors.accent, 0.962), (colors.deep, 0.938), (colors.ground, _FIELD)):
        canvas.pen(color).polygon(outline(scale))
    tint = _mix(colors.ground, colors.light, 0.17)
    pattern = canvas.mask(lambda pen: _PATTERNS[choice.pattern](pen, mark, choice.phase))
    canvas.fill(tint, pattern, within=_area(canvas, outline(_FIELD)))


def _draw_floor(canvas: _Canvas, choice: _Choice) -> None:
    """The dark ground of the texts, and the line above it, which bends around the mark."""
    colors, edge = choice.palette, _DIVIDES[choice.divide]
    field = _area(canvas, choice.outline(_FIELD))
    corners = [(float(SIZE), float(SIZE)), (0.0, float(SIZE))]
    floor = _area(canvas, [*edge(0.0), *corners])
    canvas.fill(colors.accent, _area(canvas, [*edge(-6.0), *corners]), within=field)
    canvas.fill(colors.deep, floor, within=field)
    canvas.fill(colors.accent, canvas.mask(lambda pen: pen.disc(_MARK, _MARK_RADIUS + 40)), within=floor)


def _draw_mark(canvas: _Canvas, choice: _Choice, mark: Point, monogram: str) -> None:
    colors = choice.palette
    canvas.pen(colors.ground).disc(mark, _MARK_RADIUS + 34)
    _WREATHS[choice.wreath](canvas.pen(colors.accent), mark)
    canvas.pen(colors.deep).disc(mark, _MARK_RADIUS + 5)
    canvas.pen(colors.light).disc(mark, _MARK_RADIUS)
    canvas.fill(colors.deep, canvas.mask(lambda pen: _draw_emblem(pen, mark, monogram)))


def _draw_emblem(pen: _Pen, mark: Point, monogram: str) -> None:
    if not monogram:
        pen.polygon(_star(mark, 92, 5, 0.42))
        return
    size = 168 if len(monogram) == 1 else 130
    left, top, right, bottom = _font(size).getbbox(monogram, anchor="ls")
    shrink = min(1.0, _MONOGRAM_WIDTH / (right - left))
    baseline = mark[0] - (left + right) / 2 * shrink, mark[1] - (top + bottom) / 2 * shrink
    pen.text(baseline, monogram, size * shrink, anchor="ls", weight=0.034)


def _area(canvas: _Canvas, points: Sequence[Point]) -> Image.Image:
    return canvas.mask(lambda pen: pen.polygon(points))


# --- patterns of the field, wreaths around the mark, edges between field and name ------------------------------------


def _circle(center: Point, radius: float, count: int, turn: float = 0.0) -> Iterator[tuple[float, Point]]:
    for k in range(count):
        angle = 2 * pi * k / count + turn - pi / 2
        yield angle, (center[0] + cos(angle) * radius, center[1] + sin(angle) * radius)


def _star(center: Point, radius: float, points: int, waist: float, turn: float = 0.0) -> list[Point]:
    spokes = [(pi * k / points - pi / 2 + turn, radius * (waist if k % 2 else 1.0)) for k in range(2 * points)]
    return [(center[0] + cos(angle) * reach, center[1] + sin(angle) * reach) for angle, reach in spokes]


def _rays(pen: _Pen, mark: Point, phase: float) -> None:
    count = 12 + 2 * int(phase * 6)
    for angle, _ in _circle(mark, 1, count):
        wedge = (angle - pi / count / 2, angle + pi / count / 2)
        pen.polygon([mark, *((mark[0] + cos(a) * 700, mark[1] + sin(a) * 700) for a in wedge)])


def _rings(pen: _Pen, mark: Point, phase: float) -> None:
    step = 26 + phase * 10
    for k in range(14):
        pen.ring(mark, 150 + k * step, 7)


def _dots(pen: _Pen, _: Point, phase: float) -> None:
    step = 30 + phase * 8
    for row in range(-1, 24):
        for column in range(-1, 24):
            pen.disc((column * step + (row % 2) * step / 2, row * step * 0.866), 5.5)


def _stripes(pen: _Pen, _: Point, phase: float) -> None:
    lean = 600 if phase < 0.5 else -600
    for x in range(-700, 1400, 44):
        pen.line([(x, -10), (x + lean, 610)], 15)


def _chevrons(pen: _Pen, _: Point, phase: float) -> None:
    rise = 60 + phase * 50
    for y in range(-80, 800, 46):
        pen.line([(-10, y), (300, y - rise * 2), (610, y)], 13)


def _waves(pen: _Pen, _: Point, phase: float) -> None:
    for y in range(-20, 640, 36):
        pen.line([(x, y + 11 * sin(x / 34 + phase * 6)) for x in range(-10, 620, 8)], 9)


def _lozenges(pen: _Pen, _: Point, phase: float) -> None:
    step = 52 + phase * 12
    for row in range(-1, 26):
        for column in range(-1, 14):
            x, y = column * step + (row % 2) * step / 2, row * step / 2
            pen.polygon([(x, y - step * 0.32), (x + step * 0.32, y), (x, y + step * 0.32), (x - step * 0.32, y)])


def _facets(pen: _Pen, mark: Point, phase: float) -> None:
    for index, (angle, _) in enumerate(_circle(mark, 1, 8, phase * pi / 4)):
        if index % 2:
            edge = (angle, angle + pi / 4)
            pen.polygon([mark, *((mark[0] + cos(a) * 700, mark[1] + sin(a) * 700) for a in edge)])
    pen.polygon([(0, 0), (SIZE, 0), (0, SIZE)], ink=120) if phase < 0.5 else None


_PATTERNS: Sequence[Callable[[_Pen, Point, float], None]] = (
    _rays, _rings, _dots, _stripes, _chevrons, _waves, _lozenges, _facets,
)  # fmt: skip


def _beads(pen: _Pen, mark: Point) -> None:
    for _, at in _circle(mark, _MARK_RADIUS + 18, 36):
        pen.disc(at, 5)


def _ticks(pen: _Pen, mark: Point) -> None:
    for angle, (x, y) in _circle(mark, _MARK_RADIUS + 10, 60):
        pen.line([(x, y), (x + cos(angle) * 14, y + sin(angle) * 14)], 4)


def _double_ring(pen: _Pen, mark: Point) -> None:
    pen.ring(mark, _MARK_RADIUS + 25, 4)
    pen.ring(mark, _MARK_RADIUS + 16, 7)


def _laurel(pen: _Pen, mark: Point) -> None:
    for angle, at in _circle(mark, _MARK_RADIUS + 18, 40):
        height = degrees(atan2(sin(angle), cos(angle)))
        if -115 < height < -65 or 82 < height < 98:
            continue
        # Leaves climb on both sides from the foot of the mark.
        lean = 0.62 if cos(angle) < 0 else -0.62
        along = angle + pi / 2 + lean + (pi if cos(angle) > 0 else 0)
        across = along + pi / 2
        tip = [(13.0, 0.0), (3.0, 4.6), (-9.0, 0.0), (3.0, -4.6)]
        pen.polygon(
            [(at[0] + u * cos(along) + v * cos(across), at[1] + u * sin(along) + v * sin(across)) for u, v in tip]
        )
    pen.polygon(_star((mark[0], mark[1] - _MARK_RADIUS - 19), 17, 5, 0.42))


def _stars(pen: _Pen, mark: Point) -> None:
    for angle, at in _circle(mark, _MARK_RADIUS + 19, 12):
        pen.polygon(_star(at, 12, 5, 0.42, turn=angle + pi / 2))


_WREATHS: Sequence[Callable[[_Pen, Point], None]] = (_beads, _ticks, _double_ring, _laurel, _stars)


def _straight(offset: float) -> list[Point]:
    return [(0.0, _DIVIDE_Y + offset), (SIZE, _DIVIDE_Y + offset)]


def _hill(offset: float) -> list[Point]:
    return [(x, _DIVIDE_Y + offset + ((x - 300) / 300) ** 2 * 46 - 8) for x in range(0, SIZE + 1, 10)]


def _valley(offset: float) -> list[Point]:
    return [(x, _DIVIDE_Y + offset - ((x - 300) / 300) ** 2 * 60 + 8) for x in range(0, SIZE + 1, 10)]


def _roof(offset: float) -> list[Point]:
    return [(0.0, _DIVIDE_Y + offset + 40), (300.0, _DIVIDE_Y + offset - 12), (SIZE, _DIVIDE_Y + offset + 40)]


_DIVIDES: Sequence[Callable[[float], list[Point]]] = (_straight, _hill, _valley, _roof)


# --- texts -----------------------------------------------------------------------------------------------------------

_SPELLINGS = str.maketrans(
    {
        "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d",
        "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i", "–": "-", "—": "-", "‑": "-", "−": "-", "‘": "’",
        "“": '"', "”": '"', "„": '"', "×": "x",
    }
)  # fmt: skip
_SMALL_WORDS = frozenset(
    ["a", "an", "and", "at", "by", "for", "from", "in", "into", "of", "on", "or", "the", "to", "with"]
)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow was built without FreeType"
    return font


@cache
def _is_drawable(character: str) -> bool:
    missing = "\uffff"
    return bytes(_font(20).getmask(character)) != bytes(_font(20).getmask(missing))


def _drawable(text: str) -> str:
    """The text in letters the font has, or "" when too little of it would be left to be understood."""
    text = " ".join(text[:_MOST_CHARACTERS].split())
    folded = unicodedata.normalize("NFKD", text.translate(_SPELLINGS))
    letters = [character for character in folded if not unicodedata.combining(character)]
    kept = "".join(character for character in letters if character == " " or _is_drawable(character))
    return " ".join(kept.split()) if len(kept) * 5 >= len(letters) * 4 else ""


def _monogram(name: str) -> str:
    """One or two initials of the words that matter."""
    words = [word.strip("\"'’()[]{}<>&-.,:;!?/*#") for word in name.replace("-", " ").replace("/", " ").split()]
    words = [word for word in words if word]
    weighty = [word for word in words if word.lower() not in _SMALL_WORDS] or words
    return "".join(word[0].upper() for word in weighty[:2])


class _Room:
    """How wide a line of text may be at a height, inside an outline."""

    _MARGIN = 17.0

    def __init__(self, outline: Sequence[Point]) -> None:
        self._edges = list(pairwise([*outline, outline[0]]))

    def width(self, top: float, bottom: float) -> float:
        return max(0.0, min(self._chord(top), self._chord((top + bottom) / 2), self._chord(bottom)) - 2 * self._MARGIN)

    def _chord(self, y: float) -> float:
        crossings = [
            a[0] + (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1])
            for a, b in self._edges
            if a[1] != b[1] and min(a[1], b[1]) <= y <= max(a[1], b[1])
        ]
        return max(crossings) - min(crossings) if crossings else 0.0


@dataclass(frozen=True, slots=True)
class _TextBox:
    """Where a text goes, the sizes to try (largest first) and the most lines it may take."""

    top: float
    bottom: float
    sizes: range
    lines: int

    def most_lines(self, size: int) -> int:
        return min(self.lines, int((self.bottom - self.top) / (size * _LEADING)))


_NAME_BOX = _TextBox(362.0, 486.0, range(58, 25, -2), 4)
_ISSUER_BOX = _TextBox(490.0, 536.0, range(24, 16, -1), 2)


def _draw_texts(canvas: _Canvas, choice: _Choice, name: str, issuer_name: str) -> None:
    room, colors = _Room(choice.outline(_FIELD)), choice.palette
    canvas.fill(colors.light, canvas.mask(lambda pen: _write(pen, name, _NAME_BOX, room)))
    canvas.fill(colors.accent, canvas.mask(lambda pen: _write(pen, issuer_name, _ISSUER_BOX, room)))


def _write(pen: _Pen, text: str, box: _TextBox, room: _Room) -> None:
    lines, size = _fit(text, room, box)
    leading = size * _LEADING
    first = (box.top + box.bottom - leading * len(lines)) / 2 + leading / 2
    for row, line in enumerate(lines):
        pen.text((_CENTER, first + row * leading), line, size, anchor="mm", weight=0.01)


def _rows(count: int, size: float, box: _TextBox, room: _Room) -> list[float]:
    """The widths of `count` lines of a size, centered in the box."""
    leading = size * _LEADING
    first = (box.top + box.bottom - leading * count) / 2
    # Letters fill the middle of their line: its outermost leading may touch a narrowing outline.
    inset = leading * 0.14
    return [room.width(first + k * leading + inset, first + (k + 1) * leading - inset) for k in range(count)]


def _fit(text: str, room: _Room, box: _TextBox) -> tuple[list[str], int]:
    """The lines of a text and their size: as large as fits, on as few lines, as even as can be; cut if it must."""
    words = text.split()
    if not words:
        return [], box.sizes[0]
    for size in box.sizes if len(words) <= _MOST_WORDS else ():
        for count in range(1, min(len(words), box.most_lines(size)) + 1):
            lines = _break_evenly(words, size, _rows(count, size, box, room))
            if lines:
                return lines, size
    size = box.sizes[-1]
    return _break_and_cut(words, size, _rows(box.most_lines(size), size, box, room)), size


def _break_evenly(words: Sequence[str], size: int, rows: Sequence[float]) -> list[str]:
    best: tuple[float, list[str]] | None = None
    for breaks in combinations(range(1, len(words)), len(rows) - 1):
        lines = [" ".join(words[a:b]) for a, b in pairwise((0, *breaks, len(words)))]
        widths = [_width(line, size) for line in lines]
        if any(width > row for width, row in zip(widths, rows, strict=True)):
            continue
        unevenness = max(widths) - min(widths)
        if best is None or unevenness < best[0]:
            best = unevenness, lines
    return best[1] if best else []


def _break_and_cut(words: Sequence[str], size: int, rows: Sequence[float]) -> list[str]:
    lines: list[str] = []
    rest = " ".join(words)
    for index, row in enumerate(rows):
        if not rest:
            break
        if index == len(rows) - 1:
            lines.append(_cut(rest, size, row))
            break
        length = next((n for n in range(len(rest), 0, -1) if _width(rest[:n], size) <= row), 1)
        space = rest.rfind(" ", 0, length + 1)
        if length < len(rest) and space > 0:
            length = space
        lines.append(rest[:length].strip())
        rest = rest[length:].strip()
    return lines


def _cut(text: str, size: int, row: float) -> str:
    if _width(text, size) <= row:
        return text
    length = next((n for n in range(len(text), 0, -1) if _width(text[:n].rstrip() + "…", size) <= row), 0)
    return text[:length].rstrip() + "…"


def _width(text: str, size: int) -> float:
    return ceil(_font(size).getlength(text))
