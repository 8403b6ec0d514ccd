"""The scripts of the charts."""

from __future__ import annotations

import subprocess
import sys

from mop_locust.report import library


def test_plotly_is_the_one_of_its_package() -> None:
    """Whole, read once, and unable to end its own element."""
    script = library.script("plotly.js")
    assert "plotly.js v" in script[:200]
    assert script is library.script("plotly.js")
    assert "</script" not in script
    assert "<!--" not in script


def test_our_scripts_are_there() -> None:
    """Each by its name, for what it is."""
    assert "function drawCourse(" in library.script("charts.js")
    assert "MOP.drawCourse(" in library.script("still.js")
    assert "arrivals a second" in library.script("curve.js")
    assert "data.json" in library.script("live.js")


def test_a_script_is_known_by_its_hash() -> None:
    """As `echo -n | openssl dgst -sha256 -binary | base64` gives it."""
    assert library.source_hash("") == "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"


def test_nothing_of_plotly_is_loaded_before_a_report_is_written() -> None:
    """Neither its Python part, at any time, nor its script when the reports are imported."""
    code = (
        "import sys, mop_locust.report.html as page, mop_locust.report.library as library;"
        "assert 'plotly' not in sys.modules; assert library.script.cache_info().misses == 0;"
        "library.script('plotly.js'); assert 'plotly.graph_objects' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
