"""What a document of anybody costs the server's own thread: counted in looks at it and in calls, never in time."""

import asyncio
import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, SupportsIndex

import pytest

from app import strict_json
from app.net.client import OutboundClient
from app.openbadges.open_badges_2 import find_signed_assertion
from app.verification.aside import SMALL, open_aside
from app.verification.envelopes import open_sent, wrap
from app.verification.gathered import Gathered
from app.verification.library import Library
from app.verification.parts import MAX_ENDORSEMENTS, MAX_PLACES, find_parts
from app.verification.tokens import read_token
from app.verification.verdict import Check
from app.verification.verdicts import check
from app.verification.verify import Verifier
from app.verification.whole import Whole, judge_whole
from tests.net.tls_site import CertificateAuthority, FakeResolver, client_for, serve
from tests.verification.badges import NOW, Document, badge, did_key_issuer, issuer_at, sign
from tests.verification.jose import did_jwk, issue, new_key
from tests.verification.test_data_models import endorsement, record
from tests.verification.test_verify import NAME, OwnDocuments, alone, failed, verifier

ISSUER = did_key_issuer()
MANY = 250_000
REFUSED = [check("signature_invalid")]
TRUSTED = [check("proof_verified"), check("issuer_bound")]


class Judging:
    """Judges that have made up their minds: what judging costs is the matter of another process."""

    def __init__(self, checks: list[Check]) -> None:
        self._checks = checks

    async def judge(self, _gathered: Gathered, _now: datetime) -> list[Check]:
        return self._checks

    async def judge_all(self, gathered: Sequence[Gathered], _now: datetime) -> list[list[Check]]:
        return [self._checks for _ in gathered]


class Looks:
    def __init__(self) -> None:
        self.count = 0


class CountedList(list[Any]):
    """Counts each item that is handed out, one by one or in a slice."""

    def __init__(self, items: Sequence[Any], looks: Looks) -> None:
        super().__init__(items)
        self._looks = looks

    def __iter__(self) -> Iterator[Any]:
        for each in super().__iter__():
            self._looks.count += 1
            yield each

    def __getitem__(self, which: SupportsIndex | slice) -> Any:
        found = super().__getitem__(which)
        self._looks.count += len(found) if isinstance(which, slice) else 1
        return found


class CountedObject(dict[str, Any]):
    """Counts each member that is asked for, and each that is handed out by walking all of them."""

    def __init__(self, members: Mapping[str, Any], looks: Looks) -> None:
        super().__init__(members)
        self._looks = looks

    def _walked(self) -> None:
        self._looks.count += len(self)

    def __iter__(self) -> Iterator[str]:
        self._walked()
        return super().__iter__()

    def items(self) -> Any:
        self._walked()
        return super().items()

    def values(self) -> Any:
        self._walked()
        return super().values()

    def __getitem__(self, name: str) -> Any:
        self._looks.count += 1
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self._looks.count += 1
        return super().get(name, default)


def counted(value: Any, looks: Looks) -> Any:
    if isinstance(value, dict):
        return CountedObject({name: counted(each, looks) for name, each in value.items()}, looks)
    return CountedList([counted(each, looks) for each in value], looks) if isinstance(value, list) else value


def looked_at(document: Document, checks: list[Check]) -> tuple[Whole, int]:
    """What is said of the document, and how many looks at it the server's own process took for it."""
    looks = Looks()

    async def story() -> Whole:
        library = Library(OutboundClient(resolver=FakeResolver({})), OwnDocuments(base="-"))
        return await judge_whole(open_sent(counted(document, looks)), library, Judging(checks), lambda: NOW)

    return asyncio.run(story()), looks.count


def crowded(place: str) -> Document:
    many = [{}] * MANY
    subject = badge(ISSUER)["credentialSubject"]
    documents: dict[str, Document] = {
        "elsewhere": badge(ISSUER, x=many),
        "members": badge(ISSUER, **{f"x{number}": {} for number in range(MANY)}),
        "endorsement": badge(ISSUER, endorsement=many),
        "endorsementJwt": badge(ISSUER, endorsementJwt=["a.b.c"] * MANY),
        "issuer": badge(ISSUER, issuer=many),
        "nested": badge(ISSUER, issuer=[[each] for each in many]),
        "achievement": badge(ISSUER, credentialSubject=subject | {"achievement": many}),
        "proof": badge(ISSUER, proof=many),
        "status": badge(ISSUER, credentialStatus=many),
        "schema": badge(ISSUER, credentialSchema=many),
        "refresh": badge(ISSUER, refreshService=many),
        "type": badge(ISSUER, type=["VerifiableCredential", *["x"] * MANY]),
        "context": badge(ISSUER, **{"@context": [*badge(ISSUER)["@context"], *["x"] * MANY]}),
        "record": record(ISSUER, many),
    }
    return documents[place]


PLACES = [
    *("elsewhere", "members", "endorsement", "endorsementJwt", "issuer", "nested", "achievement", "proof", "status"),
    *("schema", "refresh", "type", "context", "record"),
]


@pytest.mark.parametrize("place", PLACES)
def test_a_refused_document_is_not_walked(place: str) -> None:
    whole, looks = looked_at(crowded(place), REFUSED)
    assert whole.parts == []
    # Types and contexts are told by their first few; nothing grows with the document.
    assert looks < 500


@pytest.mark.parametrize("place", PLACES)
def test_looking_for_the_parts_of_a_document_ends_at_the_limits(place: str) -> None:
    _, looks = looked_at(crowded(place), TRUSTED)
    assert looks < 10 * MAX_PLACES


def test_the_looks_are_counted() -> None:
    looks = Looks()
    for _ in counted(crowded("elsewhere"), looks)["x"]:
        pass
    assert looks.count > MANY


def test_what_is_skipped_in_a_refused_document_is_told() -> None:
    def skipped(document: Document) -> list[str]:
        return [each.name for each in looked_at(document, REFUSED)[0].checks if each.code == "not_checked"]

    profile = {"id": ISSUER.id, "type": ["Profile"]}
    assert skipped(badge(ISSUER)) == []
    assert skipped(badge(ISSUER, endorsement=[])) == ["endorsements"]
    assert skipped(badge(ISSUER, issuer=profile | {"endorsementJwt": "a.b.c"})) == ["endorsements"]
    assert skipped(record(ISSUER, [badge(ISSUER)])) == ["badges"]


# which parts are found


def test_endorsements_are_found_where_the_specifications_have_them_and_nowhere_else() -> None:
    def endorsed(**members: object) -> Document:
        return {"endorsement": endorsement(ISSUER), **members}

    document = badge(ISSUER) | endorsed(
        issuer=endorsed(parentOrg=endorsed()),
        evidence=[endorsed()],
        credentialSubject=endorsed(source=endorsed(), achievement=endorsed(creator=endorsed(), related=[endorsed()])),
    )
    found = find_parts(document)
    assert [each.pointer.removesuffix("/endorsement") for each in found.parts] == [
        "",
        "/issuer",
        "/issuer/parentOrg",
        "/credentialSubject",
        "/credentialSubject/source",
        "/credentialSubject/achievement",
        "/credentialSubject/achievement/creator",
    ]
    assert not found.has_more_endorsements


def test_more_places_than_are_looked_at_are_told() -> None:
    def found(places: int) -> bool:
        # beside them: the record, its issuer, its subject, and the array itself
        subject = {"type": ["ClrSubject"], "achievement": [{}] * (places - 4)}
        whole = record(ISSUER, []) | {"issuer": ISSUER.id, "credentialSubject": subject}
        return find_parts(whole).has_more_endorsements

    assert not found(MAX_PLACES)
    assert found(MAX_PLACES + 1)
    assert not find_parts(badge(ISSUER, endorsement=[{}] * MAX_ENDORSEMENTS)).has_more_endorsements
    assert find_parts(badge(ISSUER, endorsement=[{}] * (MAX_ENDORSEMENTS + 1))).has_more_endorsements


# what is parsed, how often, and where


@contextmanager
def calls_of(function: Callable[..., Any]) -> Iterator[Counter[bool]]:
    """Calls of `function` while the block runs: True those in this thread, the event loop's, False those in others."""
    here, code, calls = threading.get_ident(), function.__code__, Counter[bool]()

    def note(frame: Any, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code is code:
            calls[threading.get_ident() == here] += 1

    before = sys.getprofile()
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield calls
    finally:
        sys.setprofile(before)
        threading.setprofile(None)


def judged_alone(sent: Document | str) -> None:
    outbound = OutboundClient(resolver=FakeResolver({}))
    judges = Judging(TRUSTED)
    asyncio.run(
        Verifier(outbound=outbound, judges=judges, own_documents=OwnDocuments(base="-"), now=lambda: NOW).verify(sent)
    )


def token(**members: object) -> str:
    issuer = did_jwk(KEY)
    header = {"alg": "ES256", "typ": "vc+jwt", "kid": f"{issuer}#0"}
    return issue(header, badge(ISSUER, issuer=issuer, **members), KEY)


KEY = new_key("P-256")


def test_a_token_is_parsed_once_and_so_is_each_token_in_it() -> None:
    inside = [token(id="urn:1"), token(id="urn:2")]
    with calls_of(read_token) as calls:
        judged_alone(token())
    assert calls == {True: 1}
    with calls_of(read_token) as calls:
        judged_alone(token(endorsementJwt=inside))
    assert calls.total() == 1 + len(inside)
    with calls_of(read_token) as calls:
        judged_alone(record(ISSUER, [wrap(each) for each in inside]))
    assert calls == {False: len(inside)}


def test_a_token_that_holds_no_assertion_is_not_read_as_one() -> None:
    with calls_of(find_signed_assertion) as calls:
        judged_alone(token())
    assert calls.total() == 0
    with calls_of(find_signed_assertion) as calls:
        judged_alone(issue({"alg": "ES256"}, {"type": "Assertion"}, KEY))
    assert calls.total() == 1


def test_a_large_token_is_parsed_beside_the_event_loop() -> None:
    with calls_of(read_token) as calls:
        judged_alone(token(x="y" * SMALL))
    assert calls == {False: 1}

    async def opened() -> tuple[object, object]:
        large = wrap(token(x="y" * SMALL))
        return await open_aside(large), open_sent(large)

    aside, at_once = asyncio.run(opened())
    assert aside == at_once


def test_a_document_that_was_sent_is_parsed_beside_the_event_loop() -> None:
    with calls_of(strict_json.loads) as calls:
        judged_alone(badge(ISSUER, x=[{}] * 1000))
    assert calls == {False: 1}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("ca"))


def test_a_large_document_that_was_fetched_is_parsed_beside_the_event_loop(authority: CertificateAuthority) -> None:
    async def fetched(size: int) -> Counter[bool]:
        async with serve(authority, NAME) as site, client_for(authority, NAME) as client:
            issuer = issuer_at(f"did:web:{NAME}%3A{site.port}:issuers:a")
            site.put("/issuers/a/did.json", json.dumps(issuer.document).encode() + b" " * size)
            with calls_of(strict_json.loads) as calls:
                found = await verifier(client).verify(sign(badge(issuer), issuer))
            assert (failed(found), found.valid) == ([], True)
            return calls

    # one of the two is the badge that was sent
    assert asyncio.run(fetched(0)) == {False: 1, True: 1}
    assert asyncio.run(fetched(SMALL)) == {False: 2}


def test_a_document_that_cannot_be_read_is_still_a_verdict() -> None:
    found = asyncio.run(alone().verify({"x": float("nan")}))
    assert ("shape", "credential_invalid") in failed(found)
