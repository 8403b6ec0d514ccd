"""The least that operation (d) can cost in Python on a machine: blocking sockets, bytes made before, nothing checked or measured.

    python -m benchmarks.bare_sockets HOST PORT SECONDS

One session after the other: connect, upgrade, ping, answer, close frame, end. Prints how many there were. It is no load
generator: it tells how far a limit is from what the machine allows.
"""

from __future__ import annotations

import os
import socket
import sys
import time

from mop_locust.protocol.frames import TEXT, encode_close, encode_frame, upgrade_request

PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
NO_MASK = bytes(4)
NONCE = "dGhlIHNhbXBsZSBub25jZQ=="
LONGEST_SECONDS = 60.0


def sessions(host: str, port: int, key: str, seconds: float) -> int:
    """So many seconds of sessions; returns how many. OSError when the server is not there or ends unasked."""
    head = upgrade_request("/ws", f"{host}:{port}", NONCE, {"Authorization": f"Bearer {key}"})
    ping, close = encode_frame(TEXT, PING, NO_MASK), encode_close(1000, "", NO_MASK)
    count = 0
    until = time.monotonic() + min(seconds, LONGEST_SECONDS)
    while time.monotonic() < until:
        with socket.create_connection((host, port), timeout=10) as connection:
            connection.settimeout(None)  # with a timeout Python polls before each call
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(head)
            received = connection.recv(65536)
            connection.sendall(ping)
            while b'"id":1' not in received:
                received = connection.recv(65536)
                if not received:
                    raise ConnectionError("the server ended the connection without an answer")
            connection.sendall(close)
            while connection.recv(65536):
                pass
        count += 1
    return count


if __name__ == "__main__":
    print(sessions(sys.argv[1], int(sys.argv[2]), os.environ["KEY"], float(sys.argv[3])), "sessions")
