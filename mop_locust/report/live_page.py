"""The page of a run that goes on: the report's own parts and charts, which a script keeps up to date."""

from __future__ import annotations

from typing import Final

from mop_locust.report.html import CHARTS, head

POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)
"""Its scripts come from the page's own host, never from its text; it asks nobody else for anything."""

SCRIPTS: Final = ("plotly.js", "charts.js", "live.js")

_SECTIONS: Final = (
    ("Calls", "calls"),
    ("Stages", "stages"),
    ("Also measured", "also"),
    ("Errors", "errors"),
    ("Workers", "workers"),
)


def render(folder: str) -> str:
    """The empty page; what it shows and its scripts are asked for below `folder`, a relative address such as `mop`."""
    tables = "".join(_section(title, _part(part)) for title, part in _SECTIONS)
    scripts = "".join(f'<script src="{folder}/{name}"></script>\n' for name in SCRIPTS)
    return (
        f"{head('mop-locust', POLICY)}"
        f'<body data-folder="{folder}">\n'
        '<p class="soft"><a href="./">Locust: start, stop, edit</a></p>\n'
        f'<p id="connection" class="lost" role="status"></p>\n{_part("refused")}{_part("head")}'
        f"{_section('Thresholds', _part('thresholds'))}"
        f'<section class="moving">\n<h2>Course of the run</h2>\n{CHARTS}</section>\n{tables}'
        f"{_section('Reports of this process', _REPORTS)}{scripts}</body>\n</html>\n"
    )


_REPORTS: Final = '<ul data-part="reports"></ul>\n'


def _part(name: str) -> str:
    return f'<div data-part="{name}"></div>\n'


def _section(title: str, content: str) -> str:
    return f"<section hidden>\n<h2>{title}</h2>\n{content}</section>\n"
