"""Tools of downstream servers beside local ones, over a WebSocket and over HTTP: the cost of the hop, and its failures."""

from __future__ import annotations

from mop_locust import FEDERATED_METRICS, FEDERATED_TAGS, MopHttpUser, MopUser, MopWebSocketUser, federated_look, task


class FederatedCalls(MopUser):
    """A session with a pair of calls for each downstream server: one of its tools, and a local call beside it."""

    abstract = must_look = True
    metrics, metric_tags, look_ahead = FEDERATED_METRICS, FEDERATED_TAGS, federated_look.look_for_plan
    thresholds = {"federated_failures": ["rate<0.05"], "federated_fallbacks": ["rate<0.05"]}
    users_setting, duration_setting = "fed_vus", "fed_duration"

    def on_start(self) -> None:
        self.pairs = self.client.federated_pairs(self.transport)

    def pause(self) -> float:
        return self.settings.fed_think

    pause_after_failure = pause


class FederatedOverSocket(FederatedCalls, MopWebSocketUser):
    scenario = "federated_calls"

    @task
    def call(self) -> None:
        with self.client.connect() as session:
            self.pairs.call(session)


class FederatedOverHttp(FederatedCalls, MopHttpUser):
    scenario = "federated_calls"

    @task
    def call(self) -> None:
        with self.client.session() as session:
            self.pairs.call(session)
