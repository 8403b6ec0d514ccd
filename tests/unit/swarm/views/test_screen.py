"""The screen, drawn on consoles of fixed width."""

from __future__ import annotations

import io
import unicodedata
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from mop_locust.report.document import SummaryDocument
from mop_locust.swarm.views.progress import Progress
from mop_locust.swarm.views.screen import Screen
from tests.unit.report.sample_summary import (
    HOSTILE,
    add_calls,
    dead_summary,
    green_summary,
    histogram,
    hostile_summary,
    red_summary,
)

RATES = {"tools_call_rps": 1234.56}
USERS = {"tools_call_rps": 20}

GREEN_80 = """\
tools_call_rps   20 users on 2 workers   http://localhost:8000/mcp   meta-orche…
━━━━━━━━━━━━━━━━━━━━━━                                   0:24 of 1:00   36s left

scenario         users    per s  failed     P50     P95     P99  1st byte
tools_call_rps      20  1,234.6  0.00 %  1.8 ms  3.1 ms  3.5 ms    2.8 ms
per s: of the last 5 s, all else since the start; 1st byte is a P95

holds        tools_call_failures: rate<0.05   0.00 % of 9,424
holds        call_latency{method:tools/list}: p(95)<250   2.7 ms over 4,712
workers      2 of 2 here, CPU 31 % of a core, loop lag P99 0.9 ms
server       CPU up to 31 % of a core, RSS 33.9 MiB to 41.2 MiB, 16 to 18
             descriptors, up to 20 open sessions (last 1)
valid        nothing speaks against the figures so far
"""

RED_60 = """\
tools_call_rps   20 users on 2 workers   http://localhost:8…
━━━━━━━━━━━━━━                       0:24 of 1:00   36s left

scenario         users    per s  failed     P95     P99
tools_call_rps      20  1,234.6  3.55 %  3.1 ms  3.5 ms
per s: of the last 5 s, all else since the start

crossed      tools_call_failures: rate<0.05   7.10 % of
             9,424
no data yet  sse_keepalive_gap: max<20000   -
holds        call_latency{method:tools/list}: p(95)<250
             2.7 ms over 4,712
error        664 times HTTP 503 in tools/list over http
error        5 times no answer in initialize over http
error        3 times too many open files in delete over http
workers      1 of 2 here, 1 lost, CPU 31 % of a core, loop
             lag P99 0.9 ms
server       CPU up to 31 % of a core, RSS 33.9 MiB to 41.2
             MiB, 16 to 18 descriptors, up to 20 open
             sessions (last 1)
incomplete   worker 1 was lost at 0:44; at most 1 s of its
             samples is missing.
"""

START_120 = """\
tools_call_rps   1 user in one process   http://localhost:8000/mcp
0:00   until you stop it

scenario         users   per s  failed     P50     P95     P99  1st byte   calls
tools_call_rps       0       -       -       -       -       -         -       0
per s: of the last 5 s, all else since the start; 1st byte is a P95

no data yet  tools_call_failures: rate<0.05   -
generator    no word yet
valid        nothing speaks against the figures so far
"""


def going(summary: SummaryDocument) -> SummaryDocument:
    """The summary as it is while the run goes on."""
    for worker in summary["workers"]:
        worker["state"] = "running" if worker["state"] == "finished" else worker["state"]
    return summary


def drawn(progress: Progress, width: int, **more: Any) -> str:
    """The screen on a console of this width; without colours unless asked for."""
    console = Console(file=io.StringIO(), width=width, height=50, **more)
    console.print(Screen(progress))
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def at(summary: SummaryDocument) -> Progress:
    """A look after 24 s of a minute."""
    return Progress(going(summary), "0:24 of 1:00", 0.4, "36s left", RATES, USERS)


def lines(text: str) -> str:
    """Without the spaces at the ends of lines, which nobody sees."""
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def test_a_green_run_at_80_columns() -> None:
    """Everything that is asked of a line, in the width of a usual terminal."""
    assert lines(drawn(at(green_summary()), 80)) == GREEN_80


def test_a_red_run_at_60_columns() -> None:
    """The median and the first byte have no room; long sentences go on below themselves; what is red stands first."""
    assert lines(drawn(at(red_summary()), 60)) == RED_60


def test_the_start_at_120_columns() -> None:
    """Nobody knows anything yet, nor when it will end."""
    assert lines(drawn(Progress(dead_summary(), "0:00", None, "until you stop it", {}, {}), 120)) == START_120


def test_long_lists_are_cut() -> None:
    """A screen that is longer than the terminal would hide its end."""
    summary = red_summary()
    for number in range(20):
        add_calls(summary["metrics"], "http", "ping", ok=histogram(1), scenario=f"scenario-{number:02}")
    summary["verdict"]["thresholds"] *= 4
    summary["verdict"]["reasons"] = [f"reason {number}" for number in range(5)]
    summary["errors"] *= 3
    text = lines(drawn(at(summary), 80))
    assert text.count("\nscenario-") == 12
    assert "\n9 more scenarios\n" in text
    assert (text.count("\ncrossed"), text.count("\nno data yet"), text.count("\nholds")) == (4, 4, 0)
    assert f"\n{'':13}4 more thresholds\n" in text
    assert text.count("\nerror ") == 3
    assert text.endswith(f"reason 0\n{'':13}reason 1\n{'':13}reason 2\n{'':13}2 more reasons\n")


@pytest.mark.parametrize("width", [60, 72, 80, 96, 100, 120, 160, 200])
@pytest.mark.parametrize("summary", [green_summary, red_summary, dead_summary], ids=["green", "red", "dead"])
def test_no_line_is_wider_than_the_terminal(summary: Any, width: int) -> None:
    """One that is would wrap, and the next drawing would not find the place of this one. All six figures are there."""
    text = drawn(at(summary()), width)
    assert max(map(cell_len, text.splitlines())) <= width
    assert [name in text for name in ("users", "per s", "failed", "P50", "P95", "P99", "1st byte", "calls")] == [
        *[True] * 3,
        width >= 72,
        *[True] * 2,
        width >= 80,
        width >= 96,
    ]


@pytest.mark.parametrize("width", [60, 200])
@pytest.mark.parametrize("text", [*HOSTILE, "[red]markup[/red] [link=x]y[/link]", "漢字" * 50, "🙂" * 50, ":smile:"])
def test_hostile_texts_command_no_terminal(text: str, width: int) -> None:
    """No control character, no line that is too wide, and a text that looks like rich's markup stays a text."""
    seen = drawn(at(hostile_summary(text)), width)
    assert not [c for c in seen.replace("\n", "") if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c == "\u202e"]
    assert max(map(cell_len, seen.splitlines())) <= width
    if text[:1] in "[:" and text:
        assert text.split()[0] in seen


def test_colours_say_what_the_words_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Red, yellow, green; none at all where NO_COLOR is set."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    colours = {"force_terminal": True, "color_system": "standard", "legacy_windows": False, "_environ": {"TERM": "xterm"}}
    text = drawn(at(red_summary()), 80, **colours)
    for word, code in (
        ("crossed      ", 31),
        ("no data yet  ", 33),
        ("holds        ", 32),
        ("3.55 %", 31),
        ("incomplete   ", 31),
    ):
        assert f"\x1b[{code}m{word}\x1b[0m" in text
    bare = drawn(at(red_summary()), 80, **{**colours, "_environ": {"TERM": "xterm", "NO_COLOR": "1"}})
    assert not [code for code in (31, 32, 33) if f"\x1b[{code}m" in bare]
