"""(e) WebSocket messages: ping and answer on a kept session."""

from __future__ import annotations

from typing import ClassVar

from mop_locust import MopWebSocketUser, task


class SocketPing(MopWebSocketUser):
    """Opens one socket and pings over it, again and again."""

    scenario = "socket_ping"
    thresholds: ClassVar = {"call_failures{method:ping}": ["rate<0.001"], "call_latency": ["p(99)<1000"]}

    def on_start(self) -> None:
        self.session = self.client.connect()
        self.session.open()

    @task
    def ping(self) -> None:
        self.session.probe("ping")

    def on_stop(self) -> None:
        self.session.close()
        super().on_stop()
