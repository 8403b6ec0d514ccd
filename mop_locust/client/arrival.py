"""What a user of open load measures beside its exchanges: how long after the intended start of its session an answer came."""

from __future__ import annotations

from mop_locust.client.ceiling import CLOSING
from mop_locust.client.exchange import Recorder, Tags
from mop_locust.metrics.sample import Sample


class SinceArrival:
    """A recorder that hands everything on, and adds `time_to_answer` for each good answer but that to a goodbye.

    `intended_us` is when the session that goes on should have begun, by the process's monotonic clock.
    """

    __slots__ = ("_exchange", "_tags", "count", "intended_us", "rate", "trend")

    def __init__(self, recorder: Recorder) -> None:
        self._exchange = recorder.exchange
        self.count, self.rate, self.trend = recorder.count, recorder.rate, recorder.trend
        self._tags: dict[tuple[str, str], Tags] = {}
        self.intended_us = 0

    def exchange(self, sample: Sample, error: BaseException | None) -> None:
        """Takes one exchange."""
        self._exchange(sample, error)
        if sample.outcome == "ok" and sample.method not in CLOSING:
            place = (sample.method, sample.transport)
            tags = self._tags.get(place)
            if tags is None:
                tags = self._tags[place] = (
                    ("method", sample.method),
                    ("scenario", sample.scenario),
                    ("transport", sample.transport),
                )
            ended_us = sample.start_us + sample.duration_us
            self.trend("time_to_answer", tags, ended_us - self.intended_us, ended_us)
