"""The exception tree: what each error counts as, what it says, and what it must not let through."""

from __future__ import annotations

import pickle
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mop_locust.protocol import errors
from mop_locust.protocol.errors import (
    CheckFailed,
    ClientFault,
    ConnectError,
    Disconnected,
    ExchangeTimeout,
    HttpStatusError,
    LocalProtocolError,
    MopError,
    RemoteProtocolError,
    RpcError,
    TargetRefused,
    ToolError,
    printable,
)

OUTCOMES = {
    ExchangeTimeout: "timeout",
    ConnectError: "connect",
    Disconnected: "disconnected",
    HttpStatusError: "http_status",
    RemoteProtocolError: "protocol",
    RpcError: "rpc_error",
    ToolError: "tool_error",
    CheckFailed: "check",
    ClientFault: "client_fault",
    TargetRefused: "client_fault",
}


def test_each_error_counts_as_its_outcome() -> None:
    """The outcome belongs to the class, and the tree has no other classes."""
    assert {kind: kind.outcome for kind in MopError.__subclasses__()} == OUTCOMES
    assert not issubclass(LocalProtocolError, MopError)


def test_the_drawn_tree_is_the_real_one() -> None:
    """The module docstring names each class with its outcome, in the order of the file."""
    drawn = re.findall(r"[├└]── (\w+) .*  (\w+)$", errors.__doc__ or "", re.MULTILINE)
    assert drawn == [("MopError", "outcome"), *((kind.__name__, outcome) for kind, outcome in OUTCOMES.items())]


@pytest.mark.parametrize("kind", OUTCOMES)
def test_every_error_is_made_from_a_label_alone(kind: type[MopError]) -> None:
    """A label is enough, and stands at the end of the sentence."""
    error = kind("some label")
    assert (error.label, error.detail) == ("some label", "")
    assert str(error) == f"{kind.sentence}: some label"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ExchangeTimeout("no answer", "10 s"), "timed out: no answer (10 s)"),
        (ConnectError("refused", "localhost:8000"), "could not connect: refused (localhost:8000)"),
        (Disconnected("closed 1006", code=1006), "the connection ended too early: closed 1006"),
        (HttpStatusError("HTTP 503", status=503), "the server did not accept the request: HTTP 503"),
        (HttpStatusError("HTTP 401", excerpt="who?\r\n"), "the server did not accept the request: HTTP 401 (who?  )"),
        (RemoteProtocolError("not JSON", "at byte 3"), "the server broke the protocol: not JSON (at byte 3)"),
        (RpcError("JSON-RPC -32601", message="no"), "the server answered with an error: JSON-RPC -32601 (no)"),
        (RpcError("JSON-RPC -32601", "ping", message="no"), "the server answered with an error: JSON-RPC -32601 (ping)"),
        (ToolError("isError", text="no\x1b[2J query"), "the tool failed: isError (no[2J query)"),
        (CheckFailed("no tools"), "a check failed: no tools"),
        (ClientFault("no free port"), "this machine is at its limit: no free port"),
    ],
)
def test_the_sentence(error: MopError, sentence: str) -> None:
    """One clear sentence: what happened, its class, and what the server said if nothing better is known."""
    assert str(error) == sentence


def test_attributes_of_their_own() -> None:
    """Codes and statuses are numbers; what the server wrote is cut and cleaned."""
    assert Disconnected("closed 1001", code=1001).code == 1001
    assert Disconnected("reset").code is None
    status = HttpStatusError("HTTP 418", status=418, excerpt="x" * 300)
    assert (status.status, status.excerpt) == (418, "x" * 200)
    rpc = RpcError("JSON-RPC -32000", code=-32000, message="a\tb")
    assert (rpc.code, rpc.message) == (-32000, "a b")
    assert ToolError("isError", text="\x00bad").text == "bad"


@pytest.mark.parametrize(
    "error",
    [
        HttpStatusError("HTTP 503", "busy", status=503, excerpt="later"),
        Disconnected("closed 1001", code=1001),
        RpcError("JSON-RPC -1", code=-1, message="no"),
        ToolError("isError", text="no"),
    ],
)
def test_errors_survive_pickling(error: MopError) -> None:
    """An error may travel to another process."""
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (str(copy), vars(copy)) == (str(error), vars(error))


@given(st.text(st.characters(exclude_categories=())))
@example("\ud800\u202e\x1b\x00\u2028\u200b")
@example("x" * 201)
def test_printable_text_is_harmless(text: str) -> None:
    """Any text becomes one encodable line of at most 200 printable characters, and twice is the same as once."""
    clean = printable(text)
    assert clean.isprintable()
    assert len(clean) <= 200
    assert clean.encode().decode() == clean
    assert printable(clean) == clean


@given(st.text(max_size=200).filter(str.isprintable))
def test_printable_text_passes_unchanged(text: str) -> None:
    """Nothing is taken from a text that is already fit to print."""
    assert printable(text) == text
