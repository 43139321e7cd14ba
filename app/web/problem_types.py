"""Every problem the service can answer with: its HTTP status, what it means, and what to do about it.

The codes are part of the API and stable. `/problems/{code}` shows them to people, docs/problems.md lists them; a house test
finds an error class without one. Examples are recorded (`make openapi`): what the service really answered.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class ProblemType:
    code: str
    status: int
    title: str
    cause: str
    cure: str


@dataclass(frozen=True, slots=True)
class ProblemExample:
    """A problem document (RFC 9457), and the request that was answered with it ("POST /v1/decisions")."""

    request: str
    answer: Mapping[str, Any]


_TYPES = (
    # -- the request as such
    ("malformed_json", 400, "The body is not acceptable JSON",
     "The body is not valid UTF-8 JSON, or is ambiguous: a member given twice, NaN or Infinity, a number beyond 2^53, or "
     "nesting deeper than 64.",
     "Mend the place that `errors` names. Send large numbers as strings."),
    ("invalid_cursor", 400, "The cursor cannot be read",
     "`cursor` is not a value that this list returned as `next_cursor`.",
     "Begin without a cursor, then pass each page's `next_cursor` unchanged."),
    ("body_too_large", 413, "The body is too large",
     "JSON may have 1 MiB, a competency framework 8 MiB, an image 2 MiB, a baked badge that is to be verified 4 MiB.",
     "Split the request or shrink the image."),
    ("unsupported_media_type", 415, "The media type is not read here",
     "The Content-Type of the body is missing or not one this service reads.",
     "Send application/json, or image/png or image/svg+xml where an image is wanted."),
    ("invalid_body", 422, "The request does not fit the API",
     "A member, parameter or header is missing, unknown, or not of its type. `errors` names each place.",
     "Compare with the schema of the operation in /docs."),
    ("method_not_allowed", 405, "The method is not allowed here", "The path exists, but not with this method.",
     "Look the operation up in /docs."),
    ("not_acceptable", 406, "No representation fits the Accept header", "None of the offered media types is accepted.",
     "Accept application/json or */*."),
    ("invalid_idempotency_key", 400, "The Idempotency-Key is not usable",
     "An Idempotency-Key is 1 to 200 printable ASCII characters.", "Send a fresh UUID for each new operation."),
    ("idempotency_key_reused", 422, "The Idempotency-Key belongs to another request",
     "The same key came earlier with another path, query or body.",
     "Use a new key for a new request; repeat the old one byte for byte to get its answer again."),
    ("request_in_progress", 409, "The same request is still at work",
     "A request with this Idempotency-Key has begun and has not finished.", "Send it again, unchanged, in a few seconds."),
    # -- who may
    ("unauthenticated", 401, "A valid token is needed",
     "The Authorization header is missing, or its token is unknown, expired or revoked.",
     "Send `Authorization: Bearer assay_…` with a token that is still valid."),
    ("forbidden", 403, "The token does not permit this", "The token lacks the scope that the operation needs.",
     "Ask the operator for an API client with the scope named in `detail`."),
    # -- objects
    ("not_found", 404, "There is no such object",
     "No object has this id, or it belongs to another issuer, or it is not public.", "Check the id and the token."),
    ("gone", 410, "The object is no longer served", "It existed and has been removed.", "Remove the link."),
    ("external_id_taken", 409, "Your own id is already in use",
     "Another object of this kind has the same `external_id`.", "Find it with `?external_id=`, or choose another."),
    ("slug_taken", 409, "The slug is already in use", "Another issuer has this slug.", "Choose another."),
    ("key_not_rotatable", 409, "The key of this issuer cannot be replaced",
     "The issuer's id is a did:key, which is its public key: with another key it would be another issuer. Issuers get a did:key "
     "where the public URL is http.",
     "Create a new issuer, or run the service at an https address: issuers made there are did:web, and their keys rotate."),
    ("did_not_allowed", 422, "The DID cannot be that of an issuer here",
     "An issuer's own DID is a did:web of its own domain, written in its normal form, at a service whose address is https.",
     "Write it as `errors` says, or leave it out: the issuer then has a DID of this service."),
    ("did_taken", 409, "The DID is already in use", "Another issuer of this service has this DID.",
     "Use that issuer, or a DID of another host or path."),
    ("did_document_not_published", 409, "The issuer's domain does not publish the key",
     "What was found at the address of the issuer's DID does not have the key that is to sign. The key waits; nothing else "
     "has changed.",
     "Publish the issuer's did.json of this service at the DID's address, or let that host lead to this service, and repeat "
     "the request."),
    ("did_document_incomplete", 409, "The issuer's domain lacks keys that have signed",
     "What was found at the address of the issuer's DID no longer has every key that badges are signed with: those badges would "
     "not verify. Nothing has changed.",
     "Put back the keys that `errors` names, and repeat the request."),
    ("issuer_not_ready", 409, "The issuer cannot sign yet",
     "The issuer has a DID of its own domain, and the key it begins with was not found published there yet. Nothing was "
     "recorded.",
     "Publish the DID document at the DID's address, then call `POST /v1/issuers/{issuer_id}/keys`."),
    ("issuer_left", 409, "The issuer has left this service",
     "It issues no more here. What it has published stays, and its badges can still be revoked, suspended and reinstated.",
     "Issue where the issuer has gone to. Its badges' status is changed with an API client that the operator makes."),
    ("identity_taken", 409, "The identity is somebody else's, or another than is known",
     "The e-mail address or DID is that of another learner of this issuer; or an award names its recipient by an identity that "
     "contradicts what is known of them.",
     "Use the learner that `detail` names. Two learners who are one person are merged; another address of a learner is added at "
     "`/identities`, a new one set with PATCH."),
    ("identity_is_primary", 409, "Badges carry this identity",
     "The primary e-mail address or DID of a learner stands in their badges and is not removed as if it did not matter.",
     "Make another one the primary first, or set it to null with PATCH: badges are then reissued."),
    ("learner_merged", 410, "The learner was merged into another",
     "Two learners turned out to be one person. Everything of this one is with the learner that `detail` names.",
     "Use that learner's id. Decisions that still name this one are recorded for that learner."),
    ("conflict", 409, "The state of the object does not allow this", "See `detail`.", "See `detail`."),
    ("invalid_input", 422, "The request cannot be accepted as it stands", "See `errors`.", "See `errors`."),
    # -- achievements
    ("version_not_draft", 409, "The version can no longer change",
     "A published version is immutable, because badges carry it.", "Make a new version."),
    ("version_not_published", 409, "The version is not published",
     "Decisions are recorded against a published version of an achievement.", "Publish a version first."),
    ("draft_exists", 409, "There is already a draft", "An achievement has at most one draft version.",
     "Edit that draft or publish it."),
    ("invalid_achievement", 422, "The achievement is not sound",
     "A reference inside it leads nowhere, or it could not become a valid Open Badges 3.0 Achievement.",
     "Mend the places that `errors` names."),
    ("achievement_fragment_taken", 422, "Two parts of the achievement would have the same address",
     "Criteria, levels and the outcome have addresses inside the achievement, made from their keys, and two of them coincide.",
     "Rename one of the keys that `errors` names."),
    ("invalid_badge_class", 422, "The BadgeClass cannot become an achievement",
     "What was sent is not a BadgeClass of Open Badges 2.0, or a member of it is missing, not of its type, or too long.",
     "Mend the places that `errors` names in the BadgeClass, and send it again."),
    # -- frameworks
    ("invalid_framework", 422, "The framework cannot be taken",
     "What was sent is not a CFPackage of CASE 1.0 or 1.1, or something in it is missing, not of its kind, there twice, or leads "
     "nowhere.", "Mend the places that `errors` names, with the tool that the framework is kept in, and send it again."),
    ("framework_not_newer", 409, "The framework is not newer than what is there",
     "The framework was imported before with other content, and no `lastChangeDateTime` in what was sent is later.",
     "Export the framework from where it is kept; or, if this is its newest state, raise the CFDocument's lastChangeDateTime."),
    ("invalid_image", 422, "The image cannot be used", "See `detail`.",
     "Send a PNG of 90 to 4,096 pixels a side, or a plain SVG."),
    ("not_baked", 422, "No badge can be read from or written into the picture", "See `detail`.",
     "Use the picture as it was given out: editing or converting it loses the badge inside."),
    # -- decisions and credentials
    ("unknown_reference", 422, "The request refers to something that is not there",
     "A criterion, level or assessor is not one of the achievement or panel named.",
     "Use the keys that the published version and the panel have."),
    ("source_mismatch", 422, "The decision does not fit who judged",
     "A panel of yours has assessors who give results with rationales. An external source of earlier awards has no members "
     "and no assessors; its awards have a `decided_at` in the past, and results only where they are known.",
     "Mend the places that `errors` names, or name another panel."),
    ("outcome_against_rule", 422, "The outcome contradicts the decision rule",
     "`awarded` was recorded although the levels do not satisfy the achievement's decision rule, or evidence that the "
     "achievement requires is missing.", "Correct the levels or the evidence, or record `not_yet`."),
    ("decision_superseded", 409, "The decision has already been superseded",
     "Decisions are append-only: each can be superseded once.", "Supersede the newest decision of the chain."),
    ("decision_mismatch", 422, "A correction must concern the same award",
     "A superseding decision names the same learner and achievement as the one it corrects.",
     "Record a new decision for another learner or achievement."),
    ("decided_in_future", 422, "The decision lies in the future", "`decided_at` is later than now.",
     "Record the decision once it is made."),
    ("validity_over", 422, "The badge would have run out already",
     "Counted from `decided_at`, the achievement's `validity_days` are over: the badge would end before it begins.",
     "Give the moment of the decision. To record an old one all the same, choose a longer `validity_days` in the settings."),
    ("recipient_not_identifiable", 422, "The learner has no identity a badge can carry",
     "A badge needs an e-mail address or a DID of its recipient.", "Add one of them: `PATCH /v1/learners/{id}`."),
    ("lint_failed", 422, "The badge would not be sound",
     "The composed credential failed the checks that everything must pass before it is signed. Nothing was signed.",
     "Mend the places that `errors` names."),
    ("unsafe_document", 422, "Part of the document would not be signed",
     "A member, type or identifier is not defined by the contexts or is not a well-formed absolute IRI.",
     "Mend the places that `errors` names."),
    ("unknown_context", 422, "A JSON-LD context is not known here",
     "Contexts are never fetched; only the vendored ones are known.", "Use the published contexts of Open Badges 3.0."),
    ("work_budget_exceeded", 422, "The document takes too much work",
     "It is too deep, too large or too entangled to canonicalize.", "Simplify it."),
    ("invalid_verification_method", 422, "The key cannot be used",
     "The verification method is not a usable key of its controller.", "See `detail`."),
    ("credential_revoked", 409, "The credential is revoked", "Revocation is final.",
     "Record a new decision if a badge is due after all."),
    ("credential_suspended", 409, "The credential is suspended", "It must be reinstated before it can change.",
     "Reinstate it first."),
    ("credential_failed", 409, "The badge was never issued", "It could not be signed soundly and was given up.",
     "Supersede the decision to issue the badge anew."),
    ("credential_not_suspended", 409, "The credential is not suspended", "Only a suspended credential can be reinstated.",
     "Nothing is to be done."),
    ("suspension_unavailable", 409, "The badge cannot be suspended",
     "It was issued with a status entry for revocation, and Open Badges 3.0 allows one entry only.",
     "Set `status_purpose` of the achievement to `suspension` for future badges, or revoke this one."),
    ("credential_pending", 409, "The credential is not issued yet", "Its signature is still being made.",
     "Try again in a few seconds."),
    ("issuing_interrupted", 503, "The decision is recorded, its badge not stored yet",
     "The decision and the intent to issue are stored; signing or storing the badge was interrupted.",
     "Repeat the request with the same Idempotency-Key, or read the decision in two minutes. Do not send it as a new one."),
    ("issuing_failed", 409, "The badge was given up",
     "The decision is recorded, but its badge could not be signed soundly. Nothing was released.",
     "Supersede the decision to issue the badge anew."),
    # -- verification and the outside
    ("malformed_status_list", 422, "The status list cannot be read",
     "Its encoded list is not a base64url multibase of one gzip stream, or it is shorter or longer than allowed.",
     "Tell whoever publishes the list."),
    ("status_index_out_of_range", 422, "The status list has no such entry",
     "`statusListIndex` is not a place in the list that the badge names.", "Tell the issuer of the badge."),
    ("too_many_fetches", 422, "The badge needs too many documents",
     "Verifying one badge fetches a handful of documents at most.", "Ask its issuer for a simpler badge."),
    ("fetch_refused", 422, "The address may not be fetched",
     "Only https URLs on port 443 of public addresses are fetched, without redirects.",
     "Publish the document at such a URL, or send it in the request."),
    ("fetch_failed", 502, "The document could not be fetched", "The other server did not answer with the document.",
     "Try again later, or send the document in the request."),
    # -- the service itself
    ("unavailable", 503, "The service is busy", "It cannot take this on just now.", "Try again in a few seconds."),
    ("lint_token_misused", 500, "Something was to be signed that was not linted",
     "A promise of this service did not hold. Nothing was released.", "Tell the operator the request id."),
    ("self_verification_failed", 500, "The signed badge did not verify",
     "A promise of this service did not hold. Nothing was released.", "Tell the operator the request id."),
    ("internal_error", 500, "Something went wrong on our side",
     "A fault of this service. Nothing was half done.", "Tell the operator the request id."),
)  # fmt: skip

PROBLEM_TYPES = {row[0]: ProblemType(*row) for row in _TYPES}

_RECORDED: Mapping[str, Any] = json.loads((files("app.web") / "problem_examples.json").read_text())


def example_of(problem: ProblemType, base_url: str) -> ProblemExample:
    """The recorded example; where none is recorded (an incident of ours, say) the document as it would be, without a request.

    `base_url` is that of the service whose problem it is.
    """
    recorded = _RECORDED.get(problem.code, {"request": "", "answer": {}})
    plain = {
        "type": "",
        "code": problem.code,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.cause,
        "cure": problem.cure,
        "request_id": "5f1c0a6e9b7d4c52",
        "errors": [],
    }
    answer = {**plain, **recorded["answer"], "type": f"{base_url}/problems/{problem.code}"}
    return ProblemExample(recorded["request"], answer)
