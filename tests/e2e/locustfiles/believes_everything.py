"""A scenario that takes the server's words for names: tools, checks, closes, streams."""

from __future__ import annotations

from typing import Any

from mop_locust import CheckFailed, MopHttpUser, MopSseUser, MopWebSocketUser, task


class Calls(MopHttpUser):
    """Calls each tool that the server names, and fails with what the tool says."""

    scenario = "calls"
    thresholds = {"call_failures": ["rate<0.01"], "call_latency{method:tools/call}": ["p(95)<60000"]}
    number = 0

    def pause(self) -> float:
        return 0.01

    pause_after_failure = pause

    @task
    def call(self) -> None:
        with self.client.session() as session:
            tools = session.list_tools().tools
            self.number += 1
            session.call_tool(tools[self.number % len(tools)].name, {}, check=self.look)

    def look(self, answer: Any) -> None:
        raise CheckFailed(answer.content[0].text)


class Streams(MopSseUser):
    """Reads the stream."""

    scenario = "streams"

    def pause(self) -> float:
        return 0.2

    @task
    def watch(self) -> None:
        with self.client.session() as session, session.stream() as stream:
            stream.watch(0.2)


class Sockets(MopWebSocketUser):
    """Holds a socket that the server closes."""

    scenario = "sockets"

    def pause(self) -> float:
        return 0.2

    @task
    def hold(self) -> None:
        with self.client.connect() as socket:
            socket.hold(0.2)
