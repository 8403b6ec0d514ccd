"""A mission: tool calls that its rules match and others, each answer checked for the right rules and templates."""

from __future__ import annotations

from contextlib import suppress

from mop_locust import CheckFailed, MopWebSocketUser, Rate, Trend, orchestration, task


class Mission(MopWebSocketUser):
    """Opens a session and calls each tool of the plan once; latency and bytes count for each rule that applies."""

    scenario = "mission"
    metrics = (Rate("mission_failures"), Rate("mission_mismatches"), Trend("mission_latency"), Trend("mission_bytes", "bytes"))
    metric_tags = ("rule",)
    thresholds = {"mission_failures": ["rate<0.05"], "mission_mismatches": ["rate==0"]}
    feeds = {"tools/call": "mission_failures"}
    users_setting, duration_setting = "mission_vus", "mission_duration"
    check_settings, look_ahead, voided_by = orchestration.mistakes, orchestration.look, orchestration.VOID

    def pause(self) -> float:
        return self.settings.mission_think

    def on_start(self) -> None:
        self.mission = orchestration.Orchestration(self.settings)

    @task
    def orchestrate(self) -> None:
        mismatches = self.client.rate("mission_mismatches")
        with self.client.connect() as session:
            for call in self.mission.plan(session).calls:
                with suppress(CheckFailed):  # counted already; the other calls are still to be looked at
                    session.call_tool(call.tool, call.arguments, self.mission.check(call, mismatches.add))
                    for rule in call.tags:
                        self.client.trend("mission_latency", rule=rule).add(self.client.last.duration_us / 1000)
                        self.client.trend("mission_bytes", rule=rule).add(self.client.last.received)
