import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from app.errors import NotFound
from app.net.did import did_web_url, resolve_verification_method
from app.proofs.errors import InvalidVerificationMethod
from app.proofs.verification_method import VerificationMethod
from tests.net.tls_site import CertificateAuthority, client_for, serve
from tests.verification.badges import Issuer, did_key_issuer, issuer_at, key_of, put

NAME = "badges.example"


def resolved(did_url: str, documents: Mapping[str, Any], *, purpose: str = "assertionMethod") -> VerificationMethod:
    async def get_document(url: str) -> Mapping[str, Any]:
        if url not in documents:
            raise NotFound("No such document.")
        document: Mapping[str, Any] = documents[url]
        return document

    return asyncio.run(resolve_verification_method(did_url, purpose=purpose, get_document=get_document))


@pytest.mark.parametrize(
    ("did", "url"),
    [
        ("did:web:example.org", "https://example.org/.well-known/did.json"),
        ("did:web:example.org:issuers:a", "https://example.org/issuers/a/did.json"),
        ("did:web:example.org%3A8443", "https://example.org:8443/.well-known/did.json"),
        ("did:web:example.org%3A8443:issuers:a", "https://example.org:8443/issuers/a/did.json"),
        ("did:web:localhost%3A8443:a-b_c.d", "https://localhost:8443/a-b_c.d/did.json"),
        ("did:web:example.org:a%20b", "https://example.org/a%20b/did.json"),
    ],
)
def test_where_a_did_web_document_is(did: str, url: str) -> None:
    assert did_web_url(did) == url


@pytest.mark.parametrize(
    "did",
    [
        "did:web:",
        "did:web::a",
        "did:web:example.org:",
        "did:web:example.org::a",
        "did:web:example.org:..:a",
        "did:web:example.org:%2e%2e:a",
        "did:web:example.org:a%2Fb",
        "did:web:example.org:a%3Fb",
        "did:web:example.org:a%00b",
        "did:web:example.org:a?b",
        "did:web:example.org/a",
        "did:web:example.org%2Fa",
        "did:web:user%40example.org",
        "did:web:example.org%3A",
        "did:web:example.org%3A8443%3A1",
        "did:web:127.0.0.1",
        "did:web:127.1",
        "did:web:2130706433",
        "did:web:%5B%3A%3A1%5D",
        "did:web:ex%C3%A4mple.org",
    ],
)
def test_what_is_no_did_web(did: str) -> None:
    with pytest.raises(InvalidVerificationMethod):
        did_web_url(did)


def test_did_key_needs_no_document() -> None:
    issuer = did_key_issuer()
    assert resolved(issuer.method_id, {}).public_key_multibase == issuer.multikey


@pytest.mark.parametrize(
    ("id", "url"),
    [
        ("did:web:badges.example:issuers:a", "https://badges.example/issuers/a/did.json"),
        ("https://badges.example/issuers/a", "https://badges.example/issuers/a"),
    ],
)
def test_a_key_is_read_from_the_controllers_document(id: str, url: str) -> None:
    issuer = issuer_at(id)
    method = resolved(issuer.method_id, {url: issuer.document})
    assert (method.id, method.controller, method.public_key_multibase) == (issuer.method_id, id, issuer.multikey)


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/id", "did:web:victim.example"),
        ("/assertionMethod", []),
        ("/assertionMethod/0", "did:web:badges.example:issuers:a#another"),
        ("/verificationMethod", []),
        ("/verificationMethod/0/controller", "did:web:victim.example"),
        ("/verificationMethod/0/id", "did:web:badges.example:issuers:a#another"),
    ],
)
def test_a_document_that_does_not_vouch_for_the_key_is_refused(pointer: str, value: object) -> None:
    issuer = issuer_at("did:web:badges.example:issuers:a")
    document = put(issuer.document, pointer, value)
    with pytest.raises(InvalidVerificationMethod):
        resolved(issuer.method_id, {"https://badges.example/issuers/a/did.json": document})


def test_a_name_that_holds_a_key_does_not_make_it_one() -> None:
    """The victim publishes a document; the forger only writes a name with the victim's DID and its own key."""
    victim = issuer_at("did:web:badges.example:issuers:a")
    forger = Issuer(victim.id, key_of("the forger"))
    documents = {"https://badges.example/issuers/a/did.json": victim.document}
    assert resolved(victim.method_id, documents)
    with pytest.raises(InvalidVerificationMethod):
        resolved(forger.method_id, documents)


def test_the_key_must_serve_the_purpose() -> None:
    issuer = issuer_at("did:web:badges.example:issuers:a")
    documents = {"https://badges.example/issuers/a/did.json": issuer.document}
    assert resolved(issuer.method_id, documents)
    with pytest.raises(InvalidVerificationMethod):
        resolved(issuer.method_id, documents, purpose="authentication")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "#",
        "did:web:badges.example",
        "did:web:badges.example#",
        "did:ion:abc#k",
        "http://badges.example/a#k",
        "urn:a#k",
    ],
)
def test_names_that_cannot_be_resolved(name: str) -> None:
    with pytest.raises(InvalidVerificationMethod):
        resolved(name, {})


def test_a_document_that_is_not_there_is_the_ports_error() -> None:
    with pytest.raises(NotFound):
        resolved(issuer_at("did:web:badges.example").method_id, {})


def test_did_web_over_tls(tmp_path_factory: pytest.TempPathFactory) -> None:
    authority = CertificateAuthority(tmp_path_factory.mktemp("ca"))

    async def story() -> None:
        async with serve(authority, NAME) as site, client_for(authority, NAME) as client:

            async def get_document(url: str) -> Mapping[str, Any]:
                document: Mapping[str, Any] = json.loads((await client.get(url, accept="application/json")).body)
                return document

            issuer = issuer_at(f"did:web:{NAME}%3A{site.port}:issuers:a")
            site.put_json("/issuers/a/did.json", issuer.document)
            method = await resolve_verification_method(
                issuer.method_id, purpose="assertionMethod", get_document=get_document
            )
            assert method.public_key_multibase == issuer.multikey

    asyncio.run(story())
