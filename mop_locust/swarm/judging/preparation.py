"""What comes before a run: the settings checked, the workers known, the target looked at."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mop_locust import preflight, server_side
from mop_locust.config import SETTINGS, ApiKey, ConfigError, Settings, redact_command
from mop_locust.config.stages import Stage, length
from mop_locust.swarm.judging.provenance import provenance, typed
from mop_locust.swarm.judging.roll import Roll
from mop_locust.swarm.judging.run import Run
from mop_locust.swarm.judging.server_commit import server_commit
from mop_locust.swarm.judging.stages import StageShape
from mop_locust.swarm.options import GUARDS, option_values, read_options
from mop_locust.swarm.refusal import Refused
from mop_locust.swarm.scenarios import Scenarios

logger = logging.getLogger("mop_locust")

ONE = "allowed: one of the two"


class Preparation:
    """Checks everything that can be checked before the load."""

    def __init__(self, environment: Any, key: ApiKey, roll: Roll) -> None:
        self._environment = environment
        self._key = key
        self._roll = roll
        self._guards = {dest: getattr(environment.parsed_options, dest) for dest in GUARDS}
        self._own_shape = environment.shape_class
        self.elapsed: Callable[[], float | None] = lambda: 0.0  # the clock that stages follow, see StageShape

    def restore_guards(self) -> None:
        """Sets what protects others back to what the process was started with: the web UI's `/swarm` sets any option."""
        for dest, value in self._guards.items():
            setattr(self._environment.parsed_options, dest, value)

    def settings(self) -> Settings:
        """Returns the checked settings of the options as they are now; raises Refused with every mistake."""
        self.restore_guards()
        options = self._environment.parsed_options
        settings, unread = None, []
        try:
            settings = read_options(options, self._environment.host)
        except ConfigError as error:
            unread = error.mistakes
        stages, mistakes = self._scenarios().stages(options.mop_stages)
        thresholds, wrong = self._scenarios().thresholds(options.mop_thresholds, options.mop_threshold, self._stages(settings))
        mistakes += wrong
        mistakes += self._scenarios().mistakes({setting.name: str(getattr(options, setting.dest, "")) for setting in SETTINGS})
        if stages and self._shape_of_locustfile is not None:
            mistakes.append(
                f"stages are given, and the locustfile has a load shape, {type(self._shape_of_locustfile).__name__}: {ONE}"
            )
        mistakes += _unwritable(options.mop_reports)
        mistakes += server_side.absent(options.mop_server_pid, options.mop_server_cgroup)
        if settings is None:
            raise Refused([*unread, *mistakes])
        mistakes += self._scenarios().arrival_mistakes(settings)
        mistakes += self._scenarios().unstaged(thresholds, settings, options.run_time)
        if settings.arrivals and stages:
            mistakes.append(
                f"MOP_ARRIVALS (--mop-arrivals) says when sessions begin, and stages say how many users repeat: {ONE}"
            )
        elif settings.arrivals and self._shape_of_locustfile is not None:
            mistakes.append("MOP_ARRIVALS (--mop-arrivals): the locustfile has a load shape, which says how many users there are")
        if mistakes:
            raise Refused(mistakes)
        return settings

    def _stages(self, settings: Settings | None) -> tuple[Stage, ...] | None:
        """The stages of the next run, of users or of arrivals; None where mistakes in either or in the settings hide them."""
        options = self._environment.parsed_options
        stages = self._scenarios().stages(options.mop_stages)[0]
        if stages != ():
            return stages
        if settings is None:
            return None if options.mop_arrivals.strip() else ()
        return self._scenarios().arrival_stages(settings, options.run_time)

    def contradictions(self) -> list[str]:
        """Returns a mistake for each option of the command line that says otherwise than the stages, where there are any."""
        options = self._environment.parsed_options
        if not self._scenarios().stages(options.mop_stages)[0]:
            return []
        given = {"-u": options.num_users, "-r": options.spawn_rate, "-t": options.run_time}
        mistakes = [
            f"{name} is given, and so are stages, which say it too: {ONE}" for name, value in given.items() if value is not None
        ]
        if self._environment.reset_stats:
            mistakes.append(f"--reset-stats is given, and so are stages, whose first second is no end of a ramp-up: {ONE}")
        return mistakes

    def follow_stages(self) -> bool:
        """Lets the next run follow its stages, or else the locustfile's own load shape; returns whether there are stages."""
        shape, stages = self._shape_of_locustfile, self._scenarios().stages(self._environment.parsed_options.mop_stages)[0]
        if stages:
            shape = StageShape(stages, self.elapsed)
            shape.runner = self._environment.runner
        self._environment.shape_class = shape
        return bool(stages)

    @property
    def _shape_of_locustfile(self) -> Any:
        """The load shape that is there without stages: with a class picker the web UI chooses it anew for each run."""
        if not isinstance(self._environment.shape_class, StageShape):
            self._own_shape = self._environment.shape_class
        return self._own_shape

    def set_defaults(self, settings: Settings) -> None:
        """Gives the users, the duration and the spawn rate that the scenarios ask for where the command line gives none."""
        options, scenarios = self._environment.parsed_options, self._scenarios()
        users = scenarios.weigh(settings)
        self.follow_stages()
        if self._environment.shape_class is not None:
            return
        if options.num_users is None and users:
            options.num_users = min(users, settings.max_users) if settings.arrivals else users
        if options.spawn_rate is None and options.num_users:
            options.spawn_rate = options.num_users  # all at once, as k6 does
        seconds = scenarios.seconds(settings)
        if options.run_time is None and seconds is not None:
            options.run_time = seconds

    def run(self, users: int) -> Run:
        """Returns a run that may begin, or one whose findings say why no load is sent; raises Refused for the user's mistakes."""
        settings = self.settings()
        scenarios = self._scenarios()
        scenarios.weigh(settings)
        if settings.arrivals and users > settings.max_users:
            raise Refused([f"-u: {users} users from the start are more than the {settings.max_users} of MOP_MAX_USERS"])
        self._roll.call()
        looks, findings = scenarios.looks(settings.preflight), None
        if settings.preflight or looks:
            findings = preflight.look(settings, self._key, scenarios.transports, looks)
        mistakes = findings.mistakes if findings else preflight.refusals(settings, self._key, scenarios.transports)
        if mistakes:
            raise Refused(mistakes)
        if settings.tls_insecure:
            logger.warning("MOP_TLS_INSECURE=1: the target's certificate is NOT verified; anybody may answer in its place")
        options = self._environment.parsed_options
        stages = self._stages(settings) or ()
        end_it = bool(stages) and not (settings.arrivals and options.run_time)
        self.follow_stages()
        planned = float(length(stages)) if end_it else float(options.run_time) if options.run_time else None
        return Run(
            settings=settings,
            scenarios=scenarios,
            stages=stages,
            stages_end_it=end_it,
            thresholds=scenarios.thresholds(settings.thresholds, options.mop_threshold, stages)[0],
            findings=findings,
            users=users,
            planned_seconds=planned,
            options=option_values(options),
            expected=tuple(self._roll.here),
            headless=bool(options.headless),
            hellos=self._roll.hellos,
            provenance=provenance(
                redact_command(typed(sys.argv), self._key),
                self._environment.parsed_locustfiles or [],
                server_commit(settings, findings, scenarios.transports),
            ),
        )

    def _scenarios(self) -> Scenarios:
        return Scenarios(self._environment.user_classes)


def _unwritable(reports: str) -> list[str]:
    """Returns a mistake when run folders cannot be made: found now, not when the run is over."""
    path = Path(reports)
    try:
        path.mkdir(parents=True, exist_ok=True)
        writable = os.access(path, os.W_OK | os.X_OK)
        reason = "it is not writable"
    except OSError as error:
        writable, reason = False, error.strerror or str(error)
    return [] if writable else [f"MOP_REPORTS (--mop-reports): no run folder can be made in {reports!r}: {reason}"]
