"""Issuers of their own domains, host-mapped and self-hosted, over TLS: badges before and after a rotation in everybody's hands.

The service is at one port of localhost; the domains are others. A host-mapped one leads to the service as a CNAME does, the
self-hosted one is a web server of files.
"""

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.access.principals import TENANT_SCOPES
from app.handover.lines import read_records
from app.migration import migrate
from app.settings import Settings
from tests.builders import achievement_body, decision_body, panel_body
from tests.conftest import KEY
from tests.interop.test_rotation import Issuer, _trusting, assay, failures, operator_token, post, verify_elsewhere
from tests.interop.verifier_core import verify_with_verifier_core
from tests.issuers.domains import NETWORKS, without
from tests.net.tls_site import CertificateAuthority
from tests.serving import loopback_settings, served

Document = dict[str, Any]


@contextmanager
def leading_to(port: int) -> Iterator[int]:
    """A port that passes every byte on to another: what is asked there is asked here, Host and all."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.2)
    ended = threading.Event()

    def pump(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65_536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def carry(near: socket.socket) -> None:
        with near, socket.create_connection(("127.0.0.1", port)) as far:
            back = threading.Thread(target=pump, args=(far, near), daemon=True)
            back.start()
            pump(near, far)
            back.join(5)

    def accept() -> None:
        while not ended.is_set():
            try:
                near, _ = listening.accept()
            except TimeoutError:
                continue
            threading.Thread(target=carry, args=(near,), daemon=True).start()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        ended.set()
        thread.join()
        listening.close()


@contextmanager
def publishing(tls: tuple[Path, Path], files: dict[str, Document]) -> Iterator[int]:
    """A web server of the issuer's own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = files.get(self.path)
            body = json.dumps(found).encode() if found is not None else b""
            self.send_response(200 if found is not None else 404)
            self.send_header("Content-Type", "application/did+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*tls)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Own:
    """An issuer of its own domain, with a badge of each key and a revoked one."""

    slug: str
    did: str
    id: str = ""
    client: httpx.Client = field(default_factory=httpx.Client)
    badges: list[Document] = field(default_factory=list)


@dataclass
class Place:
    settings: Settings
    ca_file: Path
    mapped: Own
    hosted: Own
    files: dict[str, Document]
    refusals: list[str]

    def as_issuer(self, own: Own) -> Issuer:
        return Issuer(self.settings, self.ca_file, own.client, [], own.badges, own.badges[-1])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp("domains")
    authority = CertificateAuthority(directory)
    tls = authority.issue("localhost")
    settings = loopback_settings(directory, KEY, origin="https://localhost")
    reaching = {"outbound_allow_networks": NETWORKS, "outbound_ca_file": authority.ca_file}
    settings = Settings.model_validate({**settings.model_dump(), **reaching})
    asyncio.run(migrate(settings))
    token = asyncio.run(operator_token(settings))
    files: dict[str, Document] = {}
    with ExitStack() as stack:
        base_url = stack.enter_context(served(settings, tls=tls))
        ports = (
            stack.enter_context(leading_to(int(base_url.rpartition(":")[2]))),
            stack.enter_context(publishing(tls, files)),
        )
        mapped = Own("mapped", f"did:web:localhost%3A{ports[0]}")
        hosted = Own("hosted", f"did:web:localhost%3A{ports[1]}:programs:leadership")
        found = Place(settings, authority.ca_file, mapped, hosted, files, [])
        for own in (mapped, hosted):
            own.client = stack.enter_context(httpx.Client(base_url=base_url, verify=_trusting(authority), timeout=60))
            own.client.headers["Authorization"] = f"Bearer {token}"
            live(found, own)
        yield found


def live(place: Place, own: Own) -> None:
    """Everything an issuer does in its first year; the self-hosted one makes every mistake on its way."""
    own.id = post(own.client, "/v1/issuers", {"slug": own.slug, "profile": {"name": own.slug}, "did": own.did})["id"]
    scopes = sorted(scope.value for scope in TENANT_SCOPES)
    made = post(own.client, f"/v1/issuers/{own.id}/api-clients", {"name": "all", "scopes": scopes})
    own.client.headers["Authorization"] = f"Bearer {made['token']}"
    achievement_id = post(own.client, "/v1/achievements", achievement_body())["id"]
    post(own.client, f"/v1/achievements/{achievement_id}/versions/1/publish")
    panel_id = post(own.client, "/v1/panels", panel_body())["id"]

    def issue(number: int) -> None:
        recipient = {"email": f"learner.{number}@schools.example.org"}
        decision = post(own.client, "/v1/decisions", decision_body(achievement_id, panel_id, recipient=recipient))
        own.badges.append(decision["credential"]["document"])

    def publish(document: Document) -> None:
        if own is place.hosted:
            place.files["/programs/leadership/did.json"] = document

    def document() -> Document:
        published: Document = own.client.get(f"/issuers/{own.slug}/did.json").json()
        return published

    def refuse() -> None:
        if own is place.hosted:
            place.refusals.append(own.client.post(f"/v1/issuers/{own.id}/keys").json()["code"])

    refuse()
    publish(document())
    first = post(own.client, f"/v1/issuers/{own.id}/keys")
    issue(0)
    refuse()  # it lacks the new key
    publish(without(document(), first))
    refuse()  # and now the old one
    publish(document())
    # The command does what the request does.
    rotated = assay(
        place.settings, "keys", "rotate", own.slug,
        ASSAY_OUTBOUND_ALLOW_NETWORKS=json.dumps(NETWORKS), ASSAY_OUTBOUND_CA_FILE=str(place.ca_file),
    )  # fmt: skip
    assert rotated.returncode == 0, rotated.stderr
    issue(1)
    assert own.badges[-1]["proof"][0]["verificationMethod"] == rotated.stdout.strip()
    issue(2)
    post(own.client, f"/v1/credentials/{own.badges[-1]['id'].rpartition('/')[2]}/revoke", {"reason": "A drill."})


def test_what_the_self_hosted_one_was_told(place: Place) -> None:
    assert place.refusals == ["did_document_not_published", "did_document_not_published", "did_document_incomplete"]


@pytest.mark.parametrize("which", ["mapped", "hosted"])
def test_verifier_core_accepts_the_badges_of_both_keys(place: Place, which: str) -> None:
    own: Own = getattr(place, which)
    assert len({badge["proof"][0]["verificationMethod"] for badge in own.badges}) == 2
    assert all(badge["issuer"]["id"] == own.did for badge in own.badges)
    *results, revoked = verify_with_verifier_core(own.badges, extra_ca=place.ca_file)
    for result in results:
        assert result["steps"]["valid_signature"] is True, result
        assert result["steps"]["revocation_status"] is True, result
        assert result["refused"] == []
    assert revoked["steps"]["valid_signature"] is True
    assert revoked["steps"]["revocation_status"] is False


@pytest.mark.parametrize("which", ["mapped", "hosted"])
def test_ours_accepts_them_here_and_elsewhere(place: Place, which: str) -> None:
    own: Own = getattr(place, which)
    *verifications, revoked = verify_elsewhere(place.as_issuer(own), own.badges)
    for verification in verifications:
        assert verification.valid, failures(verification)
    assert failures(revoked) == ["revoked"]
    here = [own.client.post("/v1/verify", json={"credential": badge}).json()["valid"] for badge in own.badges]
    assert here == [True, True, False]


def test_a_badge_dies_with_its_key_in_the_document(place: Place) -> None:
    """The pair of the tests above, and why such a document is refused: it is the domain that everybody asks."""
    path, whole = "/programs/leadership/did.json", place.files["/programs/leadership/did.json"]
    name = place.hosted.badges[0]["proof"][0]["verificationMethod"]
    place.files[path] = without(whole, {"verification_method": name})
    try:
        first, second = verify_elsewhere(place.as_issuer(place.hosted), place.hosted.badges[:2])
        assert (first.valid, second.valid) == (False, True)
    finally:
        place.files[path] = whole


def test_other_peoples_verifiers_accept_the_badges_in_an_export(place: Place) -> None:
    answer = place.hosted.client.get(f"/v1/issuers/{place.hosted.id}/export")
    records = list(read_records(answer.content.splitlines(keepends=True)))
    badges = [json.loads(each["body"]) for each in records if each["type"] == "representation"]
    assert sorted(badge["id"] for badge in badges) == sorted(badge["id"] for badge in place.hosted.badges)
    by_id = {badge["id"]: badge for badge in badges}
    results = verify_with_verifier_core(
        [by_id[badge["id"]] for badge in place.hosted.badges[:2]], extra_ca=place.ca_file
    )
    assert all(result["steps"]["valid_signature"] is True for result in results)
