"""`capacity.html`: the curve as a chart and as a table, in one file that opens offline and where no script runs."""

from __future__ import annotations

from typing import Final

from mop_locust.capacity.result import Capacity
from mop_locust.capacity.words import COLUMNS, GROUPS, cells, head_parts, in_order, mark, remarks
from mop_locust.report import library
from mop_locust.report.document import encode_json
from mop_locust.report.html import head
from mop_locust.report.style import policy
from mop_locust.report.text import CUT_PROSE, html

SCRIPTS: Final = ("plotly.js", "curve.js")


def page(capacity: Capacity) -> str:
    """The whole page; every text in it goes through `text.html`, so none of a server can become markup."""
    colour = "bad" if capacity.exit_code == 3 else "warn" if capacity.exit_code else "good"
    notes = "".join(f"<p>{html(text, CUT_PROSE)}</p>\n" for text in remarks(capacity))
    return (
        head(html(f"Capacity: {capacity.scenario}"), policy(*map(library.script, SCRIPTS)))
        + f"<body>\n<header>\n<h1>Capacity of {html(capacity.scenario)}</h1>\n"
        f'<p class="soft">{" · ".join(map(html, head_parts(capacity)))}</p>\n'
        f'<div class="verdict {colour}">\n<p><strong>{html(capacity.sentence, CUT_PROSE)}</strong></p>\n'
        f"{notes}</div>\n</header>\n"
        '<section class="moving">\n<h2>Rate against latency</h2>\n<div id="charts"></div>\n</section>\n'
        f"<section>\n<h2>Steps</h2>\n{_table(capacity)}{_reasons(capacity)}</section>\n{_scripts(capacity)}</body>\n</html>\n"
    )


def _table(capacity: Capacity) -> str:
    over = "".join(f'<th scope="colgroup" colspan="{width}">{name}</th>' for name, width in GROUPS)
    kinds = ["text", *["figure"] * (len(COLUMNS) - 1)]
    names = "".join(f'<th scope="col" class="{kind}">{name}</th>' for kind, name in zip(kinds, COLUMNS, strict=True))
    rows = []
    for step in in_order(capacity):
        rate, *others = cells(step)
        figures = "".join(
            f'<td class="figure" data-label="{name}">{html(text)}</td>' for name, text in zip(COLUMNS[1:], others, strict=True)
        )
        bad = ' class="bad"' if step.why else ""
        rows.append(f'<tr{bad}><th scope="row">{rate} {html(mark(capacity, step))}</th>{figures}</tr>\n')
    return (
        f'<div class="wide"><table>\n<thead><tr>{over}</tr>\n<tr>{names}</tr></thead>\n'
        f"<tbody>\n{''.join(rows)}</tbody>\n</table></div>\n"
    )


def _reasons(capacity: Capacity) -> str:
    """Why steps did not hold, in the order in which they were made."""
    items = [f"<li>{html(f'{cells(step)[0]}: {step.why}', CUT_PROSE)}</li>\n" for step in capacity.steps if step.why]
    return f"<ul>\n{''.join(items)}</ul>\n" if items else ""


def _scripts(capacity: Capacity) -> str:
    drawn = {"steps": in_order(capacity), "holds": capacity.holds, "knee": capacity.knee}
    content = encode_json(drawn).decode().replace("<", "\\u003c")
    scripts = "".join(f"<script>{library.script(name)}</script>\n" for name in SCRIPTS)
    return f'<script type="application/json" id="curve">{content}</script>\n{scripts}'
