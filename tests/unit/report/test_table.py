"""The terminal's table."""

from __future__ import annotations

import unicodedata

import pytest

from mop_locust.report.drift import add_drift
from mop_locust.report.table import render
from tests.unit.report.sample_summary import HOSTILE, dead_summary, green_summary, hostile_summary, red_summary
from tests.unit.report.soak_summary import soaked, steady

GREEN = """\
tools_call_rps   http://localhost:8000/mcp   meta-orchestration-protocol 0.1.4   20 users on 2 workers   1m00s

  http                           count   per s   failed       P50       P95       P99       max
  initialize                     4,712    78.5   0.00 %    1.8 ms    2.9 ms    3.0 ms     11 ms
  tools/list                     4,712    78.5   0.00 %    1.6 ms    2.7 ms    2.8 ms     11 ms
  tools/call echo, {mission}:1   4,712    78.5   0.00 %    2.4 ms    3.5 ms    3.6 ms     11 ms
  delete                         4,712    78.5   0.00 %    1.4 ms    2.5 ms    2.6 ms     10 ms

  also measured                  count   per s   failed       P50       P95       P99       max
  session_duration               4,712    78.5        -     15 ms     16 ms     16 ms     24 ms
  connect_latency                   20     0.3        -    0.3 ms    0.6 ms    0.6 ms    0.6 ms
  basket_size                        3     0.0        -   4 items   5 items   5 items   5 items
  cache_misses                     200     3.3   1.50 %         -         -         -         -
  orders                           120     2.0        -         -         -         -         -

  passed   tools_call_failures               rate<0.05   0.00 % of 9,424
  passed   call_latency{method:tools/list}   p(95)<250   2.7 ms over 4,712

PASSED, valid. Workers at 31 % of a core, loop lag P99 0.9 ms.
Server: CPU up to 31 % of a core, RSS 33.9 MiB to 41.2 MiB, 16 to 18 descriptors, up to 20 open sessions (last 1).
"""

RED_SENTENCE = (
    'CROSSED: 7.10 % of 9,424 calls failed (limit 5 %); 664 of 669 were "HTTP 503" in tools/list, from 0:41 on; '
    "1 more threshold is red."
)

DEAD = """\
tools_call_rps   http://localhost:8000/mcp   1 user in one process   0s of 1m00s

NO DATA: no load was sent; nothing answered at http://localhost:8000/mcp: refused.

  no data   tools_call_failures   rate<0.05   -

NO DATA, valid, exit code 3.
"""


def test_a_green_run() -> None:
    """Figures first, one verdict, nothing else."""
    assert render(green_summary()) == GREEN


def test_a_dead_target() -> None:
    """No tables, and the reason said once."""
    assert render(dead_summary()) == DEAD


def test_a_red_run_says_why_right_under_the_table() -> None:
    """Then each threshold, the verdict, and what else must be known."""
    assert render(red_summary()).partition("  orders")[2].splitlines()[1:] == [
        "",
        RED_SENTENCE,
        "",
        "  crossed   tools_call_failures               rate<0.05   7.10 % of 9,424",
        "  passed    call_latency{method:tools/list}   p(95)<250   2.7 ms over 4,712",
        "  no data   sse_keepalive_gap                 max<20000   -",
        "",
        "CROSSED, incomplete, exit code 4. Workers at 31 % of a core, loop lag P99 0.9 ms. 1 of 2 workers did not finish.",
        "Server: CPU up to 31 % of a core, RSS 33.9 MiB to 41.2 MiB, 16 to 18 descriptors, up to 20 open sessions (last 1).",
        "  incomplete: worker 1 was lost at 0:44; at most 1 s of its samples is missing.",
        "  note: 20 of 20 streams were ended by the server after 0 ms: keep-alive was not observed.",
    ]


def test_a_run_without_thresholds_or_other_metrics() -> None:
    """Nothing stands in their place."""
    summary = green_summary()
    summary["verdict"]["thresholds"] = []
    for name in ("session_duration", "connect_latency", "basket_size", "cache_misses", "orders"):
        del summary["metrics"][name]
    text = render(summary)
    assert "also measured" not in text
    assert "10 ms\n\nPASSED, valid. Workers at 31 % of a core, loop lag P99 0.9 ms.\n" in text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_command_no_terminal(text: str) -> None:
    """The number of lines does not depend on them, and no control character is left."""
    lines = render(hostile_summary(text)).split("\n")
    assert len(lines) == (22 if text else 20)  # an empty one leaves out the sentence and its empty line
    assert not [c for c in "".join(lines) if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c == "\u202e"]
    assert max(map(len, lines)) < 1200


def test_drift_is_told_a_sentence_a_course() -> None:
    """Between the thresholds and the verdict."""
    summary = soaked(files=steady(20, per_hour=50))
    add_drift(summary, allow_degraded=False)
    text = render(summary)
    assert "\n\n  drift, from 10:28 to 1:00:00 of the run\n  the server's memory is flat: " in text
    assert "\n  the server's descriptors grow by 50 descriptors/h (95 % interval 50 to 50)\n" in text
    assert text.index("drift, from") < text.index("CROSSED, valid, exit code 3.")
