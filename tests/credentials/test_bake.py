"""Baked badges over HTTP: what is served, to whom, what becomes of uploaded pictures, and reading them back."""

import json
import struct
import zlib
from typing import Any
from xml.etree.ElementTree import fromstring

import httpx
import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.openbadges.baking import NAMESPACE, bake_png, bake_svg, unbake
from app.openbadges.svg import sanitize_svg
from app.settings import Settings
from tests.builders import achievement_body
from tests.conftest import BASE_URL, KEY, Partner
from tests.house.images import sound_png
from tests.issuing import decided
from tests.web.test_bad_input import assert_problem, on_sqlite

PNG, SVG = {"Content-Type": "image/png"}, {"Content-Type": "image/svg+xml"}
DRAWING = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" onload="alert(1)"><script>alert(1)</script>'
    b'<circle cx="50" cy="50" r="45" fill="#204080"/></svg>'
)
DAMAGED = b"\x89PNG\r\n\x1a\n" + bytes(50)


async def issue(partner: Partner, **changes: Any) -> str:
    """The path of a new badge."""
    return f"/credentials/{(await decided(partner, **changes))['credential']['id']}"


async def with_image(partner: Partner, content: bytes, headers: dict[str, str]) -> dict[str, Any]:
    """Publish the next version with this picture and issue a badge of it: the version, and the badge's `path`."""
    path = f"/v1/achievements/{partner.achievement_id}/versions"
    drafted = await partner.client.post(path, json=achievement_body())
    number = drafted.json()["version"]
    changed = await partner.client.put(f"{path}/{number}/image", content=content, headers=headers)
    assert changed.status_code == 200, changed.text
    published = await partner.client.post(f"{path}/{number}/publish")
    assert published.status_code == 200, published.text
    return {**published.json(), "path": await issue(partner)}


async def test_both_pictures_carry_the_exact_bytes_that_were_signed(partner: Partner, api: httpx.AsyncClient) -> None:
    path = await issue(partner)
    document = await api.get(path)
    png, svg = await api.get(f"{path}/badge.png"), await api.get(f"{path}/badge.svg")
    for answer, media_type in ((png, "image/png"), (svg, "image/svg+xml")):
        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
        assert unbake(answer.content).encode() == document.content
        assert answer.headers["x-content-type-options"] == "nosniff"
        url = str(answer.request.url)
        again = await api.get(
            url, headers={"If-None-Match": answer.headers["etag"], "Origin": "https://wallet.example"}
        )
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["access-control-allow-origin"] == "*"
        assert (await api.head(url)).status_code == 200
    assert svg.headers["content-security-policy"] == (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    )
    # Without an SVG of its own the achievement's PNG is shown inside one.
    [credential, image] = fromstring(svg.content)
    assert credential.tag == f"{{{NAMESPACE}}}credential"
    assert image.attrib["href"].startswith("data:image/png;base64,")


@on_sqlite
async def test_the_page_leads_to_both_pictures(partner: Partner, api: httpx.AsyncClient) -> None:
    path = await issue(partner)
    page = (await api.get(path, headers={"Accept": "text/html"})).text
    for name in ("badge.png", "badge.svg"):
        assert f'{path}/{name}"' in page


async def test_who_may_not_see_a_badge_sees_no_picture(partner: Partner, api: httpx.AsyncClient) -> None:
    settings = await partner.client.put(
        f"/v1/achievements/{partner.achievement_id}/settings", json={"visibility": "private"}
    )
    assert settings.status_code == 200
    path = await issue(partner)
    for hidden in (path, "/credentials/" + "0" * 32):
        for name in ("", "/badge.png", "/badge.svg"):
            assert_problem(await api.get(hidden + name), 404, "not_found")


async def test_a_reissue_changes_the_pictures(partner: Partner, api: httpx.AsyncClient, clock: Any) -> None:
    first = await decided(partner)
    path = f"/credentials/{first['credential']['id']}"
    before = [await api.get(f"{path}/badge.{kind}") for kind in ("png", "svg")]
    clock.advance(seconds=5)
    await decided(partner, supersedes=first["id"], reason="A correction.", narrative="Anew.")
    now = (await api.get(path)).content
    for old in before:
        new = await api.get(str(old.request.url), headers={"If-None-Match": old.headers["etag"]})
        assert new.status_code == 200
        assert unbake(new.content).encode() == now != unbake(old.content).encode()


async def test_an_uploaded_svg_is_made_safe_drawn_and_baked(partner: Partner, api: httpx.AsyncClient) -> None:
    found = await with_image(partner, DRAWING, SVG)
    raster = (await api.get(found["image_url"])).content
    assert raster.startswith(b"\x89PNG")
    document = (await api.get(found["path"])).content
    svg = (await api.get(found["path"] + "/badge.svg")).content
    assert svg == bake_svg(sanitize_svg(DRAWING), document)
    assert b"alert" not in svg
    assert (await api.get(found["path"] + "/badge.png")).content == bake_png(raster, document)
    # The same drawing again, and another one that looks the same, are no conflict.
    again = await with_image(partner, DRAWING.replace(b"<circle", b"<title>T</title><circle"), SVG)
    assert again["image_url"] == found["image_url"]


@on_sqlite
async def test_an_already_baked_upload_loses_what_it_carried(partner: Partner, api: httpx.AsyncClient) -> None:
    path = await issue(partner, external_id="old")
    old = (await api.get(f"{path}/badge.png")).content
    found = await with_image(partner, old, PNG)
    assert old not in (await api.get(found["image_url"])).content
    fresh = (await api.get(found["path"] + "/badge.png")).content
    assert fresh.count(b"openbadgecredential") == 1
    assert unbake(fresh).encode() == (await api.get(found["path"])).content

    drawn = bake_svg(sanitize_svg(DRAWING), b'{"id":"urn:old"}')
    found = await with_image(partner, drawn, SVG)
    fresh = (await api.get(found["path"] + "/badge.svg")).content
    assert b"urn:old" not in fresh
    assert unbake(fresh).encode() == (await api.get(found["path"])).content


def huge_png() -> bytes:
    """20,000 x 20,000 pixels in about 50 KB."""
    pack = zlib.compressobj()
    row = pack.compress(bytes(1 << 20)) + b"".join(pack.compress(bytes(1 << 20)) for _ in range(49)) + pack.flush()
    parts = ((b"IHDR", struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)), (b"IDAT", row), (b"IEND", b""))
    chunks = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def text_bomb() -> bytes:
    """A sound picture with a text chunk that unpacks to 200 MB."""
    data = b"note\0\1\0\0\0" + zlib.compress(bytes(200 << 20))
    chunk = struct.pack(">I", len(data)) + b"iTXt" + data + struct.pack(">I", zlib.crc32(b"iTXt" + data))
    png = sound_png()
    return png[:33] + chunk + png[33:]


@on_sqlite
async def test_bad_uploads_are_refused_and_change_nothing(partner: Partner) -> None:
    path = f"/v1/achievements/{partner.achievement_id}/versions"
    await partner.client.post(path, json=achievement_body())
    before = (await partner.client.get(f"{path}/2")).json()
    doctype = b'<!DOCTYPE svg [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    for content, headers in (
        (huge_png(), PNG),
        (text_bomb(), PNG),
        (DAMAGED, PNG),
        (DRAWING, PNG),
        (sound_png(), SVG),
        (doctype + DRAWING, SVG),
        (DRAWING.replace(b"<circle", b'<image href="https://evil.example/a.png"/><circle'), SVG),
        (DRAWING.replace(b"#204080", b"url(https://evil.example/a.svg#b)"), SVG),
    ):
        refused = assert_problem(
            await partner.client.put(f"{path}/2/image", content=content, headers=headers), 422, "invalid_image"
        )
        assert "evil" not in json.dumps(refused)
    large = await partner.client.put(f"{path}/2/image", content=DRAWING + b" " * (2 << 20), headers=SVG)
    assert_problem(large, 413, "body_too_large")
    assert (await partner.client.get(f"{path}/2")).json() == before


async def verify(api: httpx.AsyncClient, picture: bytes, headers: dict[str, str]) -> dict[str, Any]:
    answer = await api.post("/v1/verify", content=picture, headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@on_sqlite
async def test_verifying_a_picture(partner: Partner, api: httpx.AsyncClient) -> None:
    path = await issue(partner)
    png, svg = (await api.get(f"{path}/badge.png")).content, (await api.get(f"{path}/badge.svg")).content
    by_json = await verify(api, (await api.get(path)).content, {"Content-Type": "application/json"})
    assert by_json["valid"] is True
    for picture, headers in ((png, PNG), (svg, SVG), (svg, {"Content-Type": "image/svg+xml; charset=utf-8"})):
        assert await verify(api, picture, headers) == by_json

    document = json.loads(unbake(png))
    document["credentialSubject"]["achievement"]["name"] = "Something better"
    forged = await verify(api, bake_png(sound_png(), json.dumps(document).encode()), PNG)
    assert [each["code"] for each in forged["checks"] if each["outcome"] == "failed"] == ["signature_invalid"]

    for picture, code in (
        (sound_png(), "credential_invalid"),
        (text_bomb(), "credential_invalid"),
        (huge_png(), "credential_invalid"),
        (DAMAGED, "credential_invalid"),
        (DRAWING, "credential_invalid"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]>' + svg, "credential_invalid"),
        (bake_png(sound_png(), b'{"a": 1, "a": 2}'), "credential_invalid"),
        (bake_png(sound_png(), b"{" + b'"a": {' * 100 + b"}" * 101), "credential_invalid"),
        (svg_with_jwt(), "token_malformed"),
    ):
        found = await verify(api, picture, PNG)
        assert (found["valid"], found["checks"][0]["code"]) == (False, code)


def svg_with_jwt() -> bytes:
    element = f'<o:credential xmlns:o="{NAMESPACE}" verify="a.b.c"/>'.encode()
    return DRAWING.replace(b"<circle", element + b"<circle")


async def test_a_picture_of_ours_is_verified_by_its_address(partner: Partner, api: httpx.AsyncClient) -> None:
    path = await issue(partner)
    for picture in ("badge.png", "badge.svg"):
        answer = await api.post("/v1/verify", json={"url": f"{BASE_URL}{path}/{picture}"})
        assert (answer.status_code, answer.json()["valid"]) == (200, True), answer.text
    answer = await api.post("/v1/verify", json={"url": f"{BASE_URL}{path}/badge.gif"})
    assert (answer.status_code, answer.json()["checks"][0]["code"]) == (200, "credential_unavailable")


@on_sqlite
async def test_a_large_baked_picture_is_read_and_a_larger_one_is_not(api: httpx.AsyncClient) -> None:
    limit = 4 << 20
    found = await verify(api, sound_png() + bytes(limit - len(sound_png())), PNG)
    assert found["checks"][0]["code"] == "credential_invalid"
    assert_problem(await api.post("/v1/verify", content=bytes(limit + 1), headers=PNG), 413, "body_too_large")
    assert_problem(await api.post("/v1/verify", content=b"", headers=PNG), 422, "invalid_body")
    assert_problem(await api.post("/v1/verify", content=DRAWING, headers={"Content-Type": "image/gif"}), 415,
                   "unsupported_media_type")  # fmt: skip
    assert_problem(await api.post("/v1/verify", content=b'"abc"', headers={"Content-Type": "application/json"}), 422,
                   "invalid_body")  # fmt: skip


@on_sqlite
async def test_the_command_verifies_files(partner: Partner, api: httpx.AsyncClient, settings: Settings, tmp_path: Any,
                                          monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """`assay verify FILE`, in a thread: the command runs an event loop of its own."""
    import asyncio

    path = await issue(partner)
    monkeypatch.setenv("ASSAY_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("ASSAY_KEY_ENCRYPTION_KEY", KEY)
    monkeypatch.setenv("ASSAY_PUBLIC_URL", settings.public_url)
    monkeypatch.setenv("ASSAY_LOG_LEVEL", "error")
    for name, content, code in (
        ("badge.png", (await api.get(f"{path}/badge.png")).content, 0),
        ("badge.svg", (await api.get(f"{path}/badge.svg")).content, 0),
        ("plain.png", sound_png(), 1),
        ("jwt.svg", svg_with_jwt(), 1),
    ):
        (tmp_path / name).write_bytes(content)
        run = await asyncio.to_thread(CliRunner().invoke, cli, ["verify", str(tmp_path / name), "--json"])
        assert run.exit_code == code, run.output
        assert json.loads(run.output)["valid"] is (code == 0)


@on_sqlite
async def test_the_pictures_of_an_erased_learner_are_gone(partner: Partner, api: httpx.AsyncClient) -> None:
    decision = await decided(partner)
    path = f"/credentials/{decision['credential']['id']}"
    assert (await api.get(f"{path}/badge.png")).status_code == 200
    erased = await partner.client.post(f"/v1/learners/{decision['learner_id']}/erase")
    assert erased.status_code == 200, erased.text
    for name in ("badge.png", "badge.svg"):
        assert_problem(await api.get(f"{path}/{name}"), 410, "gone")
