"""Problems: endorsements."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = (
    ("endorsement_not_embeddable", 422, "Badges cannot carry the endorsement",
     "A badge fails with any endorsement inside it that expires, is revoked, or cannot be checked any more. So badges carry only "
     "endorsements without end and status, of the issuer's Profile or of one version of an achievement.",
     "Leave `embed` out: the endorsement is served and shown beside what it endorses."),
    ("endorsement_not_revocable", 409, "The endorsement cannot be revoked",
     "It was given without a status entry (`revocable: false`), or it is somebody else's: nothing of ours could say so.",
     "Withdraw it: then it is shown no more and put inside no more badges."),
    ("endorsement_over", 422, "The endorsement would be over before it begins",
     "An endorsement is valid from the moment it is signed, and its end lies before that.",
     "Give a `valid_until` that lies in the future, or none."),
    ("not_an_endorsement", 422, "Not an endorsement",
     "What was sent is not an EndorsementCredential of Open Badges 3.0 with one subject that has an `id`, or is too large.",
     "Send the EndorsementCredential as it was issued."),
    ("endorsement_not_verified", 422, "The endorsement does not verify",
     "Its proof, the tie between proof and issuer, its dates or its status failed, or its issuer has replaced it. `errors` names "
     "the checks.",
     "Ask whoever issued it for a sound one; `POST /v1/verify` tells more."),
    ("endorsement_not_ours", 422, "The endorsement is of something else",
     "Taken in is what speaks of the issuer's own: its Profile (by the DID), its achievements and its badges.",
     "Leave it with whom it endorses."),
    ("endorsement_known", 409, "The endorsement was taken in before",
     "The same endorsement, to the byte, is there already.",
     "Use the one that is named in `detail`."),
    ("endorsement_not_open", 409, "The endorsement cannot be accepted",
     "It was withdrawn or revoked, which stays so.",
     "Take in or issue another."),
)  # fmt: skip
