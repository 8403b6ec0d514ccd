"""Joins the suite to Locust's events: in every process when it starts, and then by what the process is."""

from __future__ import annotations

import logging
import os
from typing import Any

import gevent
import locust.runners
from locust import events
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from mop_locust.config import ApiKey, ConfigError, read_api_key, unknown_variables
from mop_locust.swarm.conductor import Conductor, Refused, say_mistakes
from mop_locust.swarm.generator import Generator
from mop_locust.swarm.iterations import ASK, DONE, GIVE
from mop_locust.swarm.options import add_options
from mop_locust.swarm.terminal import show_progress
from mop_locust.swarm.validity import REPORT_SECONDS
from mop_locust.swarm.worker import Worker
from mop_locust.verdict.exit_codes import CONFIGURATION

logger = logging.getLogger("mop_locust")


def join_locust() -> None:
    """Registers our listeners with Locust; called once, when the package is first used in a locustfile.

    State is made in `init`, which comes after the fork of `--processes`: nothing made here may differ between processes.
    """
    locust.runners.WORKER_REPORT_INTERVAL = REPORT_SECONDS
    events.init_command_line_parser.add_listener(lambda parser, **_: add_options(parser))
    events.init.add_listener(_start)


def _start(environment: Any, runner: Any, **_: Any) -> None:
    try:
        key = read_api_key(os.environ)
    except ConfigError as error:
        say_mistakes(error.mistakes)
        raise SystemExit(CONFIGURATION) from None
    if isinstance(runner, WorkerRunner):
        _start_worker(environment, runner, key)
        return
    for sentence in unknown_variables(os.environ):
        logger.warning(sentence)
    if isinstance(runner, MasterRunner):
        conductor = Conductor(environment, key, None)
        _join_master(runner, conductor)
    else:
        generator = Generator(environment, runner.client_id, key)
        conductor = Conductor(environment, key, generator)
        _join_single_process(environment, runner, conductor, generator)
    _lead(environment, conductor)


def _lead(environment: Any, conductor: Conductor) -> None:
    """What a master and a single process have in common."""
    try:
        settings = conductor.settings()
    except Refused as refusal:
        say_mistakes(refusal.mistakes)
        raise SystemExit(CONFIGURATION) from None
    conductor.set_defaults(settings)
    conductor.guard_start()
    if environment.parsed_options.headless:
        environment.process_exit_code = CONFIGURATION  # stands until a run was judged
    hooks = environment.events
    hooks.test_start.add_listener(lambda **_: conductor.begin())
    hooks.test_stopping.add_listener(lambda **_: conductor.drain())
    hooks.test_stop.add_listener(lambda **_: conductor.finish())
    hooks.quit.add_listener(lambda **_: conductor.say_all())
    show_progress(environment, conductor)
    # Locust sets the run-time timer next, from the loop's idea of now, which is as old as the imports are long.
    gevent.get_hub().loop.update_now()


def _join_single_process(environment: Any, runner: LocalRunner, conductor: Conductor, generator: Generator) -> None:
    generator.take_iteration = lambda scenario: conductor.stock is not None and conductor.stock.take(scenario, runner.client_id)
    generator.iteration_done = lambda scenario: conductor.stock.done(scenario, runner.client_id) if conductor.stock else None
    environment.mop = generator
    environment.events.quitting.add_listener(lambda **_: runner.stop())  # Ctrl-C: Locust itself stops only after the exit code
    runner.greenlet.spawn(_every_second, conductor.tick)


def _join_master(runner: MasterRunner, conductor: Conductor) -> None:
    def report(client_id: str, data: dict[str, Any], **_: Any) -> None:
        if isinstance(encoded := data.get("mop"), bytes):
            conductor.receive(client_id, encoded)

    def ask(msg: Any, **_: Any) -> None:
        granted = conductor.stock is not None and conductor.stock.take(msg.data["scenario"], msg.node_id)
        runner.send_message(GIVE, {"number": msg.data["number"], "granted": granted}, client_id=msg.node_id)

    def done(msg: Any, **_: Any) -> None:
        if conductor.stock is not None:
            conductor.stock.done(msg.data["scenario"], msg.node_id)

    def connected(client_id: str, **_: Any) -> None:
        conductor.give_order()  # a worker that joins late gets the time gone by with its spawn message
        if conductor.active:
            runner.send_message("mop_who", None, client_id=client_id)

    events.worker_report.add_listener(report)
    events.worker_connect.add_listener(connected)
    runner.register_message("mop_hello", lambda msg, **_: conductor.hello(msg.node_id, msg.data))
    runner.register_message("mop_drained", lambda msg, **_: conductor.drained(msg.node_id))
    runner.register_message(ASK, ask)
    runner.register_message(DONE, done)


def _start_worker(environment: Any, runner: WorkerRunner, key: ApiKey) -> None:
    generator = Generator(environment, runner.client_id, key)
    worker = Worker(environment, key, generator)
    environment.mop = generator

    def drain(**_: Any) -> None:
        worker.end()
        runner.send_message("mop_drained")

    hooks = environment.events
    hooks.test_start.add_listener(lambda **_: worker.begin())
    hooks.report_to_master.add_listener(lambda data, **_: worker.report(data))
    hooks.quitting.add_listener(lambda **_: worker.end())  # SIGTERM, Ctrl-C: the last report leaves before "quit" does
    runner.register_message("mop_who", lambda **_: worker.say_who())
    runner.register_message("mop_drain", drain, concurrent=True)
    runner.register_message("mop_ack", lambda msg, **_: worker.acknowledge(msg.data["run"], msg.data["window"]))
    runner.register_message(GIVE, lambda msg, **_: worker.given(msg.data["number"], msg.data["granted"]))


def _every_second(call: Any) -> None:
    while True:
        gevent.sleep(REPORT_SECONDS)
        call()
