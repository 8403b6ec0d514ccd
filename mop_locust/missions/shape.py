"""The fields of a mission file, as the real server declares them: mandatory but for those that have a default here."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

Json = dict[str, Any]
Timestamp = Annotated[datetime, msgspec.Meta(tz=True)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Priority = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
Transform = Literal["Prepend", "Append", "InjectField", "SystemInstruction", "PerceptionLayer"]


class Template(msgspec.Struct, frozen=True):
    """A text that a rule can put into a call; lower priority comes first."""

    id: str
    name: str
    description: str
    categories: list[str]
    priority: Priority
    enabled: bool
    content: str
    perception_affinity: list[UUID]
    paradox_resistance: float
    metadata: Json

    @property
    def part(self) -> str:
        """What the template adds to the injected text."""
        return f"## {self.name}\n\n{self.content}\n\n"


class FileSignal(msgspec.Struct, frozen=True):
    """A file of the project that a call names in `projectPath`; without that argument nothing is looked at."""

    path: str
    must_exist: bool
    contains: str | None = None
    modified_since: Timestamp | None = None


class Conditions(msgspec.Struct, frozen=True):
    """When a rule applies: every condition that is not empty must hold; `min_confidence` changes nothing."""

    tool_patterns: list[str]
    environment_vars: dict[str, str]
    file_signals: list[FileSignal]
    perception_states: list[UUID]
    min_confidence: float | None = None


class Actions(msgspec.Struct, frozen=True):
    """What a rule does; `target_field` and `char_limit` change nothing."""

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
    """A way of seeing things that rules and templates can name."""

    id: UUID
    name: str
    description: str
    confidence: float
    created_at: Timestamp
    updated_at: Timestamp
    metadata: Json


class Budgets(msgspec.Struct, frozen=True):
    """How much text may go into one call, in bytes; only the global limit and the overhead count."""

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
