"""What a presentation has to look like: Verifiable Credentials Data Model 2.0 §4.13. PURE."""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from app.errors import Fault
from app.vcdm.members import (
    VC_CONTEXT,
    Document,
    Rule,
    check_context,
    check_id,
    check_identified,
    check_typed,
    check_types,
)
from app.vcdm.values import entries_of, texts_of

ENVELOPED_CREDENTIAL = "EnvelopedVerifiableCredential"
ENVELOPED_PRESENTATION = "EnvelopedVerifiablePresentation"
MEDIA_TYPES = {
    ENVELOPED_CREDENTIAL: ("application/vc+jwt", "application/vc+sd-jwt"),
    ENVELOPED_PRESENTATION: ("application/vp+jwt", "application/vp+sd-jwt"),
}
"""What an envelope may hold: the media types of Securing Verifiable Credentials using JOSE and COSE."""

_DATA_URL = re.compile(r"data:(?P<media_type>[a-z]+/[a-z0-9.+-]+)(?:;[^,]*)?,(?P<content>.+)", re.DOTALL)


def is_enveloped(document: Any, kind: str = ENVELOPED_CREDENTIAL) -> bool:
    """Whether a document says that it is an envelope."""
    return isinstance(document, dict) and kind in texts_of(document.get("type"))


def list_envelope_faults(document: Document, kind: str = ENVELOPED_CREDENTIAL) -> Iterator[Fault]:
    """§4.13.1: the base context, the one type, and a data: URL of a secured document. Nothing else counts."""
    context = document.get("@context")
    if context != VC_CONTEXT and (not isinstance(context, list) or VC_CONTEXT not in context):
        yield Fault("/@context", f"must name {VC_CONTEXT}")
    if texts_of(document.get("type")) != [kind]:
        yield Fault("/type", f"must be {kind}")
    if envelope_of(document, kind) is None:
        yield Fault("/id", f"must be a data: URL of one of {', '.join(MEDIA_TYPES[kind])}")


def envelope_of(document: Document, kind: str = ENVELOPED_CREDENTIAL) -> tuple[str, str] | None:
    """(media type, content) of an envelope; None when its `id` is no data: URL of a kind that is known."""
    id_ = document.get("id")
    match = _DATA_URL.fullmatch(id_) if isinstance(id_, str) else None
    if match is None or match["media_type"] not in MEDIA_TYPES[kind]:
        return None
    return match["media_type"], match["content"]


def check_type(document: Document) -> Iterator[Fault]:
    yield from check_types(document, "", required="VerifiablePresentation")


def check_holder(document: Document) -> Iterator[Fault]:
    yield from check_identified(document, "holder", required=False)


def check_credentials(document: Document) -> Iterator[Fault]:
    """One or more objects: never the text of a JWT, nor a URL."""
    if "verifiableCredential" not in document:
        return
    for place, entry in entries_of(document["verifiableCredential"], "/verifiableCredential"):
        if not isinstance(entry, dict):
            yield Fault(place, "must be an object", f"put a JWT into an {ENVELOPED_CREDENTIAL}")
        elif is_enveloped(entry):
            for fault in list_envelope_faults(entry):
                yield Fault(place + fault.pointer, fault.detail, fault.cure)


PRESENTATION_RULES: Mapping[str, Rule] = {
    "context": check_context,
    "type": check_type,
    "id": check_id,
    "holder": check_holder,
    "credentials": check_credentials,
    "terms_of_use": partial(check_typed, member="termsOfUse"),
}
"""The rules by name. They do not lean on each other."""


def list_presentation_faults(document: Document) -> list[Fault]:
    """Everything that keeps `document` from being a presentation, but for the credentials in it."""
    return [fault for rule in PRESENTATION_RULES.values() for fault in rule(document)]
