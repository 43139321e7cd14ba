"""An OpenID provider made by hand, on a TLS site of the test's own: it can lie in any way a stranger can."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from fastapi import FastAPI
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from app.net.client import OutboundClient
from app.resources import Resources
from tests.conftest import Partner
from tests.net.tls_site import CertificateAuthority, Site, serve

CLIENT_ID, CLIENT_SECRET = "assay:client", "a secret & more"


class HostileProvider:
    """`issuer` is its URL; `claims` and `header` of the next ID token can be changed at will."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.issuer = f"https://localhost:{site.port}"
        self.key = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"}, private=True)
        self.discovery: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
        }
        self.publish()

    def publish(self, *keys: Mapping[str, Any]) -> None:
        self.site.put_json("/.well-known/openid-configuration", self.discovery)
        self.site.put_json("/jwks", {"keys": list(keys) or [self.key.as_dict(private=False)]})

    def answer_with(self, token: str | None) -> None:
        answer = {"access_token": "unused", "token_type": "Bearer"}
        self.site.put_json("/token", answer | ({} if token is None else {"id_token": token}))

    def sign(self, claims: Mapping[str, Any], *, alg: str = "RS256", key: Any = None, **header: Any) -> str:
        return self.sign_text(json.dumps(claims).encode(), alg=alg, key=key, **header)

    def sign_text(self, text: bytes, *, alg: str = "RS256", key: Any = None, **header: Any) -> str:
        whole = {"alg": alg, "kid": "rsa-1", **header}
        return jws.serialize_compact(whole, text, key or self.key, algorithms=[alg])

    def unsigned(self, claims: Mapping[str, Any]) -> str:
        def part(value: Mapping[str, Any]) -> str:
            return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

        return f"{part({'alg': 'none', 'kid': 'rsa-1'})}.{part(claims)}."

    def shared_secret(self) -> OctKey:
        """The public key, as somebody would use it who hopes that HS256 is taken."""
        return OctKey.import_key(hashlib.sha256(json.dumps(self.key.as_dict(private=False)).encode()).hexdigest())

    def another_key(self) -> ECKey:
        return ECKey.generate_key("P-256", {"kid": "rsa-1"}, private=True)


@asynccontextmanager
async def hostile_provider(app: FastAPI, directory: Path) -> AsyncIterator[HostileProvider]:
    """A provider that the application can reach and whose certificate it trusts."""
    authority = CertificateAuthority(directory)
    async with serve(authority, "localhost") as site:
        await trust(app, authority)
        yield HostileProvider(site)


async def trust(app: FastAPI, authority: CertificateAuthority) -> None:
    """Let the application reach loopback over the authority's TLS."""
    world: Resources = app.state.resources
    await world.outbound.close()
    loopback = [ip_network("127.0.0.1/32"), ip_network("::1/128")]
    object.__setattr__(world, "outbound", OutboundClient(allow_networks=loopback, ca_file=authority.ca_file))


async def register(partner: Partner, issuer: str, **changes: str) -> str:
    """Register at a provider: the path that its button leads to."""
    body = {
        "name": "Maple County", "provider_issuer": issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
        **changes,
    }  # fmt: skip
    made = await partner.client.post("/v1/oidc-providers", json=body)
    assert made.status_code == 201, made.text
    assert "secret" not in made.text
    return f"/sign-in/academy/oidc/{made.json()['id']}"


async def begin(browser: httpx.AsyncClient, path: str) -> dict[str, str]:
    """Press the button: what the browser carries to the provider."""
    sent = await browser.post(path)
    assert sent.status_code == 303, sent.text
    return {name: values[0] for name, values in parse_qs(urlsplit(sent.headers["location"]).query).items()}
