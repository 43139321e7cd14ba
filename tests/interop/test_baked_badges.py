"""Baked badges between Assay and other people's software, in both directions."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from openbadgeslib.baking import ITXT_KEYWORD_OB3, SVG_ELEMENT_OB3, SVG_NS_OB3, bake_png, bake_svg
from openbadgeslib.verify import verify_badge

from app.openbadges.baking import unbake
from tests.conftest import Partner
from tests.credentials.test_bake import DRAWING, PNG, SVG, issue, verify, with_image
from tests.fakes import FixedClock
from tests.house.images import sound_png
from tests.interop.test_harness import Issuer
from tests.interop.verifier_core import verify_with_verifier_core
from tests.web.test_bad_input import on_sqlite

pytestmark = on_sqlite

THEIR_BAKING: dict[str, Callable[[bytes, str], bytes]] = {
    "png": lambda picture, text: bake_png(picture, text, keyword=ITXT_KEYWORD_OB3),
    "svg": lambda picture, text: bake_svg(
        picture, text, element=SVG_ELEMENT_OB3, namespace=SVG_NS_OB3, as_text=True, comment=" baked elsewhere "
    ),
}
PICTURE = {"png": sound_png(), "svg": DRAWING}


def unsecured(issuer: Issuer) -> dict[str, Any]:
    return {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        ],
        "id": "urn:uuid:52e1ab37-5bd5-4f6d-b8ce-1f2c8cdd4cd2",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": issuer.did, "type": ["Profile"], "name": "Another school"},
        "validFrom": "2026-01-01T00:00:00Z",
        "name": "Fair grading ]]> <&>",
        "credentialSubject": {
            "id": "did:example:learner",
            "type": ["AchievementSubject"],
            "achievement": {
                "id": "https://school.example/achievements/fair-grading",
                "type": ["Achievement"],
                "name": "Fair grading",
                "description": "Grades what was learned.",
                "criteria": {"narrative": "Shows it twice."},
            },
        },
    }


async def test_openbadgeslib_says_that_our_baked_badges_are_valid(partner: Partner, api: httpx.AsyncClient) -> None:
    paths = [await issue(partner), (await with_image(partner, DRAWING, SVG))["path"]]
    for path in paths:
        document = (await api.get(path)).content
        for name in ("badge.png", "badge.svg"):
            baked = (await api.get(f"{path}/{name}")).content
            verdict = verify_badge(baked, "3", resolve_did=True)
            assert verdict.valid, verdict.reason
            assert verdict.proof_format == "ldp"
            assert verdict.issuer_did == json.loads(document)["issuer"]["id"]
            assert unbake(baked).encode() == document
            forged = baked.replace(b"Implementing Equitable", b"Implementing Excellent")
            assert not verify_badge(forged, "3", resolve_did=True).valid


@pytest.mark.parametrize("kind", ["png", "svg"])
async def test_what_openbadgeslib_baked_is_unbaked_and_accepted(
    api: httpx.AsyncClient, clock: FixedClock, kind: str
) -> None:
    issuer = Issuer()
    clock.advance(days=3650)  # past the moment at which openbadgeslib, which has a real clock, signs
    text = json.dumps(issuer.sign(unsecured(issuer)), ensure_ascii=False)
    baked = THEIR_BAKING[kind](PICTURE[kind], text)
    assert unbake(baked) == text
    [result] = verify_with_verifier_core([json.loads(unbake(baked))])
    assert result["steps"]["valid_signature"] is True, result
    assert result["steps"].get("schema_check", True) is True, result
    ours = await verify(api, baked, SVG if kind == "svg" else PNG)
    assert ours["valid"] is True, ours
    forged = await verify(api, THEIR_BAKING[kind](PICTURE[kind], text.replace("Shows it twice", "Shows it once")), PNG)
    assert forged["valid"] is False


async def test_a_credential_with_the_end_of_cdata_in_it(partner: Partner, api: httpx.AsyncClient) -> None:
    path = await issue(partner, narrative="It ends ]]> here, and <b>there</b> & \\u003e ]]\\u003e.")
    document = (await api.get(path)).content
    assert b"]]>" in document
    png, svg = [(await api.get(f"{path}/badge.{kind}")).content for kind in ("png", "svg")]
    assert unbake(png).encode() == document
    assert json.loads(unbake(svg)) == json.loads(document)
    assert svg.count(b"]]>") == 1
    for baked, headers in ((png, PNG), (svg, SVG)):
        assert verify_badge(baked, "3", resolve_did=True).valid
        assert (await verify(api, baked, headers))["valid"] is True
