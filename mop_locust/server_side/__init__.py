"""The server's own side of a run: what it says at `/health` and `/metrics`, and what it takes of its machine."""

from __future__ import annotations

from mop_locust.server_side.course import Course
from mop_locust.server_side.usage import absent
from mop_locust.server_side.watch import ServerWatch

__all__ = ["Course", "ServerWatch", "absent"]
