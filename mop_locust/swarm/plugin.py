"""Joins the suite to Locust's events: in every process when it starts, and then by what the process is."""

from __future__ import annotations

import functools
import logging
import os
import resource
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import gevent
import locust.runners
import msgspec
from gevent.event import Event
from locust import argument_parser
from locust import events as locust_events
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from mop_locust.client.exchange import monotonic_us
from mop_locust.config import ApiKey, ConfigError, read_api_key, read_cluster_key, read_web_login, unknown_variables
from mop_locust.load.roster import Roster
from mop_locust.swarm.events import add_events
from mop_locust.swarm.generating import permits
from mop_locust.swarm.generating.generator import Generator
from mop_locust.swarm.generating.iterations import ASK, DONE, GIVE
from mop_locust.swarm.generating.worker import Worker
from mop_locust.swarm.judging.conductor import Conductor
from mop_locust.swarm.judging.sharing import ROSTER
from mop_locust.swarm.judging.validity import REPORT_SECONDS
from mop_locust.swarm.link.border import Border
from mop_locust.swarm.link.encryption import is_loopback, lock_link, say_where_it_listens
from mop_locust.swarm.link.family import end_children_at_exit
from mop_locust.swarm.link.faults import FaultWatch
from mop_locust.swarm.link.interrupt import leave, on_interrupt, shut_down_once
from mop_locust.swarm.link.master_watch import SILENT_SECONDS, leave_without_master
from mop_locust.swarm.options import add_options
from mop_locust.swarm.refusal import Refused, say_mistakes
from mop_locust.swarm.views.exports import Exports
from mop_locust.swarm.views.terminal import show_progress
from mop_locust.swarm.views.web import join_web_ui
from mop_locust.swarm.views.web_guard import guard
from mop_locust.verdict.exit_codes import CONFIGURATION, INVALID

events: Any = locust_events  # its methods carry no types

INIT_SECONDS = 30.0  # for a worker to fire `init` after it has connected

logger = logging.getLogger("mop_locust")


def join_locust() -> None:
    """Registers our listeners with Locust; called once, when the package is first used in a locustfile.

    State is made in `init`, which comes after the fork of `--processes`: nothing made here may differ between processes.
    """
    locust.runners.WORKER_REPORT_INTERVAL = REPORT_SECONDS
    locust.runners.MASTER_HEARTBEAT_TIMEOUT = SILENT_SECONDS
    add_events(events)
    lock_link()
    events.init_command_line_parser.add_listener(lambda parser, **_: add_options(parser))
    events.init.add_listener(_start)
    # A worker asks for these once for each option of each spawn message, which a ramp sends every second: a parser each time.
    argument_parser.default_args_dict = functools.cache(argument_parser.default_args_dict)
    worker_class: Any = WorkerRunner
    worker_class.handle_message = _after_init(worker_class.handle_message)


def _after_init(handle: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """Returns a `handle_message` that keeps a worker's spawn message until its `init` was fired.

    A worker says that it is ready before it has come so far, and a run that goes on gives it users at once. They would find
    nobody to measure them. When the message came is noted: Locust reads its options for a tenth of a second, and the run's clock
    goes on.
    """

    def handle_message(runner: Any, message: Any) -> None:
        if message.type == "spawn":
            runner.mop_spawned_us = monotonic_us()
            _ready(runner).wait(INIT_SECONDS)
        handle(runner, message)

    return handle_message


def _ready(runner: Any) -> Event:
    """Returns what is set when a worker's listeners are there."""
    ready: Event = runner.__dict__.setdefault("mop_ready", Event())
    return ready


def _start(environment: Any, runner: Any, **_: Any) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))  # a core would hold the keys
    mistakes: list[str] = []
    key = ApiKey("")
    try:
        key = read_api_key(os.environ)
    except ConfigError as error:
        mistakes += error.mistakes
    try:
        read_cluster_key(os.environ)  # the link has it already, and cannot tell what is wrong with it
    except ConfigError as error:
        mistakes += error.mistakes
    if isinstance(runner, WorkerRunner):
        if mistakes:
            _refuse(mistakes)
        _start_worker(environment, runner, key)
        return
    for sentence in unknown_variables(os.environ):
        logger.warning(sentence)
    if isinstance(runner, MasterRunner):
        conductor = Conductor(environment, key, None)
        _join_master(environment, runner, conductor)
    else:
        generator = Generator(environment, runner.client_id, key)
        conductor = Conductor(environment, key, generator)
        _join_single_process(environment, runner, conductor, generator)
    _lead(environment, conductor, mistakes)


def _refuse(mistakes: list[str]) -> NoReturn:
    say_mistakes(mistakes)
    raise SystemExit(CONFIGURATION)


def _lead(environment: Any, conductor: Conductor, mistakes: list[str]) -> None:
    """What a master and a single process have in common; nothing is started when there are mistakes."""
    options, runner = environment.parsed_options, environment.runner
    login = None
    try:
        login = read_web_login(os.environ) if environment.web_ui is not None else None
    except ConfigError as error:
        mistakes += error.mistakes
    if options.processes:
        end_children_at_exit()
    exports = Exports(environment, conductor)
    mistakes += exports.open()
    try:
        settings = conductor.preparation.settings()
    except Refused as refusal:
        _refuse([*mistakes, *refusal.mistakes, *conductor.preparation.contradictions()])
    mistakes += conductor.preparation.contradictions()
    if mistakes:
        _refuse(mistakes)
    if environment.web_ui is not None:
        guard(environment.web_ui, [*settings.web_hosts, options.web_host], login)
        if not options.web_login and not is_loopback(options.web_host):
            logger.warning("the web UI is open to whoever reaches port %d: see MOP_WEB_USER", options.web_port)
    conductor.preparation.set_defaults(settings)
    conductor.guard_start()
    if options.headless:
        environment.process_exit_code = CONFIGURATION  # stands until a run was judged
    hooks = environment.events
    _watch_faults(hooks, conductor.fault)
    hooks.test_start.add_listener(lambda **_: conductor.begin())
    hooks.test_stopping.add_listener(lambda **_: conductor.drain())
    hooks.test_stop.add_listener(lambda **_: conductor.finish())
    hooks.reset_stats.add_listener(lambda **_: conductor.reset())
    show_progress(environment, settings, conductor)  # before the next line: the screen is wiped before the verdict is said
    hooks.quit.add_listener(lambda **_: conductor.say_all())
    exports.join()
    runner.greenlet.spawn(_every_second, conductor.tick)
    leave_as_interrupted = shut_down_once(hooks)
    on_interrupt(lambda: None if exports.lingering else _interrupt(environment, conductor, leave_as_interrupted))
    join_web_ui(environment, conductor)
    if isinstance(runner, MasterRunner) and options.headless:
        _await_workers(environment, conductor, settings.expect_workers_at)
    if options.headless:
        conductor.prepare_ahead()
    # Locust sets the run-time timer next, from the loop's idea of now, which is as old as the imports are long.
    gevent.get_hub().loop.update_now()


def _interrupt(environment: Any, conductor: Conductor, leave_as_interrupted: Callable[[], None]) -> None:
    """Ctrl-C: ends a run in good order; without one, a headless process has nothing to judge."""
    if conductor.active:
        environment.runner.quit()
    elif environment.parsed_options.headless and conductor.run is None:
        print("mop-locust: stopped before the run began; nothing was measured", file=sys.stderr, flush=True)
        conductor.roll.dismiss()
        environment.runner.quit()
        leave(INVALID)
        return
    leave_as_interrupted()


def _await_workers(environment: Any, conductor: Conductor, name: str) -> None:
    """Waits for the expected workers in Locust's place: it would give up with 1, and leave those that came behind."""
    options = environment.parsed_options
    missing = conductor.roll.await_workers(options.expect_workers, name, options.expect_workers_max_wait or 0)
    if missing:
        print(f"mop-locust: gave up waiting for workers: {missing}; nothing was measured", file=sys.stderr, flush=True)
        environment.runner.quit()
        raise SystemExit(INVALID)


def _join_single_process(environment: Any, runner: LocalRunner, conductor: Conductor, generator: Generator) -> None:
    generator.take_iteration = lambda scenario: conductor.stock is not None and conductor.stock.take(scenario, runner.client_id)
    generator.iteration_done = lambda scenario: conductor.stock.done(scenario, runner.client_id) if conductor.stock else None
    generator.take_permits = lambda: conductor.permits.take(runner.client_id, 1) if conductor.permits else 0
    environment.mop = generator
    hooks = environment.events
    hooks.quitting.add_listener(lambda **_: runner.stop())  # SIGTERM: Locust itself stops only after the exit code
    hooks.spawning_complete.add_listener(lambda **_: generator.settle())
    if environment.reset_stats:
        hooks.spawning_complete.add_listener(lambda **_: conductor.reset_after_ramp_up())


def _join_master(environment: Any, runner: MasterRunner, conductor: Conductor) -> None:
    def report(client_id: str, data: dict[str, Any], **_: Any) -> None:
        if isinstance(encoded := data.get("mop"), bytes):
            conductor.receive(client_id, encoded)

    def ask(msg: Any, **_: Any) -> None:
        granted = conductor.stock is not None and conductor.stock.take(msg.data["scenario"], msg.node_id)
        runner.send_message(GIVE, {"number": msg.data["number"], "granted": granted}, client_id=msg.node_id)

    def done(msg: Any, **_: Any) -> None:
        if conductor.stock is not None:
            conductor.stock.done(msg.data["scenario"], msg.node_id)

    def permit(msg: Any, **_: Any) -> None:
        workers = max(1, len(conductor.roll.here))
        given = conductor.permits.take(msg.node_id, workers) if conductor.permits is not None else 0
        runner.send_message(permits.GIVE, {"permits": given}, client_id=msg.node_id)

    def connected(**_: Any) -> None:
        conductor.sharing.look(conductor.run)  # before the one that joins has its part of a ceiling
        conductor.give_order()  # a worker that joins late gets the time gone by with its spawn message

    options = environment.parsed_options
    say_where_it_listens(options.master_bind_host, options.master_bind_port)
    conductor.border = Border(runner, conductor.late_report)
    conductor.border.watch_handshakes(runner.server.socket)
    environment.events.quitting.add_listener(lambda **_: conductor.roll.dismiss())
    if environment.reset_stats:
        environment.events.spawning_complete.add_listener(lambda **_: conductor.reset_after_ramp_up())
    events.worker_report.add_listener(report)
    events.worker_connect.add_listener(connected)
    runner.register_message("mop_hello", lambda msg, **_: conductor.hello(msg.node_id, msg.data))
    runner.register_message("mop_drained", lambda msg, **_: conductor.workers_end.said(msg.node_id))
    runner.register_message("mop_fault", lambda msg, **_: conductor.fault(f"worker {msg.node_id}: {msg.data['fault']}"))
    runner.register_message(ASK, ask)
    runner.register_message(DONE, done)
    runner.register_message(permits.ASK, permit)


def _start_worker(environment: Any, runner: WorkerRunner, key: ApiKey) -> None:
    generator = Generator(environment, runner.client_id, key)
    worker = Worker(environment, key, generator)
    environment.mop = generator

    def drain(**_: Any) -> None:
        worker.end()
        runner.send_message("mop_drained")

    def interrupt() -> None:
        worker.end()
        leave_as_interrupted()

    hooks = environment.events
    hooks.test_start.add_listener(lambda **_: worker.begin())
    hooks.report_to_master.add_listener(lambda data, **_: worker.report(data))
    hooks.test_stop.add_listener(lambda **_: worker.last_word())
    hooks.quitting.add_listener(lambda **_: worker.end())  # SIGTERM, Ctrl-C: the last report leaves before "quit" does
    hooks.spawning_complete.add_listener(lambda **_: generator.settle())
    _watch_faults(hooks, worker.fault)
    leave_as_interrupted = shut_down_once(hooks)
    on_interrupt(interrupt)
    gevent.spawn(leave_without_master, runner)
    runner.register_message("mop_reset", lambda **_: worker.reset())
    runner.register_message("mop_who", lambda **_: worker.say_who())
    runner.register_message("mop_drain", drain, concurrent=True)
    runner.register_message("mop_ack", lambda msg, **_: worker.acknowledge(msg.data["run"], msg.data["window"]))
    runner.register_message(GIVE, lambda msg, **_: worker.given(msg.data["number"], msg.data["granted"]))
    runner.register_message(permits.GIVE, lambda msg, **_: worker.permitted(msg.data["permits"]))
    runner.register_message(ROSTER, lambda msg, **_: worker.turn(msgspec.convert(msg.data, Roster)))
    runner.register_message("mop_share", lambda msg, **_: worker.share(msg.data["workers"]))
    _ready(runner).set()
    worker.say_who()


def _watch_faults(hooks: Any, take: Callable[[str], None]) -> None:
    watch = FaultWatch(take)
    logging.getLogger().addHandler(watch)
    hooks.user_error.add_listener(watch.task_raised)


def _every_second(call: Any) -> None:
    while True:
        gevent.sleep(REPORT_SECONDS)
        call()
