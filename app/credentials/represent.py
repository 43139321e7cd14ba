"""Making the representations of an edition, and reading what is in one.

Each is made from the one unsecured document that was intended, so that every profile says the same. It is linted anew for each
signature, signed, verified, and only then released, all of them in one transaction.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.credentials.profiles import DEFAULT, PROFILES, Planned, Profile, Signing, list_mandatory, plan
from app.errors import InvalidInput
from app.issuers.did_document import verification_method_id
from app.issuers.sign import add_proof, sign_document, sign_jwt, verification_method_of
from app.keys.store import SigningKey
from app.openbadges.conformance import Linted, lint
from app.openbadges.jwt import document_in, read_payload
from app.proofs.cryptosuites import SUITES, transform
from app.proofs.public_key import AnyPublicKey
from app.resources import Resources


@dataclass(frozen=True, slots=True)
class SignedWith:
    """The public side of a key that signs: its id in the vault, the issuer's DID, and the key as the register writes it."""

    key_id: str
    did: str
    public_key_multibase: str
    public_key: AnyPublicKey

    @classmethod
    def of(cls, key: SigningKey, did: str) -> "SignedWith":
        return cls(key.id, did, key.public_key_multibase, key.public_key)


@dataclass(frozen=True, slots=True)
class Made:
    """A representation ready to be released: the exact bytes."""

    profile: str
    media_type: str
    body: bytes


def plan_further(
    world: Resources, names: Sequence[str], document: Mapping[str, Any], key_ids: Mapping[str, str]
) -> list[Planned]:
    """What becomes of the further profiles `names` for a badge with this linted document."""
    plans = [plan(PROFILES[name], document, key_ids) for name in names if name != DEFAULT]
    return [each if each.skipped or _is_sound(world, each.profile, document) else _unsound(each) for each in plans]


def _unsound(planned: Planned) -> Planned:
    return Planned(planned.profile, skipped="not_sound")


def _is_sound(world: Resources, profile: Profile, document: Mapping[str, Any]) -> bool:
    """Whether the document can be written as the profile signs it; it has passed the lint as it stands."""
    suites = [SUITES[each.suite] for each in profile.signings if each.suite is not None]
    try:
        if profile.further_contexts:
            lint(dict(document), contexts=world.contexts, further_contexts=profile.further_contexts)
        # Tokens know a document by its canonical JSON where the signature is not over its N-Quads.
        if profile.is_jwt or any(suite.canonical_form == "jcs" or suite.is_selective for suite in suites):
            transform(SUITES["eddsa-jcs-2022"], document, contexts=world.contexts)
    except InvalidInput:
        return False
    return True


async def represent(
    world: Resources,
    planned: Planned,
    document: Mapping[str, Any],
    keys: Sequence[SignedWith],
    *,
    created: datetime,
    first: Linted | None = None,
) -> Made:
    """One representation of the unsecured `document`, verified. `keys` are those of the plan, in its order.

    `first` spares the first linting where it has been done. The same arguments give the same bytes. Raises LintFailed,
    SelfVerificationFailed.
    """
    profile = planned.profile
    body = b""
    for signing, key in zip(profile.signings, keys, strict=True):
        linted, first = first or _lint(world, profile, document), None
        body = await _sign(world, signing, linted, key, created, body)
    return Made(profile.name, profile.media_type, body)


def _lint(world: Resources, profile: Profile, document: Mapping[str, Any]) -> Linted:
    return lint(dict(document), contexts=world.contexts, further_contexts=profile.further_contexts)


async def _sign(
    world: Resources, signing: Signing, linted: Linted, key: SignedWith, created: datetime, before: bytes
) -> bytes:
    if signing.form is not None:
        kid = _kid(world, signing, key)
        return await sign_jwt(world, linted, form=signing.form, key_id=key.key_id, public_key=key.public_key, kid=kid)
    assert signing.suite is not None
    method = verification_method_of(key.did, key.public_key_multibase)
    if before:
        return await add_proof(
            world, before, linted, key_id=key.key_id, verification_method=method, created=created, suite=signing.suite
        )
    pointers = list_mandatory(linted.document) if SUITES[signing.suite].is_selective else ()
    return await sign_document(
        world, linted, key_id=key.key_id, verification_method=method, created=created, suite=signing.suite,
        mandatory_pointers=pointers,
    )  # fmt: skip


def _kid(world: Resources, signing: Signing, key: SignedWith) -> str:
    if signing.form == "ob3-jwt":
        return f"{world.base_url}/keys/{key.key_id}"
    return verification_method_id(key.did, key.public_key_multibase)


def read_unsecured(profile: Profile, body: bytes) -> dict[str, Any]:
    """The unsecured document that a representation was made from. Raises ValueError for what is no representation."""
    if profile.is_jwt:
        return document_in(read_payload(body.decode("ascii")))
    document = json.loads(body)
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    further = len(profile.further_contexts)
    return {**unsecured, "@context": unsecured["@context"][:-further]} if further else unsecured
