"""Where a token may come from: pictures, files, the body of POST /v1/verify. And hostile input, with the real judges."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.net.client import OutboundClient
from app.openbadges.badge_image import draw_badge
from app.verification.judge import JudgePool
from app.verification.verify import Verifier
from tests.net.tls_site import FakeResolver
from tests.openbadges.test_baking import chunk
from tests.verification.badges import NOW, Document, Issuer, badge, did_key_issuer, sign
from tests.verification.jose import claims_of, did_jwk, encode, forge, issue, new_key
from tests.verification.test_router import post
from tests.verification.test_verify import OwnDocuments, alone, failed

ISSUER = did_key_issuer()


def token(**members: Any) -> str:
    key = new_key("P-256")
    issuer = Issuer(did_jwk(key), ISSUER.key)
    return issue({"alg": "ES256", "typ": "vc+jwt", "kid": f"{issuer.id}#0"}, badge(issuer, **members), key)


def png_with(text: str) -> bytes:
    picture = draw_badge("A badge", "An issuer", "seed")
    carrier = chunk(b"iTXt", b"openbadgecredential\0\0\0\0\0" + text.encode())
    return picture[:33] + carrier + picture[33:]


def svg_with(text: str) -> bytes:
    namespaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0"'
    return f'<svg {namespaces}><openbadges:credential verify="{text}"/></svg>'.encode()


@pytest.mark.parametrize("bake", [png_with, svg_with])
def test_a_token_baked_into_a_picture_is_verified(bake: Any) -> None:
    header, payload, _ = token().split(".")
    for text, expected in (
        (token(), []),
        (f"{header}.{payload}.{encode(bytes(64))}", [("proof", "signature_invalid")]),
        (forge({"alg": "none"}, {}), [("proof", "token_unsigned")]),
    ):
        found = asyncio.run(alone().verify_picture(bake(text)))
        assert [each for each in failed(found) if each[0] == "proof"] == expected
        assert found.valid is (not expected)


def test_a_token_is_posted_as_text() -> None:
    answer = post({"credential": token()})
    assert (answer.status_code, answer.json()["valid"]) == (200, True)
    assert answer.json()["fetched"] == answer.json()["parts"] == []
    assert post({"credential": token()[:-4] + "AAAA"}).json()["valid"] is False


def test_the_command_reads_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Dates of the real day: the command has the clock of the machine.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSAY_DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/none.db")
    monkeypatch.setenv("ASSAY_LOG_LEVEL", "error")
    file = tmp_path / "badge.jwt"
    file.write_text(token(validFrom="2020-11-01T00:00:00Z", validUntil=None) + "\n")
    run = CliRunner().invoke(cli, ["verify", str(file), "--json"])
    assert (run.exit_code, json.loads(run.output)["valid"]) == (0, True)
    shown = CliRunner().invoke(cli, ["verify", str(file)])
    assert "valid" in shown.output
    file.write_text("no badge")
    assert CliRunner().invoke(cli, ["verify", str(file)]).exit_code != 0


# Each within what the judge gives: 2 seconds, 256 MiB.


def _alike() -> Document:
    """Nodes that cannot be told apart, which canonicalization tries to do."""
    proof = sign(badge(ISSUER), ISSUER)["proof"]
    return badge(ISSUER, proof=proof, evidence=[{"type": ["Evidence"]}] * 2_300)


def _wide() -> Document:
    return badge(ISSUER, evidence=[{"id": f"urn:e:{number}", "type": ["Evidence"]} for number in range(30_000)])


def _deep() -> Document:
    profile: Document = {"id": "urn:a", "type": ["Profile"]}
    for _ in range(80):
        profile = {"id": "urn:a", "type": ["Profile"], "parentOrg": profile}
    return badge(ISSUER, issuer=profile)


def _contexts() -> Document:
    context = badge(ISSUER)["@context"]
    return badge(ISSUER, evidence=[{"@context": context, "id": f"urn:{n}", "type": ["Evidence"]} for n in range(100)])


def _doubling() -> str:
    """Small text, many values: what a decompression bomb is to a parser."""
    key = new_key("P-256")
    claims = badge(Issuer(did_jwk(key), ISSUER.key), evidence=[1] * 30_000)
    return issue({"alg": "ES256", "typ": "vc+jwt", "kid": "#0"}, claims, key)


def _ob3_without_end() -> str:
    key = new_key("P-256")
    issuer = Issuer(did_jwk(key), ISSUER.key)
    return issue({"alg": "ES256", "jwk": {"n": "A" * 10_000}}, claims_of(badge(issuer)), key)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as running:
        yield running


@pytest.fixture(scope="module")
def real(runner: asyncio.Runner) -> Iterator[Verifier]:
    judges = JudgePool(size=1)
    runner.run(judges.start())
    yield Verifier(
        outbound=OutboundClient(resolver=FakeResolver({})),
        judges=judges,
        own_documents=OwnDocuments(),
        now=lambda: NOW,
    )
    runner.run(judges.close())


@pytest.mark.parametrize(
    ("hostile", "code"),
    [
        (_alike(), "work_budget_exceeded"),
        (_wide(), "work_budget_exceeded"),
        (_deep(), "credential_invalid"),
        (_contexts(), "work_budget_exceeded"),
        (_doubling(), "work_budget_exceeded"),
        (_ob3_without_end(), "verification_method_invalid"),
        (
            badge(ISSUER, proof=[{"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022"}] * 500),
            "too_many_proofs",
        ),
    ],
    ids=["alike", "wide", "deep", "contexts", "values", "header", "proofs"],
)
def test_what_costs_too_much_is_refused_and_the_next_badge_is_not(
    runner: asyncio.Runner, real: Verifier, hostile: Document | str, code: str
) -> None:
    found = runner.run(real.verify(hostile))
    assert code in [each.code for each in found.checks if each.outcome == "failed"]
    assert runner.run(real.verify(sign(badge(ISSUER), ISSUER))).valid


# JSON that two readers may take for two documents. What a parser has let through is read again.


@pytest.mark.parametrize(
    "text",
    [
        '{"id": "urn:a", "id": "urn:b"}',
        '{"credentialSubject": {"a": 1, "\\u0061": 2}}',
        '{"a": 9007199254740993}',
        '{"a": 1e400}',
        '{"a": 0.1000000000000000055511151231257827}',
        '{"a": NaN}',
        '{"a": "\\ud800"}',
        '{"\\udc00": 1}',
        '{"a": "\\u0000"}',
        "\ufeff{}",
    ],
    ids=range(10),
)
def test_ambiguous_json_is_not_read(text: str, tmp_path: Path) -> None:
    found = asyncio.run(alone().verify(forge({"alg": "ES256", "typ": "vc+jwt", "kid": "#0"}, text.encode())))
    assert failed(found) == [("shape", "token_malformed")]
    if not text.startswith("\ufeff"):
        baked = asyncio.run(alone().verify_picture(png_with(text)))
        assert failed(baked) == [("shape", "credential_invalid")]
