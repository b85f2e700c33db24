"""Who hears webhooks: verifies them as any receiver would, with the library of the standard."""

import json
from dataclasses import dataclass
from itertools import count
from typing import Any

from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook
from werkzeug import Request, Response

from tests.support.world import Api, created

_numbers = count(1)


@dataclass(frozen=True)
class Heard:
    """A webhook whose signature was good."""

    id: str
    type: str
    data: Any


class Listener:
    """An endpoint of a supplier, or of the platform, on a web server on loopback."""

    def __init__(self, server: HTTPServer, caller: Api) -> None:
        self.caller = caller
        self.heard: list[Heard] = []
        self.refused: list[str] = []
        path = f"/hook-{next(_numbers)}"
        server.expect_request(path, method="POST").respond_with_handler(self._hear)
        asked = {"url": server.url_for(path)}
        endpoint = created(caller.post("/v1/webhook-endpoints", asked))
        self.path = f"/v1/webhook-endpoints/{endpoint['id']}"
        self._secret = str(endpoint["secret"])

    def of_type(self, kind: str) -> list[Any]:
        """The data of each event of a type, as often as it was heard under another id."""
        return list({each.id: each.data for each in self.heard if each.type == kind}.values())

    def _hear(self, request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            Webhook(self._secret).verify(request.data, headers)
        except Exception as error:  # whatever is wrong with it, a test must see it
            self.refused.append(repr(error))
            return Response(status=400)
        event = json.loads(request.data)
        self.heard.append(Heard(headers["webhook-id"], event["type"], event["data"]))
        return Response(status=204)
