"""The merged seconds as lines of JSON in a file, and the summary as the last one."""

from __future__ import annotations

import os
from collections.abc import Callable

from gevent.threadpool import ThreadPool

from mop_locust.exporters.reading import Reading, Second
from mop_locust.exporters.sink import WriteError
from mop_locust.metrics.summary import window_row
from mop_locust.report.document import encode_json


def writer(path: str) -> Callable[[bytes], None]:
    """Returns what appends lines to a file, each whole or not at all; OSError when it cannot be opened."""
    file = open(path, "ab", buffering=0)  # noqa: SIM115  # it stays open as long as the process
    pool = ThreadPool(1)  # a disk that stands still must not stand in the way of the event loop

    def append(line: bytes) -> str:
        end = file.seek(0, os.SEEK_END)
        try:
            if file.write(line) == len(line):
                return ""
            reason = "the line did not fit"
        except OSError as error:
            reason = error.strerror or str(error)
        file.truncate(end)
        return reason

    def write(line: bytes) -> None:
        if reason := pool.apply(append, (line,)):  # an exception there would be printed as well
            raise WriteError(reason, again=False)

    return write


def second_line(second: Second) -> bytes:
    """One line for a merged second, with all its series as in `windows` of the summary."""
    return encode_json({"type": "second", "run_id": second.run_id, **window_row(second.window)}) + b"\n"


def final_line(reading: Reading) -> bytes:
    """One line with the whole summary."""
    return encode_json({"type": "summary", "run_id": reading.summary["run"]["id"], "summary": reading.summary}) + b"\n"
