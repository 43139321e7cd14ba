"""An uploaded SVG made safe: what is not known to be harmless is not in the result.

The picture is read by a parser that refuses DOCTYPE and entities, and written anew from an allow-list of elements and
attributes. What does not show (scripts, event handlers, animations, metadata, editors' own elements) is left out. What
shows and cannot be kept (texts, style sheets, embedded or foreign pictures) is refused with a cure: to leave it out would
publish another picture than the one that was sent. The result has no style sheet, no text that needs a font and no
reference out of itself, so it looks the same everywhere.
"""

import re
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from app.openbadges.badge_image import MAX_BYTES, MAX_STRETCH, InvalidImage
from app.openbadges.baking import SVG_NAMESPACE

SIDE = 600
"""The longer side of a sanitized SVG, in pixels."""

MAX_ELEMENTS = 5_000
"""Most elements of an SVG; those that are drawn once more by reference are counted once more."""

_MAX_DEPTH = 64
_MAX_TAGS = 40_000

_CURE = (
    "Export the picture as plain SVG: texts as outlines, presentation attributes instead of a style sheet, nothing embedded "
    "or linked, no DOCTYPE. Or send a PNG."
)

_PAINT = (
    "fill fill-opacity fill-rule stroke stroke-opacity stroke-width stroke-linecap stroke-linejoin stroke-miterlimit "
    "stroke-dasharray stroke-dashoffset opacity color display visibility clip-path clip-rule mask filter mask-type overflow "
    "stop-color stop-opacity flood-color flood-opacity paint-order vector-effect color-interpolation "
    "color-interpolation-filters shape-rendering transform-origin mix-blend-mode isolation"
)
_ATTRIBUTES = {
    "svg": "x y width height viewBox preserveAspectRatio",
    "g": "",
    "defs": "",
    "symbol": "x y width height viewBox preserveAspectRatio",
    "use": "x y width height href",
    "path": "d",
    "rect": "x y width height rx ry",
    "circle": "cx cy r",
    "ellipse": "cx cy rx ry",
    "line": "x1 y1 x2 y2",
    "polyline": "points",
    "polygon": "points",
    "linearGradient": "x1 y1 x2 y2 gradientUnits gradientTransform spreadMethod href",
    "radialGradient": "cx cy r fx fy fr gradientUnits gradientTransform spreadMethod href",
    "stop": "offset",
    "clipPath": "clipPathUnits",
    "mask": "x y width height maskUnits maskContentUnits",
    "pattern": "x y width height viewBox preserveAspectRatio patternUnits patternContentUnits patternTransform href",
    "filter": "x y width height filterUnits primitiveUnits",
    "feBlend": "in in2 mode",
    "feColorMatrix": "in type values",
    "feComponentTransfer": "in",
    "feFuncA": "type tableValues slope intercept amplitude exponent offset",
    "feFuncB": "type tableValues slope intercept amplitude exponent offset",
    "feFuncG": "type tableValues slope intercept amplitude exponent offset",
    "feFuncR": "type tableValues slope intercept amplitude exponent offset",
    "feComposite": "in in2 operator k1 k2 k3 k4",
    "feDropShadow": "in dx dy stdDeviation",
    "feFlood": "",
    "feGaussianBlur": "in stdDeviation",
    "feMerge": "",
    "feMergeNode": "in",
    "feOffset": "in dx dy",
    "title": "",
    "desc": "",
}
_PRIMITIVE = "x y width height result"

KEPT: Mapping[str, frozenset[str]] = {
    element: frozenset(
        f"id transform {_PAINT} {own} {_PRIMITIVE if element.startswith('fe') else ''}".split()
        if element not in ("title", "desc")
        else ()
    )
    for element, own in _ATTRIBUTES.items()
}
"""The elements that are kept, each with its attributes."""

NOT_SHOWN = frozenset(
    "script metadata animate animateColor animateMotion animateTransform set mpath discard view cursor".split()  # noqa: SIM905
)
"""SVG elements that are left out with all they hold: without them the picture is the same."""

_STYLED = frozenset(_PAINT.split())
_ID = r"[^\s\"'()<>&#\\]{1,200}"
_IS_ID = re.compile(_ID)
_LOCAL_HREF = re.compile(rf"\s*#({_ID})\s*")
_LOCAL_URL = re.compile(rf"\s*url\(\s*['\"]?\s*#({_ID})\s*['\"]?\s*\)\s*([\w#(),.%\s-]*)", re.ASCII)
_PLAIN = re.compile(r"[\w\s.,%#()+-]*", re.ASCII)
_LENGTH = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?|\.\d{1,9})(?:px|(pt|pc|mm|cm|in|em))?\s*")
_NUMBER = re.compile(r"-?(?:\d{1,9}(?:\.\d{0,18})?|\.\d{1,18})(?:e-?\d)?", re.IGNORECASE)


def sanitize_svg(data: bytes) -> bytes:
    """The SVG written anew from the allow-list, with a longer side of SIDE pixels. Sanitizing it again gives the same bytes.

    Raises:
        InvalidImage: not a sound SVG of at most 2 MiB and MAX_ELEMENTS elements, roughly square, or one that would not look
            the same without what must not be kept.
    """
    root = _parse(data)
    if root.tag != f"{{{SVG_NAMESPACE}}}svg":
        raise _invalid("This is not an SVG: its root is another element, or is not in the namespace of SVG.")
    kept = Element("svg", {"xmlns": SVG_NAMESPACE})
    kept.attrib |= _viewport(root)
    kept.attrib |= {
        name: value for name, value in _attributes(root, "svg") if name not in kept.attrib and name not in ("x", "y")
    }
    _keep_children(root, kept, depth=1)
    _require_light(kept)
    return tostring(kept, encoding="unicode").encode()


def _parse(data: bytes) -> Element:
    if len(data) > MAX_BYTES:
        raise _invalid(f"The picture has {len(data):,} bytes; at most {MAX_BYTES:,} are accepted.")
    if data.count(b"<") > _MAX_TAGS:
        raise _invalid("The SVG has too many elements.")
    try:
        root: Element = fromstring(data.decode("utf-8-sig"), forbid_dtd=True)
    except UnicodeDecodeError:
        raise _invalid("The SVG is not UTF-8.") from None
    except DefusedXmlException:
        raise _invalid("The SVG has a DOCTYPE or declares entities.") from None
    # ValueError: an XML declaration that names an encoding unknown here.
    except (ParseError, ValueError):
        raise _invalid("The SVG is not sound XML.") from None
    return root


def _keep_children(source: Element, kept: Element, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise _invalid(f"The SVG is nested deeper than {_MAX_DEPTH}.")
    for child in source:
        namespace, _, name = child.tag.rpartition("}")
        if namespace != f"{{{SVG_NAMESPACE}" or name in NOT_SHOWN:
            continue
        if name not in (*KEPT, "a"):
            raise _invalid(f"The SVG has <{name[:40]}>, which cannot be kept.")
        # A link is a group that leads somewhere: here it only groups.
        element = Element("g" if name == "a" else name)
        element.attrib = dict(_attributes(child, element.tag))
        if name in ("title", "desc"):
            element.text = "".join(child.itertext())[:1000]
        else:
            _keep_children(child, element, depth + 1)
        kept.append(element)


def _attributes(source: Element, name: str) -> Iterator[tuple[str, str]]:
    given = {attribute.removeprefix("{http://www.w3.org/1999/xlink}"): value for attribute, value in source.items()}
    given |= _declarations(given.get("style", ""))
    for attribute, value in given.items():
        if attribute not in KEPT[name] or (attribute == "id" and not _IS_ID.fullmatch(value)):
            continue
        yield attribute, _value(name, attribute, value)


def _declarations(style: str) -> dict[str, str]:
    """The properties of a style attribute, which stand above the attributes of the same names (CSS Style Attributes)."""
    pairs = (declaration.partition(":") for declaration in style.split(";"))
    named = ((name.strip().lower(), value.replace("!important", "").strip()) for name, _, value in pairs)
    return {name: value for name, value in named if name in _STYLED and value}


def _value(element: str, attribute: str, value: str) -> str:
    if attribute == "id":
        return value
    if attribute == "href":
        local = _LOCAL_HREF.fullmatch(value)
        if local is None:
            raise _invalid(f"<{element}> refers to something outside the SVG.")
        return f"#{local[1]}"
    if "url" in value.lower():
        local = _LOCAL_URL.fullmatch(value)
        if local is None:
            raise _invalid(f"`{attribute}` of <{element}> refers to something outside the SVG.")
        return f"url(#{local[1]}) {local[2]}".strip()
    if not _PLAIN.fullmatch(value):
        raise _invalid(f"`{attribute}` of <{element}> has a value that cannot be kept.")
    return value


def _viewport(root: Element) -> dict[str, str]:
    """viewBox, and width and height in pixels: the picture's own proportions, the longer side SIDE."""
    lengths = [_LENGTH.fullmatch(root.get(name, "")) for name in ("width", "height")]
    box = re.split(r"[\s,]+", root.get("viewBox", "").strip())
    has_box = len(box) == 4 and all(_NUMBER.fullmatch(number) for number in box)
    width, height = (float(box[2]), float(box[3])) if has_box else (0.0, 0.0)
    if lengths[0] and lengths[1] and lengths[0][2] == lengths[1][2]:
        width, height = float(lengths[0][1]), float(lengths[1][1])
        if not has_box and lengths[0][2] is None:
            box, has_box = ["0", "0", lengths[0][1], lengths[1][1]], True
    if not has_box or min(width, height, float(box[2]), float(box[3])) <= 0:
        raise _invalid("The SVG does not say how large it is: it has neither a viewBox nor width and height in pixels.")
    if max(width, height) > MAX_STRETCH * min(width, height):
        raise _invalid(f"The picture is {width:g} x {height:g}, which is too far from a square.")
    scale = SIDE / max(width, height)
    return {"width": f"{width * scale:.0f}", "height": f"{height * scale:.0f}", "viewBox": " ".join(box)}


def _require_light(root: Element) -> None:
    """Refuse what draws more than MAX_ELEMENTS elements, or itself, by way of references."""
    by_id = {element.get("id"): element for element in root.iter() if element.get("id")}
    costs: dict[Element, int] = {}
    begun: set[Element] = set()

    def cost(element: Element, depth: int) -> int:
        if element in costs:
            return costs[element]
        if element in begun or depth > 4 * _MAX_DEPTH:
            raise _invalid("The SVG refers to itself, or through too many references.")
        begun.add(element)
        named = [value.removeprefix("url(").split(")")[0] for name, value in element.items() if _refers(name, value)]
        referred = [by_id[name[1:]] for name in named if name[1:] in by_id]
        costs[element] = 1 + sum(cost(other, depth + 1) for other in (*element, *referred))
        if costs[element] > MAX_ELEMENTS:
            raise _invalid(f"The SVG draws more than {MAX_ELEMENTS:,} elements.")
        return costs[element]

    cost(root, 0)


def _refers(name: str, value: str) -> bool:
    return value.startswith("url(#") or name == "href"


def _invalid(detail: str) -> InvalidImage:
    return InvalidImage(detail, cure=_CURE)
