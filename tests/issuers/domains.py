"""A domain of an issuer's own, for tests: a TLS site at localhost that publishes what its owner likes, or leads to us."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from app.settings import Settings
from tests.conftest import Partner, make_issuer, open_client
from tests.net.tls_site import CertificateAuthority, Site, serve

Document = dict[str, Any]

NETWORKS = ["127.0.0.0/8", "::1/128"]


class Domain:
    """`did` is the issuer's, whose document is at `path` of this domain."""

    def __init__(self, site: Site, *segments: str) -> None:
        self.site = site
        self.host = f"localhost:{site.port}"
        self.did = ":".join(["did:web", f"localhost%3A{site.port}", *segments])
        self.path = f"/{'/'.join(segments or ['.well-known'])}/did.json"
        self.publish_nothing()

    @property
    def requests(self) -> int:
        return len(self.site.requests)

    def publish(self, document: Document) -> None:
        self.site.put_json(self.path, document)

    def publish_nothing(self) -> None:
        self.site.put(self.path, b"", status="404 Not Found")

    def lead_to(self, app: FastAPI) -> None:
        """As a proxy does that ends TLS and hands the request on with its Host."""

        async def respond(writer: asyncio.StreamWriter) -> None:
            async with open_client(app) as client:
                answer = await client.get(self.path, headers={"Host": self.host})
            head = f"HTTP/1.1 {answer.status_code} Answered\r\nContent-Length: {len(answer.content)}\r\n"
            writer.write(f"{head}Content-Type: {answer.headers['content-type']}\r\n\r\n".encode() + answer.content)
            await writer.drain()

        self.site.answers[self.path] = respond


def reaching_domains(settings: Settings, authority: CertificateAuthority) -> Settings:
    """The same settings at an https address, for a service that reaches the domains of `open_domain`."""
    changes = {"outbound_allow_networks": NETWORKS, "outbound_ca_file": authority.ca_file}
    return Settings.model_validate({**settings.model_dump(), "public_url": "https://badges.example.org", **changes})


@asynccontextmanager
async def open_domain(authority: CertificateAuthority, *segments: str) -> AsyncIterator[Domain]:
    async with serve(authority, "localhost") as site:
        yield Domain(site, *segments)


@asynccontextmanager
async def settle(app: FastAPI, operator: httpx.AsyncClient, slug: str, did: str) -> AsyncIterator[Partner]:
    """An issuer with this DID, not ready yet, and everything else a partner has."""
    async with open_client(app, await make_issuer(operator, slug, did=did)) as client:
        yield await Partner.settle(app, client)


async def document_to_publish(client: httpx.AsyncClient, slug: str) -> Document:
    answer = await client.get(f"/issuers/{slug}/did.json")
    assert answer.status_code == 200, answer.text
    document: Document = json.loads(answer.content)
    return document


def without(document: Document, key: Document) -> Document:
    """The document without this key (as the API lists it)."""
    name = key["verification_method"]
    return {
        **document,
        "verificationMethod": [each for each in document["verificationMethod"] if each["id"] != name],
        "assertionMethod": [each for each in document["assertionMethod"] if each != name],
    }
