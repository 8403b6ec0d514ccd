"""What is found out for federated calls: whose tools there are, what to call, and with which arguments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mop_locust.config import ApiKey
from mop_locust.federated_look import look_for_plan
from mop_locust.preflight import look
from tests.unit.client.memory import reference, result, settings
from tests.unit.small_server import tiny
from tests.unit.transports.loopback import Loopback, answer, unused_port

DEMO = ApiKey("DEMO_KEY_PUBLIC")


@pytest.fixture(scope="module")
def federating(mop: dict[str, str]) -> Iterator[dict[str, str]]:
    """The variables of a server that federates another one, and has a tool of its own left."""
    with reference("--tools", "1", "--downstream", mop["MOP_BASE_URL"]) as variables:
        yield variables


FOUR = ["discover_mcp_tools", "exa_research_example", "exa_search_example", "orchestrate_mcp_proxy"]


@pytest.mark.parametrize("transports", [("http", "websocket"), ("websocket",)])
def test_a_federated_run_gets_its_plan(federating: dict[str, str], transports: tuple[str, ...]) -> None:
    """The same over HTTP and from the socket's own catalogue: who owns what, a hundred sets of arguments each."""
    findings = look(settings(**federating), DEMO, transports, [look_for_plan])
    assert findings.state == "passed"
    assert findings.sentences[-1] == "federated: 4 tools of downstream-1; 1 local tool"
    assert [tool.name for tool in findings.plan.federated] == FOUR
    assert [len(tool.arguments) for tool in findings.plan.federated] == [100] * 4
    assert [tool.name for tool in findings.plan.local] == ["generated_1"]
    assert findings.plan == look(settings(**federating), DEMO, ("http",), [look_for_plan]).plan


def test_only_a_federated_run_asks_for_the_catalogue(federating: dict[str, str]) -> None:
    """No other one has a plan."""
    findings = look(settings(**federating), DEMO, ("http",))
    assert findings.plan.federated == []
    assert "resources/read" not in [sample.method for sample in findings.exchanges]


def test_given_arguments_are_checked_before_the_load(federating: dict[str, str], tmp_path: Path) -> None:
    """All that is wrong with them at once; a file that cannot be read is named."""
    file = tmp_path / "args.json"
    file.write_text('{"gone": [{}], "exa_search_example": [{"query": 1}]}')
    findings = look(settings(**federating, MOP_FED_ARGS=str(file)), DEMO, ("http",), [look_for_plan])
    assert findings.state == "failed"
    assert [mistake.partition(";")[0] for mistake in findings.mistakes] == [
        "MOP_FED_ARGS (--mop-fed-args): the server has no tool 'gone'",
        "MOP_FED_ARGS (--mop-fed-args): exa_search_example, set 1: query: 1 is not of type 'string'",
    ]
    file.write_text('{"exa_search_example": [{"query": "given"}]}')
    plan = look(settings(**federating, MOP_FED_ARGS=str(file)), DEMO, ("http",), [look_for_plan]).plan
    assert plan.federated[2].arguments == [{"query": "given"}]
    checked = settings(**federating, MOP_FED_ARGS=str(file))
    file.unlink()
    findings = look(checked, DEMO, ("http",), [look_for_plan])
    assert findings.mistakes == [f"MOP_FED_ARGS (--mop-fed-args): {str(file)!r} cannot be read: No such file or directory"]


def test_a_server_without_federation_is_the_users_mistake(mop: dict[str, str]) -> None:
    """Nothing federated, and no catalogue at all."""
    findings = look(settings(**mop), DEMO, ("http",), [look_for_plan])
    assert findings.mistakes[0].startswith("the server federates no tool: its catalogue has 4 tools, all its own; ")
    with reference("--dialect", "mcp") as mcp:
        findings = look(settings(**mcp), DEMO, ("websocket",), [look_for_plan])
    (mistake,) = findings.mistakes
    assert mistake.startswith(f"{mcp['MOP_BASE_URL']} has no catalogue of federated tools, which federated_calls needs: ")
    assert mistake.endswith("JSON-RPC -32602 (Unknown resource: mcp://catalog)")
    empty = Loopback(lambda peer: tiny(peer, **{"resources/read": answer(result(4, {"contents": []}))}))
    try:
        findings = look(settings(MOP_HTTP_BASE=f"http://127.0.0.1:{empty.port}/mcp"), DEMO, ("http",), [look_for_plan])
    finally:
        empty.stop()
    assert "has no catalogue of federated tools" in findings.mistakes[0]


def test_a_target_that_is_down_is_not_asked_for_its_catalogue() -> None:
    """One sentence is enough."""
    url = f"http://127.0.0.1:{unused_port()}/mcp"
    findings = look(settings(MOP_HTTP_BASE=url), DEMO, ("http",), [look_for_plan])
    assert (findings.target_faults, findings.mistakes) == ([f"nothing to test at {url}: connection refused"], [])
