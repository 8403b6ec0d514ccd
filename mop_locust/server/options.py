"""The options of `mop-locust serve`; importing this loads no server."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from mop_locust.server.delays import FORMS, Delay, read_delay
from mop_locust.server.faults import Fault, explain_faults, read_fault

DEMO_KEY = "DEMO_KEY_PUBLIC"
KEY_VARIABLE = "MOP_SERVER_KEY"


class Options(msgspec.Struct, frozen=True):
    """What a server is started with; `port` 0 takes a free one, `tls` is certificate and key file."""

    host: str = "127.0.0.1"
    port: int = 8000
    dialect: Literal["mop", "mcp"] = "mop"
    answer: Literal["json", "sse"] = "json"
    sse_ends_early: bool = False
    delay: Delay = Delay()
    delay_seed: int = 0
    delay_from: float = 0.0
    slots: int = 0
    keep_alive_seconds: float = 30.0
    tools: int = 0
    tool_bytes: int = 600
    mission: Path | None = None
    downstreams: tuple[str, ...] = ()
    tls: tuple[Path, Path] | None = None
    counts: Path | None = None
    faults: tuple[Fault, ...] = ()
    fault_on: tuple[str, ...] = ()
    fault_seed: int = 0
    key: str = DEMO_KEY


def _number(text: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"{text} is not from {low:g} to {high:g}")
    return value


def _whole(text: str, low: int, high: int) -> int:
    value = _number(text, low, high)
    if value != int(value):
        raise argparse.ArgumentTypeError(f"{text} is not a whole number")
    return int(value)


def _port(text: str) -> int:
    return _whole(text, 0, 65535)


def _delay(text: str) -> Delay:
    try:
        return read_delay(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _fault(text: str) -> Fault:
    try:
        return read_fault(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _seed(text: str) -> int:
    return _whole(text, 0, 2**32)


def _seconds(text: str) -> float:
    return _number(text, 0.001, 86_400)


def _moment(text: str) -> float:
    return _number(text, 0, 86_400)


def _count(text: str) -> int:
    return _whole(text, 0, 100_000)


def _size(text: str) -> int:
    return _whole(text, 256, 1_048_576)


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise argparse.ArgumentTypeError(f"{text!r} is not ws://HOST[:PORT][/PATH] or wss://HOST[:PORT][/PATH]")
    return text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the server's options to a parser; the key is not one, it comes from MOP_SERVER_KEY."""
    default = Options()
    parser.add_argument("--host", default=default.host, help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=_port, default=default.port, help="port to listen on, 0 for a free one (%(default)s)")
    parser.add_argument(
        "--dialect",
        choices=("mop", "mcp"),
        default=default.dialect,
        help="answer as the MOP server or as standard MCP (%(default)s)",
    )
    parser.add_argument(
        "--answer", choices=("json", "sse"), default=default.answer, help="form of the answers of dialect mcp (%(default)s)"
    )
    parser.add_argument(
        "--sse-ends-early", action="store_true", help="end each GET stream right after its headers, as the real server does"
    )
    parser.add_argument(
        "--delay",
        type=_delay,
        default=default.delay,
        metavar="MS",
        help=f"hold each JSON-RPC answer and each stream's first byte so long: {FORMS} (0)",
    )
    parser.add_argument(
        "--delay-seed",
        type=_seed,
        default=default.delay_seed,
        metavar="N",
        help="seed of jitter and share of --delay (%(default)s)",
    )
    parser.add_argument(
        "--delay-from",
        type=_moment,
        default=default.delay_from,
        metavar="S",
        help="hold answers only from so many seconds after the first one on (0)",
    )
    parser.add_argument(
        "--slots",
        type=_count,
        default=default.slots,
        metavar="N",
        help="hold at most N answers at a time, the others wait: it serves N answers in each --delay; 0 for all at once (0)",
    )
    parser.add_argument(
        "--keep-alive-seconds",
        type=_seconds,
        default=default.keep_alive_seconds,
        metavar="S",
        help="pause between keep-alives of streams and pings of sockets (30)",
    )
    parser.add_argument(
        "--tools", type=_count, default=default.tools, metavar="N", help="generated tools beside the four built-in ones (0)"
    )
    parser.add_argument(
        "--tool-bytes", type=_size, default=default.tool_bytes, metavar="N", help="size of a generated tool in tools/list (600)"
    )
    parser.add_argument(
        "--mission", type=Path, metavar="FILE", help="mission file (YAML); one that does not parse is named and left out"
    )
    parser.add_argument(
        "--downstream",
        dest="downstreams",
        type=_url,
        action="append",
        default=[],
        metavar="URL",
        help="federate the tools of the server with this WebSocket; repeatable, the ids are downstream-1, downstream-2, ...",
    )
    parser.add_argument("--tls", nargs=2, type=Path, metavar=("CERT", "KEY"), help="serve https and wss with these PEM files")
    parser.add_argument("--counts", type=Path, metavar="FILE", help="write the counts as JSON to FILE at the end")
    parser.add_argument(
        "--fault",
        dest="faults",
        type=_fault,
        action="append",
        default=[],
        metavar="NAME[:RATE]",
        help="answer /mcp and /ws with a fault, or a share of 0 to 1 of what it can strike; repeatable, named below",
    )
    parser.add_argument(
        "--fault-on",
        action="append",
        default=[],
        metavar="METHOD",
        help="strike only answers to this: a JSON-RPC method, GET, DELETE or upgrade; repeatable",
    )
    parser.add_argument(
        "--fault-seed", type=_seed, default=default.fault_seed, metavar="N", help="seed of the shares of --fault (%(default)s)"
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = explain_faults()


def read_options(arguments: argparse.Namespace, environment: Mapping[str, str]) -> Options:
    """The options of a parsed command line and its environment.

    Raises ValueError with a sentence when two options do not go together.
    """
    given = {field: getattr(arguments, field) for field in Options.__struct_fields__ if field not in ("key", "tls")}
    given |= {"faults": tuple(given["faults"]), "fault_on": tuple(given["fault_on"])}
    given["downstreams"] = tuple(given["downstreams"])
    if given["downstreams"] and given["dialect"] == "mcp":
        raise ValueError("--downstream needs --dialect mop: standard MCP has no federation")
    if given["answer"] == "sse" and given["dialect"] == "mop":
        raise ValueError("--answer sse needs --dialect mcp: the MOP server answers a POST with JSON only")
    if given["slots"] and not given["delay"].holds:
        raise ValueError("--slots needs --delay: without one no answer is held")
    tls = tuple(arguments.tls) if arguments.tls else None
    return Options(**given, tls=tls, key=environment.get(KEY_VARIABLE) or DEMO_KEY)
