"""What a scenario of federated calls asks of a server before the load: whose tools there are, and with that what to call."""

from __future__ import annotations

from pathlib import Path

from mop_locust.client import Client
from mop_locust.config import Settings
from mop_locust.federation.catalogue import HTTP_CATALOGUE, SOCKET_CATALOGUE, read_http_catalogue, read_socket_catalogue
from mop_locust.federation.planning import PlanError, make_plan, read_given
from mop_locust.preflight import Findings, blame
from mop_locust.protocol.errors import MopError, RemoteProtocolError, RpcError
from mop_locust.report.figures import plural


def look_for_plan(client: Client, settings: Settings, transports: set[str], findings: Findings) -> None:
    """Makes the plan of a run from the catalogue, over HTTP where the run speaks that."""
    over_http = bool(transports & {"http", "sse"})
    where = settings.http_base if over_http else settings.base_url
    try:
        given = read_given(Path(settings.fed_args).read_bytes()) if settings.fed_args else {}
        if over_http:
            with client.session() as session:
                contents = session.read_resource(HTTP_CATALOGUE).contents
            tools = read_http_catalogue((contents[0].text or "") if contents else "")
        else:
            with client.connect() as socket:
                tools = read_socket_catalogue(socket.request("resources/read", {"uri": SOCKET_CATALOGUE}))
        findings.plan = plan = make_plan(tools, given, settings.seed)
    except PlanError as error:
        findings.mistakes += error.mistakes
    except OSError as error:
        findings.mistakes.append(f"MOP_FED_ARGS (--mop-fed-args): {settings.fed_args!r} cannot be read: {error.strerror}")
    except (RemoteProtocolError, RpcError) as error:
        findings.mistakes.append(f"{where} has no catalogue of federated tools, which federated_calls needs: {error}")
    except MopError as error:
        blame(error, where, "HTTP" if over_http else "WebSocket", findings)
    else:
        tools_of = (f"{plural(len(plan.of(name)), 'tool')} of {name}" for name in plan.downstreams)
        findings.sentences.append(f"federated: {', '.join(tools_of)}; {plural(len(plan.local), 'local tool')}")
