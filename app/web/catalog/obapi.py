"""Problems: Open Badges API."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = (
    ("not_a_badge", 422, "This is not a badge",
     "What was sent is neither a signed Open Badges 3.0 credential as JSON nor one as a compact JWS.",
     "Send the badge as it was issued."),
    ("not_a_profile", 422, "This is not a profile", "What was sent is not an Open Badges 3.0 Profile.",
     "Send an object with `id` and `type`."),
    ("older_badge", 422, "A newer version is kept",
     "A badge with the same issuer and id and a later `validFrom` is here already.", "Nothing: the newer one stays."),
    ("badge_ahead", 422, "The badge is of the future", "Its `validFrom` is more than a day ahead.",
     "Put it here when it becomes valid."),
    ("unverified_badge", 422, "The badge does not verify",
     "A version of it is kept that verified, or that other software put here. It gives way only to one that verifies.",
     "Send the badge as its issuer signed it, or try again when what its proof depends on can be reached."),
    ("not_our_badge", 422, "The badge is not the one issued here",
     "It has the address of a badge that this service issued to the learner, and another content.",
     "Nothing: the badge that was issued is in the learner's list."),
    ("too_many_kept_badges", 403, "Too many badges", "A thousand badges were put here for the learner.",
     "Keep further ones elsewhere."),
    # -- pushing to another host
    ("badge_host_unfit", 422, "There is no host of badges",
     "The address has no service description of the Open Badges API (Open Badges 3.0), or one that takes no badges.",
     "Give the address that the host tells its users."),
    ("badge_host_unavailable", 503, "The host of badges does not answer",
     "The host is away, or does not answer as Open Badges 3.0 and OAuth 2.0 ask.", "Try again later."),
    ("badge_host_refused", 409, "The host of badges refused",
     "The host did not register this service, gave no access token, or did not take the badge.",
     "Connect the host again, or ask the people who run it."),
    ("badge_host_not_connected", 409, "The host is not connected", "Nobody has consented at the host yet.",
     "Go to its `authorize_url`, and consent there. After half an hour connect it anew."),
)  # fmt: skip
