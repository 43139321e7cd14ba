"""What the tests of endorsements share: giving one, and one that somebody else signed."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Partner
from tests.verification.badges import OB_CONTEXT, Issuer, did_key_issuer, sign

Document = dict[str, Any]

STATE = did_key_issuer("the state")


async def endorse(partner: Partner, endorsed: str, **members: Any) -> Document:
    """The answer to an endorsement that is accepted."""
    answer = await post_endorsement(partner, endorsed, **members)
    assert answer.status_code == 201, answer.text
    made: Document = answer.json()
    return made


async def post_endorsement(partner: Partner, endorsed: str, **members: Any) -> httpx.Response:
    body = {"endorsed": endorsed, "name": "Accepted for renewal", "comment": "Worth **15** hours.", **members}
    return await partner.client.post("/v1/endorsements", json=body)


def theirs(endorsed: str, /, issuer: Issuer = STATE, **members: Any) -> Document:
    """An endorsement that the state signed."""
    document: Document = {
        "@context": ["https://www.w3.org/ns/credentials/v2", OB_CONTEXT],
        "id": "https://state.example.org/endorsements/1",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": "The state says so",
        "issuer": {"id": issuer.id, "type": ["Profile"], "name": "The state"},
        "validFrom": "2026-11-01T00:00:00Z",
        "credentialSubject": {"id": endorsed, "type": ["EndorsementSubject"], "endorsementComment": "We accept it."},
    }
    return sign({name: value for name, value in (document | members).items() if value is not None}, issuer)


async def hand_in(partner: Partner, document: Document) -> httpx.Response:
    return await partner.client.post("/v1/endorsements/import", json={"credential": document})


async def taken_in(partner: Partner, document: Document, **acceptance: Any) -> Document:
    """What was handed in and accepted."""
    answer = await hand_in(partner, document)
    assert answer.status_code == 201, answer.text
    accepted = await partner.client.post(f"/v1/endorsements/{answer.json()['id']}/accept", json=acceptance)
    assert accepted.status_code == 200, accepted.text
    made: Document = accepted.json()
    return made


def version_url(partner: Partner, version: int = 1) -> str:
    return f"{partner.client.base_url}/achievements/{partner.achievement_id}/v{version}".replace("000//", "000/")


async def did_of(partner: Partner) -> str:
    answer = await partner.client.get(f"/v1/issuers/{partner.issuer_id}")
    return str(answer.json()["did"])


def require_checked(shared: Path, badge: Document) -> None:
    """The independent check of a badge's shape accepts it."""
    tool = shared / "tools/check_badge.py"
    if not tool.is_file():
        pytest.skip("the independent check is not beside the project")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(json.dumps(badge))
        file.flush()
        done = subprocess.run([sys.executable, str(tool), file.name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
