"""What a learner may let somebody else's software do. PURE.

The names are those of Open Badges 3.0, section "Scopes"; `offline_access` (OpenID Connect Core 1.0, section 11) asks for a
refresh token.
"""

from collections.abc import Mapping

_OB = "https://purl.imsglobal.org/spec/ob/v3p0/scope/"
CREDENTIAL_READONLY = f"{_OB}credential.readonly"
CREDENTIAL_UPSERT = f"{_OB}credential.upsert"
PROFILE_READONLY = f"{_OB}profile.readonly"
PROFILE_UPDATE = f"{_OB}profile.update"
OFFLINE_ACCESS = "offline_access"

LEARNER_SCOPES: Mapping[str, str] = {
    CREDENTIAL_READONLY: "See all your badges, with everything in them.",
    CREDENTIAL_UPSERT: "Put badges beside yours here, and replace what it put there.",
    PROFILE_READONLY: "See your profile: your name, and your e-mail address.",
    PROFILE_UPDATE: "Change your profile here. What badges say of you stays as it is.",
    OFFLINE_ACCESS: "Do this also later, while you are not there, until you end it.",
}
"""Each scope in a sentence, as the consent page says it."""
