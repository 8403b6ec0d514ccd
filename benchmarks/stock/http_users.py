"""Locust's own FastHttpUser and HttpUser as people use them, doing operations (a), (b), (c) and (f).

The class to run is named on Locust's command line, FastToolsList for example. Each answer is parsed and matched by id.
"""

from __future__ import annotations

import os
from typing import Any

from locust import FastHttpUser, HttpUser, task

KEY = os.environ["KEY"]
HEADERS = {
    "Authorization": f"Bearer {KEY}",
    "Content-Type": "application/json",
    "Accept": "application/json, text/event-stream",
}
INITIALIZE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "locust", "version": "1"}}
LEAST_CHARACTERS = 50_000


class McpUser:
    """The MCP side, the same for both clients."""

    client: Any
    number = 0
    headers = HEADERS
    keeps_session = True

    def on_start(self) -> None:
        """Opens the session that is kept, where one is."""
        if self.keeps_session:
            self.initialize()

    def ask(self, method: str, params: object = None) -> Any:
        """The result of one request; a wrong answer is a failure, and None."""
        self.number += 1
        request: dict[str, object] = {"jsonrpc": "2.0", "id": self.number, "method": method}
        if params is not None:
            request["params"] = params
        with self.client.post("/mcp", json=request, headers=self.headers, name=method, catch_response=True) as response:
            if response.status_code != 200:
                response.failure(f"HTTP {response.status_code}")
                return None
            answer = response.json()
            if answer.get("id") != self.number or "result" not in answer:
                response.failure("wrong answer")
                return None
            if method == "initialize":
                version = answer["result"]["protocolVersion"]
                session = response.headers["Mcp-Session-Id"]
                self.headers = {**HEADERS, "Mcp-Session-Id": session, "MCP-Protocol-Version": version}
            elif method == "tools/call" and not right(answer["result"]):
                response.failure("wrong content")
            elif method == "tools/list" and not answer["result"]["tools"]:
                response.failure("no tools")
            return answer["result"]

    def initialize(self) -> None:
        """Opens a session."""
        self.headers = HEADERS
        self.ask("initialize", INITIALIZE)

    def first_byte(self) -> None:
        """Opens the event stream and waits for its first byte."""
        headers = {**self.headers, "Accept": "text/event-stream"}
        with self.client.get("/mcp", headers=headers, name="stream", stream=True, catch_response=True) as response:
            if response.status_code != 200:
                response.failure(f"HTTP {response.status_code}")
            self.discard(response)

    def discard(self, response: Any) -> None:
        """Gives the stream's connection up or back."""
        raise NotImplementedError

    def end(self) -> None:
        """Ends the session."""
        self.client.delete("/mcp", headers=self.headers, name="delete")

    def list_tools(self) -> None:
        """(a)"""
        self.ask("tools/list")

    def one_session(self) -> None:
        """(b)"""
        self.initialize()
        self.ask("tools/list")
        self.end()

    def one_stream(self) -> None:
        """(c)"""
        self.initialize()
        self.first_byte()
        self.end()

    def call(self) -> None:
        """(f)"""
        self.ask("tools/call", {"name": "discover_mcp_tools", "arguments": {"server_url": "http://localhost"}})


def right(result: Any) -> bool:
    """Whether the answer to tools/call is the long one and tells of no error."""
    text = result["content"][0]["text"]
    return not result.get("isError") and "error" not in text and len(text) >= LEAST_CHARACTERS


class Fast(McpUser, FastHttpUser):
    """Locust's client on geventhttpclient."""

    abstract = True

    def discard(self, response: Any) -> None:
        response._response.release()  # there is no public way


class Plain(McpUser, HttpUser):
    """Locust's client on requests."""

    abstract = True

    def discard(self, response: Any) -> None:
        response.close()


class FastToolsList(Fast):
    @task
    def operate(self) -> None:
        self.list_tools()


class FastFreshSession(Fast):
    keeps_session = False

    @task
    def operate(self) -> None:
        self.one_session()


class FastStream(Fast):
    keeps_session = False

    @task
    def operate(self) -> None:
        self.one_stream()


class FastLargeAnswer(Fast):
    @task
    def operate(self) -> None:
        self.call()


class PlainToolsList(Plain):
    @task
    def operate(self) -> None:
        self.list_tools()


class PlainFreshSession(Plain):
    keeps_session = False

    @task
    def operate(self) -> None:
        self.one_session()


class PlainStream(Plain):
    keeps_session = False

    @task
    def operate(self) -> None:
        self.one_stream()


class PlainLargeAnswer(Plain):
    @task
    def operate(self) -> None:
        self.call()
