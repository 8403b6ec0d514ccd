"""Requests a second over HTTP: a fresh session, tools/list, perhaps a tool, the end of the session, a time to think."""

from __future__ import annotations

from mop_locust import MopHttpUser, Rate, task


class ToolsCallRps(MopHttpUser):
    """Initializes, lists the tools MOP_RPS_LISTS times, calls MOP_RPS_TOOL if one is named, deletes the session."""

    scenario = "tools_call_rps"
    metrics = (Rate("tools_call_failures"),)
    thresholds = {"tools_call_failures": ["rate<0.05"]}
    feeds = dict.fromkeys(("initialize", "tools/list", "tools/call"), "tools_call_failures")
    users_setting, duration_setting = "rps_vus", "rps_duration"

    def pause(self) -> float:
        return self.settings.rps_think

    pause_after_failure = pause

    @task
    def list_and_call(self) -> None:
        with self.client.session() as session:
            for _ in range(self.settings.rps_lists):
                session.list_tools()
            if self.settings.rps_tool:
                session.call_tool(self.settings.rps_tool, self.settings.rps_tool_args)
