"""The kinds of values that a setting can have: how a text is read, and what a mistake says is allowed."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qs, urlsplit

import msgspec

from mop_locust.config.mistakes import ConfigError, quoted, quoted_url
from mop_locust.config.targets import read_hosts, split_hosts

_LARGEST: Final = 1_000_000_000
_LONGEST_MS: Final = 365 * 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: `read` turns a text into the value, or raises ValueError with what is wrong with it.

    What is wrong with the content of a file is a ConfigError, which has all mistakes.
    """

    label: str
    allowed: str
    read: Callable[[str], object]
    show: Callable[[str], str] = quoted


def _whole_number(text: str, low: int, high: int) -> int:
    try:
        float(text)
    except ValueError:
        raise ValueError("is not a number") from None
    digits = text.strip()
    if not re.fullmatch(r"-?[0-9]+", digits):
        raise ValueError("is not a whole number")
    # Twenty characters are out of every range already, and int() refuses some thousands.
    number = int(digits[:20])
    if not low <= number <= high:
        raise ValueError("is out of range")
    return number


def count(low: int = 1) -> Kind:
    """A whole number from `low`."""
    return Kind("count", f"a whole number from {low} to {_LARGEST}", lambda text: _whole_number(text, low, _LARGEST))


def milliseconds(low: int = 0) -> Kind:
    """A whole number of milliseconds from `low` to 365 days, read as seconds."""
    return Kind(
        "milliseconds",
        f"a whole number of milliseconds from {low} to {_LONGEST_MS}",
        lambda text: _whole_number(text, low, _LONGEST_MS) / 1000,
    )


_DURATION: Final = re.compile(r"(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m(?!s))?(?:([0-9]{1,9})s)?(?:([0-9]{1,9})ms)?")


def parse_duration(text: str) -> float:
    """Seconds of a duration in Locust's forms (90, 90s, 1m, 1h30m) or k6's (500ms, 1m30s); a bare number is seconds.

    Raises ValueError for any other text, for zero, and above 365 days.
    """
    form = text.strip()
    found = _DURATION.fullmatch(form + "s" if form.isascii() and form.isdigit() else form)
    if found is None or not any(found.groups()):
        raise ValueError("is not a duration")
    hours, minutes, seconds, thousandths = (int(part or 0) for part in found.groups())
    total = ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths
    if not 0 < total <= _LONGEST_MS:
        raise ValueError("is out of range")
    return total / 1000


def split_url(text: str, schemes: tuple[str, ...]) -> SplitResult:
    """The parts of a URL with one of the schemes, a host and a usable port; ValueError says what is wrong (RFC 3986)."""
    if not re.fullmatch(r"[!-~]*", text):
        raise ValueError("has a space, a control or a non-ASCII character")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("has a host or a port that cannot be read") from None
    if parts.scheme not in schemes or not text[len(parts.scheme) :].startswith("://"):
        raise ValueError(f"does not begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    if "@" in parts.netloc:
        raise ValueError("has a user name or a password")
    if not parts.hostname:
        raise ValueError("has no host")
    # An IPv6 address has been checked by urlsplit; what is left is mostly a variable that nobody replaced.
    if not re.fullmatch(r"[0-9a-z._-]+|[0-9a-f:.]+(%.+)?", parts.hostname) or port == 0:
        raise ValueError("has a host or a port that cannot be used")
    if "#" in text:
        raise ValueError("has a fragment")
    return parts


def _url(*schemes: str) -> Kind:
    def read(text: str) -> object:
        split_url(text.strip(), schemes)
        return text.strip()

    forms = " or ".join(f"{scheme}://HOST[:PORT][/PATH]" for scheme in schemes)
    return Kind(f"{schemes[0]} URL", forms, read, quoted_url)


def _read_otlp_url(text: str) -> object:
    address = text.strip()
    if address and split_url(address, ("http", "https")).query:
        raise ValueError("has a query; what must stay secret goes into OTEL_EXPORTER_OTLP_HEADERS")
    return address


def _read_influx_url(text: str) -> object:
    address = text.strip()
    if not address:
        return address
    parts = split_url(address, ("http", "https"))
    names = set(parse_qs(parts.query, keep_blank_values=True))
    if names & {"u", "p", "token"}:
        raise ValueError("has a user, a password or a token; they go into MOP_INFLUX_TOKEN")
    needed = "bucket" if parts.path.endswith("/api/v2/write") else "db" if parts.path.endswith("/write") else ""
    if not needed:
        raise ValueError("does not end with /write or /api/v2/write")
    if needed not in names:
        raise ValueError(f"names no {needed}")
    return address


_YES: Final = ("1", "true", "yes", "on")
_NO: Final = ("0", "false", "no", "off")


def _read_flag(text: str) -> object:
    word = text.strip().lower()
    if word not in _YES + _NO:
        raise ValueError("is neither yes nor no")
    return word in _YES


def choice(*words: str, refused: Mapping[str, str] | None = None) -> Kind:
    """One of the words; `refused` has a reason of its own for a word that one could well expect."""
    reasons = refused or {}

    def read(text: str) -> object:
        word = text.strip()
        if word not in words:
            raise ValueError(reasons.get(word, "is not one of the choices"))
        return word

    return Kind("choice", f"{', '.join(words[:-1])} or {words[-1]}", read)


def _text(allowed: str, pattern: str) -> Kind:
    def read(text: str) -> object:
        if not re.fullmatch(pattern, text):
            raise ValueError("has a character that cannot stand here")
        return text

    return Kind("text", allowed, read)


def _read_json_object(text: str) -> object:
    try:
        return msgspec.json.decode(text, type=dict[str, object])
    except msgspec.ValidationError:
        raise ValueError("is not an object") from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise ValueError("is not JSON") from None


def _read_file(text: str) -> object:
    if text and not os.path.isfile(text):
        raise ValueError("is not a file that exists")
    return text


def _read_missions(text: str) -> object:
    if not text:
        return text
    if not os.path.exists(text):
        raise ValueError("does not exist")
    from mop_locust.missions.files import MissionError, load_all  # it loads a YAML parser, which few runs need

    try:
        load_all(Path(text))
    except MissionError as error:
        raise ConfigError(error.mistakes) from None
    return text


def _read_directory(text: str) -> object:
    if "\0" in text or (os.path.exists(text) and not os.path.isdir(text)):
        raise ValueError("is not a directory")
    return text


def _read_addresses(text: str) -> object:
    words = [word.strip() for word in text.split(",")] if text.strip() else []
    for word in words:
        try:
            ipaddress.ip_address(word)
        except ValueError:
            raise ValueError(f"has {quoted(word)}, which is no IP address") from None
    return tuple(words)


def _read_hosts(text: str) -> object:
    hosts = split_hosts(text)
    read_hosts(hosts)
    return hosts


WS_URL: Final = _url("ws", "wss")
HTTP_URL: Final = _url("http", "https")
COUNT: Final = count()
COUNT_OR_NONE: Final = count(0)
MILLISECONDS: Final = milliseconds()
PROCESS: Final = Kind("process", "the id of a process, or nothing", lambda text: _whole_number(text, 1, 1 << 22) if text else 0)
PORT_OR_NONE: Final = Kind(
    "port", "a port from 1 to 65535, or nothing", lambda text: _whole_number(text, 1, 65535) if text.strip() else 0
)
DURATION: Final = Kind("duration", "a duration above 0 such as 90, 90s, 1m, 1h30m, 1m30s or 500ms", parse_duration)
FLAG: Final = Kind("flag", "1, true, yes or on; 0, false, no or off", _read_flag)
NAME: Final = _text("a name without spaces and control characters", r"[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
NAME_OR_NONE: Final = _text("a name without control characters, or nothing", r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*")
TOKEN_OR_NONE: Final = _text("a token such as mcp, or nothing", r"[!#$%&'*+.^_`|~0-9A-Za-z-]*")  # RFC 9110 section 5.6.2
FOLDER_OR_NONE: Final = _text("the path of a folder, or nothing", r"[^\x00]*")
HOST: Final = _text("a host name or an address", r"[0-9A-Za-z._:-]+")
OTLP_URL: Final = Kind(
    "http URL", "http://HOST[:PORT][/PATH] or https://HOST[:PORT][/PATH], or nothing", _read_otlp_url, quoted_url
)
INFLUX_URL: Final = Kind(
    "http URL",
    "http://HOST:PORT/write?db=NAME or http://HOST:PORT/api/v2/write?org=NAME&bucket=NAME, or nothing",
    _read_influx_url,
    quoted_url,
)
NEW_FILE: Final = _text("the path of a file, made when it is missing, or nothing", r"[^\x00]*")
HOSTS: Final = Kind(
    "hosts", "names, addresses and networks such as mop.example.org, 203.0.113.7 or 203.0.113.0/24, with commas", _read_hosts
)
HOST_OR_NONE: Final = _text("the name of a host, or nothing", r"[0-9A-Za-z._-]*")
TEXT: Final = Kind("text", "any text", str)
JSON_OBJECT: Final = Kind("JSON object", 'a JSON object such as {"query": "load"}', _read_json_object)
ADDRESSES: Final = Kind("addresses", "IP addresses of this machine between commas, or nothing", _read_addresses)
FILE: Final = Kind("path", "the path of a file, or nothing", _read_file)
MISSIONS: Final = Kind("path", "the path of a mission file (YAML) or of a folder of them, or nothing", _read_missions)
DIRECTORY: Final = Kind("path", "the path of a directory, made when it is missing", _read_directory)
