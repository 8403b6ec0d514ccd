"""Missions as the server runs them: the guidance that they put into tool calls over the socket.

The rules are those of the real server. `tool_patterns` are substrings. A file that does not parse is the caller's to report: the
server runs on without a mission. File signals are read and not evaluated. What a client expects is worked out elsewhere, from the
file alone (`mop_locust.missions.expectation`): neither side can lend the other its mistakes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from mop_locust.missions.reading import read
from mop_locust.missions.shape import Budgets, Conditions, Json, Mission, Template, Transform

FIELDS: dict[str, str] = {
    "InjectField": "casial_context",
    "SystemInstruction": "system_context",
    "PerceptionLayer": "perception_context",
}
"""The argument that receives the guidance, by transform."""


class MissionError(ValueError):
    """A mission file that cannot be read or does not parse; the text says why."""


def parse(text: str) -> Mission:
    """The mission in a YAML text. Raises MissionError."""
    reading = read(text)
    if reading.mission is None:
        raise MissionError("; ".join(map(str, reading.mistakes)))
    return reading.mission


def load(path: Path) -> Mission:
    """The mission of a file. Raises MissionError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MissionError(str(error)) from error
    return parse(text)


class Coordination(msgspec.Struct, frozen=True):
    """What a mission did to one call; `arguments` are those that the tool is given."""

    applied: bool
    arguments: Json
    injected_content: str = ""
    activated_rules: tuple[str, ...] = ()
    used_templates: tuple[str, ...] = ()
    metadata: Json = {}

    def told(self) -> Json:
        """The `consciousness_coordination` of an answer; one mission cannot contradict itself, so there is no paradox."""
        return {
            "applied": self.applied,
            "injected_content": self.injected_content,
            "activated_rules": self.activated_rules,
            "used_templates": self.used_templates,
            "paradoxes_detected": 0,
            "paradox_handling": [],
            "metadata": self.metadata,
        }


class Engine:
    """Applies the mission, if there is one, to tool calls; `history` keeps the newest ten."""

    def __init__(self, mission: Mission | None, environment: Mapping[str, str]) -> None:
        self.mission = mission
        self.events = 0
        self.applied = 0
        self.history: deque[Coordination] = deque(maxlen=10)
        self._environment = environment

    def coordinate(self, tool: str, arguments: Json, perceptions: Sequence[str], now: str) -> Coordination:
        """What the mission does to one call; without a mission nothing is changed, told or remembered. `now` is RFC 3339."""
        mission = self.mission
        if mission is None:
            return Coordination(applied=False, arguments=arguments)
        rules = [rule for rule in mission.rules if rule.enabled and _hold(rule.conditions, tool, self._environment, perceptions)]
        wanted = {template_id for rule in rules for template_id in rule.actions.template_ids}
        content, used = _compose([template for template in mission.templates if template.id in wanted], mission.budgets)
        tolerance = arguments.get("paradoxTolerance")
        coordination = Coordination(
            applied=bool(used),
            arguments=_transform(_primary(mission), arguments, content),
            injected_content=content,
            activated_rules=tuple(rule.id for rule in rules),
            used_templates=used,
            metadata={
                "timestamp": now,
                "tool_name": tool,
                "perception_count": len(perceptions),
                "paradox_tolerance": tolerance if isinstance(tolerance, int | float) else 0.5,
            },
        )
        self.events += 1
        self.applied += coordination.applied
        self.history.appendleft(coordination)
        return coordination


def _hold(conditions: Conditions, tool: str, environment: Mapping[str, str], perceptions: Sequence[str]) -> bool:
    """Whether a call of `tool` meets the conditions; patterns and variables match as substrings."""
    if conditions.tool_patterns and not any(pattern in tool for pattern in conditions.tool_patterns):
        return False
    if not all(key in environment and part in environment[key] for key, part in conditions.environment_vars.items()):
        return False
    return not conditions.perception_states or any(str(state) in perceptions for state in conditions.perception_states)


def _compose(templates: Sequence[Template], budgets: Budgets) -> tuple[str, tuple[str, ...]]:
    limit = budgets.global_char_limit
    room = None if limit is None else limit - int(limit * budgets.paradox_overhead)
    content, used = "", []
    for template in sorted(templates, key=lambda template: template.priority):
        if not template.enabled:
            continue
        part = f"## {template.name}\n\n{template.content}\n\n"
        if room is not None and len((content + part).encode()) > room:
            break
        content += part
        used.append(template.id)
    return content, tuple(used)


def _primary(mission: Mission) -> Transform:
    """The transform of the first enabled rule counts for every call, also where that rule does not apply."""
    return next((rule.actions.transform_type for rule in mission.rules if rule.enabled), "Prepend")


def _transform(transform: Transform, arguments: Json, content: str) -> Json:
    if transform in FIELDS:
        return {**arguments, FIELDS[transform]: content}
    targets = ("query", "instructions") if transform == "Prepend" else ("query",)
    target = next((name for name in targets if name in arguments), None)
    text = arguments[target] if target is not None else None
    if target is None or not isinstance(text, str):
        return arguments
    return {**arguments, target: f"{content}\n\n{text}" if transform == "Prepend" else f"{text}\n\n{content}"}
