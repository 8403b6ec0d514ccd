"""What the property tests of the measurement core draw from."""

from __future__ import annotations

from hypothesis import strategies as st

from mop_locust.metrics.histogram import LARGEST, Histogram
from mop_locust.metrics.sample import OUTCOMES, Sample

HOUR_US = 3_600_000_000

values = st.one_of(st.integers(0, 600), st.integers(0, HOUR_US), st.integers(0, LARGEST))
phases = st.one_of(st.just(-1), st.integers(0, 5_000_000))


def histogram_of(recorded: list[int]) -> Histogram:
    """A histogram of these values."""
    histogram = Histogram()
    for value in recorded:
        histogram.record(value)
    return histogram


histograms = st.lists(values, max_size=20).map(histogram_of)


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    """Any exchange within the first ten seconds of a run that began at 0."""
    outcome = draw(st.sampled_from(OUTCOMES))
    return Sample(
        scenario=draw(st.sampled_from(["storm", "rps"])),
        transport=draw(st.sampled_from(["http", "websocket"])),
        method=draw(st.sampled_from(["initialize", "tools/call"])),
        outcome=outcome,
        start_us=draw(st.integers(0, 9_000_000)),
        duration_us=draw(st.integers(0, 1_000_000)),
        tool=draw(st.sampled_from(["", "add", "a,b{c}\\"])),
        connect_us=draw(phases),
        first_byte_us=draw(phases),
        sent=draw(st.integers(0, 1000)),
        received=draw(st.integers(0, 1000)),
        status=draw(st.sampled_from([0, 200, 503])),
        error="" if outcome == "ok" else draw(st.sampled_from(["", "refused", "HTTP 503"])),
    )
