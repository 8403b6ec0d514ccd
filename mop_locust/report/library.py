"""The scripts of the charts: plotly.js as its Python package brings it, and our own beside it."""

from __future__ import annotations

import base64
import functools
import hashlib
from importlib import resources


@functools.cache
def plotly() -> str:
    """The text of plotly.js, which draws the charts (5 MB; read once, when it is first needed)."""
    return _inlined(resources.files("plotly").joinpath("package_data/plotly.min.js").read_text("utf-8"))


@functools.cache
def own(name: str) -> str:
    """The text of a script of ours: `charts.js` draws a course, `live.js` keeps it up to date."""
    return _inlined(resources.files("mop_locust.report").joinpath(name).read_text("utf-8"))


@functools.cache
def source_hash(script: str) -> str:
    """What a Content-Security-Policy calls an inlined script: `'sha256-…'`."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _inlined(script: str) -> str:
    """The script without what would end its element: outside of a text neither can stand in one."""
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")
