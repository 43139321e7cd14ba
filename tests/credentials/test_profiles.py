"""Badges in every proof profile: made by one call, verified by others, finished after a crash, skipped with a reason."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import FastAPI
from openbadgeslib.ob3.verifier import OB3VerificationError, OB3Verifier

from app.contexts import load_contexts
from app.credentials.issue import LEASE, _reopen, _represent_all, recover
from app.credentials.profiles import PROFILE_NAMES, PROFILES, list_mandatory, plan
from app.openbadges.conformance import lint
from app.openbadges.jwt import document_in
from app.operation.check import Tally, check_badges
from app.proofs.data_integrity import verify_proof
from app.proofs.verification_method import verification_method_from
from app.resources import Resources
from app.settings import Settings
from tests.conftest import Partner
from tests.credentials.profiles import DID, bodies, fetch, issue, make_keys, settle, told
from tests.fakes import FixedClock
from tests.issuing import (
    AbsentSigner,
    decide_directly,
    list_all_editions,
    require_verifies,
    with_signer,
    world_of,
)
from tests.operation.behind import unguarded
from tests.people import open_person

CONTEXTS = load_contexts()
PUBLIC = [name for name in PROFILE_NAMES if PROFILES[name].is_public]
JWTS = ["ob3-jwt", "vc-jose-cose"]


@pytest.fixture
def public_url() -> str:
    """Of https, so that issuers are did:web and have keys of every algorithm."""
    return "https://badges.example.org"


def read_part(part: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return value


async def did_document(partner: Partner) -> dict[str, Any]:
    answer = await partner.client.get("/issuers/academy/did.json")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def problems(partner: Partner, document: dict[str, Any], clock: FixedClock) -> list[list[str]]:
    """What is wrong with each proof, by the key that the issuer's DID document has."""
    published = await did_document(partner)
    proofs = document["proof"]
    return [
        [
            problem.code
            for problem in verify_proof(
                document, proof,
                verification_method_from(published, proof["verificationMethod"], purpose="assertionMethod"),
                contexts=CONTEXTS, now=clock.now(),
            )
        ]
        for proof in proofs
    ]  # fmt: skip


async def test_one_call_issues_in_every_profile(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    await make_keys(partner)
    await settle(partner)
    badge = await issue(partner)
    assert [each["profile"] for each in badge["representations"]] == list(PROFILE_NAMES)
    assert [each["skipped"] for each in badge["representations"]] == [None] * len(PROFILE_NAMES)
    found = await bodies(partner, badge)
    assert found["eddsa-rdfc-2022"] == (await partner.client.get(f"/credentials/{badge['id']}")).content
    documents = {name: json.loads(body) for name, body in found.items() if name not in JWTS}
    suites = {name: [(p["type"], p.get("cryptosuite")) for p in each["proof"]] for name, each in documents.items()}
    assert suites == {
        name: [("DataIntegrityProof", name)] for name in documents if name not in ("Ed25519Signature2020", "proof-set")
    } | {
        "Ed25519Signature2020": [("Ed25519Signature2020", None)],
        "proof-set": [("DataIntegrityProof", "eddsa-rdfc-2022"), ("DataIntegrityProof", "ecdsa-rdfc-2019")],
    }
    for name, document in documents.items():
        if name != "ecdsa-sd-2023":
            assert await problems(partner, document, clock) == [[] for _ in document["proof"]], name
            changed = {**document, "name": "Another badge"}
            assert all("proof_signature_invalid" in each for each in await problems(partner, changed, clock)), name
        await require_same_claims(documents["eddsa-rdfc-2022"], document)
    await require_verifies(world_of(app), documents["proof-set"])


async def require_same_claims(default: dict[str, Any], document: dict[str, Any]) -> None:
    left_out = {"proof", "@context"}
    assert {n: v for n, v in document.items() if n not in left_out} == {
        n: v for n, v in default.items() if n not in left_out
    }


async def test_by_default_a_badge_is_issued_in_one_profile(partner: Partner) -> None:
    badge = await issue(partner)
    assert badge["representations"] == [
        {
            "profile": "eddsa-rdfc-2022", "media_type": "application/vc+ld+json", "url": badge["url"], "skipped": None,
            "detail": None,
        }
    ]  # fmt: skip
    assert (await fetch(partner, badge, "ob3-jwt")).status_code == 404
    assert (await partner.client.get(f"/credentials/{badge['id']}/ob3-jwt")).status_code == 404


async def test_the_default_profile_is_always_among_those_of_an_achievement(partner: Partner) -> None:
    await settle(partner, "vc-jose-cose", "vc-jose-cose")
    answer = await partner.client.get(f"/v1/achievements/{partner.achievement_id}")
    assert answer.json()["settings"]["proof_profiles"] == ["eddsa-rdfc-2022", "vc-jose-cose"]
    refused = await partner.client.put(
        f"/v1/achievements/{partner.achievement_id}/settings", json={"proof_profiles": ["dc+sd-jwt"]}
    )
    assert refused.status_code == 422


async def test_a_profile_that_cannot_be_made_is_skipped_with_a_reason(partner: Partner) -> None:
    await settle(partner)
    bare = await issue(partner, recipient={"email": "bob@schools.example.org"})
    skipped = {each["profile"]: each["skipped"] for each in bare["representations"]}
    assert {name for name, reason in skipped.items() if reason == "no_key"} == {
        "ecdsa-rdfc-2019", "ecdsa-jcs-2019", "proof-set", "ecdsa-sd-2023",
    }  # fmt: skip
    assert skipped["ob3-jwt"] == "no_subject_id"
    assert skipped["vc-jose-cose"] is None  # signed with the Ed25519 key then
    assert all(each["detail"] for each in bare["representations"] if each["skipped"])
    await make_keys(partner, "P-384")
    later = await issue(partner, recipient={"email": "eve@schools.example.org"})
    skipped = {each["profile"]: each["skipped"] for each in later["representations"]}
    assert {name for name, reason in skipped.items() if reason} == {"ecdsa-sd-2023", "ob3-jwt"}
    assert (await told(partner, bare["id"]))["representations"] == bare["representations"]


class TestOfDidKey:
    """An issuer of a service at an http address."""

    @pytest.fixture
    def public_url(self) -> str:
        return "http://127.0.0.1:8000"

    async def test_its_badges_are_issued_with_its_one_key(self, partner: Partner, api: httpx.AsyncClient) -> None:
        await settle(partner)
        badge = await issue(partner)
        skipped = {each["profile"]: each["skipped"] for each in badge["representations"]}
        made = {"eddsa-rdfc-2022", "eddsa-jcs-2022", "Ed25519Signature2020", "vc-jose-cose"}
        assert skipped == {name: None if name in made else "did_key" for name in PROFILE_NAMES}
        for name, body in (await bodies(partner, badge)).items():
            told_of = await verdict(api, credential=body.decode() if name in JWTS else json.loads(body))
            assert (told_of["valid"], complaints(told_of)) == (True, []), name


def test_an_rsa_key_of_a_did_key_signs_nothing() -> None:
    """As one that was made before there was a rule against it."""
    keys = {"Ed25519": "1", "RSA": "2", "P-256": "3"}
    for did, skipped in (("did:key:z6Mk", "did_key"), ("did:web:badges.example.org:issuers:academy", None)):
        document = {"issuer": {"id": did}, "credentialSubject": {"id": DID}}
        assert plan(PROFILES["ob3-jwt"], document, keys).skipped == skipped, did
        assert plan(PROFILES["vc-jose-cose"], document, keys).key_ids == (["1"] if skipped else ["3"])


# JWT


async def test_an_ob3_jwt_is_what_open_badges_says(partner: Partner, api: httpx.AsyncClient) -> None:
    keys = await make_keys(partner)
    await settle(partner, "ob3-jwt")
    await partner.client.put(
        f"/v1/achievements/{partner.achievement_id}/settings",
        json={"proof_profiles": ["ob3-jwt"], "visibility": "public", "validity_days": 4000},
    )
    badge = await issue(partner)
    token = (await fetch(partner, badge, "ob3-jwt")).text
    header, payload = (read_part(part) for part in token.split(".")[:2])
    assert header == {"alg": "RS256", "kid": keys["RSA"]["url"], "typ": "JWT"}
    document = badge["document"]
    claims = {name: payload[name] for name in ("iss", "jti", "nbf", "sub", "exp")}
    assert claims == {
        "iss": document["issuer"]["id"], "jti": document["id"], "sub": DID,
        "nbf": seconds(document["validFrom"]), "exp": seconds(document["validUntil"]),
    }  # fmt: skip
    assert document_in(payload) == {name: value for name, value in document.items() if name != "proof"}
    assert "vc" not in payload
    # Whoever follows kid finds one bare JWK, and the token verifies with it in other people's software.
    answer = await api.get(header["kid"])
    assert answer.headers["content-type"].startswith("application/jwk+json")
    jwk = answer.json()
    assert jwk["kty"] == "RSA"
    assert jwk["alg"] == "RS256"
    key = jwt.PyJWK(jwk).key
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    accepted = OB3Verifier(pem, issuer_did=document["issuer"]["id"]).verify(token)
    assert accepted.id == document["id"]
    head, _, signature = token.split(".")
    other = base64.urlsafe_b64encode(json.dumps({**payload, "name": "Another"}).encode()).rstrip(b"=").decode()
    with pytest.raises(OB3VerificationError):
        OB3Verifier(pem, issuer_did=document["issuer"]["id"]).verify(f"{head}.{other}.{signature}")


def seconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).astimezone(UTC).timestamp())


async def test_without_an_rsa_key_an_ob3_jwt_is_signed_by_es256(partner: Partner) -> None:
    keys = await make_keys(partner, "P-256")
    await settle(partner, "ob3-jwt")
    token = (await fetch(partner, await issue(partner), "ob3-jwt")).text
    assert read_part(token.split(".")[0]) == {"alg": "ES256", "kid": keys["P-256"]["url"], "typ": "JWT"}


@pytest.mark.parametrize("alg", ["ES256", "EdDSA"])
async def test_a_vc_jwt_is_what_vc_jose_cose_says(partner: Partner, alg: str) -> None:
    if alg == "ES256":
        await make_keys(partner, "P-256")
    await settle(partner, "vc-jose-cose")
    badge = await issue(partner)
    token = (await fetch(partner, badge, "vc-jose-cose")).text
    header = jwt.get_unverified_header(token)
    [method] = [each for each in (await did_document(partner))["verificationMethod"] if each["id"] == header["kid"]]
    assert header == {"alg": alg, "kid": method["id"], "typ": "vc+jwt", "cty": "vc"}
    jwks = {key["alg"]: key for key in (await partner.client.get("/.well-known/jwks.json")).json()["keys"]}
    payload = jwt.decode(token, jwt.PyJWK(jwks[alg]).key, algorithms=[alg])
    assert payload == {name: value for name, value in badge["document"].items() if name != "proof"}
    changed = token[:-8] + ("A" * 8 if not token.endswith("A" * 8) else "B" * 8)
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(changed, jwt.PyJWK(jwks[alg]).key, algorithms=[alg])


# Selective disclosure


async def test_part_of_a_badge_can_be_shown(partner: Partner, clock: FixedClock) -> None:
    await make_keys(partner, "P-256")
    await settle(partner, "ecdsa-sd-2023")
    badge = await issue(partner)
    path = f"/v1/credentials/{badge['id']}/derive"
    least = await derived(partner, path)
    assert await problems(partner, least, clock) == [[]]
    # All that Open Badges requires is there, and nothing that was not asked for.
    lint({name: value for name, value in least.items() if name != "proof"}, contexts=CONTEXTS)
    assert least["credentialStatus"] == badge["document"]["credentialStatus"]
    assert least["credentialSubject"]["id"] == DID
    assert "identifier" not in least["credentialSubject"]
    assert "evidence" not in least
    assert "result" not in least["credentialSubject"]
    more = await derived(partner, path, "/evidence/1", "/credentialSubject/result/0")
    assert await problems(partner, more, clock) == [[]]
    assert [piece["name"] for piece in more["evidence"]] == ["Reflection"]
    assert len(more["credentialSubject"]["result"]) == 1
    assert "problem" not in json.dumps(least)
    forged = json.loads(json.dumps(more))
    forged["evidence"][0]["name"] = "Better evidence"
    assert await problems(partner, forged, clock) != [[]]


async def derived(partner: Partner, path: str, *pointers: str) -> dict[str, Any]:
    answer = await partner.client.post(path, json={"selective_pointers": list(pointers)})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()["document"]
    return document


async def test_a_base_proof_goes_to_nobody_but_issuer_and_holder(
    app: FastAPI, partner: Partner, stranger: Partner, api: httpx.AsyncClient
) -> None:
    await make_keys(partner, "P-256")
    await settle(partner, "ecdsa-sd-2023", "ecdsa-rdfc-2019")
    badge = await issue(partner)
    [base] = [each for each in badge["representations"] if each["profile"] == "ecdsa-sd-2023"]
    assert (base["url"], base["skipped"]) == (None, None)
    assert (await api.get(f"/credentials/{badge['id']}/ecdsa-sd-2023")).status_code == 404
    assert (await api.get(f"/credentials/{badge['id']}/ecdsa-rdfc-2019")).status_code == 200
    assert (await fetch(partner, badge, "ecdsa-sd-2023")).status_code == 200
    assert (await fetch(stranger, badge, "ecdsa-sd-2023")).status_code == 404
    refused = await stranger.client.post(
        f"/v1/credentials/{badge['id']}/derive", json={"selective_pointers": ["/evidence"]}
    )
    assert refused.status_code == 404


async def test_a_learner_has_what_is_their_own(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    await make_keys(partner, "P-256")
    await settle(partner, "ecdsa-sd-2023")
    badge = await issue(partner)
    other = await issue(partner, recipient={"email": "bob@schools.example.org"})
    body = {"selective_pointers": ["/evidence/0"]}
    _, learner = await open_person(app, partner.issuer_id, "learner", learner_id=badge["learner_id"])
    async with learner:
        for id_, status in ((badge["id"], 200), (other["id"], 404)):
            path = f"/v1/credentials/{id_}"
            base = await learner.get(f"{path}/representations/ecdsa-sd-2023")
            assert base.status_code == status
            part = await learner.post(f"{path}/derive", json=body)
            assert part.status_code == status
            assert (await learner.get(path)).status_code == 403
        part = await learner.post(f"/v1/credentials/{badge['id']}/derive", json=body)
        assert await problems(partner, part.json()["document"], clock) == [[]]
    exported = (await partner.client.get(f"/v1/learners/{badge['learner_id']}/export")).json()
    [edition] = exported["credentials"][0]["editions"]
    base = await fetch(partner, badge, "ecdsa-sd-2023")
    assert edition["representations"] == {"ecdsa-sd-2023": base.text}
    assert (await partner.client.post(f"/v1/learners/{badge['learner_id']}/erase")).status_code == 200
    assert (await fetch(partner, badge, "ecdsa-sd-2023")).status_code == 410
    assert (await partner.client.post(f"/v1/credentials/{badge['id']}/derive", json=body)).status_code == 410


async def test_every_representation_is_checked_as_it_is_stored(
    app: FastAPI, settings: Settings, partner: Partner
) -> None:
    world = world_of(app)
    await make_keys(partner)
    await settle(partner)
    await issue(partner)
    assert await bad_badges(world) == []
    where = "UPDATE representation SET sealed_body = :value WHERE profile = 'vc-jose-cose'"
    async with unguarded(settings) as change:
        [(sealed,)] = await change("SELECT sealed_body FROM representation WHERE profile = 'ob3-jwt'")
        await change(where, value=bytes(sealed))  # bytes of one profile do not open as those of another
        [faults] = await bad_badges(world)
        assert [fault.partition(":")[0] for fault in faults] == ["vc-jose-cose"]
        assert "cannot be opened" in faults[0]
        await change("DELETE FROM representation WHERE profile IN ('vc-jose-cose', 'ecdsa-sd-2023')")
        [faults] = await bad_badges(world)
        assert set(faults) == {
            "ecdsa-sd-2023: its signed bytes are missing",
            "vc-jose-cose: its signed bytes are missing",
        }


async def bad_badges(world: Resources) -> list[tuple[str, ...]]:
    tally = Tally()
    async for _ in check_badges(world, tally):
        pass
    return [each.faults for each in tally.bad_badges]


async def test_what_cannot_be_derived_is_refused(partner: Partner) -> None:
    await make_keys(partner, "P-256")
    plain = await issue(partner, recipient={"email": "bob@schools.example.org"})
    body = {"selective_pointers": ["/evidence"]}
    refused = await partner.client.post(f"/v1/credentials/{plain['id']}/derive", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_selective")
    await settle(partner, "ecdsa-sd-2023")
    path = f"/v1/credentials/{(await issue(partner))['id']}/derive"
    assert (await partner.client.post(path, json=body)).status_code == 200
    for pointer in ("/nowhere", "evidence", "/evidence/99", "/credentialSubject/achievement/name/x"):
        refused = await partner.client.post(path, json={"selective_pointers": [pointer]})
        assert (refused.status_code, refused.json()["code"]) == (422, "malformed_pointer"), pointer


def test_mandatory_is_what_is_there() -> None:
    subject = {"type": [], "achievement": {"name": "", "criteria": {}}, "identifier": [{}]}
    assert list_mandatory({"issuer": {}, "credentialSubject": subject}) == [
        "/issuer", "/credentialSubject/achievement/name", "/credentialSubject/achievement/criteria",
        "/credentialSubject/identifier/0",
    ]  # fmt: skip


# Serving


@pytest.mark.parametrize("profile", PUBLIC)
async def test_every_public_profile_is_served(partner: Partner, api: httpx.AsyncClient, profile: str) -> None:
    await make_keys(partner)
    await settle(partner)
    badge = await issue(partner)
    [told_of] = [each for each in badge["representations"] if each["profile"] == profile]
    served = await api.get(told_of["url"])
    assert served.content == (await fetch(partner, badge, profile)).content
    is_jwt = profile in JWTS
    assert served.headers["content-type"].partition(";")[0] == ("text/plain" if is_jwt else "application/json") or (
        profile == "eddsa-rdfc-2022"
    )
    own = await fetch(partner, badge, profile)
    assert own.headers["content-type"].partition(";")[0] == told_of["media_type"]
    assert own.headers["content-disposition"].endswith('badge.jwt"' if is_jwt else 'badge.json"')


async def test_every_public_profile_verifies_here(partner: Partner, api: httpx.AsyncClient) -> None:
    await make_keys(partner)
    await settle(partner)
    badge = await issue(partner)
    found = await bodies(partner, badge)
    urls = {each["profile"]: each["url"] for each in badge["representations"]}
    for name in PUBLIC:
        text = found[name].decode()
        sent = text if name in JWTS else json.loads(text)
        by_document = await verdict(api, credential=sent)
        assert (by_document["valid"], complaints(by_document)) == (True, []), name
        by_url = await verdict(api, url=urls[name])
        assert (by_url["valid"], complaints(by_url)) == (True, []), name
        assert by_url["fetched"] == by_document["fetched"] == [], "what is published here is not asked for over the net"
    head, _, signature = found["ob3-jwt"].decode().split(".")
    payload = base64.urlsafe_b64encode(json.dumps({"name": "Another"}).encode()).rstrip(b"=").decode()
    assert (await verdict(api, credential=f"{head}.{payload}.{signature}"))["valid"] is False
    assert (await verdict(api, url=f"{badge['url']}/ecdsa-sd-2023"))["valid"] is False, "for the holder alone"


async def verdict(api: httpx.AsyncClient, **asked: Any) -> dict[str, Any]:
    answer = await api.post("/v1/verify", json=asked)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def complaints(told: dict[str, Any]) -> list[str]:
    return [f"{each['code']}: {each['detail']}" for each in told["checks"] if each["outcome"] == "failed"]


async def test_a_vc_jwt_is_negotiated(partner: Partner, api: httpx.AsyncClient) -> None:
    await settle(partner, "vc-jose-cose")
    badge = await issue(partner)
    token = (await fetch(partner, badge, "vc-jose-cose")).text
    for url in (badge["url"], f"{badge['url']}/vc-jose-cose"):
        answer = await api.get(url, headers={"Accept": "application/vc+jwt"})
        assert (answer.text, answer.headers["content-type"]) == (token, "application/vc+jwt")
    answer = await api.get(f"{badge['url']}/vc-jose-cose", headers={"Accept": "application/vc"})
    assert answer.json() == {
        "@context": "https://www.w3.org/ns/credentials/v2",
        "id": f"data:application/vc+jwt,{token}",
        "type": "EnvelopedVerifiableCredential",
    }
    refused = await api.get(f"{badge['url']}/vc-jose-cose", headers={"Accept": "image/png"})
    assert refused.status_code == 406
    page = (await api.get(badge["url"], headers={"Accept": "text/html"})).text
    assert f'{badge["url"]}/vc-jose-cose" download="badge.jwt"' in page


async def test_a_badge_without_a_vc_jwt_has_none_to_negotiate(partner: Partner, api: httpx.AsyncClient) -> None:
    badge = await issue(partner)
    assert (await api.get(badge["url"], headers={"Accept": "application/vc+jwt"})).status_code == 406


# The story


async def test_an_interrupted_edition_is_finished_to_the_same_bytes(
    app: FastAPI, settings: Settings, partner: Partner, clock: FixedClock
) -> None:
    world = world_of(app)
    await make_keys(partner)
    await settle(partner)
    await issue(partner, recipient={"email": "first@schools.example.org"})
    with pytest.raises(Exception, match="cannot be reached"):
        await decide_directly(with_signer(world, AbsentSigner(world.signer)), partner, recipient={"did": DID})
    [edition] = [each for each in await list_all_editions(world) if each.state == "pending"]
    before = await _represent_all(world, await _reopen(world, edition, "nobody"))
    # Meanwhile every key is replaced: what was begun names the keys it was begun with.
    await make_keys(partner, "Ed25519", "P-256", "P-384", "RSA")
    clock.advance(seconds=LEASE.total_seconds() + 1)
    assert await recover(world, edition.issuer_id, edition.id)
    found = await bodies(partner, await told(partner, edition.credential_id))
    assert found == {each.profile: each.body for each in before}
    assert set(found) == set(PROFILE_NAMES)
