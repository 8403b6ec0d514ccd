"""A scenario whose threshold no fault can cross."""

from __future__ import annotations

from mop_locust import MopHttpUser, task


class NeverRed(MopHttpUser):
    """Opens a session and lists the tools."""

    scenario = "never_red"
    thresholds = {"call_failures": ["rate<=1"]}

    def pause(self) -> float:
        return 0.1

    pause_after_failure = pause

    @task
    def list_tools(self) -> None:
        with self.client.session() as session:
            session.list_tools()
