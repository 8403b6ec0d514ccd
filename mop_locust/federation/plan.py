"""What a run calls: the tools of each downstream server and those of the server itself, each with its pool of arguments."""

from __future__ import annotations

from typing import Any

import msgspec


class PooledTool(msgspec.Struct, frozen=True):
    """A tool with the sets of arguments that it is called with, in turn; `downstream` is "" for the server's own."""

    name: str
    arguments: list[dict[str, Any]]
    downstream: str = ""


class Plan(msgspec.Struct, frozen=True):
    """The tools of a run, by name; `local` may be empty."""

    federated: list[PooledTool]
    local: list[PooledTool] = []

    @property
    def downstreams(self) -> list[str]:
        """The ids of the downstream servers, sorted."""
        return sorted({tool.downstream for tool in self.federated})

    def of(self, downstream: str) -> list[PooledTool]:
        """The tools of one downstream server."""
        return [tool for tool in self.federated if tool.downstream == downstream]
