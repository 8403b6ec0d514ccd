"""The Grafana dashboard is what its generator makes."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "grafana"


def generator() -> ModuleType:
    """deploy/grafana/dashboard.py, which is no part of a package."""
    spec = importlib.util.spec_from_file_location("dashboard", FOLDER / "dashboard.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_file_is_the_generated_one() -> None:
    """`python deploy/grafana/dashboard.py` makes it again."""
    assert (FOLDER / "dashboards" / "mop-locust.json").read_text() == generator().text()


def test_no_two_panels_stand_in_the_same_place() -> None:
    """Every cell of the grid at most once, every panel with an id of its own, every query at the chosen data source."""
    panels = json.loads(generator().text())["panels"]
    cells: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        own = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not own & cells, panel["title"]
        assert max(x for x, _ in own) < 24
        cells |= own
        for target in panel.get("targets", []):
            assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert len({panel["id"] for panel in panels}) == len(panels)
    rows = [panel["title"] for panel in panels if panel["type"] == "row"]
    assert rows == [
        "Verdict and run",
        "Rates offered and achieved",
        "Latency",
        "Failures",
        "Sessions and streams",
        "Load generators",
        "Server",
    ]
