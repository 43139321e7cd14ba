"""What the house tests need of the Open Badges API."""

import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from app.identifiers import new_id
from app.net.client import OutboundClient
from app.oauth.scopes import CREDENTIAL_UPSERT
from app.obapi.errors import PREFIX
from app.obapi.store import BadgeHost
from app.resources import Resources
from tests.builders import decision_body
from tests.conftest import Partner
from tests.house.areas.stories import Mistakes, Story
from tests.net.tls_site import LOOPBACK, CertificateAuthority, Site, serve
from tests.people import app_of
from tests.verification.badges import badge, did_key_issuer, sign

_ISSUER = did_key_issuer("elsewhere")
_BADGE = sign(badge(_ISSUER), _ISSUER)


async def ids(partner: Partner, known: dict[str, str]) -> dict[str, str]:
    """One object of every kind that this issuer has, by the name of the parameter that takes its id."""
    world: Resources = app_of(partner.client).state.resources
    me = (await partner.staff.get("/v1/me")).json()
    now, id_ = world.clock.now(), new_id()
    async with world.database.transaction() as session:
        session.add(
            BadgeHost(
                issuer_id=partner.issuer_id, id=id_, learner_id=known["learner_id"], person_id=me["id"],
                url="https://backpack.example.org/ims/ob/v3p0", name="Badge Backpack", state="asked", state_hash=b"",
                asked_until=now + timedelta(minutes=30), sealed_connection=b"", created_at=now, updated_at=now,
            )
        )  # fmt: skip
    return {"badge_host_id": id_}


async def examples(story: Story) -> None:
    """Call every operation once."""
    await story.call("get_service_description")
    story.token = story.known["oauth_token"]  # of the area OAuth 2.0, which comes before
    await story.call("upsert_credential", body=_BADGE)
    await story.call("get_credentials")
    await story.call("get_profile")
    await story.call("put_profile", body={"id": "did:example:ada", "type": ["Profile"], "name": "Ada Example"})
    body = decision_body(story.known["achievement_id"], story.known["panel_id"])
    body["recipient"] = {"email": "ada.lovelace@schools.example.org"}
    system = {"Authorization": f"Bearer {story.client}"}
    decided = await story.http.post("/v1/decisions", json=body, headers=system)
    story.token = story.known["learner_token"]
    async with _open_host(story.world) as site:
        await _push(story, f"localhost:{site.port}", decided.json()["credential"]["id"])
    await story.call("revoke_my_consent")


async def _push(story: Story, host: str, credential_id: str) -> None:
    asked = await story.call("connect_badge_host", body={"url": f"https://{host}"})
    [state] = parse_qs(urlsplit(asked["authorize_url"]).query)["state"]
    bearer = {"Authorization": f"Bearer {story.token}"}
    await story.http.get("/badge-hosts/callback", params={"state": state, "code": "c"}, headers=bearer)
    await story.call("push_badge", badge_host_id=asked["id"], body={"credential_id": credential_id})
    await story.call("list_my_badge_hosts")
    await story.call("disconnect_badge_host", badge_host_id=asked["id"])
    for operation in ("connect_badge_host", "list_my_badge_hosts", "disconnect_badge_host"):
        shown = json.dumps(story.examples[operation]).replace(host, "backpack.example.org")
        story.examples[operation] = json.loads(shown)


@asynccontextmanager
async def _open_host(world: Resources) -> AsyncIterator[Site]:
    """A host that takes everything, which the service can reach meanwhile."""
    with tempfile.TemporaryDirectory() as directory:
        authority = CertificateAuthority(Path(directory))
        async with serve(authority, "localhost") as site:
            _describe(site)
            before, reaching = world.outbound, OutboundClient(allow_networks=[LOOPBACK], ca_file=authority.ca_file)
            object.__setattr__(world, "outbound", reaching)
            try:
                yield site
            finally:
                object.__setattr__(world, "outbound", before)
                await reaching.close()


def _describe(site: Site) -> None:
    base = f"https://localhost:{site.port}"
    scopes = {CREDENTIAL_UPSERT: "Put badges here."}
    flow = {"authorizationUrl": f"{base}/authorize", "tokenUrl": f"{base}/token", "scopes": scopes}
    scheme: dict[str, Any] = {
        "x-imssf-registrationUrl": f"{base}/register",
        "flows": {"authorizationCode": flow},
    }
    description = {"info": {"title": "Badge Backpack"}, "components": {"securitySchemes": {"OAuth2ACG": scheme}}}
    site.put_json(f"{PREFIX}/discovery", description)
    site.put_json("/register", {"client_id": "assay", "client_secret": "secret"})
    site.put_json("/token", {"access_token": "token", "token_type": "Bearer"})
    site.put(f"{PREFIX}/credentials", b"{}", status="201 Created")


async def mistakes(made: Mistakes) -> None:
    """Make every mistake once."""
