"""What a call must come with when a mission is loaded, and what is wrong with an answer that does not.

A server tells the rules that it activated in their order in the file. Of the templates of these rules it takes one after the
other, lower priority first, those of one priority in any order, until one does not fit into the budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from mop_locust.missions.shape import Budgets, Mission, Rule, Template

NO_MISSION: Final = "the server runs without the mission"
A_MISSION: Final = "the server runs with a mission"
NOT_TOLD: Final = "the answer tells of no coordination"
MISSING_RULE: Final = "a rule was not applied"
WRONG_RULE: Final = "a rule was applied that does not match"
RULE_ORDER: Final = "the rules came in another order"
WRONG_TEMPLATES: Final = "other templates were used"
WRONG_TEXT: Final = "another text was injected"
WRONG_APPLIED: Final = "applied is told wrong"

LABELS: Final = frozenset(
    (NO_MISSION, A_MISSION, NOT_TOLD, MISSING_RULE, WRONG_RULE, RULE_ORDER, WRONG_TEMPLATES, WRONG_TEXT, WRONG_APPLIED)
)

UNLIMITED: Final = 2**64 - 1


class Coordination(msgspec.Struct, frozen=True):
    """What an answer tells of its coordination; `loaded`: it tells of its call, which no server without a mission does."""

    applied: bool
    injected_content: str
    activated_rules: list[str]
    used_templates: list[str]
    loaded: bool


class _Metadata(msgspec.Struct, frozen=True):
    tool_name: str | None = None


class _Coordination(msgspec.Struct, frozen=True):
    applied: bool
    injected_content: str
    activated_rules: list[str]
    used_templates: list[str]
    metadata: _Metadata


class _Told(msgspec.Struct, frozen=True):
    consciousness_coordination: _Coordination


_decode = msgspec.json.Decoder(_Told).decode


class Mismatch(Exception):
    """An answer that is not what the mission makes of the call; `label` is its class, the text says more."""

    def __init__(self, label: str, detail: str = "") -> None:
        super().__init__(detail)
        self.label = label


def read_coordination(texts: Sequence[str]) -> Coordination:
    """The coordination that the first text of an answer tells of that does; Mismatch when none does."""
    for text in texts:
        try:
            told = _decode(text).consciousness_coordination
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            continue
        loaded = told.metadata.tool_name is not None
        return Coordination(told.applied, told.injected_content, told.activated_rules, told.used_templates, loaded)
    raise Mismatch(NOT_TOLD)


def candidates(mission: Mission, tool: str) -> list[tuple[Rule, bool]]:
    """The rules that can apply to a call of the tool, in order, each with whether it surely does.

    A load test's session has no perceptions, and its calls name no project, so that these conditions are settled. The environment
    is the server's, and not known: a rule that asks for some of it may apply or not.
    """
    found = []
    for rule in mission.rules:
        conditions = rule.conditions
        matches = not conditions.tool_patterns or any(pattern in tool for pattern in conditions.tool_patterns)
        if rule.enabled and matches and not conditions.perception_states:
            found.append((rule, not conditions.environment_vars))
    return found


def check(mission: Mission | None, tool: str, told: Coordination) -> None:
    """Compares what an answer tells with what the mission asks for; None stands for a server without one. Raises Mismatch."""
    if mission is None:
        if told.loaded or told.activated_rules or told.used_templates:
            raise Mismatch(A_MISSION, f"it told of {told.activated_rules or 'its call'}")
        return
    if not told.loaded and not told.activated_rules:
        raise Mismatch(NO_MISSION)
    _check_rules(candidates(mission, tool), told.activated_rules)
    _check_templates(mission, told)


def _check_rules(expected: Sequence[tuple[Rule, bool]], told: Sequence[str]) -> None:
    missing = [rule.id for rule, surely in expected if surely and rule.id not in told]
    if missing:
        raise Mismatch(MISSING_RULE, f"{', '.join(missing)} is not among {_listed(told)}")
    wrong = set(told).difference(rule.id for rule, _ in expected)
    if wrong:
        raise Mismatch(WRONG_RULE, f"{', '.join(sorted(wrong))} among {_listed(told)}")
    right = [rule.id for rule, _ in expected if rule.id in told]
    if list(told) != right:
        raise Mismatch(RULE_ORDER, f"{_listed(told)}, not {_listed(right)}")


def _check_templates(mission: Mission, told: Coordination) -> None:
    asked = {name for rule in mission.rules if rule.id in told.activated_rules for name in rule.actions.template_ids}
    left = {template.id: template for template in mission.templates if template.id in asked and template.enabled}
    used = [left.pop(name, None) for name in told.used_templates]
    if None in used or not _may_be_used([template for template in used if template], list(left.values()), mission.budgets):
        raise Mismatch(WRONG_TEMPLATES, f"{_listed(told.used_templates)} of {_listed(sorted(asked))}")
    if told.injected_content != "".join(template.part for template in used if template):
        raise Mismatch(WRONG_TEXT, f"{len(told.injected_content)} characters")
    if told.applied is not bool(used):
        raise Mismatch(WRONG_APPLIED, str(told.applied).lower())


def _may_be_used(used: Sequence[Template], left: Sequence[Template], budgets: Budgets) -> bool:
    """Whether a server can have used these and left those: it goes by priority and stops at the first that does not fit."""
    order = [template.priority for template in used]
    turn = min((template.priority for template in left), default=None)
    if order != sorted(order) or (turn is not None and any(priority > turn for priority in order)):
        return False
    room = effective_limit(budgets) - sum(map(_bytes, used))
    if room < 0:
        return False
    return turn is None or any(_bytes(template) > room for template in left if template.priority == turn)


def effective_limit(budgets: Budgets) -> int:
    """The bytes that the injected text may have: the global limit without the share that is kept for paradoxes."""
    limit = UNLIMITED if budgets.global_char_limit is None else budgets.global_char_limit
    kept = float(limit) * budgets.paradox_overhead
    if kept != kept or kept < 0:
        return limit
    return max(0, limit - (UNLIMITED if kept >= UNLIMITED else int(kept)))


def _bytes(template: Template) -> int:
    return len(template.part.encode())


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
