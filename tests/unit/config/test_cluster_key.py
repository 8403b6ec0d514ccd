"""The key of the swarm: where it is read, what is refused, that it shows itself nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from mop_locust.config import ClusterKey, ConfigError, read_cluster_key

SECRET = "A-b_" * 10 + "xyz"


def test_none_is_given() -> None:
    """An empty variable is as good as none: that is how compose hands on what is not set."""
    assert read_cluster_key({}) is None
    assert read_cluster_key({"MOP_CLUSTER_KEY": "", "MOP_CLUSTER_KEY_FILE": ""}) is None


def test_it_is_read_from_the_variable_or_the_file(tmp_path: Path) -> None:
    """With or without a line end."""
    file = tmp_path / "cluster.key"
    found = [read_cluster_key({"MOP_CLUSTER_KEY": SECRET})]
    for end in ("", "\n", "\r\n"):
        file.write_text(SECRET + end, newline="")
        found.append(read_cluster_key({"MOP_CLUSTER_KEY_FILE": str(file)}))
    assert [key.secret for key in found if key] == [SECRET] * 4


@pytest.mark.parametrize("secret", ["short", SECRET + "x", SECRET[:-1], SECRET[:-1] + "!", "x y" + SECRET[3:], "ä" * 43])
def test_what_is_no_key_is_refused_and_not_shown(secret: str, tmp_path: Path) -> None:
    file = tmp_path / "cluster.key"
    file.write_text(secret)
    for environ in ({"MOP_CLUSTER_KEY": secret}, {"MOP_CLUSTER_KEY_FILE": str(file)}):
        with pytest.raises(ConfigError) as raised:
            read_cluster_key(environ)
        [name] = environ
        allowed = "43 letters, digits, - and _, as `mop-locust keygen` writes them"
        assert raised.value.mistakes == [f"{name}: what is given is no key of a swarm; allowed: {allowed}"]


def test_both_or_an_unreadable_file_are_refused(tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    with pytest.raises(ConfigError, match="both are given"):
        read_cluster_key({"MOP_CLUSTER_KEY": SECRET, "MOP_CLUSTER_KEY_FILE": missing})
    with pytest.raises(ConfigError, match=r"MOP_CLUSTER_KEY_FILE: .*none' cannot be read: No such file"):
        read_cluster_key({"MOP_CLUSTER_KEY_FILE": missing})


def test_each_role_has_bytes_of_its_own() -> None:
    """The same for everybody who has the key, and 256 bits of them."""
    key = ClusterKey(SECRET)
    assert key.derived("master") == ClusterKey(SECRET).derived("master")
    assert len({key.derived("master"), key.derived("worker"), ClusterKey.new().derived("master")}) == 3
    assert len(key.derived("master")) == 32
    # As RFC 5869 expands a key: HMAC-SHA256 of the label and the byte 1. It must not change: swarms of two versions would part.
    assert key.derived("master").hex() == "9f56c06242ae8c560feafd9d5365e9cdc62760574f9d83efe5cbf03079bca9a8"


def test_a_new_key_is_another_one_each_time_and_can_be_read() -> None:
    keys = {ClusterKey.new().secret for _ in range(20)}
    assert len(keys) == 20
    assert all(read_cluster_key({"MOP_CLUSTER_KEY": secret}) for secret in keys)


def test_it_shows_itself_in_no_text() -> None:
    assert SECRET not in f"{ClusterKey(SECRET)!r} {ClusterKey(SECRET)}"
