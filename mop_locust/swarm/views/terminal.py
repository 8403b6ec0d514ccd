"""What a person at the terminal sees of a run that `mop-locust run` started: a screen, or a plain line now and then."""

from __future__ import annotations

import atexit
import logging
import os
import sys
from typing import TYPE_CHECKING, Any

import gevent

from mop_locust.config import Settings
from mop_locust.swarm.judging.conductor import Conductor
from mop_locust.swarm.views.progress import line, look

if TYPE_CHECKING:
    from rich.live import Live

OURS = "_MOP_LOCUST_RUN"  # set by `mop-locust run` for the process that it starts
LINE_SECONDS, REDRAW_SECONDS = 5.0, 1.0


def show_progress(environment: Any, settings: Settings, conductor: Conductor) -> None:
    """Shows progress, and silences Locust's own tables, in a headless process that `mop-locust run` started.

    `--quiet` silences both in any headless process.
    """
    ours = os.environ.get(OURS) == "1"
    if not environment.parsed_options.headless or not (ours or settings.quiet):
        return
    logging.getLogger("locust.stats_logger").setLevel(logging.WARNING)
    if settings.quiet:
        return
    if sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        terminal = Terminal(environment, conductor)
        environment.events.test_stop.add_listener(lambda **_: terminal.close())
        environment.events.quit.add_listener(lambda **_: terminal.close())
    else:
        gevent.spawn(_say_lines, environment, conductor)


def _say_lines(environment: Any, conductor: Conductor) -> None:
    while True:
        gevent.sleep(LINE_SECONDS)
        if (progress := look(environment, conductor)) is not None:
            print(line(progress), flush=True)


class Terminal:
    """A screen that is drawn anew each second in the same place, and wiped away at the end."""

    def __init__(self, environment: Any, conductor: Conductor) -> None:
        from mop_locust.swarm.views import screen  # now and not while the load goes on, which rich's import would hold up

        self._draw = screen.Screen
        self._environment = environment
        self._conductor = conductor
        self._live: Live | None = None
        self._moved: list[logging.StreamHandler[Any]] = []
        self._greenlet = gevent.spawn(self._follow)
        atexit.register(self.close)  # whatever ends the process, its cursor comes back

    def close(self) -> None:
        """Wipes the screen away; more than once is allowed."""
        self._greenlet.kill(block=False)
        live, self._live = self._live, None
        if live is not None:
            live.stop()
            for handler in self._moved:
                handler.setStream(sys.stderr)

    def _follow(self) -> None:
        from rich.live import Live

        while True:
            gevent.sleep(REDRAW_SECONDS)
            progress = look(self._environment, self._conductor)
            if progress is None:
                continue
            if self._live is None:
                self._live = Live(auto_refresh=False, transient=True)
                self._live.start()
                self._move_log()
            self._live.update(self._draw(progress), refresh=True)

    def _move_log(self) -> None:
        """Lets what is logged go above the screen: rich has put its own stream in the place of stderr."""
        for logger in (logging.getLogger(), logging.getLogger("locust")):
            for handler in logger.handlers:
                if isinstance(handler, logging.StreamHandler) and handler.stream is sys.__stderr__:
                    handler.setStream(sys.stderr)
                    self._moved.append(handler)
