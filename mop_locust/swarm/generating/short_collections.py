"""Garbage collections that are short however many users hold objects: what has survived one is not looked at again.

A full collection over 5,000 users stops all of them for 150 ms, and what each of them makes anew in a second is enough for 30 to
60 ms. So full collections come often, over the few objects made since the last, and what survives one is frozen. Objects still
die when nothing refers to them; but a circle of them is found only until it was frozen, so that once in a while, when much more
is frozen than there was, everything is looked at.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping

import gevent

THRESHOLDS = (1_000, 3, 2)  # objects, young collections, middle ones: a full one looks at some 10,000 objects
LOOK_SECONDS = 60.0
GROWTH, SPARE = 1.5, 200_000  # of objects: what is frozen may grow so much before all of it is looked at


class ShortCollections:
    """In force from when it is made until `stop`."""

    def __init__(self) -> None:
        self._thresholds = gc.get_threshold()
        gc.set_threshold(*THRESHOLDS)
        gc.callbacks.append(self._after)
        gc.freeze()  # what was imported; nothing is collected, for the first users are about to start
        self._settled = gc.get_freeze_count()
        self._watch = gevent.spawn(self._look)

    def settle(self) -> None:
        """Collects now, and takes what is there as what the load needs: when all users have come."""
        gc.collect()
        self._settled = gc.get_freeze_count()

    def look(self) -> None:
        """Looks at everything when much more is frozen than what the load needs: the one long pause."""
        if gc.get_freeze_count() > self._settled * GROWTH + SPARE:
            gc.unfreeze()
            self.settle()

    def stop(self) -> None:
        """Goes back to the interpreter's way."""
        self._watch.kill(block=False)
        gc.callbacks.remove(self._after)
        gc.set_threshold(*self._thresholds)
        gc.unfreeze()

    def _look(self) -> None:
        while True:
            gevent.sleep(LOOK_SECONDS)
            self.look()

    @staticmethod
    def _after(phase: str, told: Mapping[str, int]) -> None:
        if phase == "stop" and told["generation"] == 2:
            gc.freeze()
