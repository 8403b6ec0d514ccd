"""Locust's web UI with ours beside it: the page /mop, tabs, and a start form that says what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, Response, abort, request, send_from_directory
from locust.util.timespan import parse_timespan

from mop_locust.config import SETTINGS
from mop_locust.report import library, live_page
from mop_locust.swarm.judging.conductor import Conductor
from mop_locust.swarm.views.live import LiveRun
from mop_locust.swarm.views.tabs import TABLES, TABS, tab_rows

PAGE: Final = "mop"
FILES: Final = ("report.html", "summary.json", "summary.md", "junit.xml", "windows.csv", "manifest.json")
ROOT: Final = '<div id="root">'  # where Locust's page puts itself
LINK: Final = (
    f'<a href="./{PAGE}" style="display:block;padding:5px 24px;background:#14532d;color:#fff;font:14px sans-serif;'
    'text-align:right">MOP: live charts, verdict, reports</a>'
)


def join_web_ui(environment: Any, conductor: Conductor) -> None:
    """Adds our routes and tabs to the web UI, where there is one; each route asks for the login that Locust's own ask for."""
    ui = environment.web_ui
    if ui is None:
        return
    ui.template_args |= {
        "extended_tabs": TABS,
        "extended_tables": TABLES,
        "extended_csv_files": [{"href": f"./{PAGE}", "title": "mop-locust: live charts, verdict, reports"}],
    }
    base = environment.parsed_options.web_base_path or ""
    ui.app.register_blueprint(_routes(conductor, ui.auth_required_if_enabled, f"{base}/{PAGE}"))
    views = ui.app.view_functions
    views["locust.swarm"] = ui.auth_required_if_enabled(_checked_start(environment, conductor, views["locust.swarm"]))
    ui._update_shape_class = _with_stages(conductor, ui._update_shape_class)
    ui.app.after_request(lambda response: _with_ours(conductor, response))


def _routes(conductor: Conductor, closed: Callable[[Any], Any], path: str) -> Blueprint:
    live, routes = LiveRun(conductor), Blueprint(PAGE, __name__, url_prefix=path)
    page = live_page.render(PAGE)

    @routes.route("")
    @closed
    def show() -> Response:
        return _answer(page, "text/html", "no-store")

    @routes.route("/data.json")
    @closed
    def news() -> Response:
        return _answer(live.answer(request.args.get("since", "")), "application/json", "no-store")

    @routes.route("/<name>")
    @closed
    def script(name: str) -> Response:
        if name not in live_page.SCRIPTS:
            abort(404)
        answer = _answer(library.script(name), "text/javascript", "private, no-cache")
        answer.add_etag()
        answer.make_conditional(request)
        return answer

    @routes.route("/report/<folder>/<name>")
    @closed
    def report(folder: str, name: str) -> Response:
        if folder not in conductor.folders or name not in FILES:
            abort(404)
        response: Response = send_from_directory(conductor.folders[folder].resolve(), name)
        return _guarded(response, "private, no-cache")

    return routes


def _answer(content: str | bytes, kind: str, caching: str) -> Response:
    return _guarded(Response(content, content_type=f"{kind}; charset=utf-8"), caching)


def _guarded(response: Response, caching: str) -> Response:
    response.headers["Cache-Control"] = caching
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    return response


def _checked_start(environment: Any, conductor: Conductor, start: Callable[[], Response]) -> Callable[[], Response]:
    """Returns the view behind the start button: it answers with what is wrong, in the shape that the form shows, or starts."""

    def swarm() -> Response:
        options, host = environment.parsed_options, environment.host
        before = dict(vars(options))
        try:
            users = int(request.form.get("user_count", "0"))
            _take_form(environment)
        except ValueError:
            return start()  # Locust says what is wrong with its own fields
        # With a class picker the scenarios are chosen only in there; a mistake is told on the page /mop then.
        mistakes = [] if environment.web_ui.userclass_picker_is_active else conductor.prepare(users)
        if mistakes:
            vars(options).update(before)
            environment.host = host
            message = " · ".join(["Nothing was started", *mistakes])
            return _answer(json.dumps({"success": False, "message": message, "host": host}), "application/json", "no-store")
        answer = start()
        if not (answer.get_json(silent=True) or {}).get("success"):
            conductor.forget()
        return answer

    return swarm


def _with_stages(conductor: Conductor, choose: Callable[[Any], None]) -> Callable[[Any], None]:
    """Returns Locust's choice of a load shape, which a class picker asks for, with stages before it where there are any."""

    def chosen(name: Any) -> None:
        choose(name)
        conductor.preparation.follow_stages()

    return chosen


def _take_form(environment: Any) -> None:
    """Sets the options that a run is prepared from as Locust will; ValueError for a run time that cannot be read."""
    form, options = request.form, environment.parsed_options
    run_time = form.get("run_time", "")
    options.run_time = parse_timespan(run_time) if run_time else None
    for setting in SETTINGS:
        if setting.dest in form:
            setattr(options, setting.dest, form[setting.dest])
    if "host" in form:
        environment.host = form["host"].replace("<", "").replace(">", "")


def _with_ours(conductor: Conductor, response: Response) -> Response:
    """Puts the rows of our tabs into Locust's statistics, and a link to our page into its own."""
    if response.status_code != 200:
        return response
    if request.endpoint == "locust.request_stats":
        statistics = response.get_json(silent=True)
        if isinstance(statistics, dict) and "stats" in statistics:
            statistics["extended_stats"] = tab_rows(conductor.live(), conductor.run)
            response.set_data(json.dumps(statistics))
    elif request.endpoint == "locust.index":
        response.set_data(response.get_data(as_text=True).replace(ROOT, LINK + ROOT, 1))
    return response
