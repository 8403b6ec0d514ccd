"""The result as Markdown. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.figures import Judgement, Sample, Spread, costs, doubts, faults, judge, kernel_parts
from benchmarks.operations import OPERATIONS, Operation
from benchmarks.result import Result

WORDS = {True: "met", False: "**not met**", None: "no figure"}


def render(result: Result, ours: str, floor: str) -> str:
    """The whole page: costs, limits and remarks for each server, then machine, versions and what was missing."""
    lines = [f"# CPU an operation, {result.date}", "", *_how(result.options), ""]
    for server in dict.fromkeys(sample.server for sample in result.samples):
        samples = [sample for sample in result.samples if sample.server == server]
        done = {sample.operation for sample in samples}
        operations = [operation for operation in OPERATIONS if operation.key in done]
        lines += [f"## Against the {server} server", "", *_costs(samples, operations), ""]
        lines += [*_limits(judge(samples, operations, ours), operations), ""]
        if remarks := [*_floors(samples, operations, floor), *_counted(samples), *doubts(samples), *faults(samples)]:
            lines += [*(f"- {remark}" for remark in remarks), ""]
    lines += ["## Where", ""]
    lines += [f"- {name}: {value}" for name, value in {**result.machine, **result.versions}.items()]
    lines += [f"- not there: {name}, {reason}" for name, reason in result.missing.items()]
    return "\n".join(lines) + "\n"


def _how(options: dict[str, str]) -> list[str]:
    rounds, users, short, long = (options[name] for name in ("rounds", "users", "short", "long"))
    return [
        "Microseconds of CPU an operation, user and system time of all processes of the client:",
        f"median of {rounds} rounds (least to most), then the kernel's part of it, which is system calls.",
        f"{users} users without think time; the slope between runs of {short} s and {long} s.",
    ]


def _costs(samples: Sequence[Sample], operations: Sequence[Operation]) -> list[str]:
    peers = list(dict.fromkeys(sample.peer for sample in sorted(samples, key=lambda sample: sample.round)))
    peers = sorted(peers, key=lambda peer: -sum(bool(costs(samples, operation.key, peer)) for operation in operations))
    lines = [_row(["operation", *peers]), _row(["---"] * (len(peers) + 1))]
    for operation in operations:
        cells = [
            cost(
                Spread.of(list(costs(samples, operation.key, peer).values())),
                Spread.of(list(kernel_parts(samples, operation.key, peer).values())),
            )
            for peer in peers
        ]
        lines.append(_row([f"({operation.key}) {operation.name}", *cells]))
    return lines


def cost(spread: Spread | None, kernel: Spread | None) -> str:
    """One cell of costs."""
    if spread is None or kernel is None:
        return ""
    return f"{spread.median:.1f} ({spread.least:.1f} to {spread.most:.1f}), kernel {kernel.median:.1f}"


def _limits(judgements: Sequence[Judgement], operations: Sequence[Operation]) -> list[str]:
    names = {operation.key: operation.name for operation in operations}
    lines = [_row(["limit", "at most", "measured", ""]), _row(["---"] * 4)]
    for found in judgements:
        ratio = found.ratio
        measured = "" if ratio is None else f"{ratio.median:.2f} ({ratio.least:.2f} to {ratio.most:.2f})"
        what = f"({found.operation}) {names[found.operation]}"
        lines.append(_row([what, f"{found.limit.most:.2f} × {found.limit.peer}", measured, WORDS[found.met]]))
    return lines


def _floors(samples: Sequence[Sample], operations: Sequence[Operation], floor: str) -> list[str]:
    """A sentence for each limit beside which there is a figure of a client that checks and measures nothing."""
    return [
        f"({found.operation}) {floor}, which check and measure nothing, take {found.ratio.median:.2f} × {found.limit.peer}"
        for found in judge(samples, operations, floor)
        if found.ratio is not None
    ]


def _counted(samples: Sequence[Sample]) -> list[str]:
    if all(sample.counted_by == "server" for sample in samples):
        return []
    return ["This server does not count: the numbers of operations are those that each client claims."]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
