"""(b) A fresh session for each `tools/list`: initialize, tools/list, DELETE."""

from __future__ import annotations

from typing import ClassVar

from mop_locust import MopHttpUser, task


class FreshSession(MopHttpUser):
    """Opens a session, asks for its tools once, ends it."""

    scenario = "fresh_session"
    thresholds: ClassVar = {"call_failures": ["rate<0.001"], "call_latency": ["p(99)<1000"]}

    @task
    def one_session(self) -> None:
        with self.client.session() as session:
            session.list_tools()
