"""A district hands in badges: what each turns out to be, one credit for each, and nothing else to be learned."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app.access.principals import Scope
from app.net.client import OutboundClient
from app.recognition.bodies import HandedIn
from app.recognition.examine import examine_all
from app.settings import Settings
from app.verification.verify import Verifier
from tests.anchoring import codes
from tests.builders import results
from tests.conftest import BASE_URL, Partner
from tests.house.databases import is_in, list_contents, open_owner
from tests.issuing import Document, change_status, decided
from tests.net.tls_site import FakeResolver
from tests.people import open_person
from tests.verification.badges import NOW, badge, did_key_issuer, sign
from tests.verification.test_data_models import endorsement
from tests.verification.test_verify import InProcessJudges, OwnDocuments

EMAIL = "ada.example@schools.example.org"
FOREIGN = did_key_issuer("elsewhere")
FOREIGN_BADGE = sign(badge(FOREIGN), FOREIGN)
FOREIGN_ACHIEVEMENT = FOREIGN_BADGE["credentialSubject"]["achievement"]["id"]


@dataclass
class Desk:
    """A recognizer of the partner's issuer, and what one of its achievements is worth."""

    app: FastAPI
    partner: Partner
    recognizer: httpx.AsyncClient

    @property
    def mapping(self) -> list[Document]:
        return [{"achievement_id": self.partner.achievement_id, "credit": "7.5"}]

    async def ask(
        self,
        *badges: Document,
        mapping: list[Document] | None = None,
        client: httpx.AsyncClient | None = None,
        key: str = "",
    ) -> httpx.Response:
        body = {"unit": "renewal hours", "mapping": mapping or self.mapping, "badges": list(badges)}
        headers = {"Idempotency-Key": key} if key else {}
        return await (client or self.recognizer).post("/v1/recognitions", json=body, headers=headers)

    async def hand_in(self, *badges: Document, **more: Any) -> Document:
        answer = await self.ask(*badges, **more)
        assert answer.status_code == 201, answer.text
        made: Document = answer.json()
        return made

    async def award(self, name: str = "Ada Example", **changes: Any) -> str:
        """The id of a new badge's credential."""
        recipient = {"name": name, "email": f"{name.lower().replace(' ', '.')}@schools.example.org"}
        return str((await decided(self.partner, recipient=recipient, **changes))["credential"]["id"])

    async def look_again(self, recognition: Document, *badges: Document) -> httpx.Response:
        return await self.recognizer.post(
            f"/v1/recognitions/{recognition['id']}/verifications", json={"badges": list(badges)}
        )


@pytest.fixture
async def desk(app: FastAPI, partner: Partner) -> AsyncIterator[Desk]:
    _, recognizer = await open_person(app, partner.issuer_id, "recognizer", name="Dis Trict")
    async with recognizer:
        yield Desk(app, partner, recognizer)


def url_of(credential_id: str) -> str:
    return f"{BASE_URL}/credentials/{credential_id}"


def outcomes(made: Document) -> list[str]:
    return [each["outcome"] for each in made["badges"]]


async def document_of(desk: Desk, credential_id: str) -> Document:
    answer = await desk.partner.client.get(f"/credentials/{credential_id}", headers={"Accept": "application/json"})
    document: Document = answer.json()
    return document


async def test_a_badge_by_url_document_and_picture(desk: Desk) -> None:
    one, two, three = [await desk.award(name) for name in ("Ada Example", "Ben Example", "Cleo Example")]
    picture = (await desk.partner.client.get(f"/credentials/{three}/badge.png")).content
    made = await desk.hand_in(
        {"url": url_of(one), "recipient": EMAIL, "reference": "staff-17"},
        {"credential": await document_of(desk, two)},
        {"picture": base64.b64encode(picture).decode()},
    )
    assert outcomes(made) == ["granted"] * 3
    assert (made["credit"], made["standing_credit"], made["granted"]) == ("22.5", "22.5", 3)
    first = made["badges"][0]
    assert (first["reference"], first["recipient"], first["valid"], first["credit"]) == (
        "staff-17",
        "matches",
        True,
        "7.5",
    )
    assert first["achievement"].startswith(f"{BASE_URL}/achievements/{desk.partner.achievement_id}")
    assert made["badges"][1]["recipient"] == "not_asked"
    assert (await desk.recognizer.get(f"/v1/recognitions/{made['id']}")).json() == made
    [line] = (await desk.recognizer.get("/v1/recognitions")).json()["items"]
    assert (line["id"], line["credit"]) == (made["id"], "22.5")


async def test_a_badge_is_credited_once(desk: Desk) -> None:
    credential_id = await desk.award()
    same = {"url": url_of(credential_id)}
    made = await desk.hand_in(same, {"credential": await document_of(desk, credential_id)})
    assert outcomes(made) == ["granted", "already_granted"]
    assert (made["credit"], made["badges"][1]["credit"]) == ("7.5", None)
    assert outcomes(await desk.hand_in(same)) == ["already_granted"]
    _, other = await open_person(desk.app, desk.partner.issuer_id, "recognizer", name="Sta Te")
    assert outcomes(await desk.hand_in(same, client=other)) == ["granted"]


async def test_two_requests_at_once_credit_once(desk: Desk) -> None:
    same = {"url": url_of(await desk.award())}
    answers = await asyncio.gather(*(desk.hand_in(same) for _ in range(4)))
    assert sorted(outcomes(each)[0] for each in answers) == ["already_granted"] * 3 + ["granted"]


async def test_repeating_a_request_is_safe(desk: Desk) -> None:
    same = {"url": url_of(await desk.award())}
    first, second = [await desk.ask(same, key="once") for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert outcomes(second.json()) == ["granted"]


async def test_the_database_holds_to_one_credit(desk: Desk, settings: Settings) -> None:
    """The rule does not rest on the verb alone."""
    made = await desk.hand_in({"url": url_of(await desk.award())})
    await desk.hand_in({"credential": FOREIGN_BADGE})
    async with open_owner(settings) as engine, engine.connect() as connection:
        copied = (
            "UPDATE recognized_badge SET outcome = 'granted', credit = '1', badge_digest = (SELECT badge_digest FROM "
        )
        copied += "recognized_badge WHERE recognition_id = :id) WHERE recognition_id <> :id"
        with pytest.raises(Exception, match=r"(?i)unique"):
            await connection.execute(text(copied), {"id": made["id"]})


async def test_another_recipient_gets_nothing(desk: Desk) -> None:
    credential_id = await desk.award()
    for other in ("ben.example@schools.example.org", "Ada Example", "ADA.EXAMPLE@schools.example.org"):
        [told] = (await desk.hand_in({"url": url_of(credential_id), "recipient": other}))["badges"]
        assert (told["recipient"], told["outcome"], told["credit"]) == ("differs", "recipient_differs", None)
    assert outcomes(await desk.hand_in({"url": url_of(credential_id), "recipient": EMAIL})) == ["granted"]


async def test_what_is_not_valid_earns_nothing(desk: Desk) -> None:
    credential_id = await desk.award()
    document = await document_of(desk, credential_id)
    forged = json.loads(json.dumps(document))
    forged["credentialSubject"]["achievement"]["name"] = "Another"
    assert (await change_status(desk.partner, credential_id, "revoke")).status_code == 200
    made = await desk.hand_in(
        {"url": url_of(credential_id)}, {"credential": forged}, {"credential": {}}, {"url": url_of("0" * 32)},
        {"picture": base64.b64encode(b"no picture").decode()},
    )  # fmt: skip
    assert [each["credit"] for each in made["badges"]] == [None] * 5
    assert outcomes(made)[:3] == ["not_valid"] * 3
    assert made["badges"][0]["reasons"] == ["revoked"]
    assert {(each["achievement"], each["issuer"]) for each in made["badges"]} == {(None, None)}


async def test_who_names_our_achievement_without_being_us_gets_nothing(desk: Desk) -> None:
    """A badge is valid when its issuer signed it: that it names an achievement of somebody else proves nothing."""
    document = await document_of(desk, await desk.award())
    borrowed = badge(FOREIGN, credentialSubject={**FOREIGN_BADGE["credentialSubject"]})
    borrowed["credentialSubject"]["achievement"] = document["credentialSubject"]["achievement"]
    signed = sign(borrowed, FOREIGN)
    theirs = {
        "achievement": document["credentialSubject"]["achievement"]["id"],
        "issuer": document["issuer"]["id"],
        "credit": "5",
    }
    made = await desk.hand_in({"credential": signed})
    assert (made["badges"][0]["valid"], outcomes(made)) == (True, ["not_mapped"])
    assert outcomes(await desk.hand_in({"credential": signed}, mapping=[theirs])) == ["not_mapped"]


async def test_what_is_valid_and_no_badge_earns_nothing(desk: Desk) -> None:
    made = await desk.hand_in({"credential": sign(endorsement(FOREIGN), FOREIGN)})
    assert (made["badges"][0]["valid"], made["badges"][0]["reasons"]) == (False, ["not_an_open_badge"])


async def test_badges_of_others_by_achievement_and_issuer(desk: Desk) -> None:
    mapping = [{"achievement": FOREIGN_ACHIEVEMENT, "issuer": FOREIGN.id, "credit": "3"}]
    made = await desk.hand_in({"credential": FOREIGN_BADGE}, mapping=mapping)
    assert (outcomes(made), made["credit"]) == (["granted"], "3")
    elsewhere = [{**mapping[0], "issuer": did_key_issuer("yet another").id}]
    assert outcomes(await desk.hand_in({"credential": FOREIGN_BADGE}, mapping=elsewhere)) == ["not_mapped"]


async def test_which_no_longer_stand(desk: Desk) -> None:
    mapping = [*desk.mapping, {"achievement": FOREIGN_ACHIEVEMENT, "issuer": FOREIGN.id, "credit": "3"}]
    one, two = await desk.award(), await desk.award("Ben Example")
    made = await desk.hand_in(
        {"url": url_of(one)}, {"url": url_of(two)}, {"credential": FOREIGN_BADGE}, mapping=mapping
    )
    assert outcomes(made) == ["granted"] * 3
    assert (await change_status(desk.partner, one, "revoke")).status_code == 200
    again = (await desk.look_again(made)).json()
    assert [(each["standing"], each["standing_reasons"]) for each in again["badges"]] == [
        ("fails", ["revoked"]), ("stands", []), ("unknown", ["hand_in_again"]),
    ]  # fmt: skip
    assert (again["credit"], again["standing_credit"]) == ("18.0", "7.5")
    again = (await desk.look_again(made, {"credential": FOREIGN_BADGE})).json()
    assert again["badges"][2]["standing"] == "stands"
    assert [each["outcome"] for each in again["badges"]] == ["granted"] * 3


async def test_only_badges_of_the_recognition_are_looked_at_again(desk: Desk) -> None:
    made = await desk.hand_in({"url": url_of(await desk.award())})
    answer = await desk.look_again(made, {"url": url_of(await desk.award("Ben Example"))})
    assert codes(answer) == [(422, "badge_not_recognized")]
    assert answer.json()["errors"][0]["pointer"] == "/badges/0"


async def test_an_achievement_has_one_credit(desk: Desk) -> None:
    answer = await desk.ask({"credential": FOREIGN_BADGE}, mapping=[*desk.mapping, *desk.mapping])
    assert codes(answer) == [(422, "unfit_mapping")]
    assert answer.json()["errors"][0]["pointer"] == "/mapping/1"


@pytest.mark.parametrize(
    "changes",
    [
        {"unit": " "},
        {"mapping": []},
        {"mapping": [{"achievement_id": "0" * 32, "credit": "-1"}]},
        {"mapping": [{"achievement_id": "0" * 32, "credit": "0.00"}]},
        {"mapping": [{"achievement_id": "0" * 32, "credit": "1e3"}]},
        {"mapping": [{"achievement": FOREIGN_ACHIEVEMENT, "credit": "1"}]},
        {"mapping": [{"credit": "1"}]},
        {"badges": []},
        {"badges": [{"url": "https://badges.example/1"}] * 201},
        {"badges": [{"url": "https://badges.example/1", "credential": {}}]},
        {"badges": [{"picture": "no base64!"}]},
        {"badges": [{"url": "https://badges.example/1", "reference": EMAIL}]},
        {"badges": "none"},
    ],
)
async def test_bad_input(desk: Desk, changes: Document) -> None:
    body = {"unit": "hours", "mapping": desk.mapping, "badges": [{"url": "https://badges.example/1"}]}
    assert codes(await desk.recognizer.post("/v1/recognitions", json=body | changes)) == [(422, "invalid_body")]
    assert (await desk.recognizer.get("/v1/recognitions")).json()["items"] == []


async def test_the_table_is_safe_in_a_spreadsheet(desk: Desk) -> None:
    made = await desk.hand_in({"url": url_of(await desk.award()), "reference": "=1+1"})
    table = await desk.recognizer.get(f"/v1/recognitions/{made['id']}", params={"format": "csv"})
    assert table.headers["content-type"].startswith("text/csv")
    head, line = table.text.splitlines()
    assert head.startswith("number,reference,achievement,issuer,valid,reasons,recipient,outcome,credit,unit,standing")
    assert line.startswith(f"1,'=1+1,{BASE_URL}/achievements/{desk.partner.achievement_id}")


async def test_a_recognizer_sees_their_own_and_nothing_of_assessment(desk: Desk, stranger: Partner) -> None:
    made = await desk.hand_in({"url": url_of(await desk.award())})
    _, other = await open_person(desk.app, desk.partner.issuer_id, "recognizer", name="Sta Te")
    for client in (other, desk.partner.client, stranger.staff):
        assert (
            codes(
                await client.get(f"/v1/recognitions/{made['id']}"),
                await client.post(f"/v1/recognitions/{made['id']}/verifications", json={}),
            )
            == [(404, "not_found")] * 2
        )
    assert (await other.get("/v1/recognitions")).json()["items"] == []
    for path in (
        "decisions",
        "submissions",
        "learners",
        "credentials",
        "programs",
        "achievements",
        "events",
        "assessors",
    ):
        assert codes(await desk.recognizer.get(f"/v1/{path}")) == [(403, "forbidden")], path


async def test_a_not_yet_leaves_no_trace(desk: Desk) -> None:
    """Of two learners with the same badge one was refused before: nothing tells which."""
    short = [{**each, "level": "developing"} for each in results()]
    refused = {"name": "Ben Example", "email": "ben.example@schools.example.org"}
    assert (await decided(desk.partner, recipient=refused, outcome="not_yet", results=short))["outcome"] == "not_yet"
    one, two = await desk.award(), await desk.award("Ben Example")
    made = [await desk.hand_in({"url": url_of(each)}) for each in (one, two)]
    for recognition in made:
        for each in (recognition, *recognition["badges"]):
            for name in ("id", "created_at", "updated_at", "verified_at"):
                each.pop(name, None)
    assert made[0] == made[1]


async def test_clients_with_the_scope_may_and_others_not(desk: Desk) -> None:
    handed = {"url": url_of(await desk.award())}
    assert outcomes(await desk.hand_in(handed, client=desk.partner.client)) == ["granted"]
    _, director = await open_person(desk.app, desk.partner.issuer_id, "director", name="Dee Director")
    assert codes(await desk.ask(handed, client=director)) == [(403, "forbidden")]
    assert Scope.RECOGNITIONS_WRITE.value in (await desk.ask(handed, client=director)).json()["detail"]


async def test_nothing_of_a_badge_is_stored(desk: Desk, settings: Settings) -> None:
    await desk.hand_in({"credential": FOREIGN_BADGE, "recipient": "canary17@schools.example.org"})
    async with open_owner(settings) as engine:
        contents = await list_contents(engine)
    assert not is_in(contents, "canary17")
    assert not is_in(contents, FOREIGN_BADGE["id"])


async def test_erasure_cuts_the_tie(desk: Desk) -> None:
    decision = await decided(desk.partner)
    made = await desk.hand_in({"url": url_of(decision["credential"]["id"])})
    path = f"/v1/learners/{decision['learner_id']}"
    [told] = (await desk.partner.client.get(f"{path}/export")).json()["recognitions"]
    assert (told["credential_id"], told["credit"]) == (decision["credential"]["id"], "7.5")
    assert (await desk.partner.client.post(f"{path}/erase")).status_code == 200
    again = (await desk.look_again(made)).json()
    assert [(each["standing"], each["standing_reasons"]) for each in again["badges"]] == [
        ("unknown", ["hand_in_again"])
    ]


async def test_the_deadline_ends_what_hangs(desk: Desk) -> None:
    class Hanging:
        async def examine_url(self, url: str) -> None:
            await asyncio.sleep(3600)

    found = await examine_all(Hanging(), [HandedIn(url="https://badges.example/1")] * 9, deadline=0.05)  # type: ignore[arg-type]
    assert [(each.valid, each.reasons) for each in found] == [(None, ["deadline"])] * 9


async def test_issuers_for_tests_earn_nothing(desk: Desk) -> None:
    async def is_for_tests(issuer: str) -> bool:
        return issuer == FOREIGN.id

    desk.app.state.verifier = Verifier(
        outbound=OutboundClient(resolver=FakeResolver({})), judges=InProcessJudges(), own_documents=OwnDocuments({}),
        now=lambda: NOW, test_issuers=is_for_tests,
    )  # fmt: skip
    mapping = [{"achievement": FOREIGN_ACHIEVEMENT, "issuer": FOREIGN.id, "credit": "3"}]
    made = await desk.hand_in({"credential": FOREIGN_BADGE}, mapping=mapping)
    assert (made["badges"][0]["valid"], outcomes(made), made["credit"]) == (True, ["test_badge"], "0")
