"""Endorsements: given, published, revoked; taken in, accepted; carried inside badges, or served beside them."""

import asyncio
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from fastapi import FastAPI

from app.endorsements.take_in import EndorsementNotVerified, examine_endorsement
from app.issuers.carried import CarriedEndorsement
from app.openbadges.endorsement import find_obstacle
from tests.builders import achievement_body
from tests.conftest import Partner, publish
from tests.endorsements.endorsing import (
    STATE,
    did_of,
    endorse,
    hand_in,
    post_endorsement,
    require_checked,
    taken_in,
    theirs,
    version_url,
)
from tests.issuing import (
    count_rows,
    decided,
    entry_bit,
    failures,
    list_all_events,
    record,
    require_verifies,
    verify,
    world_of,
)
from tests.verification.badges import put
from tests.verification.test_verify import OwnDocuments, alone

Document = dict[str, Any]
STATE_ENDORSEMENT = "https://state.example.org/endorsements/1"
EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
LATER = "2027-06-01T00:00:00Z"
HTML = {"Accept": "text/html"}


async def _document(api: httpx.AsyncClient, url: str) -> Document:
    answer = await api.get(url, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    found: Document = answer.json()
    return found


def _strict(shared: Path) -> jsonschema.Draft201909Validator:
    name = "data/schema-strict/ob_v3p0_endorsementcredential_schema.json"
    return jsonschema.Draft201909Validator(json.loads((shared / name).read_text()))


# Given


async def test_an_endorsement_is_signed_and_published(
    app: FastAPI, partner: Partner, api: httpx.AsyncClient, shared: Path
) -> None:
    made = await endorse(partner, "https://state.example.org/achievements/7", valid_until=LATER)
    assert (made["origin"], made["state"], made["kind"], made["embed"]) == ("issued", "standing", "other", False)
    document = await _document(api, made["url"])
    assert document["id"] == made["url"]
    assert document["credentialSubject"] == {
        "id": "https://state.example.org/achievements/7",
        "type": ["EndorsementSubject"],
        "endorsementComment": "Worth **15** hours.",
    }
    assert document["validUntil"] == LATER
    assert document["issuer"]["id"] == await did_of(partner)
    assert [error.message for error in _strict(shared).iter_errors(document)] == []
    page = await api.get(made["url"], headers=HTML)
    assert page.status_code == 200
    assert "Worth <strong>15</strong> hours." in page.text
    events = await list_all_events(world_of(app), partner.issuer_id)
    assert [each.type for each in events if each.object_id == made["id"]] == ["endorsement.issued"]
    listed = (await partner.client.get("/v1/endorsements")).json()["items"]
    assert [each["id"] for each in listed] == [made["id"]]
    told = (await partner.client.get(f"/v1/endorsements/{made['id']}")).json()
    assert told["document"] == document


async def test_a_signed_endorsement_verifies_and_a_changed_one_does_not(
    app: FastAPI, partner: Partner, api: httpx.AsyncClient
) -> None:
    document = await _document(api, (await endorse(partner, await did_of(partner)))["url"])
    await require_verifies(world_of(app), document)
    changed = put(document, "/credentialSubject/endorsementComment", "Worth 99 hours.")
    assert "signature_invalid" in failures(await verify(world_of(app), changed))


async def test_a_revoked_endorsement_says_so(app: FastAPI, partner: Partner, api: httpx.AsyncClient) -> None:
    made = await endorse(partner, version_url(partner))
    document = await _document(api, made["url"])
    assert not await entry_bit(api, document)
    path = f"/v1/endorsements/{made['id']}/revoke"
    first, again = await partner.client.post(path), await partner.client.post(path)
    assert first.json()["state"] == again.json()["state"] == "revoked"
    assert await entry_bit(api, document)
    assert "revoked" in failures(await verify(world_of(app), document))
    assert await _document(api, made["url"]) == document
    assert "Revoked." in (await api.get(made["url"], headers=HTML)).text
    beside = await api.get(f"/achievements/{partner.achievement_id}/endorsements")
    assert beside.json()["endorsement"] == []


async def test_what_has_no_status_cannot_be_revoked_but_withdrawn(partner: Partner, api: httpx.AsyncClient) -> None:
    made = await endorse(partner, version_url(partner), revocable=False)
    assert "credentialStatus" not in await _document(api, made["url"])
    refused = await partner.client.post(f"/v1/endorsements/{made['id']}/revoke")
    assert (refused.status_code, refused.json()["code"]) == (409, "endorsement_not_revocable")
    withdrawn = await partner.client.post(f"/v1/endorsements/{made['id']}/withdraw")
    assert withdrawn.json()["state"] == "withdrawn"
    assert (await api.get(f"/achievements/{partner.achievement_id}/endorsements")).json()["endorsement"] == []
    assert (await api.get(made["url"])).status_code == 200, "what was signed was published under this id"


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_what_is_not_here_is_not_endorsed(app: FastAPI, partner: Partner, api: httpx.AsyncClient) -> None:
    before = await count_rows(world_of(app))
    base = str(partner.client.base_url).rstrip("/")
    nothing = "0" * 32
    for endorsed in (
        f"{base}/achievements/{nothing}",
        f"{version_url(partner)}7",
        f"{base}/credentials/{nothing}",
        f"{base}/issuers/nobody",
        f"{base}/panels/{partner.panel_id}",
    ):
        assert (await post_endorsement(partner, endorsed)).status_code == 404, endorsed
    over = await post_endorsement(partner, version_url(partner), valid_until="2020-01-01T00:00:00Z")
    assert (over.status_code, over.json()["code"]) == (422, "endorsement_over")
    assert await count_rows(world_of(app)) == before
    assert (await endorse(partner, f"{base}/issuers/academy"))["kind"] == "profile"


async def test_the_same_key_gives_the_same_endorsement(partner: Partner) -> None:
    body = {"endorsed": version_url(partner), "name": "Good"}
    answers = await asyncio.gather(
        *(partner.client.post("/v1/endorsements", json=body, headers={"Idempotency-Key": "k"}) for _ in range(3))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_who_lacks_the_scope_gives_and_takes_in_nothing(partner: Partner) -> None:
    body = {"name": "reader", "scopes": ["endorsements:read"]}
    made = await partner.client.post(f"/v1/issuers/{partner.issuer_id}/api-clients", json=body)
    headers = {"Authorization": f"Bearer {made.json()['token']}"}
    given = await partner.client.post(
        "/v1/endorsements", json={"endorsed": version_url(partner), "name": "Good"}, headers=headers
    )
    handed = await partner.client.post(
        "/v1/endorsements/import", json={"credential": theirs(version_url(partner))}, headers=headers
    )
    assert given.status_code == handed.status_code == 403
    assert (await partner.client.get("/v1/endorsements", headers=headers)).status_code == 200


# About a learner's badge


async def test_what_is_said_of_a_badge_is_sealed_shown_and_erased(
    app: FastAPI, partner: Partner, api: httpx.AsyncClient
) -> None:
    decision = await decided(partner)
    badge = decision["credential"]["url"]
    made = await endorse(partner, badge, comment="Ada taught me this.")
    assert made["kind"] == "credential"
    assert "Ada taught me this." in (await api.get(badge, headers=HTML)).text
    beside = (await api.get(f"{badge}/endorsements")).json()
    assert [each["id"] for each in beside["endorsement"]] == [made["url"]]
    told = (await partner.client.get(f"/v1/learners/{decision['learner_id']}/export")).json()
    assert told["endorsements"][0]["document"]["credentialSubject"]["endorsementComment"] == "Ada taught me this."
    erased = await partner.client.post(f"/v1/learners/{decision['learner_id']}/erase")
    assert erased.status_code == 200
    assert (await api.get(made["url"])).status_code == 410
    assert (await partner.client.get(f"/v1/endorsements/{made['id']}")).status_code == 410
    listed = (await partner.client.get("/v1/endorsements")).text
    assert made["id"] in listed
    assert "Ada" not in listed
    assert (await post_endorsement(partner, badge)).status_code == 410


async def test_a_badge_is_endorsed_while_its_learner_gets_more(partner: Partner) -> None:
    """Both lock the learner and draw from the status list: in the same order, or each waits for the other."""
    decision = await decided(partner)
    badge, learner = decision["credential"]["url"], decision["learner_id"]
    others = [await publish(partner.client, achievement_body(name=f"Number {number}")) for number in range(4)]
    answers = await asyncio.gather(
        *(post_endorsement(partner, badge) for _ in range(4)),
        *(partner.client.post(f"/v1/learners/{learner}/clr", json={}) for _ in range(4)),
        *(record(partner, achievement_id=each) for each in others),
    )
    assert [each.status_code for each in answers] == [201] * 12, [each.text[:200] for each in answers]
    assert {each.json()["learner_id"] for each in answers[8:]} == {learner}


async def test_what_is_said_of_a_private_badge_is_not_published(partner: Partner, api: httpx.AsyncClient) -> None:
    settings = {"visibility": "private"}
    await partner.client.put(f"/v1/achievements/{partner.achievement_id}/settings", json=settings)
    made = await endorse(partner, (await decided(partner))["credential"]["url"])
    assert (await api.get(made["url"])).status_code == 404
    assert (await partner.client.get(f"/v1/endorsements/{made['id']}")).status_code == 200


# Taken in


async def test_what_others_say_is_verified_and_shown_once_accepted(partner: Partner, api: httpx.AsyncClient) -> None:
    document = theirs(version_url(partner), validUntil="2027-01-01T00:00:00Z")
    answer = await hand_in(partner, document)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["state"], made["kind"], made["endorser"]) == ("received", "achievement", STATE.id)
    assert (await api.get(made["url"])).status_code == 404
    page = version_url(partner)
    assert "We accept it." not in (await api.get(page, headers=HTML)).text
    accepted = await partner.client.post(f"/v1/endorsements/{made['id']}/accept", json={})
    assert accepted.json()["state"] == "standing"
    assert await _document(api, made["url"]) == document
    shown = (await api.get(page, headers=HTML)).text
    assert "We accept it." in shown
    assert "The state" in shown
    await partner.client.post(f"/v1/endorsements/{made['id']}/withdraw")
    assert (await api.get(made["url"])).status_code == 404
    again = await partner.client.post(f"/v1/endorsements/{made['id']}/accept", json={})
    assert (again.status_code, again.json()["code"]) == (409, "endorsement_not_open")


async def test_what_does_not_verify_is_not_taken_in(app: FastAPI, partner: Partner, stranger: Partner) -> None:
    good = theirs(version_url(partner))
    before = await count_rows(world_of(app))
    cases = {
        "endorsement_not_verified": [
            put(good, "/credentialSubject/endorsementComment", "We love it."),
            {name: value for name, value in good.items() if name != "proof"},
            theirs(version_url(partner), validUntil="2026-11-02T00:00:00Z"),
            put(good, "/issuer/id", "did:web:somebody.example"),
            put(good, "/credentialSubject/unknown", "term"),
        ],
        "endorsement_not_ours": [
            theirs("https://elsewhere.example.org/achievements/1"),
            theirs(version_url(stranger)),
            theirs(await did_of(stranger)),
        ],
        "not_an_endorsement": [
            put(good, "/type", ["VerifiableCredential"]),
            put(good, "/credentialSubject", [good["credentialSubject"]]),
            put(good, "/credentialSubject/id", {"a": "b"}),
            {},
            put(good, "/name", "x" * 70_000),
        ],
    }
    for code, documents in cases.items():
        for document in documents:
            answer = await hand_in(partner, document)
            assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert await count_rows(world_of(app)) == before
    assert (await hand_in(partner, good)).status_code == 201
    again = await hand_in(partner, good)
    assert (again.status_code, again.json()["code"]) == (409, "endorsement_known")


async def test_a_version_that_was_replaced_is_not_taken_in_on_the_word_of_the_newer() -> None:
    """What verifies is what the issuer serves today; what was sent may have been revoked since."""
    service = {"id": "https://own.example/refresh/1", "type": "1EdTechCredentialRefresh"}
    renewable: Document = {"@context": [*theirs("urn:it")["@context"], EXTENSIONS], "refreshService": service}
    sent = theirs("urn:it", **renewable)
    for begins, is_newer in (("2026-11-20T00:00:00Z", True), ("2026-11-01T00:00:00Z", False)):
        served = theirs("urn:it", **renewable, validFrom=begins)
        verifier = alone(OwnDocuments({service["id"]: served}))
        assert (await verifier.verify(sent)).valid
        if is_newer:
            with pytest.raises(EndorsementNotVerified) as refused:
                await examine_endorsement(verifier, sent)
            assert [fault.pointer for fault in refused.value.faults] == ["/credential/refreshService"]
        verified = await examine_endorsement(verifier, served if is_newer else sent)
        assert json.loads(verified.body) == (served if is_newer else sent)


async def test_taken_in_twice_at_once_it_is_there_once(partner: Partner) -> None:
    document = theirs(version_url(partner))
    answers = await asyncio.gather(*(hand_in(partner, document) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert len((await partner.client.get("/v1/endorsements")).json()["items"]) == 1


# Inside badges


async def test_badges_carry_what_cannot_turn(
    app: FastAPI, partner: Partner, api: httpx.AsyncClient, shared: Path
) -> None:
    world = world_of(app)
    of_version = await taken_in(partner, theirs(version_url(partner)), embed=True)
    other = theirs(await did_of(partner), id="https://state.example.org/endorsements/2")
    await taken_in(partner, other, embed=True)
    own = await endorse(partner, version_url(partner), revocable=False, embed=True)
    assert of_version["embed"]
    badge = (await decided(partner))["credential"]["document"]
    achievement = badge["credentialSubject"]["achievement"]
    assert {each["id"] for each in achievement["endorsement"]} == {STATE_ENDORSEMENT, own["url"]}
    assert badge["issuer"]["endorsement"] == [other]
    assert "endorsementJwt" not in json.dumps(badge)
    await require_verifies(world, badge)
    changed = deepcopy(badge)
    changed["issuer"]["endorsement"][0]["credentialSubject"]["endorsementComment"] = "Best of all."
    assert "signature_invalid" in failures(await verify(world, changed))
    require_checked(shared, badge)
    hosted = (await api.get(f"/achievements/{partner.achievement_id}")).json()
    assert len(hosted["endorsement"]) == 2
    assert (await api.get("/issuers/academy")).json()["endorsement"] == [other]
    await partner.client.post(f"/v1/endorsements/{own['id']}/withdraw")
    later = (await decided(partner, recipient={"email": "b@schools.example.org"}))["credential"]["document"]
    assert [each["id"] for each in later["credentialSubject"]["achievement"]["endorsement"]] == [STATE_ENDORSEMENT]


async def test_badges_do_not_carry_what_may_turn(partner: Partner, shared: Path) -> None:
    own_did = await did_of(partner)
    unversioned = version_url(partner).rpartition("/")[0]
    comment = "x" * 20_000
    long = {"id": own_did, "type": ["EndorsementSubject"], "endorsementComment": comment}
    for number, document in enumerate(
        (
            theirs(own_did, validUntil=LATER),
            theirs(own_did, type=["EndorsementCredential", "VerifiableCredential"], name=None),
            theirs(own_did, credentialSubject=long),
            theirs(unversioned),
        )
    ):
        answer = await hand_in(partner, document)
        assert answer.status_code == 201, (number, answer.text)
        path = f"/v1/endorsements/{answer.json()['id']}/accept"
        refused = await partner.client.post(path, json={"embed": True})
        assert (refused.status_code, refused.json()["code"]) == (422, "endorsement_not_embeddable"), number
        assert (await partner.client.post(path, json={"embed": False})).status_code == 200
    revocable = await post_endorsement(partner, own_did, embed=True)
    assert revocable.json()["errors"][0]["pointer"] == "/revocable"
    ending = await post_endorsement(partner, own_did, embed=True, revocable=False, valid_until=LATER)
    assert ending.json()["code"] == "endorsement_not_embeddable"
    decision = await decided(partner)
    badge = decision["credential"]["document"]
    assert '"endorsement"' not in json.dumps(badge)
    require_checked(shared, badge)
    of_badge = await post_endorsement(partner, badge["id"], revocable=False, embed=True)
    assert of_badge.json()["code"] == "endorsement_not_embeddable"


async def test_badges_carry_five_of_a_thing_at_most(partner: Partner) -> None:
    own_did = await did_of(partner)
    answers = await asyncio.gather(
        *(post_endorsement(partner, own_did, name=f"N {n}", revocable=False, embed=True) for n in range(7))
    )
    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [422] * 2


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_an_endorsement_never_keeps_a_learner_from_a_badge(app: FastAPI, partner: Partner) -> None:
    """Two documents in one may contradict each other as linked data: then the badge goes without the endorsement."""
    made = await endorse(partner, version_url(partner), revocable=False, embed=True)
    world = world_of(app)
    async with world.database.transaction() as session:
        carried = await session.get_one(CarriedEndorsement, (partner.issuer_id, made["id"]))
        unsound = json.loads(carried.body)
        unsound["credentialSubject"]["nonsense"] = "a term that no context defines"
        carried.body = json.dumps(unsound)
        await session.flush()
    badge = (await decided(partner))["credential"]["document"]
    assert "endorsement" not in badge["credentialSubject"]["achievement"]
    await require_verifies(world, badge)


async def test_the_next_version_carries_nothing_said_of_the_one_before(partner: Partner) -> None:
    await endorse(partner, version_url(partner), revocable=False, embed=True)
    path = f"/v1/achievements/{partner.achievement_id}/versions"
    assert (await partner.client.post(path, json=achievement_body(description="Another."))).status_code == 201
    assert (await partner.client.post(f"{path}/2/publish")).status_code == 200
    badge = (await decided(partner))["credential"]["document"]
    assert badge["credentialSubject"]["achievement"]["version"] == "2"
    assert "endorsement" not in badge["credentialSubject"]["achievement"]


def test_what_a_verifier_would_have_to_fetch_is_not_embedded() -> None:
    good = theirs("did:example:academy")
    contexts = [*good["@context"], "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"]
    status = {
        "id": "https://state.example.org/lists/1#5", "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation", "statusListIndex": "5",
        "statusListCredential": "https://state.example.org/lists/1",
    }  # fmt: skip
    service = {"id": "https://state.example.org/refresh/1", "type": "1EdTechCredentialRefresh"}
    schema = {"id": "https://state.example.org/schema", "type": "1EdTechJsonSchemaValidator2019"}
    [proof] = good["proof"]
    elsewhere = "did:web:state.example.org#key-1"
    unfit: list[Document] = [
        {**good, "credentialStatus": status},
        {**good, "refreshService": service, "@context": contexts},
        {**good, "credentialSchema": [schema], "@context": contexts},
        {**good, "termsOfUse": [{"type": "Terms"}]},
        {**good, "proof": [proof, proof]},
        {**good, "proof": [{**proof, "cryptosuite": "ecdsa-rdfc-2019"}]},
        {**good, "proof": [{**proof, "proofPurpose": "authentication"}]},
        {**good, "proof": [{**proof, "domain": "state.example.org"}]},
        {**good, "proof": [{**proof, "verificationMethod": elsewhere}]},
        {**good, "issuer": good["issuer"]["id"]},
        {**good, "endorsementJwt": ["a.b.c"]},
        {name: value for name, value in good.items() if name != "proof"},
    ]
    assert find_obstacle(good, size=1_000) is None
    assert find_obstacle(good, size=20_000) is not None
    for number, document in enumerate(unfit):
        assert find_obstacle(document, size=1_000) is not None, number
