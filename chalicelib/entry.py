"""The API's function: a request loads no more of the code than the routes of its path are of.

What every path needs is loaded when the process starts, for which Lambda gives more of a processor
than for a request. Which modules a path's routes are in is written down when the application is
packaged.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from chalice.app import Chalice

from chalicelib.parties import authorizer, service
from chalicelib.platform import http_in, outbox
from chalicelib.platform.tracing import traced

INDEX = Path(__file__).with_name("routes.json")
# They tell of all the others.
OF_ALL = ("/docs", "/openapi.json")
OF_EVERY_PATH = (authorizer, service, http_in, outbox)

application = Chalice(app_name="tuan", configure_logs=False)


@traced("api")
def api(event: Mapping[str, Any], context: Any) -> Any:
    """Answers a request of the gateway's."""
    for module in _index().get(event.get("requestContext", {}).get("resourcePath"), ()):
        _load(module)
    return application(event, context)


@cache
def _index() -> dict[str, list[str]]:
    index: dict[str, list[str]] = json.loads(INDEX.read_bytes())
    return index


@cache
def _load(module: str) -> None:
    application.register_blueprint(import_module(module).routes)


def write_index(whole: Chalice) -> None:
    """Write down which modules each path of the whole application needs."""
    modules = {
        path: sorted({each.view_function.__module__ for each in methods.values()})
        for path, methods in whole.routes.items()
    }
    every = sorted({each for some in modules.values() for each in some})
    INDEX.write_text(json.dumps(modules | dict.fromkeys(OF_ALL, every), indent=1))
