"""What a server takes without a word although a benchmark of it would mean nothing, and what is worth knowing of a mission."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mop_locust.missions.reading import Mistake, Reading, Way, where
from mop_locust.missions.shape import Mission, Rule


def flaws(reading: Reading) -> list[Mistake]:
    """An id that stands twice, so that an answer could mean either, and a rule's template that the file does not have."""
    mission = reading.mission
    if mission is None:
        return []
    found = [Mistake(reading.lines[way], f"{where(way)}: {text}") for way, text in _flaws(mission)]
    return sorted(found)


def remarks(mission: Mission, unknown: Iterable[Mistake] = ()) -> list[str]:
    """What does less in this mission than one could think, in whole sentences."""
    return [*map(str, unknown), *(text for rule in mission.rules for text in _of_rule(rule)), *_unused(mission)]


def _flaws(mission: Mission) -> Iterator[tuple[Way, str]]:
    for kind, ids in (("templates", [t.id for t in mission.templates]), ("rules", [r.id for r in mission.rules])):
        for index, name in enumerate(ids):
            if name in ids[:index]:
                yield (kind, index, "id"), f"{name!r} is the id of {kind}[{ids.index(name)}] already"
    there_are = [template.id for template in mission.templates]
    for number, rule in enumerate(mission.rules):
        for index, name in enumerate(rule.actions.template_ids):
            if name not in there_are:
                way = ("rules", number, "actions", "template_ids", index)
                yield way, f"there is no template {name!r}; there are {', '.join(there_are) or 'none'}"


def _of_rule(rule: Rule) -> Iterator[str]:
    conditions = rule.conditions
    if not rule.enabled:
        yield f"rule {rule.id} is not enabled"
    elif conditions.perception_states:
        yield f"rule {rule.id} asks for perceptions, which no session of a load test has: it never applies"
    else:
        if conditions.environment_vars:
            yield f"rule {rule.id} hangs on the server's environment: {', '.join(conditions.environment_vars)}"
        if conditions.file_signals:
            yield f"rule {rule.id} has file signals: they count only in calls that name a project, and these name none"


def _unused(mission: Mission) -> Iterator[str]:
    used = {name for rule in mission.rules if rule.enabled for name in rule.actions.template_ids}
    for template in mission.templates:
        if not template.enabled:
            yield f"template {template.id} is not enabled"
        elif template.id not in used:
            yield f"template {template.id} is used by no enabled rule"
