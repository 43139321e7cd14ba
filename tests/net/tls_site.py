"""A TLS server of the test's own, with a certificate authority made for the occasion.

A site answers each path with the raw bytes given for it, so that a test can misbehave in any way a stranger can.
"""

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, ip_address, ip_network
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.net.addresses import IPAddress
from app.net.client import OutboundClient

LOOPBACK = ip_network("127.0.0.1/32")
Respond = Callable[[asyncio.StreamWriter], Awaitable[None]]


class CertificateAuthority:
    """`ca_file` is its certificate; `issue` writes a server's certificate and key and returns their files."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A certificate authority for one test run")])
        certificate = (
            self._builder(self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.ca_file = directory / "ca.pem"
        self.ca_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, *names: str) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]), key)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        certificate_file, key_file = self._directory / f"{names[0]}.pem", self._directory / f"{names[0]}.key"
        certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return certificate_file, key_file

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
        )


class FakeResolver:
    """Answers each name with its next list of addresses, the last one for ever; keeps what it was asked."""

    def __init__(self, answers: dict[str, Sequence[Sequence[str]]]) -> None:
        self._answers = {name: [list(map(ip_address, each)) for each in lists] for name, lists in answers.items()}
        self.asked: list[str] = []

    async def resolve(self, host: str) -> Sequence[IPAddress]:
        self.asked.append(host)
        if host not in self._answers:
            raise OSError("no such name")
        lists = self._answers[host]
        return lists.pop(0) if len(lists) > 1 else lists[0]

    def close(self) -> None:
        pass


class Site:
    """What `serve` yields: `port`, the requests seen (head as text; body of those that have one), and the answers by path."""

    def __init__(self) -> None:
        self.port = 0
        self.answers: dict[str, Respond] = {}
        self.requests: list[str] = []
        self.bodies: list[bytes] = []

    def put(self, path: str, body: bytes, *, status: str = "200 OK", headers: Sequence[str] = ()) -> None:
        head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers])

        async def respond(writer: asyncio.StreamWriter) -> None:
            writer.write(head.encode() + b"\r\n\r\n" + body)
            await writer.drain()

        self.answers[path] = respond

    def put_json(self, path: str, document: dict[str, Any]) -> None:
        self.put(path, json.dumps(document).encode(), headers=["Content-Type: application/json; charset=utf-8"])

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(head)
            if length := re.search(r"^content-length: (\d+)", head, re.IGNORECASE | re.MULTILINE):
                self.bodies.append(await reader.readexactly(int(length[1])))
            await self.answers[head.split(" ")[1]](writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client went away, as several tests want it to
        finally:
            writer.close()


@asynccontextmanager
async def serve(
    authority: CertificateAuthority, *names: str, address: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Site]:
    """A site at `address` whose certificate is for `names`."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*authority.issue(*names))
    site = Site()
    server = await asyncio.start_server(site.handle, address, port, ssl=tls)
    site.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def client_for(
    authority: CertificateAuthority, *names: str, resolver: FakeResolver | None = None, deadline_seconds: float = 5.0
) -> AsyncIterator[OutboundClient]:
    """A client that finds `names` at 127.0.0.1, may go there, and trusts the authority."""
    client = OutboundClient(
        resolver=resolver or FakeResolver({name: [["127.0.0.1"]] for name in names}),
        allow_networks=[LOOPBACK],
        ca_file=authority.ca_file,
        deadline_seconds=deadline_seconds,
    )
    try:
        yield client
    finally:
        await client.close()


def loopback(last: int) -> str:
    return str(IPv4Address("127.0.0.0") + last)
