"""The two verifiers tell good badges from bad ones. The badges are signed by openbadgeslib, not by Assay."""

from __future__ import annotations

import base64
import gzip
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.request import urlopen

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from openbadgeslib.ob3.did import did_key_from_pem
from openbadgeslib.ob3.ldp import add_data_integrity_proof

from tests.interop.openbadgeslib_verifier import verify_with_openbadgeslib
from tests.interop.verifier_core import require_achievement_schema, require_node, verify_with_verifier_core

VC_V2 = "https://www.w3.org/ns/credentials/v2"
OB_3_0_3 = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
ACHIEVEMENT = "https://school.example/achievements/fair-grading"
BITS = 131_072
INDEX = 94_567

Document = dict[str, Any]
Alter = Callable[[Document], object]


class Issuer:
    """A did:key issuer whose documents openbadgeslib signs."""

    def __init__(self) -> None:
        key = Ed25519PrivateKey.generate()
        self._private_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.did = did_key_from_pem(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    def sign(self, unsecured: Document) -> Document:
        secured = add_data_integrity_proof(unsecured, self._private_pem, f"{self.did}#{self.did.rpartition(':')[2]}")
        return secured | {"proof": [secured["proof"]]}


class StatusLists:
    """Status list credentials published on a loopback address."""

    def __init__(self) -> None:
        self._bodies: dict[str, bytes] = {}
        bodies = self._bodies

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = bodies.get(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Type", "application/vc")
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def publish(self, issuer: Issuer, *, set_bits: set[int], alter: Alter = lambda _: None) -> str:
        """Publish a signed list and give its address; `alter` changes it after signing."""
        path = f"/status-lists/{len(self._bodies)}"
        bits = bytearray(BITS // 8)
        for index in set_bits:
            bits[index // 8] |= 0x80 >> (index % 8)
        status_list = issuer.sign(
            {
                "@context": [VC_V2],
                "id": self.base + path,
                "type": ["VerifiableCredential", "BitstringStatusListCredential"],
                "issuer": issuer.did,
                "validFrom": "2026-01-01T00:00:00Z",
                "credentialSubject": {
                    "id": f"{self.base}{path}#list",
                    "type": "BitstringStatusList",
                    "statusPurpose": "revocation",
                    "encodedList": "u" + base64.urlsafe_b64encode(gzip.compress(bits)).rstrip(b"=").decode(),
                },
            }
        )
        alter(status_list)
        self._bodies[path] = json.dumps(status_list).encode()
        return self.base + path


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture(scope="module")
def status_lists() -> Iterator[StatusLists]:
    lists = StatusLists()
    thread = threading.Thread(target=lists.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield lists
    lists.server.shutdown()
    lists.server.server_close()
    thread.join()


def unsecured_badge(issuer: Issuer, status_list: str) -> Document:
    return {
        "@context": [VC_V2, OB_3_0_3],
        "id": "urn:uuid:0e6bb1c5-39a7-4a49-a1c6-8bb4ea0e1f7d",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Fair grading",
        "issuer": {"id": issuer.did, "type": ["Profile"], "name": "School & Co"},
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "identifier": [
                {"type": "IdentityObject", "hashed": False, "identityHash": "ada", "identityType": "systemId"}
            ],
            "achievement": {
                "id": ACHIEVEMENT,
                "type": ["Achievement"],
                "name": "Fair grading",
                "description": "Grades essays consistently.",
                "criteria": {"narrative": "Two essay sets, graded twice."},
                "resultDescription": [
                    {
                        "id": f"{ACHIEVEMENT}#consistency",
                        "type": ["ResultDescription"],
                        "name": "Consistency",
                        "resultType": "RubricCriterionLevel",
                        "requiredLevel": f"{ACHIEVEMENT}#consistency-met",
                        "rubricCriterionLevel": [
                            {"id": f"{ACHIEVEMENT}#consistency-met", "type": ["RubricCriterionLevel"], "name": "Met"}
                        ],
                    }
                ],
            },
            "result": [
                {
                    "type": ["Result"],
                    "resultDescription": f"{ACHIEVEMENT}#consistency",
                    "achievedLevel": f"{ACHIEVEMENT}#consistency-met",
                }
            ],
        },
        "credentialStatus": {
            "id": f"{status_list}#{INDEX}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": str(INDEX),
            "statusListCredential": status_list,
        },
    }


def download(url: str) -> bytes:
    with urlopen(url, timeout=5) as response:
        body: bytes = response.read()
        return body


def change_a_leaf(badge: Document) -> None:
    badge["credentialSubject"]["achievement"]["criteria"]["narrative"] = "One essay set."


def change_the_list(status_list: Document) -> None:
    status_list["validFrom"] = "2026-01-02T00:00:00Z"


def test_verifier_core_tells_good_from_bad(issuer: Issuer, status_lists: StatusLists) -> None:
    clear = status_lists.publish(issuer, set_bits={INDEX - 1, INDEX + 1})
    revoked = status_lists.publish(issuer, set_bits={INDEX})
    altered_list = status_lists.publish(issuer, set_bits=set(), alter=change_the_list)
    outside = "https://school.example/status-lists/1"
    badges = [issuer.sign(unsecured_badge(issuer, address)) for address in (clear, revoked, altered_list, outside)]
    badges.append(issuer.sign(unsecured_badge(issuer, clear)))
    change_a_leaf(badges[-1])

    good, bad_bit, bad_list, unreachable, bad_signature = verify_with_verifier_core(badges)

    assert (
        good["steps"].items()
        >= {
            "valid_signature": True,
            "expiration": True,
            "revocation_status": True,
            "registered_issuer": False,
        }.items()
    )
    assert "fatal" not in good
    assert good["refused"] == []

    assert bad_bit["steps"]["valid_signature"] is True
    assert bad_bit["steps"]["revocation_status"] is False

    assert bad_list["steps"]["revocation_status"] is None
    assert [entry["error"]["name"] for entry in bad_list["log"] if "error" in entry] == ["status_list_signature_error"]

    assert unreachable["steps"]["revocation_status"] is None
    assert unreachable["refused"] == [outside]

    assert bad_signature["log"] == []
    assert [error["name"] for error in bad_signature["fatal"]] == ["invalid_signature"]


def test_verifier_core_applies_the_open_badges_schema(issuer: Issuer, status_lists: StatusLists) -> None:
    require_node()
    require_achievement_schema()
    badge = unsecured_badge(issuer, status_lists.publish(issuer, set_bits=set()))
    without_criteria = json.loads(json.dumps(badge))
    del without_criteria["credentialSubject"]["achievement"]["criteria"]

    good, bad = verify_with_verifier_core([issuer.sign(badge), issuer.sign(without_criteria)])

    assert good["steps"]["schema_check"] is True
    assert bad["steps"]["valid_signature"] is True
    assert bad["steps"]["schema_check"] is False
    assert "criteria" in json.dumps(bad["schema"][0]["errors"])


def test_openbadgeslib_accepts_a_good_badge(issuer: Issuer, status_lists: StatusLists) -> None:
    badge = issuer.sign(unsecured_badge(issuer, status_lists.publish(issuer, set_bits={INDEX - 1, INDEX + 1})))

    verdict = verify_with_openbadgeslib(badge, download=download)

    assert (verdict.accepted, verdict.reason) == (True, "")
    assert verdict.credential is not None
    assert verdict.credential.issuer.id == issuer.did
    assert [result.achieved_level for result in verdict.credential.results] == [f"{ACHIEVEMENT}#consistency-met"]


@pytest.mark.parametrize(
    ("set_bits", "alter_list", "alter_badge", "reason"),
    [
        pytest.param({INDEX}, lambda _: None, lambda _: None, "'revocation' is set at index 94567", id="revoked"),
        pytest.param(set(), change_the_list, lambda _: None, "signature mismatch", id="altered list"),
        pytest.param(set(), lambda made: made.pop("proof"), lambda _: None, "one proof by", id="unsigned list"),
        pytest.param(set(), lambda _: None, change_a_leaf, "signature mismatch", id="altered leaf"),
        pytest.param(
            set(), lambda _: None, lambda badge: badge.update(grade="A"), "not in compacted form", id="undefined term"
        ),
    ],
)
def test_openbadgeslib_rejects(
    issuer: Issuer, status_lists: StatusLists, set_bits: set[int], alter_list: Alter, alter_badge: Alter, reason: str
) -> None:
    address = status_lists.publish(issuer, set_bits=set_bits, alter=alter_list)
    badge = issuer.sign(unsecured_badge(issuer, address))
    alter_badge(badge)

    verdict = verify_with_openbadgeslib(badge, download=download)

    assert not verdict.accepted
    assert reason in verdict.reason


def test_openbadgeslib_rejects_a_list_of_another_issuer(issuer: Issuer, status_lists: StatusLists) -> None:
    address = status_lists.publish(Issuer(), set_bits=set())

    verdict = verify_with_openbadgeslib(issuer.sign(unsecured_badge(issuer, address)), download=download)

    assert not verdict.accepted
    assert "one proof by the badge's issuer" in verdict.reason


def test_missing_node_skips_here_and_fails_on_a_build_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="node is not installed"):
        require_node()

    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="node is not installed"):
        require_node()
