"""The closed set of outcomes and the shape of a sample."""

from __future__ import annotations

from mop_locust.metrics.sample import ANSWERED, FAILURES, OUTCOMES, Sample


def test_the_outcomes_are_the_closed_set_in_its_order() -> None:
    """The order is part of the contract: reports list the outcomes so."""
    assert OUTCOMES == (
        "ok",
        "timeout",
        "connect",
        "disconnected",
        "http_status",
        "protocol",
        "rpc_error",
        "tool_error",
        "check",
        "client_fault",
        "cancelled",
    )


def test_failures_leave_out_what_is_not_the_target_s_fault() -> None:
    """`ok`, our own limits and the end of the run are no failures."""
    assert set(OUTCOMES) - set(FAILURES) == {"ok", "client_fault", "cancelled"}
    assert len(FAILURES) == 8


def test_answered_outcomes_are_those_the_server_must_have_counted() -> None:
    """Whatever the answer said, it came from the server."""
    assert ANSWERED == ("ok", "http_status", "rpc_error", "tool_error", "protocol", "check")


def test_a_sample_without_phases_says_so() -> None:
    """A phase that did not happen is -1, never a time of 0."""
    sample = Sample("storm", "websocket", "ping", "ok", 5, 7)
    assert (sample.connect_us, sample.first_byte_us) == (-1, -1)
    assert (sample.sent, sample.received, sample.status, sample.lag_us, sample.tool, sample.error) == (0, 0, 0, 0, "", "")
