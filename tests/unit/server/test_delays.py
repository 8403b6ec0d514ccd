"""The forms of --delay and what is drawn from them."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.server.delays import Delay, read_delay

MS = st.floats(0, 3_600_000, allow_nan=False)


@pytest.mark.parametrize(
    ("text", "delay"),
    [
        ("0", Delay()),
        ("20", Delay(20.0)),
        ("1.5", Delay(1.5)),
        ("20~5", Delay(20.0, 5.0)),
        ("1|20", Delay(1.0, 0.0, 20.0, 0.5)),
        ("1|20:0.1", Delay(1.0, 0.0, 20.0, 0.1)),
    ],
)
def test_every_form(text: str, delay: Delay) -> None:
    """Milliseconds, and a share."""
    assert read_delay(text) == delay


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'' is none of MS, MS~JITTER, MS|MS or MS|MS:SHARE"),
        ("20~5|1", "'20~5|1' is none of MS, MS~JITTER, MS|MS or MS|MS:SHARE"),
        ("20:0.1", "'20:0.1' is none of MS, MS~JITTER, MS|MS or MS|MS:SHARE"),
        ("x", "'x' is not a number"),
        ("nan", "nan is not from 0 to 3.6e+06"),
        ("-1", "-1 is not from 0 to 3.6e+06"),
        ("20~21", "21 is not from 0 to 20"),
        ("1|20:1.5", "1.5 is not from 0 to 1"),
        ("1|3600001", "3600001 is not from 0 to 3.6e+06"),
    ],
)
def test_other_texts_are_refused(text: str, said: str) -> None:
    """With what is wrong."""
    with pytest.raises(ValueError) as caught:
        read_delay(text)
    assert str(caught.value) == said


@pytest.mark.parametrize(("text", "holds"), [("0", False), ("0|0", False), ("1", True), ("0|1", True)])
def test_whether_there_is_anything_to_wait_for(text: str, holds: bool) -> None:
    """Only zeros are nothing."""
    assert read_delay(text).holds is holds


@given(MS, st.floats(0, 1), st.integers(0, 100))
def test_jitter_stays_around_its_middle(ms: float, part: float, seed: int) -> None:
    """Never outside, and never negative."""
    seconds = Delay(ms, ms * part).draw(Random(seed))
    assert max(0.0, ms * (1 - part) / 1000 - 1e-6) <= seconds <= ms * (1 + part) / 1000 + 1e-6


def test_the_second_peak_has_its_share() -> None:
    """One or the other time, never one between."""
    delay, random = Delay(1.0, second_ms=20.0, share=0.1), Random(1)
    drawn = [delay.draw(random) for _ in range(10_000)]
    assert set(drawn) == {0.001, 0.02}
    assert 900 <= drawn.count(0.02) <= 1100
