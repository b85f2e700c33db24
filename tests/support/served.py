"""The app in this process, served on loopback for a browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from tests.support.gateway import Gateway

# Below a stage's name, as API Gateway's own addresses have it: a page must not count on the root.
PREFIX = "/api"


@contextmanager
def served(gateway: Gateway) -> Iterator[str]:
    """The base URL of the app while it is served."""

    @Request.application
    def application(request: Request) -> Response:
        query = f"?{request.query_string.decode()}" if request.query_string else ""
        path = request.path.removeprefix(PREFIX)
        answer = gateway.request(
            request.method, f"{path}{query}", dict(request.headers), request.get_data()
        )
        return Response(answer.text, answer.status, dict(answer.headers))

    server = make_server("127.0.0.1", 0, application)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{PREFIX}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
