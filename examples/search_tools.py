"""Calls the search tool of a MOP server over HTTP and looks at its answers."""

from locust import between

from mop_locust import CheckFailed, MopHttpUser, Rate, Trend, task


class SearchTools(MopHttpUser):
    scenario = "search_tools"
    metrics = [Trend("answer_length", unit="characters"), Rate("short_answers")]
    thresholds = {
        "call_failures": ["rate<0.01"],
        "call_latency{tool:exa_search_example}": ["p(95)<250"],
        "answer_length": ["min>0"],
    }
    wait_time = between(0.1, 0.5)

    @task
    def search(self):
        with self.client.session() as session:
            session.call_tool("exa_search_example", {"query": "load testing"}, check=self.look)

    def look(self, answer):
        text = "".join(piece.text or "" for piece in answer.content)
        self.client.trend("answer_length").add(len(text))
        self.client.rate("short_answers").add(len(text) < 100)
        if not text:
            raise CheckFailed("empty answer")
