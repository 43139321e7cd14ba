"""By what an issuer can be known: the domain its DID is at, the operator's mark, entries in registries."""

import json
from datetime import UTC, datetime

import httpx
import jwt
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from tests.conftest import Partner
from tests.credentials.profiles import make_keys
from tests.fakes import FixedClock
from tests.issuing import world_of

STATEMENT = "The academy, accredited 2024"


@pytest.fixture
def public_url() -> str:
    """Of https, so that issuers are did:web."""
    return "https://badges.example.org"


async def configuration(api: httpx.AsyncClient, host: str = "badges.example.org") -> list[str]:
    answer = await api.get("/.well-known/did-configuration.json", headers={"Host": host})
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert document["@context"] == "https://identity.foundation/.well-known/did-configuration/v1"
    linked: list[str] = document["linked_dids"]
    return linked


async def test_an_origin_is_linked_to_its_issuers(
    app: FastAPI, partner: Partner, stranger: Partner, api: httpx.AsyncClient, clock: FixedClock
) -> None:
    tokens = await configuration(api)
    jwks = (await api.get("/.well-known/jwks.json")).json()["keys"]
    dids = set()
    for token in tokens:
        header, unverified = jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})
        did = unverified["iss"]
        dids.add(did)
        assert header == {"alg": "EdDSA", "kid": header["kid"]}
        assert header["kid"].startswith(f"{did}#z6Mk")
        [key] = [each for each in jwks if each["iss"] == did]
        claims = jwt.decode(
            token, jwt.PyJWK(key).key, algorithms=["EdDSA"], options={"verify_exp": False, "verify_nbf": False}
        )
        assert claims["sub"] == did
        assert claims["nbf"] <= clock.now().timestamp() < claims["exp"]
        credential = claims["vc"]
        assert "id" not in credential
        assert credential["type"] == ["VerifiableCredential", "DomainLinkageCredential"]
        assert credential["credentialSubject"] == {"id": did, "origin": "https://badges.example.org"}
        assert datetime.fromisoformat(credential["expirationDate"]) == datetime.fromtimestamp(claims["exp"], UTC)
        assert datetime.fromisoformat(credential["issuanceDate"]) == datetime.fromtimestamp(claims["nbf"], UTC)
    assert dids == {"did:web:badges.example.org:issuers:academy", "did:web:badges.example.org:issuers:stranger"}
    used = await count(app)
    # The same for a month, and whoever asks by another name gets no other origin into it.
    clock.advance(seconds=60)
    assert await configuration(api) == tokens
    assert await configuration(api, host="evil.example.org") == tokens
    assert await count(app) == used
    # With another key, and in another month, there are others; each use of a key is in the audit trail.
    await make_keys(partner, "Ed25519")
    assert len(set(await configuration(api)) - set(tokens)) == 1
    clock.advance(days=31)
    assert set(await configuration(api)).isdisjoint(tokens)
    assert await count(app) == used + 3


async def count(app: FastAPI) -> int:
    """Uses of keys in the audit trail."""
    async with world_of(app).database.reading() as session:
        found = await session.execute(text("SELECT count(*) FROM audit_entry WHERE action = 'key.used'"))
        return int(found.scalar_one())


async def test_the_operator_marks_an_issuer_as_verified(
    partner: Partner, operator: httpx.AsyncClient, api: httpx.AsyncClient, clock: FixedClock
) -> None:
    path = f"/v1/issuers/{partner.issuer_id}"
    assert (await partner.client.get(path)).json()["verification"] is None
    marked = await operator.put(f"{path}/verification", json={"verified_as": STATEMENT})
    assert marked.status_code == 200, marked.text
    told = (await partner.client.get(path)).json()
    assert told["verification"]["verified_as"] == STATEMENT
    page = (await api.get("/issuers/academy", headers={"Accept": "text/html"})).text
    assert f"<strong>{STATEMENT}</strong>" in page
    # It is the operator's to say, and no part of what badges carry.
    refused = await partner.client.put(f"{path}/verification", json={"verified_as": "The best"})
    assert refused.status_code == 403
    assert STATEMENT not in json.dumps(told["profile"])
    clock.advance(seconds=60)
    again = await operator.put(f"{path}/verification", json={"verified_as": STATEMENT})
    assert again.json()["verification"] == told["verification"]
    taken = await operator.put(f"{path}/verification", json={"verified_as": None})
    assert taken.json()["verification"] is None
    page = (await api.get("/issuers/academy", headers={"Accept": "text/html"})).text
    assert "Verified by the operator" not in page
    events = (await partner.client.get("/v1/events")).json()["items"]
    assert [each["type"] for each in events if "verified" in each["type"]] == ["issuer.verified", "issuer.unverified"]


async def test_a_registry_entry_is_by_did(partner: Partner, stranger: Partner) -> None:
    path = f"/v1/issuers/{partner.issuer_id}/registry-entry"
    did = "did:web:badges.example.org:issuers:academy"
    url = "https://badges.example.org/issuers/academy"
    answer = await partner.client.get(path, params={"location": "Springfield, USA"})
    assert answer.json() == {did: {"name": "The academy", "location": "Springfield, USA", "url": url}}
    assert (await partner.client.get(path)).json()[did]["location"] == ""
    assert (await stranger.client.get(path)).status_code == 404


# Keys


async def test_each_algorithm_has_a_key_of_its_own(partner: Partner, api: httpx.AsyncClient) -> None:
    first = await make_keys(partner)
    second = await make_keys(partner, "P-256")
    keys = (await partner.client.get(f"/v1/issuers/{partner.issuer_id}/keys")).json()["items"]
    assert {(key["algorithm"], key["state"]) for key in keys} == {
        ("Ed25519", "active"), ("P-256", "active"), ("P-256", "retired"), ("P-384", "active"), ("RSA", "active"),
    }  # fmt: skip
    assert second["P-256"]["id"] != first["P-256"]["id"]
    assert [key["public_key_multibase"] is None for key in keys] == [key["algorithm"] == "RSA" for key in keys]
    document = (await api.get("/issuers/academy/did.json")).json()
    assert document["assertionMethod"] == [key["verification_method"] for key in keys]
    methods = {method["id"]: method for method in document["verificationMethod"]}
    rsa = methods[first["RSA"]["verification_method"]]
    assert rsa["type"] == "JsonWebKey"
    assert rsa["publicKeyJwk"]["kid"] == rsa["id"].partition("#")[2]
    assert "https://w3id.org/security/jwk/v1" in document["@context"]
    assert {method["type"] for id_, method in methods.items() if id_ != rsa["id"]} == {"Multikey"}


PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


async def test_no_private_member_is_ever_served(partner: Partner, api: httpx.AsyncClient) -> None:
    made = await make_keys(partner)
    jwks = (await api.get("/.well-known/jwks.json")).json()["keys"]
    bare = [(await api.get(key["url"])).json() for key in made.values()]
    assert {key["alg"] for key in bare} == {"ES256", "ES384", "RS256"}
    for jwk in bare:
        assert jwk in jwks
    document = (await api.get("/issuers/academy/did.json")).json()
    published = [method.get("publicKeyJwk", {}) for method in document["verificationMethod"]]
    for jwk in [*jwks, *published]:
        assert not PRIVATE & jwk.keys()
    for url in [key["url"] for key in made.values()]:
        assert (await api.get(url)).json()["kid"] == url


async def test_an_unknown_algorithm_is_refused(partner: Partner) -> None:
    for algorithm in ("P-521", "HS256", "none", ""):
        answer = await partner.client.post(f"/v1/issuers/{partner.issuer_id}/keys", json={"algorithm": algorithm})
        assert answer.status_code == 422, algorithm


class TestOfDidKey:
    """An issuer whose id is its key has no other that its DID names."""

    @pytest.fixture
    def public_url(self) -> str:
        return "http://127.0.0.1:8000"

    async def test_it_may_have_no_key_beside(self, partner: Partner, api: httpx.AsyncClient) -> None:
        for algorithm in ("Ed25519", "P-256", "P-384", "RSA"):
            answer = await partner.client.post(f"/v1/issuers/{partner.issuer_id}/keys", json={"algorithm": algorithm})
            assert (answer.status_code, answer.json()["code"]) == (409, "key_not_rotatable"), algorithm
        document = (await api.get("/issuers/academy/did.json")).json()
        assert [method["type"] for method in document["verificationMethod"]] == ["Multikey"]
        assert await configuration(api, host="127.0.0.1:8000") == []
