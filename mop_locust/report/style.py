"""The style sheet of `report.html`, apart from its content because a security policy names it by its hash."""

from __future__ import annotations

from typing import Final

from mop_locust.report.library import source_hash

_LIGHT: Final = """
  color-scheme: light; --page: #fff; --ink: #1b1f24; --soft: #57606a; --line: #d8dee4; --band: #f6f8fa;
  --good: #1a7f37; --bad: #b3261e; --warn: #8a5a00; --blue: #0a5fb4;
"""
_DARK: Final = """
  color-scheme: dark; --page: #0f1419; --ink: #e6e8ea; --soft: #9aa4ae; --line: #2d343c; --band: #171d24;
  --good: #5fd38d; --bad: #ff8a80; --warn: #e3b341; --blue: #6cb6ff;
"""

CSS: Final = f"""
:root {{{_LIGHT}}}
@media (prefers-color-scheme: dark) {{ :root {{{_DARK}}} }}
@media print {{ :root {{{_LIGHT}}} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 78rem; background: var(--page); color: var(--ink);
  font: 15px/1.45 system-ui, sans-serif; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.6rem; margin: 0 0 .5rem; }}
h2 {{ font-size: 1.1rem; margin: 2rem 0 .5rem; }}
p, ul {{ margin: .4rem 0; }}
ul {{ padding-left: 1.2rem; }}
.verdict {{ border-left: 6px solid var(--bad); background: var(--band); padding: .6rem .9rem; margin: .8rem 0; }}
.verdict.good {{ border-color: var(--good); }}
.verdict.warn {{ border-color: var(--warn); }}
.verdict strong {{ font-size: 1.15rem; }}
.soft {{ color: var(--soft); }}
a {{ color: var(--blue); }}
.lost {{ color: var(--bad); font-weight: 600; }}
.lost:empty {{ display: none; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; margin: .3rem 0 1rem; font-variant-numeric: tabular-nums; }}
caption {{ text-align: left; font-weight: 600; padding: .3rem 0; }}
th, td {{ padding: .3rem .6rem; text-align: left; vertical-align: top; overflow-wrap: normal;
  border-bottom: 1px solid var(--line); }}
th:first-child, td:first-child {{ padding-left: 0; }}
thead th {{ color: var(--soft); font-weight: 500; white-space: nowrap; }}
tbody th {{ font-weight: 500; min-width: 9rem; overflow-wrap: anywhere; }}
td.text {{ min-width: 7rem; overflow-wrap: anywhere; }}
th.figure, td.figure {{ text-align: right; white-space: nowrap; }}
tr.bad th, tr.bad td:first-of-type {{ color: var(--bad); }}
tr {{ break-inside: avoid; }}
figure {{ margin: .8rem 0 0; }}
figcaption {{ display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; }}
#charts figcaption {{ font-weight: 600; }}
#charts figcaption .soft {{ font-weight: 400; }}
svg {{ display: block; width: 100%; height: 5.5rem; background: var(--band); border-bottom: 1px solid var(--line); }}
path {{ fill: none; stroke: var(--blue); stroke-width: 1.5px; vector-effect: non-scaling-stroke; }}
path.failures {{ stroke: var(--bad); }}
path.latency {{ stroke: var(--warn); }}
#charts svg {{ background: none; border: 0; height: 100%; width: 100%; overflow: hidden; }}
#charts figure, #charts .plot {{ min-width: 0; }}
#charts .plot {{ position: relative; overflow: hidden; }}
#charts .plot::after {{ content: ""; position: absolute; left: var(--at, -9px); top: 26px; bottom: 26px; width: 1px;
  background: var(--soft); opacity: .6; pointer-events: none; }}
#charts path {{ fill: unset; stroke: unset; stroke-width: unset; }}
.moving, .drawn .still {{ display: none; }}
.drawn .moving {{ display: block; }}
.drawn #charts {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); gap: .4rem 1.5rem; }}
.axis {{ display: flex; justify-content: space-between; color: var(--soft); font-size: .85rem; }}
@media screen and (max-width: 42rem) {{
  .drag {{ display: none; }}
  thead {{ position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }}
  table, caption, tbody {{ display: block; }}
  tbody tr {{ display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: .2rem .6rem; padding: .5rem 0;
    border-bottom: 1px solid var(--line); }}
  tbody th, tbody td {{ display: block; border: 0; padding: 0; min-width: 0; }}
  tbody th {{ grid-column: 1 / -1; }}
  td.text {{ grid-column: span 2; }}
  td.figure {{ text-align: left; font-size: .85rem; }}
  td::before {{ content: attr(data-label); color: var(--soft); font-size: .75rem; display: block; }}
}}
@media print {{
  .moving, .drawn .moving, .drawn #charts {{ display: none; }}
  .drawn .still {{ display: block; }}
  body {{ max-width: none; padding: 0; font-size: 10pt; }}
  h2 {{ break-after: avoid; }}
  figure {{ break-inside: avoid; }}
  a {{ color: var(--blue); }}
.lost {{ color: var(--bad); font-weight: 600; }}
.lost:empty {{ display: none; }}
.wide {{ overflow: visible; }}
  th, td {{ padding: .15rem .35rem; }}
}}
"""


def policy(*scripts: str) -> str:
    """A Content-Security-Policy under which these inlined scripts run, and no other; nothing can be fetched from anywhere.

    Plotly sets styles of its own while it draws; without a request, an image or a font a style can tell nothing to anybody.
    """
    sources = " ".join(source_hash(script) for script in scripts)
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src {sources}; img-src data:; {_NO_WAY_OUT}"


_NO_WAY_OUT: Final = "base-uri 'none'; form-action 'none'"

POLICY: Final = f"default-src 'none'; style-src {source_hash(CSS)}; {_NO_WAY_OUT}"
"""The policy of a page without charts: this style sheet and nothing else."""
