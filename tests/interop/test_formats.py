"""The table of docs/interop.md, run: every format that we issue in every tool, everything that they issue in our verifier.

What is accepted must be refused once a word of it is changed; what is not accepted must be refused for the reason that the table
gives. `make interop` writes the page anew.
"""

import base64
import copy
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from app.contexts import load_contexts
from app.credentials.profiles import PROFILE_NAMES
from tests.conftest import Partner
from tests.credentials.profiles import issue, make_keys
from tests.fakes import FixedClock
from tests.interop.table import EXCEPTIONS, PAGE, Except, render
from tests.interop.tools import (
    FORMATS,
    DigitalBazaar,
    Document,
    Format,
    Jose,
    OpenBadgesLib,
    OpenVc,
    Secured,
    Tool,
    Unsupported,
    VerifierCore,
)
from tests.verification.badges import badge, did_key_issuer

CONTEXTS = load_contexts()
TOOLS: tuple[Tool, ...] = (DigitalBazaar(CONTEXTS), OpenVc(CONTEXTS), OpenBadgesLib(), Jose(), VerifierCore())


@pytest.fixture
def public_url() -> str:
    """Of https, so that issuers are did:web and have keys of every algorithm."""
    return "https://badges.example.org"


@pytest.fixture
def clock() -> FixedClock:
    """Other people's tools look at the machine's clock."""
    return FixedClock(datetime.now(UTC))


def test_the_page_says_what_the_tests_hold_to() -> None:
    assert PAGE.read_text() == render(), "run `make interop`"


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_what_we_issue(partner: Partner, stranger: Partner) -> None:
    issued, documents = await issue_everything(partner, stranger)
    found = {}
    for name, secured in issued.items():
        for tool in TOOLS:
            found[tool.name, name] = run(tool, FORMATS[name], secured, documents)
    assert not differences(found, "ours"), "\n".join(differences(found, "ours"))


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_what_they_issue(api: httpx.AsyncClient) -> None:
    unsecured = badge(did_key_issuer(), validFrom="2026-01-01T00:00:00Z", validUntil="2126-01-01T00:00:00Z")
    found = {}
    for tool in TOOLS:
        for name, format in FORMATS.items():
            try:
                secured, _ = tool.issue(format, unsecured)
            except Unsupported as reason:
                found[tool.name, name] = f"not asked: {reason}"
                continue
            found[tool.name, name] = await run_ours(api, secured)
    assert not differences(found, "theirs"), "\n".join(differences(found, "theirs"))


def run(tool: Tool, format: Format, secured: Secured, documents: Mapping[str, Any]) -> str:
    """ "accepted", or what was said; "accepts everything" of a tool that takes a changed badge as well."""
    outcome = tool.verify(format, secured, documents)
    if outcome.kind != "accepted":
        return f"{outcome.kind}: {outcome.reason}"
    forged = tool.verify(format, change(secured), documents)
    return "accepted" if forged.kind == "refused" else "accepts everything"


async def run_ours(api: httpx.AsyncClient, secured: Secured) -> str:
    """As `run`, of POST /v1/verify."""
    good, bad = [
        (await api.post("/v1/verify", json={"credential": each})).json() for each in (secured, change(secured))
    ]
    if not good["valid"]:
        return f"refused: {json.dumps([each for each in good['checks'] if each['outcome'] == 'failed'])}"
    return "accepted" if not bad["valid"] else "accepts everything"


def differences(found: Mapping[tuple[str, str], str], which: str) -> list[str]:
    """Where what was found is not what the table says."""
    wrong = []
    for (tool, name), said in found.items():
        expected = EXCEPTIONS[which].get((tool, name))
        if not (said == "accepted" if expected is None else _is_as(expected, said)):
            wrong.append(f"{tool}, {name}: {said} instead of {expected or 'accepted'}")
    return wrong


def _is_as(expected: Except, said: str) -> bool:
    return said.startswith(("not ", "refused")) and (expected.says or "") in said


async def issue_everything(partner: Partner, stranger: Partner) -> tuple[dict[str, Secured], dict[str, Any]]:
    """A badge of ours in each format, and what a verifier may look up. A profile takes the best key that there is."""
    issued: dict[str, Secured] = {}
    documents: dict[str, Any] = {}
    for owner, slug, algorithms in ((partner, "academy", ("RSA", "P-384")), (stranger, "stranger", ("P-256",))):
        await make_keys(owner, *algorithms)
        settings = {"proof_profiles": list(PROFILE_NAMES), "visibility": "public", "validity_days": 365}
        put = await owner.client.put(f"/v1/achievements/{owner.achievement_id}/settings", json=settings)
        assert put.status_code == 200, put.text
        told = await issue(owner)
        for name, format in FORMATS.items():
            is_here = format.key in algorithms or (format.key == "Ed25519" and owner is partner)
            if is_here:
                issued[name] = await fetch(owner, told, format)
        documents |= await publish(owner, slug, issued.values())
    assert issued.keys() == FORMATS.keys()
    return issued, documents


async def fetch(owner: Partner, told: Document, format: Format) -> Secured:
    path = f"/v1/credentials/{told['id']}"
    if format.suite == "ecdsa-sd-2023":
        derived = await owner.client.post(
            f"{path}/derive", json={"selective_pointers": ["/credentialSubject/result/0"]}
        )
        assert derived.status_code == 200, derived.text
        document: Document = derived.json()["document"]
        return document
    answer = await owner.client.get(f"{path}/representations/{format.profile}")
    assert answer.status_code == 200, answer.text
    return answer.json() if format.suite else answer.text


async def publish(owner: Partner, slug: str, issued: Any) -> dict[str, Any]:
    """What this service publishes, by URL: DID document, keys, status lists."""
    did_document = (await owner.client.get(f"/issuers/{slug}/did.json")).json()
    found = {did_document["id"]: did_document, f"https://badges.example.org/issuers/{slug}/did.json": did_document}
    for method in did_document["verificationMethod"]:
        found[method["id"]] = {"@context": did_document["@context"], **method}
    for key in (await owner.client.get("/.well-known/jwks.json")).json()["keys"]:
        found[key["kid"]] = key
        found[f"https://badges.example.org/keys/{key['kid'].rpartition('/')[2]}"] = key
    for each in issued:
        if isinstance(each, dict):
            url = each["credentialStatus"]["statusListCredential"]
            found[url] = (await owner.client.get(url.removeprefix("https://badges.example.org"))).json()
    return found


def change(secured: Secured) -> Secured:
    """The same with another name of the badge."""
    if isinstance(secured, dict):
        changed = copy.deepcopy(secured)
        changed["credentialSubject"]["achievement"]["name"] = "Another achievement"
        return changed
    header, payload, signature = secured.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    claims["credentialSubject"]["achievement"]["name"] = "Another achievement"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return ".".join([header, forged, signature])
