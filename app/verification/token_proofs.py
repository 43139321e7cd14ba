"""Whether a token is signed, and by the issuer of the credential in it. PURE. Nothing of JOSE is made here: joserfc verifies."""

import warnings
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning

from app.proofs.jose_keys import TokenKey, import_jwk
from app.verification.gathered import Gathered, KeyReference, Missing
from app.verification.members import issuer_id, object_of, text_of
from app.verification.tokens import ALGORITHMS, MAX_TOKEN, Token, judge_claims, judge_header
from app.verification.verdict import Check
from app.verification.verdicts import check

_SKEW = timedelta(seconds=60)


class _Registry(jws.JWSRegistry):
    """joserfc's limits are for headers without keys and payloads without badges; `tokens.py` has read the header by then."""

    max_header_length = 16 << 10
    max_payload_length = MAX_TOKEN
    max_signature_length = 2 << 10


def find_key_needed(token: Token, credential: Mapping[str, Any]) -> KeyReference | None:
    """What has to be resolved to verify the token; None when its header is refused anyway."""
    if next(judge_header(token), None) is not None:
        return None
    issuer, kid = issuer_id(credential), text_of(token.header.get("kid"))
    if kid and ":" not in kid:  # relative to the issuer
        kid = f"{issuer}#{kid.removeprefix('#')}"
    jwk = object_of(token.header.get("jwk"))
    return KeyReference(issuer, kid, jwk if jwk and not kid else None)


def judge_token(token: Token, credential: Mapping[str, Any], gathered: Gathered, now: datetime) -> list[Check]:
    """The checks `proof` and `issuer_binding`."""
    refused = list(judge_header(token))
    needed = find_key_needed(token, credential)
    key = gathered.token_keys.get(needed.name) if needed else None
    if needed is None or key is None or isinstance(key, Missing):
        missing = [check(key.code, reason=key.detail)] if isinstance(key, Missing) else []
        return [*(refused or missing or [check("token_key_missing")]), check("not_checked", name="issuer_binding")]
    proof = [
        *_judge_key(token, key, now),
        *judge_claims(token, credential),
        *_judge_times(token, now),
    ]
    return [*(proof or [check("proof_verified")]), _judge_binding(key, credential)]


def _judge_key(token: Token, key: TokenKey, now: datetime) -> Iterator[Check]:
    kind, curve = ALGORITHMS[token.algorithm]
    is_fit = key.jwk.get("kty") == kind and (curve is None or key.jwk.get("crv") == curve)
    is_meant = key.jwk.get("use", "sig") == "sig" and key.jwk.get("alg", token.algorithm) == token.algorithm
    if not is_fit or not is_meant or "verify" not in key.jwk.get("key_ops", ["verify"]):
        yield check("token_key_unfit", algorithm=token.algorithm)
        return
    for moment, word in ((key.expires, "expired"), (key.revoked, "been revoked")):
        if moment is not None and moment <= now:
            yield check("verification_method_invalid", reason=f"The key has {word}.")
    material = {name: key.jwk[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in key.jwk}
    registry = _Registry(algorithms=[token.algorithm], strict_check_header=False)
    try:
        # EdDSA is the name that issuers still use; RFC 9864 only prefers another one.
        with warnings.catch_warnings(action="ignore", category=SecurityWarning):
            jws.deserialize_compact(token.text, import_jwk(material), [token.algorithm], registry)
    except (JoseError, ValueError):
        yield check("signature_invalid")


def _judge_times(token: Token, now: datetime) -> Iterator[Check]:
    """RFC 7519. Where `nbf` and `exp` repeat the dates of the credential, the check `validity` speaks of them."""
    bounds = {"iat": (now + _SKEW).timestamp()}
    if token.profile is None or not token.profile.repeats_dates:
        bounds["nbf"] = bounds["iat"]
        expires = token.claims.get("exp")
        if expires is not None and not (_is_number(expires) and expires > (now - _SKEW).timestamp()):
            yield check("proof_expired", reason="The token has expired (exp).")
    for claim, bound in bounds.items():
        moment = token.claims.get(claim)
        if moment is not None and not (_is_number(moment) and moment <= bound):
            yield check("proof_not_yet_valid", moment=f"{claim} {moment}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _judge_binding(key: TokenKey, credential: Mapping[str, Any]) -> Check:
    issuer = issuer_id(credential)
    if key.controller != issuer:
        return check("controller_mismatch", pointer="/issuer", controller=key.controller, issuer=issuer or "nobody")
    return check("issuer_bound" if key.bound == "listed" else "issuer_bound_by_host")
