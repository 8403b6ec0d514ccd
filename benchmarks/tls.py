"""What a TLS connection costs the suite beside the handshake itself, and how many contexts 1,000 connections build.

    python -m benchmarks.tls [--connections 1000] [--rounds 5]

Ours dials as a `wss` session does (name, TCP, TLS in gevent), the bare one makes the same handshakes with the standard library's
blocking sockets and one context. Both run in a process of their own on the client's core, in turn; the slope between a tenth of
the connections and all of them takes their start out. Each makes its own authority's certificate known, and verifies.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import ssl
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from benchmarks.cpu import spend
from benchmarks.figures import Spread
from benchmarks.machine import machine, versions
from benchmarks.result import keep
from benchmarks.servers import ROOT, embedded, plain_environment
from benchmarks.whole import add_whole

LIMIT = 1.3
MOST_SECONDS = 120.0


class Cost(msgspec.Struct, frozen=True):
    """Microseconds of CPU a connection, and the contexts that were built for all of them."""

    client: str
    microseconds: float
    contexts: int


def dial(client: str, port: int, authority: str, connections: int) -> int:
    """Opens and closes so many connections, one after the other; returns how many contexts were built."""
    return _dial_ours(port, authority, connections) if client == "ours" else _dial_bare(port, authority, connections)


def _dial_ours(port: int, authority: str, connections: int) -> int:
    from mop_locust.transports.deadline import Deadline
    from mop_locust.transports.dial import Dialer, Resolver, TlsOptions
    from mop_locust.transports.target import Target

    built = 0

    class Counted(TlsOptions):
        def context(self) -> ssl.SSLContext:
            nonlocal built
            built += 1
            return super().context()

    dialer = Dialer(Resolver(), Counted(authority))
    target = Target.parse(f"wss://127.0.0.1:{port}/ws")
    for _ in range(connections):
        wire, _ = dialer.dial(target, Deadline.after(10))
        wire.close()
    return built


def _dial_bare(port: int, authority: str, connections: int) -> int:
    context = ssl.create_default_context(cafile=authority)
    context.set_alpn_protocols(["http/1.1"])
    for _ in range(connections):
        with socket.create_connection(("127.0.0.1", port)) as plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with context.wrap_socket(plain, server_hostname="127.0.0.1"):
                pass
    return 1


def cost(client: str, port: int, authority: str, connections: int) -> Cost:
    """The CPU of one connection; RuntimeError when the client failed."""
    few, contexts = connections // 10, 0
    cpu: list[float] = []
    for number in (few, connections):
        with tempfile.TemporaryDirectory(prefix="mop-bench-") as folder:
            words = [sys.executable, "-m", "benchmarks.tls", "--client", client, str(port), authority, str(number)]
            spent = spend(words, {**plain_environment(), "PYTHONPATH": str(ROOT)}, Path(folder), MOST_SECONDS)
        if spent.exit_code:
            raise RuntimeError(f"{client}: exit code {spent.exit_code}: {spent.output[-500:]}")
        cpu.append(spent.cpu)
        contexts = int(json.loads(spent.output.splitlines()[-1]))
    return Cost(client, (cpu[1] - cpu[0]) / (connections - few) * 1e6, contexts)


def certificate(folder: Path) -> Path:
    """Makes a certificate for 127.0.0.1 that is its own authority, with its key in one file, and returns the file."""
    from datetime import timedelta
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mop-locust bench")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return file


def main(arguments: Sequence[str]) -> int:
    """Measures, prints and keeps; 1 when the limit is not met or more than one context was built."""
    if arguments[:1] == ["--client"]:
        _, client, port, authority, connections = arguments
        print(dial(client, int(port), authority, int(connections)))
        return 0
    parser = argparse.ArgumentParser(prog="benchmarks.tls", description="CPU of TLS connections beside the bare handshake.")
    add_whole(parser, "--connections", 1000, 100, 10_000)
    add_whole(parser, "--rounds", 5, 1, 50)
    options = parser.parse_args(arguments)
    costs: list[Cost] = []
    with tempfile.TemporaryDirectory(prefix="mop-bench-") as folder:
        file = str(certificate(Path(folder)))
        with embedded("--tls", file, file) as server:
            for number in range(options.rounds):
                for client in ("ours", "bare") if number % 2 == 0 else ("bare", "ours"):
                    costs.append(cost(client, server.port, file, options.connections))
    ours = [one for one in costs if one.client == "ours"]
    bare = [one for one in costs if one.client == "bare"]
    ratio = Spread.of([mine.microseconds / theirs.microseconds for mine, theirs in zip(ours, bare, strict=True)])
    assert ratio is not None
    contexts = max(one.contexts for one in ours)
    good = ratio.median <= LIMIT and contexts == 1
    lines = ["| | us of CPU a connection | contexts |", "| --- | --- | --- |"]
    for name, found in (("mop-locust", ours), ("the bare handshake", bare)):
        spread = Spread.of([one.microseconds for one in found])
        assert spread is not None
        lines.append(f"| {name} | {spread.median:.0f} ({spread.least:.0f} to {spread.most:.0f}) | {found[0].contexts} |")
    told = f"{ratio.median:.2f} ({ratio.least:.2f} to {ratio.most:.2f})"
    lines += ["", f"Ratio {told}, at most {LIMIT}, with one context: {'met' if good else '**not met**'}"]
    table = "\n".join(lines)
    began = datetime.now(UTC)
    content = {"date": began.isoformat(timespec="seconds"), "machine": machine(), "versions": versions(), "costs": costs}
    kept = keep(f"{began:%Y%m%dT%H%M%SZ}-tls", content, f"# TLS connections, {content['date']}\n\n{table}\n")
    print(f"{table}\n\n{os.path.relpath(kept)}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
