"""The suite's own Locust events, for exporters of one's own: `@locust.events.mop_verdict.add_listener`.

`mop_sample(sample)`: each exchange, as a `mop_locust.metrics.sample.Sample`, in the process that made it.
`mop_window(run_id, window)`: each second, merged over all workers, as a `mop_locust.metrics.windows.MergedWindow`, on the master.
`mop_verdict(summary)`: the judged run, as a `mop_locust.report.document.SummaryDocument`, on the master.

In a single process all three are fired there. A listener that raises makes the run invalid, and is named.
"""

from __future__ import annotations

from typing import Any

from locust.event import EventHook

NAMES = ("mop_sample", "mop_window", "mop_verdict")


def add_events(events: Any) -> None:
    """Adds the hooks to Locust's events."""
    for name in NAMES:
        if not hasattr(events, name):
            setattr(events, name, EventHook())  # type: ignore[no-untyped-call]  # Locust's class
