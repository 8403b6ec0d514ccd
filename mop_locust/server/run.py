"""Start the reference server in this process."""

from __future__ import annotations

import argparse
import gc
import os
import resource
import socket
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mop_locust.server.options import Options, add_arguments, read_options

if TYPE_CHECKING:
    from mop_locust.missions.shape import Mission

__all__ = ["add_arguments", "main", "serve"]

WRONG_USE = 2


def main(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; 0 after a clean end, 2 when the server could not start, with one sentence on stderr."""
    try:
        serve(read_options(arguments, os.environ))
    except (ValueError, OSError) as error:
        print(f"mop-locust serve: {error}", file=sys.stderr)
        return WRONG_USE
    return 0


def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT; once it listens, one line on stdout tells the addresses.

    Raises OSError when the address cannot be used, ValueError when the TLS files cannot.
    """
    from mop_locust.server.app import Application
    from mop_locust.server.federation import find
    from mop_locust.server.wire import Server, configuration

    found = find(options.downstreams)
    for downstream in found:
        if downstream.problem:
            print(f"mop-locust server: {downstream.url} is not federated: {downstream.problem}", file=sys.stderr, flush=True)
    app = Application(options, _mission(options.mission), os.environ, found)
    config = configuration(app)
    if options.tls is not None:
        config.ssl_certfile, config.ssl_keyfile = options.tls
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"--tls {' '.join(map(str, options.tls or ()))}: {error}") from error
    listener = _listen(options.host, options.port, listening=not app.faults.refuses_all)
    _raise_descriptor_limit()

    def announce() -> None:
        gc.collect()
        gc.freeze()
        place = f"[{options.host}]" if ":" in options.host else options.host
        at, tls = f"{place}:{listener.getsockname()[1]}", "s" if options.tls else ""
        print(f"mop-locust server: http{tls}://{at}/mcp ws{tls}://{at}/ws", flush=True)

    Server(config, app, announce).run(sockets=[] if app.faults.refuses_all else [listener])
    if options.counts is not None:
        options.counts.write_bytes(msgspec.json.format(msgspec.json.encode(app.tally.counts())) + b"\n")


def _mission(path: Path | None) -> Mission | None:
    """The mission of a file; one that does not parse is a warning, and the server runs on without it."""
    if path is None:
        return None
    from mop_locust.server.missions import MissionError, load

    try:
        return load(path)
    except MissionError as error:
        print(f"mop-locust server: the mission {path} is not active: {error}", file=sys.stderr, flush=True)
        return None


def _listen(host: str, port: int, *, listening: bool) -> socket.socket:
    """A bound socket, which refuses connections while it does not listen.

    Raises OSError that names the address and the reason, without the address again.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        if listening:
            return socket.create_server((host, port), family=family, backlog=4096)
        bound = socket.socket(family)
        bound.bind((host, port))
        return bound
    except OSError as error:
        reason = str(error.strerror or error).partition(" (")[0]
        raise OSError(f"cannot listen on {host}:{port}: {reason}") from error


def _raise_descriptor_limit() -> None:
    """Take all the descriptors that the process may have: each client is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
