"""How a plan is made: from the tools of a catalogue and the sets of arguments that were given, if any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from mop_locust.federation.arguments import MOST_SETS, Json, make_arguments, problems
from mop_locust.federation.catalogue import CataloguedTool
from mop_locust.federation.plan import Plan, PooledTool

MOST_BYTES: Final = 1 << 18
"""Of all pools together: they travel to each worker with Locust's spawn message."""

MOST_MISTAKES: Final = 5
"""That are told of one tool's sets: a file with one wrong name would fill the screen otherwise."""

SETTING: Final = "MOP_FED_ARGS (--mop-fed-args)"


class PlanError(ValueError):
    """What stands against a run; `mistakes` are whole sentences."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = list(mistakes)
        super().__init__("; ".join(self.mistakes))


def read_given(text: bytes) -> dict[str, list[Json]]:
    """Returns the sets of a JSON object: tool name -> a list of argument objects. PlanError says what has another shape."""
    try:
        given = msgspec.json.decode(text, type=dict[str, list[dict[str, Any]]])
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise PlanError([f'{SETTING}: {error}; allowed: {{"TOOL": [{{"NAME": VALUE}}]}}']) from error
    wrong = [
        f"{SETTING}: {name} has {len(sets)} sets; allowed: 1 to {MOST_SETS}"
        for name, sets in given.items()
        if not 1 <= len(sets) <= MOST_SETS
    ]
    if wrong:
        raise PlanError(wrong)
    return given


def make_plan(tools: Sequence[CataloguedTool], given: Mapping[str, Sequence[Json]], seed: int) -> Plan:
    """Returns what to call; PlanError with all mistakes: nothing is federated, or what was given does not fit.

    A tool with given sets is called with these alone. A local tool without any arguments is left out.
    """
    if not any(tool.downstream for tool in tools):
        raise PlanError([_none_federated(tools)])
    known = {tool.name: tool for tool in tools}
    mistakes = [f"{SETTING}: the server has no tool {name!r}; it has {', '.join(known)}" for name in given if name not in known]
    most_bytes = MOST_BYTES // len(tools)
    pooled = []
    for tool in tools:
        sets = given.get(tool.name)
        if sets is not None:
            wrong = [
                f"{SETTING}: {tool.name}, set {number}: {problem}"
                for number, one in enumerate(sets, 1)
                for problem in problems(tool.schema, one)
            ]
            mistakes += wrong[:MOST_MISTAKES]
            arguments = list(sets)
        else:
            arguments = make_arguments(tool.schema, f"{seed} {tool.name}", most_bytes=most_bytes)
        if arguments:
            pooled.append(PooledTool(tool.name, arguments, tool.downstream))
        elif tool.downstream:
            mistakes.append(f"no arguments could be made for {tool.name} from its inputSchema: give some with {SETTING}")
    if mistakes:
        raise PlanError(mistakes)
    return Plan([tool for tool in pooled if tool.downstream], [tool for tool in pooled if not tool.downstream])


def _none_federated(tools: Sequence[CataloguedTool]) -> str:
    there_are = f"its catalogue has {len(tools)} tools, all its own" if tools else "its catalogue is empty"
    return (
        f"the server federates no tool: {there_are}; federated_calls needs a downstream server that was reachable when the server"
        " started (casial-server start --config FILE, mop-locust serve --downstream URL)"
    )
