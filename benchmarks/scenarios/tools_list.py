"""(a) `tools/list` on a kept session."""

from __future__ import annotations

from typing import ClassVar

from mop_locust import MopHttpUser, task


class ToolsList(MopHttpUser):
    """Opens one session and asks for its tools, again and again."""

    scenario = "tools_list"
    thresholds: ClassVar = {"call_failures": ["rate<0.001"], "call_latency": ["p(99)<1000"]}

    def on_start(self) -> None:
        self.session = self.client.session()
        self.session.initialize()

    @task
    def list_tools(self) -> None:
        self.session.list_tools()

    def on_stop(self) -> None:
        self.session.close()
        super().on_stop()
