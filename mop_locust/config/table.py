"""The table of the settings: everything that knows their names, options and defaults is made from it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mop_locust.config import kinds
from mop_locust.config.arrivals import ARRIVALS
from mop_locust.config.mistakes import ConfigError
from mop_locust.config.stages import USER_STAGES

# Names that begin with MOP_ and are no settings: the keys, what the tests read, and what the MOP server itself reads.
NOT_SETTINGS: Final = frozenset(
    (
        "MOP_API_KEY",
        "MOP_API_KEY_FILE",
        "MOP_CLUSTER_KEY",
        "MOP_CLUSTER_KEY_FILE",
        "MOP_WEB_USER",
        "MOP_WEB_PASSWORD_FILE",
        "MOP_SERVER_BIN",
        "MOP_SOAK_MINUTES",
        "MOP_SERVER_KEY",
        "MOP_ADMIN_TOKEN",
        "MOP_ENABLE_SAMPLING",
        "MOP_INFLUX_TOKEN",
    )
)

# The revisions with sessions, as `mop_locust.protocol.mcp` knows them; a test compares the two.
_REVISION: Final = kinds.choice(
    "2024-11-05",
    "2025-03-26",
    "2025-06-18",
    "2025-11-25",
    refused={"2026-07-28": "is the stateless revision, which is not supported yet"},
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One row: the name in the environment, the text that counts when none is given, the kind, and one sentence of help.

    `guard` marks what protects others: it stands in no form of the web UI, and nothing changes it while the process runs.
    """

    name: str
    default: str
    kind: kinds.Kind
    help: str
    guard: bool = False

    @property
    def option(self) -> str:
        """The command line option: `--mop-ws-vus`."""
        return "--" + self.name.lower().replace("_", "-")

    @property
    def dest(self) -> str:
        """The name in argparse's namespace: `mop_ws_vus`."""
        return self.name.lower()

    @property
    def attribute(self) -> str:
        """The attribute of `Settings`; times are seconds there, so `_MS` is left out: `ws_sleep`."""
        return self.name.removeprefix("MOP_").removesuffix("_MS").lower()

    @property
    def allowed(self) -> str:
        """What the value may be, in words."""
        return self.kind.allowed

    def read(self, text: str) -> object:
        """The value of the text; ValueError with a whole sentence: variable, option, value, what is wrong, what is allowed.

        ConfigError with a sentence for each mistake where a file is named that has several.
        """
        try:
            if not text.strip() and self.default:
                raise ValueError("is empty")
            return self.kind.read(text)
        except ConfigError as error:
            raise ConfigError(f"{self.name} ({self.option}): {mistake}" for mistake in error.mistakes) from None
        except ValueError as error:
            raise ValueError(f"{self.name} ({self.option}): {self.kind.show(text)} {error}; allowed: {self.allowed}") from None


SETTINGS: Final[tuple[Setting, ...]] = (
    Setting("MOP_BASE_URL", "ws://localhost:8000/ws", kinds.WS_URL, "The WebSocket endpoint of the target."),
    Setting(
        "MOP_HTTP_BASE",
        "http://localhost:8000/mcp",
        kinds.HTTP_URL,
        "The HTTP endpoint of the target, for POST and for the stream.",
    ),
    Setting("MOP_WS_VUS", "50", kinds.COUNT, "Users of ws_connect_storm."),
    Setting("MOP_WS_DURATION", "1m", kinds.DURATION, "How long ws_connect_storm runs."),
    Setting("MOP_WS_SLEEP_MS", "500", kinds.MILLISECONDS, "How long a WebSocket session is held after its answer."),
    Setting("MOP_WS_PROBE", "ping", kinds.NAME, "The method that a WebSocket session asks for; an error answer proves life too."),
    Setting(
        "MOP_WS_SUBPROTOCOL",
        "",
        kinds.TOKEN_OR_NONE,
        "The WebSocket subprotocol to ask for; servers built on an MCP SDK want mcp.",
    ),
    Setting(
        "MOP_WS_CLIENT", "gevent", kinds.choice("gevent", "websocket-client"), "Who speaks WebSocket: our client, or the library."
    ),
    Setting("MOP_RPS_VUS", "20", kinds.COUNT, "Users of tools_call_rps."),
    Setting("MOP_RPS_DURATION", "1m", kinds.DURATION, "How long tools_call_rps runs."),
    Setting("MOP_RPS_THINK_MS", "250", kinds.MILLISECONDS, "The pause between two iterations of tools_call_rps."),
    Setting("MOP_RPS_LISTS", "1", kinds.COUNT, "How often an iteration of tools_call_rps asks for tools/list."),
    Setting("MOP_RPS_TOOL", "", kinds.NAME_OR_NONE, "A tool that each iteration of tools_call_rps calls as well."),
    Setting("MOP_RPS_TOOL_ARGS", "{}", kinds.JSON_OBJECT, "The arguments of that call."),
    Setting("MOP_SSE_VUS", "5", kinds.COUNT, "Users of sse_keep_alive."),
    Setting(
        "MOP_SSE_ITERATIONS", "20", kinds.COUNT, "Streams that all users of sse_keep_alive open together; then the run ends."
    ),
    Setting("MOP_SSE_WINDOW_MS", "5000", kinds.MILLISECONDS, "How long a user stays on a stream."),
    Setting("MOP_SSE_MAX_DURATION", "10m", kinds.DURATION, "When sse_keep_alive ends though iterations are left."),
    Setting("MOP_SSE_REQUIRE_KEEPALIVE", "0", kinds.FLAG, "Count a stream that the server ends early as failed."),
    Setting(
        "MOP_STAGES",
        "",
        USER_STAGES,
        "Stages of the load: how long each lasts, and the users that it goes to in a straight line; the run ends with the last.",
    ),
    Setting("MOP_FED_VUS", "10", kinds.COUNT, "Users of federated_calls over each of the two transports."),
    Setting("MOP_FED_DURATION", "1m", kinds.DURATION, "How long federated_calls runs."),
    Setting("MOP_FED_THINK_MS", "100", kinds.MILLISECONDS, "The pause between two iterations of federated_calls."),
    Setting("MOP_FED_ARGS", "", kinds.FILE, 'A JSON file of arguments, {"TOOL": [{"NAME": VALUE}]}; other tools get made ones.'),
    Setting(
        "MOP_MISSION_PATH",
        "",
        kinds.MISSIONS,
        "What mission benchmarks: the mission that the server was started with, or a folder.",
    ),
    Setting("MOP_MISSION_VUS", "10", kinds.COUNT, "Users of mission."),
    Setting("MOP_MISSION_DURATION", "10s", kinds.DURATION, "How long mission runs; with its own servers, each of the runs."),
    Setting("MOP_MISSION_THINK_MS", "100", kinds.MILLISECONDS, "The pause between two iterations of mission."),
    Setting(
        "MOP_MISSION_EXPECT",
        "with",
        kinds.choice("with", "without"),
        "Whether the server runs with the mission or, to compare, without.",
    ),
    Setting(
        "MOP_ARRIVALS",
        "",
        ARRIVALS,
        "Open load: sessions begin by a clock, whatever the server does, and users neither repeat nor pause by themselves.",
    ),
    Setting(
        "MOP_ARRIVALS_CLOCK",
        "constant",
        kinds.choice("constant", "poisson"),
        "Whether arrivals are evenly spaced, or as random as those of many people.",
    ),
    Setting(
        "MOP_MAX_USERS",
        "10000",
        kinds.COUNT,
        "With MOP_ARRIVALS: at most so many users over all workers; what arrives beyond them is dropped and counted.",
    ),
    Setting(
        "MOP_SEED",
        "1",
        kinds.COUNT_OR_NONE,
        "The seed of what is drawn at random: the Poisson clock, and arguments made from an inputSchema.",
    ),
    Setting("MOP_TIMEOUT_MS", "10000", kinds.milliseconds(1), "The time for one whole exchange, name lookup included."),
    Setting(
        "MOP_MAX_REPLY_BYTES", "16777216", kinds.COUNT, "The largest reply that is read; a larger one is a protocol failure."
    ),
    Setting("MOP_PROTOCOL_VERSION", "2025-11-25", _REVISION, "The MCP revision that initialize asks for."),
    Setting(
        "MOP_INITIALIZED",
        "auto",
        kinds.choice("auto", "always", "never"),
        "Whether notifications/initialized is sent; auto does what the preflight found the server to take.",
    ),
    Setting("MOP_LEAK_SESSIONS", "0", kinds.FLAG, "Leave the sessions open, to see what that does to the server."),
    Setting(
        "MOP_SOURCE_ADDRESSES",
        "",
        kinds.ADDRESSES,
        "Addresses to connect from, in turn: each has its own 28,000 ports to a target. Not with MOP_HTTP_CLIENT=requests.",
    ),
    Setting("MOP_TLS_CA", "", kinds.FILE, "A file of certificates (PEM) to trust instead of the system's."),
    Setting("MOP_TLS_INSECURE", "0", kinds.FLAG, "Do not verify the target's certificate."),
    Setting(
        "MOP_ALLOW_TARGETS",
        "",
        kinds.HOSTS,
        "Hosts that may be loaded besides this machine and private networks; `--mop-allow-target HOST` adds one.",
        guard=True,
    ),
    Setting(
        "MOP_ALLOW_CLEARTEXT_KEY",
        "0",
        kinds.FLAG,
        "Send the key without encryption to hosts that are neither this machine nor in a private network.",
        guard=True,
    ),
    Setting(
        "MOP_MAX_RPS",
        "0",
        kinds.COUNT_OR_NONE,
        "At most so many exchanges a second over all workers; what is held back waits before its clock starts. 0: no ceiling.",
        guard=True,
    ),
    Setting(
        "MOP_MAX_REQUESTS",
        "0",
        kinds.COUNT_OR_NONE,
        "The run ends after so many exchanges of all workers, the closing of sessions not counted. 0: no ceiling.",
        guard=True,
    ),
    Setting(
        "MOP_WEB_HOSTS",
        "",
        kinds.HOSTS,
        "Names under which browsers reach the web UI, besides localhost and addresses.",
        guard=True,
    ),
    Setting("MOP_HTTP_CLIENT", "gevent", kinds.choice("gevent", "requests"), "Who speaks HTTP: our client, or the library."),
    Setting("MOP_THRESHOLDS", "", kinds.TEXT, "Thresholds 'METRIC{TAGS}: EXPR', one a line or between ';'."),
    Setting("MOP_REPORTS", "reports", kinds.DIRECTORY, "Where the run folders are made."),
    Setting("MOP_METRICS_PORT", "", kinds.PORT_OR_NONE, "A port on which /metrics is there for Prometheus."),
    Setting("MOP_METRICS_HOST", "127.0.0.1", kinds.HOST, "The address of that port."),
    Setting(
        "MOP_METRICS_LINGER",
        "30s",
        kinds.DURATION,
        "How long /metrics stays at most after the end, until its last values were read twice; not at all if nobody read it.",
    ),
    Setting("MOP_OTLP", "", kinds.OTLP_URL, "An OpenTelemetry collector (OTLP over HTTP) that gets the metrics each 5 s."),
    Setting("MOP_INFLUX", "", kinds.INFLUX_URL, "An InfluxDB (1 or 2) that gets each second; its token is MOP_INFLUX_TOKEN."),
    Setting("MOP_JSONL", "", kinds.NEW_FILE, "A file that gets a line of JSON for each second, and the summary as the last one."),
    Setting(
        "MOP_SERVER_COMMIT", "", kinds.NAME_OR_NONE, "The server's git hash, for the manifest; without it the server is asked."
    ),
    Setting(
        "MOP_EXPECT_WORKERS_AT",
        "",
        kinds.HOST_OR_NONE,
        "A name with one address for each worker, as a service of docker compose has: the master waits for as many workers.",
    ),
    Setting("MOP_PREFLIGHT", "on", kinds.FLAG, "Check the target before the load."),
    Setting("MOP_SERVER_PID", "", kinds.PROCESS, "The server's process, where it runs on this machine: its usage is watched."),
    Setting(
        "MOP_SERVER_CGROUP",
        "",
        kinds.FOLDER_OR_NONE,
        "The server's cgroup (v2), for a server of several processes or a container.",
    ),
    Setting(
        "MOP_DRIFT",
        "0",
        kinds.FLAG,
        "Judge at the end whether memory, descriptors, sessions or latency grow, of the server and of ourselves: drift is red.",
    ),
    Setting(
        "MOP_MAX_LOOP_LAG_MS",
        "250",
        kinds.MILLISECONDS,
        "A run is degraded when the event loop of a process was later than this once in a hundred times.",
    ),
    Setting("MOP_MAX_STALL_MS", "2000", kinds.MILLISECONDS, "A run is degraded when a process stood still for longer."),
    Setting(
        "MOP_MAX_CPU_PERCENT",
        "55",
        kinds.COUNT,
        "A run is degraded when a load generator used more of a core on average; above it latencies are off by over 10 %.",
    ),
    Setting("MOP_QUIET", "0", kinds.FLAG, "Show no progress, the result only."),
    Setting("MOP_ALLOW_DEGRADED", "0", kinds.FLAG, "End with 0 when the thresholds passed and the run is degraded."),
)


def unknown_variables(environ: Iterable[str], known: Iterable[str] = ()) -> list[str]:
    """A sentence for each name that looks like one of ours and is none, so that no typing error stays silent; never a value."""
    names = [setting.name for setting in SETTINGS]
    others = NOT_SETTINGS.union(known)
    sentences = []
    for name in sorted(environ):
        if name.upper().startswith("MOP_") and name not in names and name not in others:
            nearest = difflib.get_close_matches(name.upper(), [*names, *sorted(others)], n=1, cutoff=0.7)
            sentences.append(f"{name} is no variable of mop-locust" + (f"; did you mean {nearest[0]}?" if nearest else ""))
    return sentences


def readme_table() -> str:
    """The table of all settings in Markdown, as it stands in the README."""
    rows = ["| variable | default | allowed | |", "|---|---|---|---|"]
    for setting in SETTINGS:
        default = f"`{setting.default}`" if setting.default else ""
        rows.append(f"| `{setting.name}` | {default} | {setting.allowed} | {setting.help} |")
    return "\n".join(rows) + "\n"
