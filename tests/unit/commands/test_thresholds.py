"""`mop-locust thresholds`: each in words, and all that is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mop_locust.commands.thresholds import explain, explain_thresholds
from mop_locust.config import SETTINGS
from mop_locust.verdict.threshold import parse


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own environment has none of the settings."""
    for setting in SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ws_failures: rate<0.05", "the rate is below 0.05"),
        ("ws_failures: rate<=5%", "the rate is at most 0.05"),
        ("call_latency: p(95)<250", "the 95th percentile is below 250"),
        ("call_latency: p(99.9)<1000.5", "the 99.9th percentile is below 1000.5"),
        ("call_latency: avg>=1", "the mean is at least 1"),
        ("call_latency: med>1", "the median is above 1"),
        ("call_latency: min==1", "the least is exactly 1"),
        ("call_latency: max===1", "the most is exactly 1"),
        ("calls: count!=0", "the number of samples is anything but 0"),
        ("bytes_received: count>1234567890", "the number of samples is above 1234567890"),
    ],
)
def test_each_threshold_in_words(text: str, words: str) -> None:
    """No data is red as well, and it is said each time."""
    assert explain(parse(text)[0]) == f"fails unless {words}, and without data"


def test_the_defaults_of_a_scenario_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """Under its name; the code is 0."""
    assert explain_thresholds(["tools_call_rps"], []) == 0
    captured = capsys.readouterr()
    assert captured.out == (
        "tools_call_rps\n  tools_call_failures: rate<0.05   fails unless the rate is below 0.05, and without data\n"
    )
    assert captured.err == ""


def test_without_a_name_all_scenarios_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """`mixed` has those of the three."""
    assert explain_thresholds([], []) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        "federated_calls",
        "mission",
        "mixed",
        "sse_keep_alive",
        "tools_call_rps",
        "ws_connect_storm",
    ]
    assert [line.split(":")[0].strip() for line in lines[7:10]] == ["sse_failures", "tools_call_failures", "ws_failures"]


def test_those_of_the_user_stand_in_place_of_the_defaults(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the variable and from the option."""
    monkeypatch.setenv("MOP_THRESHOLDS", "calls: count>9")
    assert explain_thresholds(["tools_call_rps"], ["tools_call_failures{method:tools/list}: rate<1%"]) == 0
    assert [line.split("   ")[0].strip() for line in capsys.readouterr().out.splitlines()[1:]] == [
        "calls: count>9",
        "tools_call_failures{method:tools/list}: rate<1%",
    ]


def test_what_is_wrong_ends_with_2_and_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Each mistake once, however many scenarios it concerns; what can be explained still is."""
    assert explain_thresholds(["tools_call_rps", "ws_connect_storm"], ["call_latncy: p(95)<1", "calls: count"]) == 2
    captured = capsys.readouterr()
    assert "tools_call_failures: rate<0.05   fails unless" in captured.out
    head, *mistakes = captured.err.splitlines()
    assert head == "mop-locust thresholds:"
    assert len(mistakes) == 2
    assert mistakes[0].startswith("  threshold 'calls: count', column 13: an operator is missing")
    assert mistakes[1].endswith("there is no metric call_latncy; did you mean call_latency?")


def test_an_unknown_scenario_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    """With the list of what there is."""
    assert explain_thresholds(["nonsuch"], []) == 2
    assert capsys.readouterr().err.startswith(
        "mop-locust thresholds:\n  no scenario or file 'nonsuch'; there are federated_calls, mission, mixed, sse_keep_alive, "
    )


def test_wrong_settings_end_with_2(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them are told."""
    monkeypatch.setenv("MOP_WS_VUS", "none")
    monkeypatch.setenv("MOP_TIMEOUT_MS", "0")
    assert explain_thresholds(["mixed"], []) == 2
    head, *mistakes = capsys.readouterr().err.splitlines()
    assert head == "mop-locust thresholds:"
    assert [mistake.split()[0] for mistake in mistakes] == ["MOP_WS_VUS", "MOP_TIMEOUT_MS"]


def test_a_locustfile_of_ones_own_with_metrics_of_its_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """It may import what stands beside it; its metrics can have thresholds, its abstract classes are no scenarios."""
    (tmp_path / "beside.py").write_text("LIMIT = 'p(90)<7'\n")
    file = tmp_path / "mine.py"
    file.write_text(
        "from beside import LIMIT\n"
        "from mop_locust import MopHttpUser, Trend, task\n"
        "class Common(MopHttpUser):\n"
        "    abstract = True\n"
        "    thresholds = {'nonsuch': ['rate<1']}\n"
        "class Mine(Common):\n"
        "    metrics = [Trend('size', unit='bytes')]\n"
        "    thresholds = {'size': [LIMIT]}\n"
        "    @task\n"
        "    def go(self): pass\n"
    )
    assert explain_thresholds([str(file)], []) == 0
    assert capsys.readouterr().out == ("mine\n  size: p(90)<7   fails unless the 90th percentile is below 7, and without data\n")


def test_windows_stages_and_aborts_in_words() -> None:
    """Each part has its words."""
    (threshold,) = parse("call_latency{stage:steady}: p(95)<250 over 1m abort after 10s")
    where = "in each window of 1m00s of stage steady"
    assert (
        explain(threshold)
        == f"fails unless the 95th percentile is below 250 {where}, and without data; from 10s on it ends the run"
    )


def test_the_stages_are_those_of_the_variable(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A stage that there is not is a mistake."""
    monkeypatch.setenv("MOP_STAGES", "steady=1m:5")
    assert explain_thresholds(["tools_call_rps"], ["calls{stage:steady}: count>0"]) == 0
    assert explain_thresholds(["tools_call_rps"], ["calls{stage:stedy}: count>0"]) == 2
    assert "stage is never 'stedy'; did you mean steady?" in capsys.readouterr().err


def test_stages_of_arrivals_are_those_of_the_variable_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the only scenario, or of those that go through the same."""
    monkeypatch.setenv("MOP_ARRIVALS", "steady=1m:5/s")
    assert explain_thresholds(["tools_call_rps"], ["calls{stage:steady}: count>0"]) == 0
    assert explain_thresholds(["tools_call_rps"], ["calls{stage:stedy}: count>0"]) == 2
    assert "stage is never 'stedy'; did you mean steady?" in capsys.readouterr().err
    monkeypatch.setenv("MOP_ARRIVALS", "tools_call_rps=(steady=1m:5/s),ws_connect_storm=(10s:5/s)")
    assert explain_thresholds(["mixed"], ["calls{stage:steady}: count>0"]) == 2
    assert "the stages of tools_call_rps and ws_connect_storm differ" in capsys.readouterr().err
