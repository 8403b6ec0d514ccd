"""Real servers on the loopback that do exactly what a test says, byte by byte, and the certificates for them."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import gevent
import gevent.socket
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from gevent.server import StreamServer
from gevent.ssl import SSLContext

from mop_locust.protocol import frames
from mop_locust.transports.deadline import Deadline


def soon(seconds: float = 5.0) -> Deadline:
    """A deadline that a working test never reaches."""
    return Deadline.after(seconds)


@dataclass
class Request:
    """One HTTP request as the server read it; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Peer:
    """The server's end of one connection; `number` counts connections from 1."""

    def __init__(self, connected: socket.socket, number: int) -> None:
        self.socket = connected
        self.number = number
        self._buffer = b""

    def request(self) -> Request | None:
        """Read one HTTP request, or None when the client is done."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._more():
                return None
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        line, *rest = head.decode("latin-1").split("\r\n")
        method, path, _ = line.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in rest)}
        size = int(headers.get("content-length", 0))
        while len(self._buffer) < size:
            if not self._more():
                return None
        body, self._buffer = self._buffer[:size], self._buffer[size:]
        return Request(method, path, headers, body)

    def read(self) -> bytes:
        """Read whatever comes next, none at the end."""
        if not self._buffer:
            self._more()
        data, self._buffer = self._buffer, b""
        return data

    def _more(self) -> bool:
        data = self.socket.recv(65536)
        self._buffer += data
        return bool(data)

    def write(self, data: bytes) -> None:
        """Send all of the bytes at once."""
        self.socket.sendall(data)

    def drip(self, data: bytes, pause: float = 0.0) -> None:
        """Send the bytes one at a time."""
        for at in range(len(data)):
            self.socket.sendall(data[at : at + 1])
            gevent.sleep(pause)

    def reset(self) -> None:
        """End the connection with a reset instead of a FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def wait_end(self) -> None:
        """Wait until the client ends its side."""
        while self.socket.recv(65536):
            pass

    def upgrade(self, extra: str = "", rest: bytes = b"") -> Request:
        """Answer a WebSocket handshake as it should be, then send `rest` with the same write."""
        request = self.request()
        assert request is not None
        accept = frames.accept_key(request.headers["sec-websocket-key"])
        head = (
            f"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n"
        )
        self.write(f"{head}{extra}\r\n".encode() + rest)
        return request

    def frames(self) -> FrameSource:
        """The frames that the client sends from here on."""
        return FrameSource(self)


class FrameSource:
    """Reads the client's frames one by one."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._decoder = frames.FrameDecoder(1 << 24, expect_mask=True)

    def next(self) -> frames.Frame | None:
        """Return the next frame, or None when the client is gone."""
        while (frame := self._decoder.next()) is None:
            data = self._peer.read()
            if not data:
                return None
            self._decoder.feed(data)
        return frame


def text(message: bytes) -> bytes:
    """A server's text frame."""
    return frames.encode_frame(frames.TEXT, message, b"")


def answer(body: bytes = b"", *, status: str = "200 OK", kind: str = "application/json", extra: str = "") -> bytes:
    """A whole HTTP answer with a length."""
    named = f"Content-Type: {kind}\r\n" if kind else ""
    return f"HTTP/1.1 {status}\r\n{named}Content-Length: {len(body)}\r\n{extra}\r\n".encode() + body


def chunked(body: bytes, size: int = 1, *, kind: str = "application/json", end: bool = True) -> bytes:
    """A whole HTTP answer in chunks of `size` bytes."""
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    return head + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + (b"0\r\n\r\n" if end else b"")


Behaviour = Callable[[Peer], None]


@dataclass
class Loopback:
    """A server on 127.0.0.1: each connection is served by `behaviour`, then closed."""

    behaviour: Behaviour
    tls: ssl.SSLContext | None = None
    connections: int = 0

    def __post_init__(self) -> None:
        extra = {} if self.tls is None else {"ssl_context": self.tls}
        self._server = StreamServer(("127.0.0.1", 0), self._serve, **extra)
        self._server.start()
        self.port: int = self._server.server_port

    def url(self, scheme: str, path: str = "/mcp") -> str:
        """The URL of a path on this server."""
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def _serve(self, connected: socket.socket, _: object) -> None:
        self.connections += 1
        with suppress(OSError):  # the client went away, which is its right
            self.behaviour(Peer(connected, self.connections))

    def stop(self) -> None:
        """Close the listener and what is left of the connections."""
        self._server.stop(timeout=0.1)

    def stop_listening(self) -> None:
        """Refuse further connections; the open ones go on."""
        self._server.stop_accepting()
        self._server.close()


def unused_port() -> int:
    """A port of 127.0.0.1 that refuses connections."""
    with gevent.socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Authority:
    """A certificate authority of one test run, as PEM files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        self.file = str(folder / "authority.pem")
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        certificate = (
            self._draft(self._name, self._key).add_extension(constraints, critical=True).add_extension(usage, critical=True)
        ).sign(self._key, hashes.SHA256())
        Path(self.file).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def _draft(self, name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )

    def server(self, *hosts: str) -> ssl.SSLContext:
        """A server's context with a certificate for these names and addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.IPAddress(ipaddress.ip_address(host)) if host[0].isdigit() else x509.DNSName(host) for host in hosts]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
        certificate = (self._draft(subject, key).add_extension(x509.SubjectAlternativeName(names), critical=False)).sign(
            self._key, hashes.SHA256()
        )
        file = self._folder / f"{hosts[0]}.pem"
        secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
        context: ssl.SSLContext = SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context
