"""Learner records: a learner's badges, each with its own proof, bundled and signed as a whole."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from fastapi import FastAPI

from app.openbadges.clr import MAX_BADGES, lint_clr
from app.openbadges.conformance import LintFailed, compile_schema
from app.openbadges.json_schema import render_schema
from app.proofs.data_integrity import verify_proof
from app.proofs.multikey import decode_multikey
from app.proofs.verification_method import VerificationMethod
from tests.builders import achievement_body
from tests.conftest import Partner, publish
from tests.endorsements.endorsing import did_of, endorse, taken_in, theirs, version_url
from tests.fakes import FixedClock
from tests.house.published_schemas import DIRECTORY, PUBLISHED
from tests.issuing import (
    change_status,
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
from tests.pathways.stacks import act, all_of, list_proposals, pathway_body, publish_pathway, run_jobs, stack_body
from tests.people import make_person, open_person
from tests.verification.badges import CONTEXTS, put

Document = dict[str, Any]
HTML = {"Accept": "text/html"}
DID = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"


class Holder:
    """A learner of a partner who earns badges."""

    def __init__(self, partner: Partner, **recipient: str) -> None:
        self.partner = partner
        self.recipient = recipient or {"name": "Ada Example", "email": "ada.example@schools.example.org"}
        self.learner_id = ""

    async def earn(self, achievement_id: str | None = None) -> Document:
        achievement_id = achievement_id or await publish(self.partner.client, achievement_body(name="Reading"))
        decision = await decided(self.partner, achievement_id=achievement_id, recipient=self.recipient)
        self.learner_id = decision["learner_id"]
        badge: Document = decision["credential"]
        return badge

    async def ask(self, **members: Any) -> httpx.Response:
        return await self.partner.client.post(f"/v1/learners/{self.learner_id}/clr", json=members)

    async def bundle(self, **members: Any) -> Document:
        answer = await self.ask(**members)
        assert answer.status_code == 201, answer.text
        made: Document = answer.json()
        return made


def bundled(document: Document) -> list[Document]:
    badges: list[Document] = document["credentialSubject"]["verifiableCredential"]
    return badges


async def _document(client: httpx.AsyncClient, made: Document) -> Document:
    answer = await client.get(f"/v1/clr/{made['id']}")
    assert answer.status_code == 200, answer.text
    document: Document = answer.json()["document"]
    return document


def _method(document: Document) -> VerificationMethod:
    """The key that the proof names in itself."""
    name = document["proof"][0]["verificationMethod"]
    controller, _, multibase = name.partition("#")
    return VerificationMethod(name, controller, decode_multikey(multibase), multibase)


def _problems(app: FastAPI, document: Document) -> list[str]:
    now = world_of(app).clock.now()
    found = verify_proof(document, document["proof"][0], _method(document), contexts=CONTEXTS, now=now)
    return [each.code for each in found]


async def test_badges_are_bundled_each_with_its_own_proof(
    app: FastAPI, partner: Partner, api: httpx.AsyncClient
) -> None:
    holder = Holder(partner)
    badges = [await holder.earn(partner.achievement_id), await holder.earn()]
    made = await holder.bundle(name="Two badges")
    assert (made["state"], made["partial"], made["left_out"]) == ("issued", False, [])
    assert {each["credential_id"] for each in made["badges"]} == {each["id"] for each in badges}
    document = await _document(partner.client, made)
    assert document["id"] == made["url"]
    assert document["@context"][1] == "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"
    assert document["type"] == ["VerifiableCredential", "ClrCredential"]
    assert sorted(bundled(document), key=str) == sorted((each["document"] for each in badges), key=str)
    for each in (document, *bundled(document)):
        await require_verifies(world_of(app), each)
    assert "Ada" not in json.dumps(
        {**document, "credentialSubject": {**document["credentialSubject"], "verifiableCredential": []}}
    )
    served = await api.get(made["url"], headers={"Accept": "application/json"})
    assert served.json() == document
    page = await api.get(made["url"], headers=HTML)
    assert page.status_code == 200
    assert "Two badges" in page.text
    assert "Reading" in page.text
    events = await list_all_events(world_of(app), partner.issuer_id)
    assert [each.type for each in events if each.object_id == made["id"]] == ["clr.issued"]


async def test_nothing_in_a_record_changes_unnoticed(app: FastAPI, partner: Partner) -> None:
    holder = Holder(partner, email="ada.example@schools.example.org", did=DID)
    await holder.earn(partner.achievement_id)
    await holder.earn()
    document = await _document(partner.client, await holder.bundle())
    assert document["credentialSubject"]["id"] == DID
    assert _problems(app, document) == []
    first = "/credentialSubject/verifiableCredential/0"
    for place, value in (
        ("/partial", True),
        ("/name", "Another record"),
        ("/credentialSubject/id", "did:example:somebody-else"),
        ("/credentialSubject/type", ["ClrSubject", "AchievementSubject"]),
        ("/credentialSubject/verifiableCredential", bundled(document)[:1]),
        (f"{first}/name", "Another badge"),
        (f"{first}/credentialSubject/achievement/name", "Another achievement"),
        (f"{first}/proof/0/created", "2020-01-01T00:00:00Z"),
        (f"{first}/proof", bundled(document)[1]["proof"]),
    ):
        assert _problems(app, put(document, place, value)) != [], place


async def test_what_does_not_stand_is_left_out_and_said_so(
    app: FastAPI, partner: Partner, clock: FixedClock, api: httpx.AsyncClient
) -> None:
    holder = Holder(partner)
    revoked, suspended, expiring, hidden = [
        await publish(partner.client, achievement_body(name=name)) for name in ("R", "S", "E", "H")
    ]
    for achievement_id, settings in (
        (suspended, {"status_purpose": "suspension"}),
        (expiring, {"validity_days": 300}),
        (hidden, {"visibility": "private"}),
    ):
        await partner.client.put(f"/v1/achievements/{achievement_id}/settings", json=settings)
    kept = await holder.earn(partner.achievement_id)
    badges = [await holder.earn(each) for each in (revoked, suspended, expiring, hidden)]
    await change_status(partner, badges[0]["id"], "revoke")
    await change_status(partner, badges[1]["id"], "suspend")
    clock.advance(days=310)
    made = await holder.bundle()
    reasons = {each["credential_id"]: each["reason"] for each in made["left_out"]}
    assert [reasons[each["id"]] for each in badges] == ["revoked", "suspended", "expired", "private"]
    assert [each["credential_id"] for each in made["badges"]] == [kept["id"]]
    assert made["partial"], "the private badge stands and is not in it"
    private = await holder.bundle(visibility="private")
    assert {each["credential_id"] for each in private["badges"]} == {kept["id"], badges[3]["id"]}
    assert not private["partial"]
    assert (await api.get(private["url"])).status_code == 404
    nothing = await holder.ask(credential_ids=[badges[0]["id"]])
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing_to_bundle")
    one = await holder.bundle(credential_ids=[kept["id"], badges[0]["id"]])
    assert one["left_out"] == [{"credential_id": badges[0]["id"], "reason": "revoked"}]


async def test_a_choice_of_badges_makes_a_partial_record(partner: Partner) -> None:
    holder, other = Holder(partner), Holder(partner, email="b.example@schools.example.org")
    first = await holder.earn(partner.achievement_id)
    await holder.earn()
    foreign = await other.earn(partner.achievement_id)
    made = await holder.bundle(credential_ids=[first["id"]])
    assert made["partial"]
    assert len(made["badges"]) == 1
    assert (await holder.ask(credential_ids=[foreign["id"]])).status_code == 404
    assert (await holder.ask(credential_ids=[])).status_code == 422


async def test_the_newest_edition_is_bundled(
    app: FastAPI, partner: Partner, clock: FixedClock, api: httpx.AsyncClient
) -> None:
    holder = Holder(partner)
    decision = await decided(partner)
    holder.learner_id = decision["learner_id"]
    before = await holder.bundle()
    clock.advance(days=1)
    corrected = await record(partner, supersedes=decision["id"], reason="A slip.", narrative="Told better.")
    assert corrected.status_code == 201, corrected.text
    made = await holder.bundle()
    assert bundled(await _document(partner.client, made)) == [corrected.json()["credential"]["document"]]
    assert "replaced by a newer edition since" in (await api.get(before["url"], headers=HTML)).text
    assert "replaced by a newer edition since" not in (await api.get(made["url"], headers=HTML)).text


async def test_a_pathway_is_the_parent_of_its_parts(app: FastAPI, partner: Partner, api: httpx.AsyncClient) -> None:
    holder = Holder(partner)
    parts = [await publish(partner.client, achievement_body(name=name)) for name in ("Reading", "Writing")]
    whole = await publish(partner.client, stack_body())
    await publish_pathway(partner, pathway_body(partner, whole, all_of(*parts)))
    reading = await holder.earn(parts[0])
    on_the_way = await _document(partner.client, await holder.bundle(goals=True))
    assert [each["name"] for each in on_the_way["credentialSubject"]["achievement"]] == ["Literacy leader"]
    assert [each["associationType"] for each in on_the_way["credentialSubject"]["association"]] == ["isParentOf"]
    plain = await _document(partner.client, await holder.bundle())
    assert "achievement" not in plain["credentialSubject"]
    writing = await holder.earn(parts[1])
    await run_jobs(app)
    [proposal] = await list_proposals(partner)
    assert (await act(partner.staff, proposal, "approve")).status_code in (200, 201)
    made = await holder.bundle(goals=True)
    document = await _document(partner.client, made)
    leader = next(each for each in bundled(document) if each["name"] == "Literacy leader")
    ids = [each["document"]["credentialSubject"]["achievement"]["id"] for each in (reading, writing)]
    source = leader["credentialSubject"]["achievement"]["id"]
    ties = document["credentialSubject"]["association"]
    assert {(each["associationType"], each["sourceId"], each["targetId"]) for each in ties} == {
        ("isParentOf", source, each) for each in ids
    }
    assert len(ties) == 2
    assert "achievement" not in document["credentialSubject"]
    await require_verifies(world_of(app), document)
    assert "Made of:" in (await api.get(made["url"], headers=HTML)).text


async def test_badges_that_carry_endorsements_go_into_one_record(app: FastAPI, partner: Partner) -> None:
    await taken_in(partner, theirs(await did_of(partner)), embed=True)
    await endorse(partner, version_url(partner), revocable=False, embed=True)
    holder = Holder(partner)
    await holder.earn(partner.achievement_id)
    await holder.earn()
    document = await _document(partner.client, await holder.bundle())
    assert all(each["issuer"]["endorsement"] for each in bundled(document))
    await require_verifies(world_of(app), document)
    changed = put(document, "/issuer/name", "Somebody else")
    assert _problems(app, changed) != []


async def test_an_issuer_that_changed_its_name_still_makes_records(app: FastAPI, partner: Partner) -> None:
    holder = Holder(partner)
    await holder.earn(partner.achievement_id)
    await holder.earn()
    for name in ("Renamed", "Renamed again"):
        changed = await partner.client.put(f"/v1/issuers/{partner.issuer_id}/profile", json={"name": name})
        assert changed.status_code == 200, changed.text
        await holder.earn()
        document = await _document(partner.client, await holder.bundle())
        assert _problems(app, document) == []
        assert _problems(app, put(document, "/issuer/id", "did:example:other")) != []


async def test_a_record_is_revoked_and_its_badges_are_not(
    app: FastAPI, partner: Partner, api: httpx.AsyncClient
) -> None:
    holder = Holder(partner)
    await holder.earn(partner.achievement_id)
    made = await holder.bundle()
    document = await _document(partner.client, made)
    path = f"/v1/clr/{made['id']}/revoke"
    answers = [await partner.client.post(path) for _ in range(2)]
    assert [answer.json()["state"] for answer in answers] == ["revoked", "revoked"]
    assert await entry_bit(api, document)
    assert "revoked" in failures(await verify(world_of(app), document))
    await require_verifies(world_of(app), bundled(document)[0])
    assert "Revoked." in (await api.get(made["url"], headers=HTML)).text
    listed = (await partner.client.get(f"/v1/learners/{holder.learner_id}/clr")).json()["records"]
    assert [(each["id"], each["state"]) for each in listed] == [(made["id"], "revoked")]


async def test_a_learner_bundles_their_own(app: FastAPI, partner: Partner) -> None:
    holder, other = Holder(partner), Holder(partner, email="b.example@schools.example.org", name="Bo Example")
    badge, foreign = await holder.earn(partner.achievement_id), await other.earn(partner.achievement_id)
    theirs_ = await other.bundle()
    _, ada = await open_person(app, partner.issuer_id, "learner", name="Ada Example", learner_id=holder.learner_id)
    async with ada:
        made = await ada.post("/v1/me/clr", json={"recipient_name": True})
        assert made.status_code == 201, made.text
        document = await _document(ada, made.json())
        assert bundled(document) == [badge["document"]]
        assert "Ada Example" in json.dumps(document["credentialSubject"]["identifier"])
        assert (await ada.post(f"/v1/learners/{holder.learner_id}/clr", json={})).status_code == 201
        assert len((await ada.get("/v1/me/clr")).json()["records"]) == 2
        assert (await ada.post("/v1/me/clr", json={"credential_ids": [foreign["id"]]})).status_code == 404
        assert (await ada.get(f"/v1/clr/{theirs_['id']}")).status_code == 404
        assert (await ada.post(f"/v1/clr/{theirs_['id']}/revoke")).status_code == 404
        assert (await ada.get(f"/v1/learners/{other.learner_id}/clr")).status_code == 404
        assert (await ada.post(f"/v1/learners/{other.learner_id}/clr", json={})).status_code == 404
        assert (await ada.post(f"/v1/clr/{made.json()['id']}/revoke")).json()["state"] == "revoked"
    _, token = await make_person(world_of(app), partner.issuer_id, "assessor", name="Lin Example")
    headers = {"Authorization": f"Bearer {token}"}
    assert (await ada_less(partner, headers)).status_code == 404
    assert (await partner.client.post("/v1/me/clr", json={})).json()["code"] == "person_required"


async def ada_less(partner: Partner, headers: dict[str, str]) -> httpx.Response:
    """Somebody signed in who is no learner asks for their own record."""
    return await partner.client.post("/v1/me/clr", json={}, headers=headers)


async def test_erasure_leaves_nothing_of_a_record(app: FastAPI, partner: Partner, api: httpx.AsyncClient) -> None:
    holder = Holder(partner)
    await holder.earn(partner.achievement_id)
    made = await holder.bundle(recipient_name=True)
    told = (await partner.client.get(f"/v1/learners/{holder.learner_id}/export")).json()
    assert [each["id"] for each in told["learner_records"]] == [made["id"]]
    assert told["learner_records"][0]["document"]["id"] == made["url"]
    await partner.client.post(f"/v1/learners/{holder.learner_id}/erase")
    assert (await api.get(made["url"])).status_code == 410
    assert (await partner.client.get(f"/v1/clr/{made['id']}")).status_code == 410
    assert (await holder.ask()).status_code == 410
    assert (await partner.client.post(f"/v1/clr/{made['id']}/revoke")).json()["state"] == "revoked"


async def test_who_was_merged_has_their_records_with_the_survivor(partner: Partner) -> None:
    holder, twin = Holder(partner), Holder(partner, email="ada@home.example.org")
    await holder.earn(partner.achievement_id)
    await twin.earn()
    old = await twin.bundle()
    merged = await partner.client.post(f"/v1/learners/{holder.learner_id}/merge", json={"learner_id": twin.learner_id})
    assert merged.status_code == 200, merged.text
    gone = await twin.ask()
    assert (gone.status_code, gone.json()["code"]) == (410, "learner_merged")
    listed = (await partner.client.get(f"/v1/learners/{holder.learner_id}/clr")).json()["records"]
    assert [each["id"] for each in listed] == [old["id"]]
    assert (await partner.client.get(f"/v1/clr/{old['id']}")).status_code == 200
    assert len((await holder.bundle())["badges"]) == 2


async def test_bundling_while_a_badge_is_revoked_never_signs_over_the_revocation(
    app: FastAPI, partner: Partner
) -> None:
    """Whoever comes first: a record signed after the revocation was answered does not hold the badge."""
    holder = Holder(partner)
    await holder.earn(partner.achievement_id)
    badge = await holder.earn()
    made, revoked = await asyncio.gather(holder.ask(), change_status(partner, badge["id"], "revoke"))
    assert made.status_code == 201, made.text
    assert revoked.status_code == 200
    assert badge["id"] in {each["credential_id"] for each in [*made.json()["badges"], *made.json()["left_out"]]}
    assert badge["id"] in {each["credential_id"] for each in (await holder.bundle())["left_out"]}


async def test_the_same_key_gives_the_same_record(app: FastAPI, partner: Partner) -> None:
    holder = Holder(partner)
    await holder.earn(partner.achievement_id)
    path = f"/v1/learners/{holder.learner_id}/clr"
    answers = await asyncio.gather(
        *(partner.client.post(path, json={}, headers={"Idempotency-Key": "k"}) for _ in range(3))
    )
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (await count_rows(world_of(app)))["clr"] == 1


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_a_record_holds_as_many_badges_as_are_verified_and_no_more(partner: Partner) -> None:
    holder = Holder(partner)
    badges = [await holder.earn() for _ in range(MAX_BADGES + 1)]
    refused = await holder.ask()
    assert (refused.status_code, refused.json()["code"]) == (422, "clr_too_large")
    made = await holder.bundle(credential_ids=[each["id"] for each in badges[:MAX_BADGES]])
    assert len(made["badges"]) == MAX_BADGES
    verdict = (await partner.client.post("/v1/verify", json={"url": made["url"]})).json()
    assert verdict["valid"], [each for each in verdict["checks"] if each["outcome"] == "failed"]
    assert [each["valid"] for each in verdict["parts"]] == [True] * MAX_BADGES


# The document


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_the_lint_of_records(partner: Partner, shared: Path) -> None:
    holder = Holder(partner)
    await holder.earn(partner.achievement_id)
    await holder.earn()
    secured = await _document(partner.client, await holder.bundle())
    document = {name: value for name, value in secured.items() if name != "proof"}
    lint_clr(document, contexts=CONTEXTS)
    badge = bundled(document)[0]
    bare = {name: value for name, value in badge.items() if name != "proof"}
    tie = {
        "type": "Association", "associationType": "isParentOf", "sourceId": "https://x.example/1",
        "targetId": badge["credentialSubject"]["achievement"]["id"],
    }  # fmt: skip
    subject = document["credentialSubject"]
    wrong: list[tuple[str, Callable[[], Document]]] = [
        ("unsecured", lambda: secured),
        ("contexts", lambda: put(document, "/@context", [*document["@context"], "https://w3id.org/security/data-integrity/v2"])),
        ("contexts", lambda: put(document, "/@context", document["@context"][:1] + document["@context"][2:])),
        ("badges", lambda: put(document, "/credentialSubject/verifiableCredential", [bare])),
        ("badges", lambda: put(document, "/credentialSubject/verifiableCredential", [badge, badge])),
        ("schema", lambda: put(document, "/credentialSubject/verifiableCredential", [])),
        ("schema", lambda: put(document, "/type", ["VerifiableCredential"])),
        ("schema", lambda: put(document, "/partial", "no")),
        ("associations", lambda: put(document, "/credentialSubject/association", [tie])),
        ("learner", lambda: put(document, "/credentialSubject", {
            name: value for name, value in subject.items() if name not in ("id", "identifier")})),
        ("size", lambda: put(document, "/description", "x" * 800_000)),
    ]  # fmt: skip
    for rule, make in wrong:
        with pytest.raises(LintFailed) as refused:
            lint_clr(make(), contexts=CONTEXTS)
        assert rule in {fault.rule for fault in refused.value.faults}, (rule, refused.value.faults)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_schemas_are_the_generated_ones(name: str) -> None:
    schema = PUBLISHED[name]()
    jsonschema.Draft202012Validator.check_schema(schema)
    compile_schema(schema)
    assert (DIRECTORY / f"{name}.json").read_text() == render_schema(schema), "make schemas"
