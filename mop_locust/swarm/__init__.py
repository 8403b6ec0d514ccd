"""The border to Locust: the only package that knows its runners, events and options."""

from __future__ import annotations

from mop_locust.swarm import plugin

plugin.join_locust()
