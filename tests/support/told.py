"""Webhooks about dispatches that nobody ordered, and time that goes by for those who send them."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Protocol
from unittest import mock

import boto3
from pynamodb.constants import STRING
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from chalicelib.kernel import clock
from chalicelib.platform.settings import required
from chalicelib.webhooks import bodies
from chalicelib.webhooks.bodies import Told
from tests.support.events import failed_bodies
from tests.support.lambdas import invoke
from tests.support.mail import Mail
from tests.support.world import Api, Context, Json, World, created, workers

MINUTE, MILLISECOND = timedelta(minutes=1), timedelta(milliseconds=1)
_paths = itertools.count(1)


class MovableClock(Protocol):
    at: datetime


class Supplier:
    """A supplier with an endpoint, which keeps what it hears and answers as it is told to."""

    def __init__(self, world: World, server: HTTPServer, url: str | None = None) -> None:
        self.world, self.id = world, world.add_supplier()
        self.heard: list[str] = []
        self.answer: Callable[[Request], Response] = lambda _: Response(status=204)
        path = f"/told-{next(_paths)}"
        server.expect_request(path).respond_with_handler(self._hear)
        body = {"url": url or server.url_for(path), "supplier_id": self.id}
        self.endpoint_id = created(world.operator.post("/v1/webhook-endpoints", body))["id"]

    def _hear(self, request: Request) -> Response:
        self.heard.append(request.headers["webhook-id"])
        return self.answer(request)

    def answers(self, status: int, **headers: str) -> None:
        self.answer = lambda _: Response(status=status, headers=headers)

    @property
    def path(self) -> str:
        return f"/v1/webhook-endpoints/{self.endpoint_id}"

    @cached_property
    def _caller(self) -> Api:
        return self.world.supplier(self.id)

    def endpoint(self) -> Json:
        return self.world.operator.get(self.path).json

    def delivery(self, delivery_id: str) -> Json:
        return self.world.operator.get(f"/v1/webhook-deliveries/{delivery_id}").json

    def deliveries(self) -> list[Json]:
        """All of them, the newest first."""
        found, after = [], ""
        while True:
            page = self._caller.get(f"/v1/webhook-deliveries?limit=100{after}").json
            found += [each for each in page["items"] if each["endpoint_id"] == self.endpoint_id]
            if not page["next_cursor"]:
                return found
            after = f"&cursor={page['next_cursor']}"


class Telling:
    """What suppliers are told, the queues that carry it, and the clock that all of it goes by."""

    def __init__(self, world: World, time: MovableClock, mail: Mail) -> None:
        self.world, self.time, self.mail = world, time, mail
        self._told: dict[str, Told] = {}

    def tell(self, supplier: Supplier, dispatch: int = 1, version: int = 1) -> str:
        """An event of a version of a dispatch; the id of the delivery that it has become."""
        before = {each["id"] for each in supplier.deliveries()}
        self.send(supplier, dispatch, version)
        self.work("WEBHOOK_FAN_OUT")
        (made,) = (each["id"] for each in supplier.deliveries() if each["id"] not in before)
        return str(made)

    def send(self, supplier: Supplier, dispatch: int, version: int = 1) -> None:
        self.time.at += MILLISECOND
        subject = f"dsp_{dispatch:012d}"
        data = {"dispatch_id": subject, "version": version}
        identity = f"{supplier.id}:{subject}:{version}"
        self._told[identity] = Told(supplier.id, "dispatch.updated", subject, identity, data)
        message = {"type": "dispatch.updated", "subject": identity, "data": {}}
        self.mail.send("WEBHOOK_FAN_OUT", [message])

    def told_of(self, event_type: str, subject: str) -> list[Told]:
        return [self._told[subject]] if subject in self._told else []

    def work(self, *queues: str) -> None:
        """Let the workers do what waits now, in these queues or in all; none of it may fail."""
        named = {queue: each for queue, each in workers().items() if queue in queues or not queues}
        while any(self._work_off(queue, worker) for queue, worker in named.items()):
            pass

    def _work_off(self, queue: str, worker: Any) -> bool:
        letters = self.mail.take(queue, 50)
        if letters:
            event = {"Records": [each.record() for each in letters]}
            assert failed_bodies(event, worker(event, Context())) == [], queue
            self.mail.settle(queue, letters, set())
        return bool(letters)

    def go_on(self, **time: float) -> None:
        """Let so much time go by, with the sweep each minute that has something for it."""
        end = self.time.at + timedelta(**time)
        self.work()
        while (instant := self._next_instant()) <= end:
            self.time.at = instant
            if instant == _whole_minute(instant):
                invoke("webhook_sweep")
            self.work()
        self.time.at = end

    def _next_instant(self) -> datetime:
        """When a message comes, or the next sweep finds something."""
        letters = [each.at for queue in self.mail.waiting.values() for each in queue]
        # A float may lie a little before the instant that it stands for.
        arrivals = [datetime.fromtimestamp(each, UTC) + MILLISECOND for each in letters]
        sweeps = [_whole_minute(max(each, self.time.at)) + MINUTE for each in _due()]
        return min([*arrivals, *sweeps], default=datetime.max.replace(tzinfo=UTC))


def _due() -> list[datetime]:
    """What the sweep is meant to find, and when."""
    items = boto3.client("dynamodb").scan(
        TableName=required("WEBHOOKS_TABLE"), FilterExpression="attribute_exists(due_at)"
    )["Items"]
    return [clock.from_text(each["due_at"][STRING]) for each in items]


def _whole_minute(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)


@contextmanager
def telling(world: World, time: MovableClock, seed: int = 0) -> Iterator[Telling]:
    """While this lasts, events are about dispatches that are made up."""
    made = Telling(world, time, Mail(lambda: time.at.timestamp(), seed))
    with made.mail.carrying(), mock.patch.object(bodies, "told_of", made.told_of):
        yield made
