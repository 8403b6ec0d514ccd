"""Starting and ending the server: its line, TLS, ports and what cannot start."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
import requests
import websocket
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from .conftest import CLIENT, KEY, Running, body, over

Start = Callable[..., Running]


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of its own for 127.0.0.1, and its key, in PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = tmp_path / "cert.pem", tmp_path / "key.pem"
    files[0].write_bytes(signed.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def test_the_line_tells_the_free_port(start: Start) -> None:
    """It is printed when the server listens."""
    server = start()
    port = server.base.rpartition(":")[2]
    assert server.line == f"mop-locust server: http://127.0.0.1:{port}/mcp ws://127.0.0.1:{port}/ws"
    assert server.get("/health").status_code == 200
    assert server.end() == 0


def test_tls(start: Start, certificate: tuple[Path, Path]) -> None:
    """https and wss, verified by the certificate itself."""
    cert, key = map(str, certificate)
    server = start("--tls", cert, key)
    assert server.line.split()[-2].startswith("https://")
    answer = requests.post(server.mcp, data=body("initialize", CLIENT), headers=KEY, verify=cert, timeout=10)
    assert answer.json()["result"]["protocolVersion"] == "2024-11-05"
    secure = websocket.create_connection(server.ws, timeout=10, sslopt={"ca_certs": cert, "cert_reqs": ssl.CERT_REQUIRED})
    assert over(secure, "ping")["error"]["code"] == -32601
    secure.close()


@pytest.fixture
def start_failing() -> Callable[..., str]:
    """Start a server that cannot start; gives what it says on stderr."""

    def fail(*arguments: str) -> str:
        command = [sys.executable, "-m", "mop_locust.server", "--port", "0", *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=10, cwd=Path(__file__).parents[3], check=False)
        assert (ended.returncode, ended.stdout) == (2, "")
        return ended.stderr

    return fail


def test_a_port_in_use_is_named(start_failing: Callable[..., str]) -> None:
    """One sentence."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = start_failing("--port", str(port))
    assert said == f"mop-locust serve: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_a_host_that_is_no_address_is_named(start_failing: Callable[..., str]) -> None:
    """With the port."""
    assert start_failing("--host", "256.0.0.1").startswith("mop-locust serve: cannot listen on 256.0.0.1:0: ")


def test_tls_files_that_are_wrong_are_named(start_failing: Callable[..., str], tmp_path: Path) -> None:
    """Both of them."""
    wrong = tmp_path / "wrong.pem"
    assert start_failing("--tls", str(wrong), str(wrong)).startswith(f"mop-locust serve: --tls {wrong} {wrong}: ")
    wrong.write_text("no PEM")
    assert start_failing("--tls", str(wrong), str(wrong)).startswith(f"mop-locust serve: --tls {wrong} {wrong}: ")


def test_options_that_do_not_go_together_are_named(start_failing: Callable[..., str]) -> None:
    """Before anything is started."""
    assert start_failing("--answer", "sse") == (
        "mop-locust serve: --answer sse needs --dialect mcp: the MOP server answers a POST with JSON only\n"
    )


def test_a_counts_file_that_cannot_be_written_is_named(start: Start, tmp_path: Path) -> None:
    """At the end, with exit code 2."""
    server = start("--counts", str(tmp_path / "missing" / "counts.json"))
    assert server.end() == 2
    assert server.process.stderr is not None
    assert "No such file or directory" in server.process.stderr.read()
