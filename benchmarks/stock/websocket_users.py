"""`websocket-client` in a Locust user as people write it, doing operations (d) and (e).

The class to run is named on Locust's command line. Each answer is parsed and matched by id; each exchange fires Locust's event.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable

import websocket
from locust import User, task

HEADERS = [f"Authorization: Bearer {os.environ['KEY']}"]


class SocketUser(User):
    """Measures by hand, since Locust has no WebSocket client."""

    abstract = True
    number = 0
    socket: websocket.WebSocket

    def measured(self, name: str, act: Callable[[], object]) -> None:
        """Does it and fires Locust's event."""
        began = time.perf_counter()
        error: Exception | None = None
        try:
            act()
        except Exception as problem:
            error = problem
        taken = (time.perf_counter() - began) * 1000
        self.environment.events.request.fire(
            request_type="websocket", name=name, response_time=taken, response_length=0, exception=error, context={}
        )

    def connect(self) -> None:
        """Opens the socket."""
        url = f"{self.host}/ws".replace("http", "ws", 1)
        self.socket = websocket.create_connection(url, header=HEADERS, timeout=10)

    def ping(self) -> None:
        """Asks for a sign of life."""
        self.number += 1
        self.socket.send(json.dumps({"jsonrpc": "2.0", "id": self.number, "method": "ping"}))
        if json.loads(self.socket.recv())["id"] != self.number:
            raise ValueError("wrong id")

    def close(self) -> None:
        """Closes the socket with the close handshake."""
        self.socket.close()


class SocketChurn(SocketUser):
    """(d)"""

    @task
    def churn(self) -> None:
        self.measured("connect", self.connect)
        self.measured("ping", self.ping)
        self.measured("close", self.close)


class SocketPing(SocketUser):
    """(e)"""

    def on_start(self) -> None:
        self.connect()

    @task
    def one_ping(self) -> None:
        self.measured("ping", self.ping)

    def on_stop(self) -> None:
        self.close()
