"""Calls of federated tools beside local ones: what the hop costs, and what becomes of a call when the downstream fails."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

from mop_locust.client.calls import Calls
from mop_locust.federation.answer import Circuit, Origin, circuit, is_plan, origin
from mop_locust.federation.plan import Plan, PooledTool
from mop_locust.metrics.instruments import Counter, Instrument, Rate, Trend
from mop_locust.protocol.errors import CheckFailed, MopError, RpcError, ToolError
from mop_locust.protocol.mcp import CallResult

if TYPE_CHECKING:
    from mop_locust.client.client import Client

FEDERATED_METRICS: Final[tuple[Instrument, ...]] = (
    Counter("federated_calls"),
    Rate("federated_failures"),
    Rate("federated_fallbacks"),
    Counter("federated_own_answers"),
    Counter("federated_circuit_refusals"),
    Counter("federated_circuit_openings"),
    Counter("federated_recoveries"),
    Trend("federated_latency"),
    Trend("federated_local_latency"),
    Trend("federated_added_latency"),
)
"""What a scenario of federated calls declares; docs/federation.md says what each is."""

FEDERATED_TAGS: Final = ("downstream",)
"""The tag of these metrics that others have not."""

_users = count()


class _Downstream:
    """One downstream server as one user sees it: its metrics, whether it answered last, whether its circuit was open."""

    def __init__(self, client: Client, name: str, transport: str) -> None:
        tags = {"downstream": name, "transport": transport}
        self.calls = client.counter("federated_calls", **tags)
        self.failures = client.rate("federated_failures", **tags)
        self.fallbacks = client.rate("federated_fallbacks", **tags)
        self.own_answers = client.counter("federated_own_answers", **tags)
        self.refusals = client.counter("federated_circuit_refusals", **tags)
        self.openings = client.counter("federated_circuit_openings", **tags)
        self.recoveries = client.counter("federated_recoveries", **tags)
        self.latency = client.trend("federated_latency", **tags)
        self.added = client.trend("federated_added_latency", **tags)
        self._down = False
        self._open = False

    def answered(self, by: Origin, microseconds: int) -> bool:
        """Takes an answer that is no failure; returns whether it came over the hop."""
        self.calls.add()
        if by is Origin.OWN:
            self.own_answers.add()
            return False
        self.failures.add(False)
        self.fallbacks.add(False)
        self.latency.add(microseconds / 1000)
        if self._down:
            self.recoveries.add()
        self._down = self._open = False
        return True

    def fell_back(self) -> None:
        """Takes an answer that the server gave itself, because the downstream did not."""
        self.calls.add()
        self.failures.add(False)
        self.fallbacks.add(True)
        self._down = True

    def failed(self, text: str) -> None:
        """Takes a failed call, with what the server said."""
        self.calls.add()
        self.failures.add(True)
        self.fallbacks.add(False)
        self._down = True
        said = circuit(text)
        if said is Circuit.REFUSED:
            self.refusals.add()
        if said is not Circuit.UNKNOWN and not self._open:
            self.openings.add()
        self._open = said is not Circuit.UNKNOWN


class FederatedPairs:
    """One user's calls: for each downstream server one of its tools, and right beside it a local call over the same session.

    The local call is one of a tool of the server's own. Where it has none, the socket is asked for the plan of the same call,
    which the server makes without the downstream; over HTTP there is then nothing to compare with. Which of the two comes first
    takes turns.
    """

    def __init__(self, client: Client, plan: Plan, transport: str) -> None:
        self._client = client
        self._plan = plan
        self._by_downstream = {name: plan.of(name) for name in plan.downstreams}
        self._downstreams = {name: _Downstream(client, name, transport) for name in plan.downstreams}
        self._local_latency = client.trend("federated_local_latency", transport=transport)
        self._can_plan = transport == "websocket"
        self._turn = next(_users)  # users begin at different tools and arguments

    def call(self, session: Calls) -> None:
        """Makes a pair of calls for each downstream server.

        An answer that is a failure, or a fallback, ends only its own pair; the last such error is raised when all were asked.
        """
        problem: MopError | None = None
        for name, tools in self._by_downstream.items():
            turn, self._turn = self._turn, self._turn + 1
            try:
                self._pair(session, self._downstreams[name], _in_turn(tools, turn), turn)
            except (CheckFailed, RpcError, ToolError) as error:
                problem = error
        if problem is not None:
            raise problem

    def _pair(self, session: Calls, downstream: _Downstream, tool: PooledTool, turn: int) -> None:
        arguments = tool.arguments[turn % len(tool.arguments)]
        if turn % 2:
            hop = self._federated(session, downstream, tool.name, arguments)
            local = self._local(session, tool.name, arguments, turn)
        else:
            local = self._local(session, tool.name, arguments, turn)
            hop = self._federated(session, downstream, tool.name, arguments)
        if hop is not None and local is not None:
            downstream.added.add((hop - local) / 1000)

    def _federated(self, session: Calls, downstream: _Downstream, name: str, arguments: dict[str, object]) -> int | None:
        """Returns the microseconds of a call that the downstream answered; None when the server answered on its own."""
        by: Origin | None = None

        def look(answer: CallResult) -> None:
            nonlocal by
            by = origin(answer)
            if by is Origin.FALLBACK:
                raise CheckFailed("fallback")

        try:
            session.call_tool(name, arguments, check=look)
        except MopError as error:
            if by is Origin.FALLBACK:
                downstream.fell_back()
            elif error.outcome != "client_fault":  # which says nothing of the target
                downstream.failed(error.text if isinstance(error, ToolError) else "")
            raise
        assert by is not None
        took = self._client.last.duration_us
        return took if downstream.answered(by, took) else None

    def _local(self, session: Calls, name: str, arguments: dict[str, object], turn: int) -> int | None:
        """Returns the microseconds of a local call; None when there is none to make."""
        if self._plan.local:
            tool = _in_turn(self._plan.local, turn)
            session.call_tool(tool.name, tool.arguments[turn % len(tool.arguments)])
        elif self._can_plan:
            # The answer of a server that knows no plans says nothing about the hop, and is not asked for again.
            self._can_plan = is_plan(session.request("tools/call", {"name": name, "arguments": arguments, "mode": "plan"}))
        if not self._plan.local and not self._can_plan:
            return None
        took = self._client.last.duration_us
        self._local_latency.add(took / 1000)
        return took


def _in_turn(tools: list[PooledTool], turn: int) -> PooledTool:
    return tools[turn % len(tools)]
