"""WebSocket session churn: connect, upgrade, ping, hold, close; again and again."""

from __future__ import annotations

from mop_locust import MopWebSocketUser, Rate, task


class WsConnectStorm(MopWebSocketUser):
    """Opens a session, makes sure that it is alive, holds it for MOP_WS_SLEEP_MS and closes it properly."""

    scenario = "ws_connect_storm"
    metrics = (Rate("ws_failures"),)
    thresholds = {"ws_failures": ["rate<0.05"]}
    users_setting, duration_setting = "ws_vus", "ws_duration"

    def pause_after_failure(self) -> float:
        return self.settings.ws_sleep

    @task
    def storm(self) -> None:
        with self.client.attempt("ws_failures"), self.client.connect() as session:
            session.probe(self.settings.ws_probe)
            session.hold(self.settings.ws_sleep)
