"""The options of the server."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from mop_locust.server.delays import Delay
from mop_locust.server.options import Options, add_arguments, read_options


def read(*arguments: str, environment: dict[str, str] | None = None) -> Options:
    """The options of a command line."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_arguments(parser)
    return read_options(parser.parse_args(arguments), environment or {})


def test_no_option_at_all_gives_the_defaults() -> None:
    """The same as the struct's."""
    assert read() == Options()
    assert (Options().port, Options().key, Options().keep_alive_seconds) == (8000, "DEMO_KEY_PUBLIC", 30.0)


def test_every_option() -> None:
    """Each reaches its field; the key comes from the environment."""
    line = (
        "--host ::1 --port 0 --dialect mcp --answer sse --sse-ends-early --delay 1.5 --delay-seed 7 --slots 2 "
        "--keep-alive-seconds 0.5 --tools 3 --tool-bytes 400 --mission m.yaml --tls c.pem k.pem --counts c.json"
    )
    assert read(*line.split(), environment={"MOP_SERVER_KEY": "k"}) == Options(
        host="::1",
        port=0,
        dialect="mcp",
        answer="sse",
        sse_ends_early=True,
        delay=Delay(1.5),
        delay_seed=7,
        slots=2,
        keep_alive_seconds=0.5,
        tools=3,
        tool_bytes=400,
        mission=Path("m.yaml"),
        tls=(Path("c.pem"), Path("k.pem")),
        counts=Path("c.json"),
        key="k",
    )


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--port", "x", "'x' is not a number"),
        ("--port", "65536", "65536 is not from 0 to 65535"),
        ("--port", "1.5", "1.5 is not a whole number"),
        ("--delay", "-1", "-1 is not from 0 to 3.6e"),
        ("--delay", "nan", "nan is not from 0"),
        ("--delay", "1|", "'1|' is none of MS"),
        ("--delay-seed", "-1", "-1 is not from 0 to"),
        ("--keep-alive-seconds", "0", "0 is not from 0.001 to 86400"),
        ("--tools", "-1", "-1 is not from 0 to 100000"),
        ("--tool-bytes", "10", "10 is not from 256"),
        ("--dialect", "other", "invalid choice"),
    ],
)
def test_wrong_values_are_named(option: str, value: str, said: str) -> None:
    """With what is allowed."""
    with pytest.raises(argparse.ArgumentError, match=said):
        read(option, value)


def test_event_answers_need_dialect_mcp() -> None:
    """The MOP server has none."""
    with pytest.raises(ValueError, match="--answer sse needs --dialect mcp"):
        read("--answer", "sse")


def test_downstreams() -> None:
    """Sockets, in their order; standard MCP has no federation."""
    assert read("--downstream", "ws://a:1/ws", "--downstream", "wss://b/ws").downstreams == ("ws://a:1/ws", "wss://b/ws")
    with pytest.raises(ValueError, match="--downstream needs --dialect mop"):
        read("--downstream", "ws://a:1/ws", "--dialect", "mcp")
    for url in ("http://a/ws", "ws://", "ws://a:0/", "ws://a:x/", "nonsense"):
        with pytest.raises(argparse.ArgumentError, match="is not ws://HOST"):
            read("--downstream", url)


def test_slots_need_something_to_hold() -> None:
    """Any form of delay."""
    with pytest.raises(ValueError, match="--slots needs --delay"):
        read("--slots", "2")
    assert read("--slots", "2", "--delay", "0|20").slots == 2


def test_reading_options_loads_no_server() -> None:
    """`mop-locust --help` mounts them and must stay quick."""
    code = "import sys; import mop_locust.server.run; print(sorted({'uvicorn', 'uvloop', 'asyncio', 'yaml'} & set(sys.modules)))"
    root = Path(__file__).parents[3]
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert loaded.stdout.strip() == "[]"
