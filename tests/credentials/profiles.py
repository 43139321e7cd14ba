"""What the tests of proof profiles share: an issuer with keys of every algorithm, and badges in every profile."""

from typing import Any

import httpx

from app.credentials.profiles import PROFILE_NAMES
from tests.conftest import Partner
from tests.issuing import decided

DID = "did:web:learner.example.org"
RECIPIENT = {"did": DID, "email": "ada@schools.example.org"}
ALGORITHMS = ("P-256", "P-384", "RSA")


async def make_keys(partner: Partner, *algorithms: str) -> dict[str, dict[str, Any]]:
    """Further keys of the issuer, by algorithm."""
    keys = {}
    for algorithm in algorithms or ALGORITHMS:
        answer = await partner.client.post(f"/v1/issuers/{partner.issuer_id}/keys", json={"algorithm": algorithm})
        assert answer.status_code == 201, answer.text
        keys[algorithm] = answer.json()
    return keys


async def settle(partner: Partner, *profiles: str) -> None:
    """The achievement's badges are issued in these profiles from now on (none given: in all)."""
    settings = {"proof_profiles": list(profiles or PROFILE_NAMES), "visibility": "public"}
    answer = await partner.client.put(f"/v1/achievements/{partner.achievement_id}/settings", json=settings)
    assert answer.status_code == 200, answer.text


async def issue(partner: Partner, **changes: Any) -> dict[str, Any]:
    """A badge as `GET /v1/credentials/{id}` tells of it."""
    answer = await decided(partner, **({"recipient": RECIPIENT} | changes))
    return await told(partner, answer["credential"]["id"])


async def told(partner: Partner, credential_id: str) -> dict[str, Any]:
    answer = await partner.client.get(f"/v1/credentials/{credential_id}")
    assert answer.status_code == 200, answer.text
    badge: dict[str, Any] = answer.json()
    return badge


async def fetch(partner: Partner, badge: dict[str, Any], profile: str) -> httpx.Response:
    return await partner.client.get(f"/v1/credentials/{badge['id']}/representations/{profile}")


async def bodies(partner: Partner, badge: dict[str, Any]) -> dict[str, bytes]:
    """The exact bytes in every profile that the badge is issued in."""
    found = {}
    for each in badge["representations"]:
        if each["skipped"] is None:
            answer = await fetch(partner, badge, each["profile"])
            assert answer.status_code == 200, answer.text
            found[each["profile"]] = answer.content
    return found
