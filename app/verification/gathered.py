"""A credential and what was gathered to judge it. PURE."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from app.proofs.jose_keys import TokenKey
from app.proofs.verification_method import VerificationMethod


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that was looked for and not had: `code` is of VERDICTS, `detail` for people."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class KeyReference:
    """The key that a token names: a verification method or the URL of a JWK (`kid`), else the `jwk` in its header, else the one
    key of its issuer."""

    issuer: str
    kid: str
    jwk: Mapping[str, Any] | None

    @property
    def name(self) -> str:
        """The same for every token of the issuer that names the key so."""
        return json.dumps([self.issuer, self.kid, self.jwk], sort_keys=True)


@dataclass(frozen=True, slots=True)
class Gathered:
    """A credential and all that is needed to judge it without touching the world again.

    `methods` by verification method id (those of the credential and of its status lists), `status_lists` by URL.
    `token_keys` by `KeyReference.name`. A document secured as a token is there as EnvelopedVerifiableCredential (`envelopes.py`).
    `documents` are what else was fetched, by URL: the kinds of status, schemas and the like that checks of their own ask for.
    """

    credential: Mapping[str, Any]
    methods: Mapping[str, VerificationMethod | Missing] = field(default_factory=dict)
    status_lists: Mapping[str, Mapping[str, Any] | Missing] = field(default_factory=dict)
    documents: Mapping[str, Mapping[str, Any] | Missing] = field(default_factory=dict)
    token_keys: Mapping[str, TokenKey | Missing] = field(default_factory=dict)


Purpose = Literal[
    "credential",
    "verification_method",
    "status_list",
    "refresh",
    "badge_class",
    "issuer_profile",
    "schema",
    "evidence",
    "registry",
]
"""What a document is fetched for."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """A request over the network: "fetched", "refused" (never sent: no public https address), "failed" (no usable answer), or
    "unreadable" (no JSON object). "kept" is none: a copy that was fetched for another verification, a few minutes ago at most."""

    url: str
    purpose: Purpose
    outcome: Literal["fetched", "refused", "failed", "unreadable", "kept"]
