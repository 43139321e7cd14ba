"""Problems: issuers, learners, and objects of every kind."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = (
    # -- objects
    ("not_found", 404, "There is no such object",
     "No object has this id, or it belongs to another issuer, or it is not public.", "Check the id and the token."),
    ("gone", 410, "The object is no longer served", "It existed and has been removed.", "Remove the link."),
    ("external_id_taken", 409, "Your own id is already in use",
     "Another object of this kind has the same `external_id`.", "Find it with `?external_id=`, or choose another."),
    ("slug_taken", 409, "The slug is already in use", "Another issuer has this slug.", "Choose another."),
    ("key_not_rotatable", 409, "The key of this issuer cannot be replaced",
     "The issuer's id is a did:key, which is its public key: with another key it would be another issuer, and its DID names no "
     "key beside it, of any algorithm. Issuers get a did:key where the public URL is http.",
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
)  # fmt: skip
