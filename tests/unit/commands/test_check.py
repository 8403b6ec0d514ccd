"""`mop-locust check`: the preflight alone, and its exit code."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mop_locust.commands.check import check
from mop_locust.config import SETTINGS
from tests.unit.client.memory import reference
from tests.unit.transports.loopback import unused_port


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own environment has none of the settings."""
    for name in (*(setting.name for setting in SETTINGS), "MOP_API_KEY", "MOP_API_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, str]]:
    """The variables of a server that answers as the MOP server."""
    with reference() as variables:
        yield variables


def base(server: dict[str, str]) -> str:
    """What -H takes."""
    return server["MOP_HTTP_BASE"].removesuffix("/mcp")


def test_a_good_target_ends_with_0(server: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """A line for everything that was found; -H sets both endpoints."""
    assert check(["-H", base(server)]) == 0
    captured = capsys.readouterr()
    assert captured.out == (
        f"ok     {server['MOP_HTTP_BASE']}: mop-locust-reference 0.1.4, MCP 2024-11-05\n"
        "ok     4 tools\n"
        "ok     an event stream opens\n"
        f"ok     {server['MOP_BASE_URL']}: answers ping\n"
    )
    assert captured.err == ""


def test_only_the_transports_that_are_asked_for(server: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Repeatable; the variables count as well as the options."""
    assert check(["--transport", "websocket", "--mop-base-url", server["MOP_BASE_URL"], "--mop-ws-probe", "tools/list"]) == 0
    assert capsys.readouterr().out == f"ok     {server['MOP_BASE_URL']}: answers tools/list\n"


def test_a_target_that_is_not_there_ends_with_3(capsys: pytest.CaptureFixture[str]) -> None:
    """That is the target's fault."""
    port = unused_port()
    assert check([f"--host=http://127.0.0.1:{port}", "--transport", "http"]) == 3
    assert capsys.readouterr().out == f"wrong  nothing to test at http://127.0.0.1:{port}/mcp: connection refused\n"


def test_a_refused_key_ends_with_2(
    server: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is the user's mistake, and the key itself is not shown."""
    monkeypatch.setenv("MOP_API_KEY", "wrong-key")
    assert check(["-H", base(server), "--transport", "http"]) == 2
    out = capsys.readouterr().out
    assert out.startswith(f"wrong  401: the server refused the key at {server['MOP_HTTP_BASE']}")
    assert "wrong-key" not in out


def test_arguments_that_the_tool_does_not_take_end_with_2(server: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """What was found before is told too."""
    assert check(["-H", base(server), "--transport=http", "--mop-rps-tool", "exa_search_example"]) == 2
    *found, wrong = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in found] == ["ok", "ok"]
    assert wrong == "wrong  MOP_RPS_TOOL_ARGS (--mop-rps-tool-args): the arguments: 'query' is a required property"


def test_what_is_given_wrong_ends_with_2_before_anything_is_sent(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings and key, all mistakes at once."""
    monkeypatch.setenv("MOP_API_KEY", "two words")
    assert check(["--mop-ws-vus", "0", "--mop-http-base", "ftp://x"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    head, *mistakes = captured.err.splitlines()
    assert head == "mop-locust check: nothing was sent:"
    assert [mistake.split()[0].rstrip(":") for mistake in mistakes] == ["MOP_HTTP_BASE", "MOP_WS_VUS", "MOP_API_KEY"]
    assert "two words" not in captured.err


def test_an_unknown_option_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    """As argparse says it."""
    with pytest.raises(SystemExit) as caught:
        check(["--nonsuch"])
    assert caught.value.code == 2
    assert "--nonsuch" in capsys.readouterr().err
