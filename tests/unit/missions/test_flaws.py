"""What a server takes without a word, and what is worth knowing."""

from __future__ import annotations

import yaml

from mop_locust.missions.flaws import flaws, remarks
from mop_locust.missions.reading import read

from .real_server import MISSION

ID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"


def test_a_mission_without_flaws() -> None:
    """The example has none, and nothing to remark."""
    reading = read(MISSION)
    assert reading.mission is not None
    assert (flaws(reading), remarks(reading.mission)) == ([], [])


def test_a_file_that_is_no_mission_has_none_either() -> None:
    """Its mistakes come first."""
    assert flaws(read("id: x")) == []


def test_ids_that_stand_twice_and_templates_that_are_not_there() -> None:
    """In the order of their lines."""
    raw = yaml.safe_load(MISSION)
    raw["templates"] *= 2
    raw["rules"] = [raw["rules"][0], {**raw["rules"][0]}]
    raw["rules"][1]["actions"] = {**raw["rules"][1]["actions"], "template_ids": ["cite-sources", "other"]}
    text = yaml.dump(raw, sort_keys=False, Dumper=NoAlias)
    found = flaws(read(text))
    assert [mistake.text for mistake in found] == [
        "templates[1].id: 'cite-sources' is the id of templates[0] already",
        "rules[1].id: 'search-tools' is the id of rules[0] already",
        "rules[1].actions.template_ids[1]: there is no template 'other'; there are cite-sources, cite-sources",
    ]
    assert "- other" in text.splitlines()[found[2].line - 1]


def test_a_mission_without_templates() -> None:
    """There is none to name."""
    raw = yaml.safe_load(MISSION)
    raw["templates"] = []
    (flaw,) = flaws(read(yaml.safe_dump(raw)))
    assert flaw.text == "rules[0].actions.template_ids[0]: there is no template 'cite-sources'; there are none"


class NoAlias(yaml.SafeDumper):
    """Writes a value that stands twice out twice."""

    def ignore_aliases(self, data: object) -> bool:
        """Always."""
        return True


def test_what_does_less_than_one_could_think() -> None:
    """Each in a sentence; unknown fields with their line."""
    raw = yaml.safe_load(MISSION)
    rule, template = raw["rules"][0], raw["templates"][0]

    def another(name: str, **conditions: object) -> dict[str, object]:
        return {**rule, "id": name, "conditions": {**rule["conditions"], **conditions}}

    raw["rules"] = [
        {**rule, "id": "off", "enabled": False},
        another("seen", perception_states=[ID]),
        another("staged", environment_vars={"STAGE": "x"}, file_signals=[{"path": "a", "must_exist": True}]),
    ]
    raw["templates"] += [{**template, "id": "off", "enabled": False}, {**template, "id": "idle"}]
    reading = read("extra: 1\n" + yaml.dump(raw, Dumper=NoAlias))
    assert reading.mission is not None
    assert remarks(reading.mission, reading.unknown) == [
        "line 1: extra: no server knows this field",
        "rule off is not enabled",
        "rule seen asks for perceptions, which no session of a load test has: it never applies",
        "rule staged hangs on the server's environment: STAGE",
        "rule staged has file signals: they count only in calls that name a project, and these name none",
        "template off is not enabled",
        "template idle is used by no enabled rule",
    ]
