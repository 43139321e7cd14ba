"""What is not acceptable is refused with a problem that names the place, and nothing that is sent makes the service fail."""

import base64
import json
import random
import re
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from fastapi import FastAPI

from app.frameworks.router import PACKAGE
from tests.conftest import Partner
from tests.house.images import sound_png
from tests.house.operations import Leaf, Operation, list_leaves, list_operations, put_at
from tests.web.full_bodies import decision, full_bodies, sound_bodies

# What is read before any query is the same on both engines.
on_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)

# What others have standardized tells of errors in its own words: tests/oauth, tests/obapi and tests/vcapi walk it.
OPERATIONS = {operation.id: operation for operation in list_operations() if operation.path.startswith("/v1/")}
WITH_BODY = [operation for operation in OPERATIONS.values() if "application/json" in operation.body_types]

# One operation for every body there is: operations with the same body read it by the same model.
DISTINCT = list({str(operation.body_schema): operation for operation in reversed(WITH_BODY)}.values())

NOWHERE = "0" * 32
IMAGE = {"Content-Type": "image/png"}


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == code
    assert problem["type"].endswith(f"/problems/{code}")
    assert problem["status"] == status
    assert problem["request_id"] == answer.headers["x-request-id"] != ""
    assert problem["detail"]
    assert problem["cure"]
    return problem


def pointers(problem: dict[str, Any]) -> list[str]:
    return [fault["pointer"] for fault in problem["errors"]]


async def post(client: httpx.AsyncClient, body: bytes, media_type: str = "application/json") -> httpx.Response:
    return await client.post("/v1/panels", content=body, headers={"Content-Type": media_type})


MALFORMED = {
    "cut short": (b'{"name": "P"', [""]),
    "nothing but space": (b"  ", [""]),
    "single quotes": (b"{'name': 1}", [""]),
    "trailing comma": (b'{"members": ["A",]}', [""]),
    "two documents": (b"{} {}", [""]),
    "member twice": (b'{"name": "a", "name": "b"}', ["/name"]),
    "nested member twice": (b'{"members": [{"a": 1, "a": 2}]}', ["/members/0/a"]),
    "NaN": (b'{"name": NaN}', ["/name"]),
    "Infinity": (b'{"members": [-Infinity]}', ["/members/0"]),
    "integer beyond 2^53": (b'{"name": 9007199254740993}', ["/name"]),
    "integer of 5,000 digits": (b'{"name": ' + b"9" * 5000 + b"}", ["/name"]),
    "number beyond a double": (b'{"name": 1e999}', ["/name"]),
    "65 deep": (b'{"name": ' + b"[" * 64 + b"]" * 64 + b"}", [""]),
    "100,000 brackets": (b"[" * 100_000, [""]),
    "byte order mark": (b'\xef\xbb\xbf{"name": "P"}', [""]),
    "UTF-16": ('{"name": "P"}'.encode("utf-16"), [""]),
    "invalid UTF-8": (b'{"name": "\xff\xfe"}', [""]),
    "overlong UTF-8": (b'{"name": "\xc0\x80"}', [""]),
    "unpaired surrogate": (b'{"name": "\\ud800"}', ["/name"]),
    "U+0000": (b'{"name": "a\\u0000b"}', ["/name"]),
    "U+0000 in a member name": (b'{"a\\u0000": 1}', [""]),
}


def client_for(partner: Partner, operation: Operation) -> httpx.AsyncClient:
    """A person's where only people may, else the partner system's."""
    return partner.staff if operation.is_for_people else partner.client


@on_sqlite
async def test_malformed_json_is_refused_with_its_place(partner: Partner) -> None:
    for name, (body, places) in MALFORMED.items():
        problem = assert_problem(await post(partner.client, body), 400, "malformed_json")
        assert pointers(problem) == places, name
        assert all(fault["detail"] and fault["cure"] for fault in problem["errors"]), name


@on_sqlite
async def test_what_is_just_within_the_limits_is_read(partner: Partner) -> None:
    """The pair of the tests around it: these bodies are read, and refused only for not fitting the operation."""
    for body in (
        b'{"name": ' + b"[" * 63 + b"]" * 63 + b"}",
        b'{"name": 9007199254740991}',
        b'{"name": "' + b"a" * ((1 << 20) - 12) + b'"}',
    ):
        assert_problem(await post(partner.client, body), 422, "invalid_body")
    sound = json.dumps({"name": "P \U0001f600", "members": ["A-01"]}).encode()
    for media_type in (
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/ld+json",
    ):
        assert (await post(partner.client, sound, media_type)).status_code == 201


@on_sqlite
async def test_too_large_bodies_are_refused(partner: Partner) -> None:
    assert_problem(await post(partner.client, b'{"name": "' + b"a" * ((1 << 20) - 11) + b'"}'), 413, "body_too_large")
    assert_problem(await post(partner.client, b"x" * (1 << 20) + b"x", "text/plain"), 413, "body_too_large")

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b" " * (1 << 16)

    path = f"/v1/achievements/{partner.achievement_id}/versions/1/image"
    assert_problem(await partner.client.post("/v1/panels", content=endless()), 413, "body_too_large")
    assert_problem(
        await partner.client.put(path, content=b"\x89" * (2 << 20) + b"x", headers=IMAGE), 413, "body_too_large"
    )
    # One byte less is read, and refused for not being a picture.
    exact = await partner.client.put(path, content=b"\x89" * (2 << 20), headers=IMAGE)
    assert_problem(exact, 422, "invalid_image")


@on_sqlite
async def test_other_media_types_are_refused(partner: Partner) -> None:
    for media_type in ("text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        problem = assert_problem(
            await post(partner.client, b'{"name": "P"}', media_type), 415, "unsupported_media_type"
        )
        assert "application/json" in problem["errors"][0]["cure"]
    assert_problem(await post(partner.client, b"\x89PNG", "image/png"), 422, "invalid_body")
    path = f"/v1/achievements/{partner.achievement_id}/versions/1/image"
    assert_problem(await partner.client.put(path, json={"png": "…"}), 422, "invalid_body")
    assert_problem(await partner.client.post("/v1/panels"), 422, "invalid_body")


@on_sqlite
async def test_unknown_members_are_refused_where_they_are(partner: Partner) -> None:
    body = decision(partner)
    body["surplus"] = 1
    body["assessment"]["surplus"] = 1
    body["results"][1]["a/b~c"] = 1
    body["recipient"]["e-mail"] = "x"
    problem = assert_problem(await partner.client.post("/v1/decisions", json=body), 422, "invalid_body")
    assert sorted(pointers(problem)) == ["/assessment/surplus", "/recipient/e-mail", "/results/1/a~1b~0c", "/surplus"]
    assert "schools.example.org" not in problem["detail"]


@on_sqlite
async def test_missing_members_are_named(partner: Partner) -> None:
    body = decision(partner)
    del body["outcome"], body["assessment"]["panel_id"], body["results"][1]["level"]
    problem = assert_problem(await partner.client.post("/v1/decisions", json=body), 422, "invalid_body")
    assert sorted(pointers(problem)) == ["/assessment/panel_id", "/outcome", "/results/1/level"]


@on_sqlite
async def test_full_bodies_have_every_member_that_the_document_tells(partner: Partner) -> None:
    """Not only those that somebody thought of, but for what is of another alternative of a union than the one that is there."""
    bodies, lacking = full_bodies(partner), []
    for operation in WITH_BODY:
        for name, leaves in places_of(operation).items():
            if not has(bodies[operation.id], leaves[0].pointer) and not name.endswith(("/statement", "/exceptions")):
                lacking.append(f"{operation.id} {name}")
    assert lacking == []


def has(body: Any, pointer: tuple[str | int, ...]) -> bool:
    for part in pointer:
        if (isinstance(body, dict) and part in body) or (isinstance(body, list) and part == 0 and body):
            body = body[part]
        else:
            return False
    return True


WRONG: dict[str, tuple[Any, ...]] = {
    "string": (1, True, ["a"], {"a": "b"}),
    "integer": ("1", True, 1.5, [1]),
    "number": ("1", True, [1]),
    "boolean": ("true", 1, 0, []),
}


def wrong_values(leaves: list[Leaf]) -> list[Any]:
    """Values that none of the alternatives at a place takes."""
    kinds = {"string" if {"enum", "const"} & leaf.schema.keys() else leaf.schema.get("type", "") for leaf in leaves}
    first, *others = (WRONG[kind] for kind in sorted(kinds))
    # Compared by their text: to Python, 1 is True.
    return [value for value in first if all(repr(value) in map(repr, other) for other in others)]


def places_of(operation: Operation) -> dict[str, list[Leaf]]:
    """The places of a body with their alternatives; a foreign credential may hold anything.

    The members of a pathway's rule, and badges handed in for recognition, are each of one of some kinds: no body has them all
    (tests/pathways and tests/recognition walk them).
    """
    places: dict[str, list[Leaf]] = {}
    if operation.id != "verify_credential":
        for leaf in list_leaves(operation.body_schema):
            if leaf.pointer[0] not in ("rule", "badges"):
                places.setdefault(leaf.name, []).append(leaf)
    return places


def names_the_place(answer: httpx.Response, name: str) -> bool:
    """A wrong discriminator is a fault of the whole it discriminates."""
    return bool({name, name.removesuffix("/type")} & set(pointers(answer.json())))


def path_of(operation: Operation, partner: Partner, credential_id: str = NOWHERE, learner_id: str = NOWHERE) -> str:
    known = {
        "issuer_id": partner.issuer_id, "achievement_id": partner.achievement_id, "panel_id": partner.panel_id,
        "credential_id": credential_id, "learner_id": learner_id, "version": 1,
    }  # fmt: skip
    return operation.path.format_map(defaultdict(lambda: NOWHERE, known))


async def send(
    operation: Operation, partner: Partner, operator: httpx.AsyncClient, body: Any, credential_id: str = NOWHERE
) -> httpx.Response:
    client = operator if operation.id in ("create_issuer", "verify_issuer") else client_for(partner, operation)
    path = path_of(operation, partner, credential_id)
    # The text is made here: a client library refuses some of what is to be sent.
    content = json.dumps(body).encode()
    return await client.request(operation.method, path, content=content, headers={"Content-Type": "application/json"})


@on_sqlite
async def test_wrong_types_are_refused_where_they_are(partner: Partner, operator: httpx.AsyncClient) -> None:
    bodies, faults = full_bodies(partner), []
    for operation in DISTINCT:
        for name, leaves in places_of(operation).items():
            for value in wrong_values(leaves):
                answer = await send(
                    operation, partner, operator, put_at(bodies[operation.id], leaves[0].pointer, value)
                )
                if answer.status_code != 422 or not names_the_place(answer, name):
                    faults.append(f"{operation.id} {name} {value!r}: {answer.status_code} {answer.text[:300]}")
    assert not faults, "\n".join(faults)


CONTROLS = ["\x01", "\x08", "\x0b", "\x0c", "\x0e", "\x1b", "\x1f", "\x7f", "\ufffe", "\uffff"]


@on_sqlite
@pytest.mark.parametrize(
    ("member", "value", "words"),
    [
        ("email", "Ada <ada@schools.example.org>", "write one e-mail address without a name, like"),
        ("did", "ada", "write a DID, like did:web:"),
        ("external_id", "ada@schools.example.org", "write visible ASCII characters without @"),
    ],
)
async def test_a_wanted_form_is_told_in_words(partner: Partner, member: str, value: str, words: str) -> None:
    answer = await partner.client.post("/v1/learners", json={"name": "Ada", member: value})
    [fault] = assert_problem(answer, 422, "invalid_body")["errors"]
    assert fault["pointer"] == f"/{member}"
    assert fault["cure"].startswith(words)


@on_sqlite
async def test_control_characters_are_refused_in_every_text(partner: Partner, operator: httpx.AsyncClient) -> None:
    bodies, faults = full_bodies(partner), []
    for operation in DISTINCT:
        for name, leaves in places_of(operation).items():
            if leaves[0].schema.get("type") != "string":
                continue
            for text, status in (("a\x0bb", 422), ("a\x7fb", 422), ("", 422), ("a\x00b", 400), ("\ud800", 400)):
                answer = await send(operation, partner, operator, put_at(bodies[operation.id], leaves[0].pointer, text))
                named = name in pointers(answer.json()) if status == 400 else names_the_place(answer, name)
                if answer.status_code != status or not named:
                    faults.append(f"{operation.id} {name} {text!r}: {answer.status_code} {answer.text[:300]}")
    assert not faults, "\n".join(faults)


@on_sqlite
async def test_every_control_character_is_refused(partner: Partner) -> None:
    for character in CONTROLS:
        for name in ("name", "description"):
            body = {"name": "P", "description": "D", "members": ["A-01"], name: f"a{character}b"}
            problem = assert_problem(await partner.client.post("/v1/panels", json=body), 422, "invalid_body")
            assert pointers(problem) == [f"/{name}"]
            assert f"U+{ord(character):04X}" in problem["errors"][0]["detail"]


@on_sqlite
async def test_line_ends_become_line_feeds(partner: Partner) -> None:
    body = {"name": "  P  ", "description": "one\r\ntwo\rthree\n\tfour", "members": ["A-01"]}
    panel = (await partner.client.post("/v1/panels", json=body)).json()
    assert panel["description"] == "one\ntwo\nthree\n\tfour"
    assert panel["name"] == "P"
    for name in ("two\nlines", "two\r\nlines", "a\ttab", "   ", "\n"):
        problem = assert_problem(
            await partner.client.post("/v1/panels", json={**body, "name": name}), 422, "invalid_body"
        )
        assert pointers(problem) == ["/name"]


MOMENTS = [
    1_700_000_000,
    1.5e9,
    "1700000000",
    "2026-04-09",
    "2026-04-09T14:00:00",
    "2026-02-30T14:00:00Z",
    "2026-04-09T14:00:00+25:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "1899-12-31T23:59:59Z",
    "yesterday",
    None,
]


@on_sqlite
async def test_times_are_rfc_3339_and_within_the_calendar(partner: Partner) -> None:
    for moment in MOMENTS[:-1]:
        for name in ("decided_at", "activity_start"):
            body = decision(partner, **{name: moment})
            problem = assert_problem(await partner.client.post("/v1/decisions", json=body), 422, "invalid_body")
            assert pointers(problem) == [f"/{name}"], moment
        if isinstance(moment, str):
            answer = await partner.client.get("/v1/panels", params={"updated_since": moment})
            assert pointers(assert_problem(answer, 422, "invalid_body")) == ["/query/updated_since"]
    for moment in ("2026-04-09T14:00:00Z", "2026-04-09t14:00:00.123456+02:00", "1900-01-01T00:00:00Z"):
        dry = await partner.client.post("/v1/decisions?dry_run=true", json=decision(partner, decided_at=moment))
        assert dry.status_code == 200, dry.text
        assert (await partner.client.get("/v1/panels", params={"updated_since": moment})).status_code == 200


BAD_IDS = [
    "1",
    "AB" * 16,
    "a" * 31,
    "a" * 33,
    "g" * 32,
    "%00" * 32,
    "a" * 31 + "%0a",
    "a" * 32 + "%0A",
    "é" * 32,
    "*",
    "null",
]


async def test_what_cannot_be_an_id_is_the_id_of_nothing(partner: Partner, operator: httpx.AsyncClient) -> None:
    faults = []
    for operation in OPERATIONS.values():
        names = [name for name in operation.parameters("path") if name.endswith("_id") or name in ("digest", "slug")]
        for name in names:
            for id_ in BAD_IDS if name != "slug" else ["A", "%00", "-a", "a" * 64, "é"]:
                known = dict.fromkeys(operation.parameters("path"), NOWHERE)
                path = operation.path.format(
                    **{**known, "profile": "eddsa-rdfc-2022", "issuer_id": partner.issuer_id, "version": "1", name: id_}
                )
                sent = (
                    {"content": sound_png(), "headers": IMAGE}
                    if "image/png" in operation.body_types
                    else {"json": operation.example}
                )
                client = (
                    operator if operation.id in ("leave_issuer", "verify_issuer") else client_for(partner, operation)
                )
                answer = await client.request(operation.method, path, **sent)
                if (answer.status_code, answer.json()["code"]) != (404, "not_found"):
                    faults.append(f"{operation.id} {name} {id_}: {answer.status_code} {answer.text[:300]}")
    assert not faults, "\n".join(faults)


async def test_bad_queries(partner: Partner) -> None:
    for name, values in {
        "limit": ["0", "201", "-1", "x", "1.5", "9" * 400, ""],
        "external_id": ["", "a%00b", "two words", "é", "a" * 201, "%ed%a0%80"],
        "cursor": ["a" * 201],
        "limt": ["1"],
        "%ff": ["1"],
        "after": ["-1", str(2**63), "x"],
    }.items():
        for value in values:
            path = "/v1/events" if name == "after" else "/v1/panels"
            problem = assert_problem(await partner.client.get(f"{path}?{name}={value}"), 422, "invalid_body")
            assert pointers(problem) == [f"/query/{unquote(name)}"], (name, value)
    framework = (await partner.client.post("/v1/frameworks", json=PACKAGE)).json()
    for name in ("text", "human_coding_scheme"):
        path = f"/v1/frameworks/{framework['id']}/statements?{name}="
        problem = assert_problem(await partner.client.get(f"{path}a%00b"), 422, "invalid_body")
        assert pointers(problem) == [f"/query/{name}"]
        assert (await partner.client.get(f"{path}%ed%a0%80")).json()["items"] == []
    assert_problem(
        await partner.client.post("/v1/decisions?dry_run=maybe", json=decision(partner)), 422, "invalid_body"
    )


NAMED = re.compile(r"\{[a-z_]+\}")


@on_sqlite
async def test_every_list_refuses_an_unknown_parameter(partner: Partner) -> None:
    for operation in OPERATIONS.values():
        if not operation.is_collection or operation.is_public or operation.id == "list_issuers":
            continue
        path = NAMED.sub(NOWHERE, operation.path.replace("{issuer_id}", partner.issuer_id))
        answer = await client_for(partner, operation).get(f"{path}?limt=1")
        assert (operation.id, answer.status_code, answer.json()["code"]) == (operation.id, 422, "invalid_body")


def cursor(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


BAD_CURSORS = [
    "x",
    "a b",
    "é",
    "%00",
    "=" * 20,
    "[" * 150,
    cursor([]),
    cursor({"a": 1, "b": 2}),
    cursor(["2026-01-01T00:00:00", NOWHERE]),
    cursor(["2026-01-01T00:00:00+00:00", 1]),
    cursor(["2026-01-01T00:00:00+00:00", "\ud800"]),
    cursor(["2026-01-01T00:00:00+00:00", "a\x00"]),
    cursor(["0001-01-01T00:00:00+14:00", NOWHERE]),
    cursor(["9999-12-31T23:59:59-14:00", NOWHERE]),
    cursor([[[[[[[[1]]]]]]], NOWHERE]),
]


async def test_bad_cursors(partner: Partner) -> None:
    me = (await partner.staff.get("/v1/me")).json()["id"]
    entered = await partner.client.post("/v1/assessors", json={"person_id": me, "code": "S-01"})
    assert entered.status_code == 201, entered.text
    for operation in OPERATIONS.values():
        if operation.is_public or "cursor" not in operation.parameters("query") or operation.id == "list_issuers":
            continue
        if set(operation.parameters("path")) - {"issuer_id"}:  # those of an object read their cursor with the same code
            continue
        path = operation.path.format(issuer_id=partner.issuer_id)
        for text in BAD_CURSORS:
            answer = await client_for(partner, operation).get(path, params={"cursor": text})
            assert pointers(assert_problem(answer, 400, "invalid_cursor")) == ["/cursor"]
        good = await client_for(partner, operation).get(
            path, params={"cursor": cursor(["2026-01-01T00:00:00+00:00", NOWHERE])}
        )
        assert good.status_code == 200, good.text


@on_sqlite
async def test_what_cannot_be_had(partner: Partner, api: httpx.AsyncClient) -> None:
    wrong_method = assert_problem(await api.delete("/v1/panels"), 405, "method_not_allowed")
    assert wrong_method["errors"] == []
    for method in ("PATCH", "TRACE", "PURGE"):
        answer = await partner.client.request(method, "/v1/panels")
        assert_problem(answer, 405, "method_not_allowed")
        assert answer.headers["allow"] == "GET, POST"
    for path in (
        "/v1",
        "/v1/nothing",
        "/v1/panels/",
        "/v2/panels",
        "/%00",
        "/v1/panels/../../etc/passwd",
        "/v1/%2e%2e",
    ):
        assert_problem(await api.get(path), 404, "not_found")


@on_sqlite
async def test_accept_headers(partner: Partner, api: httpx.AsyncClient) -> None:
    path = f"/achievements/{partner.achievement_id}"
    for accept in ("image/png", "application/xml", "text/plain;q=1", "application/json;q=0"):
        assert_problem(await api.get(path, headers={"Accept": accept}), 406, "not_acceptable")
    for accept in (
        "application/json",
        "*/*",
        "application/*",
        "nonsense",
        ";;;,,,=",
        "a" * 5000,
        'x/y;q="',
        "text/html;q=0, */*",
    ):
        answer = await api.get(path, headers={"Accept": accept})
        assert answer.status_code == 200, (accept, answer.text)
        assert answer.headers["content-type"].startswith("application/")


@on_sqlite
async def test_bad_authorization_headers(partner: Partner, api: httpx.AsyncClient) -> None:
    token = partner.client.headers["authorization"].removeprefix("Bearer ")
    for header in (
        "",
        "Bearer",
        "Bearer ",
        f"Basic {token}",
        token,
        f"Bearer {token} x",
        f"Bearer x{token}",
        "Bearer é",
    ):
        answer = await api.get("/v1/panels", headers={"Authorization": header.encode()})
        assert_problem(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")


# --- everything at once ----------------------------------------------------------------------------------------------

NASTY: list[Any] = [
    None, True, False, 0, -1, 1, 1.5, 1e308, -1e-300, 2**53 - 1, "", " ", "1", "a" * 100_001, "a" * 301, "\x7f",
    "\u202e", "\u2028", "\U0001f4a5" * 300, "e\u0301" * 100, "\u0644\u0627 \u0634\u064a\u0621", "\ufeff", "\u0085",
    [], {}, [[]], [{}], [None], {"": 1}, {"$ref": "#"}, {"a": {"b": {"c": [1]}}}, ["x"] * 1001,
    "0001-01-01T00:00:00+14:00", "2026-04-09T14:00:60Z", "9000-01-01T00:00:00Z", "1900-01-01T00:00:00Z", "did:x:",
    "did:web:", "did:key:zzz", "https://[::1", "https://exa mple", "http://a:99999/", "https://a/%zz",
    "https://\u212b.example/", "javascript:alert(1)", "data:text/html,x", "urn:x", "//x", "../../x", "<script>",
    "{{7*7}}", "%s%n", "'; --", "ab" * 16, "0" * 32, "-0", "0.00001", "1e5", "99999999", "all", "points", "all_but",
    "outcome", "awarded", "not_yet", "demonstrated", "problem", "a--b", "sha256:" + "0" * 64, "ext:x", "en-US",
    "A-01", 10**15, 36_525,
]  # fmt: skip


def mutate(chance: random.Random, body: Any) -> Any:
    """The body with one thing changed somewhere: a value, a member taken away, added, renamed, or an item repeated."""
    if not isinstance(body, dict | list) or not body or chance.random() < 0.15:
        return chance.choice(NASTY)
    key = chance.choice(list(body) if isinstance(body, dict) else range(len(body)))
    if chance.random() < 0.6:
        changed = mutate(chance, body[key])
        return {**body, key: changed} if isinstance(body, dict) else [*body[:key], changed, *body[key + 1 :]]
    if isinstance(body, list):
        return chance.choice([body[:key], body * 2, body * 60, [*body, chance.choice(NASTY)]])
    rest = {name: value for name, value in body.items() if name != key}
    return chance.choice(
        [rest, {**body, "surplus": 1}, {**rest, str(key) + "s": body[key]}, {**body, key: chance.choice(NASTY)}]
    )


QUERIES = ["", "?dry_run=true", "?limit=1", "?x=%00", "?%ff=%fe", "?external_id[]=1"]
IDEMPOTENCY_KEYS = [None, None, "k-1", "k-2", "", " ", "é", "x" * 201, "a\tb"]


async def test_no_mutated_body_makes_the_service_fail(
    app: FastAPI, partner: Partner, operator: httpx.AsyncClient
) -> None:
    issued = await partner.client.post("/v1/decisions", json=decision(partner))
    credential = issued.json()["credential"]
    bodies, full = sound_bodies(partner), full_bodies(partner)
    bodies["verify_credential"] = {"credential": credential["document"]}
    await partner.client.post(
        f"/v1/achievements/{partner.achievement_id}/versions", json=bodies["draft_achievement_version"]
    )
    chance, faults, seen = random.Random(20260409), [], set()
    for operation in WITH_BODY:
        for _ in range(16 if operation.id != "record_decision" else 80):
            body = chance.choice([bodies, full])[operation.id]
            for _ in range(chance.choice([1, 1, 1, 2, 4])):
                body = mutate(chance, body)
            path = path_of(operation, partner, credential["id"], credential["learner_id"]).replace(
                "versions/1", chance.choice(["versions/1", "versions/2"])
            )
            key = chance.choice(IDEMPOTENCY_KEYS)
            headers = {
                "Content-Type": "application/json",
                **({"Idempotency-Key": key.encode()} if key is not None else {}),
            }
            answer = await (
                operator if operation.id in ("create_issuer", "verify_issuer") else client_for(partner, operation)
            ).request(
                operation.method, path + chance.choice(QUERIES), content=json.dumps(body).encode(), headers=headers
            )
            seen.add(answer.status_code)
            if answer.status_code >= 500 or str(answer.status_code) not in operation.spec["responses"]:
                faults.append(f"{operation.id} {answer.status_code} {answer.text[:300]} for {json.dumps(body)[:1500]}")
            elif answer.status_code >= 400:
                assert_problem(answer, answer.status_code, answer.json()["code"])
    assert not faults, "\n".join(faults)
    assert {201, 200, 400, 422} <= seen
