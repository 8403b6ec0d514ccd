"""(d) WebSocket churn: connect, ping, answer, close."""

from __future__ import annotations

from typing import ClassVar

from mop_locust import MopWebSocketUser, task


class SocketChurn(MopWebSocketUser):
    """Opens a socket for one ping and its answer."""

    scenario = "socket_churn"
    # Not of `close`: the real server ends the connection without a close frame.
    thresholds: ClassVar = {
        "call_failures{method:connect}": ["rate<0.001"],
        "call_failures{method:ping}": ["rate<0.001"],
        "call_latency": ["p(99)<1000"],
    }

    @task
    def churn(self) -> None:
        with self.client.connect() as session:
            session.probe("ping")
