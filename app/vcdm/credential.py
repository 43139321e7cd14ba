"""What a credential has to look like: Verifiable Credentials Data Model 2.0 §4 and 1.1 §4. PURE."""

from collections.abc import Iterator, Mapping
from functools import partial

from app.errors import Fault
from app.proofs.verification_method import find_moment
from app.vcdm.members import (
    Document,
    Rule,
    check_context,
    check_id,
    check_identified,
    check_names,
    check_optional_url,
    check_typed,
    check_types,
    is_version_1,
)
from app.vcdm.values import entries_of

PERIOD = {False: ("validFrom", "validUntil"), True: ("issuanceDate", "expirationDate")}
"""The members that say when a credential is valid, by whether it is of version 1.1."""


def check_type(document: Document) -> Iterator[Fault]:
    """§4.5."""
    yield from check_types(document, "", required="VerifiableCredential")


def check_issuer(document: Document) -> Iterator[Fault]:
    """§4.7."""
    yield from check_identified(document, "issuer", required=True)


def check_subject(document: Document) -> Iterator[Fault]:
    """§4.8: one or more objects, each of which says something."""
    subject = document.get("credentialSubject")
    if "credentialSubject" not in document:
        yield Fault("/credentialSubject", "is missing")
    elif subject == []:
        yield Fault("/credentialSubject", "must have at least one entry")
    for place, entry in entries_of(subject, "/credentialSubject"):
        if "credentialSubject" not in document:
            return
        if not isinstance(entry, dict) or not entry:
            yield Fault(place, "must be an object that says something")
        else:
            yield from check_optional_url(entry, "id", place)


def check_period(document: Document) -> Iterator[Fault]:
    """§4.9: dateTimeStamps, the end after the beginning. Version 1.1 must have a beginning."""
    begins, ends = PERIOD[is_version_1(document)]
    for member in (begins, ends):
        if member in document and find_moment(document[member]) is None:
            yield Fault(f"/{member}", "must be a date and time with an offset", "write it like 2026-04-09T14:00:00Z")
    if begins == "issuanceDate" and begins not in document:
        yield Fault(f"/{begins}", "is missing")
    first, last = find_moment(document.get(begins)), find_moment(document.get(ends))
    if first is not None and last is not None and last < first:
        yield Fault(f"/{ends}", f"must not be before {begins}")


def check_refresh_service(document: Document) -> Iterator[Fault]:
    """§5.4; version 1.1 §5.4 has its `id` as well."""
    yield from check_typed(document, "refreshService", id_required=is_version_1(document))


CREDENTIAL_RULES: Mapping[str, Rule] = {
    "context": check_context,
    "type": check_type,
    "id": check_id,
    "issuer": check_issuer,
    "subject": check_subject,
    "period": check_period,
    "names": check_names,
    "status": partial(check_typed, member="credentialStatus"),
    "schema": partial(check_typed, member="credentialSchema", id_required=True),
    "terms_of_use": partial(check_typed, member="termsOfUse"),
    "evidence": partial(check_typed, member="evidence"),
    "refresh_service": check_refresh_service,
}
"""The rules by name. They do not lean on each other."""


def list_credential_faults(document: Document) -> list[Fault]:
    """Everything that keeps `document` from being a credential, proof or no proof."""
    return [fault for rule in CREDENTIAL_RULES.values() for fault in rule(document)]
