"""The page of a run that goes on."""

from __future__ import annotations

import re

from mop_locust.report.html import fragments
from mop_locust.report.live_page import POLICY, render
from tests.unit.report.sample_summary import red_summary


def test_it_has_a_place_for_each_part() -> None:
    """Those of the report, why nothing was started, and the reports."""
    parts = re.findall('data-part="(.*?)"', render("mop"))
    assert sorted(parts) == sorted([*fragments(red_summary()), "refused", "reports"])
    assert parts[:3] == ["refused", "head", "thresholds"]


def test_its_scripts_come_from_its_own_host() -> None:
    """None stands in the page, none comes from elsewhere."""
    page = render("mop")
    assert re.findall("<script(.*?)>(.*?)</script>", page) == [
        (' src="mop/plotly.js"', ""),
        (' src="mop/charts.js"', ""),
        (' src="mop/live.js"', ""),
    ]
    assert f'content="{POLICY}"' in page
    assert "script-src 'self'; connect-src 'self';" in POLICY
    assert "//" not in page.partition("<body")[2]
