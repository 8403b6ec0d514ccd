"""The command `mop-locust` and its subcommands.

Everything dear is imported where it is used, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="mop-locust", description="Load tests that you can trust, for MOP and MCP servers.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run",
        help="run scenarios and judge them",
        usage="mop-locust run SCENARIO|FILE ...|all [--workers N] [Locust options]",
        epilog="Every Locust option and every --mop-... option may follow; mop-locust run SCENARIO --locust-help lists them.",
    )
    run.add_argument("--workers", metavar="N", default="0", help="worker processes (0: one process makes the load and judges it)")
    run.add_argument("--server-bin", metavar="FILE", default="", help="of mission: start this server, not the embedded one")
    run.add_argument("--runs", metavar="N", default="", help="of mission without a target: how many pairs of runs (6)")
    run.add_argument("--locust-help", action="store_true", help="show every option that Locust and the suite take")
    serve = commands.add_parser("serve", help="start the embedded MOP server")
    from mop_locust.server.faults import FAULTS
    from mop_locust.server.options import add_arguments

    add_arguments(serve)
    commands.add_parser(
        "master",
        help="lead a run with workers on several hosts",
        usage="mop-locust master [SCENARIO|FILE] [--ui] [Locust options]",
        epilog="Headless unless --ui asks for Locust's web UI. --expect-workers N waits for so many workers.",
    )
    commands.add_parser(
        "worker",
        help="make load for a master",
        usage="mop-locust worker HOST[:PORT] [SCENARIO|FILE] [Locust options]",
        epilog="Without a scenario it serves every one that comes with the suite. --processes N makes it N workers.",
    )
    keygen = commands.add_parser("keygen", help="make a key for the link between master and workers")
    keygen.add_argument("folder", metavar="DIR", help="where cluster.key is written")
    commands.add_parser("check", help="look at the target without loading it", add_help=False)
    explain = commands.add_parser("thresholds", help="explain and check thresholds")
    explain.add_argument("scenarios", nargs="*", metavar="SCENARIO|FILE", help="whose thresholds (all of them)")
    explain.add_argument("--mop-threshold", action="append", default=[], metavar="'METRIC: EXPR'", help="one more; repeatable")

    prove = commands.add_parser("prove", help="show that each fault of a server turns a threshold red")
    prove.add_argument("scenarios", nargs="*", metavar="SCENARIO|FILE", help="names or files (the three of the k6 scripts)")
    prove.add_argument("--fault", choices=tuple(FAULTS), action="append", default=[], help="only this one; repeatable (all)")

    from mop_locust.commands.arguments import add_ab, add_capacity, add_compare, add_judge, add_release, add_report, add_soak

    for add in (add_report, add_judge, add_compare, add_ab, add_capacity, add_release, add_soak):
        add(commands)
    words = list(sys.argv[1:] if argv is None else argv)
    scenarios: list[str] = []
    if words[:1] in (["master"], ["worker"]) and not {"-h", "--help"}.intersection(words):
        from mop_locust.commands import hosts

        return hosts.master(words[1:]) if words[0] == "master" else hosts.worker(words[1:])
    if words[:1] in (["run"], ["release"], ["soak"]):
        # They stand before Locust's options: behind one of those, argparse would take its value for a scenario.
        ahead = words[3:] if words[1:2] == ["--workers"] else words[1:]
        scenarios = list(itertools.takewhile(lambda word: not word.startswith("-"), ahead))
        begin = len(words) - len(ahead)
        del words[begin : begin + len(scenarios)]
    chosen, rest = parser.parse_known_args(words)
    if rest and chosen.command in ("serve", "thresholds", "prove", "report", "judge", "compare", "keygen"):
        parser.error(f"unknown: {' '.join(rest)}")
    if chosen.command == "serve":
        from mop_locust.server.run import main as serve_main

        return serve_main(chosen)
    if chosen.command == "run":
        from mop_locust.commands.run import run_scenarios, wants_servers

        if not chosen.locust_help:
            if wants_servers(scenarios, rest):
                from mop_locust.commands.mission import PAIRS, run_pairs

                return run_pairs(scenarios[0], chosen.server_bin, chosen.runs or PAIRS, chosen.workers, rest)
            if chosen.server_bin or chosen.runs:
                parser.error("--server-bin and --runs belong to mop-locust run mission without a target")
        return run_scenarios(scenarios, chosen.workers, ["--help", *rest] if chosen.locust_help else rest)
    if chosen.command == "check":
        from mop_locust.commands.check import check

        return check(rest)
    if chosen.command == "keygen":
        from mop_locust.commands.keygen import keygen as make_key

        return make_key(chosen.folder)
    if chosen.command == "prove":
        from mop_locust.commands.prove import prove as prove_scenarios

        return prove_scenarios(chosen.scenarios, chosen.fault)
    if chosen.command == "report":
        from mop_locust.commands.report import report

        return report(chosen.folders)
    if chosen.command == "judge":
        from mop_locust.commands.judge import judge_again

        return judge_again(chosen.folders, chosen.mop_threshold)
    if chosen.command == "compare":
        from mop_locust.commands.compare import compare

        return compare(chosen)
    if chosen.command == "ab":
        from mop_locust.commands.ab import ab

        return ab(chosen, rest)
    if chosen.command == "capacity":
        from mop_locust.commands.capacity import capacity

        return capacity(chosen, rest)
    if chosen.command == "release":
        from mop_locust.commands.release import release

        return release(chosen, scenarios, rest)
    if chosen.command == "soak":
        from mop_locust.commands.soak import soak

        return soak(chosen, scenarios, rest)
    from mop_locust.commands.thresholds import explain_thresholds

    return explain_thresholds(chosen.scenarios, chosen.mop_threshold)


if __name__ == "__main__":
    sys.exit(main())
