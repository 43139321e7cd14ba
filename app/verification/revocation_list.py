"""1EdTechRevocationList: a plain list of the credentials that an issuer has revoked (1EdTech VC Revocation List 1.0). PURE.

The list is not signed: it is as good as the https address that the signed badge names, and the answer says so. 1EdTech has
deprecated it for new badges; those that were issued with it are still about.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from app.verification.gathered import Gathered, Missing
from app.verification.members import issuer_id, object_of, text_of
from app.verification.verdict import Check
from app.verification.verdicts import check


def judge_revocation_list(
    gathered: Gathered,
    pointer: str,
    entry: Mapping[str, Any],
    _now: datetime,
    _contexts: Mapping[str, dict[str, Any]],
) -> Iterator[Check]:
    url, badge_id = text_of(entry.get("id")), text_of(gathered.credential.get("id"))
    found = gathered.status_lists.get(url)
    if found is None:
        yield check("invalid_status_entry", pointer=pointer, reason="its `id` must be the address of the list.")
    elif isinstance(found, Missing):
        yield check(found.code, pointer=pointer, reason=found.detail)
    elif text_of(found.get("id")) not in ("", url):
        reason = "its `id` is not the address it was asked for at."
        yield check("status_list_invalid", pointer=pointer, reason=reason)
    elif found.get("issuer") is not None and issuer_id(found) != issuer_id(gathered.credential):
        # Nothing is signed here: nobody but the badge's issuer may be said to keep it.
        yield check("status_list_wrong_issuer", pointer=pointer, list_issuer=issuer_id(found) or "nobody")
    elif not isinstance(found.get("revokedCredential"), list):
        yield check("status_list_invalid", pointer=pointer, reason="`revokedCredential` must be a list.")
    else:
        yield _look_up(found["revokedCredential"], badge_id, pointer)


def _look_up(revoked: list[Any], badge_id: str, pointer: str) -> Check:
    """An entry says by `revoked: false` that it was lifted; without the member it is revoked."""
    for listed in map(object_of, revoked):
        if text_of(listed.get("id")) == badge_id and listed.get("revoked") is not False:
            reason = text_of(listed.get("revocationReason"))
            return check("revoked_for" if reason else "revoked", pointer=pointer, reason=reason)
    return check("not_in_revocation_list", pointer=pointer)
