"""Delivering webhooks: write units, side by side against one at a time, and beside a dead supplier.

The store is the local cloud's. The workers are threads of this process that call the packaged
functions' own handlers, from queues in memory; the suppliers are another process's.
"""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from statistics import quantiles
from typing import Any

from tests.bench.caller import CONTEXT
from tests.bench.figures import Figure, explained
from tests.bench.placing import TITLES, named, open_shop
from tests.bench.process import Say, tell
from tests.bench.suppliers import suppliers
from tests.bench.watched import Call, watched, write_units
from tests.support.events import failed_bodies, sqs_event
from tests.support.mail import Mail

UNITS_GROUP, MOST_UNITS, BODY_BYTES = "Delivering a webhook", 12, range(1_500, 2_049)
SIDE_GROUP, LEAST_TIMES, ROUNDS, BATCHES, ONE_BY_ONE = "One worker", 15, 5, 4, 20
SUPPLIERS, BATCH = 25, 50
HANG_GROUP, MOST_GROWTH = "One of 20 suppliers hangs", 1.2
HANG_SUPPLIERS, HANG_SECONDS, HANG_ROUNDS = 20, 30, 2
# As many as AWS runs of the fast lane, and some of the others.
WORKERS = {"WEBHOOK_ATTEMPT": 20, "WEBHOOK_SLOW": 4, "WEBHOOK_RECOVER": 1}
Handler = Callable[[Any, Any], Any]


def measure(say: Say) -> list[Figure]:
    from app import app

    with suppliers() as base:
        return [*units(app, base, say), *at_once(base, say), *beside_a_dead_one(base, say)]


def units(api: Handler, base: str, say: Say) -> list[Figure]:
    """All that DynamoDB counts for one dispatch that its supplier hears of at once."""
    from chalicelib.dispatch import service
    from chalicelib.ordering import paying
    from chalicelib.payments.providers import PaymentSucceeded
    from chalicelib.webhooks import delivering
    from chalicelib.webhooks import store as webhooks

    say("delivering a webhook: one order, placed and paid")
    shop = open_shop(api, limit=None, titles=TITLES * 4)
    order = shop.place()
    add_endpoint(f"{base}/0/units", owner=order["lines"][0]["supplier_id"])
    payment, mail = order["payment"], Mail()
    with mail.carrying():
        paying.receive(
            "local", PaymentSucceeded("ch_bench", payment["id"], order["total"], order["currency"])
        )
        with watched() as made:
            service.create_for(order["id"])
        with watched() as delivered:
            delivering.fan_out("dispatches.created", order["id"])
            (letter,) = mail.take("WEBHOOK_ATTEMPT", 1)
            work(handlers()["WEBHOOK_ATTEMPT"], [letter.body])
    delivery = webhooks.get_delivery(letter.body["subject"])
    if delivery is None or delivery.status != "succeeded" or len(delivery.attempts) != 1:
        raise RuntimeError(f"it was not heard at its first attempt: {delivery}")
    if len(delivery.body.encode()) not in BODY_BYTES:
        raise RuntimeError(f"the body has {len(delivery.body.encode())} bytes, not {BODY_BYTES}")
    found = named(write_units([*map(_of_outbox, made), *delivered]))
    return [
        Figure(
            UNITS_GROUP, "write units, outbox and indexes included", sum(found.values()), MOST_UNITS
        ),
        *explained(UNITS_GROUP, found),
    ]


def _of_outbox(call: Call) -> Call:
    """What a call consumed for the telling of its event."""
    from chalicelib.platform.settings import required

    outbox = required("OUTBOX_TABLE")
    return Call(call.operation, {}, [c for c in call.consumed if c["TableName"] == outbox])


def at_once(base: str, say: Say) -> list[Figure]:
    """The time for a webhook, to suppliers that each answer in 100 ms."""
    handler = handlers()["WEBHOOK_ATTEMPT"]
    endpoints = [add_endpoint(f"{base}/100/{n}") for n in range(SUPPLIERS)]
    singles, many = [], []
    for n in range(ROUNDS + 1):
        say(f"one worker: round {n} of {ROUNDS}" if n else "one worker: warming up")
        messages = deliver_to(endpoints, ONE_BY_ONE)
        singles.append(seconds(handler, [[each] for each in messages]) / ONE_BY_ONE)
        messages = deliver_to(endpoints, BATCHES * BATCH)
        batches = [messages[n::BATCHES] for n in range(BATCHES)]
        many.append(seconds(handler, batches) / len(messages))
    # The best of each: what else the machine does only ever makes it slower.
    times = min(singles) / min(many)
    what = f"webhooks in the same time, batches of {BATCH} over one at a time"
    return [Figure(SIDE_GROUP, what, times, LEAST_TIMES, "x", at_least=True)]


def seconds(handler: Handler, batches: Sequence[Sequence[Any]]) -> float:
    started = time.perf_counter()
    for batch in batches:
        work(handler, batch)
    return time.perf_counter() - started


def beside_a_dead_one(base: str, say: Say) -> list[Figure]:
    """In turn, and the better of each, so that what else the machine does decides less."""
    rounds = [(p95(base, "100", say), p95(base, "hang", say)) for _ in range(HANG_ROUNDS)]
    alone, beside = (min(each) for each in zip(*rounds, strict=True))
    return [
        Figure(HANG_GROUP, "p95 of the others until they hear, all well, ms", round(alone * 1000)),
        Figure(HANG_GROUP, "the same while it hangs, ms", round(beside * 1000)),
        Figure(HANG_GROUP, "one over the other", beside / alone, MOST_GROWTH, "x"),
    ]


def p95(base: str, kind: str, say: Say) -> float:
    """Seconds from the making of a delivery until its supplier has answered, of all but the first
    supplier."""
    from chalicelib.webhooks import store as webhooks

    first = add_endpoint(f"{base}/{kind}/first")
    others = [add_endpoint(f"{base}/100/{n}") for n in range(1, HANG_SUPPLIERS)]
    mail, made = Mail(), list[str]()
    with mail.carrying(), Workers(mail):
        for second in range(HANG_SECONDS):
            say(f"one of {HANG_SUPPLIERS} suppliers, {kind}: second {second} of {HANG_SECONDS}")
            for endpoint in [first, *others]:
                (message,) = deliver_to([endpoint], 1)
                mail.send("WEBHOOK_ATTEMPT", [message])
                if endpoint is not first:
                    made.append(message["subject"])
                time.sleep(1 / HANG_SUPPLIERS)
        time.sleep(5)
        found = webhooks.get_deliveries(made)
    if {each.status for each in found.values()} != {"succeeded"}:
        raise RuntimeError("another supplier has not heard all that it should")
    return quantiles([_took(each) for each in found.values()], n=20)[-1]


def _took(delivery: Any) -> float:
    (attempt,) = delivery.attempts
    started: timedelta = datetime.fromisoformat(attempt.at) - delivery.created_at
    return started.total_seconds() + float(attempt.duration_ms) / 1000


class Workers:
    """Threads that each take a batch from their queue, gathered for a second, as AWS does."""

    def __init__(self, mail: Mail) -> None:
        self.mail, self.stopped = mail, threading.Event()
        self.threads = [
            threading.Thread(target=self._run, args=[queue, handlers()[queue]])
            for queue, number in WORKERS.items()
            for _ in range(number)
        ]

    def __enter__(self) -> "Workers":
        for each in self.threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        for each in self.threads:
            each.join()

    def _run(self, queue: str, handler: Handler) -> None:
        most = BATCH if queue != "WEBHOOK_RECOVER" else 1
        while not self.stopped.is_set():
            letters = self.mail.take(queue, most)
            if not letters:
                time.sleep(0.05)
                continue
            until = time.monotonic() + 1
            while len(letters) < most and time.monotonic() < until:
                time.sleep(0.05)
                letters += self.mail.take(queue, most - len(letters))
            work(handler, [each.body for each in letters])
            self.mail.settle(queue, letters, set())


def work(handler: Handler, messages: Sequence[Any]) -> None:
    event = sqs_event(*messages)
    if failed := failed_bodies(event, handler(event, CONTEXT)):
        raise RuntimeError(f"the worker has failed with {failed}")


def handlers() -> dict[str, Handler]:
    from chalicelib.webhooks import workers

    return {
        "WEBHOOK_ATTEMPT": workers.webhook_attempt,
        "WEBHOOK_SLOW": workers.webhook_slow,
        "WEBHOOK_RECOVER": workers.webhook_recover,
    }


def add_endpoint(url: str, owner: str = "sup_bench") -> Any:
    from chalicelib.kernel import clock, ids
    from chalicelib.platform.transaction import write
    from chalicelib.webhooks import endpoint_store
    from chalicelib.webhooks.rules import Endpoint

    made = Endpoint(
        ids.new("whe"), owner, url, (), "active", 1, None, None, None, None, 1, clock.now()
    )
    write(*endpoint_store.add_endpoint(made, 10_000, RuntimeError("too many")))
    return made


def deliver_to(endpoints: Sequence[Any], number: int) -> list[Any]:
    """New deliveries, one endpoint after another, and the messages that ask for their attempts."""
    from chalicelib.kernel import clock, ids
    from chalicelib.platform.transaction import write_alone
    from chalicelib.webhooks import store as webhooks
    from chalicelib.webhooks.rules import Delivery

    messages = []
    for n in range(number):
        endpoint, now = endpoints[n % len(endpoints)], clock.now()
        delivery = Delivery(
            ids.new("whd"),
            endpoint.owner,
            endpoint.id,
            "dispatch.created",
            ids.new("dsp"),
            BODY,
            "pending",
            (),
            0,
            now,
            1,
            now,
        )
        write_alone(webhooks.add_delivery(delivery))
        messages.append({"subject": delivery.id})
    return messages


BODY = '{"type":"dispatch.created","timestamp":"2026-11-21T20:53:24.120Z","data":{"version":1}}'


if __name__ == "__main__":
    tell(measure)
