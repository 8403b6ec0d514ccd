"""What a person sees: a screen on a terminal, lines without one, the result alone with --quiet."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import BRISK, PATIENT, RunAt
from tests.e2e.processes import END_SECONDS, Server, environment

WIPED = "\x1b[2K"  # clears a line: a screen is drawn over the one before
SHOWN, HIDDEN = "\x1b[?25h", "\x1b[?25l"  # the cursor


class OnTerminal:
    """`mop-locust run …` whose standard streams are a terminal of 100 columns."""

    def __init__(self, folder: Path, *words: str, **variables: str) -> None:
        folder.mkdir(exist_ok=True)
        self._master, slave = pty.openpty()
        size = {"COLUMNS": "100", "LINES": "40", "TERM": "xterm"}
        given = {**PATIENT, **BRISK, "MOP_REPORTS": str(folder / "reports"), **size, **variables}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mop_locust.cli", "run", *words],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment(folder, given),
            cwd=folder,
            start_new_session=True,
        )
        os.close(slave)
        self.seen = ""

    def read(self) -> Iterator[str]:
        """What is written, piece by piece, until the end."""
        end = time.monotonic() + END_SECONDS
        while time.monotonic() < end:
            over = self.process.poll() is not None
            if select.select([self._master], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self._master, 65536).decode(errors="replace").replace("\r\n", "\n")
                except OSError:  # the last process that had the terminal is gone
                    return
                yield self.seen
            elif over:
                return
        raise AssertionError(f"it never ended:\n{self.seen[-4000:]}")

    def wait(self) -> int:
        """The exit code, once everything was read."""
        for _ in self.read():
            pass
        return self.process.wait(END_SECONDS)

    def close(self) -> None:
        """Ends whatever is left."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self._master)


def bare(text: str) -> str:
    """The text without what moves the cursor and colours."""
    return re.sub(r"\x1b\[[0-?]*[ -/]*[@-~]", "", text)


def result(text: str) -> str:
    """What stands behind the last thing that was wiped away."""
    return text[max(text.rfind(WIPED), text.rfind(SHOWN)) :]


@pytest.fixture
def on_terminal(tmp_path: Path) -> Iterator[type[OnTerminal]]:
    """Makes runs on a terminal, which end with the test."""
    made: list[OnTerminal] = []

    class Kept(OnTerminal):
        def __init__(self, *words: str, **variables: str) -> None:
            super().__init__(tmp_path / "run", *words, **variables)
            made.append(self)

    yield Kept  # type: ignore[misc]
    for run in made:
        run.close()


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_run_on_a_terminal_shows_a_screen_and_then_the_result(
    workers: str, server: Server, on_terminal, tmp_path: Path
) -> None:
    """The screen is drawn over itself and wiped away: what stays is the table, the verdict and the folder."""
    run = on_terminal("mixed", "--workers", workers, "-u", "15", "-t", "4s", "-H", server.url)
    assert run.wait() == 0, run.seen
    screens, final = bare(run.seen.replace(result(run.seen), "")), bare(result(run.seen))
    for word in ("━━━", " of 0:04   ", "per s: of the last 5 s", "ws_connect_storm  ", "1st byte", "holds ", "valid "):
        assert word in screens, screens
    assert ("2 of 2 here, " in screens) == (workers == "2")
    assert run.seen.count(WIPED) > 20
    assert (run.seen.count(HIDDEN), run.seen.count(SHOWN)) == (1, 1)
    assert "━" not in final
    assert "\nPASSED, valid. " in final
    assert final.rstrip().endswith("/report.html")
    assert "\x1b" not in result(run.seen).removeprefix(WIPED).removeprefix(SHOWN)


def test_ctrl_c_leaves_a_clean_screen_and_the_result(server: Server, on_terminal) -> None:
    """As it is with a run that ends by itself; the cursor is back."""
    run = on_terminal("tools_call_rps", "--workers", "2", "-u", "4", "-t", "60s", "-H", server.url)
    for seen in run.read():
        if "holds" in seen:
            break
    os.killpg(run.process.pid, signal.SIGINT)
    assert run.wait() == 4, run.seen
    final = bare(result(run.seen))
    assert "━" not in final
    assert "\nPASSED, degraded, exit code 4. " in final
    assert (run.seen.count(HIDDEN), run.seen.count(SHOWN)) == (1, 1)


def test_no_color_means_no_colour(server: Server, on_terminal) -> None:
    """The screen is there all the same."""
    run = on_terminal("tools_call_rps", "-u", "4", "-t", "3s", "-H", server.url, NO_COLOR="1")
    assert run.wait() == 0, run.seen
    assert "━━━" in run.seen
    assert not re.search(r"\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7]|38)", run.seen)


def test_a_terminal_that_cannot_move_its_cursor_gets_no_screen(server: Server, on_terminal) -> None:
    """TERM=dumb: an editor's shell, say."""
    run = on_terminal("tools_call_rps", "-u", "4", "-t", "3s", "-H", server.url, TERM="dumb")
    assert run.wait() == 0, run.seen
    assert "\x1b" not in run.seen
    assert "━" not in run.seen


def test_without_a_terminal_there_are_plain_lines(server: Server, run_at: RunAt) -> None:
    """One each five seconds; nothing that moves a cursor."""
    run = run_at(server)
    run.command("tools_call_rps", "--workers", "1", "-u", "4", "-t", "6s")
    assert run.wait() == 0, run.output
    assert "\x1b" not in run.output
    assert "━" not in run.output
    [line] = [line for line in run.output.splitlines() if " of 0:06   " in line]
    assert re.fullmatch(r"0:0\d of 0:06   [\d,]+ calls   \d+ per s   0.00 % failed   P95 [\d.]+ ms", line)


@pytest.mark.parametrize(("way", "seconds"), [("mop-locust", 6), ("locust", 2), ("terminal", 2)])
def test_quiet_gives_the_result_alone(way: str, seconds: int, server: Server, run_at: RunAt, on_terminal) -> None:
    """Neither progress nor Locust's own tables, whoever started Locust, and on a terminal too."""
    options = ("-u", "4", "-t", f"{seconds}s", "--quiet")
    if way == "terminal":
        started = on_terminal("tools_call_rps", *options, "-H", server.url)
        assert started.wait() == 0, started.seen
        output = started.seen
    else:
        run = run_at(server)
        if way == "mop-locust":
            run.command("tools_call_rps", *options)
        else:
            run.single("tools_call_rps", *options, "--loglevel", "WARNING")
        assert run.wait() == 0, run.output
        output = run.output
    assert "\x1b" not in output
    assert output.lstrip().startswith("tools_call_rps   http://")
    assert output.rstrip().endswith("/report.html")
    assert "\nPASSED, valid. " in output
    assert "Aggregated" not in output
