"""API clients of the VC-API, holders with keys of their own, and what they sign with the library's own means."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    SECP384R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

from app.access.clients import create_client
from app.access.principals import Scope
from app.access.store import find_client
from app.contexts import load_contexts
from app.issuers.store import get_issuer
from app.proofs.cryptosuites import (
    SUITES,
    compose_proof,
    compose_proof_config,
    hash_data,
    transform,
    transform_proof_config,
)
from app.proofs.open_contexts import OpenContexts
from app.proofs.verification_method import did_key
from app.resources import Resources
from tests.conftest import Partner
from tests.issuing import world_of
from tests.people import app_of

OPEN = OpenContexts(load_contexts(catch_alls=True))
EVERYTHING = (Scope.VCAPI_ISSUE, Scope.VCAPI_VERIFY, Scope.VCAPI_GENERIC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class VcApi:
    """An API client at work: `did` is the issuer of what it issues."""

    http: httpx.AsyncClient
    world: Resources
    issuer_id: str
    client_id: str
    did: str

    async def post(self, path: str, body: Any, **options: Any) -> httpx.Response:
        return await self.http.post(path, json=body, **options)

    async def issue(self, credential: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        """The credential that is issued; its issuer is the client's unless it names one."""
        body = {"credential": {**credential, "issuer": credential.get("issuer", self.did)}, "options": options}
        answer = await self.post("/credentials/issue", body)
        assert answer.status_code == 201, answer.text
        secured: dict[str, Any] = answer.json()["verifiableCredential"]
        return secured

    async def verify(self, credential: Any, **options: Any) -> dict[str, Any]:
        answer = await self.post("/credentials/verify", {"verifiableCredential": credential, "options": options})
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def verify_presentation(self, presentation: Any, **options: Any) -> dict[str, Any]:
        answer = await self.post("/presentations/verify", {"verifiablePresentation": presentation, "options": options})
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def settle(self, partner: Partner, **settings: Any) -> "VcApi":
        """The client with other settings."""
        path = f"/v1/issuers/{self.issuer_id}/api-clients/{self.client_id}/vc-api"
        answer = await partner.client.put(path, json=settings)
        assert answer.status_code == 200, answer.text
        return VcApi(self.http, self.world, self.issuer_id, self.client_id, answer.json()["issuer_did"])


@asynccontextmanager
async def vcapi_client(partner: Partner, scopes: Sequence[Scope] = EVERYTHING) -> AsyncIterator[VcApi]:
    app = app_of(partner.client)
    world = world_of(app)
    async with world.database.transaction() as session:
        own = await find_client(session, partner.client.headers["Authorization"].split("_")[1])
        assert own is not None
        assert own.issuer_id is not None
        issuer = await get_issuer(session, own.issuer_id)
        client, token = await create_client(
            session, issuer_id=issuer.id, name="VC-API", scopes=set(scopes), expires_at=None, actor="test",
            now=world.clock.now(),
        )  # fmt: skip
    headers = {"Authorization": f"Bearer {token}"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url=str(partner.client.base_url), headers=headers, timeout=60
    ) as http:
        yield VcApi(http, world, issuer.id, client.id, issuer.did)


@dataclass(frozen=True, slots=True)
class Signatory:
    """Somebody with a key as did:key."""

    key: PrivateKey

    @classmethod
    def ed25519(cls, seed: int = 7) -> "Signatory":
        return cls(Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))

    @classmethod
    def p256(cls) -> "Signatory":
        return cls(generate_private_key(SECP256R1()))

    @classmethod
    def p384(cls) -> "Signatory":
        return cls(generate_private_key(SECP384R1()))

    @property
    def did(self) -> str:
        return did_key(self.key.public_key())

    @property
    def method(self) -> str:
        return f"{self.did}#{self.did.removeprefix('did:key:')}"

    def prove(
        self,
        document: Mapping[str, Any],
        *,
        suite: str = "eddsa-rdfc-2022",
        purpose: str = "assertionMethod",
        created: datetime = NOW,
        method: str | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """A proof over `document`, with what `document` has under `proof` covered where `options` name it."""
        chosen = SUITES[suite]
        config = {
            **compose_proof_config(
                chosen, verification_method=method or self.method, created=created,
                document_context=document["@context"], purpose=purpose,
            ),
            **options,
        }  # fmt: skip
        public_key = self.key.public_key()
        canonical = transform_proof_config(chosen, config, document["@context"], public_key, contexts=OPEN)
        to_sign = hash_data(public_key, canonical, transform(chosen, document, public_key, contexts=OPEN))
        return compose_proof(config, self._sign(to_sign))

    def sign(self, document: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        return {**document, "proof": self.prove(document, **options)}

    def _sign(self, data: bytes) -> bytes:
        if isinstance(self.key, Ed25519PrivateKey):
            return self.key.sign(data)
        size = self.key.key_size // 8
        signature = self.key.sign(data, ECDSA(SHA384() if size == 48 else SHA256()))
        return b"".join(number.to_bytes(size, "big") for number in decode_dss_signature(signature))


def codes(told: Mapping[str, Any]) -> set[str]:
    """The codes of what kept a document from being verified."""
    return {each.partition(":")[0] for each in told.get("errors", [])}


def pretty(value: Any) -> str:
    return json.dumps(value, indent=1)
