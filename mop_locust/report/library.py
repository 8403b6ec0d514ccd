"""The scripts of the charts: plotly.js as its Python package brings it, and our own beside it."""

from __future__ import annotations

import base64
import functools
import hashlib
from importlib import resources
from typing import Final

PLOTLY: Final = "plotly.js"


@functools.cache
def script(name: str) -> str:
    """The text of a script, read when it is first needed.

    `plotly.js` (5 MB) draws charts; of ours, `charts.js` draws a course, `still.js` starts it, `live.js` keeps one up to date,
    `curve.js` draws what a search for a capacity found.
    """
    package, path = ("plotly", "package_data/plotly.min.js") if name == PLOTLY else ("mop_locust.report", name)
    return _inlined(resources.files(package).joinpath(path).read_text("utf-8"))


@functools.cache
def source_hash(text: str) -> str:
    """What a Content-Security-Policy calls an inlined script or style: `'sha256-…'`."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _inlined(text: str) -> str:
    """The script without what would end its element: outside of a text neither can stand in one."""
    return text.replace("</script", "<\\/script").replace("<!--", "<\\!--")
