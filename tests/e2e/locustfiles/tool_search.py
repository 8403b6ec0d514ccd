"""A scenario of somebody's own: a session for ten searches, and metrics that the suite does not know."""

from __future__ import annotations

from mop_locust import Counter, MopHttpUser, Rate, Trend, task


class ToolSearch(MopHttpUser):
    """Opens a session, searches, and looks at what came back."""

    scenario = "tool_search"
    metrics = (Trend("answer_size", unit="bytes"), Rate("short_answers"), Counter("words"))
    thresholds = {
        "answer_size": ["min>=1", "p(95)<100000"],
        "short_answers": ["rate<0.5"],
        "words": ["count>=10"],
        "call_failures": ["rate<0.05"],
    }

    def pause(self) -> float:
        return 0.1

    @task
    def search(self) -> None:
        with self.client.session() as session:
            for number in range(10):
                answer = session.call_tool("exa_search_example", {"query": f"load {number}"})
                text = answer.content[0].text or ""
                self.client.trend("answer_size").add(len(text))
                self.client.rate("short_answers").add(len(text) < 2)
                self.client.counter("words").add(len(text.split()))
