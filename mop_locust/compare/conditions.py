"""What must be alike in all runs of a comparison, and a sentence for all that is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from mop_locust.report import figures
from mop_locust.report.document import SummaryDocument

NO_CONDITION: Final = frozenset(
    (
        "MOP_BASE_URL",
        "MOP_HTTP_BASE",
        "MOP_REPORTS",
        "MOP_SERVER_COMMIT",
        "MOP_THRESHOLDS",
        "MOP_ALLOW_DEGRADED",
        "MOP_MAX_LOOP_LAG_MS",
        "MOP_MAX_STALL_MS",
        "MOP_MAX_CPU_PERCENT",
    )
)
"""Options that change the judgement, the reports or what is compared, but not what was done to the target."""

GIVEN_TWICE: Final = 3  # so many values of a condition are shown; of more, how many there are


def conditions(summary: SummaryDocument) -> dict[str, str]:
    """What a run was made under, by name, as texts."""
    run, origin = summary["run"], summary.get("provenance")
    planned = run["planned_seconds"]
    found = {
        "scenario": ", ".join(run["scenarios"]) or run["scenario"],
        "users": str(run["users"]),
        "workers": str(run["workers"]),
        "planned time": "none" if planned is None else figures.span(planned),
        "endpoints": " and ".join(name for name in ("http", "websocket") if run["target"][name]),
        "suite version": run["suite_version"],
    }
    for name, value in run["options"].items():
        if name not in NO_CONDITION:
            found[f"option {name}"] = str(value)
    if origin is not None:
        found["suite hash"] = origin["suite_sha256"][:12]
        found["locustfile hash"] = ", ".join(digest[:12] for digest in origin["locustfile_sha256"].values())
        for number, (host, machine) in enumerate(origin["machines"].items()):
            name = "host" if number == 0 else f"host {number + 1}"
            found[name] = f"{host} ({machine['cores']} cores of {machine['cpu']}, {machine['kernel']})"
        for package in ("python", "locust", "gevent"):
            if package in origin["packages"]:
                found[f"version of {package}"] = origin["packages"][package]
    return found


def differences(base: Sequence[SummaryDocument], new: Sequence[SummaryDocument]) -> list[str]:
    """A sentence for each condition that is not the same in all runs of both groups: its values in either."""
    of_base, of_new = [conditions(run) for run in base], [conditions(run) for run in new]
    names = {name: None for found in (*of_base, *of_new) for name in found}
    sentences = []
    for name in names:
        left, right = _values(of_base, name), _values(of_new, name)
        if len({*left, *right}) > 1:
            sentences.append(f"{name}: {_shown(left)} in the base, {_shown(right)} in the new runs")
    return sentences


def _values(found: Sequence[Mapping[str, str]], name: str) -> list[str]:
    return sorted({one.get(name, "not given") for one in found})


def _shown(values: Sequence[str]) -> str:
    return " or ".join(values) if len(values) <= GIVEN_TWICE else f"{len(values)} different values"


def not_comparable(runs: Mapping[str, SummaryDocument], *, allow_degraded: bool) -> list[str]:
    """A sentence for each run, by its folder, whose figures prove nothing."""
    allowed = {"valid", "degraded"} if allow_degraded else {"valid"}
    sentences = []
    for folder, summary in runs.items():
        verdict = summary["verdict"]
        if verdict["validity"] not in allowed:
            reason = verdict["reasons"][0] if verdict["reasons"] else "no reason was noted"
            sentences.append(f"{folder}: the run is {verdict['validity']}: {reason}")
        elif not summary["metrics"]:
            sentences.append(f"{folder}: nothing was measured")
    return sentences
