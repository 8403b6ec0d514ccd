"""Declarations, their names, and the catalogue of a run."""

from __future__ import annotations

import pytest

from mop_locust.metrics.instruments import BUILT_IN, Catalogue, Counter, Instrument, Rate, Trend


def test_the_built_in_metrics_and_their_kinds() -> None:
    """The seed's four names are among them."""
    kinds = {instrument.name: instrument.kind for instrument in BUILT_IN}
    assert len(kinds) == len(BUILT_IN) == 31
    assert [name for name, kind in kinds.items() if kind == "counter"] == [
        "calls",
        "sse_early_ends",
        "sse_keepalives",
        "http_responses",
        "bytes_sent",
        "bytes_received",
        "iterations",
        "arrivals",
        "dropped_iterations",
    ]
    assert [name for name, kind in kinds.items() if kind == "rate"] == [
        "call_failures",
        "ws_failures",
        "tools_call_failures",
        "sse_failures",
    ]
    assert kinds["sse_first_byte_latency"] == "trend"
    assert all(instrument.unit == "ms" for instrument in BUILT_IN if isinstance(instrument, Trend))


@pytest.mark.parametrize("declare", [Counter, Rate, Trend])
@pytest.mark.parametrize("name", ["", "9lives", "a-b", "a b", "a{b}", "é", "x" * 65])
def test_a_bad_name_is_refused(declare: type[Instrument], name: str) -> None:
    """The names must fit thresholds, Prometheus and the summary."""
    with pytest.raises(ValueError, match="a metric name is"):
        declare(name)


@pytest.mark.parametrize("name", ["a", "_", "_x9", "x" * 64])
def test_a_good_name_is_taken(name: str) -> None:
    """Up to 64 characters."""
    assert (Counter(name).name, Rate(name).name, Trend(name, "bytes").unit) == (name, name, "bytes")


def test_the_kind_is_part_of_a_declaration() -> None:
    """A counter is not the rate of the same name."""
    assert Counter("a") != Rate("a")
    assert Trend("a") == Trend("a", "ms") != Trend("a", "bytes")


def test_a_catalogue_holds_the_built_in_metrics_and_the_declared() -> None:
    """Declaring a metric twice in the same way is no mistake."""
    catalogue = Catalogue([Trend("reply_size", "bytes"), Trend("reply_size", "bytes"), Counter("calls")], {"tool": None})
    assert catalogue.instruments["reply_size"] == Trend("reply_size", "bytes")
    assert catalogue.instruments["calls"] == Counter("calls")
    assert len(catalogue.instruments) == len(BUILT_IN) + 1
    assert catalogue.tags == {"tool": None}


def test_a_catalogue_refuses_one_name_for_two_metrics() -> None:
    """Two users that declare one name differently would be added up wrongly."""
    with pytest.raises(ValueError, match=r"metric calls is declared as Rate\(name='calls'\) and as Counter\(name='calls'\)"):
        Catalogue([Rate("calls")], {})
