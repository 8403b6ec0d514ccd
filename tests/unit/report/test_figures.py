"""Figures in the one form that every report uses."""

from __future__ import annotations

import pytest

from mop_locust.report import figures


def test_counts_have_thousands() -> None:
    """Digits in groups of three."""
    assert [figures.count(value) for value in (0, 999, 12345, 1234567)] == ["0", "999", "12,345", "1,234,567"]


def test_rate_is_per_second_or_nothing() -> None:
    """No time, no rate."""
    assert figures.rate(4712, 60.0) == "78.5"
    assert figures.rate(123456, 60.0) == "2,057.6"
    assert figures.rate(5, 0.0) == "-"


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (None, "-"),
        (0.0, "0.00 %"),
        (0.071, "7.10 %"),
        (1.0, "100.00 %"),
        (0.000001, "<0.01 %"),
        (0.9999999, ">99.99 %"),
        (0.9999, "99.99 %"),
    ],
)
def test_percent_never_rounds_to_none_or_all(fraction: float | None, text: str) -> None:
    """One failure in a million is not 0.00 %."""
    assert figures.percent(fraction) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (None, "-"),
        (0.0, "0.0 ms"),
        (0.004, "<0.1 ms"),
        (0.05, "0.1 ms"),
        (0.84, "0.8 ms"),
        (9.94, "9.9 ms"),
        (9.95, "10 ms"),
        (412.4, "412 ms"),
        (999.4, "999 ms"),
        (999.5, "1.00 s"),
        (1234.0, "1.23 s"),
        (1_234_567.0, "1,234.57 s"),
    ],
)
def test_duration(milliseconds: float | None, text: str) -> None:
    """Three digits or so, and never `10.0 ms` beside `10 ms`."""
    assert figures.duration(milliseconds) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "ms", "-"),
        (412.0, "ms", "412 ms"),
        (4.003, "items", "4 items"),
        (12345.0, "B", "12,345 B"),
        (0.5, "", "0.5"),
        (150.0, "", "150"),
        (1.0, "<b>|`\x1b[31m", "1 b31m"),
        (1.0, "x" * 50, "1 " + "x" * 12),
    ],
)
def test_quantity_has_its_unit(value: float | None, unit: str, text: str) -> None:
    """Three digits, and a unit that is a short word whatever was declared."""
    assert figures.quantity(value, unit) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (1000.0, "1,000"), (0.07099, "0.07099"), (12345.6, "12,346"), (1.23456, "1.235")]
)
def test_number(value: float, text: str) -> None:
    """Whole numbers whole, others with four digits."""
    assert figures.number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0s"), (8.54, "8.5s"), (9.96, "10s"), (12.0, "12s"), (59.6, "1m00s"), (60.02, "1m00s"), (3723.0, "1h02m03s")],
)
def test_span(seconds: float, text: str) -> None:
    """Seconds, then minutes, then hours."""
    assert figures.span(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.0, "0:00"), (41.9, "0:41"), (600.0, "10:00"), (3723.0, "1:02:03")])
def test_moment(seconds: float, text: str) -> None:
    """A moment is the second that has begun."""
    assert figures.moment(seconds) == text


def test_plural() -> None:
    """One is one."""
    assert figures.plural(1, "user") == "1 user"
    assert figures.plural(2000, "user") == "2,000 users"
    assert figures.plural(2, "threshold is", "thresholds are") == "2 thresholds are"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1023.94 * 1024, "1023.9 KiB"),
        (1024**2 - 1, "1.0 MiB"),
        (46_242_201, "44.1 MiB"),
        (1024**3, "1.0 GiB"),
        (5e12, "4,656.6 GiB"),
    ],
)
def test_sizes(value: float, text: str) -> None:
    """In the unit of which there is at least one."""
    assert figures.size(value) == text
