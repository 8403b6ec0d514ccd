"""The git hash of the server under test: given by the user, or asked from the server."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import gevent
import msgspec
import requests
from urllib3.exceptions import HTTPError

from mop_locust.config import Settings
from mop_locust.preflight import Findings
from mop_locust.report.provenance import ServerCommit

PAGES: Final = ("/health", "/.well-known/mcp-config")
SECONDS: Final = 2.0
MOST_BYTES: Final = 65536

_NAME: Final = re.compile(r"(?i)(git|vcs|build|source)?[-_. ]?(commit|revision|sha|hash)([-_. ]?(hash|sha|id))?")
_HASH: Final = re.compile(r"[0-9a-f]{7,64}(-dirty)?")
_BUILD: Final = re.compile(r"[+.-]g?([0-9a-f]{7,64})(?=$|[.-])")  # 0.1.4+abc1234, 0.1.4-12-gabc1234


def server_commit(settings: Settings, findings: Findings | None, transports: Collection[str]) -> ServerCommit:
    """Returns the hash that the user gave, else what /health, /.well-known/mcp-config or the version in `initialize` tells.

    The pages are asked for beside the endpoint that the scenarios use. A server that tells none is no error. Without the
    preflight, or when it failed, nothing is asked.
    """
    if settings.server_commit:
        return {"hash": settings.server_commit, "obtained": "given: MOP_SERVER_COMMIT or --server-commit"}
    if findings is None:
        return {"hash": None, "obtained": "not asked: MOP_PREFLIGHT is off"}
    if findings.target_faults:
        return {"hash": None, "obtained": "not asked: the preflight failed"}
    endpoint = settings.http_base if {"http", "sse"} & set(transports) else settings.base_url
    for page in PAGES:
        for found in hashes(_page(settings, endpoint, page)):
            return {"hash": found, "obtained": f"asked: {page}"}
    if found := build_hash(findings.server_version):
        return {"hash": found, "obtained": "asked: serverInfo.version of initialize"}
    return {
        "hash": None,
        "obtained": "unknown: neither /health, /.well-known/mcp-config nor initialize tells it; MOP_SERVER_COMMIT can",
    }


def hashes(page: object) -> Iterator[str]:
    """Gives every hash that stands under a telling name, such as `commit`, `git_sha` or `git: {hash}`, at any depth up to 4."""
    yield from _hashes(page, 4)


def _hashes(value: object, depth: int) -> Iterator[str]:
    if not isinstance(value, dict) or not depth:
        return
    for name, member in value.items():
        if isinstance(member, str) and _NAME.fullmatch(str(name)) and _HASH.fullmatch(member.strip().lower()):
            yield member.strip().lower()
        yield from _hashes(member, depth - 1)


def build_hash(version: str) -> str:
    """Returns the hash at the end of a version such as 0.1.4+abc1234 or 0.1.4-12-gabc1234; "" without one."""
    found = _BUILD.search(version[:200])
    return found[1] if found and re.search("[a-f]|[0-9]{7}", found[1]) else ""


def _page(settings: Settings, endpoint: str, path: str) -> Any:
    """Returns the JSON of a page beside an endpoint; None when there is none."""
    parts = urlsplit(endpoint)
    place = re.sub(r"/(mcp|ws)/*$", "", parts.path).rstrip("/")
    url = urlunsplit((parts.scheme.replace("ws", "http"), parts.netloc, place + path, "", ""))
    trusted = not settings.tls_insecure and (settings.tls_ca or True)
    with gevent.Timeout(SECONDS, False):  # a page that drips must not hold up the run
        try:
            with requests.get(url, timeout=SECONDS, allow_redirects=False, stream=True, verify=trusted) as response:
                if response.status_code == 200:
                    return msgspec.json.decode(response.raw.read(MOST_BYTES, decode_content=True))
        except (requests.RequestException, HTTPError, OSError, ValueError, RecursionError):
            return None
    return None
