"""Pairs of calls over a transport without a network: who answered, what counts as what, what is compared with what."""

from __future__ import annotations

import json
from collections import Counter as Tally
from collections.abc import Callable
from typing import Any

import pytest

from mop_locust.client.calls import Calls
from mop_locust.client.federated import FEDERATED_METRICS, FederatedPairs
from mop_locust.federation.plan import Plan, PooledTool
from mop_locust.metrics.instruments import BUILT_IN
from mop_locust.protocol.errors import CheckFailed, ClientFault, Disconnected, RpcError, ToolError
from mop_locust.protocol.mcp import revision
from mop_locust.protocol.session import Session
from tests.unit.client.memory import Link, Taken, clients, refusal, result

ONE = PooledTool("search", [{"q": "a"}, {"q": "b"}], "one")
OTHER = PooledTool("fetch", [{}], "two")
LOCAL = PooledTool("mine", [{"n": 1}], "")

FORWARDED = {"content": [{"type": "text", "text": "found"}]}
FALLBACK = {"tool_execution": {}, "consciousness_coordination": {}}
SIMULATED = {"status": "success"}
PLANNED = {"plan_id": "p"}

Answers = Callable[[dict[str, Any]], Any]  # params of a call -> what stands in the text, or an exception


def text(value: Any) -> dict[str, Any]:
    """A result whose text is this as JSON."""
    return {"content": [{"type": "text", "text": json.dumps(value)}]}


class User:
    """One user of a plan, and what it measured."""

    def __init__(self, answers: Answers, *federated: PooledTool, local: list[PooledTool] = [], transport: str = "http") -> None:  # noqa: B006
        self.taken = Taken()

        def say(asked: dict[str, Any]) -> list[bytes | BaseException | None]:
            answer = answers(asked["params"])
            if isinstance(answer, BaseException):
                return [answer]
            return [answer if isinstance(answer, bytes) else result(asked["id"], text(answer))]

        self.link = Link(say)
        instruments = {instrument.name: instrument for instrument in (*BUILT_IN, *FEDERATED_METRICS)}
        client = clients(self.taken).client("tests", instruments, {})
        self.session = Calls(Session(revision("2025-11-25"), handshake=False), client._exchanges, self.link)
        self.pairs = FederatedPairs(client, Plan(list(federated), local), transport)
        self.pairs._turn = 0  # where a user begins depends on how many there were

    def call(self) -> None:
        """One round."""
        self.pairs.call(self.session)

    @property
    def asked(self) -> list[tuple[str, Any, Any]]:
        """Tool, arguments and mode of each call."""
        return [(one["params"]["name"], one["params"]["arguments"], one["params"].get("mode")) for one in self.link.sent]

    @property
    def counted(self) -> dict[str, int]:
        """The counters by their names."""
        totals: Tally[str] = Tally()
        for name, _, n in self.taken.counts:
            totals[name.removeprefix("federated_")] += n
        return dict(totals)

    @property
    def rated(self) -> list[tuple[str, bool]]:
        """The rates."""
        return [(name.removeprefix("federated_"), failed) for name, _, failed in self.taken.rates]

    @property
    def timed(self) -> list[str]:
        """The trends."""
        return [name.removeprefix("federated_") for name, _, _ in self.taken.trends]


def by_tool(**answers: Any) -> Answers:
    """Answers by the name of the tool."""
    return lambda params: answers[params["name"]]


def test_a_pair_beside_a_local_tool() -> None:
    """Who comes first takes turns, arguments too; the difference belongs to the downstream."""
    user = User(by_tool(search=FORWARDED, mine=SIMULATED), ONE, local=[LOCAL])
    user.call()
    user.call()
    assert user.asked == [
        ("mine", {"n": 1}, None),
        ("search", {"q": "a"}, None),
        ("search", {"q": "b"}, None),
        ("mine", {"n": 1}, None),
    ]
    assert user.counted == {"calls": 2}
    assert user.rated == [("failures", False), ("fallbacks", False)] * 2
    assert sorted(user.timed) == ["added_latency"] * 2 + ["latency"] * 2 + ["local_latency"] * 2
    tags = {name: dict(tags) for name, tags, _ in user.taken.trends}
    downstream = {"downstream": "one", "scenario": "tests", "transport": "http"}
    assert tags["federated_latency"] == tags["federated_added_latency"] == downstream
    assert tags["federated_local_latency"] == {"scenario": "tests", "transport": "http"}


def test_the_latencies_are_those_of_the_samples() -> None:
    """Nothing is measured twice: the trends hold the durations of the exchanges, and their difference."""
    user = User(by_tool(search=FORWARDED, mine=SIMULATED), ONE, local=[LOCAL])
    user.call()
    local, hop = (sample.duration_us for sample in user.taken.samples)
    assert {name: value for name, _, value in user.taken.trends} == {
        "federated_local_latency": local,
        "federated_latency": hop,
        "federated_added_latency": hop - local,
    }


def test_each_downstream_has_its_pair() -> None:
    """One after the other, over one session."""
    user = User(by_tool(search=FORWARDED, fetch=FORWARDED, mine=SIMULATED), ONE, OTHER, local=[LOCAL])
    user.call()
    assert [name for name, _, _ in user.asked] == ["mine", "search", "fetch", "mine"]
    assert {dict(tags)["downstream"] for _, tags, _ in user.taken.counts} == {"one", "two"}


def test_without_a_local_tool_the_socket_is_asked_for_the_plan() -> None:
    """Of the same call, which the server makes without the downstream."""
    user = User(lambda params: PLANNED if params.get("mode") else FORWARDED, ONE, transport="websocket")
    user.call()
    assert user.asked == [("search", {"q": "a"}, "plan"), ("search", {"q": "a"}, None)]
    assert sorted(user.timed) == ["added_latency", "latency", "local_latency"]


def test_a_server_without_plans_is_asked_once() -> None:
    """Its answer says nothing about the hop."""
    user = User(lambda params: FORWARDED, ONE, transport="websocket")
    user.call()
    user.call()
    assert [mode for _, _, mode in user.asked] == ["plan", None, None]
    assert user.timed == ["latency", "latency"]


def test_over_http_there_is_then_nothing_to_compare_with() -> None:
    """The call itself is timed."""
    user = User(by_tool(search=FORWARDED), ONE)
    user.call()
    assert (user.asked, user.timed) == ([("search", {"q": "a"}, None)], ["latency"])


def test_a_fallback_is_no_success_and_no_failure() -> None:
    """It has an outcome of its own name, and no latency of the hop."""
    user = User(by_tool(search=FALLBACK, mine=SIMULATED), ONE, local=[LOCAL])
    with pytest.raises(CheckFailed, match="fallback"):
        user.call()
    assert [(sample.outcome, sample.error) for sample in user.taken.samples][1:] == [("check", "fallback")]
    assert user.counted == {"calls": 1}
    assert user.rated == [("failures", False), ("fallbacks", True)]
    assert user.timed == ["local_latency"]


def test_an_own_answer_is_counted_apart() -> None:
    """It is in no rate: the downstream was not asked."""
    user = User(by_tool(search=SIMULATED, mine=SIMULATED), ONE, local=[LOCAL])
    user.call()
    assert user.counted == {"calls": 1, "own_answers": 1}
    assert (user.rated, user.timed) == ([], ["local_latency"])


def test_the_breaker_and_recovery_as_one_user_sees_them() -> None:
    """Openings and recoveries count when something changes, refusals each time."""
    opened = {"error": "Tool execution failed: Circuit opened for server 'one' (300ms) after transport error"}
    refused = {"error": "Tool execution failed: Circuit open for server 'one' (retry in Some(1ms))"}
    gone = {"error": "Tool execution failed: Server 'one' is not connected"}
    course = [FORWARDED, gone, gone, opened, refused, refused, gone, refused, FALLBACK, FORWARDED, FORWARDED, gone, FORWARDED]
    coming = iter(course)
    user = User(lambda _: next(coming), ONE)
    for answer in course:
        if "error" in answer:
            with pytest.raises(ToolError):
                user.call()
        elif answer is FALLBACK:
            with pytest.raises(CheckFailed):
                user.call()
        else:
            user.call()
    assert user.counted == {"calls": 13, "circuit_openings": 2, "circuit_refusals": 3, "recoveries": 2}
    assert user.rated.count(("failures", True)) == 8
    assert user.rated.count(("fallbacks", True)) == 1


def test_an_answer_that_is_a_failure_ends_its_pair_alone() -> None:
    """The next downstream is asked all the same, and the error leaves in the end."""
    user = User(by_tool(search=refusal(1, -32602, "no"), fetch=FORWARDED), ONE, OTHER)
    with pytest.raises(RpcError):
        user.call()
    assert [name for name, _, _ in user.asked] == ["search", "fetch"]
    assert user.counted == {"calls": 2}


def test_a_lost_connection_ends_the_round() -> None:
    """There is no session left to ask the next one on."""
    user = User(by_tool(search=Disconnected("closed by peer"), fetch=FORWARDED), ONE, OTHER)
    with pytest.raises(Disconnected):
        user.call()
    assert [name for name, _, _ in user.asked] == ["search"]
    assert user.counted == {"calls": 1}
    assert user.rated == [("failures", True), ("fallbacks", False)]


def test_our_own_limits_say_nothing_of_the_downstream() -> None:
    """They feed no metric of it."""
    user = User(by_tool(search=ClientFault("too many open files")), ONE)
    with pytest.raises(ClientFault):
        user.call()
    assert (user.counted, user.rated, user.timed) == ({}, [], [])
