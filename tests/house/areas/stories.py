"""How good calls and mistakes are recorded."""

import re
from collections.abc import Mapping
from typing import Any

import httpx
from fastapi import FastAPI

from app.access.clients import create_client
from app.access.principals import Scope
from app.resources import Resources
from tests.builders import panel_body

BASE_URL = "https://badges.example.org"


class Story:
    """Calls operations by their ids, as the operator (`operator`), a partner's system (`client`) or a person who has every role
    (`staff`): `token` says as whom. `known` are ids for the paths."""

    def __init__(self, application: FastAPI) -> None:
        self.world: Resources = application.state.resources
        paths: Mapping[str, Any] = application.openapi()["paths"]
        self._routes = {
            operation["operationId"]: (method, path)
            for path, methods in paths.items()
            for method, operation in methods.items()
        }
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url=BASE_URL)
        self.token = self.operator = self.client = self.staff = ""
        self.known: dict[str, str] = {}
        self.examples: dict[str, Any] = {}

    async def sign_in(self) -> None:
        async with self.world.database.transaction() as session:
            _, self.operator = await create_client(
                session, issuer_id=None, name="operator", scopes={Scope.PLATFORM}, expires_at=None, actor="example",
                now=self.world.clock.now(),
            )  # fmt: skip
        self.token = self.operator

    async def image(self, url: str) -> bytes:
        return (await self.http.get(url)).content

    async def call(self, operation: str, *, body: Any = None, content: bytes | None = None, **path: str) -> Any:
        """Call an operation by its id, keep its first answer as the example, give its value."""
        method, template = self._routes[operation]
        url = re.sub(r"\{(\w+)\}", lambda name: {**self.known, **path}[name[1]], template)
        headers = {"Authorization": f"Bearer {self.token}"}
        if content is not None:
            answer = await self.http.request(
                method, url, content=content, headers={**headers, "Content-Type": "image/png"}
            )
        else:
            answer = await self.http.request(method, url, json=body, headers=headers)
        if answer.status_code not in (200, 201, 202):
            raise RuntimeError(f"{operation}: {answer.status_code} {answer.text}")
        media_type = answer.headers["content-type"].partition(";")[0]
        value = answer.json() if media_type.endswith("json") else answer.text[:400]
        example = {"status": str(answer.status_code), "media_type": media_type, "value": _shown(value)}
        self.examples.setdefault(operation, example)
        return value

    async def call_form(self, operation: str, client: Mapping[str, str], form: Mapping[str, str]) -> Any:
        """Call an operation of OAuth 2.0 with a form, as a registered client."""
        method, path = self._routes[operation]
        auth = (client["client_id"], client["client_secret"])
        answer = await self.http.request(method, path, data=dict(form), auth=auth)
        if answer.status_code != 200:
            raise RuntimeError(f"{operation}: {answer.status_code} {answer.text}")
        value = answer.json()
        example = {"status": "200", "media_type": "application/json", "value": _shown(value)}
        self.examples.setdefault(operation, example)
        return value


_SECRETS = ("token", "access_token", "refresh_token", "client_secret")


def _shown(value: Any) -> Any:
    """The value without what must not look like a real secret in a published document."""
    if not isinstance(value, dict):
        return value
    return {name: "assay_…" if name in _SECRETS and each else each for name, each in value.items()}


class Mistakes:
    """A client, and the problems it was answered with. `staff` is a client of a person who has every role."""

    def __init__(self, application: FastAPI, token: str) -> None:
        self._application = application
        transport = httpx.ASGITransport(application)
        headers = {"Authorization": f"Bearer {token}"}
        self.client = httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers, timeout=60)
        self.staff = self.client
        self.world: Resources = application.state.resources
        self.made: dict[str, Any] = {}

    def sign_in(self, token: str) -> None:
        """From here on `staff` is the person with this token."""
        headers = {"Authorization": f"Bearer {token}"}
        self.staff = httpx.AsyncClient(
            transport=httpx.ASGITransport(self._application), base_url=BASE_URL, headers=headers, timeout=60
        )

    async def make(self, code: str, method: str, path: str, *, as_person: bool = False, **request: Any) -> None:
        """Send what must be refused with this code, and keep the answer."""
        answer = await (self.staff if as_person else self.client).request(method, path, **request)
        document: Mapping[str, Any] = answer.json()
        if document.get("code") != code:
            raise RuntimeError(f"{method} {path} was to be answered {code}: {answer.status_code} {answer.text}")
        example = {"request": f"{method} {answer.request.url.raw_path.decode()}", "answer": document}
        self.made.setdefault(code, example)  # areas may share a problem: the first shows it

    async def panel(self) -> str:
        made = await self.client.post("/v1/panels", json=panel_body())
        return str(made.json()["id"])
