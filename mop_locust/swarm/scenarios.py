"""What the user classes of a run declare: scenarios, transports, metrics, thresholds, and how many users for how long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mop_locust.config import SETTINGS, Settings
from mop_locust.config.arrivals import ANY, ARRIVALS, Arrivals, common_stages
from mop_locust.config.mistakes import quoted
from mop_locust.config.stages import USER_STAGES, Stage, length, parse_stages, read_users
from mop_locust.metrics.instruments import BUILT_IN, Catalogue, Instrument
from mop_locust.preflight import Look
from mop_locust.users import MopUser
from mop_locust.verdict.threshold import STAGE, Threshold, check, parse_all, split_list

TRANSPORTS = frozenset(("http", "sse", "websocket"))


class Scenarios:
    """The scenarios of one run, read from its user classes; other Locust users may run beside them."""

    def __init__(self, user_classes: Iterable[type]) -> None:
        self.classes: list[type[MopUser]] = [cls for cls in user_classes if issubclass(cls, MopUser)]

    @property
    def names(self) -> list[str]:
        """The scenarios' names, sorted."""
        return sorted({cls.scenario for cls in self.classes})

    @property
    def transports(self) -> set[str]:
        """The transports that the scenarios need."""
        return {cls.transport for cls in self.classes}

    def weigh(self, settings: Settings) -> int:
        """Sets the users' weights from the settings and returns how many users there are by default; 0 when none says."""
        total = 0
        for cls in self.classes:
            if cls.users_setting:
                cls.weight = getattr(settings, cls.users_setting)
                total += int(cls.weight)
        return total

    def arrivals(self, settings: Settings) -> Arrivals:
        """Returns the stages of the scenarios with open load."""
        asked = settings.arrivals
        return {name: asked.get(name) or asked[ANY] for name in self.names if name in asked or ANY in asked}

    def arrival_mistakes(self, settings: Settings) -> list[str]:
        """Returns why the arrivals that are asked for cannot be, in whole sentences."""
        names = self.names
        there_are = f"there {'is' if len(names) == 1 else 'are'} {', '.join(names)}"
        begin = "MOP_ARRIVALS (--mop-arrivals):"
        mistakes = [
            f"{begin} no scenario {quoted(name)} in this run; {there_are}"
            for name in settings.arrivals
            if name not in (ANY, *names)
        ]
        if ANY in settings.arrivals and len(names) != 1:
            mistakes.append(f"{begin} says not which of {len(names)} scenarios; {there_are}; allowed: {ARRIVALS.allowed}")
        open_load = self.arrivals(settings)
        for cls in self.classes:
            if cls.scenario not in open_load:
                continue
            if not all(hasattr(task, "iteration_of") for task in cls.tasks):
                mistakes.append(f"{begin} scenario {cls.scenario} has nested task sets, whose iterations no arrival can begin")
            row = next((row for row in SETTINGS if row.attribute == cls.iterations_setting), None)
            if row is not None and getattr(settings, row.attribute) != row.read(row.default):
                mistakes.append(
                    f"{row.name} and MOP_ARRIVALS contradict each other: with arrivals {cls.scenario} lasts its run time"
                )
        return mistakes

    def arrival_stages(self, settings: Settings, run_time: float | None) -> tuple[Stage, ...] | None:
        """Returns the stages that all arrivals of a run so long go through; None where those of the scenarios differ.

        Without a run time it is as long as the scenarios ask for.
        """
        return common_stages(self.arrivals(settings), run_time or self.seconds(settings) or 0.0)

    def unstaged(self, thresholds: Iterable[Threshold], settings: Settings, run_time: float | None) -> list[str]:
        """Returns a mistake for each threshold of a stage where the stages of the scenarios' arrivals differ."""
        if self.arrival_stages(settings, run_time) is not None:
            return []
        staged = " and ".join(name for name, stages in self.arrivals(settings).items() if length(stages))
        return [
            f"threshold '{threshold.name}: {threshold.expression}': the stages of {staged} differ in names or "
            "durations, so the run has none; allowed: the same in all, at any rates; NAME=DURATION:RATE names one"
            for threshold in thresholds
            if threshold.stage is not None
        ]

    def seconds(self, settings: Settings) -> float | None:
        """Returns the longest duration that the scenarios ask for, by stages of arrivals or a setting; None when none does."""
        open_load = self.arrivals(settings)
        asked = [
            length(open_load.get(cls.scenario, ())) or getattr(settings, cls.duration_setting)
            for cls in self.classes
            if cls.duration_setting or length(open_load.get(cls.scenario, ()))
        ]
        return max(asked, default=None)

    def iterations(self, settings: Settings) -> dict[str, int]:
        """Returns the shared iterations of the scenarios that have them; where sessions arrive by a clock none are shared."""
        open_load = self.arrivals(settings)
        return {
            cls.scenario: getattr(settings, cls.iterations_setting)
            for cls in self.classes
            if cls.iterations_setting and cls.scenario not in open_load
        }

    def all_iterate(self, settings: Settings) -> bool:
        """Whether the run is over when all shared iterations are."""
        return bool(self.classes) and set(self.names) == set(self.iterations(settings))

    @property
    def own_instruments(self) -> dict[str, Instrument]:
        """The metrics that the scenarios declare, by name."""
        return {instrument.name: instrument for cls in self.classes for instrument in cls.metrics}

    def stages(self, given: str) -> tuple[tuple[Stage, ...] | None, list[str]]:
        """Returns the stages of MOP_STAGES, or else those that the scenarios declare, and the mistakes in the latter.

        None where a mistake leaves the stages unknown; one in MOP_STAGES is told with the other settings.
        """
        if given.strip():
            try:
                return parse_stages(given, read_users), []
            except ValueError:
                return None, []
        declared = {cls.stages: cls.__name__ for cls in self.classes if cls.stages.strip()}
        if len(declared) > 1:
            return None, [f"in the locustfile: {' and '.join(sorted(declared.values()))} declare different stages"]
        for text, name in declared.items():
            try:
                return parse_stages(text, read_users), []
            except ValueError as error:
                return None, [f"in the locustfile: stages of {name}: {text!r} {error}; allowed: {USER_STAGES.allowed}"]
        return (), []

    def mistakes(self, given: Mapping[str, str]) -> list[str]:
        """Returns what is wrong with the settings that one scenario alone needs; `given` are the texts of all, by variable."""
        asked = dict.fromkeys(cls.check_settings for cls in self.classes if cls.check_settings is not None)
        return [mistake for ask in asked for mistake in ask(given)]

    def looks(self, preflight: bool) -> list[Look]:
        """The scenarios' own looks at the target before the load, each once; without the preflight those that must be."""
        looking = (cls for cls in self.classes if preflight or cls.must_look)
        return list(dict.fromkeys(cls.look_ahead for cls in looking if cls.look_ahead is not None))

    @property
    def voided_by(self) -> frozenset[str]:
        """The labels of failed checks after which no figure of the run can be believed."""
        return frozenset().union(*(cls.voided_by for cls in self.classes))

    def thresholds(
        self, listed: str, given: Sequence[str], stages: Sequence[Stage] | None = ()
    ) -> tuple[list[Threshold], list[str]]:
        """Returns the run's thresholds, and every mistake in them.

        `listed` is the text of MOP_THRESHOLDS. What the user gives for a metric replaces what the scenarios ask of it. Without
        known stages (None), any may be asked of.
        """
        own, mistakes = parse_all([*split_list(listed), *given])
        replaced = {threshold.metric for threshold in own}
        defaults = {
            f"{metric}: {expression}"
            for cls in self.classes
            for metric, expressions in cls.thresholds.items()
            for expression in expressions
        }
        declared, wrong = parse_all(sorted(defaults))
        mistakes += [f"in the locustfile: {mistake}" for mistake in wrong]
        thresholds = [*own, *(threshold for threshold in declared if threshold.metric not in replaced)]
        try:
            catalogue = Catalogue(self._instruments(), {**self._tags(), STAGE: _names(stages)})
        except ValueError as error:
            return thresholds, [*mistakes, f"in the locustfile: {error}"]
        return thresholds, mistakes + check(thresholds, catalogue)

    def _instruments(self) -> list[Instrument]:
        return [instrument for cls in self.classes for instrument in cls.metrics if instrument not in BUILT_IN]

    def _tags(self) -> dict[str, frozenset[str] | None]:
        own = dict.fromkeys(tag for cls in self.classes for tag in cls.metric_tags)
        return {**own, "scenario": frozenset(self.names), "transport": TRANSPORTS, "method": None, "tool": None, "status": None}


def _names(stages: Sequence[Stage] | None) -> frozenset[str] | None:
    return None if stages is None else frozenset(stage.name for stage in stages)
