"""`mop-locust run mission` without a target: servers of our own, in turn without and with each mission, and what that costs."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from mop_locust.commands.ab import order
from mop_locust.commands.compare import refuse
from mop_locust.commands.own_server import EMBEDDED, own_server
from mop_locust.commands.places import find
from mop_locust.commands.rig import NoRun
from mop_locust.commands.series import NoSummary, Series, number_mistakes, option_mistakes, told
from mop_locust.compare.cost import Cost, costs, markdown_text, table
from mop_locust.compare.permutation import MOST
from mop_locust.config import SETTINGS
from mop_locust.missions.files import MissionError, load_all, remarks_on
from mop_locust.missions.shape import Mission
from mop_locust.report.document import SummaryDocument
from mop_locust.report.folder import RunFolder
from mop_locust.report.text import CUT_PROSE, plain
from mop_locust.verdict.exit_codes import CONFIGURATION, ExitCode, worst

NAME: Final = "mission"
PAIRS: Final = "6"
PATH, PATH_OPTION = "MOP_MISSION_PATH", "--mop-mission-path"
OURS: Final = ("--mop-reports", "--mop-mission-expect", "--server-pid", "--mop-server-pid")
SIDES: Final = {"a": "without", "b": "with"}


def run_pairs(scenario: str, binary: str, pairs: str, workers: str, options: Sequence[str]) -> int:
    """Runs the pairs of each mission and prints one table; returns the worst code of the runs, 2 when nothing could be run.

    A run that was not to be ends it: the server that could not be used, the mission that was not active (4).
    """
    path, rest = _take_path(options)
    mistakes = number_mistakes("--runs", pairs, 1, MOST) + number_mistakes("--workers", workers, 0, 1000)
    mistakes += option_mistakes(rest, OURS)
    missions: dict[Path, Mission] = {}
    try:
        missions = _missions(path)
    except MissionError as error:
        mistakes += error.mistakes
    if binary and not os.access(binary, os.X_OK):
        mistakes.append(f"--server-bin: {binary!r} is not a program; allowed: the path of a casial-server")
    if mistakes:
        return refuse("run mission", "nothing was started", mistakes)
    try:
        reports = Path(os.environ.get("MOP_REPORTS") or "reports")
        folder = RunFolder.create(reports, NAME, datetime.now(UTC)).path
    except OSError as error:
        return refuse("run mission", "nothing was started", [f"no folder could be made: {error.strerror or error}"])
    print(f"mission   {binary or EMBEDDED}, {pairs} pairs of runs without and with each mission", flush=True)
    bench = _Bench(find([scenario])[0], binary, int(pairs), Series(folder, int(workers), rest))
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the server as Ctrl-C does
    try:
        found = [cost for file, mission in missions.items() for cost in bench.pairs(file, mission)]
    except _Stopped as stop:
        print(f"mop-locust run mission: {plain(str(stop), CUT_PROSE)}\n{folder}", file=sys.stderr)
        return stop.code
    except KeyboardInterrupt:
        print(f"mop-locust run mission: stopped; what was run lies in {folder}", file=sys.stderr)
        return CONFIGURATION
    finally:
        signal.signal(signal.SIGTERM, before)
    return _tell(found, folder, binary, bench.codes)


def _tell(found: Sequence[Cost], folder: Path, binary: str, codes: Sequence[int]) -> int:
    print(f"\n{table(found)}", flush=True)
    server = binary or EMBEDDED
    encoded = msgspec.json.format(msgspec.json.encode({"schema": 1, "server": server, "costs": found}), indent=2)
    try:
        (folder / "mission.json").write_bytes(encoded + b"\n")
        (folder / "mission.md").write_text(markdown_text(found, f"What the mission costs, {server}"), encoding="utf-8")
    except OSError as error:
        return refuse("run mission", "not written", [f"{folder}: {error.strerror or error}"])
    code = worst(codes)
    print(f"{code.name}: {code.sentence}\n\n{folder}", flush=True)
    return code


class _Stopped(Exception):
    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


class _Bench:
    """The runs of all missions; `codes` are how they ended."""

    def __init__(self, file: Path, binary: str, pairs: int, series: Series) -> None:
        self._file = file
        self._binary = binary
        self._pairs = pairs
        self._series = series
        self.codes: list[int] = []

    def pairs(self, file: Path, mission: Mission) -> list[Cost]:
        """Runs the pairs of one mission and returns its costs; raises _Stopped when a run measured nothing."""
        for remark in remarks_on(file):
            print(f"  {file.name}: {plain(remark, CUT_PROSE)}", flush=True)
        runs: dict[str, list[SummaryDocument]] = {side: [] for side in SIDES.values()}
        for number, letter in order(self._pairs):
            side = SIDES[letter]
            print(f"  {plain(mission.id)}, {side}, {number} of {self._pairs}   ", end="", flush=True)
            summary = self._run(file, side)
            print(told(summary), flush=True)
            code = summary["verdict"]["exit_code"]
            if summary["run"]["stopped_by"] == "preflight":
                raise _Stopped(f"{file}: {summary['verdict']['sentence']}", code)
            self.codes.append(code)
            runs[side].append(summary)
        return costs(mission.id, runs["without"], runs["with"])

    def _run(self, file: Path, side: str) -> SummaryDocument:
        loaded = file if side == "with" else None
        try:
            with own_server(self._binary, loaded, self._series.folder / "servers.log") as (url, pid):
                given = {PATH: str(file), "MOP_MISSION_EXPECT": side, "MOP_SERVER_PID": str(pid)}
                return self._series.run(self._file, f"{file.stem}/{side}", ["-H", url], **given, MOP_HTTP_BASE="")[1]
        except NoRun as error:
            print("no server", flush=True)
            raise _Stopped(str(error), CONFIGURATION) from None
        except NoSummary as error:
            print("no summary", flush=True)
            code = error.code if error.code in tuple(ExitCode) and error.code else CONFIGURATION
            raise _Stopped(str(error), code) from None


def _take_path(options: Sequence[str]) -> tuple[str, list[str]]:
    """The path of the missions, from the options or the environment, and the other options."""
    path, rest = os.environ.get(PATH, ""), list(options)
    for index, word in enumerate(rest):
        name, _, value = word.partition("=")
        if name == PATH_OPTION:
            path = value if "=" in word else "".join(rest[index + 1 : index + 2])
            del rest[index : index + (1 if "=" in word else 2)]
            break
    return path, rest


def _missions(path: str) -> dict[Path, Mission]:
    setting = next(setting for setting in SETTINGS if setting.name == PATH)
    where = f"{setting.name} ({setting.option})"
    if not path:
        raise MissionError([f"{where}: the scenario mission needs it; allowed: {setting.allowed.removesuffix(', or nothing')}"])
    if not Path(path).exists():
        raise MissionError([f"{where}: {path!r} does not exist; allowed: {setting.allowed.removesuffix(', or nothing')}"])
    try:
        return load_all(Path(path))
    except MissionError as error:
        raise MissionError(f"{where}: {mistake}" for mistake in error.mistakes) from None
