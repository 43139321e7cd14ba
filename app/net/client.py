"""The one outbound HTTP client: GET and POST, https, public addresses only.

A name is resolved once, every address it has is checked, and the connection goes to a checked address, so a name that
changes its answer between check and connection (DNS rebinding) gains nothing. The certificate is still checked against
the name. Redirects are not followed, nothing is read from the environment, no cookie is ever sent, and a credential only where
the caller gives one: a client's secret or an access token, to the host that it is for.
"""

import asyncio
import ipaddress
import re
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar, Literal, Protocol

import httpx

from app.errors import InvalidInput, Unavailable
from app.net.addresses import IPAddress, IPNetwork, is_public

USER_AGENT = "Assay/1 (Open Badges verifier)"
DEADLINE_SECONDS = 5.0
MAX_PARALLEL = 8
MAX_URL_LENGTH = 2048
MAX_ADDRESSES_TRIED = 3
CONNECT_SECONDS = 2.0

# RFC 3986 characters only: white space, control characters and backslashes are where URL parsers disagree.
_URL = re.compile(r"https://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+", re.ASCII)
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
# "127.1", "0x7f.1", "2130706433": the C library reads these as addresses. A registered name never ends in a number.
_NUMERIC_LABEL = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)", re.ASCII | re.IGNORECASE)


class FetchRefused(InvalidInput):
    """The URL is one this client does not fetch. The text is the same for every reason, so that nothing is learned."""

    code: ClassVar[str] = "fetch_refused"

    def __init__(self) -> None:
        super().__init__(
            "This URL is not fetched. It must be https on port 443, without a user name, and its host must have public "
            "addresses only."
        )


class FetchFailed(Unavailable):
    """The host gave no usable answer. The text is the same for every way of failing, so that nothing is learned."""

    code: ClassVar[str] = "fetch_failed"

    def __init__(self) -> None:
        super().__init__(
            "The URL could not be fetched. Its host must answer within 5 seconds, over TLS with a valid certificate, "
            "with status 200, without a redirect and with a document within the size limit."
        )


class FetchGone(FetchFailed):
    """The host says that the document is gone for good (status 410, RFC 9110 section 15.5.11), by which some standards revoke.

    It is told apart for callers who must know; for everybody else it is a failure like any other.
    """


@dataclass(frozen=True, slots=True)
class Fetched:
    """`media_type` is lower case and without parameters, "" when none was sent; `body` is decoded.

    `max_age` is how long a copy may be kept, in seconds, None where the host says nothing of it. `status` is 200 but for what
    `post` gets.
    """

    url: str
    media_type: str
    body: bytes
    max_age: int | None = None
    status: int = 200


class Resolver(Protocol):
    async def resolve(self, host: str) -> Sequence[IPAddress]:
        """Every address of `host`, an ASCII name. Raises OSError when it has none."""
        ...

    def close(self) -> None: ...


class SystemResolver:
    """The operating system's resolver, on threads of its own.

    A name server that never answers holds a thread for as long as it likes; it must not be one that other work needs.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(MAX_PARALLEL, thread_name_prefix="resolver")

    async def resolve(self, host: str) -> Sequence[IPAddress]:
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        )
        # dict: the resolver's order of preference, each address once
        return list(dict.fromkeys(ipaddress.ip_address(entry[4][0]) for entry in found))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Target:
    url: httpx.URL
    host: str
    port: int
    addresses: Sequence[IPAddress]


@dataclass(frozen=True, slots=True)
class _Request:
    method: Literal["GET", "POST"]
    accept: str
    max_bytes: int
    form: bytes | None = None
    basic: tuple[str, str] | None = None
    media_type: str = "application/x-www-form-urlencoded"
    bearer: str | None = None
    any_status: bool = False


class OutboundClient:
    """Fetches documents from strangers.

    `allow_networks`: networks that may be reached although they are not public, on any port (intranets, tests).
    `ca_file`: PEM file of certificate authorities trusted beside the well-known ones.
    """

    def __init__(
        self,
        *,
        resolver: Resolver | None = None,
        allow_networks: Iterable[IPNetwork] = (),
        ca_file: Path | None = None,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._resolver: Resolver = resolver or SystemResolver()
        self._allow_networks = tuple(allow_networks)
        self._deadline_seconds = deadline_seconds
        self._slots = asyncio.Semaphore(MAX_PARALLEL)
        self._tls = _trust_well_known() if ca_file is None else _trust_also(ca_file)

    async def get(self, url: str, *, accept: str, max_bytes: int = 1 << 20) -> Fetched:
        """The document at `url`, at most `max_bytes` of it after decoding.

        Raises FetchRefused when the URL is not one to fetch, FetchFailed when it cannot be had within the deadline.
        """
        return await self._request(url, _Request("GET", accept, max_bytes))

    async def post_form(
        self, url: str, form: str, *, accept: str, basic: tuple[str, str] | None = None, max_bytes: int = 1 << 16
    ) -> Fetched:
        """The answer to a form (application/x-www-form-urlencoded), sent once. `basic`: user and password (RFC 7617).

        Raises as `get`.
        """
        return await self._request(url, _Request("POST", accept, max_bytes, form.encode("ascii"), basic))

    async def post(
        self,
        url: str,
        body: bytes,
        *,
        media_type: str,
        accept: str,
        bearer: str | None = None,
        max_bytes: int = 1 << 20,
    ) -> Fetched:
        """The answer to a body, sent once, whatever its status. `bearer`: an access token (RFC 6750) for this host.

        Raises as `get`, but for the status.
        """
        request = _Request("POST", accept, max_bytes, body, media_type=media_type, bearer=bearer, any_status=True)
        return await self._request(url, request)

    async def _request(self, url: str, request: _Request) -> Fetched:
        target_url, port = _parse(url)
        try:
            async with asyncio.timeout(self._deadline_seconds), self._slots:
                target = await self._check(target_url, port)
                return await self._fetch(target, url, request)
        except (TimeoutError, OSError, httpx.HTTPError, httpx.InvalidURL, zlib.error):
            raise FetchFailed from None

    async def close(self) -> None:
        """Let go of the resolver's threads. Connections are never kept, so there are none to close."""
        self._resolver.close()

    async def _check(self, url: httpx.URL, port: int) -> _Target:
        """Resolve and judge *all* addresses: one private address among public ones is an attack, not a mistake."""
        host = url.raw_host.decode("ascii")
        try:
            addresses = _literal(host) or await self._resolver.resolve(host)
        except (OSError, UnicodeError):
            # The same answer as for a private address, else the internal name service could be read from outside.
            raise FetchRefused from None
        allowed = [any(address in network for network in self._allow_networks) for address in addresses]
        public = port == 443 and all(ok or is_public(address) for ok, address in zip(allowed, addresses, strict=True))
        if not addresses or not 0 < port < 1 << 16 or not (public or all(allowed)):
            raise FetchRefused
        return _Target(url, host, port, addresses)

    async def _fetch(self, target: _Target, url: str, request: _Request) -> Fetched:
        for address in target.addresses[:MAX_ADDRESSES_TRIED]:
            try:
                return await self._fetch_from(address, target, url, request)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        raise FetchFailed

    async def _fetch_from(self, address: IPAddress, target: _Target, url: str, request: _Request) -> Fetched:
        # A client for each fetch: a kept connection is found again by address, so the next name on the same address
        # would travel on it without its certificate having been checked.
        async with (
            httpx.AsyncClient(
                verify=self._tls,
                trust_env=False,
                follow_redirects=False,
                timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            ) as http,
            http.stream(
                request.method,
                target.url.copy_with(host=str(address), fragment=None),
                headers={
                    "Host": target.url.netloc.decode("ascii"),
                    "User-Agent": USER_AGENT,
                    "Accept": request.accept,
                    "Accept-Encoding": "identity",
                    "Connection": "close",
                    **({} if request.form is None else {"Content-Type": request.media_type}),
                    **({} if request.bearer is None else {"Authorization": f"Bearer {request.bearer}"}),
                },
                content=request.form,
                auth=request.basic,
                extensions={"sni_hostname": target.host.strip("[]")},
            ) as response,
        ):
            if response.status_code != 200 and not request.any_status:
                raise FetchGone if response.status_code == 410 else FetchFailed
            body = await _read(response, request.max_bytes)
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        max_age = _read_max_age(response.headers.get("cache-control", ""))
        return Fetched(url, media_type, body, max_age, response.status_code)


@cache
def _trust_well_known() -> ssl.SSLContext:
    """Reading the authorities takes 20 ms, so it is done once."""
    return httpx.create_ssl_context(trust_env=False)


def _trust_also(ca_file: Path) -> ssl.SSLContext:
    tls = httpx.create_ssl_context(trust_env=False)
    tls.load_verify_locations(ca_file)
    return tls


def is_fetchable(url: str) -> bool:
    """Whether this is an https URL that an honest host would publish. Where it leads shows when it is fetched."""
    try:
        _parse(url)
    except FetchRefused:
        return False
    return True


def _parse(text: str) -> tuple[httpx.URL, int]:
    """The URL and its port. Raises FetchRefused for anything that no honest issuer would publish."""
    if len(text) > MAX_URL_LENGTH or not _URL.fullmatch(text):
        raise FetchRefused
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError):
        raise FetchRefused from None
    host = url.raw_host.decode("ascii")
    # httpx forgets an empty user name ("https://@host/"), so the text is asked.
    if url.userinfo or "@" in text.split("/")[2] or not (_literal(host) or _is_name(host)):
        raise FetchRefused
    return url, 443 if url.port is None else url.port


def _is_name(host: str) -> bool:
    return (
        len(host) <= 253 and _NAME.fullmatch(host) is not None and not _NUMERIC_LABEL.fullmatch(host.rpartition(".")[2])
    )


def _literal(host: str) -> list[IPAddress] | None:
    """The address that `host` is written as, or None when it is a name."""
    try:
        return [ipaddress.ip_address(host.strip("[]"))]
    except ValueError:
        return None


def _read_max_age(cache_control: str) -> int | None:
    """RFC 9111, section 5.2.2, for a cache that several people share."""
    said = {
        name.lower(): value.strip('"')
        for name, _, value in (each.strip().partition("=") for each in cache_control.split(","))
    }
    if said.keys() & {"no-store", "no-cache", "private"}:
        return 0
    age = said.get("s-maxage", said.get("max-age", ""))
    return int(age) if re.fullmatch(r"[0-9]{1,9}", age, re.ASCII) else None


async def _read(response: httpx.Response, max_bytes: int) -> bytes:
    """The decoded body. The limit is kept while decoding, so a bomb costs no more memory than an honest document."""
    match response.headers.get("content-encoding", "identity").strip().lower():
        case "identity" | "":
            return await _collect(response.aiter_raw(), max_bytes)
        case "gzip" | "x-gzip":
            return _gunzip(await _collect(response.aiter_raw(), max_bytes), max_bytes)
        case _:
            raise FetchFailed


async def _collect(chunks: AsyncIterator[bytes], max_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > max_bytes:
            raise FetchFailed
    return bytes(body)


def _gunzip(data: bytes, max_bytes: int) -> bytes:
    """One whole gzip member of at most `max_bytes`. Raises FetchFailed or zlib.error otherwise."""
    decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
    body = decoder.decompress(data, max_bytes + 1)
    if len(body) > max_bytes or not decoder.eof or decoder.unused_data:
        raise FetchFailed
    return body
