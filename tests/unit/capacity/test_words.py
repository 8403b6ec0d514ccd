"""The table and the Markdown of a search."""

from __future__ import annotations

from mop_locust.capacity.ceiling import Ceiling
from mop_locust.capacity.result import Capacity, conclude
from mop_locust.capacity.search import Answer, Plan, Search
from mop_locust.capacity.words import markdown_text, table
from tests.unit.capacity.open_runs import step

WHY = "nothing came"


def capacity(*, workers: int = 2, ceiling: Ceiling | None = None, target: str = "http://a/mcp") -> Capacity:
    """20/s hold and are the knee, 40/s do not; of the last step there nothing was seen."""
    search = Search(Plan(10, 40, 1.0))
    steps = [step(10), step(20), step(40, Answer.SERVER, WHY, 400), step(40, Answer.SERVER, WHY, None), step(20)]
    for one in steps:
        search.tell(one.answer)
    return conclude(search, steps, scenario="storm", targets=[target], workers=workers, step_seconds=10, ceiling=ceiling)


def test_the_table() -> None:
    """In the order of the rates, each row with what it is; the sentence, the knee, and what the generator costs."""
    lines = table(capacity(ceiling=Ceiling(1096.4, 0.51, "null/one"))).splitlines()
    assert lines[0] == "capacity   storm   http://a/mcp   2 workers   5 steps of 10s"
    assert [line.split() for line in lines[2:4]] == [
        ["from", "the", "intended", "start", "from", "the", "real", "start", "generator"],
        ["rate", "answer", "iterations", "dropped", "failed", "P50", "P95", "P99", "P50", "P95", "P99", "CPU", "lag", "P99"],
    ]
    held = "held            100         0   0.00 %    10 ms    20 ms    40 ms   5.0 ms    10 ms    20 ms   31 %    0.9 ms"
    assert lines[4] == f"  10/s   {held}"
    assert lines[5] == lines[6] == f"  20/s   {held.replace('100', '200')}   holds, knee"
    assert lines[7].split()[:8] == ["40/s", "server", "400", "7", "0.00", "%", "200", "ms"]
    assert lines[8].split() == ["40/s", "server", "400", "7", *["-"] * 9]
    assert lines[2].index("from the intended start") == lines[3].index("P50") - 3  # over the left edge of that column
    assert lines[9:] == [
        "",
        "storm: the server holds 20/s; at 40/s nothing came.",
        "  The knee is at 20/s: from there on P95 rises faster than the rate (Kneedle).",
        "  The generator by itself: 0.5 ms of CPU an iteration against the embedded server, so its ceiling is about 1,100/s.",
    ]


def test_markdown() -> None:
    """The same, with the text of strangers made inert."""
    parts = markdown_text(capacity(workers=0, target="http://|x")).split("\n\n")
    assert parts[:3] == [
        "### Capacity of `storm`",
        "**storm: the server holds 20/s; at 40/s nothing came.**",
        "`http://¦x` · `one process` · `5 steps of 10s`",
    ]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in parts[3].splitlines()]
    assert len(rows) == 2 + 5
    assert {len(row) for row in rows} == {14}
    assert rows[0][5:12] == [
        "P50, from the intended start",
        "P95, from the intended start",
        "P99, from the intended start",
        "P50, from the real start",
        "P95, from the real start",
        "P99, from the real start",
        "CPU, generator",
    ]
    assert (rows[3][:3], rows[3][13]) == (["20/s", "held", "200"], "holds, knee")
    assert parts[4:] == ["- The knee is at 20/s: from there on P95 rises faster than the rate (Kneedle).\n"]


def test_without_anything_seen() -> None:
    """A target that is not there: a head, and the sentence."""
    gone = conclude(
        Search(Plan(10, 40, 1.0)), [], scenario="storm", targets=[], workers=0, step_seconds=10, ceiling=None, gone="refused"
    )
    assert table(gone).splitlines()[-1] == "storm: the target does not answer: refused."
    assert markdown_text(gone).startswith("### Capacity of `storm`\n\n**storm: the target does not answer: refused.**\n\n")
