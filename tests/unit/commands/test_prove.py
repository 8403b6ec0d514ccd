"""What `mop-locust prove` makes of a run's summary, without any run."""

from __future__ import annotations

from typing import Any, cast

import pytest

from mop_locust.commands.prove import EXPECTED, Proof, exchanges, judge, methods_to_strike, struck
from mop_locust.report.document import SummaryDocument
from mop_locust.server.faults import FAULTS, Place

HTTP = frozenset({("http", "initialize"), ("http", "tools/list"), ("http", "tools/call"), ("http", "delete")})
STREAM = frozenset({("http", "initialize"), ("sse", "stream"), ("http", "delete")})
SOCKET = frozenset({("websocket", "connect"), ("websocket", "ping"), ("websocket", "close")})


def row(transport: str, outcome: str, count: int, label: str = "label") -> dict[str, Any]:
    """One class of errors."""
    return {"transport": transport, "method": "method", "outcome": outcome, "error": label, "count": count}


def summary(
    *errors: dict[str, Any], state: str = "CROSSED", validity: str = "valid", **metrics: dict[str, Any]
) -> SummaryDocument:
    """As much of a summary as is looked at."""
    thresholds = [{"metric": "failures", "state": state}, {"metric": "other", "state": "PASSED"}]
    verdict = {"state": state, "validity": validity, "reasons": ["a reason"], "thresholds": thresholds, "sentence": ""}
    return cast(SummaryDocument, {"verdict": verdict, "errors": list(errors), "metrics": metrics})


def test_every_fault_has_an_expectation_for_each_transport_that_can_have_it() -> None:
    """The two tables know the same faults and places."""
    assert list(EXPECTED) == list(FAULTS)
    for fault, kind in FAULTS.items():
        can = set()
        if kind.places & {Place.ANSWER, Place.SESSION, Place.TOOL, Place.CONNECTION}:
            can.add("http")
        if kind.places & {Place.STREAM, Place.SESSION}:
            can.add("sse")
        if kind.places & {Place.FRAME, Place.UPGRADE, Place.TOOL, Place.CONNECTION}:
            can.add("websocket")
        assert set(EXPECTED[fault]) == can, fault


def test_the_exchanges_of_a_run() -> None:
    """From the tagged series of `calls`."""
    metrics = {"calls": {"kind": "counter", "count": 2}, "iterations{scenario:s}": {"kind": "counter", "count": 1}}
    metrics["calls{method:tools/list,scenario:s,transport:http}"] = {"kind": "counter", "count": 2}
    assert exchanges(summary(**metrics)) == {("http", "tools/list")}


@pytest.mark.parametrize(
    ("fault", "had", "wanted"),
    [
        ("stall", HTTP, ["http"]),
        ("stall", STREAM, ["sse"]),
        ("stall", SOCKET, ["websocket"]),
        ("stall", HTTP | STREAM | SOCKET, ["sse", "websocket"]),
        ("wrong-id", STREAM, ["http"]),
        ("bad-frame", STREAM, []),
        ("is-error", HTTP, ["http"]),
        ("is-error", STREAM, []),
        ("is-error", HTTP | SOCKET, ["http"]),
        ("wrong-content-type", SOCKET, []),
    ],
)
def test_what_a_fault_strikes(fault: str, had: frozenset[tuple[str, str]], wanted: list[str]) -> None:
    """Transports that the scenario has and that can have the fault; a stream before its session."""
    assert struck(fault, had) == wanted


def test_the_session_before_a_stream_is_spared() -> None:
    """Without it there would be no stream to strike; a WebSocket beside it is struck whole."""
    assert methods_to_strike("stall", STREAM) == ["GET", "upgrade"]
    assert methods_to_strike("stall", STREAM | SOCKET) == ["GET", "upgrade", "close", "connect", "ping"]
    assert methods_to_strike("wrong-id", STREAM) == []
    assert methods_to_strike("stall", HTTP) == []


def test_a_fault_that_is_counted_as_what_it_is() -> None:
    """The commonest failure decides; what is no failure of the target is not looked at."""
    errors = (row("http", "cancelled", 9), row("http", "timeout", 5), row("http", "disconnected", 2), row("sse", "protocol", 7))
    assert judge("stall", ["http"], summary(*errors)) == Proof(["failures"], ["timeout: label (http method, 5 times)"])


def test_a_threshold_without_data_is_red() -> None:
    """It would have failed the run."""
    assert judge("stall", ["http"], summary(row("http", "timeout", 1), state="NO_DATA")).red == ["failures"]


def test_an_early_end_of_a_stream_is_counted_by_its_counter() -> None:
    """Not by an exchange."""
    proof = judge("early-end", ["sse"], summary(sse_early_ends={"kind": "counter", "count": 3}))
    assert proof == Proof(["failures"], ["sse_early_ends: 3"])
    assert judge("early-end", ["sse"], summary()).wrong == "it was counted as nothing and not as sse_early_ends"


def test_a_fault_that_is_counted_as_another() -> None:
    """Each transport is looked at."""
    proof = judge("500", ["http", "websocket"], summary(row("http", "http_status", 1), row("websocket", "protocol", 1)))
    assert proof.wrong == "it was counted as protocol: label (websocket method, 1 times) and not as http_status"
    assert judge("500", ["http"], summary()).wrong == "it was counted as nothing and not as http_status"


def test_a_fault_that_leaves_all_green() -> None:
    """Though it was counted."""
    proof = judge("500", ["http"], summary(row("http", "http_status", 1), state="PASSED"))
    assert (proof.red, proof.wrong) == ([], "every threshold stayed green")


def test_a_run_that_proves_nothing() -> None:
    """A degraded one does: no figure of it is used."""
    error = row("http", "http_status", 1)
    assert judge("500", ["http"], summary(error, validity="invalid")).wrong == "the run is invalid: a reason"
    assert judge("500", ["http"], summary(error, validity="degraded")).wrong == ""
