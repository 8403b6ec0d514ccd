"""The arguments of the commands that work on runs, apart from their code: `--help` must not import that."""

from __future__ import annotations

import argparse
from typing import Any

FOLDERS = "run folders, or folders that hold some"
RUN_OPTIONS = "Every option of mop-locust run may follow; mop-locust run SCENARIO --locust-help lists them."


def add_report(commands: Any) -> None:
    """`mop-locust report`."""
    parser = commands.add_parser("report", help="make the reports of old runs again from their summaries")
    parser.add_argument("folders", nargs="+", metavar="FOLDER", help=FOLDERS)


def add_judge(commands: Any) -> None:
    """`mop-locust judge`."""
    parser = commands.add_parser("judge", help="judge old runs again, by other thresholds")
    parser.add_argument("folders", nargs="+", metavar="FOLDER", help=FOLDERS)
    parser.add_argument(
        "--mop-threshold",
        action="append",
        default=[],
        metavar="'METRIC: EXPR'",
        help="in place of those of its metric; repeatable; without any, each run is judged by its own",
    )


def add_compare(commands: Any) -> None:
    """`mop-locust compare`."""
    parser = commands.add_parser(
        "compare",
        help="compare two groups of runs: better, worse, same, cannot tell",
        description="The run is the sample. 5 runs a side can tell when at most 6 measures vary, 6 when 23 do, 7 when 85 do. "
        "Ends with 3 when anything is worse.",
    )
    parser.add_argument("base", metavar="BASE", help="a run folder, or a folder that holds some: the runs to compare with")
    parser.add_argument("new", metavar="NEW", help="the same, of the runs in question")
    _add_limits(parser)
    parser.add_argument("--json", metavar="FILE", default="", help="write the comparison there as JSON too")
    parser.add_argument("--markdown", metavar="FILE", default="", help="write it there as Markdown too")


def add_ab(commands: Any) -> None:
    """`mop-locust ab`."""
    parser = commands.add_parser(
        "ab",
        help="run a scenario against two servers in turn, and compare",
        usage="mop-locust ab SCENARIO|FILE --a URL --b URL [--runs N] [--workers N] [Locust options]",
        description="The runs go a b, b a, a b and so on, so that what drifts on the machine reaches both sides alike.",
        epilog=RUN_OPTIONS,
        allow_abbrev=False,
    )
    parser.add_argument("scenario", metavar="SCENARIO|FILE", help="one scenario")
    parser.add_argument("--a", required=True, metavar="URL", help="the server to compare with, as -H takes it")
    parser.add_argument("--b", required=True, metavar="URL", help="the server in question")
    _add_series(parser, "6")
    _add_limits(parser)


def add_capacity(commands: Any) -> None:
    """`mop-locust capacity`."""
    parser = commands.add_parser(
        "capacity",
        help="find the highest rate of arrivals that a server holds",
        usage="mop-locust capacity SCENARIO|FILE [--from RATE] [--to RATE] [--step-seconds N] [--resolution X] [--workers N] "
        "[Locust options]",
        description="Open load at rising rates: doubled while they hold, then what is left halved, and the best rate once more. "
        "Ends with 0 when the rate is known, 3 when none holds, 4 when the load generator is the limit.",
        epilog=RUN_OPTIONS,
        allow_abbrev=False,
    )
    parser.add_argument("scenario", metavar="SCENARIO|FILE", help="one scenario")
    parser.add_argument("--from", dest="first", type=float, default=10.0, metavar="RATE", help="the first rate a second (10)")
    parser.add_argument("--to", dest="last", type=float, default=10_000.0, metavar="RATE", help="the last one (10000)")
    parser.add_argument("--step-seconds", default="10", metavar="N", help="how long each rate is tried (10)")
    parser.add_argument("--resolution", type=float, default=0.05, metavar="X", help="the share that may stay unknown (0.05)")
    parser.add_argument("--workers", default="0", metavar="N", help="worker processes of each run (0: one process)")
    parser.add_argument("--mop-reports", default="", metavar="DIR", help="where the folder is made (MOP_REPORTS, or reports)")


def add_release(commands: Any) -> None:
    """`mop-locust release`."""
    parser = commands.add_parser(
        "release",
        help="run all scenarios several times and write the folder of a formal release",
        usage="mop-locust release [SCENARIO|FILE ...] --server-commit HASH [--runs N] [--workers N] [Locust options]",
        description="Without a scenario, the three of the k6 scripts. A run that is not valid makes no release: the command ends "
        "with 4 and says which.",
        epilog=RUN_OPTIONS,
        allow_abbrev=False,
    )
    parser.add_argument("--server-commit", "--mop-server-commit", default="", metavar="HASH", help="the server's git hash")
    _add_series(parser, "3")


def add_soak(commands: Any) -> None:
    """`mop-locust soak`."""
    parser = commands.add_parser(
        "soak",
        help="run for a long time and judge what drifts, of the server and of ourselves",
        usage="mop-locust soak [SCENARIO|FILE] [--minutes N] [--workers N] [Locust options]",
        description="Without a scenario, mixed; without a target (-H, MOP_HTTP_BASE, MOP_BASE_URL), a server is started: the "
        "program that MOP_SERVER_BIN names, or the embedded one. Ends with 3 when anything drifts.",
        epilog=RUN_OPTIONS,
        allow_abbrev=False,
    )
    parser.add_argument("--minutes", default="", metavar="N", help="how long (MOP_SOAK_MINUTES, or 60)")
    parser.add_argument("--workers", default="2", metavar="N", help="worker processes (2)")


def _add_series(parser: argparse.ArgumentParser, runs: str) -> None:
    parser.add_argument("--runs", default=runs, metavar="N", help=f"how many of each ({runs})")
    parser.add_argument("--workers", default="0", metavar="N", help="worker processes of each run (0: one process)")
    parser.add_argument("--mop-reports", default="", metavar="DIR", help="where the folder is made (MOP_REPORTS, or reports)")


def _add_limits(parser: argparse.ArgumentParser) -> None:
    for option, default, help_text in (
        ("--min-share", 0.1, "the least difference that counts, as a share of the base"),
        ("--min-ms", 1.0, "and in milliseconds, for latencies: both must be reached"),
        ("--min-rate", 0.001, "and from 0 to 1, for failure rates"),
        ("--alpha", 0.05, "the chance of any false alarm"),
    ):
        parser.add_argument(option, type=float, default=default, metavar="X", help=f"{help_text} ({default:g})")
    parser.add_argument("--allow-degraded", action="store_true", help="take degraded runs too")
    parser.add_argument("--allow-different", action="store_true", help="compare runs of different conditions; they are named")
