"""(f) `tools/call` with an answer of 64 KB, on a kept session."""

from __future__ import annotations

from typing import ClassVar

from mop_locust import CheckFailed, MopHttpUser, task
from mop_locust.protocol.mcp import CallResult

LEAST_CHARACTERS = 50_000


def large(answer: CallResult) -> None:
    """Raises CheckFailed when the text is not the large one."""
    if len(answer.content[0].text or "") < LEAST_CHARACTERS:
        raise CheckFailed("small answer")


class LargeAnswer(MopHttpUser):
    """Opens one session and calls the tool whose answer is long, again and again."""

    scenario = "large_answer"
    thresholds: ClassVar = {"call_failures": ["rate<0.001"], "call_latency": ["p(99)<1000"]}

    def on_start(self) -> None:
        self.session = self.client.session()
        self.session.initialize()

    @task
    def call(self) -> None:
        self.session.call_tool("discover_mcp_tools", {"server_url": "http://localhost"}, check=large)

    def on_stop(self) -> None:
        self.session.close()
        super().on_stop()
