"""Three rotations in a row on a did:web issuer served over TLS, and badges of all four keys in everybody's hands."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.access.clients import create_client
from app.access.principals import TENANT_SCOPES, Scope
from app.clock import SystemClock
from app.migration import migrate
from app.net.client import OutboundClient
from app.resources import open_resources
from app.settings import Settings
from app.verification.answer import Verification
from app.verification.opening import nothing_is_ours, open_verifier
from tests.builders import achievement_body, decision_body, panel_body
from tests.conftest import KEY, PROJECT
from tests.interop.verifier_core import verify_with_verifier_core
from tests.net.tls_site import CertificateAuthority
from tests.serving import loopback_settings, served

ASSAY = [sys.executable, "-c", "from app.cli import main; main()"]

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Issuer:
    """An issuer after three rotations, with a badge of each of its four keys, oldest first, and a revoked one."""

    settings: Settings
    ca_file: Path
    client: httpx.Client
    keys: list[Document]
    badges: list[Document]
    revoked: Document


async def operator_token(settings: Settings) -> str:
    async with open_resources(settings) as world, world.database.transaction() as session:
        _, token = await create_client(
            session, issuer_id=None, name="operator", scopes={Scope.PLATFORM}, expires_at=None, actor="test",
            now=world.clock.now(),
        )  # fmt: skip
        return token


def assay(settings: Settings, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command, in a process and with settings of its own."""
    environment = {
        "PATH": os.defpath,
        "HOME": str(settings.data_directory),
        "ASSAY_PUBLIC_URL": settings.public_url,
        "ASSAY_DATABASE_URL": settings.database_url.get_secret_value(),
        "ASSAY_KEY_ENCRYPTION_KEY": KEY,
        **variables,
    }
    return subprocess.run(
        [*ASSAY, *arguments], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def post(client: httpx.Client, path: str, body: Document | None = None) -> Document:
    answer = client.post(path, json=body)
    assert answer.is_success, answer.text
    created: Document = answer.json()
    return created


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    directory = tmp_path_factory.mktemp("rotation")
    authority = CertificateAuthority(directory)
    settings = loopback_settings(directory, KEY, origin="https://localhost")
    asyncio.run(migrate(settings))
    token = asyncio.run(operator_token(settings))
    with (
        served(settings, tls=authority.issue("localhost")) as base_url,
        httpx.Client(base_url=base_url, verify=_trusting(authority), timeout=60) as client,
    ):
        operator = {"Authorization": f"Bearer {token}"}
        client.headers.update(operator)
        issuer_id = post(client, "/v1/issuers", {"slug": "academy", "profile": {"name": "The academy"}})["id"]
        scopes = sorted(scope.value for scope in TENANT_SCOPES)
        made = post(client, f"/v1/issuers/{issuer_id}/api-clients", {"name": "all", "scopes": scopes})
        client.headers["Authorization"] = f"Bearer {made['token']}"
        achievement_id = post(client, "/v1/achievements", achievement_body())["id"]
        post(client, f"/v1/achievements/{achievement_id}/versions/1/publish")
        panel_id = post(client, "/v1/panels", panel_body())["id"]

        def issue(number: int) -> Document:
            recipient = {"email": f"learner.{number}@schools.example.org"}
            decision = post(client, "/v1/decisions", decision_body(achievement_id, panel_id, recipient=recipient))
            document: Document = decision["credential"]["document"]
            return document

        badges, revoked = [issue(0)], issue(9)
        # Three ways to rotate: the issuer's client, the operator, and the operator's command beside the running server.
        post(client, f"/v1/issuers/{issuer_id}/keys")
        badges.append(issue(1))
        assert client.post(f"/v1/issuers/{issuer_id}/keys", headers=operator).status_code == 201
        badges.append(issue(2))
        rotated = assay(settings, "keys", "rotate", "academy")
        assert rotated.returncode == 0, rotated.stderr
        badges.append(issue(3))
        post(client, f"/v1/credentials/{revoked['id'].rpartition('/')[2]}/revoke", {"reason": "A drill."})
        keys = client.get(f"/v1/issuers/{issuer_id}/keys").json()["items"]
        keys.sort(key=lambda key: key["created_at"])
        assert rotated.stdout.strip() == keys[-1]["verification_method"]
        yield Issuer(settings, authority.ca_file, client, keys, badges, revoked)


def _trusting(authority: CertificateAuthority) -> Any:
    context = httpx.create_ssl_context(trust_env=False)
    context.load_verify_locations(authority.ca_file)
    return context


def verify_by_command(issuer: Issuer, directory: Path, badge: Document) -> Document:
    """What `assay verify` says on a machine without a database of ours: it fetches everything."""
    path = directory / "badge.json"
    path.write_text(json.dumps(badge))
    run = assay(
        issuer.settings, "verify", "--json", str(path),
        ASSAY_PUBLIC_URL="http://127.0.0.1:8000",
        ASSAY_DATABASE_URL=f"sqlite+aiosqlite:///{directory / 'none.db'}",
        ASSAY_OUTBOUND_ALLOW_NETWORKS='["127.0.0.0/8"]',
        ASSAY_OUTBOUND_CA_FILE=str(issuer.ca_file),
    )  # fmt: skip
    verification: Document = json.loads(run.stdout)
    assert run.returncode == (0 if verification["valid"] else 1), run.stderr
    return verification


def verify_elsewhere(issuer: Issuer, badges: list[Document], *, allowed: str = "127.0.0.0/8") -> list[Verification]:
    """The same for many badges, in one process."""

    async def run() -> list[Verification]:
        outbound = OutboundClient(allow_networks=[ip_network(allowed)], ca_file=issuer.ca_file)
        try:
            async with open_verifier(issuer.settings, outbound, nothing_is_ours, SystemClock().now) as verifier:
                return [await verifier.verify(badge) for badge in badges]
        finally:
            await outbound.close()

    return asyncio.run(run())


def failures(verification: Verification) -> list[str]:
    return [check.code for check in verification.checks if check.outcome == "failed"]


def test_each_badge_is_signed_with_the_key_of_its_time(issuer: Issuer) -> None:
    signed_with = [badge["proof"][0]["verificationMethod"] for badge in issuer.badges]
    assert signed_with == [key["verification_method"] for key in issuer.keys]
    assert [key["state"] for key in issuer.keys] == ["retired"] * 3 + ["active"]
    port = issuer.settings.public_url.rpartition(":")[2]
    assert all(method.startswith(f"did:web:localhost%3A{port}:issuers:academy#z6Mk") for method in signed_with)
    document = issuer.client.get("/issuers/academy/did.json").json()
    assert document["assertionMethod"] == signed_with
    # The list that all of them point at was signed anew each time.
    [address] = {badge["credentialStatus"]["statusListCredential"] for badge in [*issuer.badges, issuer.revoked]}
    assert issuer.client.get(address).json()["proof"][0]["verificationMethod"] == signed_with[-1]


def test_verifier_core_accepts_the_badges_of_all_four_keys(issuer: Issuer) -> None:
    *results, revoked = verify_with_verifier_core([*issuer.badges, issuer.revoked], extra_ca=issuer.ca_file)
    assert len(results) == 4
    for result in results:
        steps = result["steps"]
        assert steps["valid_signature"] is True, result
        assert steps["revocation_status"] is True, result
        assert steps.get("schema_check", True) is True, result
        assert result["refused"] == []
    assert revoked["steps"]["valid_signature"] is True
    assert revoked["steps"]["revocation_status"] is False


def test_verifier_core_refuses_a_badge_under_another_key_of_the_issuer(issuer: Issuer) -> None:
    """The pair of the test above: it does look at the keys, in the document that is served."""
    badge = json.loads(json.dumps(issuer.badges[0]))
    badge["proof"][0]["verificationMethod"] = issuer.keys[-1]["verification_method"]
    [result] = verify_with_verifier_core([badge], extra_ca=issuer.ca_file)
    assert result["steps"].get("valid_signature") is not True
    [unreachable] = verify_with_verifier_core([issuer.badges[0]])
    assert unreachable["steps"].get("valid_signature") is not True


def test_another_installation_of_ours_accepts_the_badges_of_all_four_keys(issuer: Issuer, tmp_path: Path) -> None:
    *verifications, revoked = verify_elsewhere(issuer, [*issuer.badges, issuer.revoked])
    assert len(verifications) == 4
    for verification in verifications:
        assert verification.valid, failures(verification)
        assert [check.outcome for check in verification.checks] == ["passed"] * 5
    assert failures(revoked) == ["revoked"]
    assert verify_by_command(issuer, tmp_path, issuer.badges[0])["valid"]


def test_another_installation_of_ours_fetches_the_keys(issuer: Issuer) -> None:
    """The pair of the test above."""
    badge = json.loads(json.dumps(issuer.badges[0]))
    [unreached] = verify_elsewhere(issuer, [badge], allowed="192.0.2.0/24")
    assert "verification_method_refused" in failures(unreached)
    badge["proof"][0]["verificationMethod"] = issuer.keys[-1]["verification_method"]
    [wrong] = verify_elsewhere(issuer, [badge])
    assert "verification_method_refused" not in failures(wrong)
    assert not wrong.valid
