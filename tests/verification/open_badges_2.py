"""An issuer of Open Badges 2.0 on a site of the test's own: what it publishes, and assertions of both kinds."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from app.openbadges.open_badges_2 import CONTEXT
from tests.net.tls_site import Site

Document = dict[str, Any]

CONTEXT_URL = "https://w3id.org/openbadges/v2"
assert CONTEXT.fullmatch(CONTEXT_URL)

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
P256 = ec.generate_private_key(ec.SECP256R1())
EMAIL, SALT = "learner@example.org", "deadsea"
IDENTITY = "sha256$" + hashlib.sha256((EMAIL + SALT).encode()).hexdigest()


def public_pem(key: Any) -> str:
    return str(
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def private_pem(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@dataclass(frozen=True)
class Issuer2:
    """Publishes its Profile, a BadgeClass, a key and a revocation list on `site`, and assertions as they are wanted."""

    site: Site
    host: str

    @property
    def base(self) -> str:
        return f"https://{self.host}:{self.site.port}"

    def settle(self, **profile: Any) -> None:
        self.publish(
            "/issuer", {"type": "Issuer", "name": "An Issuer", "url": self.base, "email": "a@b.example"} | profile
        )
        self.publish("/badge", {"type": "BadgeClass", "name": "Checking for Understanding", "description": "It does.",
                                "image": f"{self.base}/badge.png", "criteria": f"{self.base}/criteria",
                                "issuer": f"{self.base}/issuer"})  # fmt: skip

    def settle_signing(self, key: Any = RSA, **profile: Any) -> None:
        """Also the key, and a list with nothing in it."""
        self.settle(publicKey=[f"{self.base}/key"], revocationList=f"{self.base}/revoked", **profile)
        self.publish(
            "/key", {"type": "CryptographicKey", "owner": f"{self.base}/issuer", "publicKeyPem": public_pem(key)}
        )
        self.publish("/revoked", {"type": "RevocationList", "issuer": f"{self.base}/issuer", "revokedAssertions": []})

    def publish(self, path: str, document: Document) -> Document:
        whole = {"@context": CONTEXT_URL, "id": f"{self.base}{path}"} | document
        self.site.put_json(path, whole)
        return whole

    def assertion(self, **members: Any) -> Document:
        """A hosted one, not published yet (None takes a member out)."""
        whole = {
            "@context": CONTEXT_URL,
            "id": f"{self.base}/assertions/1",
            "type": "Assertion",
            "recipient": {"type": "email", "hashed": True, "salt": SALT, "identity": IDENTITY},
            "badge": f"{self.base}/badge",
            "verification": {"type": "hosted"},
            "issuedOn": "2026-11-01T00:00:00Z",
            "expires": "2027-11-01T00:00:00+00:00",
        } | members
        return {name: value for name, value in whole.items() if value is not None}

    def hosted(self, **members: Any) -> Document:
        """A hosted one, published."""
        document = self.assertion(**members)
        self.site.put_json(document["id"].removeprefix(self.base), document)
        return document

    def to_sign(self, **members: Any) -> Document:
        verification = {"type": "signed", "creator": f"{self.base}/key"}
        return self.assertion(
            **{"id": "urn:uuid:11111111-2222-4333-8444-555555555555", "verification": verification} | members
        )


def sign_compact(document: Document, key: Any = RSA, *, algorithm: str | None = None, **header: Any) -> str:
    """The document as the payload of a compact JWS."""
    held = (RSAKey if isinstance(key, rsa.RSAPrivateKey) else ECKey).import_key(private_pem(key))
    algorithm = algorithm or ("RS256" if isinstance(held, RSAKey) else "ES256")
    return jws.serialize_compact(
        {"alg": algorithm} | header, json.dumps(document).encode(), held, algorithms=[algorithm]
    )
