"""The table of outcomes in app/scoring/decide.py, and what a decision must be to be recorded, over HTTP."""

from datetime import timedelta
from typing import Any

from fastapi import FastAPI
from sqlalchemy import select

from app.learners.store import Learner
from tests.builders import achievement_body, decision_body, results
from tests.conftest import Partner, publish
from tests.fakes import FixedClock
from tests.issuing import (
    Document,
    change_status,
    count_rows,
    decided,
    entry_bit,
    failures,
    list_all_credentials,
    list_all_editions,
    list_all_events,
    pointers,
    published_bit,
    record,
    require_verifies,
    verify,
    world_of,
)

EMAIL = "ada.example@schools.example.org"
LATER = {"decided_at": "2026-05-02T08:30:00Z", "reason": "The panel looked again."}
DID = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"


# The table


async def test_awarded_issues_a_badge(app: FastAPI, partner: Partner) -> None:
    answer = await decided(partner)
    credential, document = answer["credential"], answer["credential"]["document"]
    assert (credential["state"], credential["edition"]) == ("issued", 1)
    assert document["id"] == credential["url"]
    assert (document["validFrom"], document["awardedDate"]) == ("2026-11-23T13:00:00Z", "2026-04-09T14:00:00Z")
    await require_verifies(world_of(app), document)
    assert not await entry_bit(partner.client, document)

    assert (await partner.client.get(credential["url"])).json() == document
    assert (await partner.client.get(f"/v1/decisions/{answer['id']}")).json() == answer
    events = await list_all_events(world_of(app), partner.issuer_id)
    assert [event.type for event in events][-2:] == ["decision.recorded", "credential.issued"]
    assert events[-2].data["action"] == "issue"


async def test_not_yet_gives_no_badge_and_needs_no_identity(app: FastAPI, partner: Partner) -> None:
    answer = await decided(partner, outcome="not_yet", recipient={"external_id": "L-1"}, results=results("developing"))
    assert answer["credential"] is None
    again = await decided(
        partner, outcome="not_yet", recipient={"external_id": "L-1"}, supersedes=answer["id"], **LATER
    )
    assert again["credential"] is None
    counts = await count_rows(world_of(app))
    assert (counts["decision"], counts["credential"], counts["status_list"], counts["learner"]) == (2, 0, 0, 1)
    actions = [event.data.get("action") for event in await list_all_events(world_of(app), partner.issuer_id)][-2:]
    assert actions == ["nothing", "nothing"]


async def test_awarded_after_awarded_reissues_under_the_same_id(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    world = world_of(app)
    first = await decided(partner)
    clock.advance(days=2)
    second = await decided(partner, supersedes=first["id"], narrative="Seen again.", **LATER)

    before, after = first["credential"]["document"], second["credential"]["document"]
    assert after["id"] == before["id"]
    assert second["credential"]["edition"] == 2
    assert (after["validFrom"], after["awardedDate"]) == ("2026-11-25T13:00:00Z", "2026-04-09T14:00:00Z")
    assert after["credentialSubject"]["narrative"] == "Seen again."
    assert after["credentialStatus"]["id"] != before["credentialStatus"]["id"]
    await require_verifies(world, after)
    assert failures(await verify(world, before)) == ["revoked"]
    assert (await partner.client.get(after["id"])).json() == after
    assert len(await list_all_credentials(world)) == 1
    assert [edition.state for edition in await list_all_editions(world)] == ["superseded", "issued"]
    assert (await partner.client.get(f"/v1/decisions/{first['id']}")).json()["superseded_by"] == second["id"]

    # Another change of the same list, then the end of the badge: the earlier edition stays marked.
    await decided(partner, recipient={"email": "else@schools.example.org"})
    await change_status(partner, second["credential"]["id"], "revoke")
    assert await entry_bit(partner.client, before)
    assert await entry_bit(partner.client, after)


async def test_a_superseded_edition_stays_suspended_for_good(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    """On a suspension list bits may return to 0, but not that of an edition that is no longer the one."""
    partner.achievement_id = await publish(
        partner.client, achievement_body(settings={"status_purpose": "suspension", "visibility": "unlisted"})
    )
    first = await decided(partner)
    clock.advance(days=1)
    second = await decided(partner, supersedes=first["id"], **LATER)
    for verb, state in (("suspend", True), ("reinstate", False)):
        assert (await change_status(partner, second["credential"]["id"], verb)).status_code == 200
        assert await entry_bit(partner.client, first["credential"]["document"])
        assert await entry_bit(partner.client, second["credential"]["document"]) is state


async def test_not_yet_after_awarded_revokes_and_awarded_after_that_issues_anew(
    app: FastAPI, partner: Partner, clock: FixedClock
) -> None:
    world = world_of(app)
    first = await decided(partner)
    second = await decided(partner, outcome="not_yet", supersedes=first["id"], reason="It was not her own work.")
    assert (second["credential"]["id"], second["credential"]["state"]) == (first["credential"]["id"], "revoked")
    badge = first["credential"]["document"]
    assert failures(await verify(world, badge)) == ["revoked"]
    stored = (await partner.client.get(f"/v1/credentials/{first['credential']['id']}")).json()
    assert (stored["state"], stored["status_reason"]) == ("revoked", "It was not her own work.")

    clock.advance(days=1)
    third = await decided(partner, supersedes=second["id"], **LATER)
    assert third["credential"]["id"] != first["credential"]["id"]
    await require_verifies(world, third["credential"]["document"])
    assert failures(await verify(world, badge)) == ["revoked"]
    actions = [event.data.get("action") for event in await list_all_events(world, partner.issuer_id)]
    assert [action for action in actions if action] == ["issue", "revoke", "issue"]


async def test_a_suspended_or_revoked_badge_is_not_reissued(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    partner.achievement_id = await publish(
        partner.client, achievement_body(settings={"status_purpose": "suspension", "visibility": "unlisted"})
    )
    first = await decided(partner)
    clock.advance(days=1)
    for verb, code in (("suspend", "credential_suspended"), ("revoke", "credential_revoked")):
        await change_status(partner, first["credential"]["id"], verb)
        before = await count_rows(world_of(app))
        refused = await record(partner, supersedes=first["id"], **LATER)
        assert (refused.status_code, refused.json()["code"]) == (409, code)
        assert await count_rows(world_of(app)) == before


async def test_a_decision_is_superseded_once_and_only_about_the_same_award(partner: Partner) -> None:
    first = await decided(partner, outcome="not_yet")
    other = await publish(partner.client, achievement_body(name="Another achievement"))
    for changes in ({"recipient": {"email": "else@schools.example.org"}}, {"achievement_id": other}):
        mismatch = await record(partner, outcome="not_yet", supersedes=first["id"], reason="A mistake.", **changes)
        assert (mismatch.status_code, mismatch.json()["code"]) == (422, "decision_mismatch")
        assert pointers(mismatch) == ["/supersedes"]
    unknown = await record(partner, supersedes="0" * 32, reason="A mistake.")
    assert unknown.status_code == 404

    await decided(partner, supersedes=first["id"], reason="A mistake.")
    again = await record(partner, outcome="not_yet", supersedes=first["id"], reason="A mistake.")
    assert (again.status_code, again.json()["code"]) == (409, "decision_superseded")


# What a decision must be


def _rubric(rule: Document) -> Document:
    return {"criteria": achievement_body()["rubric"]["criteria"], "decision_rule": rule}


RULES: list[tuple[Document, list[tuple[tuple[str, str], list[str]]]]] = [
    (
        {"type": "all"},
        [
            (("demonstrated", "demonstrated"), []),
            (("demonstrated", "developing"), ["/results/1/level"]),
            (("not-evident", "developing"), ["/results/0/level", "/results/1/level"]),
        ],
    ),
    (
        {"type": "all_but", "exceptions": 1, "mandatory": []},
        [
            (("developing", "demonstrated"), []),
            (("developing", "developing"), ["/results"]),
            (("not-evident", "demonstrated"), ["/results/0/level"]),
        ],
    ),
    (
        {"type": "all_but", "exceptions": 1, "mandatory": ["problem"]},
        [(("demonstrated", "developing"), []), (("developing", "demonstrated"), ["/results/0/level"])],
    ),
    (
        {"type": "points", "minimum": "3", "mandatory": ["evidence"]},
        [
            (("developing", "demonstrated"), []),
            (("not-evident", "demonstrated"), ["/results"]),
            (("demonstrated", "developing"), ["/results/1/level"]),
        ],
    ),
]


async def test_awarded_must_follow_from_the_rule(app: FastAPI, partner: Partner) -> None:
    for rule, cases in RULES:
        achievement_id = await publish(partner.client, achievement_body(rubric=_rubric(rule)))
        for levels, expected in cases:
            answer = await record(
                partner, query="?dry_run=true", achievement_id=achievement_id, results=results(*levels)
            )
            if not expected:
                assert answer.status_code == 200, (rule, levels, answer.text)
                continue
            assert (answer.status_code, answer.json()["code"]) == (422, "outcome_against_rule"), (rule, levels)
            assert pointers(answer) == expected, (rule, levels)
            # The same levels are a sound reason for "not yet".
            await decided(partner, achievement_id=achievement_id, outcome="not_yet", results=results(*levels))


async def test_awarded_needs_the_required_evidence(partner: Partner) -> None:
    wanted = [{"key": "task", "name": "The task", "genre": "Performance task", "minimum": 2}]
    partner.achievement_id = await publish(partner.client, achievement_body(required_evidence=wanted))
    refused = await record(partner)
    assert (refused.status_code, refused.json()["code"]) == (422, "outcome_against_rule")
    assert pointers(refused) == ["/evidence"]
    pieces = [
        {"url": f"https://evidence.example.org/{n}", "name": f"Piece {n}", "genre": genre}
        for n, genre in enumerate(("Performance task", "performance TASK"))
    ]
    await decided(partner, evidence=pieces)


async def test_results_and_assessors_must_be_known(app: FastAPI, partner: Partner) -> None:
    before = await count_rows(world_of(app))
    bad_level, unknown = results(problem="brilliant")[0], {"criterion": "charm", "level": "a", "rationale": "So."}
    refused = await record(
        partner,
        results=[bad_level, unknown, bad_level],
        assessment={"panel_id": partner.panel_id, "assessors": ["A-01", "A-99"]},
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_reference")
    assert pointers(refused) == [
        "/assessment/assessors/1",
        "/results/0/level",
        "/results/1/criterion",
        "/results/2/level",
        "/results/2/criterion",
        "/results",
    ]
    refused = await record(partner, assessment={"panel_id": "0" * 32, "assessors": ["A-01"]})
    assert refused.status_code == 404
    assert await count_rows(world_of(app)) == before


async def test_a_decision_is_not_made_in_the_future(partner: Partner, clock: FixedClock) -> None:
    tolerated, late = (clock.now() + timedelta(seconds=seconds) for seconds in (60, 61))
    refused = await record(partner, outcome="not_yet", decided_at=late.isoformat())
    assert (refused.status_code, refused.json()["code"]) == (422, "decided_in_future")
    assert pointers(refused) == ["/decided_at"]
    await decided(partner, outcome="not_yet", decided_at=tolerated.isoformat())


async def test_a_badge_needs_a_recipient_it_can_name(app: FastAPI, partner: Partner) -> None:
    before = await count_rows(world_of(app))
    refused = await record(partner, recipient={"external_id": "L-1", "name": "Ada Example"})
    assert (refused.status_code, refused.json()["code"]) == (422, "recipient_not_identifiable")
    assert pointers(refused) == ["/recipient"]
    assert await count_rows(world_of(app)) == before
    answer = await decided(partner, recipient={"external_id": "L-1", "did": DID})
    subject = answer["credential"]["document"]["credentialSubject"]
    assert subject["id"] == DID
    assert "identifier" not in subject


async def test_a_dry_run_keeps_nothing_and_tells_what_would_be_issued(app: FastAPI, partner: Partner) -> None:
    before = await count_rows(world_of(app))
    rehearsed = await record(partner, query="?dry_run=true", recipient={"external_id": "L-1", "email": EMAIL})
    assert rehearsed.status_code == 200
    none = await record(partner, query="?dry_run=true", outcome="not_yet")
    assert none.json() == {"unsecured_document": None}
    assert await count_rows(world_of(app)) == before

    unsecured = rehearsed.json()["unsecured_document"]
    issued = (await decided(partner, recipient={"external_id": "L-1", "email": EMAIL}))["credential"]["document"]
    assert "proof" in issued
    assert _comparable(unsecured) == _comparable(issued)
    # With a list open, a rehearsal still draws no index of it.
    before = await count_rows(world_of(app))
    assert (await record(partner, query="?dry_run=true")).status_code == 200
    assert await count_rows(world_of(app)) == before
    refused = await record(partner, query="?dry_run=true", results=results("developing"))
    assert refused.json()["code"] == "outcome_against_rule"


def _comparable(document: Document) -> Document:
    """A badge without what is drawn anew each time: ids, the salt and what is hashed with it, and its date."""
    subject = document["credentialSubject"]
    [identity] = subject["identifier"]
    [by_url, by_digest] = document["evidence"]
    drawn = {"salt", "identityHash"}
    fixed: dict[str, Any] = {
        "identifier": [{name: value for name, value in identity.items() if name not in drawn}],
    }
    assert identity.keys() >= drawn
    return {
        **{name: value for name, value in document.items() if name not in ("id", "validFrom", "proof")},
        "credentialSubject": {**subject, **fixed},
        "credentialStatus": document["credentialStatus"]["statusPurpose"],
        "evidence": [by_url, {**by_digest, "id": ""}],
    }


async def test_an_external_id_is_given_once(app: FastAPI, partner: Partner, stranger: Partner) -> None:
    await decided(partner, external_id="row-1")
    before = await count_rows(world_of(app))
    for outcome in ("awarded", "not_yet"):
        taken = await record(partner, external_id="row-1", outcome=outcome)
        assert (taken.status_code, taken.json()["code"]) == (409, "external_id_taken")
    assert await count_rows(world_of(app)) == before
    await decided(stranger, external_id="row-1")


# Recipients


async def test_a_recipient_is_found_again(app: FastAPI, partner: Partner) -> None:
    recipients = (
        {"external_id": "L-1", "email": EMAIL, "name": "Ada Example"},
        {"external_id": "L-1"},
        {"email": EMAIL.upper()},
        {"email": EMAIL, "did": DID},
        {"did": DID},
    )
    answers = [await decided(partner, recipient=recipient) for recipient in recipients]
    assert len({answer["learner_id"] for answer in answers}) == 1
    assert len({answer["credential"]["id"] for answer in answers}) == len(recipients)
    by_id = decision_body(partner.achievement_id, partner.panel_id, learner_id=answers[0]["learner_id"])
    del by_id["recipient"]
    assert (await partner.client.post("/v1/decisions", json=by_id)).json()["learner_id"] == answers[0]["learner_id"]


async def test_what_is_learned_of_a_recipient_is_kept(app: FastAPI, partner: Partner, clock: FixedClock) -> None:
    first = await decided(partner, recipient={"email": EMAIL})
    clock.advance(days=1)
    second = await decided(partner, recipient={"email": EMAIL, "external_id": "L-1", "did": DID})
    third = await decided(partner, recipient={"external_id": "L-1"})
    assert first["learner_id"] == second["learner_id"] == third["learner_id"]
    learner = (await partner.client.get(f"/v1/learners/{first['learner_id']}")).json()
    assert (learner["external_id"], learner["email"], learner["did"]) == ("L-1", EMAIL, DID)
    # Whoever mirrors the learners asks for what has changed since.
    assert learner["updated_at"] == "2026-11-24T13:00:00Z"


async def test_conflicting_identities_are_refused(app: FastAPI, partner: Partner) -> None:
    other = "grace@schools.example.org"
    await decided(partner, recipient={"external_id": "L-1", "email": EMAIL})
    await decided(partner, recipient={"external_id": "L-2", "email": other})
    before = await count_rows(world_of(app))
    for recipient in (
        {"external_id": "L-1", "email": other},
        {"external_id": "L-3", "email": EMAIL},
        {"external_id": "L-1", "email": "new@schools.example.org"},
    ):
        refused = await record(partner, recipient=recipient)
        assert (refused.status_code, refused.json()["code"]) == (409, "identity_taken"), recipient
    assert await count_rows(world_of(app)) == before


async def test_learners_of_two_issuers_are_two(app: FastAPI, partner: Partner, stranger: Partner) -> None:
    assert (await decided(partner))["learner_id"] != (await decided(stranger))["learner_id"]
    async with world_of(app).database.reading() as session:
        assert len((await session.scalars(select(Learner))).all()) == 2


async def test_the_recipient_is_named_only_when_the_setting_allows(partner: Partner) -> None:
    for is_named in (True, False):
        settings = {"status_purpose": "revocation", "visibility": "unlisted", "recipient_name": is_named}
        partner.achievement_id = await publish(partner.client, achievement_body(settings=settings))
        text = str((await decided(partner))["credential"]["document"])
        assert ("Ada Example" in text) is is_named
        assert EMAIL not in text


# Versions


async def test_a_version_can_be_pinned_and_a_retired_one_is_refused(app: FastAPI, partner: Partner) -> None:
    versions = f"/v1/achievements/{partner.achievement_id}/versions"
    first = await decided(partner)
    assert (await partner.client.post(versions, json=achievement_body(name="Second edition"))).status_code == 201
    draft = await record(partner, version=2)
    assert (draft.status_code, draft.json()["code"]) == (409, "version_not_published")
    assert (await record(partner, version=3)).status_code == 404
    assert (await partner.client.post(f"{versions}/2/publish")).status_code == 200

    for pinned, expected in ((1, 1), (2, 2), (None, 2)):
        answer = await decided(partner, version=pinned, recipient={"email": f"v{pinned}@schools.example.org"})
        achievement = answer["credential"]["document"]["credentialSubject"]["achievement"]
        assert (answer["version"], answer["credential"]["achievement_version"]) == (expected, expected)
        assert achievement["id"].endswith(f"/v{expected}")

    assert (await partner.client.post(f"{versions}/1/retire")).status_code == 200
    retired = await record(partner, version=1)
    assert (retired.status_code, retired.json()["code"]) == (409, "version_not_published")
    assert (await decided(partner, recipient={"email": "n@schools.example.org"}))["version"] == 2
    assert (await partner.client.post(f"{versions}/2/retire")).status_code == 200
    assert (await record(partner)).json()["code"] == "version_not_published"

    # What was issued of a retired version stays good.
    await require_verifies(world_of(app), first["credential"]["document"])
    [edition, *_] = await list_all_editions(world_of(app))
    assert not await published_bit(world_of(app), edition)


# Why a decision is corrected


async def test_a_correction_tells_its_kind_of_reason(partner: Partner, clock: FixedClock) -> None:
    first = await decided(partner)
    assert (first["origin"], first["reason_code"]) == ("partner", None)
    clock.advance(days=1)
    second = await decided(partner, supersedes=first["id"], **LATER)
    assert second["reason_code"] == "other"
    clock.advance(days=1)
    third = await decided(partner, supersedes=second["id"], reason_code="clerical_error", **LATER)
    badges = [each["credential"]["document"]["awardedDate"] for each in (first, second, third)]
    assert badges == ["2026-04-09T14:00:00Z", "2026-04-09T14:00:00Z", "2026-05-02T08:30:00Z"]
    undated = {"supersedes": third["id"], "reason": "A slip.", "reason_code": "clerical_error", "decided_at": None}
    assert (await record(partner, **undated)).status_code == 422
    assert (await record(partner, reason_code="other")).status_code == 422


async def test_what_we_got_wrong_ourselves_is_mended_upward_only(partner: Partner, clock: FixedClock) -> None:
    award = await decided(partner, results=results(problem="demonstrated"))
    clock.advance(days=1)
    ours = {"reason": "It was never read twice.", "reason_code": "missed_second_reading"}
    lower = {"outcome": "not_yet", "results": results("developing")}
    refused = await record(partner, supersedes=award["id"], **lower, **ours)
    assert (refused.status_code, refused.json()["code"]) == (409, "hold_harmless")
    assert (await record(partner, supersedes=award["id"], **ours)).status_code == 201
    other = {"recipient": {"email": "eva@schools.example.org"}}
    refusal = await decided(partner, **lower, **other)
    deeper = {"outcome": "not_yet", "results": results("not-evident")}
    assert (await record(partner, supersedes=refusal["id"], **deeper, **ours, **other)).json()[
        "code"
    ] == "hold_harmless"
    assert (await record(partner, supersedes=refusal["id"], **ours, **other)).status_code == 201
