"""What the system and OpenSSL say, in the suite's own words."""

from __future__ import annotations

import errno
import ssl

import pytest

from mop_locust.protocol.errors import ClientFault, ConnectError, Disconnected, ExchangeTimeout, MopError
from mop_locust.transports.wire import connect_fault, exchange_fault, tls_label


def os_error(number: int) -> OSError:
    """The exception that Python raises for an error number."""
    return OSError(number, "text of the system")


@pytest.mark.parametrize(
    ("number", "connecting", "exchanging"),
    [
        (errno.ECONNREFUSED, ConnectError("refused"), Disconnected("connection refused")),
        (errno.ECONNRESET, ConnectError("reset"), Disconnected("reset")),
        (errno.EPIPE, ConnectError("reset"), Disconnected("reset")),
        (errno.ECONNABORTED, ConnectError("reset"), Disconnected("reset")),
        (errno.ENOTCONN, ConnectError("reset"), Disconnected("reset")),
        (errno.EHOSTUNREACH, ConnectError("unreachable"), Disconnected("no route to host")),
        (errno.ENETUNREACH, ConnectError("unreachable"), Disconnected("network is unreachable")),
        (errno.ETIMEDOUT, ConnectError("timeout"), Disconnected("connection timed out")),
        (errno.EACCES, ConnectError("permission denied"), Disconnected("permission denied")),
        (errno.EMFILE, ClientFault("too many open files"), ClientFault("too many open files")),
        (errno.ENFILE, ClientFault("too many open files"), ClientFault("too many open files")),
        (errno.EADDRNOTAVAIL, ClientFault("no free port"), ClientFault("no free port")),
        (errno.ENOMEM, ClientFault("out of memory"), ClientFault("out of memory")),
        (errno.ENOBUFS, ClientFault("out of memory"), ClientFault("out of memory")),
    ],
)
def test_errors_of_the_system(number: int, connecting: MopError, exchanging: MopError) -> None:
    """Each error number has its class and label, which differ with what was being done."""
    for fault, expected in ((connect_fault(os_error(number)), connecting), (exchange_fault(os_error(number)), exchanging)):
        assert (type(fault), fault.label) == (type(expected), expected.label)


def test_a_timeout_of_a_library_while_connecting() -> None:
    """A timeout without an error number is one of ours."""
    assert isinstance(connect_fault(TimeoutError("timed out")), ExchangeTimeout)


@pytest.mark.parametrize(
    ("error", "label"),
    [
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)"), "tls: failed"),
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), "tls: closed early"),
        (ssl.SSLZeroReturnError(6, "TLS/SSL connection has been closed"), "tls: closed early"),
    ],
)
def test_errors_of_tls(error: ssl.SSLError, label: str) -> None:
    """TLS errors are named by OpenSSL's reason where it gives one."""
    assert tls_label(error) == label
    assert connect_fault(error).label == label
    assert isinstance(exchange_fault(error), Disconnected)
