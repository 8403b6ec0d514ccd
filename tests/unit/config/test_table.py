"""The table itself: names, options, attributes, typing errors and the README's copy."""

from __future__ import annotations

import pytest

from mop_locust.config import NOT_SETTINGS, SETTINGS, Settings, readme_table, unknown_variables
from mop_locust.protocol.mcp import REVISIONS


def test_names_are_unique_and_made_from_one_another() -> None:
    """Option, argparse name and attribute follow from the variable's name."""
    by_name = {setting.name: setting for setting in SETTINGS}
    assert len(by_name) == len(SETTINGS)
    sleep = by_name["MOP_WS_SLEEP_MS"]
    assert (sleep.option, sleep.dest, sleep.attribute) == ("--mop-ws-sleep-ms", "mop_ws_sleep_ms", "ws_sleep")
    assert tuple(setting.attribute for setting in SETTINGS) == Settings.__struct_fields__
    assert not NOT_SETTINGS.intersection(by_name)


def test_help_is_one_sentence() -> None:
    """Each row explains itself, and nothing in it breaks the README's table."""
    for setting in SETTINGS:
        assert setting.help.endswith(".")
        assert "\n" not in setting.help
        assert "|" not in setting.help + setting.allowed + setting.default


def test_revisions_are_those_of_the_protocol() -> None:
    """The choice and the protocol know the same revisions."""
    allowed = next(setting.allowed for setting in SETTINGS if setting.name == "MOP_PROTOCOL_VERSION")
    assert sorted(allowed.replace(" or ", ", ").split(", ")) == sorted(REVISIONS)


@pytest.mark.parametrize(
    ("environ", "sentences"),
    [
        ({"MOP_WS_VUS": "1", "MOP_API_KEY": "k", "MOPS": "x", "PATH": "/bin", "MOP_SERVER_KEY": "k"}, []),
        ({"MOP_WS_VU": "CANARY"}, ["MOP_WS_VU is no variable of mop-locust; did you mean MOP_WS_VUS?"]),
        ({"mop_ws_vus": "1"}, ["mop_ws_vus is no variable of mop-locust; did you mean MOP_WS_VUS?"]),
        ({"MOP_APIKEY": "CANARY"}, ["MOP_APIKEY is no variable of mop-locust; did you mean MOP_API_KEY?"]),
        ({"MOP_Z": "", "MOP_A": ""}, ["MOP_A is no variable of mop-locust", "MOP_Z is no variable of mop-locust"]),
        ({"MOP_LINK_SECRET": "x"}, []),
    ],
)
def test_unknown_variables(environ: dict[str, str], sentences: list[str]) -> None:
    """A typing error is named with the nearest name, sorted, without its value."""
    assert unknown_variables(environ, known=["MOP_LINK_SECRET"]) == sentences


def test_readme_table_has_a_row_for_each_setting() -> None:
    """The README's table is made from the same rows."""
    lines = readme_table().splitlines()
    assert len(lines) == 2 + len(SETTINGS)
    assert "| `MOP_WS_VUS` | `50` | a whole number from 1 to 1000000000 | Users of ws_connect_storm. |" in lines
    assert "| `MOP_THRESHOLDS` |  | any text | Thresholds 'METRIC{TAGS}: EXPR', one a line or between ';'. |" in lines
