"""`mop-locust thresholds`: says what each threshold asks for, and what is wrong with those that cannot be used."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import locust  # noqa: F401  # the locustfiles need it, and it must come before requests

from mop_locust.commands.places import UnknownScenario, find, names
from mop_locust.config import SETTINGS, ConfigError, parse_settings
from mop_locust.report.figures import span
from mop_locust.swarm.scenarios import Scenarios
from mop_locust.users import MopUser
from mop_locust.verdict.exit_codes import CONFIGURATION, PASSED
from mop_locust.verdict.threshold import Threshold

WORDS = {
    "<": "below",
    "<=": "at most",
    ">": "above",
    ">=": "at least",
    "==": "exactly",
    "===": "exactly",
    "!=": "anything but",
}
AGGREGATIONS = {
    "count": "the number of samples",
    "rate": "the rate",
    "avg": "the mean",
    "min": "the least",
    "med": "the median",
    "max": "the most",
}


def explain_thresholds(scenarios: Sequence[str], given: Sequence[str]) -> int:
    """Prints the thresholds of the scenarios, with those given in place of the defaults of their metrics; 2 when one is wrong."""
    try:
        files = find(scenarios or names())
        settings = parse_settings({s.name: os.environ[s.name] for s in SETTINGS if s.name in os.environ})
    except UnknownScenario as error:
        return _refuse([str(error)])
    except ConfigError as error:
        return _refuse(error.mistakes)
    mistakes: list[str] = []
    for file in files:
        found = Scenarios(_users(file))
        stages, unread = found.stages(os.environ.get("MOP_STAGES", ""))
        if stages == ():
            stages = found.arrival_stages(settings, None)
        thresholds, wrong = found.thresholds(settings.thresholds, given, stages)
        wrong = [*unread, *wrong, *found.unstaged(thresholds, settings, None)]
        mistakes += [mistake for mistake in wrong if mistake not in mistakes]
        print(file.stem)
        for threshold in thresholds:
            print(f"  {threshold.name}: {threshold.expression}   {explain(threshold)}")
    return _refuse(mistakes) if mistakes else PASSED


def explain(threshold: Threshold) -> str:
    """Returns what a threshold asks for, in words."""
    asked = threshold.percentile
    what = AGGREGATIONS[threshold.aggregation] if asked is None else f"the {asked:g}th percentile"
    where = f" in each window of {span(threshold.over)}" if threshold.over else ""
    where += f" of stage {threshold.stage}" if threshold.stage is not None else ""
    delay = threshold.abort_after
    then = f"; from {span(delay)} on it ends the run" if delay is not None else ""
    return f"fails unless {what} is {WORDS[threshold.operator]} {threshold.limit:.15g}{where}, and without data{then}"


def _users(file: Path) -> list[type]:
    """Returns the user classes of a locustfile, as Locust would find them."""
    sys.path.insert(0, str(file.parent))
    try:
        spec = importlib.util.spec_from_file_location(file.stem, file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    found = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, MopUser)]
    return [cls for cls in found if not cls.abstract]


def _refuse(mistakes: Sequence[str]) -> int:
    print("mop-locust thresholds:\n" + "\n".join(f"  {mistake}" for mistake in mistakes), file=sys.stderr)
    return CONFIGURATION
