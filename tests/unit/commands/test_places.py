"""Where scenarios are found: files by path, names in ./locustfiles and then in the suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from mop_locust.commands.places import THE_THREE, UnknownScenario, find, folders, names
from tests.unit.client.memory import ROOT

OURS = ROOT / "locustfiles"


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without locustfiles, from which the command is called."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def own(folder: Path, *files: str) -> None:
    """A folder of locustfiles of one's own."""
    (folder / "locustfiles").mkdir()
    for name in files:
        (folder / "locustfiles" / name).write_text("")


def test_the_suites_scenarios_are_found_from_anywhere(elsewhere: Path) -> None:
    """Those of the checkout, in the order asked for."""
    assert folders() == [OURS]
    assert names() == ["federated_calls", "mission", "mixed", "sse_keep_alive", "tools_call_rps", "ws_connect_storm"]
    assert find(["ws_connect_storm", "mixed"]) == [OURS / "ws_connect_storm.py", OURS / "mixed.py"]


def test_all_are_the_three_of_the_k6_scripts(elsewhere: Path) -> None:
    """In their order; one named besides is not run twice."""
    three = [OURS / f"{name}.py" for name in THE_THREE]
    assert find(["all"]) == three
    assert find(["all", "tools_call_rps", "mixed"]) == [*three, OURS / "mixed.py"]


def test_the_folder_at_hand_comes_first(elsewhere: Path) -> None:
    """A scenario of one's own there stands in place of ours of that name; files that begin with _ are no scenarios."""
    own(elsewhere, "mixed.py", "extra.py", "_shared.py", "notes.txt")
    assert names() == ["extra", "federated_calls", "mission", "mixed", "sse_keep_alive", "tools_call_rps", "ws_connect_storm"]
    assert find(["mixed", "extra", "sse_keep_alive"]) == [
        Path("locustfiles/mixed.py"),
        Path("locustfiles/extra.py"),
        OURS / "sse_keep_alive.py",
    ]


def test_a_file_is_taken_by_its_path(elsewhere: Path) -> None:
    """With or without a folder in it; a folder is none."""
    (elsewhere / "mine.py").write_text("")
    (elsewhere / "sub").mkdir()
    (elsewhere / "sub" / "other").write_text("")
    assert find(["mine.py", "./mine.py", "sub/other"]) == [Path("mine.py"), Path("mine.py"), Path("sub/other")]
    with pytest.raises(UnknownScenario, match="no scenario or file 'sub/'"):
        find(["sub/"])


def test_all_that_is_unknown_is_named_with_what_there_is(elsewhere: Path) -> None:
    """One sentence."""
    with pytest.raises(UnknownScenario) as caught:
        find(["mixed", "nonsuch", "gone.py"])
    assert str(caught.value) == (
        "no scenario or file 'nonsuch', 'gone.py'; there are federated_calls, mission, mixed, "
        "sse_keep_alive, tools_call_rps, ws_connect_storm, all, "
        "or a locustfile of your own"
    )


def test_nothing_named_says_what_there_is(elsewhere: Path) -> None:
    """To run nothing is never what was meant."""
    with pytest.raises(UnknownScenario, match="no scenario named; there are federated_calls, mission, mixed, "):
        find([])


def test_no_locustfiles_at_all(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite's folder is not there: nothing is found, and nothing breaks."""
    monkeypatch.setattr("mop_locust.commands.places.__file__", str(elsewhere / "a" / "b" / "places.py"))
    assert (folders(), names()) == ([], [])
    with pytest.raises(UnknownScenario):
        find(["mixed"])
