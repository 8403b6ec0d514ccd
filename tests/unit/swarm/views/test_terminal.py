"""When there is a screen to draw on, and when not; what it shows on a real terminal is an end-to-end test."""

from __future__ import annotations

import subprocess
import sys


def test_rich_is_imported_only_where_there_is_a_terminal() -> None:
    """It takes a good part of a second, which a worker, or a run in CI, need not wait for."""
    code = "import locust, sys; import mop_locust.swarm.plugin, mop_locust.swarm.views.terminal; print('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
