"""Missions: a YAML file of templates and rules that puts guidance into tool calls over the socket.

The rules are those of the real server. `tool_patterns` are substrings. All fields are mandatory but those that may be null. A
file that does not parse is the caller's to report: the server runs on without a mission. File signals are read and not evaluated.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import msgspec
import yaml

Json = dict[str, object]
Timestamp = Annotated[datetime, msgspec.Meta(tz=True)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Transform = Literal["Prepend", "Append", "InjectField", "SystemInstruction", "PerceptionLayer"]
FIELDS: dict[str, str] = {
    "InjectField": "casial_context",
    "SystemInstruction": "system_context",
    "PerceptionLayer": "perception_context",
}
"""The argument that receives the guidance, by transform."""


class Template(msgspec.Struct, frozen=True):
    """A text that a rule can put into a call; lower priority comes first."""

    id: str
    name: str
    description: str
    categories: list[str]
    priority: Count
    enabled: bool
    content: str
    perception_affinity: list[UUID]
    paradox_resistance: float
    metadata: Json


class FileSignal(msgspec.Struct, frozen=True):
    path: str
    must_exist: bool
    contains: str | None = None
    modified_since: Timestamp | None = None


class Conditions(msgspec.Struct, frozen=True):
    """When a rule applies: every condition that is not empty must hold."""

    tool_patterns: list[str]
    environment_vars: dict[str, str]
    file_signals: list[FileSignal]
    perception_states: list[UUID]
    min_confidence: float | None = None

    def hold(self, tool: str, environment: Mapping[str, str], perceptions: Sequence[str]) -> bool:
        """Whether a call of `tool` meets the conditions; patterns and variables match as substrings."""
        if self.tool_patterns and not any(pattern in tool for pattern in self.tool_patterns):
            return False
        if not all(part in environment.get(key, "") and key in environment for key, part in self.environment_vars.items()):
            return False
        return not self.perception_states or any(str(state) in perceptions for state in self.perception_states)


class Actions(msgspec.Struct, frozen=True):
    template_ids: list[str]
    transform_type: Transform
    perception_lock: bool
    target_field: str | None = None
    char_limit: Count | None = None


class Rule(msgspec.Struct, frozen=True):
    """Which templates go into which calls."""

    id: str
    name: str
    enabled: bool
    conditions: Conditions
    actions: Actions
    perception_scope: list[UUID]
    paradox_handling: Literal["Ignore", "Coexist", "Synthesize", "Expose"]


class Perception(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    description: str
    confidence: float
    created_at: Timestamp
    updated_at: Timestamp
    metadata: Json


class Budgets(msgspec.Struct, frozen=True):
    """How much text may go into one call, in bytes."""

    per_tool_limits: dict[str, Count]
    perception_quotas: dict[UUID, Count]
    paradox_overhead: float
    global_char_limit: Count | None = None


class Mission(msgspec.Struct, frozen=True):
    """One mission file."""

    id: str
    name: str
    description: str
    templates: list[Template]
    rules: list[Rule]
    perceptions: list[Perception]
    budgets: Budgets
    created_at: Timestamp
    updated_at: Timestamp


class MissionError(ValueError):
    """A mission file that cannot be read or does not parse; the text says why."""


class _Plain(yaml.BaseLoader):
    """Plain scalars stay texts and are read by the field's type, as the real server's parser does; only null is null."""


_Plain.add_implicit_resolver(
    "tag:yaml.org,2002:null", yaml.resolver.Resolver.yaml_implicit_resolvers["~"][0][1], ["~", "n", "N", ""]
)
_Plain.add_constructor("tag:yaml.org,2002:null", lambda *_: None)


def parse(text: str) -> Mission:
    """The mission in a YAML text. Raises MissionError."""
    try:
        return msgspec.convert(yaml.load(text, _Plain), Mission, strict=False)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise MissionError(" ".join(str(error).split())) from error


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
        rules = [rule for rule in mission.rules if rule.enabled and rule.conditions.hold(tool, self._environment, perceptions)]
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
