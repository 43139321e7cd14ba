"""Endorsements, the badges of a learner record, and badges that their issuers have renewed."""

import asyncio

import pytest

from app.net.client import OutboundClient
from app.openbadges.clr import MAX_BADGES
from app.verification.answer import PartVerification, Verification
from app.verification.judge import BATCH, JudgePool
from app.verification.parts import MAX_ENDORSEMENTS
from app.verification.refresh import is_same_badge
from app.verification.verify import Verifier
from tests.net.tls_site import CertificateAuthority, FakeResolver, client_for, serve
from tests.verification.badges import (
    NOW,
    Document,
    Issuer,
    badge,
    did_key_issuer,
    issuer_at,
    put,
    sign,
    status_entry,
    status_list,
)
from tests.verification.jose import did_jwk, issue, new_key
from tests.verification.test_data_models import endorsement, record
from tests.verification.test_verify import NAME, OwnDocuments, alone, failed, verifier

ISSUER, ENDORSER = did_key_issuer(), did_key_issuer("an endorser")
BADGE_ID = "https://badges.example/credentials/1"
ACHIEVEMENT_ID = "https://badges.example/achievements/1"
REFRESH_URL = "https://own.example/refresh/1"
EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"


def verify(sent: Document | str, own: OwnDocuments | None = None) -> Verification:
    return asyncio.run(alone(own).verify(sent))


def named(found: Verification, name: str) -> list[tuple[str, str]]:
    return [(each.code, each.pointer) for each in found.checks if each.name == name]


def part_failures(part: PartVerification) -> list[str]:
    return [each.code for each in part.checks if each.outcome == "failed"]


def endorsed(*endorsements: Document) -> Document:
    return sign(badge(ISSUER, endorsement=list(endorsements)), ISSUER)


# endorsements


def test_an_endorsement_within_a_badge_is_verified_by_itself() -> None:
    found = verify(endorsed(sign(endorsement(ENDORSER), ENDORSER)))
    assert (failed(found), found.valid) == ([], True)
    assert named(found, "endorsements") == [("endorsement_verified", "/endorsement/0")]
    [part] = found.parts
    assert (part.kind, part.pointer, part.valid) == ("endorsement", "/endorsement/0", True)
    assert part.credential_id == "https://badges.example/endorsements/1"
    assert part.issuer is not None
    assert part.issuer.id == ENDORSER.id
    assert {each.name for each in part.checks} == {"shape", "proof", "issuer_binding", "validity", "status"}


OTHER_BADGE = put(
    put(badge(ENDORSER, id="https://endorser.example/badges/1"), "/credentialSubject/achievement/id", "urn:another"),
    "/credentialSubject/id",
    "did:example:another",
)


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (sign(endorsement(ENDORSER, validUntil="2026-11-02T00:00:00Z"), ENDORSER), "expired"),
        (sign(endorsement(ENDORSER, validFrom="2026-12-02T00:00:00Z"), ENDORSER), "not_yet_valid"),
        (sign(endorsement(ENDORSER), ENDORSER) | {"name": "Another"}, "signature_invalid"),
        (sign(endorsement(ENDORSER), ISSUER), "controller_mismatch"),
        (endorsement(ENDORSER), "no_proof"),
        (sign(OTHER_BADGE, ENDORSER), "not_an_endorsement"),
        (
            sign(endorsement(ENDORSER, credentialStatus=status_entry()), ENDORSER),
            "status_list_refused",
        ),
        (
            sign(
                endorsement(ENDORSER, credentialSubject={"id": "urn:another", "type": ["EndorsementSubject"]}), ENDORSER
            ),
            "endorsement_of_another",
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_an_endorsement_that_does_not_count_takes_nothing_from_the_badge(made: Document, code: str) -> None:
    found = verify(endorsed(made))
    assert (failed(found), found.valid) == ([], True)
    assert named(found, "endorsements") == [("endorsement_not_verified", "/endorsement/0")]
    [part] = found.parts
    assert not part.valid
    assert part_failures(part) == [code]


def test_an_endorsement_is_of_what_carries_it() -> None:
    def about(id: str) -> Document:
        subject = {"id": id, "type": ["EndorsementSubject"]}
        return sign(endorsement(ENDORSER, id=f"{id}/endorsement", credentialSubject=subject), ENDORSER)

    document = badge(ISSUER)
    document["endorsement"] = [about(BADGE_ID)]
    document["issuer"]["endorsement"] = [about(ISSUER.id)]
    document["credentialSubject"]["achievement"]["endorsement"] = [about(ACHIEVEMENT_ID)]
    found = verify(sign(document, ISSUER))
    assert found.valid
    assert sorted(each.pointer for each in found.parts if each.valid) == [
        "/credentialSubject/achievement/endorsement/0",
        "/endorsement/0",
        "/issuer/endorsement/0",
    ]
    document["issuer"]["endorsement"] = [about(ACHIEVEMENT_ID)]
    found = verify(sign(document, ISSUER))
    assert found.valid
    assert [each.pointer for each in found.parts if not each.valid] == ["/issuer/endorsement/0"]


def test_an_endorsement_may_be_a_token() -> None:
    key = new_key("P-256")
    endorser = Issuer(did_jwk(key), ENDORSER.key)
    header = {"alg": "ES256", "typ": "vc+jwt", "kid": f"{endorser.id}#0"}
    good, wrong = issue(header, endorsement(endorser), key), issue(header, endorsement(ISSUER), key)
    profile = {"id": ISSUER.id, "type": ["Profile"], "name": "An Issuer", "endorsementJwt": ["a.b.c"]}
    signed = sign(badge(ISSUER, issuer=profile, endorsementJwt=[good, wrong]), ISSUER)
    found = verify(signed)
    assert (failed(found), found.valid) == ([], True)
    assert [(each.pointer, part_failures(each)) for each in found.parts] == [
        ("/endorsementJwt/0", []),
        ("/endorsementJwt/1", ["controller_mismatch"]),
        ("/issuer/endorsementJwt/0", ["not_an_endorsement", "token_malformed"]),
    ]


def test_more_endorsements_than_are_verified_are_told() -> None:
    signed = sign(badge(ISSUER, endorsementJwt=[f"a.b.{number}" for number in range(MAX_ENDORSEMENTS + 1)]), ISSUER)
    found = verify(signed)
    assert found.valid
    assert len(found.parts) == MAX_ENDORSEMENTS
    assert ("too_many_endorsements", "") in named(found, "endorsements")


def test_endorsements_of_a_badge_that_is_nobodys_word_are_not_looked_at() -> None:
    own = OwnDocuments(base="-")
    stranger = issuer_at("did:web:endorser.example")
    found = verify(badge(ISSUER, endorsement=[sign(endorsement(stranger), stranger)]), own)
    assert not found.valid
    assert (named(found, "endorsements"), found.parts) == ([("not_checked", "")], [])
    assert not any("endorser" in url for url in own.asked)


# learner records


def inner(number: int = 1, issuer: Issuer = ENDORSER, **members: object) -> Document:
    return badge(issuer, id=f"https://badges.example/credentials/{number}", **members)


def recorded(*badges: Document) -> Verification:
    return verify(sign(record(ISSUER, list(badges)), ISSUER))


def test_every_badge_of_a_record_is_verified() -> None:
    found = recorded(sign(inner(1), ENDORSER), sign(inner(2, ISSUER), ISSUER))
    assert (failed(found), found.valid) == ([], True)
    assert [code for code, _ in named(found, "badges")] == ["badge_verified", "badge_verified"]
    assert [(each.kind, each.pointer, each.valid) for each in found.parts] == [
        ("badge", "/credentialSubject/verifiableCredential/0", True),
        ("badge", "/credentialSubject/verifiableCredential/1", True),
    ]
    assert found.parts[0].achievement is not None
    assert found.parts[0].achievement.name == "Checking for Understanding"


@pytest.mark.parametrize(
    ("inside", "code", "valid"),
    [
        (sign(inner(), ENDORSER), "badge_verified", True),
        (sign(inner(validUntil="2026-11-02T00:00:00Z"), ENDORSER), "badge_not_current", True),
        (inner(issuer=ISSUER), "badge_unsigned", True),
        (inner(), "badge_not_verified", False),
        (sign(inner(), ENDORSER) | {"name": "Another"}, "badge_not_verified", False),
        (sign(inner(), ISSUER), "badge_not_verified", False),
        (sign(endorsement(ENDORSER), ENDORSER), "badge_not_verified", False),
        (sign(inner(credentialStatus=status_entry()), ENDORSER), "badge_not_verified", False),
    ],
)
def test_a_record_is_as_good_as_what_is_in_it(inside: Document, code: str, valid: bool) -> None:
    found = recorded(inside)
    assert [each for each, _ in named(found, "badges")] == [code]
    assert found.valid is valid
    assert found.parts[0].valid is (code == "badge_verified")


def test_a_badge_of_a_record_may_be_a_token_and_endorsed() -> None:
    key = new_key("P-256")
    issuer = Issuer(did_jwk(key), ENDORSER.key)
    header = {"alg": "ES256", "typ": "vc+jwt", "kid": f"{issuer.id}#0"}
    token = issue(header, inner(issuer=issuer, endorsement=[sign(endorsement(ENDORSER), ENDORSER)]), key)
    envelope = {
        "@context": "https://www.w3.org/ns/credentials/v2",
        "type": "EnvelopedVerifiableCredential",
        "id": f"data:application/vc+jwt,{token}",
    }
    found = recorded(envelope)
    assert (failed(found), found.valid) == ([], True)
    at = "/credentialSubject/verifiableCredential/0"
    assert [(each.pointer, each.valid) for each in found.parts] == [(at, True), (f"{at}/endorsement/0", True)]


def test_more_badges_than_are_verified_fail_the_record() -> None:
    key = new_key("P-256")
    issuer = Issuer(did_jwk(key), ENDORSER.key)
    header = {"alg": "ES256", "typ": "vc+jwt", "kid": f"{issuer.id}#0"}
    badges = [sign(inner(number), ENDORSER) for number in range(MAX_BADGES + 1)]
    claims = record(issuer, badges[:MAX_BADGES])
    assert verify(issue(header, claims, key)).valid
    found = verify(issue(header, record(issuer, badges), key))
    assert failed(found) == [("badges", "too_many_badges")]
    assert len(found.parts) == MAX_BADGES


# refresh


def renewable(**members: object) -> Document:
    context = [
        "https://www.w3.org/ns/credentials/v2",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        EXTENSIONS,
    ]
    service = {"id": REFRESH_URL, "type": "1EdTechCredentialRefresh"}
    return badge(ISSUER, **{"@context": context, "refreshService": service} | members)


OLD = sign(renewable(), ISSUER)
NEWER = sign(renewable(validFrom="2026-11-20T00:00:00Z", name="A newer version"), ISSUER)


def refreshed(served: Document | Exception | None, sent: Document = OLD) -> tuple[Verification, OwnDocuments]:
    own = OwnDocuments({} if served is None else {REFRESH_URL: served})
    return verify(sent, own), own


def test_the_newer_version_of_a_badge_is_the_one_that_counts() -> None:
    found, own = refreshed(NEWER)
    assert found.valid
    assert named(found, "refresh") == [("refreshed", "")]
    assert found.valid_from == "2026-11-20T00:00:00Z"
    expired, _ = refreshed(sign(renewable(validFrom="2026-11-20T00:00:00Z", validUntil="2026-11-21T00:00:00Z"), ISSUER))
    assert failed(expired) == [("validity", "expired")]
    # once: the newer version names the same service
    assert own.asked.count(REFRESH_URL) == 1


def test_a_badge_that_was_renewed_is_current() -> None:
    found, _ = refreshed(OLD)
    assert (found.valid, named(found, "refresh")) == (True, [("refresh_current", "")])
    older, _ = refreshed(sign(renewable(validFrom="2026-10-20T00:00:00Z"), ISSUER))
    assert named(older, "refresh") == [("refresh_current", "")]


@pytest.mark.parametrize(
    "served",
    [
        None,
        {},
        NEWER | {"name": "Changed after signing"},
        sign(renewable(validFrom="2026-11-20T00:00:00Z"), ENDORSER),
        sign(renewable(validFrom="2026-11-20T00:00:00Z", id="urn:another"), ISSUER),
        sign(badge(ENDORSER, validFrom="2026-11-20T00:00:00Z"), ENDORSER),
        renewable(validFrom="2026-11-20T00:00:00Z"),
    ],
    ids=["nothing", "no badge", "changed", "another's", "another badge", "another issuer", "unsigned"],
)
def test_a_refresh_that_fails_leaves_the_badge_as_it_is(served: Document | None) -> None:
    found, _ = refreshed(served)
    assert (failed(found), found.valid) == ([], True)
    assert named(found, "refresh") == [("refresh_failed", "")]
    assert found.valid_from == "2026-11-01T00:00:00Z"


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("did:web:a.example%3A8000:issuers", "did:web:a.example%3A8000:issuers", True),
        ("did:web:a.example%3A8000:issuers", "did:web:a.example:8000:issuers", False),
        ("did:web:a.example:%61", "did:web:a.example:a", False),
        ("https://a.example/issuers/%61", " https://a.example/issuers/a ", True),
        ("https://a.example/issuers/a", "https://a.example/issuers/b", False),
    ],
)
def test_which_badges_are_versions_of_one(one: str, other: str, is_same: bool) -> None:
    """A DID is its letters: encoded and decoded, did:web names another host or path, which may be somebody else's."""
    by_issuer = [{"issuer": {"id": issuer}, "id": "urn:it"} for issuer in (one, other)]
    assert is_same_badge(*by_issuer) == is_same
    by_id = [{"issuer": "https://a.example", "id": id_} for id_ in (one, other)]
    assert is_same_badge(*by_id) == is_same


def test_a_badge_that_is_nobodys_word_sends_us_nowhere() -> None:
    found, own = refreshed(NEWER, OLD | {"name": "Another"})
    assert failed(found) == [("proof", "signature_invalid")]
    assert REFRESH_URL not in own.asked


# what is fetched


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("ca"))


def test_every_request_for_an_unknown_badge_is_told_and_there_is_no_other(authority: CertificateAuthority) -> None:
    """Counted at the port: all names lead to one server, which keeps what it was asked for."""

    async def story() -> None:
        async with serve(authority, NAME) as site, client_for(authority, NAME) as client:
            base = f"https://{NAME}:{site.port}"
            issuer = issuer_at(f"did:web:{NAME}%3A{site.port}:issuers:a")
            endorser = issuer_at(f"did:web:{NAME}%3A{site.port}:issuers:b")
            list_url, refresh_url = f"{base}/status-lists/1", f"{base}/refresh/1"
            site.put_json("/issuers/a/did.json", issuer.document)
            site.put_json("/issuers/b/did.json", endorser.document)
            site.put_json("/status-lists/1", sign(status_list(issuer, id=list_url), issuer))
            unsigned = renewable(
                issuer={"id": issuer.id, "type": ["Profile"], "name": "An Issuer", "url": f"{base}/home"},
                refreshService={"id": refresh_url, "type": "1EdTechCredentialRefresh"},
                credentialStatus=status_entry(id=f"{list_url}#7", statusListCredential=list_url),
                evidence=[{"id": f"{base}/evidence/1", "type": ["Evidence"]}],
                endorsement=[sign(endorsement(endorser), endorser)],
            )
            unsigned = put(unsigned, "/credentialSubject/achievement/image/id", f"{base}/images/1.png")
            site.put("/refresh/1", b"", status="404 Not Found")
            found = await verifier(client).verify(sign(unsigned, issuer))
            assert (failed(found), found.valid) == ([], True)
            told = [(each.url.removeprefix(base), each.purpose, each.outcome) for each in found.fetched]
            assert sorted(told) == [
                ("/issuers/a/did.json", "verification_method", "fetched"),
                ("/issuers/b/did.json", "verification_method", "fetched"),
                ("/refresh/1", "refresh", "failed"),
                ("/status-lists/1", "status_list", "fetched"),
            ]
            assert sorted(head.split(" ")[1] for head in site.requests) == sorted(url for url, _, _ in told)

            site.requests.clear()
            site.put("/badge", b"no badge")
            unreadable = await verifier(client).verify_url(f"{base}/badge")
            assert [(each.url, each.purpose, each.outcome) for each in unreadable.fetched] == [
                (f"{base}/badge", "credential", "unreadable")
            ]
            assert len(site.requests) == 1

    asyncio.run(story())


def test_a_badge_that_needs_nothing_fetches_nothing() -> None:
    assert verify(endorsed(sign(endorsement(ENDORSER), ENDORSER))).fetched == []


@pytest.mark.parametrize("content_type", ["text/plain", "application/vc+jwt", "application/jwt"])
def test_a_token_at_a_url_is_read_whatever_it_is_called(authority: CertificateAuthority, content_type: str) -> None:
    async def story() -> None:
        async with serve(authority, NAME) as site, client_for(authority, NAME) as client:
            key = new_key("P-256")
            issuer = Issuer(did_jwk(key), ISSUER.key)
            token = issue({"alg": "ES256", "typ": "vc+jwt", "kid": f"{issuer.id}#0"}, badge(issuer), key)
            site.put("/badge", f"{token}\n".encode(), headers=[f"Content-Type: {content_type}"])
            assert (await verifier(client).verify_url(f"https://{NAME}:{site.port}/badge")).valid

    asyncio.run(story())


# with the real judges


def entangled() -> Document:
    """An endorsement that takes more work to canonicalize than anybody has."""
    everything = [{"id": f"_:n{number}", "type": ["Evidence"]} for number in range(12)]
    nodes = [node | {"evidence": everything} for node in everything]
    return endorsement(ENDORSER, evidence=nodes)


def test_a_part_that_costs_too_much_costs_the_badge_nothing() -> None:
    async def story() -> None:
        judges = JudgePool(size=1)
        await judges.start()
        try:
            real = Verifier(
                outbound=OutboundClient(resolver=FakeResolver({})),
                judges=judges,
                own_documents=OwnDocuments(),
                now=lambda: NOW,
            )
            key = new_key("P-256")
            issuer = Issuer(did_jwk(key), ISSUER.key)
            header = {"alg": "ES256", "typ": "vc+jwt", "kid": f"{issuer.id}#0"}
            proof = sign(endorsement(ENDORSER), ENDORSER)["proof"]
            hostile = issue(header, entangled() | {"proof": proof}, key)
            found = await real.verify(issue(header, badge(issuer, endorsementJwt=[hostile]), key))
            assert found.valid
            assert [each.valid for each in found.parts] == [False]
            many = [sign(inner(number), ENDORSER) for number in range(BATCH + 2)]
            assert (await real.verify(issue(header, record(issuer, many), key))).valid
        finally:
            await judges.close()

    asyncio.run(story())
