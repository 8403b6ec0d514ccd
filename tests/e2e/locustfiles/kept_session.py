"""Each user keeps one session and asks for its tools every second."""

from __future__ import annotations

from mop_locust import MopHttpUser, task


class KeptSession(MopHttpUser):
    """One session and one connection in a user's life."""

    scenario = "kept_session"
    thresholds = {"call_failures": ["rate<0.001"]}

    def on_start(self) -> None:
        self.session = self.client.session()
        self.session.initialize()

    def pause(self) -> float:
        return 1.0

    @task
    def list_tools(self) -> None:
        self.session.list_tools()

    def on_stop(self) -> None:
        self.session.close()
        super().on_stop()
