"""Baked badges: a credential inside its picture (Open Badges 3.0, section 5.3).

A PNG carries it in one uncompressed `iTXt` chunk, an SVG in the first child of its root. Baking an already baked picture
replaces what it carried. Reading is stricter than others' writing needs and no stricter: a picture with two credentials is
refused, since two readers could find different badges in it, and so is a compressed one, which the standard forbids and
which may unpack to anything.

Only credentials with an embedded proof are baked; those secured as a compact JWS are read, and so is the assertion of a picture
that was baked as Open Badges 2.0 says and carries nothing newer.
"""

import re
import struct
from base64 import b64encode
from collections.abc import Iterator, Mapping
from zlib import crc32

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from app.errors import InvalidInput
from app.openbadges.badge_image import InvalidImage

KEYWORD = b"openbadgecredential"
NAMESPACE = "https://purl.imsglobal.org/ob/v3p0"
OLDER_KEYWORD = b"openbadges"
OLDER_NAMESPACE = "http://openbadges.org"
"""Those of Open Badges 2.0 (Baking Specification, sections 1 and 2)."""

SVG_NAMESPACE = "http://www.w3.org/2000/svg"

MAX_CREDENTIAL = 1 << 20
"""Greatest size of a credential in a picture, in bytes."""

MAX_BAKED = 4 << 20
"""Greatest size of a baked picture that is read: a picture of 2 MiB in base64 and a credential, in bytes."""

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CREDENTIAL, _ASSERTION = f"{{{NAMESPACE}}}credential", f"{{{OLDER_NAMESPACE}}}assertion"
_MAX_CHUNKS = 10_000
_MAX_TAGS = 200_000
_UNCOMPRESSED = b"\x00\x00\x00\x00\x00"  # end of the keyword, flag, method, no language tag, no translated keyword


class NotBaked(InvalidInput):
    """A picture in which no credential, or no one credential, can be found."""

    code = "not_baked"


def is_picture(data: bytes) -> bool:
    """Whether these bytes are a PNG or an SVG, rather than JSON. A glance: nothing else is promised of them."""
    return data.startswith(_PNG_SIGNATURE) or _is_markup(data)


def unbake(data: bytes) -> str:
    """The text that a baked PNG or SVG carries: JSON when it begins with `{`, else a compact JWS, or the address of an assertion.

    Nothing of the picture is decoded, so its size in pixels does not matter.

    Raises:
        NotBaked: it carries none or several, it is damaged, or it is larger than MAX_BAKED.
    """
    if len(data) > MAX_BAKED:
        raise NotBaked(f"The picture has {len(data):,} bytes; at most {MAX_BAKED:,} are read.")
    if data.startswith(_PNG_SIGNATURE):
        return unbake_png(data)
    if _is_markup(data):
        return unbake_svg(data)
    raise NotBaked("This is neither a PNG nor an SVG.")


# --- PNG -------------------------------------------------------------------------------------------------------------


def bake_png(png: bytes, credential: bytes) -> bytes:
    """The PNG with the credential in an `iTXt` chunk, as the only one of its keyword. Everything else stays as it is.

    The chunk stands before the pixels: readers that stop there, and there are some, find it.

    Raises:
        NotBaked: the PNG is damaged, or the credential too large or not the UTF-8 text of a JSON object.
    """
    _require_credential(credential)
    baked = [_PNG_SIGNATURE]
    for kind, data in _chunks(png):
        if kind == b"IDAT" and credential:
            baked.append(_chunk(b"iTXt", KEYWORD + _UNCOMPRESSED + credential))
            credential = b""
        if not _is_carrier(kind, data):
            baked.append(_chunk(kind, data))
    if credential:
        raise NotBaked("The PNG has no pixels.")
    return b"".join(baked)


def unbake_png(png: bytes) -> str:
    """The text in the PNG's `openbadgecredential` chunk, else in that of Open Badges 2.0. Raises NotBaked."""
    found: dict[bytes, list[bytes]] = {KEYWORD: [], OLDER_KEYWORD: []}
    for kind, data in _chunks(png):
        for keyword in found:
            if kind == b"iTXt" and data.startswith(keyword + b"\x00"):
                found[keyword].append(data.removeprefix(keyword + b"\x00"))
    return _only([_text(carrier) for carrier in found[KEYWORD] or found[OLDER_KEYWORD]])


def _is_carrier(kind: bytes, data: bytes) -> bool:
    return kind == b"iTXt" and data.startswith(KEYWORD + b"\x00")


def _text(carrier: bytes) -> bytes:
    """The text of an iTXt chunk behind its keyword (PNG, section 11.3.3.4)."""
    head, body = carrier[:2], carrier[2:]
    if head[:1] != b"\x00":
        raise NotBaked("The credential in the picture is compressed, which Open Badges 3.0 forbids.")
    _language, _, rest = body.partition(b"\x00")
    _keyword, ended, text = rest.partition(b"\x00")
    if len(head) < 2 or not ended:
        raise NotBaked("The chunk that should carry the credential is cut short.")
    return text


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and data of every chunk up to IEND; what follows the end is no part of the picture."""
    if not png.startswith(_PNG_SIGNATURE):
        raise NotBaked("This is not a PNG: the signature is missing.")
    at = len(_PNG_SIGNATURE)
    for number in range(_MAX_CHUNKS):
        if at + 12 > len(png):
            raise NotBaked("The PNG is cut short.")
        length, kind = struct.unpack_from(">I4s", png, at)
        end = at + 8 + length
        if end + 4 > len(png):
            raise NotBaked("A chunk of the PNG is longer than what is left of the file.")
        if crc32(png[at + 4 : end]) != struct.unpack_from(">I", png, end)[0]:
            raise NotBaked("A chunk of the PNG is damaged: its checksum is another one.")
        if (number == 0) != (kind == b"IHDR"):
            raise NotBaked("The PNG does not begin with one header (IHDR).")
        yield kind, png[at + 8 : end]
        if kind == b"IEND":
            return
        at = end + 4
    raise NotBaked(f"The PNG has more than {_MAX_CHUNKS:,} chunks.")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data))


# --- SVG -------------------------------------------------------------------------------------------------------------

_ROOT = f'<svg xmlns="{SVG_NAMESPACE}"'.encode()
_DECLARED = f' xmlns:openbadges="{NAMESPACE}"'.encode()
_OPEN, _CLOSE = b"<openbadges:credential><![CDATA[", b"]]></openbadges:credential>"
_BAKED = re.compile(
    re.escape(_ROOT + _DECLARED) + rb"([^>]*>)" + re.escape(_OPEN) + rb".*?" + re.escape(_CLOSE), re.DOTALL
)

_NOT_IN_CDATA: Mapping[bytes, bytes] = {
    b"]]>": rb"]]\u003e",
    "\ufffe".encode(): rb"\ufffe",
    "\uffff".encode(): rb"\uffff",
}
"""What CDATA cannot hold (XML 1.0, sections 2.2 and 2.7). In JSON it stands in strings only, where an escape says the same."""


def wrap_png(png: bytes) -> bytes:
    """An SVG that shows the PNG at its size, for those who want an SVG of a picture that is none. Raises NotBaked."""
    _, header = next(_chunks(png))
    width, height = struct.unpack_from(">II", header)
    size = f'width="{width}" height="{height}"'
    picture = f'<image {size} href="data:image/png;base64,{b64encode(png).decode()}"/>'
    return _ROOT + f' {size} viewBox="0 0 {width} {height}">{picture}</svg>'.encode()


def bake_svg(svg: bytes, credential: bytes) -> bytes:
    """The SVG with the credential as its first child, as the only one.

    The credential stands there byte for byte, but for `]]>` and two characters that XML cannot hold: they are written as
    JSON escapes, which changes neither the JSON's meaning nor what its proof covers.

    Raises:
        InvalidImage: the SVG was made neither by `wrap_png` nor by `app.openbadges.svg.sanitize_svg`.
        NotBaked: the credential is too large or not the UTF-8 text of a JSON object.
    """
    _require_credential(credential)
    plain = _BAKED.sub(rb"%s\1" % _ROOT, svg, count=1) if svg.startswith(_ROOT + _DECLARED) else svg
    # In what those two write, the first > ends the root's tag: in attributes it is escaped.
    head, end, rest = plain.partition(b">")
    if not head.startswith(_ROOT) or head.endswith(b"/") or not end:
        raise InvalidImage("A credential is only baked into an SVG that was made safe.")
    for raw, escape in _NOT_IN_CDATA.items():
        credential = credential.replace(raw, escape)
    attributes = head.removeprefix(_ROOT)
    return b"".join((_ROOT, _DECLARED, attributes, b">", _OPEN, credential, _CLOSE, rest))


def unbake_svg(svg: bytes) -> str:
    """The text in the SVG's `openbadges:credential` element, or of its `verify` attribute; else of `openbadges:assertion`,
    as Open Badges 2.0 has it.

    It may stand anywhere in the picture: others do not all put it first. A DOCTYPE is tolerated, entities are not.

    Raises NotBaked.
    """
    if svg.count(b"<") > _MAX_TAGS:
        raise NotBaked("The SVG has too many elements.")
    reader = _CredentialReader()
    parser = DefusedXMLParser(target=reader, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    try:
        parser.feed(svg.decode("utf-8-sig"))
        parser.close()
    except UnicodeDecodeError:
        raise NotBaked("The SVG is not UTF-8.") from None
    except (ParseError, DefusedXmlException):
        raise NotBaked("The SVG is not sound XML, or declares entities.") from None
    found = reader.found or [_choose(verify, body) for verify, body in reader.older]
    return _only([text.strip(" \t\r\n").encode() for text in found])


def _choose(verify: str, body: str) -> str:
    """Of an `openbadges:assertion` the compact JWS that `verify` is, else the assertion in the element, else its address."""
    is_address = verify.strip().startswith(("http://", "https://"))
    return verify if verify.strip() and not is_address else body if body.strip() else verify


class _CredentialReader:
    """Gets the parser's events, keeps the credentials' text and forgets the picture."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.older: list[tuple[str, str]] = []
        self._is_root = True
        self._inside = ""
        self._verify = self._body = ""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if self._is_root and tag != f"{{{SVG_NAMESPACE}}}svg":
            raise NotBaked("This is not an SVG: its root is another element.")
        if self._inside:
            raise NotBaked("There are elements where the credential should be.")
        self._is_root = False
        if tag in (_CREDENTIAL, _ASSERTION):
            self._inside, self._verify, self._body = tag, attributes.get("verify", ""), ""

    def data(self, text: str) -> None:
        if self._inside:
            self._body += text

    def end(self, _tag: str) -> None:
        if self._inside == _CREDENTIAL:
            self.found.append(self._verify + self._body)
        elif self._inside == _ASSERTION:
            self.older.append((self._verify, self._body))
        self._inside = ""

    def close(self) -> None:
        """Nothing is built."""


# --- both ------------------------------------------------------------------------------------------------------------


def _only(carried: list[bytes]) -> str:
    if not carried:
        raise NotBaked("The picture carries no badge.")
    if len(carried) > 1:
        raise NotBaked("The picture carries more than one credential, and Open Badges allows one.")
    if not carried[0] or len(carried[0]) > MAX_CREDENTIAL:
        raise NotBaked(f"The credential in the picture is empty or larger than {MAX_CREDENTIAL:,} bytes.")
    try:
        return carried[0].decode()
    except UnicodeDecodeError:
        raise NotBaked("The credential in the picture is not UTF-8.") from None


def _require_credential(credential: bytes) -> None:
    if len(credential) > MAX_CREDENTIAL:
        raise NotBaked(f"The credential has {len(credential):,} bytes; at most {MAX_CREDENTIAL:,} are baked.")
    if not credential.startswith(b"{") or b"\x00" in credential:
        raise NotBaked("What is to be baked is not a JSON object.")


def _is_markup(data: bytes) -> bool:
    return data[:64].removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n").startswith(b"<")
