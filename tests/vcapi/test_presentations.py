"""Presentations: made for whom, by whom, and what is in them."""

import asyncio
from typing import Any

import pytest

from app.access.principals import Scope
from app.vcapi.challenges import LIFE
from tests.conftest import Partner
from tests.fakes import FixedClock
from tests.vcapi.clients import Signatory, codes, vcapi_client
from tests.vcdm.documents import EXAMPLES, VC, credential, presentation

pytestmark = pytest.mark.anyio

ENVELOPE = {"@context": VC, "type": "EnvelopedVerifiablePresentation", "id": "data:application/vp+jwt,eyJh.eyJi.c2ln"}
REQUEST = {"challenge": "c-1", "domain": "verifier.example"}


def presented(holder: Signatory, *, members: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    document = presentation(**{"holder": holder.did, **(members or {})})
    return holder.sign(document, **{"purpose": "authentication", **REQUEST, **options})


async def test_a_presentation_with_credentials(partner: Partner) -> None:
    holder, issuer = Signatory.ed25519(1), Signatory.ed25519(2)
    contained = issuer.sign(credential(issuer=issuer.did))
    async with vcapi_client(partner) as client:
        for members in (
            {},
            {"holder": ...},
            {"holder": {"id": holder.did}},
            {"verifiableCredential": [contained]},
            {"verifiableCredential": contained},
            {"verifiableCredential": [contained, issuer.sign(credential(issuer=issuer.did, id="urn:uuid:2"))]},
        ):
            told = await client.verify_presentation(presented(holder, members=members), **REQUEST)
            assert told["verified"] is True, told
        spoiled = {**contained, "id": "urn:uuid:another"}
        told = await client.verify_presentation(
            presented(holder, members={"verifiableCredential": [spoiled]}), **REQUEST
        )
        assert told["verified"] is False
        assert told["presentationResult"]["verified"] is True
        assert [each["verified"] for each in told["credentialResults"]] == [False]


async def test_what_the_holder_says_of_themselves(partner: Partner) -> None:
    holder, other = Signatory.ed25519(1), Signatory.ed25519(2)
    own, alien = credential(issuer=holder.did), credential(issuer=other.did)
    async with vcapi_client(partner) as client:
        told = await client.verify_presentation(presented(holder, members={"verifiableCredential": [own]}), **REQUEST)
        assert told["verified"] is True, told
        for members in (
            {"verifiableCredential": [alien]},
            {"verifiableCredential": [own], "holder": ...},
            {"verifiableCredential": [{**own, "proof": {"type": "DataIntegrityProof"}}]},
        ):
            told = await client.verify_presentation(presented(holder, members=members), **REQUEST)
            assert told["verified"] is False, members


async def test_without_the_scope_for_any_kind_a_presentation_makes_no_claims(partner: Partner) -> None:
    other = Signatory.ed25519(2)
    signed = other.sign(credential(issuer=other.did, **{"@context": [VC], "type": ["VerifiableCredential"],
                                                        "credentialSubject": {"id": "did:example:x"}}))  # fmt: skip
    bare = {name: value for name, value in signed.items() if name != "proof"}
    async with vcapi_client(partner, (Scope.VCAPI_ISSUE,)) as client, vcapi_client(partner) as generic:
        for contained, status in (
            (signed, 201),
            ([signed], 201),
            ({**bare, "issuer": client.did}, 403),
            ([signed, {**bare, "issuer": client.did}], 403),
            ({**bare, "issuer": client.did, "proof": []}, 403),
            ({**bare, "issuer": client.did, "proof": {}}, 403),
        ):
            document = presentation(holder=client.did, verifiableCredential=contained)
            answer = await client.post("/presentations", {"presentation": document})
            assert answer.status_code == status, answer.text
        document = presentation(holder=client.did, verifiableCredential={**bare, "issuer": client.did})
        assert (await generic.post("/presentations", {"presentation": document})).status_code == 201


@pytest.mark.parametrize(
    ("options", "asked", "code"),
    [
        ({"challenge": "c-2"}, REQUEST, "challenge"),
        ({"domain": "elsewhere.example"}, REQUEST, "domain"),
        ({"domain": ["elsewhere.example"]}, REQUEST, "domain"),
        ({"purpose": "assertionMethod"}, REQUEST, "proof_purpose"),
        ({"created": ...}, REQUEST, None),
        ({"domain": ["elsewhere.example", "verifier.example"]}, REQUEST, None),
        ({}, {}, None),
    ],
)
async def test_made_for_somebody_else(
    partner: Partner, options: dict[str, Any], asked: dict[str, Any], code: str | None
) -> None:
    holder = Signatory.ed25519()
    options = {name: value for name, value in options.items() if value is not ...}
    async with vcapi_client(partner) as client:
        told = await client.verify_presentation(presented(holder, **options), **asked)
        assert codes(told) == ({code} if code else set()), told


async def test_challenge_and_domain_are_what_was_signed(partner: Partner) -> None:
    holder = Signatory.ed25519()
    sent = presented(holder, challenge="c-old")
    swapped = {**sent, "proof": {**sent["proof"], "challenge": "c-1"}}
    async with vcapi_client(partner) as client:
        assert codes(await client.verify_presentation(swapped, **REQUEST)) == {"proof_failed"}


async def test_somebody_elses_key(partner: Partner) -> None:
    holder, other = Signatory.ed25519(1), Signatory.ed25519(2)
    document = presentation(holder=holder.did)
    mine = holder.prove(document, purpose="authentication", **REQUEST)
    theirs = other.prove(document, purpose="authentication", **REQUEST)
    async with vcapi_client(partner) as client:
        assert codes(await client.verify_presentation({**document, "proof": theirs}, **REQUEST)) == {"controller"}
        assert codes(await client.verify_presentation({**document, "proof": [mine, theirs]}, **REQUEST)) == {
            "controller"
        }
        assert (await client.verify_presentation({**document, "proof": [mine]}, **REQUEST))["verified"] is True


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"proof": ...}, "malformed_presentation"),
        ({"proof": None}, "malformed_presentation"),
        ({"proof": []}, "malformed_presentation"),
        ({"@context": ...}, "malformed_presentation"),
        ({"@context": [EXAMPLES]}, "malformed_presentation"),
        ({"@context": [VC, "https://elsewhere.example/c"]}, "unreadable_terms"),
        ({"type": "VerifiableCredential"}, "malformed_presentation"),
        ({"type": ...}, "malformed_presentation"),
        ({"holder": {"name": "Ada"}}, "malformed_presentation"),
        ({"id": "one"}, "malformed_presentation"),
        ({"verifiableCredential": "eyJh.eyJi.c2ln"}, "malformed_presentation"),
        ({"verifiableCredential": ["urn:uuid:1"]}, "malformed_presentation"),
        ({"verifiableCredential": [credential(id=f"urn:x:{i}") for i in range(17)]}, "malformed_presentation"),
        ({**ENVELOPE, "id": "eyJh.eyJi.c2ln"}, "malformed_presentation"),
        ({**ENVELOPE, "@context": []}, "malformed_presentation"),
    ],
)
async def test_what_is_refused(partner: Partner, members: dict[str, Any], code: str) -> None:
    sent = {**presented(Signatory.ed25519()), **members}
    sent = {name: value for name, value in sent.items() if value is not ...}
    async with vcapi_client(partner) as client:
        answer = await client.post("/presentations/verify", {"verifiablePresentation": sent, "options": REQUEST})
        assert (answer.status_code, answer.json()["code"]) == (400, code), answer.text


async def test_bodies_that_are_refused(partner: Partner) -> None:
    async with vcapi_client(partner) as client:
        for body, code in (
            ({}, "malformed_presentation"),
            ({"verifiablePresentation": []}, "malformed_presentation"),
            ({"verifiablePresentation": presented(Signatory.ed25519()), "options": {"challenge": 4}}, "unknown_option"),
            ({"verifiablePresentation": presented(Signatory.ed25519()), "options": {"other": "x"}}, "unknown_option"),
        ):
            answer = await client.post("/presentations/verify", body)
            assert (answer.status_code, answer.json()["code"]) == (400, code)


async def test_challenges_are_good_once(partner: Partner, stranger: Partner, clock: FixedClock) -> None:
    holder = Signatory.ed25519()
    async with vcapi_client(partner) as client, vcapi_client(stranger) as other:
        challenge = (await client.post("/challenges", {})).json()["challenge"]
        sent = presented(holder, challenge=challenge)
        asked = {**REQUEST, "challenge": challenge}
        # What is not verified otherwise does not spend it, nor does another client.
        assert codes(await client.verify_presentation(presented(holder), **asked)) == {"challenge"}
        assert codes(await other.verify_presentation(sent, **asked)) == {"challenge"}
        answers = await asyncio.gather(*(client.verify_presentation(sent, **asked) for _ in range(6)))
        assert [each["verified"] for each in answers].count(True) == 1
        assert codes(await client.verify_presentation(sent, **asked)) == {"challenge"}
        late = (await client.post("/challenges", {})).json()["challenge"]
        clock.advance(seconds=int(LIFE.total_seconds()))
        told = await client.verify_presentation(presented(holder, challenge=late), **{**REQUEST, "challenge": late})
        assert codes(told) == {"challenge"}


async def test_presentations_of_our_own(partner: Partner) -> None:
    async with vcapi_client(partner) as client:
        contained = await client.issue(credential(issuer=...))
        body = {"presentation": presentation(holder=client.did, verifiableCredential=[contained]), "options": REQUEST}
        answer = await client.post("/presentations", body)
        assert answer.status_code == 201, answer.text
        made = answer.json()["verifiablePresentation"]
        assert (await client.verify_presentation(made, **REQUEST))["verified"] is True
        assert codes(await client.verify_presentation(made, challenge="c-2")) == {"challenge"}
        for wrong, code in (
            ({}, "malformed_presentation"),
            ({"presentation": made}, "malformed_presentation"),
            ({"presentation": presentation()}, "issuer_mismatch"),
            ({"presentation": presentation(holder=client.did, type=["Presentation"])}, "malformed_presentation"),
            (
                {"presentation": presentation(holder=client.did, verifiableCredential="urn:x:1")},
                "malformed_presentation",
            ),
            ({"presentation": presentation(holder=client.did, other="x")}, "unreadable_terms"),
            ({"presentation": presentation(holder=client.did), "options": {"nonce": "x"}}, "unknown_option"),
        ):
            answer = await client.post("/presentations", wrong)
            assert (answer.status_code, answer.json()["code"]) == (400, code), answer.text
