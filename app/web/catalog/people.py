"""Problems: people, their sign-in and mail."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = (
    ("person_required", 403, "Only a person can do this",
     "An API client asked for what an assessor, a lead, an approver or another person does in their own name.",
     "Let the person sign in, and use their session or a token of their own."),
    ("person_taken", 409, "The person is there already",
     "Somebody of this issuer has this e-mail address, or is this learner.", "Use that person, and give them the role."),
    ("learner_role_needs_learner", 422, "The role needs a learner",
     "Somebody with the role learner sees their own attempts, so it has to be known which learner they are.",
     "Give `learner_id`, or leave the role out."),
    ("person_inactive", 403, "The person may not sign in",
     "The institution has ended this person's access.", "Ask the institution."),
    # -- one-time links
    ("sign_in_link_unknown", 404, "There is no such sign-in link",
     "The address is incomplete, or the link is long over.", "Open the whole link from the mail, or ask for a new one."),
    ("sign_in_link_other_browser", 403, "The link belongs to another browser",
     "A sign-in link works only in the browser in which it was asked for, so that nobody can use a link that was passed on or "
     "intercepted.", "Open it in that browser, or ask for a new link in this one."),
    ("sign_in_link_used", 409, "The link has been used", "A sign-in link works once.", "Ask for a new link."),
    ("sign_in_link_expired", 410, "The link has expired",
     "A sign-in link works for fifteen minutes; it ends sooner when many newer ones were asked for, or the address was changed.",
     "Ask for a new link."),
    # -- OpenID Connect
    ("oidc_provider_taken", 409, "The OpenID provider is there already", "An issuer is registered at a provider once.",
     "Change the one that is there."),
    ("oidc_provider_unavailable", 503, "The institution's sign-in does not answer",
     "The OpenID provider is away, or its discovery document or keys are not as OpenID Connect asks.",
     "Try again, or sign in by e-mail."),
    ("oidc_sign_in_unknown", 404, "The sign-in was not begun here",
     "The `state` that came back from the institution is none of ours.", "Begin again at the sign-in page."),
    ("oidc_sign_in_other_browser", 403, "The sign-in was begun in another browser",
     "A sign-in ends in the browser in which it was begun.", "Begin again in this browser."),
    ("oidc_sign_in_used", 409, "The sign-in was finished before", "What an institution answers is taken once.",
     "Begin again at the sign-in page."),
    ("oidc_sign_in_expired", 410, "The sign-in took too long", "It has to be finished within ten minutes.",
     "Begin again at the sign-in page."),
    ("oidc_sign_in_refused", 403, "The institution did not sign you in",
     "The OpenID provider refused, or what it sent is not an ID token for this sign-in: its signature, issuer, audience, nonce "
     "or times are not right.", "Begin again at the sign-in page. If it fails again, tell the institution what `detail` says."),
    ("oidc_person_unknown", 403, "The institution knows you, this service does not",
     "Nobody was entered here with the e-mail address that the institution has verified for you, or it gave no verified address, "
     "or that address belongs to somebody who signs in there under another account.",
     "Ask whoever runs the program to enter you with that address, or sign in by e-mail."),
    # -- pages
    ("foreign_form", 403, "The form was not sent from this service",
     "A form of these pages came from another site, or the browser did not say from where.",
     "Open the page itself and send the form from there."),
)  # fmt: skip
