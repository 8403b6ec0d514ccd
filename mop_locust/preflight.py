"""The look at the target before any load: reachable, key accepted, which transports, which server, which tools.

It speaks HTTP through `requests`, a client that the load does not use, so that a fault of ours cannot hide in both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from mop_locust.client import Client, Clients, HttpSession
from mop_locust.client.exchange import Tags
from mop_locust.config import ApiKey, Settings
from mop_locust.federation.plan import Plan
from mop_locust.metrics.sample import Sample
from mop_locust.protocol.errors import ConnectError, HttpStatusError, MopError
from mop_locust.protocol.mcp import ToolsList
from mop_locust.report.figures import plural

REFUSED_KEY = frozenset((401, 403))


@dataclass
class Findings:
    """What the preflight found. `target_faults` end the run without load; `mistakes` are the user's.

    `voids` end it without load too: with them, figures of this server would not be what the scenario is to measure.
    """

    state: str = "passed"
    sentences: list[str] = field(default_factory=list)
    target_faults: list[str] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    voids: list[str] = field(default_factory=list)
    exchanges: list[Sample] = field(default_factory=list)
    server_name: str = ""
    server_version: str = ""
    takes_initialized: bool = False
    plan: Plan = field(default_factory=lambda: Plan([]))

    def close(self) -> Findings:
        """Sets the state from what was found."""
        self.state = "failed" if self.target_faults or self.mistakes or self.voids else "passed"
        return self


class Kept:
    """Keeps the preflight's own exchanges, outside every metric."""

    def __init__(self, exchanges: list[Sample]) -> None:
        self._exchanges = exchanges

    def exchange(self, sample: Sample, _: BaseException | None) -> None:
        """Keeps one exchange."""
        self._exchanges.append(sample)

    def count(self, name: str, tags: Tags, n: int, at_us: int) -> None:
        """Metrics are of the load alone."""

    def rate(self, name: str, tags: Tags, failed: bool, at_us: int) -> None:
        """Metrics are of the load alone."""

    def trend(self, name: str, tags: Tags, value: int, at_us: int) -> None:
        """Metrics are of the load alone."""


Look = Callable[[Client, Settings, set[str], Findings], None]
"""A scenario's own look, which adds to the findings; the set holds the transports of the run. It raises nothing."""


def look(settings: Settings, key: ApiKey, transports: Iterable[str], looks: Iterable[Look] = ()) -> Findings:
    """Checks what the scenarios of a run need: `transports` holds any of http, sse and websocket.

    `looks` are the scenarios' own; they come last, and only where the rest was right.
    """
    findings = Findings()
    needed = set(transports)
    careful = msgspec.structs.replace(settings, http_client="requests", leak_sessions=False)
    clients = Clients(careful, key, Kept(findings.exchanges), send_initialized=False)
    findings.mistakes += clients.refusals(needed)
    if findings.mistakes:
        return findings.close()
    client = clients.client("preflight", {}, {})
    try:
        if needed & {"http", "sse"}:
            _look_at_http(client, settings, findings, stream="sse" in needed)
        if "websocket" in needed:
            _look_at_websocket(client, settings, findings)
        if not findings.target_faults and not findings.mistakes:
            for scenarios_own in looks:
                scenarios_own(client, settings, needed, findings)
    finally:
        client.close()
    return findings.close()


def refusals(settings: Settings, key: ApiKey, transports: Iterable[str]) -> list[str]:
    """Returns why the target may not be loaded, without a word to it: for runs that are not to look at it."""
    return Clients(settings, key, Kept([]), send_initialized=False).refusals(transports)


def _look_at_http(client: Client, settings: Settings, findings: Findings, *, stream: bool) -> None:
    session = client.session()
    try:
        session.initialize()
        findings.server_name, findings.server_version = session.server_name, session.server_version
        server = f"{session.server_name or 'a server'} {session.server_version}".rstrip()
        findings.sentences.append(f"{settings.http_base}: {server}, MCP {session.protocol_version}")
        findings.takes_initialized = _took(lambda: session.notify("notifications/initialized"))
        tools = session.list_tools()
        findings.sentences.append(plural(len(tools.tools), "tool") + ("" if tools.nextCursor is None else " on the first page"))
        if settings.rps_tool:
            findings.mistakes += tool_mistakes(tools, settings.rps_tool, settings.rps_tool_args)
        if stream:
            _look_at_stream(session, settings, findings)
    except MopError as error:
        blame(error, settings.http_base, "HTTP", findings)
        if isinstance(error, HttpStatusError) and error.status == 404:
            findings.target_faults[-1] = f"no HTTP transport here (404 at {settings.http_base})" + (
                "; the WebSocket scenario can run" if _websocket_answers(client, settings) else ""
            )
    finally:
        session.close()


def _look_at_stream(session: HttpSession, settings: Settings, findings: Findings) -> None:
    try:
        with session.stream():
            findings.sentences.append("an event stream opens")
    except MopError as error:
        if isinstance(error, HttpStatusError) and error.status == 405:
            findings.target_faults.append(f"no event stream here (405 at GET {settings.http_base})")
        else:
            blame(error, f"GET {settings.http_base}", "event stream", findings)


def _look_at_websocket(client: Client, settings: Settings, findings: Findings) -> None:
    try:
        with client.connect() as session:
            session.probe(settings.ws_probe)
        findings.sentences.append(f"{settings.base_url}: answers {settings.ws_probe}")
    except MopError as error:
        blame(error, settings.base_url, "WebSocket", findings)


def _websocket_answers(client: Client, settings: Settings) -> bool:
    def probe() -> None:
        with client.connect() as session:
            session.probe(settings.ws_probe)

    return _took(probe)


def _took(call: Callable[[], None]) -> bool:
    try:
        call()
    except MopError:
        return False
    return True


def blame(error: MopError, where: str, transport: str, findings: Findings) -> None:
    """Says what is wrong in one sentence; a refused key is the user's mistake, everything else the target's fault."""
    if isinstance(error, HttpStatusError) and error.status in REFUSED_KEY:
        findings.mistakes.append(f"{error.status}: the server refused the key at {where}; set MOP_API_KEY or MOP_API_KEY_FILE")
    elif isinstance(error, ConnectError):
        what = f"connection {error.label}" if error.label in ("refused", "reset") else error.label
        findings.target_faults.append(f"nothing to test at {where}: {what}")
    else:
        findings.target_faults.append(f"{where} does not work over {transport}: {error}")


def tool_mistakes(tools: ToolsList, name: str, arguments: dict[str, object]) -> list[str]:
    """Returns what is wrong with a tool call: an unknown tool, or arguments that its inputSchema does not allow."""
    tool = next((tool for tool in tools.tools if tool.name == name), None)
    if tool is None:
        there_are = ", ".join(tool.name for tool in tools.tools) or "none"
        return [f"MOP_RPS_TOOL (--mop-rps-tool): the server has no tool {name!r}; it has {there_are}"]
    from mop_locust.federation.arguments import problems  # here, since few runs need what it brings along

    try:
        schema = msgspec.json.decode(tool.inputSchema, type=dict[str, Any])
    except msgspec.MsgspecError:
        return []  # the schema is the server's mistake, and the call itself will show what comes of it
    return [f"MOP_RPS_TOOL_ARGS (--mop-rps-tool-args): {problem}" for problem in problems(schema, arguments)]
