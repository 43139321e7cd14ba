"""From nothing to a revoked badge, over HTTP, with the server in a process of its own as an operator starts it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from app.settings import Settings
from tests.builders import achievement_body, decision_body, panel_body
from tests.conftest import PROJECT
from tests.serving import free_port

ASSAY = [sys.executable, "-c", "from app.cli import main; main()"]


def environment(settings: Settings) -> dict[str, str]:
    assert settings.key_encryption_key is not None
    variables = {
        "PATH": os.defpath,
        "HOME": str(settings.data_directory),
        "ASSAY_PUBLIC_URL": settings.public_url,
        "ASSAY_DATABASE_URL": settings.database_url.get_secret_value(),
        "ASSAY_KEY_ENCRYPTION_KEY": settings.key_encryption_key.get_secret_value(),
        "ASSAY_DATA_DIRECTORY": str(settings.data_directory),
        "ASSAY_VERIFY_PROCESSES": "1",
    }
    optional = {"ASSAY_DATABASE_ROLE": settings.database_role, "ASSAY_EVIDENCE_URL": settings.evidence_url}
    return variables | {name: value for name, value in optional.items() if value}


@contextmanager
def serving(settings: Settings) -> Iterator[None]:
    """`assay serve` until the block ends; then it must end well."""
    port = settings.public_url.rpartition(":")[2]
    log = settings.data_directory / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*ASSAY, "serve", "--port", port], cwd=PROJECT, env=environment(settings), stdout=output, stderr=output
        )
        try:
            _wait_until_ready(settings.public_url, process)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                ended = process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise
    assert ended in (0, -signal.SIGTERM), log.read_text()
    assert "Traceback" not in log.read_text()


def _wait_until_ready(base_url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended at once"
        try:
            if httpx.get(f"{base_url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("the server does not become ready")


def create_operator_token(settings: Settings) -> str:
    made = subprocess.run(
        [*ASSAY, "tokens", "create"], cwd=PROJECT, env=environment(settings), capture_output=True, text=True, check=True
    )
    return made.stdout.strip()


class Caller:
    """A client that expects its requests to succeed."""

    def __init__(self, base_url: str, token: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.headers = headers
        self._client = httpx.Client(base_url=base_url, headers=headers, timeout=60)

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, url: str, **options: object) -> httpx.Response:
        return self._done(self._client.get(url, **options))  # type: ignore[arg-type]

    def put(self, url: str, **options: object) -> httpx.Response:
        return self._done(self._client.put(url, **options))  # type: ignore[arg-type]

    def post(self, url: str, body: object = None, **options: object) -> dict[str, object]:
        answer: dict[str, object] = self._done(self._client.post(url, json=body, **options)).json()  # type: ignore[arg-type]
        return answer

    @staticmethod
    def _done(answer: httpx.Response) -> httpx.Response:
        assert answer.is_success, answer.text
        return answer


def open_issuer(settings: Settings) -> str:
    """The operator's part: an issuer, and a token for its system."""
    with Caller(settings.public_url, create_operator_token(settings)) as operator:
        issuer = operator.post("/v1/issuers", {"slug": "academy", "profile": {"name": "The Academy"}})
        scopes = ["achievements:write", "assessors:write", "decisions:write", "credentials:read", "credentials:status"]
        made = operator.post(f"/v1/issuers/{issuer['id']}/api-clients", {"name": "records", "scopes": scopes})
    return str(made["token"])


def verdict(anyone: Caller, document: object) -> tuple[object, list[object]]:
    answer = anyone.post("/v1/verify", {"credential": document})
    checks = answer["checks"]
    assert isinstance(checks, list)
    return answer["valid"], [each["code"] for each in checks if each["outcome"] == "failed"]


def test_define_decide_issue_fetch_verify_suspend_reinstate_revoke(settings: Settings) -> None:
    settings = settings.model_copy(update={"public_url": f"http://127.0.0.1:{free_port()}"})
    with serving(settings), Caller(settings.public_url) as anyone:
        with Caller(settings.public_url, open_issuer(settings)) as partner:
            wanted = {"status_purpose": "suspension", "visibility": "public"}
            achievement = partner.post("/v1/achievements", achievement_body(settings=wanted))
            partner.post(f"/v1/achievements/{achievement['id']}/versions/1/publish")
            panel = partner.post("/v1/panels", panel_body())
            body = decision_body(str(achievement["id"]), str(panel["id"]))
            body["decided_at"] = "2024-04-09T14:00:00Z"  # the server's clock is the real one
            once = {"headers": {"Idempotency-Key": "row-1"}}
            decision = partner.post("/v1/decisions", body, **once)
            assert partner.post("/v1/decisions", body, **once) == decision
            badge = decision["credential"]
            assert isinstance(badge, dict)

            # What anyone finds by following the badge's own addresses.
            served = anyone.get(badge["url"], headers={"Accept": "application/vc+ld+json"})
            assert served.headers["Content-Type"] == "application/vc+ld+json"
            document = served.json()
            assert document == badge["document"]
            assert document["id"] == badge["url"]
            assert anyone.get(document["credentialSubject"]["achievement"]["image"]["id"]).content.startswith(
                b"\x89PNG"
            )
            assert anyone.get(document["credentialSubject"]["achievement"]["id"]).json()["name"] == document["name"]
            assert anyone.get(document["credentialSubject"]["source"]["id"]).json()["type"] == ["Profile"]
            assert "Implementing Equitable Practices" in anyone.get(badge["url"], headers={"Accept": "text/html"}).text

            assert verdict(anyone, document) == (True, [])
            for verb, expected in (
                ("suspend", (False, ["suspended"])),
                ("reinstate", (True, [])),
                ("revoke", (False, ["suspended"])),  # a list for suspensions has no other word for it
            ):
                partner.post(f"/v1/credentials/{badge['id']}/{verb}", {"reason": "A reason."})
                assert verdict(anyone, document) == expected, verb
        altered = document | {"name": "Another badge"}
        assert verdict(anyone, altered) == (False, ["signature_invalid", "suspended"])
