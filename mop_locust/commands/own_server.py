"""A MOP server of our own for one run, with or without a mission: the embedded one, or the binary of the real one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mop_locust.commands.rig import NoRun, addresses, end_group, last_line
from mop_locust.commands.served import launch, listens

EMBEDDED = "the embedded reference server"


@contextmanager
def own_server(binary: str, mission: Path | None, log: Path) -> Iterator[tuple[str, int]]:
    """Starts a server on a free port, and ends it after the block; gives its URL, as -H takes it, and its process id.

    Without a binary it is the embedded one. What it says goes to `log`, and no variable of the suite reaches it. Raises NoRun
    when it does not start.
    """
    given = [] if mission is None else ["--mission", str(mission)]
    with log.open("ab") as errors:
        process, port = launch(binary, *given, errors=errors)
    try:
        if process.stdout is not None:
            yield addresses(process.stdout.readline(), log)[0].removesuffix("/mcp"), process.pid
        elif listens(process, port):
            yield f"http://127.0.0.1:{port}", process.pid
        else:
            raise NoRun(f"the server did not start: {last_line(log) or 'it said nothing'}")
    finally:
        end_group(process)
