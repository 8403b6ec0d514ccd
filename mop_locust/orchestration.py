"""What the scenario `mission` asks of a server: a look before the load, the calls of an iteration, a check of each answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from mop_locust.client import Client
from mop_locust.client.websocket_session import WebSocketSession
from mop_locust.config import Settings
from mop_locust.missions.expectation import A_MISSION, NO_MISSION, Coordination, Mismatch, check, read_coordination
from mop_locust.missions.files import MissionError, load, remarks_on
from mop_locust.missions.plan import NO_RULE, Call, Plan, plan
from mop_locust.preflight import Findings
from mop_locust.protocol.errors import CheckFailed, MopError
from mop_locust.protocol.mcp import CallResult, Tool
from mop_locust.report.figures import plural

VOID = frozenset((NO_MISSION, A_MISSION))
"""The labels of failed checks after which the run measured another server than it was meant to."""

NO_TOOL = "no tool can be called"
MOST_PAGES = 100  # of tools: a server that goes on for ever must not keep a user from its first call


class Orchestration:
    """One mission as a user sees it: whether the server is to run with it, or without it to compare."""

    def __init__(self, settings: Settings) -> None:
        self._mission = load(Path(settings.mission_path))
        self._loaded = self._mission if settings.mission_expect == "with" else None
        self._plan: Plan | None = None
        self._right: dict[str, Coordination] = {}

    def plan(self, session: WebSocketSession) -> Plan:
        """Returns what to call, from the tools that the server lists at the first time; CheckFailed when there is nothing."""
        if self._plan is None:
            tools: list[Tool] = []
            cursor = None
            for _ in range(MOST_PAGES):
                page = session.list_tools(cursor)
                tools, cursor = [*tools, *page.tools], page.nextCursor
                if cursor is None:
                    break
            self._plan = plan(self._mission, [(tool.name, bytes(tool.inputSchema)) for tool in tools])
        if not self._plan.calls:
            raise CheckFailed(NO_TOOL)
        return self._plan

    def check(self, call: Call, take: Callable[[bool], None]) -> Callable[[CallResult], None]:
        """Returns the check of the answer to a call: CheckFailed with the class of what is wrong; `take` hears whether it is.

        What was right once is right again without a second look: its time is part of the exchange, and would be told as a cost of
        the mission.
        """

        def look_at(answer: CallResult) -> None:
            try:
                told = read_coordination([piece.text for piece in answer.content if piece.text])
                if self._right.get(call.tool) != told:
                    check(self._loaded, call.tool, told)
                    self._right[call.tool] = told
            except Mismatch as mismatch:
                take(True)
                raise CheckFailed(mismatch.label, f"{call.tool}: {mismatch}".removesuffix(": ")) from None
            take(False)

        return look_at


def mistakes(given: Mapping[str, str]) -> list[str]:
    """What is wrong with the settings of the scenario: it needs a mission, and of one server one only."""
    path = given["MOP_MISSION_PATH"]
    where = "MOP_MISSION_PATH (--mop-mission-path)"
    if not path:
        return [f"{where}: the scenario mission needs it; allowed: the path of the mission file that the server was started with"]
    if Path(path).is_dir():
        return [
            f"{where}: {path!r} is a folder, and a server runs one mission; without a target `mop-locust run mission` takes it"
        ]
    return []


def look(client: Client, settings: Settings, _: set[str], findings: Findings) -> None:
    """Calls each tool of the plan once and adds to the findings what that tells: above all whether the mission is active."""
    try:
        orchestration = Orchestration(settings)
        with client.connect() as session:
            made = orchestration.plan(session)
            findings.sentences += [*remarks_on(Path(settings.mission_path)), *_words(made)]
            for call in made.calls:
                session.call_tool(call.tool, call.arguments, check=orchestration.check(call, lambda _: None))
    except CheckFailed as failure:
        if failure.label in VOID:
            findings.voids.append(f"{failure.label}: so said {settings.base_url} of its call of {failure.detail}")
        elif failure.label == NO_TOOL:
            findings.target_faults.append(f"{NO_TOOL} at {settings.base_url}: there is none with arguments that could be made")
        else:
            findings.sentences.append(f"the mission is not applied as its file says: {failure}")  # the load will count it
    except MissionError as error:
        findings.mistakes += error.mistakes
    except MopError as error:
        findings.target_faults.append(f"{settings.base_url} does not take tool calls: {error}")


def _words(made: Plan) -> list[str]:
    sentences = [f"calls {call.tool}: {', '.join(call.rules) or NO_RULE}" for call in made.calls]
    sentences += [f"rule {rule} matches no tool that is called" for rule in made.idle_rules]
    if made.left_out:
        sentences.append(f"{plural(len(made.left_out), 'tool')} left out, without arguments that could be made")
    return sentences
