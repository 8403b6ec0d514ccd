"""The link between master and workers: with the key of the swarm it is encrypted, and open to nobody without that key.

Locust's ZeroMQ sockets get CURVE keys before they listen or connect (RFC 26 of ZeroMQ; the authentication of clients is RFC 27).
Both key pairs are derived from the one key that all share: a worker knows the master by its public key, and the master lets
in only who has the workers' pair.
"""

from __future__ import annotations

import ipaddress
import logging
import os
from typing import Any

import gevent
import zmq
from locust.rpc import zmqrpc
from zmq.utils import z85

from mop_locust.config import ClusterKey, ConfigError, read_api_key, read_cluster_key
from mop_locust.swarm.link.master_watch import MasterWatch
from mop_locust.swarm.refusal import say_mistakes
from mop_locust.verdict.exit_codes import CONFIGURATION

DOMAIN = b"mop-locust"
LOOPBACK = "127.0.0.1"

logger = logging.getLogger("mop_locust")


def lock_link() -> None:
    """Prepares each socket that Locust opens from now on, by the key that the environment names, if it names one."""
    socket_class: Any = zmqrpc.BaseSocket
    open_socket = socket_class.__init__

    def opened(link: Any, kind: int, ipv4_only: bool) -> None:
        open_socket(link, kind, ipv4_only)
        if kind == zmq.ROUTER:
            _lock_master(link.socket)
        else:
            _lock_worker(link)

    socket_class.__init__ = opened


def _lock_master(socket: Any) -> None:
    try:
        key = read_cluster_key(os.environ)
    except ConfigError:
        key = ClusterKey.new()  # nobody gets in; `init` tells the mistake together with all others
    if key is None:
        return
    socket.curve_secretkey = _pair(key, "master")[1]
    socket.curve_server = True
    socket.zap_domain = DOMAIN
    socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)  # without somebody who answers for the domain, nobody gets in
    answers = socket.context.socket(zmq.REP)
    answers.bind("inproc://zeromq.zap.01")
    gevent.spawn(_let_in, answers, _pair(key, "worker")[0])


def _let_in(answers: Any, public: bytes) -> None:
    """Answers whether a peer may come in (RFC 27): one that has proven that it has the workers' pair."""
    while True:
        version, request, _domain, _address, _identity, mechanism, *credentials = answers.recv_multipart()
        known = mechanism == b"CURVE" and len(credentials) == 1 and z85.encode(credentials[0]) == public
        answers.send_multipart([version, request, b"200" if known else b"400", b"", b"", b""])


def _lock_worker(link: Any) -> None:
    try:
        key = read_cluster_key(os.environ)
    except ConfigError as error:
        mistakes = error.mistakes
        try:
            read_api_key(os.environ)
        except ConfigError as more:
            mistakes += more.mistakes
        say_mistakes(mistakes)
        raise SystemExit(CONFIGURATION) from None
    if key is not None:
        link.socket.curve_serverkey = _pair(key, "master")[0]
        link.socket.curve_publickey, link.socket.curve_secretkey = _pair(key, "worker")
    link.mop_watch = MasterWatch(link.socket, has_key=key is not None)


def _pair(key: ClusterKey, role: str) -> tuple[bytes, bytes]:
    """Returns the public and the secret key of a role, as ZeroMQ takes them."""
    secret = z85.encode(key.derived(role))
    return zmq.curve_public(secret), secret


def has_key() -> bool:
    """Whether the environment names a key of the swarm, right or wrong."""
    return bool(os.environ.get("MOP_CLUSTER_KEY") or os.environ.get("MOP_CLUSTER_KEY_FILE"))


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def say_where_it_listens(host: str, port: int) -> None:
    """Says who can reach the master, where that may surprise."""
    if has_key():
        return
    if is_loopback(host):
        logger.info("the master listens on %s:%d, for workers of this machine; for others see `mop-locust keygen`", host, port)
    else:
        where = "every address" if host in ("*", "0.0.0.0", "::") else host
        logger.warning(
            "the master listens on %s, port %d, without a key: whoever reaches it can join, read and disturb this run; "
            "`mop-locust keygen` makes a key",
            where,
            port,
        )
