"""What is checked before a run, and the defaults that the scenarios ask for."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from locust import LoadTestShape
from locust.argument_parser import LocustArgumentParser, setup_parser_arguments

from mop_locust.config import SETTINGS, ApiKey
from mop_locust.swarm.judging.preparation import Preparation
from mop_locust.swarm.judging.roll import Hello, Roll
from mop_locust.swarm.options import add_options
from mop_locust.swarm.refusal import Refused, say_mistakes
from mop_locust.users import MopUser
from tests.unit.swarm.runs import THREE, Calls, Storm, Streams


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The tests' own environment has none of the settings, and run folders would be made elsewhere."""
    for setting in SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)
    monkeypatch.setattr("sys.argv", ["locust"])
    monkeypatch.chdir(tmp_path)


def prepared(
    *words: str, classes: Sequence[type[MopUser]] = (Calls,), shape: object = None
) -> tuple[Preparation, argparse.Namespace]:
    """The preparation of a command line, and its options."""
    parser = LocustArgumentParser()
    setup_parser_arguments(parser)
    add_options(parser)
    options = parser.parse_args(list(words))
    environment = SimpleNamespace(parsed_options=options, host=options.host, user_classes=list(classes), shape_class=shape)
    return Preparation(environment, ApiKey("k"), Roll(SimpleNamespace(), ApiKey("k"))), options


def test_the_settings_are_those_of_the_options() -> None:
    """-H included."""
    settings = prepared("-H", "http://h", "--mop-rps-vus", "3")[0].settings()
    assert (settings.http_base, settings.rps_vus) == ("http://h/mcp", 3)


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    """Settings, thresholds, and a place for the reports where none can be made."""
    (tmp_path / "file").write_text("")
    reports = str(tmp_path / "file" / "reports")
    preparation, _ = prepared("--mop-ws-vus", "0", "--mop-threshold", "nonsuch: rate<1", "--mop-reports", reports)
    with pytest.raises(Refused) as caught:
        preparation.settings()
    assert [mistake.split(":")[0] for mistake in caught.value.mistakes] == [
        "MOP_WS_VUS (--mop-ws-vus)",
        "threshold 'nonsuch",
        "MOP_REPORTS (--mop-reports)",
    ]
    assert caught.value.mistakes[-1].endswith(f"no run folder can be made in {reports!r}: Not a directory")
    assert str(caught.value) == "; ".join(caught.value.mistakes)


def test_a_server_that_is_not_on_this_machine_is_a_mistake(tmp_path: Path) -> None:
    """Its process and its cgroup, beside whatever else is wrong."""
    preparation, _ = prepared("--mop-ws-vus", "0", "--server-pid", "4194304", "--server-cgroup", str(tmp_path))
    with pytest.raises(Refused) as caught:
        preparation.settings()
    assert [mistake.partition(" (")[0] for mistake in caught.value.mistakes] == [
        "MOP_WS_VUS",
        "MOP_SERVER_PID",
        "MOP_SERVER_CGROUP",
    ]


def test_a_wrong_threshold_alone_refuses_a_run() -> None:
    """From the variable's option as well."""
    with pytest.raises(Refused) as caught:
        prepared("--mop-thresholds", "calls: median<5")[0].settings()
    assert len(caught.value.mistakes) == 1


def test_mistakes_are_printed_one_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, under one head."""
    say_mistakes(["one", "two"])
    assert capsys.readouterr() == ("", "mop-locust: nothing was started:\n  one\n  two\n")


@pytest.mark.parametrize(
    ("classes", "users", "seconds"),
    [((Storm,), 50, 60), ((Calls,), 20, 60), ((Streams,), 5, 600), (THREE, 75, 600)],
)
def test_without_options_a_scenario_runs_as_its_k6_script(classes: Sequence[type[MopUser]], users: int, seconds: float) -> None:
    """Users all at once, for its time."""
    preparation, options = prepared(classes=classes)
    preparation.set_defaults(preparation.settings())
    assert (options.num_users, options.spawn_rate, options.run_time) == (users, users, seconds)


def test_locusts_own_options_win() -> None:
    """-u, -r and -t over the settings; the spawn rate follows -u when it is not given."""
    preparation, options = prepared("-u", "7", "-t", "2m", "--mop-rps-vus", "3")
    preparation.set_defaults(preparation.settings())
    assert (options.num_users, options.spawn_rate, options.run_time) == (7, 7, 120)
    preparation, options = prepared("-r", "2", "--mop-rps-duration", "5")
    preparation.set_defaults(preparation.settings())
    assert (options.num_users, options.spawn_rate, options.run_time) == (20, 2, 5)


def test_a_load_shape_has_its_own_users_and_time() -> None:
    """Only the weights are set."""
    preparation, options = prepared(shape=object())
    preparation.set_defaults(preparation.settings())
    assert (options.num_users, options.spawn_rate, options.run_time) == (None, None, None)


def test_a_worker_with_another_key_is_named_by_its_hash() -> None:
    """Neither key is shown."""
    roll = Roll(SimpleNamespace(), ApiKey("ours"))
    roll.hellos["w1"] = Hello("h", 1, ApiKey("ours").fingerprint, 0.0, 0)
    roll.hellos["w2"] = Hello("h", 2, ApiKey("theirs").fingerprint, 0.0, 1)
    assert roll.other_key("w1") == ""
    ours, theirs = ApiKey("ours").fingerprint, ApiKey("theirs").fingerprint
    assert roll.other_key("w2") == f"MOP_API_KEY: worker w2 has another key than the master (hash {theirs}, not {ours})"


def test_a_single_process_has_nobody_on_its_roll() -> None:
    """Nobody is waited for."""
    roll = Roll(SimpleNamespace(), ApiKey("k"))
    roll.call()
    assert (roll.here, roll.unknown) == ([], [])


class Mine(LoadTestShape):
    """A load shape of the locustfile."""

    def tick(self) -> None:
        """Ends at once."""


def test_what_says_otherwise_than_the_stages_is_told() -> None:
    """Each option by its name; without stages there is nothing to contradict."""
    words = ("-u", "3", "-r", "1", "-t", "9s")
    staged, _ = prepared("--mop-stages", "1s:2", *words)
    staged._environment.reset_stats = True
    assert [mistake.partition(" is given")[0] for mistake in staged.contradictions()] == ["-u", "-r", "-t", "--reset-stats"]
    assert prepared(*words)[0].contradictions() == []
    alone, _ = prepared("--mop-stages", "1s:2")
    alone._environment.reset_stats = False
    assert alone.contradictions() == []


def test_stages_and_a_load_shape_do_not_go_together() -> None:
    """The locustfile's own shape works on as it is where there are no stages."""
    preparation, _ = prepared("--mop-stages", "1s:2", shape=Mine())
    with pytest.raises(Refused, match="the locustfile has a load shape, Mine: allowed: one of the two"):
        preparation.settings()
    own = Mine()
    preparation, _ = prepared(shape=own)
    assert preparation.follow_stages() is False
    assert preparation._environment.shape_class is own


def test_stages_of_users_and_arrivals_contradict_each_other() -> None:
    """Said of whichever is asked for beside the other."""
    with pytest.raises(Refused) as caught:
        prepared("--mop-stages", "1s:5", "--mop-arrivals", "5/s")[0].settings()
    assert caught.value.mistakes == [
        "MOP_ARRIVALS (--mop-arrivals) says when sessions begin, and stages say how many users repeat: allowed: one of the two"
    ]


def test_stages_are_followed_as_long_as_they_are_given() -> None:
    """By the clock of the run; then the shape that was there before comes back."""
    preparation, options = prepared("--mop-stages", "10s:20")
    environment = preparation._environment
    environment.runner = SimpleNamespace()
    preparation.elapsed = lambda: 5.0
    preparation.set_defaults(preparation.settings())
    assert (options.num_users, options.spawn_rate, options.run_time) == (None, None, None)
    assert environment.shape_class.runner is environment.runner
    assert environment.shape_class.tick() == (11, 11)
    options.mop_stages = ""
    assert preparation.follow_stages() is False
    assert environment.shape_class is None
    chosen = environment.shape_class = Mine()  # as a class picker does
    options.mop_stages = "1s:1"
    assert preparation.follow_stages() is True
    options.mop_stages = ""
    preparation.follow_stages()
    assert environment.shape_class is chosen
