"""The demo's suppliers: one process that receives webhooks and answers through the API.

It listens on a free port of 127.0.0.1 and speaks with whoever started it in lines of JSON. First
it prints `{"port": ...}`; each line it reads, `{"name", "secret", "api_key", "sold_out"}`, adds a
supplier under the path `/<name>` and is answered by `{"knows": name}`. When its input ends it
finishes what it has begun, prints a report, and exits with 1 if anything went wrong.

Keys and secrets come over the pipe, so that they stand in no argument list and no environment.
"""

import argparse
import json
import os
import sys
import threading
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TextIO

import httpx
from standardwebhooks import Webhook, WebhookVerificationError

from infra.demo.client import Api, Json, Problem

CARRIER = "Demo Express"
WORKERS = 4
MAX_BODY_BYTES = 1 << 20
NAMED_FAILURES = 3


class Refused(Exception):
    """A request that is no webhook of ours, and the status that says so."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Supplier:
    """One supplier: the secret that signs its webhooks, its API key, the SKUs it lacks."""

    name: str
    secret: str
    api_key: str
    sold_out: tuple[str, ...] = ()

    def reads(self, headers: dict[str, str], body: bytes) -> Json:
        """The event in a signed body. Raises Refused unless the signature is good."""
        try:
            event = Webhook(self.secret).verify(body, headers)
        # Malformed headers surface as ValueError, of which the decoding errors are kinds.
        except (WebhookVerificationError, ValueError) as error:
            raise Refused(400, f"{self.name}: bad signature ({error})") from error
        if not isinstance(event, dict):
            raise Refused(400, f"{self.name}: not an event")
        return event

    def lacks(self, dispatch: Json) -> list[str]:
        """The SKUs of a dispatch that cannot be shipped."""
        wanted = [str(line["supplier_sku"]) for line in dispatch["lines"]]
        return [sku for sku in wanted if sku in self.sold_out]


@dataclass(slots=True)
class Report:
    """What happened so far; `failures` says what went wrong, one sentence each."""

    received: int
    repeats: int
    accepted: int
    shipped: int
    delivered: int
    rejected: int
    failures: list[str]

    def what_failed(self) -> str:
        """The first failures in a sentence; empty when there are none."""
        more = len(self.failures) - NAMED_FAILURES
        named = "; ".join(self.failures[:NAMED_FAILURES])
        return f"{named}; and {more} more" if more > 0 else named


class Desk:
    """Takes webhooks in at once and works them off in the background, each only once."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._suppliers: dict[str, Supplier] = {}
        self._seen: set[str] = set()
        self._cancelled: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._failures: list[str] = []
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="dispatch")

    def know(self, supplier: Supplier) -> None:
        with self._lock:
            self._suppliers[supplier.name] = supplier

    def take(self, name: str, headers: dict[str, str], body: bytes) -> None:
        """Verifies a webhook and queues its work. Raises Refused."""
        supplier = self._suppliers.get(name)
        if supplier is None:
            raise Refused(404, f"no supplier has the path /{name}")
        event = supplier.reads(headers, body)
        if self._is_new(headers["webhook-id"], event):
            self._begin(supplier, event)

    def fail(self, sentence: str) -> None:
        with self._lock:
            self._failures.append(sentence)
        print(sentence, file=sys.stderr, flush=True)

    def report(self) -> Report:
        with self._lock:
            counts = self._counts
            return Report(
                received=counts["received"],
                repeats=counts["repeats"],
                accepted=counts["accepted"],
                shipped=counts["shipped"],
                delivered=counts["delivered"],
                rejected=counts["rejected"],
                failures=list(self._failures),
            )

    def finish(self) -> None:
        """Returns when everything queued is done."""
        self._pool.shutdown(wait=True)

    def _is_new(self, webhook_id: str, event: Json) -> bool:
        identities = {f"webhook {webhook_id}"}
        if event["type"] == "dispatch.created":
            identities.add(f"dispatch {event['data']['dispatch_id']}")
        with self._lock:
            self._counts["received"] += 1
            repeated = not identities.isdisjoint(self._seen)
            self._seen |= identities
            self._counts["repeats"] += repeated
        return not repeated

    def _begin(self, supplier: Supplier, event: Json) -> None:
        if event["type"] == "dispatch.created":
            self._pool.submit(self._handle, supplier, event["data"]).add_done_callback(self._note)
        elif event["type"] == "dispatch.cancelled":
            with self._lock:
                self._cancelled.add(event["data"]["dispatch_id"])

    def _note(self, done: Future[None]) -> None:
        error = done.exception()
        if isinstance(error, Problem | httpx.TransportError):
            self.fail(str(error))
        elif error is not None:
            self.fail(f"{type(error).__name__}: {error}")

    def _handle(self, supplier: Supplier, dispatch: Json) -> None:
        dispatch_id = str(dispatch["dispatch_id"])
        if dispatch_id in self._cancelled:
            return
        api = self._api.using(supplier.api_key)
        if missing := supplier.lacks(dispatch):
            reason = f"sold out: {', '.join(missing)}"
            self._move(api, dispatch_id, "reject", "rejected", {"reason": reason})
            return
        parcel = {"carrier": CARRIER, "tracking_number": f"DX{dispatch_id[-12:].upper()}"}
        self._move(api, dispatch_id, "accept", "accepted", {})
        self._move(api, dispatch_id, "ship", "shipped", parcel)
        self._move(api, dispatch_id, "deliver", "delivered", {})

    def _move(self, api: Api, dispatch_id: str, verb: str, state: str, body: Json) -> None:
        answer = api.post(f"/v1/dispatches/{dispatch_id}/{verb}", body)
        if answer["status"] != state:
            raise RuntimeError(f"{dispatch_id} is {answer['status']} after {verb}")
        with self._lock:
            self._counts[state] += 1


class Reception(ThreadingHTTPServer):
    """An HTTP server on a free loopback port: `POST /<supplier>` and `GET /status`."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        super().__init__(("127.0.0.1", 0), Receptionist)

    def handle_error(self, request: object, client_address: object) -> None:
        self.desk.fail(f"a webhook could not be taken: {sys.exc_info()[1]!r}")


class Receptionist(BaseHTTPRequestHandler):
    """Answers one connection; what it takes in is worked off elsewhere."""

    protocol_version = "HTTP/1.1"
    server: Reception

    def do_POST(self) -> None:
        try:
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.server.desk.take(self.path.strip("/"), headers, self._body())
        except Refused as refusal:
            self.server.desk.fail(str(refusal))
            self._answer(refusal.status, str(refusal).encode())
        else:
            self._answer(HTTPStatus.NO_CONTENT)

    def do_GET(self) -> None:
        if self.path == "/status":
            self._answer(HTTPStatus.OK, json.dumps(asdict(self.server.desk.report())).encode())
        else:
            self._answer(HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: the report tells what matters."""

    def _body(self) -> bytes:
        length = self.headers.get("content-length", "")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            raise Refused(413, f"a webhook of length {length or 'unknown'}")
        return self.rfile.read(int(length))

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve(base_url: str, instructions: TextIO, answers: TextIO) -> Report:
    """Serves until `instructions` end, then finishes its work and returns the report."""
    api = Api.at(base_url)
    desk = Desk(api)
    http = Reception(desk)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    print(json.dumps({"port": http.server_port}), file=answers, flush=True)
    for line in instructions:
        given = json.loads(line)
        sold_out = tuple(given.get("sold_out", ()))
        desk.know(Supplier(given["name"], given["secret"], given["api_key"], sold_out))
        print(json.dumps({"knows": given["name"]}), file=answers, flush=True)
    http.shutdown()
    http.server_close()
    desk.finish()
    api.close()
    return desk.report()


def main() -> int:
    parser = argparse.ArgumentParser(description="The demo's suppliers.")
    parser.add_argument("--base-url", required=True)
    try:
        report = serve(parser.parse_args().base_url, sys.stdin, sys.stdout)
        print(json.dumps(asdict(report)), flush=True)
    except BrokenPipeError:
        # Whoever started this is gone: nobody waits for its work or reads its report.
        os._exit(1)
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
