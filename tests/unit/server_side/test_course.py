"""What was seen of the server in the course of a run."""

from __future__ import annotations

import pytest

from mop_locust.server_side.course import MOST_NOTES, MOST_SAMPLES, Course
from mop_locust.server_side.usage import Usage


def test_a_look_with_everything() -> None:
    """CPU is the mean since the look before; the first one only sets the starting point."""
    course = Course(pid=4711, cgroup="/sys/fs/cgroup/server")
    for path in course.pages:
        course.answered(path)
    course.add(0.0123, Usage(1.0, 100.0, 16.0, 4.0), 0.0, {"calls_total": 1.0})
    course.add(5.0123, Usage(2.25, 200.0, 18.0, 5.0), 3.0, {"calls_total": 9.0})
    first = {"at_s": 0.012, "cpu_percent": None, "rss_bytes": 100.0, "open_files": 16.0, "threads": 4.0, "active_sessions": 0.0}
    second = {"at_s": 5.012, "cpu_percent": 25.0, "rss_bytes": 200.0, "open_files": 18.0, "threads": 5.0, "active_sessions": 3.0}
    assert course.to_json() == {
        "health": True,
        "metrics": True,
        "pid": 4711,
        "cgroup": "/sys/fs/cgroup/server",
        "notes": [],
        "samples": [first | {"metrics": {"calls_total": 1.0}}, second | {"metrics": {"calls_total": 9.0}}],
    }


def test_nothing_known() -> None:
    """No page was asked yet, and there is no process to look at."""
    course = Course()
    course.add(1.0, Usage())
    side = course.to_json()
    assert (side["health"], side["metrics"], side["pid"], side["cgroup"], side["notes"]) == (None, None, None, None, [])
    assert side["samples"] == [
        {
            "at_s": 1.0,
            "cpu_percent": None,
            "rss_bytes": None,
            "open_files": None,
            "threads": None,
            "active_sessions": None,
            "metrics": {},
        }
    ]


def test_cpu_over_a_moment_is_not_told() -> None:
    """Its ticks are 10 ms long. The next figure covers that moment too; a restarted counter is no negative use."""
    course = Course()
    for at_s, seconds in ((0.0, 0.0), (5.0, 1.0), (5.25, 1.25), (10.0, 2.0), (15.0, 0.5)):
        course.add(at_s, Usage(seconds))
    assert [sample["cpu_percent"] for sample in course.samples] == [None, 20.0, None, 20.0, 0.0]


def test_the_samples_are_bounded_and_keep_the_peaks_and_the_last() -> None:
    """Neighbours become one: the later, with the larger figures of the process; the last one is always the last look."""
    course = Course(most=4)
    for number in range(11):
        course.add(float(number), Usage(None, 100.0 if number == 2 else 1.0, None, 1.0), float(number), {"n": float(number)})
    samples = course.to_json()["samples"]
    assert [(sample["at_s"], sample["rss_bytes"], sample["active_sessions"]) for sample in samples] == [
        (3.0, 100.0, 3.0),
        (7.0, 1.0, 7.0),
        (10.0, 1.0, 10.0),
    ]
    assert samples[-1]["metrics"] == {"n": 10.0}
    assert (samples[0]["open_files"], samples[0]["threads"]) == (None, 1.0)


@pytest.mark.parametrize("looks", [MOST_SAMPLES, MOST_SAMPLES + 1, 10 * MOST_SAMPLES + 3])
def test_a_long_run_has_at_most_so_many(looks: int) -> None:
    """An hour of looks is 720; the last is exact whatever came before."""
    course = Course()
    for number in range(looks):
        course.add(5.0 * number, Usage(), 1.0)
    times = [sample["at_s"] for sample in course.samples]
    assert MOST_SAMPLES // 2 <= len(times) <= MOST_SAMPLES
    assert times == sorted(set(times))
    assert times[-1] == 5.0 * (looks - 1)


def test_a_page_that_is_not_there_is_named_once() -> None:
    """And is no error: what is missing of it is one sentence."""
    course = Course()
    course.failed("/health", 0.01, "HTTP 404")
    course.failed("/metrics", 0.01, "refused")
    course.failed("/metrics", 5.01, "no answer")
    side = course.to_json()
    assert (side["health"], side["metrics"]) == (False, False)
    assert side["notes"] == ["no /health there: HTTP 404", "no /metrics there: refused"]


def test_a_page_that_fails_now_and_then_is_counted() -> None:
    """When it began, and why."""
    course = Course()
    course.answered("/health")
    course.failed("/health", 5.02, "no \x1b[31manswer")
    course.failed("/health", 10.0, "HTTP 503")
    course.answered("/health")
    side = course.to_json()
    assert side["health"] is True
    assert side["notes"] == ["/health failed 2 of 4 times, first after 5.0 s: no answer"]


@pytest.mark.parametrize(
    ("body", "sessions"),
    [
        (b'{"status":"healthy","active_sessions":3}', 3.0),
        (b'{"active_sessions":2.5}', 2.5),
        (b'{"active_sessions":true}', None),
        (b'{"active_sessions":"3"}', None),
        (b'{"active_sessions":1e999}', None),
        (b"[3]", None),
        (b"OK", None),
        (b"\xff", None),
        (b"[" * 100_000, None),
        (b"", None),
    ],
)
def test_the_sessions_of_a_health_page(body: bytes, sessions: float | None) -> None:
    """A page of another form is a health page too."""
    assert Course().read_health(body, 1.0) == sessions


def test_a_status_that_changes_is_noted() -> None:
    """Not the one that it begins with; the server's text is cut and made printable."""
    course = Course()
    for at_s, status in ((0.0, "healthy"), (5.0, "healthy"), (10.0, "degra\x1b[2Jded" + "x" * 90), (15.0, "healthy")):
        course.read_health(b'{"status":"%s"}' % status.encode().replace(b"\x1b", b"\\u001b"), at_s)
    assert course.to_json()["notes"] == [
        f"/health said 'degraded{'x' * 31}…' after 10.0 s",
        "/health said 'healthy' after 15.0 s",
    ]


def test_notes_are_kept_once_and_only_so_many() -> None:
    """A server that changes its mind at each look fills no memory."""
    course = Course()
    for number in range(2 * MOST_NOTES):
        course.note(f"note {number}")
        course.note("note 0")
    assert course.to_json()["notes"] == [f"note {number}" for number in range(MOST_NOTES)]
