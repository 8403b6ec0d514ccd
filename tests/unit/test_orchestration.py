"""What the scenario `mission` asks of a server, with a session that answers from a list."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self, cast

import pytest
from msgspec import Raw

from mop_locust.client import Client, WebSocketSession
from mop_locust.missions.plan import Call
from mop_locust.orchestration import MOST_PAGES, NO_TOOL, VOID, Orchestration, look, mistakes
from mop_locust.preflight import Findings
from mop_locust.protocol.errors import CheckFailed, Disconnected, MopError
from mop_locust.protocol.mcp import CallResult, Content, Tool, ToolsList
from tests.unit.client.memory import settings
from tests.unit.missions.real_server import MISSION

CALL = Call("exa_search", {}, ("search-tools",))
NO_RULE = Call("other", {}, ())
TEXT = "## Cite sources\n\nPrefer primary sources, give the date of each, and say where two of them disagree.\n\n\n"


def told(call: Call, *, mission: bool = True, **changes: Any) -> CallResult:
    """The answer to a call of a server with or without the mission."""
    applies = mission and bool(call.rules)
    coordination = {
        "applied": applies,
        "injected_content": TEXT if applies else "",
        "activated_rules": list(call.rules) if applies else [],
        "used_templates": ["cite-sources"] if applies else [],
        "metadata": {"tool_name": call.tool} if mission else {},
    }
    return CallResult(
        [Content("image"), Content("text", json.dumps({"consciousness_coordination": {**coordination, **changes}}))]
    )


class Session:
    """A session, and the client that opens it: pages of tools, and answers by tool."""

    def __init__(
        self, *pages: list[str], answers: Callable[[str], CallResult] | None = None, error: MopError | None = None
    ) -> None:
        self.pages = list(pages)
        self.lists: list[str | None] = []
        self.calls: list[str] = []
        self._answers = answers
        self._error = error

    def connect(self) -> Self:
        """Opens itself."""
        if self._error is not None:
            raise self._error
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def list_tools(self, cursor: str | None = None) -> ToolsList:
        """One page."""
        self.lists.append(cursor)
        number = int(cursor or 0)
        more = str(number + 1) if number + 1 < len(self.pages) else None
        return ToolsList([Tool(name, inputSchema=Raw(b"{}")) for name in self.pages[number]], more)

    def call_tool(self, name: str, arguments: Mapping[str, object], check: Callable[[CallResult], object]) -> None:
        """The answer, looked at."""
        self.calls.append(name)
        assert self._answers is not None
        check(self._answers(name))


def session(*pages: list[str]) -> tuple[Session, WebSocketSession]:
    """A session that lists these tools, as itself and as what it stands for."""
    made = Session(*pages)
    return made, cast(WebSocketSession, made)


@pytest.fixture
def mission(tmp_path: Path) -> Path:
    """A file with the example."""
    path = tmp_path / "mission.yaml"
    path.write_text(MISSION)
    return path


def test_the_tools_are_listed_once_page_by_page(mission: Path) -> None:
    """The plan is the user's from then on."""
    orchestration = Orchestration(settings(MOP_MISSION_PATH=str(mission)))
    made, as_session = session(["a", "b"], ["exa_1"])
    plan = orchestration.plan(as_session)
    assert [call.tool for call in plan.calls] == ["a", "b", "exa_1"]
    assert orchestration.plan(as_session) is plan
    assert made.lists == [None, "1"]


def test_a_server_whose_tools_have_no_end(mission: Path) -> None:
    """It is asked for so many pages and no more."""
    made, as_session = session(*[["a"]] * (2 * MOST_PAGES))
    Orchestration(settings(MOP_MISSION_PATH=str(mission))).plan(as_session)
    assert len(made.lists) == MOST_PAGES


def test_a_server_without_tools(mission: Path) -> None:
    """Each iteration says so."""
    orchestration = Orchestration(settings(MOP_MISSION_PATH=str(mission)))
    for _ in range(2):
        with pytest.raises(CheckFailed) as caught:
            orchestration.plan(session([])[1])
        assert caught.value.label == NO_TOOL


def test_an_answer_is_right_or_a_failed_check_of_its_class(mission: Path) -> None:
    """And the rate hears of both; what was right once is not looked at again, what differs is."""
    orchestration = Orchestration(settings(MOP_MISSION_PATH=str(mission)))
    heard: list[bool] = []
    check = orchestration.check(CALL, heard.append)
    check(told(CALL))
    check(told(CALL))
    with pytest.raises(CheckFailed) as caught:
        check(told(CALL, used_templates=[]))
    assert (caught.value.label, caught.value.detail) == ("other templates were used", "exa_search: none of cite-sources")
    with pytest.raises(CheckFailed) as caught:
        check(told(CALL, mission=False))
    assert (caught.value.label, caught.value.detail) == ("the server runs without the mission", "exa_search")
    with pytest.raises(CheckFailed) as caught:
        orchestration.check(NO_RULE, heard.append)(CallResult([]))
    assert caught.value.label == "the answer tells of no coordination"
    assert heard == [False, False, True, True, True]


def test_without_the_mission_the_same_answers_are_wrong(mission: Path) -> None:
    """And those of a server without one are right."""
    check = Orchestration(settings(MOP_MISSION_PATH=str(mission), MOP_MISSION_EXPECT="without")).check(CALL, lambda _: None)
    check(told(CALL, mission=False))
    with pytest.raises(CheckFailed) as caught:
        check(told(CALL))
    assert caught.value.label in VOID


def test_the_settings_that_the_scenario_needs(mission: Path) -> None:
    """A mission, and one only."""
    assert mistakes({"MOP_MISSION_PATH": str(mission)}) == []
    assert mistakes({"MOP_MISSION_PATH": str(mission.parent)}) == [
        (
            f"MOP_MISSION_PATH (--mop-mission-path): {str(mission.parent)!r} is a folder, and a server runs one mission; "
            "without a target `mop-locust run mission` takes it"
        )
    ]
    assert mistakes({"MOP_MISSION_PATH": ""}) == [
        (
            "MOP_MISSION_PATH (--mop-mission-path): the scenario mission needs it; "
            "allowed: the path of the mission file that the server was started with"
        )
    ]


def looked(mission: Path, made: Session) -> Findings:
    """What the look at a server found."""
    findings = Findings()
    look(cast(Client, made), settings(MOP_MISSION_PATH=str(mission)), {"websocket"}, findings)
    return findings


def test_the_look_calls_each_tool_of_the_plan(mission: Path) -> None:
    """And says which rules each shows."""
    made = Session(["other", "exa_search"], answers=lambda name: told(CALL if name == CALL.tool else NO_RULE))
    findings = looked(mission, made)
    assert made.calls == ["other", "exa_search"]
    assert findings.sentences == ["calls other: (none)", "calls exa_search: search-tools"]
    assert findings.close().state == "passed"


def test_the_look_finds_a_server_without_the_mission(mission: Path) -> None:
    """By any call; a rule that no tool shows is named."""
    findings = looked(mission, Session(["other"], answers=lambda _: told(NO_RULE, mission=False)))
    assert findings.sentences == ["calls other: (none)", "rule search-tools matches no tool that is called"]
    assert findings.voids == ["the server runs without the mission: so said ws://localhost:8000/ws of its call of other"]


def test_what_else_the_look_can_find(mission: Path) -> None:
    """Wrong answers are left to the load, which counts them; a server that takes no calls is at fault, a file is the user's."""
    findings = looked(mission, Session(["exa_search"], answers=lambda _: told(CALL, used_templates=[])))
    assert findings.sentences[-1] == (
        "the mission is not applied as its file says: a check failed: other templates were used "
        "(exa_search: none of cite-sources)"
    )
    assert findings.close().state == "passed"
    assert looked(mission, Session([])).target_faults == [
        "no tool can be called at ws://localhost:8000/ws: there is none with arguments that could be made"
    ]
    assert looked(mission, Session(error=Disconnected("closed"))).target_faults == [
        "ws://localhost:8000/ws does not take tool calls: the connection ended too early: closed"
    ]
    values = settings(MOP_MISSION_PATH=str(mission))
    mission.write_text("id: x")
    findings = Findings()
    look(cast(Client, Session([])), values, {"websocket"}, findings)
    assert findings.mistakes[0].startswith(f"{mission}, line 1: mandatory and missing: `name`")


def test_tools_without_arguments_are_counted(mission: Path) -> None:
    """They are left out, and that is said."""
    made = Session(["other"], answers=lambda _: told(NO_RULE))
    plain = made.list_tools

    def with_an_impossible_one(cursor: str | None = None) -> ToolsList:
        page = plain(cursor)
        return ToolsList([*page.tools, Tool("exa_1", inputSchema=Raw(b'{"type": "string"}'))])

    made.list_tools = with_an_impossible_one  # type: ignore[method-assign]
    assert looked(mission, made).sentences[-1] == "1 tool left out, without arguments that could be made"
