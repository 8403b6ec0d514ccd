"""What the user classes of a run declare, and their thresholds beside those of the user."""

from __future__ import annotations

from collections.abc import Mapping

from locust import User, task

from mop_locust.config.stages import Stage
from mop_locust.metrics.instruments import Counter, Rate, Trend
from mop_locust.swarm.scenarios import Scenarios
from mop_locust.users import MopHttpUser
from mop_locust.verdict.threshold import Threshold
from tests.unit.client.memory import settings
from tests.unit.swarm.runs import THREE, Calls, Storm, Streams


def told(thresholds: list[Threshold]) -> list[str]:
    """Thresholds as texts."""
    return [f"{threshold.name}: {threshold.expression}" for threshold in thresholds]


class Foreign(User):
    """A user of Locust's own."""

    abstract = True


def test_the_scenarios_of_a_run() -> None:
    """Names sorted, transports as a set; other Locust users may run beside them."""
    three = Scenarios([*THREE, Foreign])
    assert three.classes == [Storm, Calls, Streams]
    assert three.names == ["calls", "storm", "streams"]
    assert three.transports == {"http", "sse", "websocket"}
    assert three.own_instruments == {
        "ws_failures": Rate("ws_failures"),
        "tools_call_failures": Rate("tools_call_failures"),
        "answer_length": Trend("answer_length", unit="characters"),
        "hits": Counter("hits"),
        "sse_failures": Rate("sse_failures"),
    }


def test_no_scenario_at_all() -> None:
    """A locustfile without one has nothing to weigh and does not end by itself."""
    none = Scenarios([Foreign])
    assert (none.names, none.transports, none.weigh(settings()), none.seconds(settings())) == ([], set(), 0, None)
    assert none.all_iterate(settings()) is False
    assert none.thresholds("", []) == ([], [])


def test_users_and_weights_come_from_the_settings() -> None:
    """50 + 20 + 5 by default, which are also the weights."""
    assert Scenarios(THREE).weigh(settings()) == 75
    assert [cls.weight for cls in THREE] == [50, 20, 5]
    assert Scenarios(THREE).weigh(settings(MOP_WS_VUS="1", MOP_SSE_VUS="2")) == 23
    assert [cls.weight for cls in THREE] == [1, 20, 2]


def test_a_scenario_that_names_no_setting_leaves_its_weight() -> None:
    """And gives no number of users, and no duration."""

    class Own(MopHttpUser):
        weight = 3

        @task
        def go(self) -> None:
            pass

    assert Scenarios([Own]).weigh(settings()) == 0
    assert Own.weight == 3
    assert Scenarios([Own]).seconds(settings()) is None


def test_the_longest_duration_counts() -> None:
    """Ten minutes of the streams by default, whatever the others say."""
    assert Scenarios(THREE).seconds(settings()) == 600
    assert Scenarios([Storm, Calls]).seconds(settings(MOP_WS_DURATION="90")) == 90
    assert Scenarios([Storm, Calls]).seconds(settings(MOP_WS_DURATION="500ms")) == 60


def test_shared_iterations_of_those_that_have_them() -> None:
    """A run is over with them only when every scenario has them."""
    assert Scenarios(THREE).iterations(settings(MOP_SSE_ITERATIONS="7")) == {"streams": 7}
    assert Scenarios(THREE).all_iterate(settings()) is False
    assert Scenarios([Streams]).all_iterate(settings()) is True


def test_the_defaults_of_the_scenarios_are_the_thresholds() -> None:
    """Each expression is one; sorted, and the same twice is one."""
    thresholds, mistakes = Scenarios([*THREE, Storm]).thresholds("", [])
    assert mistakes == []
    assert told(thresholds) == [
        "answer_length: p(95)<100",
        "sse_failures: rate<0.05",
        "tools_call_failures: count>10",
        "tools_call_failures: rate<0.05",
        "ws_failures: rate<0.05",
    ]


def test_what_the_user_gives_for_a_metric_replaces_its_defaults() -> None:
    """All of that metric's, from the variable as from the option; those of the other metrics stay."""
    listed = "tools_call_failures: rate<0.01; call_latency{method:tools/list}: p(95)<50\n"
    thresholds, mistakes = Scenarios([Calls]).thresholds(listed, ["answer_length{scenario:calls}: max<9, min>0"])
    assert mistakes == []
    assert told(thresholds) == [
        "tools_call_failures: rate<0.01",
        "call_latency{method:tools/list}: p(95)<50",
        "answer_length{scenario:calls}: max<9",
        "answer_length{scenario:calls}: min>0",
    ]


def test_every_mistake_in_the_thresholds_is_told() -> None:
    """Those that cannot be read and those that can never be judged, of the user and of the locustfile."""

    class Wrong(MopHttpUser):
        thresholds = {"nonsuch": ["rate<0.05"], "calls": ["rate<<5"]}

        @task
        def go(self) -> None:
            pass

    thresholds, mistakes = Scenarios([Wrong]).thresholds(
        "call_latency p(95)<5", ["call_failures: p(95)<1", "calls{scenario:Wrung}: count>0", "calls{colour:red}: count>0"]
    )
    beginnings = [
        "threshold 'call_latency p(95)<5', column 14: ':' is missing",
        "in the locustfile: threshold 'calls: rate<<5', column 13: a number is missing",
        "threshold 'call_failures: p(95)<1': call_failures is a rate and has no p(N)",
        "threshold 'calls{scenario:Wrung}: count>0': scenario is never 'Wrung'; did you mean Wrong?",
        "threshold 'calls{colour:red}: count>0': there is no tag colour",
        "threshold 'nonsuch: rate<0.05': there is no metric nonsuch",
    ]
    assert [mistake[: len(beginning)] for mistake, beginning in zip(mistakes, beginnings, strict=True)] == beginnings
    assert told(thresholds)[-1] == "nonsuch: rate<0.05"


def test_a_metric_declared_in_two_ways_is_a_mistake_of_the_locustfile() -> None:
    """Two scenarios of one run must mean the same by a name, and a built-in name has its meaning."""

    class Another(MopHttpUser):
        metrics = (Trend("answer_length", unit="ms"),)

        @task
        def go(self) -> None:
            pass

    class Taking(MopHttpUser):
        metrics = (Counter("call_latency"),)

        @task
        def go(self) -> None:
            pass

    for classes in ([Calls, Another], [Taking]):
        [mistake] = Scenarios(classes).thresholds("", [])[1]
        assert mistake.startswith("in the locustfile: metric ")


def test_a_threshold_may_be_on_any_tag_that_can_occur() -> None:
    """Scenarios and transports are known; methods, tools and statuses only the target knows."""
    given = [
        "call_latency{tool:anything}: p(95)<1",
        "calls{method:any/thing}: count>0",
        "http_responses{status:503}: count<1",
        "calls{transport:sse}: count>0",
    ]
    assert Scenarios([Calls]).thresholds("", given)[1] == []
    assert len(Scenarios([Calls]).thresholds("", ["calls{transport:carrier}: count>0"])[1]) == 1


class Ramp(Calls):
    """Declares stages."""

    stages = "ramp=2s:5,steady=3s:5"


class Leap(Calls):
    """Declares others."""

    stages = "0s:9,1s:9"


class Broken(Calls):
    """Declares none that can be read."""

    stages = "1q:9"


def test_stages_are_those_of_the_user_or_else_of_the_locustfile() -> None:
    """A mistake of the user is told with the other settings, one of the locustfile at once."""
    declared = (Stage("ramp", 2, 5), Stage("steady", 3, 5))
    assert Scenarios([Calls]).stages(" ") == ((), [])
    assert Scenarios([Ramp, Calls]).stages("") == (declared, [])
    assert Scenarios([Ramp]).stages("4s:1") == ((Stage("ramp", 4, 1),), [])
    assert Scenarios([Ramp]).stages("4q:1") == (None, [])
    assert Scenarios([Ramp, Leap]).stages("") == (None, ["in the locustfile: Leap and Ramp declare different stages"])
    unknown, [mistake] = Scenarios([Broken]).stages("")
    assert unknown is None
    assert mistake.startswith(
        "in the locustfile: stages of Broken: '1q:9' has '1q' at column 1, which is not a duration; allowed: "
    )


def test_a_threshold_of_a_stage_that_there_is_not_is_a_mistake() -> None:
    """Unless nobody knows the stages."""
    asked = ["call_latency{stage:stedy}: max<1"]
    place = "threshold 'call_latency{stage:stedy}: max<1'"
    three = Scenarios([Ramp])
    assert three.thresholds("", asked, three.stages("")[0])[1] == [f"{place}: stage is never 'stedy'; did you mean steady?"]
    assert three.thresholds("", asked)[1] == [f"{place}: stage is never 'stedy'; known: none"]
    assert three.thresholds("", asked, None)[1] == []


class Tagged(MopHttpUser):
    """Metrics with a tag of their own."""

    scenario = "tagged"
    metrics = [Counter("hops")]
    metric_tags = ("downstream",)

    @task
    def nothing(self) -> None:
        """Never runs."""


def test_thresholds_may_use_the_tags_that_are_declared() -> None:
    """And no others."""
    given = ["hops{downstream:a}: count>1", "hops{downstraem:a}: count>1"]
    thresholds, mistakes = Scenarios([Tagged]).thresholds("", given)
    assert told(thresholds) == ["hops{downstream:a}: count>1", "hops{downstraem:a}: count>1"]
    assert len(mistakes) == 1
    assert "there is no tag downstraem" in mistakes[0]


def test_what_a_scenario_adds_of_its_own() -> None:
    """Its mistakes, its look and its labels, each once, however many classes share them; its tags can stand in thresholds."""

    def mistakes(given: Mapping[str, str]) -> list[str]:
        return [f"told {given['MOP_MISSION_PATH']}"]

    def look(*_: object) -> None:
        """Sees nothing."""

    class One(MopHttpUser):
        metrics = (Trend("cost"),)
        metric_tags = ("rule",)
        voided_by = frozenset({"a"})

        @task
        def go(self) -> None:
            """Does nothing."""

    One.check_settings, One.look_ahead = mistakes, look

    class Two(One):
        voided_by = frozenset({"b"})

    class Three(Two):
        must_look = True

    both = Scenarios([One, Two])
    assert both.mistakes({"MOP_MISSION_PATH": "p"}) == ["told p"]
    assert (both.looks(True), both.voided_by) == ([look], {"a", "b"})
    assert (both.looks(False), Scenarios([One, Three, Tagged]).looks(False)) == ([], [look])
    assert both.thresholds("cost{rule:r}: p(95)<5", [])[1] == []
    three = Scenarios(THREE)
    assert (three.mistakes({}), three.looks(True), three.voided_by) == ([], [], frozenset())
    assert "rule" in three.thresholds("calls{rule:r}: count>1", [])[1][0]
