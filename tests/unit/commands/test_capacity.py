"""`mop-locust capacity`, with runs that are written instead of made."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from mop_locust.cli import main
from mop_locust.commands import capacity as command
from mop_locust.commands import series
from mop_locust.commands.served import NoServer, Served
from mop_locust.report.document import encode_summary
from tests.unit.capacity.open_runs import open_run
from tests.unit.report.sample_summary import dead_summary, rate

NULL = ["--mop-http-base", "http://null/mcp", "--mop-base-url", "ws://null/ws"]


class Target:
    """Stands in for Locust: each run leaves a folder; the target falls behind above `holds` arrivals a second."""

    def __init__(self, holds: float) -> None:
        self.holds = holds
        self.given: list[tuple[float, bool, int, list[str], dict[str, str]]] = []
        self.change: Callable[[int, Any], Any] = lambda number, summary: summary
        self.code = 0

    @property
    def tried(self) -> list[float]:
        """The rates of the steps."""
        return [rate for rate, null, *_ in self.given if not null]

    def __call__(
        self, file: Path, workers: int, options: Sequence[str], typed: Sequence[str], output: IO[bytes], **variables: str
    ) -> int:
        rate = float(variables["MOP_ARRIVALS"].removesuffix("/s"))
        null = Path(variables["MOP_REPORTS"]).name == "null"
        self.given.append((rate, null, workers, list(options), variables))
        behind = max(0, round(rate - self.holds)) if not null else 0
        summary: Any = open_run(round(rate), over=behind)
        if null:
            summary["workers"] = [worker | {"cpu_percent": 2 + rate / 10} for worker in summary["workers"]]
        summary = self.change(len(self.tried) if not null else 0, summary)
        if self.code == 0:
            folder = Path(variables["MOP_REPORTS"]) / f"run-{len(self.given)}"
            folder.mkdir()
            (folder / "summary.json").write_bytes(encode_summary(summary))
        return self.code


class Clock:
    """A clock that goes on by what is slept, and by `step_seconds` each time that it is read."""

    def __init__(self) -> None:
        self.now = 0.0
        self.step_seconds = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """The seconds."""
        self.now += self.step_seconds
        return self.now

    def sleep(self, seconds: float) -> None:
        """Goes on."""
        self.slept.append(seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """No time passes."""
    clock = Clock()
    monkeypatch.setattr(command, "time", clock)
    return clock


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Target:
    """Holds 100/s; neither Locust nor a server is started."""

    @contextmanager
    def null_target(program: str, *_: str) -> Iterator[Served]:
        assert program == "", "the embedded one"
        yield Served("the embedded server", "null", 1)

    target = Target(100)
    monkeypatch.setattr(series, "locust_run", target)
    monkeypatch.setattr(command, "served", null_target)
    return target


def search(reports: Path, *words: str) -> int:
    """The command, on tools_call_rps from 25/s to 400/s, to a fifth."""
    ours = ["--from", "25", "--to", "400", "--resolution", "0.2", "--mop-reports", str(reports)]
    return main(["capacity", "tools_call_rps", *ours, *words])


def test_it_finds_what_the_server_holds(target: Target, clock: Clock, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """First the generator by itself, then the search; all of it is kept and told, with a rest after what did not hold."""
    assert search(tmp_path, "--workers", "2", "--step-seconds", "5", "-H", "http://a") == 0
    assert target.tried == [25, 50, 100, 200, 200, 150, 150, 125, 125, 112, 112, 100]
    assert clock.slept == [2.0] * 8
    assert [rate for rate, null, *_ in target.given if null] == [
        25,
        152.8,
    ]  # 4.5 % of a core at 25/s: 55 % at 306/s, and half of that
    for arrivals, null, workers, options, variables in target.given:
        assert workers == 2
        assert options == ["-H", "http://a", "-t", "5s", *(NULL if null else [])]
        assert variables["MOP_ARRIVALS"] == f"{arrivals:g}/s"
        assert ("MOP_API_KEY" in variables) is null
    (folder,) = tmp_path.iterdir()
    assert folder.name.endswith("Z-capacity-tools_call_rps")
    assert sorted(path.name for path in folder.iterdir()) == [
        "capacity.html", "capacity.json", "capacity.md", "null", "runs.log", "steps",
    ]  # fmt: skip
    told = capsys.readouterr().out
    assert told.startswith(
        "capacity   tools_call_rps   from 25/s to 400/s   at most 21 steps of 5s, 6m31s at most\n\n"
        "        25/s   against the embedded server   the generator's own ceiling is about 310/s\n"
        "     152.8/s   against the embedded server   the generator's own ceiling is about 490/s\n"
    )
    assert "\n        25/s   held        P95   17 ms\n" in told
    assert "\n       200/s   server      P95   17 ms   it falls behind: 500 of the last 1,000 arrivals were left over\n" in told
    sentence = "tools_call_rps: the server holds 100/s; at 112/s it falls behind: 60 of the last 560 arrivals were left over"
    assert f"\n{sentence}" in told
    assert told.endswith(f"\n{folder / 'capacity.html'}\n")
    found = json.loads((folder / "capacity.json").read_bytes())
    assert (found["holds"], found["fails"], found["limit"], found["exit_code"]) == (100, 112, "server", 0)
    assert found["targets"] == ["http://localhost:8000/mcp"]
    assert found["ceiling"]["run"] == "null/run-2"
    assert [one["run"] for one in found["steps"]] == [f"steps/run-{number}" for number in range(3, 15)]
    assert "server holds 100/s; at 112/s it falls behind" in (folder / "capacity.md").read_text()
    assert sentence in (folder / "capacity.html").read_text()


def test_without_saying_so_it_looks_from_10_to_10000(target: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In steps of 10 s, to a twentieth, in one process."""
    assert main(["capacity", "tools_call_rps", "--mop-reports", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith(
        "capacity   tools_call_rps   from 10/s to 10,000/s   at most 27 steps of 10s, 10m38s at most\n"
    )
    assert {(workers, tuple(options[:2])) for _, _, workers, options, _ in target.given} == {(0, ("-t", "10s"))}
    assert target.tried[:2] == [10, 20]


def test_it_ends_with_3_where_nothing_holds(target: Target, tmp_path: Path) -> None:
    """Down to a sixteenth of the first rate."""
    target.change = lambda number, summary: (
        summary | {"verdict": summary["verdict"] | ({"state": "CROSSED", "sentence": "CROSSED: slow."} if number else {})}
    )
    assert search(tmp_path) == 3
    assert target.tried[-1] == 25 / 16


def test_it_ends_with_4_where_the_generator_is_the_limit(
    target: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which is said, with what to do."""

    def late(number: int, summary: Any) -> Any:
        if number and summary["metrics"]["arrivals"]["count"] > 500:
            summary["verdict"] |= {"validity": "degraded", "reasons": ["the load generator was late"]}
        return summary

    target.change = late
    assert search(tmp_path) == 4
    told = capsys.readouterr().out
    assert "tools_call_rps: the generator is the limit at 56.2/s: use more workers (--workers 2); " in told
    assert "the server holds at least 50/s; the load generator was late; its own ceiling is about 490/s." in told


def test_no_ceiling_is_no_hindrance(target: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A scenario whose tools the embedded server has not."""
    target.change = lambda number, summary: (
        summary | ({} if number else {"metrics": summary["metrics"] | {"call_failures": rate(1000, 500)}})
    )
    assert search(tmp_path) == 0
    assert "        25/s   against the embedded server   shows no ceiling\n" in capsys.readouterr().out
    assert [rate for rate, null, *_ in target.given if null] == [25]


def test_a_ceiling_is_looked_for_no_further_than_it_helps(target: Target, tmp_path: Path) -> None:
    """Not where it is far above the last rate anyway, nor at a lower rate than before."""
    assert search(tmp_path, "--to", "120") == 0
    assert [rate for rate, null, *_ in target.given if null] == [25]
    target.given.clear()
    assert search(tmp_path, "--from", "300") == 0
    assert [rate for rate, null, *_ in target.given if null] == [300]


def test_a_cpu_limit_of_ones_own_counts(target: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For the ceiling too."""
    target.change = lambda number, summary: summary | {"run": summary["run"] | {"options": {"MOP_MAX_CPU_PERCENT": 110}}}
    assert search(tmp_path) == 0
    assert "the generator's own ceiling is about 610/s\n" in capsys.readouterr().out


def test_a_target_that_dies_ends_the_search(target: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With 3, and what was seen before."""
    target.change = lambda number, summary: dead_summary() if number == 3 else summary
    assert search(tmp_path) == 3
    assert target.tried == [25, 50, 100]
    told = capsys.readouterr().out
    assert "\n       100/s   no answer\n" in told
    assert "the target no longer answers after 50/s: nothing answered at http://localhost:8000/mcp: refused.; " in told


def test_its_time_is_bounded(target: Target, clock: Clock, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No step begins that could end after the time that was told."""
    clock.step_seconds = 200.0
    assert search(tmp_path) == 4
    assert target.tried == [25, 50]
    assert "tools_call_rps: not found: the time was over; the server holds 50/s, seen once." in capsys.readouterr().out


def test_a_run_without_a_summary_ends_it(target: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With its code, and where to look."""
    target.code = 4
    assert search(tmp_path) == 4
    assert "a run of tools_call_rps ended with 4 and without a summary; see " in capsys.readouterr().err
    assert len(target.given) == 1


def test_stopped_by_hand(target: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Between two runs, by Ctrl-C or SIGTERM: 2, and where the runs are; signals are as before then."""

    def stop(number: int, summary: Any) -> Any:
        if number == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return summary

    target.change = stop
    before = signal.getsignal(signal.SIGTERM)
    assert search(tmp_path) == 2
    (folder,) = tmp_path.iterdir()
    assert f"mop-locust capacity: not found; what was run lies in {folder}:\n  stopped by hand" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) == before


def test_an_embedded_server_that_does_not_start(
    target: Target, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Is told."""

    @contextmanager
    def broken(*_: str) -> Iterator[Served]:
        raise NoServer("the embedded server did not start")
        yield Served("", "", 0)

    monkeypatch.setattr(command, "served", broken)
    assert search(tmp_path) == 2
    assert "mop-locust capacity: not found:\n  the embedded server did not start" in capsys.readouterr().err


def test_all_mistakes_are_told_before_anything_is_started(
    target: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The scenario, the numbers, and the options that it sets itself."""
    numbers = ["--from", "20000", "--to", "0", "--resolution", "0", "--step-seconds", "1", "--workers", "x"]
    assert main(["capacity", "nonsuch", *numbers, "-t", "5s", "--mop-arrivals=5/s"]) == 2
    lines = [line.strip() for line in capsys.readouterr().err.splitlines()]
    assert lines[0] == "mop-locust capacity: nothing was started:"
    assert lines[1:8] == [
        "-t: this command sets it itself",
        "--mop-arrivals: this command sets it itself",
        "--to: 0 is out of range; allowed: a rate a second from 0.1 to 1,000,000",
        "--from: 20000 is above --to (0)",
        "--resolution: 0 is out of range; allowed: a number from 0.01 to 0.5",
        "--step-seconds: '1' is out of range or no number; allowed: a whole number from 2 to 3600",
        "--workers: 'x' is out of range or no number; allowed: a whole number from 0 to 1000",
    ]
    assert lines[8].startswith("no scenario or file 'nonsuch'")
    assert main(["capacity", "all"]) == 2
    assert "all is several scenarios; allowed: one" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert search(tmp_path / "file") == 2
    assert "no folder could be made: " in capsys.readouterr().err
    assert target.given == []
