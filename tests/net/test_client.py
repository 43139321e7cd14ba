import asyncio
import socket
import sys
import tracemalloc
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from app.net.addresses import IPAddress, IPNetwork, is_public
from app.net.client import MAX_PARALLEL, FetchFailed, FetchRefused, OutboundClient
from tests.net.tls_site import CertificateAuthority, FakeResolver, client_for, loopback, serve

NAME = "badges.example"

NOT_FETCHED = [
    "http://example.com/",
    "https://example.com:8443/",
    "https://user:password@example.com/",
    "https://@example.com/",
    "https://a@127.0.0.1/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://0/",
    "https://0.0.0.0/",
    "https://10.0.0.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://192.88.99.1/",
    "https://224.0.0.1/",
    "https://localhost/",
    "https://[::]/",
    "https://[::1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    "https://[fe80::1%25eth0]/",
    "https://[fd00::1]/",
    "https://[ff02::1]/",
    "https://example.com\\@127.0.0.1/",
    "https://127.0.0.1\t/",
    "https://exämple.com/",
    "https:///path",
    "https://",
    "https://example.com/" + "a" * 2048,
    "file:///etc/passwd",
    "ftp://example.com/",
    "",
]


class ConnectionSpy:
    def __init__(self) -> None:
        self.active = False
        self.seen: list[object] = []

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.active and event == "socket.connect":
            self.seen.append(arguments[1])


_SPY = ConnectionSpy()
sys.addaudithook(_SPY)


@contextmanager
def connections() -> Iterator[list[object]]:
    """Every address this process connects to meanwhile, as the interpreter itself reports it."""
    _SPY.seen, _SPY.active = [], True
    try:
        yield _SPY.seen
    finally:
        _SPY.active = False


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("ca"))


@pytest.mark.parametrize("url", NOT_FETCHED)
def test_private_and_odd_urls_are_refused_without_a_connection(url: str) -> None:
    async def story() -> None:
        client = OutboundClient()
        with connections() as seen, pytest.raises(FetchRefused):
            await client.get(url, accept="application/json")
        await client.close()
        assert seen == []

    asyncio.run(story())


def test_the_spy_sees_a_connection(authority: CertificateAuthority) -> None:
    async def story() -> None:
        async with serve(authority, NAME) as site, client_for(authority, NAME) as client:
            site.put("/a", b"")
            with connections() as seen:
                await client.get(f"https://{NAME}:{site.port}/a", accept="*/*")
            assert seen == [("127.0.0.1", site.port)]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("2620:4f:8000::1", True),
        ("192.168.1.1", False),
        ("198.51.100.1", False),
        ("240.0.0.1", False),
        ("239.1.1.1", False),
        ("192.88.99.1", False),
        ("::ffff:8.8.8.8", False),
        ("::8.8.8.8", False),
        ("64:ff9b::808:808", False),
        ("64:ff9b:1::808:808", False),
        ("2002:808:808::1", False),
        ("2001::1", False),
        ("2001:db8::1", False),
        ("3fff::1", False),
        ("5f00::1", False),
        ("fec0::1", False),
        ("ff0e::1", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(ip_address(address)) is public


def test_a_document_is_fetched_from_the_address_under_the_name(authority: CertificateAuthority) -> None:
    async def story() -> None:
        async with serve(authority, NAME) as site, client_for(authority, NAME) as client:
            site.put("/did.json?x=1", b'{"a":1}', headers=["Content-Type: Application/DID+json; charset=utf-8"])
            url = f"https://{NAME}:{site.port}/did.json?x=1#key"
            fetched = await client.get(url, accept="application/did+json")
            assert (fetched.url, fetched.media_type, fetched.body) == (url, "application/did+json", b'{"a":1}')
            [head] = site.requests
            assert f"host: {NAME}:{site.port}\r\n" in head.lower()
            assert "accept: application/did+json\r\n" in head.lower()
            assert "user-agent: assay/" in head.lower()
            assert "#" not in head

    asyncio.run(story())


def test_the_certificate_must_be_for_the_name(authority: CertificateAuthority) -> None:
    async def story() -> None:
        async with serve(authority, NAME) as site, client_for(authority, NAME, "other.example") as client:
            site.put("/", b"{}")
            assert (await client.get(f"https://{NAME}:{site.port}/", accept="*/*")).body == b"{}"
            # at once afterwards: a kept connection to the same address must not serve the other name
            with pytest.raises(FetchFailed):
                await client.get(f"https://other.example:{site.port}/", accept="*/*")
            assert len(site.requests) == 1

    asyncio.run(story())


def test_an_unknown_certificate_authority_is_refused(authority: CertificateAuthority, tmp_path: Path) -> None:
    stranger = CertificateAuthority(tmp_path)

    async def story() -> None:
        async with serve(authority, NAME) as site, client_for(stranger, NAME) as client:
            site.put("/", b"{}")
            with pytest.raises(FetchFailed):
                await client.get(f"https://{NAME}:{site.port}/", accept="*/*")
            assert site.requests == []

    asyncio.run(story())


def test_rebinding_gains_nothing(authority: CertificateAuthority) -> None:
    """The first answer is allowed, every later one is not: one lookup per fetch, one check per lookup."""

    async def story() -> None:
        resolver = FakeResolver({NAME: [[loopback(1)], [loopback(2)]]})
        async with (
            serve(authority, NAME) as site,
            serve(authority, NAME, address=loopback(2), port=site.port) as inside,
            client_for(authority, resolver=resolver) as client,
        ):
            site.put("/", b"outside")
            inside.put("/", b"inside")
            url = f"https://{NAME}:{site.port}/"
            assert (await client.get(url, accept="*/*")).body == b"outside"
            assert resolver.asked == [NAME]
            with pytest.raises(FetchRefused):
                await client.get(url, accept="*/*")
            assert inside.requests == []

    asyncio.run(story())


@pytest.mark.parametrize("addresses", [["93.184.216.34", "127.0.0.1"], ["127.0.0.1", "93.184.216.34"], []])
def test_one_private_address_among_public_ones_refuses_the_name(addresses: list[str]) -> None:
    async def story() -> None:
        client = OutboundClient(resolver=FakeResolver({NAME: [addresses]}))
        with connections() as seen, pytest.raises(FetchRefused):
            await client.get(f"https://{NAME}/", accept="*/*")
        assert seen == []

    asyncio.run(story())


def test_an_address_that_does_not_answer_is_passed_over(authority: CertificateAuthority) -> None:
    async def story() -> None:
        resolver = FakeResolver({NAME: [[loopback(3), loopback(1)]]})
        async with serve(authority, NAME) as site:
            client = OutboundClient(
                resolver=resolver,
                allow_networks=[_network(loopback(1)), _network(loopback(3))],
                ca_file=authority.ca_file,
            )
            site.put("/", b"{}")
            assert (await client.get(f"https://{NAME}:{site.port}/", accept="*/*")).body == b"{}"

    asyncio.run(story())


def test_refused_open_and_closed_ports_answer_alike(authority: CertificateAuthority) -> None:
    """Neither the words nor the code tell whether something listens, or whether a name exists inside."""

    async def story() -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            closed = probe.getsockname()[1]
        async with serve(authority, "localhost") as site:
            client = OutboundClient(
                resolver=FakeResolver({"inside.example": [["10.0.0.1"]]}), ca_file=authority.ca_file
            )
            answers = set()
            for authority_part in (f"127.0.0.1:{site.port}", f"127.0.0.1:{closed}", "inside.example", "absent.example"):
                with pytest.raises(FetchRefused) as caught:
                    await client.get(f"https://{authority_part}/", accept="*/*")
                answers.add((caught.value.code, caught.value.detail, caught.value.faults, caught.value.cure))
            assert len(answers) == 1
            assert site.requests == []

    asyncio.run(story())


def test_ways_of_failing_answer_alike(authority: CertificateAuthority) -> None:
    async def story() -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            closed = probe.getsockname()[1]
        async with serve(authority, NAME) as site, client_for(authority, NAME) as client:
            site.put("/missing", b"secret text", status="404 Not Found")
            site.put("/moved", b"", status="302 Found", headers=["Location: https://127.0.0.1/"])
            site.put("/broken", b"\x1f\x8bnot gzip", headers=["Content-Encoding: gzip"])
            site.put("/strange", b"{}", headers=["Content-Encoding: br"])
            urls = [f"https://{NAME}:{site.port}/{path}" for path in ("missing", "moved", "broken", "strange")]
            answers = set()
            for url in [*urls, f"https://{NAME}:{closed}/"]:
                with pytest.raises(FetchFailed) as caught:
                    await client.get(url, accept="*/*")
                answers.add((caught.value.code, str(caught.value)))
            assert len(answers) == 1

    asyncio.run(story())


def test_a_redirect_is_not_followed(authority: CertificateAuthority) -> None:
    async def story() -> None:
        async with serve(authority, NAME) as site, client_for(authority, NAME) as client:
            site.put("/target", b"{}")
            site.put("/moved", b"", status="301 Moved", headers=[f"Location: https://127.0.0.1:{site.port}/target"])
            with connections() as seen, pytest.raises(FetchFailed):
                await client.get(f"https://{NAME}:{site.port}/moved", accept="*/*")
            assert len(seen) == 1

    asyncio.run(story())


def test_a_cookie_is_not_sent_back(authority: CertificateAuthority) -> None:
    async def story() -> None:
        async with serve(authority, NAME) as site, client_for(authority, NAME) as client:
            site.put("/", b"{}", headers=["Set-Cookie: a=b; Path=/"])
            for _ in range(2):
                await client.get(f"https://{NAME}:{site.port}/", accept="*/*")
            assert not any("cookie" in head.lower() for head in site.requests)

    asyncio.run(story())


def test_the_environment_chooses_no_proxy(authority: CertificateAuthority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")

    async def story() -> None:
        async with serve(authority, NAME) as site, client_for(authority, NAME) as client:
            site.put("/", b"{}")
            assert (await client.get(f"https://{NAME}:{site.port}/", accept="*/*")).body == b"{}"

    asyncio.run(story())


@pytest.mark.timeout(60)
@pytest.mark.parametrize("where", ["head", "body"])
def test_a_slow_drip_ends_at_the_deadline(authority: CertificateAuthority, where: str) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n" + (b"Content-Length: 1000000\r\n\r\n" if where == "body" else b"X-Slow: "))
        while True:
            writer.write(b"a")
            await writer.drain()
            await asyncio.sleep(0.05)

    async def story() -> None:
        async with serve(authority, NAME) as site, client_for(authority, NAME, deadline_seconds=0.5) as client:
            site.answers["/"] = drip
            with pytest.raises(FetchFailed):
                await client.get(f"https://{NAME}:{site.port}/", accept="*/*")

    asyncio.run(story())


def test_a_resolver_that_never_answers_ends_at_the_deadline() -> None:
    class Silent(FakeResolver):
        async def resolve(self, host: str) -> Sequence[IPAddress]:
            await asyncio.sleep(60)
            return []

    async def story() -> None:
        client = OutboundClient(resolver=Silent({}), deadline_seconds=0.2)
        with pytest.raises(FetchFailed):
            await client.get(f"https://{NAME}/", accept="*/*")

    asyncio.run(story())


@pytest.mark.parametrize(("size", "fits"), [(1000, True), (1001, False)])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_the_size_limit_is_exact_and_counts_decoded_bytes(
    authority: CertificateAuthority, size: int, fits: bool, encoding: str
) -> None:
    async def story() -> None:
        async with serve(authority, NAME) as site, client_for(authority, NAME) as client:
            body = b"a" * size
            sent = _gzip(body) if encoding == "gzip" else body
            site.put("/", sent, headers=[f"Content-Encoding: {encoding}"])
            url = f"https://{NAME}:{site.port}/"
            if fits:
                assert (await client.get(url, accept="*/*", max_bytes=1000)).body == body
            else:
                with pytest.raises(FetchFailed):
                    await client.get(url, accept="*/*", max_bytes=1000)

    asyncio.run(story())


def test_an_endless_body_is_cut_off(authority: CertificateAuthority) -> None:
    sent = 0

    async def pour(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            writer.write(b"a" * 65536)
            await writer.drain()
            sent += 65536

    async def story() -> None:
        async with serve(authority, NAME) as site, client_for(authority, NAME) as client:
            site.answers["/"] = pour
            with pytest.raises(FetchFailed):
                await client.get(f"https://{NAME}:{site.port}/", accept="*/*")
            assert sent < 16 << 20

    asyncio.run(story())


def test_a_gzip_bomb_costs_little_memory(authority: CertificateAuthority) -> None:
    compressor = zlib.compressobj(1, zlib.DEFLATED, 31)
    block = bytes(1 << 20)
    bomb = b"".join(compressor.compress(block) for _ in range(128)) + compressor.flush()
    assert len(bomb) < 1 << 20

    async def story() -> None:
        async with serve(authority, NAME) as site, client_for(authority, NAME) as client:
            site.put("/", bomb, headers=["Content-Encoding: gzip"])
            tracemalloc.start()
            with pytest.raises(FetchFailed):
                await client.get(f"https://{NAME}:{site.port}/", accept="*/*")
            assert tracemalloc.get_traced_memory()[1] < 16 << 20

    try:
        asyncio.run(story())
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("tail", ["second member", "cut off"])
def test_gzip_must_be_one_whole_member(authority: CertificateAuthority, tail: str) -> None:
    whole = _gzip(b"{}")

    async def story() -> None:
        async with serve(authority, NAME) as site, client_for(authority, NAME) as client:
            site.put("/", whole * 2 if tail == "second member" else whole[:-4], headers=["Content-Encoding: gzip"])
            with pytest.raises(FetchFailed):
                await client.get(f"https://{NAME}:{site.port}/", accept="*/*")

    asyncio.run(story())


def test_only_so_many_fetches_at_a_time(authority: CertificateAuthority) -> None:
    at_once, most = 0, 0

    async def count(writer: asyncio.StreamWriter) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.05)
        at_once -= 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async def story() -> None:
        async with serve(authority, NAME) as site, client_for(authority, NAME) as client:
            site.answers["/"] = count
            url = f"https://{NAME}:{site.port}/"
            await asyncio.gather(*(client.get(url, accept="*/*") for _ in range(20)))
        assert most == MAX_PARALLEL

    asyncio.run(story())


def _gzip(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=31)
    return compressor.compress(body) + compressor.flush()


def _network(address: str) -> IPNetwork:
    return ip_network(address)
