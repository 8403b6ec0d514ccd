"""Event streams: the time to the first byte, and whether the stream stays alive for MOP_SSE_WINDOW_MS."""

from __future__ import annotations

import time

from mop_locust import MopSseUser, Rate, task


class SseKeepAlive(MopSseUser):
    """Initializes, opens the stream, watches it for the window; MOP_SSE_ITERATIONS are shared by all users."""

    scenario = "sse_keep_alive"
    metrics = (Rate("sse_failures"),)
    thresholds = {"sse_failures": ["rate<0.05"]}
    users_setting, duration_setting, iterations_setting = "sse_vus", "sse_max_duration", "sse_iterations"

    window_over = 0.0

    def pause(self) -> float:
        return max(0.0, self.window_over - time.monotonic())  # a stream that ended early still takes its whole window

    @task
    def keep_alive(self) -> None:
        with self.client.attempt("sse_failures"), self.client.session() as session, session.stream() as stream:
            self.window_over = time.monotonic() + self.settings.sse_window
            report = stream.watch(self.settings.sse_window)
            if self.settings.sse_require_keepalive:
                stream.require_keepalive(report)
