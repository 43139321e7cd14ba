"""What the house tests need of people, their sign-in and mail."""

from app.access.tokens import hash_secret, new_secret
from app.identifiers import new_id
from app.people.people import lock_person
from app.people.sign_in_link import LINK_LIFE
from app.people.store import SignInLink
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.house.areas.stories import BASE_URL, Mistakes, Story
from tests.people import make_person

PERSON = {"name": "Grace Example", "email": "grace.example@schools.example.org", "roles": ["assessor"]}
PROVIDER = {
    "name": "Maple County Schools",
    "provider_issuer": "https://login.schools.example.org",
    "client_id": "assay",
    "client_secret": "a secret that the provider gave out",
}


async def ids(partner: Partner, known: dict[str, str]) -> dict[str, str]:
    """One object of every kind that this issuer has, by the name of the parameter that takes its id."""
    body = {**PERSON, "email": "matrix.example@schools.example.org", "invite": True}
    person = await partner.client.post("/v1/people", json=body)
    assert person.status_code == 201, person.text
    provider = await partner.client.post(
        "/v1/oidc-providers", json={**PROVIDER, "provider_issuer": "https://matrix.example.org"}
    )
    assert provider.status_code == 201, provider.text
    token = await partner.staff.post("/v1/me/tokens", json={"name": "Matrix"})
    assert token.status_code == 201, token.text
    return {"person_id": person.json()["id"], "provider_id": provider.json()["id"], "token_id": token.json()["id"]}


async def examples(story: Story) -> None:
    """One good call of every operation."""
    person = await story.call("create_person", body={**PERSON, "external_id": "staff-7", "invite": True})
    story.known["person_id"] = person["id"]
    for operation in ("list_people", "get_person", "list_mails"):
        await story.call(operation)
    await story.call("change_person", body={"name": "Grace Example-Hopper"})
    await story.call("change_person_roles", body={"roles": ["assessor", "lead"]})
    provider = await story.call("create_oidc_provider", body=PROVIDER)
    await story.call("list_oidc_providers")
    changed = {"name": "Maple County Schools (staff)"}
    await story.call("change_oidc_provider", body=changed, provider_id=provider["id"])
    leaver = await story.call("create_person", body={"name": "Joan Example", "email": "joan@schools.example.org"})
    await story.call("erase_person", person_id=leaver["id"])

    staff, story.token = story.staff, story.staff
    await story.call("get_me")
    token = await story.call("create_my_token", body={"name": "Reading room", "expires_in_days": 30})
    await story.call("list_my_tokens")
    await story.call("revoke_my_token", token_id=token["id"])
    # To sign out everywhere would end the story's own session: somebody else does it.
    _, story.token = await make_person(story.world, story.known["issuer_id"], "assessor", name="Lin Example")
    await story.call("end_my_sessions")
    story.token = staff


async def mistakes(made: Mistakes) -> None:
    """One request for every problem that somebody can make by themselves."""
    assert (await made.client.post("/v1/people", json=PERSON)).status_code == 201
    await made.make("person_taken", "POST", "/v1/people", json=PERSON)
    nobody = {**PERSON, "email": "no.learner@schools.example.org", "roles": ["learner"]}
    await made.make("learner_role_needs_learner", "POST", "/v1/people", json=nobody)
    await made.make("person_required", "GET", "/v1/me")
    assert (await made.client.post("/v1/oidc-providers", json=PROVIDER)).status_code == 201
    await made.make("oidc_provider_taken", "POST", "/v1/oidc-providers", json=PROVIDER)
    data = {"email": PERSON["email"]}
    await made.make("foreign_form", "POST", "/sign-in/leadership-academy", data=data)
    await made.make("sign_in_link_unknown", "GET", f"/sign-in/links/{'0' * 32}_{'A' * 43}")
    await made.make("oidc_sign_in_unknown", "GET", "/sign-in/oidc/callback", params={"state": "none", "code": "none"})
    await _mistake_links(made)


async def _mistake_links(made: Mistakes) -> None:
    """Links that were used, were asked for by another browser, and are too old; somebody who may not sign in."""
    clock = made.world.clock
    assert isinstance(clock, FixedClock)
    browser = {"Origin": BASE_URL}
    for code, method in (
        ("sign_in_link_used", "POST"),
        ("sign_in_link_other_browser", "GET"),
        ("sign_in_link_expired", "GET"),
        ("person_inactive", "POST"),
    ):
        person, _ = await make_person(made.world, await _issuer_id(made), name=f"Link {code}")
        secret, now = new_secret(), clock.now()
        async with made.world.database.transaction() as session:
            link_secret, link_id = code.ljust(43, "_"), new_id()
            session.add(
                SignInLink(
                    id=link_id, issuer_id=person.issuer_id, person_id=person.id, secret_hash=hash_secret(link_secret),
                    browser_hash=hash_secret(secret), created_at=now,
                    expires_at=now if code == "sign_in_link_expired" else now + LINK_LIFE, used_at=None,
                )
            )  # fmt: skip
            if code == "person_inactive":
                (await lock_person(session, person.issuer_id, person.id)).is_active = False
        cookie = "" if code == "sign_in_link_other_browser" else f"__Host-assay_browser={secret}"
        path = f"/sign-in/links/{link_id}_{link_secret}"
        headers = {**browser, "Cookie": cookie}
        if code == "sign_in_link_used":
            assert (await made.client.post(path, headers=headers)).status_code == 303
        await made.make(code, method, path, headers=headers)


async def _issuer_id(made: Mistakes) -> str:
    me = await made.staff.get("/v1/me")
    return str(me.json()["issuer_id"])
