"""Each kind reads what it allows, and says what is wrong with the rest."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from locust.util.timespan import parse_timespan

from mop_locust.config import kinds
from mop_locust.config.kinds import Kind, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90.0),
        ("90s", 90.0),
        ("1m", 60.0),
        ("1h30m", 5400.0),
        ("3h30m10s", 12610.0),
        ("500ms", 0.5),
        ("1m30s", 90.0),
        ("1m500ms", 60.5),
        ("2h1ms", 7200.001),
        (" 5s ", 5.0),
        ("8760h", 31536000.0),
    ],
)
def test_duration_forms_of_locust_and_k6(text: str, seconds: float) -> None:
    """Both tools' forms mean the same number of seconds as there."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "addresses"), [("", ()), (" ", ()), ("127.0.0.2", ("127.0.0.2",)), ("127.0.0.2, ::1", ("127.0.0.2", "::1"))]
)
def test_addresses(text: str, addresses: tuple[str, ...]) -> None:
    """None, one or several, of either family."""
    assert kinds.ADDRESSES.read(text) == addresses


@pytest.mark.parametrize("text", ["localhost", "127.0.0.2,", "127.0.0.1/8", "1.2.3.4 5.6.7.8"])
def test_address_mistakes(text: str) -> None:
    """A name or a network is no address to connect from."""
    with pytest.raises(ValueError, match="which is no IP address"):
        kinds.ADDRESSES.read(text)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("1x", "is not a duration"),
        ("", "is not a duration"),
        ("s", "is not a duration"),
        ("30s1m", "is not a duration"),
        ("1m1m", "is not a duration"),
        ("-1s", "is not a duration"),
        ("1.5s", "is not a duration"),
        ("1m 30s", "is not a duration"),
        ("²", "is not a duration"),
        ("1234567890s", "is not a duration"),
        ("0", "is out of range"),
        ("0h0m0s0ms", "is out of range"),
        ("8760h1ms", "is out of range"),
    ],
)
def test_duration_mistakes(text: str, wrong: str) -> None:
    """What is no duration, or none that can be waited for, is refused."""
    with pytest.raises(ValueError) as caught:
        parse_duration(text)
    assert str(caught.value) == wrong


_PART = st.one_of(st.none(), st.integers(0, 9999))


@given(_PART, _PART, _PART, _PART)
def test_duration_is_the_sum_of_its_parts(hours: int | None, minutes: int | None, seconds: int | None, ms: int | None) -> None:
    """Any parts in their order add up, to the millisecond."""
    parts = [(hours, "h", 3_600_000), (minutes, "m", 60_000), (seconds, "s", 1000), (ms, "ms", 1)]
    total = sum(number * factor for number, _, factor in parts if number is not None)
    assume(0 < total <= 365 * 24 * 3_600_000)
    text = "".join(f"{number}{unit}" for number, unit, _ in parts if number is not None)
    assert parse_duration(text) == total / 1000


def _seconds(read: Callable[[str], float], text: str) -> float | None:
    try:
        return read(text)
    except ValueError:
        return None


@given(st.text(alphabet="0123456789hms. -x", max_size=12))
@example("1h20m")
def test_duration_agrees_with_locust(text: str) -> None:
    """Any text gives seconds or ValueError, and what Locust reads means the same here, if it is time that a run can take."""
    ours, locusts = _seconds(parse_duration, text), _seconds(parse_timespan, text)
    if ours is not None:
        assert 0 < ours <= 365 * 24 * 3600
        assert locusts in (None, ours)
    elif locusts is not None:
        assert not 0 < locusts <= 365 * 24 * 3600


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (kinds.COUNT, "1", 1),
        (kinds.COUNT, " 50 ", 50),
        (kinds.COUNT, "1000000000", 1_000_000_000),
        (kinds.MILLISECONDS, "0", 0.0),
        (kinds.MILLISECONDS, "250", 0.25),
        (kinds.milliseconds(1), "1", 0.001),
        (kinds.FLAG, "1", True),
        (kinds.FLAG, "TRUE", True),
        (kinds.FLAG, "yes", True),
        (kinds.FLAG, " on ", True),
        (kinds.FLAG, "0", False),
        (kinds.FLAG, "false", False),
        (kinds.FLAG, "No", False),
        (kinds.FLAG, "off", False),
        (kinds.choice("auto", "never"), " never ", "never"),
        (kinds.WS_URL, "ws://localhost:8000/ws", "ws://localhost:8000/ws"),
        (kinds.WS_URL, " WSS://host ", "WSS://host"),
        (kinds.HTTP_URL, "http://[::1]:80/mcp?config=e30", "http://[::1]:80/mcp?config=e30"),
        (kinds.HTTP_URL, "https://mop_server.example/", "https://mop_server.example/"),
        (kinds.NAME, "casial/debug", "casial/debug"),
        (kinds.NAME_OR_NONE, "", ""),
        (kinds.NAME_OR_NONE, "ein Werkzeug für alle", "ein Werkzeug für alle"),
        (kinds.TOKEN_OR_NONE, "", ""),
        (kinds.TOKEN_OR_NONE, "mcp", "mcp"),
        (kinds.TEXT, "a: rate<1\nb: count>0", "a: rate<1\nb: count>0"),
        (kinds.JSON_OBJECT, "{}", {}),
        (kinds.JSON_OBJECT, '{"q": [1, {"a": null}]}', {"q": [1, {"a": None}]}),
        (kinds.FILE, "", ""),
        (kinds.FILE, __file__, __file__),
        (kinds.PROCESS, "", 0),
        (kinds.PROCESS, "4711", 4711),
        (kinds.FOLDER_OR_NONE, "", ""),
        (kinds.FOLDER_OR_NONE, "/sys/fs/cgroup/a b", "/sys/fs/cgroup/a b"),
        (kinds.DIRECTORY, str(Path(__file__).parent), str(Path(__file__).parent)),
        (kinds.DIRECTORY, "not/there/yet", "not/there/yet"),
        (kinds.PORT_OR_NONE, "", 0),
        (kinds.PORT_OR_NONE, "9646", 9646),
        (kinds.HOST, "::1", "::1"),
        (kinds.HOST, "master.example", "master.example"),
        (kinds.OTLP_URL, "", ""),
        (kinds.OTLP_URL, " http://collector:4318 ", "http://collector:4318"),
        (kinds.INFLUX_URL, "", ""),
        (kinds.INFLUX_URL, "http://h:8086/write?db=mop&rp=a", "http://h:8086/write?db=mop&rp=a"),
        (kinds.INFLUX_URL, "https://h/api/v2/write?org=o&bucket=b", "https://h/api/v2/write?org=o&bucket=b"),
        (kinds.NEW_FILE, "", ""),
        (kinds.NEW_FILE, "not/there/yet.jsonl", "not/there/yet.jsonl"),
    ],
)
def test_reads(kind: Kind, text: str, value: object) -> None:
    """An allowed text gives its value, of the right type."""
    read = kind.read(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("kind", "text", "wrong"),
    [
        (kinds.PORT_OR_NONE, "0", "is out of range"),
        (kinds.PORT_OR_NONE, "65536", "is out of range"),
        (kinds.HOST, "a b", "has a character that cannot stand here"),
        (kinds.OTLP_URL, "collector:4318", "does not begin with http:// or https://"),
        (kinds.OTLP_URL, "http://h/?key=x", "has a query; what must stay secret goes into OTEL_EXPORTER_OTLP_HEADERS"),
        (kinds.INFLUX_URL, "http://h:8086", "does not end with /write or /api/v2/write"),
        (kinds.INFLUX_URL, "http://h:8086/write", "names no db"),
        (kinds.INFLUX_URL, "http://h:8086/api/v2/write?db=x", "names no bucket"),
        (kinds.INFLUX_URL, "http://h/write?db=x&p=y", "has a user, a password or a token; they go into MOP_INFLUX_TOKEN"),
        (kinds.NEW_FILE, "a\0b", "has a character that cannot stand here"),
        (kinds.COUNT, "many", "is not a number"),
        (kinds.COUNT, "0x10", "is not a number"),
        (kinds.COUNT, "1.5", "is not a whole number"),
        (kinds.COUNT, "nan", "is not a whole number"),
        (kinds.COUNT, "1_000", "is not a whole number"),
        (kinds.COUNT, "٣", "is not a whole number"),
        (kinds.COUNT, "0", "is out of range"),
        (kinds.COUNT, "-5", "is out of range"),
        (kinds.COUNT, "1000000001", "is out of range"),
        (kinds.COUNT, "9" * 10_000, "is out of range"),
        (kinds.MILLISECONDS, "-1", "is out of range"),
        (kinds.milliseconds(1), "0", "is out of range"),
        (kinds.FLAG, "maybe", "is neither yes nor no"),
        (kinds.choice("auto", "never"), "AUTO", "is not one of the choices"),
        (kinds.choice("a", "b", refused={"c": "comes later"}), "c", "comes later"),
        (kinds.choice("a", "b", refused={"c": "comes later"}), "d", "is not one of the choices"),
        (kinds.WS_URL, "http://h/ws", "does not begin with ws:// or wss://"),
        (kinds.WS_URL, "localhost:8000", "does not begin with ws:// or wss://"),
        (kinds.WS_URL, "ws:/h", "does not begin with ws:// or wss://"),
        (kinds.WS_URL, "ws:///ws", "has no host"),
        (kinds.WS_URL, "ws://:8000/ws", "has no host"),
        (kinds.WS_URL, "ws://h:port/", "has a host or a port that cannot be read"),
        (kinds.WS_URL, "ws://h:65536/", "has a host or a port that cannot be read"),
        (kinds.WS_URL, "ws://[::1/", "has a host or a port that cannot be read"),
        (kinds.WS_URL, "ws://h:0/", "has a host or a port that cannot be used"),
        (kinds.WS_URL, "ws://${HOST}/ws", "has a host or a port that cannot be used"),
        (kinds.WS_URL, "ws://me:secret@h/", "has a user name or a password"),
        (kinds.WS_URL, "ws://h/ws#part", "has a fragment"),
        (kinds.WS_URL, "ws://h/\r\nHost: x", "has a space, a control or a non-ASCII character"),
        (kinds.HTTP_URL, "http://h/ä", "has a space, a control or a non-ASCII character"),
        (kinds.NAME, "", "has a character that cannot stand here"),
        (kinds.NAME, "pi ng", "has a character that cannot stand here"),
        (kinds.NAME_OR_NONE, "a\nb", "has a character that cannot stand here"),
        (kinds.NAME_OR_NONE, "a\udcff", "has a character that cannot stand here"),
        (kinds.TOKEN_OR_NONE, "mcp, other", "has a character that cannot stand here"),
        (kinds.JSON_OBJECT, "{", "is not JSON"),
        (kinds.JSON_OBJECT, '{"a": NaN}', "is not JSON"),
        (kinds.JSON_OBJECT, '{"a": "\udcff"}', "is not JSON"),
        (kinds.JSON_OBJECT, '{"a": ' + "[" * 100_000, "is not JSON"),
        (kinds.JSON_OBJECT, "[1]", "is not an object"),
        (kinds.FILE, "/no/such/file", "is not a file that exists"),
        (kinds.FILE, "a\0b", "is not a file that exists"),
        (kinds.PROCESS, "0", "is out of range"),
        (kinds.PROCESS, "4194305", "is out of range"),
        (kinds.PROCESS, "nginx", "is not a number"),
        (kinds.FOLDER_OR_NONE, "a\0b", "has a character that cannot stand here"),
        (kinds.DIRECTORY, __file__, "is not a directory"),
        (kinds.DIRECTORY, "a\0b", "is not a directory"),
    ],
)
def test_refuses(kind: Kind, text: str, wrong: str) -> None:
    """Any other text is refused with what is wrong with it."""
    with pytest.raises(ValueError) as caught:
        kind.read(text)
    assert str(caught.value) == wrong


@given(st.text())
@example("http://[")
@example("http://h:٣/")
@example("http://[fe80::1%25eth0]/")
def test_url_gives_itself_or_a_value_error(text: str) -> None:
    """No text makes the URL reader raise anything else."""
    with contextlib.suppress(ValueError):
        assert kinds.HTTP_URL.read(text) == text.strip()
