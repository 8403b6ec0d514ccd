"""The law of every run: samples of the workers = the master's = every output's, and both ends agree on what was answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

# An exchange with one of the first was answered for certain, with one of the second perhaps, with any other not at all.
ANSWERED = ("ok", "http_status", "rpc_error", "tool_error", "protocol", "check")
UNKNOWN = ("timeout", "disconnected", "cancelled")

SOCKET = (("websocket", "connect"), ("websocket", "close"))

Place = tuple[str, str]  # transport and method, as the client names them


def conserved(
    summaries: Mapping[str, Any] | Iterable[Mapping[str, Any]],
    counts: Mapping[str, Any],
    statistics: Iterable[Mapping[str, Any]] | None = None,
) -> None:
    """Asserts the law for the runs that one server saw, and for Locust's own statistics of the last of them."""
    runs = [summaries] if isinstance(summaries, Mapping) else list(summaries)
    for summary in runs:
        every_output_agrees(summary)
    assert wrong_at_server(runs, counts) == {}
    if statistics is not None:
        shown = {(row["method"], row["name"]): row["num_requests"] for row in statistics}
        assert shown == dict(_by_locust_name(runs[-1]))


def every_output_agrees(summary: Mapping[str, Any]) -> None:
    """Asserts that workers, totals, series and windows of one run all count the same exchanges."""
    metrics = summary["metrics"]
    calls = _count(metrics.get("calls"))
    series = {name: metric["count"] for name, metric in metrics.items() if name.startswith("calls{")}
    in_windows: Counter[str] = Counter()
    for window in summary["windows"]:
        in_windows.update({name: row["count"] for name, row in window["series"].items() if name.startswith("calls{")})
    assert sum(worker["exchanges"] for worker in summary["workers"]) == calls
    assert sum(series.values()) == calls
    assert {name: count - in_windows[name] for name, count in series.items() if count != in_windows[name]} == {}, (
        "lost in windows"
    )
    assert set(in_windows) <= set(series)
    for name, metric in metrics.items():
        if name.partition("{")[0] == "calls":
            outcomes = metric["outcomes"]
            assert sum(outcomes.values()) == metric["count"], name
            judged = metric["count"] - outcomes.get("cancelled", 0) - outcomes.get("client_fault", 0)
            assert _count(metrics.get(name.replace("calls", "call_failures", 1))) == judged, name
            assert _count(metrics.get(name.replace("calls", "call_latency", 1))) == outcomes.get("ok", 0), name


def wrong_at_server(runs: Iterable[Mapping[str, Any]], counts: Mapping[str, Any]) -> dict[str, str]:
    """What the server's counts contradict, by transport and method; empty when both ends agree."""
    wrong = {}
    answered, unknown = _outcomes(runs)
    served = _served(counts)
    for place in sorted({*answered, *unknown, *served}):
        low, here = answered[place], served[place]
        if not low <= here <= low + unknown[place]:
            wrong[" ".join(place)] = f"the server answered {here}; the client {low}, and perhaps {unknown[place]} more"
    return wrong


def exchanges(summary: Mapping[str, Any]) -> dict[Place, Counter[str]]:
    """The outcomes of a run's exchanges by transport and method, without the preflight."""
    found: dict[Place, Counter[str]] = {}
    for tags, metric in _series(summary):
        found.setdefault((tags["transport"], tags["method"]), Counter()).update(metric["outcomes"])
    return found


def _outcomes(runs: Iterable[Mapping[str, Any]]) -> tuple[Counter[Place], Counter[Place]]:
    """Exchanges that were answered, and those that may have been, the preflight included."""
    answered: Counter[Place] = Counter()
    unknown: Counter[Place] = Counter()
    for summary in runs:
        found = {place: Counter(outcomes) for place, outcomes in exchanges(summary).items()}
        for row in summary["preflight"]["exchanges"]:
            found.setdefault((row["transport"], row["method"]), Counter())[row["outcome"]] += 1
        for place, outcomes in found.items():
            # For a socket the server counts what is open and what said goodbye: `ok` proves it, no other answer does.
            certain = ("ok",) if place in SOCKET else ANSWERED
            answered[place] += sum(outcomes[outcome] for outcome in certain)
            unknown[place] += sum(outcomes[outcome] for outcome in UNKNOWN)
            if place in SOCKET:
                unknown[place] += sum(outcomes[outcome] for outcome in ANSWERED if outcome != "ok")
    return answered, unknown


def _served(counts: Mapping[str, Any]) -> Counter[Place]:
    """The server's counts in the client's words."""
    words = {"http DELETE": ("http", "delete"), "http GET": ("sse", "stream")}
    served: Counter[Place] = Counter()
    for name, count in counts["answered"].items():
        transport, _, method = name.partition(" ")
        served[words.get(name, (transport, method))] += count
    served["websocket", "connect"] = counts["sockets_opened"]
    served["websocket", "close"] = counts["sockets_closed_cleanly"]
    return served


def _by_locust_name(summary: Mapping[str, Any]) -> Counter[Place]:
    named: Counter[Place] = Counter()
    for tags, metric in _series(summary):
        name = f"{tags['method']} {tags['tool']}" if "tool" in tags else tags["method"]
        named[tags["transport"], name] += metric["count"]
    return named


def _series(summary: Mapping[str, Any]) -> Iterable[tuple[dict[str, str], Mapping[str, Any]]]:
    for name, metric in summary["metrics"].items():
        if name.startswith("calls{"):
            pairs = (pair.partition(":") for pair in name[len("calls{") : -1].split(","))
            yield {tag: value for tag, _, value in pairs}, metric


def _count(metric: Mapping[str, Any] | None) -> int:
    return 0 if metric is None else int(metric["count"])
