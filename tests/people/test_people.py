"""People at their doors: entering, changing, roles, tokens, erasing."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.access.idempotency import IdempotencyRecord
from app.access.principals import TENANT_SCOPES
from app.access.store import PersonRole
from app.audit.store import AuditEntry
from app.people.store import Mail, PersonIdentity, SignInLink
from app.resources import Resources
from app.settings import Settings
from tests.conftest import Partner, open_client
from tests.fakes import FixedClock
from tests.house.databases import is_in, list_contents, open_owner
from tests.people import make_person, open_person
from tests.people.signing_in import open_browser, read_outbox, run_jobs

GRACE = {"name": "Grace Example", "email": "grace.example@schools.example.org", "roles": ["assessor"]}


async def enter(client: httpx.AsyncClient, **changes: object) -> dict[str, object]:
    answer = await client.post("/v1/people", json={**GRACE, **changes})
    assert answer.status_code == 201, answer.text
    entered: dict[str, object] = answer.json()
    return entered


async def enter_learner(client: httpx.AsyncClient, email: str = "ada@schools.example.org") -> str:
    learner = await client.post("/v1/learners", json={"name": "Ada", "email": email})
    assert learner.status_code == 201, learner.text
    return str(learner.json()["id"])


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def test_a_person_is_entered_found_and_changed(partner: Partner) -> None:
    learner_id = await enter_learner(partner.client)
    entered = await enter(partner.client, external_id="staff-7", learner_id=learner_id, roles=["learner", "assessor"])
    assert entered["roles"] == ["assessor", "learner"]
    path = f"/v1/people/{entered['id']}"
    assert (await partner.client.get(path)).json() == entered
    found = (await partner.client.get("/v1/people?external_id=staff-7")).json()
    assert found["items"] == [entered]
    changed = await partner.client.patch(path, json={"name": "Grace Hopper", "email": "GRACE.Hopper@example.org"})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["name"], changed.json()["email"]) == ("Grace Hopper", "GRACE.Hopper@example.org")
    # The address before is free again; the new one is taken, however it is written.
    assert told(await partner.client.post("/v1/people", json=GRACE))[0] == 201
    again = await partner.client.post("/v1/people", json={**GRACE, "email": "grace.hopper@EXAMPLE.org"})
    assert told(again) == (409, "person_taken")
    events = (await partner.client.get("/v1/events?limit=500")).json()["items"]
    assert [e["type"] for e in events if e["object_id"] == entered["id"]] == ["person.created", "person.changed"]


async def test_nobody_is_entered_twice(partner: Partner) -> None:
    learner_id = await enter_learner(partner.client)
    first = await enter(partner.client, external_id="staff-7", learner_id=learner_id)
    for changes, code in (
        ({"external_id": None}, "person_taken"),
        ({"email": "GRACE.Example@schools.example.org"}, "person_taken"),
        ({"email": "b@example.org", "external_id": "staff-7"}, "external_id_taken"),
        ({"email": "b@example.org", "learner_id": learner_id}, "person_taken"),
    ):
        answer = await partner.client.post("/v1/people", json={**GRACE, **changes})
        assert told(answer) == (409, code), changes
    other = await enter(partner.client, email="b@example.org")
    for change in ({"email": GRACE["email"]}, {"learner_id": learner_id}):
        refused = await partner.client.patch(f"/v1/people/{other['id']}", json=change)
        assert told(refused) == (409, "person_taken")
    same = await partner.client.patch(f"/v1/people/{first['id']}", json={"email": GRACE["email"]})
    assert same.status_code == 200


async def test_two_at_once_enter_one_person(partner: Partner) -> None:
    answers = await asyncio.gather(*(partner.client.post("/v1/people", json=GRACE) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert len([p for p in (await partner.client.get("/v1/people")).json()["items"] if p["name"] == GRACE["name"]]) == 1


async def test_a_learner_has_to_be_there(partner: Partner) -> None:
    unknown = await partner.client.post("/v1/people", json={**GRACE, "learner_id": "0" * 32})
    assert told(unknown) == (404, "not_found")
    learner_id = await enter_learner(partner.client)
    await partner.client.post(f"/v1/learners/{learner_id}/erase")
    erased = await partner.client.post("/v1/people", json={**GRACE, "learner_id": learner_id})
    assert told(erased) == (410, "gone")
    role = await partner.client.post("/v1/people", json={**GRACE, "roles": ["learner"]})
    assert told(role) == (422, "learner_role_needs_learner")
    entered = await enter(partner.client)
    late = await partner.client.put(f"/v1/people/{entered['id']}/roles", json={"roles": ["learner"]})
    assert told(late) == (422, "learner_role_needs_learner")
    tied = await partner.client.patch(
        f"/v1/people/{entered['id']}", json={"learner_id": await enter_learner(partner.client)}
    )
    assert tied.status_code == 200
    now = await partner.client.put(f"/v1/people/{entered['id']}/roles", json={"roles": ["learner"]})
    assert now.json()["roles"] == ["learner"]


async def test_a_change_of_nothing_or_to_nothing_is_refused(partner: Partner) -> None:
    path = f"/v1/people/{(await enter(partner.client))['id']}"
    for body in ({}, {"name": None}, {"roles": ["director"]}, {"email": "nobody"}):
        assert told(await partner.client.patch(path, json=body)) == (422, "invalid_body"), body
    assert told(await partner.client.put(f"{path}/roles", json={"roles": ["king"]})) == (422, "invalid_body")


async def test_a_role_given_or_taken_counts_at_once(app: FastAPI, partner: Partner) -> None:
    person_id, client = await open_person(app, partner.issuer_id, "director", name="Di Example")
    async with client:
        assert (await client.get("/v1/people")).status_code == 200
        taken = await partner.client.put(f"/v1/people/{person_id}/roles", json={"roles": ["assessor"]})
        assert taken.json()["roles"] == ["assessor"]
        assert told(await client.get("/v1/people")) == (403, "forbidden")
        assert (await client.get("/v1/me")).json()["roles"] == ["assessor"]
        await partner.client.put(f"/v1/people/{person_id}/roles", json={"roles": ["director"]})
        assert (await client.get("/v1/people")).status_code == 200
    events = (await partner.client.get("/v1/events?limit=500")).json()["items"]
    assert [e["data"] for e in events if e["type"] == "person.roles_changed"] == [
        {"granted": ["assessor"], "revoked": ["director"]},
        {"granted": ["director"], "revoked": ["assessor"]},
    ]
    world: Resources = app.state.resources
    async with world.database.reading() as session:
        actions = (await session.scalars(select(AuditEntry).where(AuditEntry.object_id == person_id))).all()
        assert [entry.action for entry in actions].count("person.roles_changed") == 2
        [role] = (await session.scalars(select(PersonRole).where(PersonRole.person_id == person_id))).all()
        assert role.granted_by.startswith("client:")


async def test_who_is_no_longer_active_is_out_at_once(app: FastAPI, partner: Partner) -> None:
    person_id, client = await open_person(app, partner.issuer_id, "director", name="Di Example")
    async with client:
        assert (await client.get("/v1/me")).status_code == 200
        ended = await partner.client.patch(f"/v1/people/{person_id}", json={"is_active": False})
        assert ended.json()["is_active"] is False
        assert told(await client.get("/v1/me")) == (401, "unauthenticated")
        # Let in again, they sign in anew: what was ended stays ended.
        await partner.client.patch(f"/v1/people/{person_id}", json={"is_active": True})
        assert told(await client.get("/v1/me")) == (401, "unauthenticated")


async def test_a_system_with_all_scopes_is_no_person(partner: Partner) -> None:
    made = await partner.client.get(f"/v1/issuers/{partner.issuer_id}/api-clients")
    assert set(made.json()["items"][0]["scopes"]) == {scope.value for scope in TENANT_SCOPES}
    token = {"name": "A token in somebody's name"}
    for method, path, body in (
        ("GET", "/v1/me", None),
        ("GET", "/v1/me/tokens", None),
        ("POST", "/v1/me/tokens", token),
        ("DELETE", f"/v1/me/tokens/{'0' * 32}", None),
        ("DELETE", "/v1/me/sessions", None),
    ):
        refused = await partner.client.request(method, path, json=body)
        assert told(refused) == (403, "person_required"), path
        assert (await partner.staff.request(method, path, json=body)).status_code in (200, 201, 404)


async def test_a_token_of_ones_own_lives_its_days(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    _, client = await open_person(app, partner.issuer_id, "assessor")
    async with client:
        key = {"Idempotency-Key": "t-1"}
        body = {"name": "Reading room", "expires_in_days": 30}
        made = await client.post("/v1/me/tokens", json=body, headers=key)
        assert made.status_code == 201, made.text
        again = await client.post("/v1/me/tokens", json=body, headers=key)
        assert again.json() == {**made.json(), "token": None}
        listed = (await client.get("/v1/me/tokens")).json()["items"]
        assert {token["name"] for token in listed} == {"tests", "Reading room"}
        assert made.json()["token"] not in (await client.get("/v1/me/tokens")).text
        async with open_client(app, made.json()["token"]) as program:
            assert (await program.get("/v1/me")).status_code == 200
            clock.advance(days=30, seconds=-1)
            assert (await program.get("/v1/me")).status_code == 200
            clock.advance(seconds=1)
            assert told(await program.get("/v1/me")) == (401, "unauthenticated")
        assert [token["name"] for token in (await client.get("/v1/me/tokens")).json()["items"]] == ["tests"]


async def test_tokens_and_sessions_are_ended_by_their_owner_alone(app: FastAPI, partner: Partner) -> None:
    _, client = await open_person(app, partner.issuer_id, "assessor")
    _, other = await open_person(app, partner.issuer_id, "assessor", name="Other Example")
    async with client, other:
        made = (await client.post("/v1/me/tokens", json={"name": "Mine"})).json()
        assert told(await other.delete(f"/v1/me/tokens/{made['id']}")) == (404, "not_found")
        async with open_client(app, made["token"]) as program:
            assert (await program.get("/v1/me")).status_code == 200
            assert (await client.delete(f"/v1/me/tokens/{made['id']}")).status_code == 200
            assert told(await program.get("/v1/me")) == (401, "unauthenticated")
        assert (await client.delete("/v1/me/sessions")).json() == {"sessions": 1}
        assert told(await client.get("/v1/me")) == (401, "unauthenticated")
        assert (await other.get("/v1/me")).status_code == 200


async def test_a_repeated_answer_is_kept_sealed(app: FastAPI, partner: Partner) -> None:
    key = {"Idempotency-Key": "p-1"}
    first = await partner.client.post("/v1/people", json=GRACE, headers=key)
    again = await partner.client.post("/v1/people", json=GRACE, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    other = await partner.client.post("/v1/people", json={**GRACE, "name": "G."}, headers=key)
    assert told(other) == (422, "idempotency_key_reused")
    world: Resources = app.state.resources
    async with world.database.reading() as session:
        [record] = (await session.scalars(select(IdempotencyRecord).where(IdempotencyRecord.key == "p-1"))).all()
        assert record.answer is not None
        assert b"Grace" not in record.answer
    await partner.client.post(f"/v1/people/{first.json()['id']}/erase")
    # The key is forgotten with the person: the same request enters somebody new.
    assert (await partner.client.post("/v1/people", json=GRACE, headers=key)).json()["id"] != first.json()["id"]


async def test_an_invitation_is_mailed_with_the_way_in_and_no_secret(app: FastAPI, partner: Partner) -> None:
    person = await enter(partner.client, invite=True)
    await enter(partner.client, email="quiet@schools.example.org")
    await run_jobs(app)
    [message] = read_outbox(app)
    assert (message["To"], message["Subject"]) == (GRACE["email"], "Welcome to The academy")
    assert "http://127.0.0.1:8000/sign-in/academy" in message.get_content()
    assert "links" not in message.get_content()
    [mail] = (await partner.client.get("/v1/mails")).json()["items"]
    assert (mail["person_id"], mail["purpose"], mail["state"], mail["attempts"]) == (
        person["id"],
        "invitation",
        "sent",
        1,
    )


CANARIES = ("kanaryname", "kanarymail", "kanaryown", "kanarytoken")


async def live(app: FastAPI, partner: Partner, learner_id: str | None = None) -> str:
    """Somebody who was invited, signed in, made a token, and has a link and a mail under way: their id."""
    body = {"name": CANARIES[0], "email": f"{CANARIES[1]}@schools.example.org", "external_id": CANARIES[2],
            "learner_id": learner_id, "roles": ["assessor"], "invite": True}  # fmt: skip
    entered = await partner.client.post("/v1/people", json=body, headers={"Idempotency-Key": "canary"})
    assert entered.status_code == 201, entered.text
    async with open_browser(app) as browser:
        asked = await browser.post("/sign-in/academy", data={"email": body["email"]})
        assert asked.status_code == 200
        await run_jobs(app)
        link = next(m.get_content() for m in read_outbox(app) if "links" in m.get_content())
        path = "/sign-in/links/" + link.partition("/sign-in/links/")[2].split()[0]
        assert (await browser.post(path)).status_code == 303
        made = await browser.post("/v1/me/tokens", json={"name": CANARIES[3]}, headers={"Idempotency-Key": "mine"})
        assert made.status_code == 201, made.text
    return str(entered.json()["id"])


@pytest.mark.parametrize("by", ["person", "learner"])
async def test_an_erased_person_is_nowhere(app: FastAPI, partner: Partner, settings: Settings, by: str) -> None:
    learner_id = await enter_learner(partner.client)
    person_id = await live(app, partner, learner_id)
    exported = (await partner.client.get(f"/v1/learners/{learner_id}/export")).json()["person"]
    assert (exported["id"], exported["roles"]) == (person_id, ["assessor"])
    assert {each["value"] for each in exported["identities"]} == {CANARIES[0], f"{CANARIES[1]}@schools.example.org"}
    assert CANARIES[3] in {each["name"] for each in exported["sessions"]}
    assert {mail["purpose"] for mail in exported["mails"]} == {"invitation", "sign_in_link"}
    async with open_browser(app) as browser:
        await browser.post("/sign-in/academy", data={"email": f"{CANARIES[1]}@schools.example.org"})
        path = f"/v1/people/{person_id}/erase" if by == "person" else f"/v1/learners/{learner_id}/erase"
        erased = await partner.client.post(path)
        assert erased.status_code == 200, erased.text
        await run_jobs(app)
    assert told(await partner.client.get(f"/v1/people/{person_id}")) == (410, "gone")
    assert person_id not in (await partner.client.get("/v1/people")).text
    for method, path, body in (("PATCH", "", {"name": "Back"}), ("PUT", "/roles", {"roles": ["director"]})):
        answer = await partner.client.request(method, f"/v1/people/{person_id}{path}", json=body)
        assert told(answer) == (410, "gone")
    assert (await partner.client.post(f"/v1/people/{person_id}/erase")).status_code == 200
    async with open_owner(settings) as owner:
        contents = await list_contents(owner)
    assert {canary: is_in(contents, canary) for canary in CANARIES if is_in(contents, canary)} == {}
    assert not is_in(contents, "kanary")
    world: Resources = app.state.resources
    async with world.database.reading() as session:
        for table in (PersonIdentity, SignInLink, PersonRole):
            assert (await session.scalars(select(table).where(table.person_id == person_id))).all() == []
        mails = (await session.scalars(select(Mail).where(Mail.person_id == person_id))).all()
        assert {(mail.state, mail.sealed_message) for mail in mails} <= {("sent", None), ("failed", None)}
    learner = await partner.client.get(f"/v1/learners/{learner_id}")
    assert learner.status_code == (200 if by == "person" else 410)


async def test_mail_that_waits_is_erased_too(app: FastAPI, partner: Partner) -> None:
    person = await enter(partner.client, invite=True)
    await partner.client.post(f"/v1/people/{person['id']}/erase")
    await run_jobs(app)
    assert read_outbox(app) == []
    [mail] = (await partner.client.get("/v1/mails")).json()["items"]
    assert (mail["state"], mail["last_error"]) == ("failed", "Erased")


async def test_erasing_ends_every_session(app: FastAPI, partner: Partner) -> None:
    person_id, client = await open_person(app, partner.issuer_id, "director", name="Di Example")
    async with client:
        assert (await client.get("/v1/me")).status_code == 200
        await partner.client.post(f"/v1/people/{person_id}/erase")
        assert told(await client.get("/v1/me")) == (401, "unauthenticated")


async def test_merged_learners_are_one_person(app: FastAPI, partner: Partner) -> None:
    one = await enter_learner(partner.client, "one@schools.example.org")
    two = await enter_learner(partner.client, "two@schools.example.org")
    person_id, client = await open_person(app, partner.issuer_id, "learner", name="Two Example", learner_id=two)
    async with client:
        merged = await partner.client.post(f"/v1/learners/{one}/merge", json={"learner_id": two})
        assert merged.status_code == 200, merged.text
        assert (await client.get("/v1/me")).json()["learner_id"] == one
    three = await enter_learner(partner.client, "three@schools.example.org")
    await make_person(app.state.resources, partner.issuer_id, "learner", name="Three Example", learner_id=three)
    refused = await partner.client.post(f"/v1/learners/{one}/merge", json={"learner_id": three})
    assert told(refused) == (409, "person_taken")
    assert (await partner.client.get(f"/v1/people/{person_id}")).json()["learner_id"] == one
