"""PyPI `openbadgeslib` as a test oracle: a second verifier, with its own strict reading of Open Badges and JSON-LD.

It canonicalizes with PyLD, as Assay does; the verifier that shares no such code with Assay is verifier-core.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from openbadgeslib.ob3 import OpenBadgeCredential
from openbadgeslib.ob3.did import resolve_verification_method
from openbadgeslib.ob3.ldp import OB3LdpVerifier, verify_data_integrity_proof
from openbadgeslib.ob3.verifier import OB3VerificationError


@dataclass(frozen=True)
class Verdict:
    """What openbadgeslib made of a credential: its own reading of it when accepted, its own words when not."""

    accepted: bool
    reason: str = ""
    credential: OpenBadgeCredential | None = None


def verify_with_openbadgeslib(credential: dict[str, Any], *, download: Callable[[str], bytes]) -> Verdict:
    """Verify proof, JSON-LD form, validity period and status of a secured credential issued by a did:key or did:web.

    `download` answers the address of a status list or DID document with its bytes; whatever it raises is a rejection.

    openbadgeslib proves status lists only when they are VC-JWTs, so here the list is first read without its proof and
    then held to the credential's issuer and verified with the library's check for any Data Integrity document.
    """
    fetch = cache(download)
    issuer = _issuer_of(credential)
    try:
        accepted = OB3LdpVerifier.for_issuer_did(issuer).verify(
            credential, check_status=True, verify_status_list=False, download=fetch
        )
        for entry in accepted.credential_status:
            _verify_status_list(fetch(entry["statusListCredential"]), issuer, download)
    except OB3VerificationError as rejection:
        return Verdict(accepted=False, reason=str(rejection))
    return Verdict(accepted=True, credential=accepted)


@cache  # one list stands behind the badges of months
def _verify_status_list(body: bytes, issuer: str, download: Callable[[str], bytes]) -> None:
    status_list = json.loads(body)
    proofs = status_list.get("proof", [])
    methods = [proof["verificationMethod"] for proof in (proofs if isinstance(proofs, list) else [proofs])]
    if len(methods) != 1 or methods[0].partition("#")[0] != issuer or _issuer_of(status_list) != issuer:
        raise OB3VerificationError(f"the status list does not carry one proof by the badge's issuer {issuer}")
    verify_data_integrity_proof(status_list, resolve_verification_method(methods[0], download=download))


def _issuer_of(credential: dict[str, Any]) -> str:
    issuer = credential["issuer"]
    return str(issuer["id"] if isinstance(issuer, dict) else issuer)
