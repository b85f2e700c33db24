"""Deliveries: one for each endpoint that wants an event, tried until it has heard.

Whatever comes twice is harmless: a delivery's id follows from event and endpoint, and the outcome
of an attempt is written on condition of the delivery's version.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from chalicelib.kernel import clock, ids
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict, NotFound, Stale
from chalicelib.platform import queues
from chalicelib.platform.log import about, logger, metric
from chalicelib.platform.pages import Page, PageRequest, matching
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Put, Recorder, Transaction, write, write_alone
from chalicelib.platform.worker import LANE_WIDTH, Step
from chalicelib.webhooks import bodies, endpoint_store, health, rules, schedule
from chalicelib.webhooks import store as webhooks
from chalicelib.webhooks.calling import call
from chalicelib.webhooks.rules import Attempt, Delivery, DeliveryStatus, Endpoint

DELIVERIES_A_SWEEP = 2000
# What was read longer ago is read again before anybody is called.
FRESH_FOR_SECONDS = 1.0
chance = random.SystemRandom()


@dataclass(frozen=True)
class Seen:
    """A delivery and its endpoint as they were then, by the process's own clock; None where there
    is none."""

    at: float
    delivery: Delivery | None
    endpoint: Endpoint | None


@dataclass(frozen=True)
class Which:
    """Which deliveries are listed; None where that does not matter."""

    owner: str | None
    endpoint_id: str | None
    status: DeliveryStatus | None

    def covers(self, delivery: Delivery) -> bool:
        of_it = self.endpoint_id in (None, delivery.endpoint_id)
        return of_it and self.status in (None, delivery.status)


def fan_out(event_type: str, subject: str) -> None:
    """Make a delivery for each endpoint that wants the event, and ask for its attempt.

    What a disabled endpoint misses is kept, to be replayed once it is enabled.
    """
    for told in bodies.told_of(event_type, subject):
        for endpoint in endpoint_store.endpoints_of(told.owner):
            # That it was disabled itself is nothing an endpoint could hear.
            if endpoint.wants(told.event_type) and endpoint.id != told.subject:
                _begin(new_delivery(told, endpoint), endpoint)


def ping(endpoint: Endpoint, recorder: Recorder | None) -> Delivery:
    """Make a `ping` for an endpoint, whatever events it wants otherwise; it is not sent yet."""
    delivery_id = ids.new("whd")
    told = bodies.Told(
        endpoint.owner, rules.PING, endpoint.id, delivery_id, {"endpoint_id": endpoint.id}
    )
    new = new_delivery(told, endpoint)
    delivery = replace(new, id=delivery_id, called_as=endpoint.as_called)
    transaction = Transaction(recorder)
    transaction.add(webhooks.add_delivery(delivery))
    transaction.commit(delivery)
    return delivery


def listed(which: Which, page: PageRequest) -> Page[Delivery]:
    """The deliveries, the newest first, each with all its attempts."""
    read = partial(webhooks.deliveries, which.owner)
    if which.endpoint_id or which.status:
        found = matching(read, which.covers, webhooks.age, page)
    else:
        found = read(page)
    return replace(found, items=tuple(webhooks.with_all_attempts(found.items)))


def attempts(delivery_ids: Sequence[str], *, slow_lane: bool) -> list[Step]:
    """The attempts that messages ask for, all read at once; each shares its endpoint's threads."""
    now, once, met = time.monotonic(), set[str](), Counter[str]()
    deliveries = webhooks.get_deliveries(delivery_ids)
    endpoints = endpoint_store.get_endpoints(each.endpoint_id for each in deliveries.values())
    steps = []
    for delivery_id in delivery_ids:
        delivery = None if delivery_id in once else deliveries.get(delivery_id)
        endpoint = endpoints.get(delivery.endpoint_id) if delivery else None
        lane = delivery.endpoint_id if delivery else delivery_id
        turn = met[lane] // LANE_WIDTH if slow_lane else 0
        take = partial(_attempt, Seen(now, delivery, endpoint), slow_lane=slow_lane, turn=turn)
        # Those of a later turn are put off at once, by threads that wait for no call.
        steps.append(Step(f"{lane} later" if turn else lane, take))
        once.add(delivery_id)
        met[lane] += 1
    return steps


def deliver(delivery: Delivery, endpoint: Endpoint) -> Delivery:
    """Call the endpoint now, write what came of it, and see to the next attempt; the delivery as
    the call leaves it."""
    with _slowness_noticed(endpoint):
        made, patience = call(endpoint, delivery, clock.now())
    if made.is_success:
        heard = delivery.succeeded(made)
        keep(delivery, heard, "succeeded")
        health.note_success(endpoint, made)
        return heard
    gone = health.is_gone(endpoint, made)
    once = gone or delivery.is_ping
    wait = None if once else schedule.wait_after(delivery.round_attempts + 1, patience, chance)
    after = delivery.missed(made) if gone else delivery.failed(made, clock.now(), wait)
    keep(delivery, after, "exhausted" if wait is None else "failed")
    if wait is not None:
        _ask_unless_swept(delivery.id, wait)
    # That a test fails is its owner's to see, and says nothing of what else would be heard.
    if gone or not delivery.is_ping:
        health.note_failure(endpoint, delivery.id, made, clock.now())
    return after


def keep(before: Delivery, after: Delivery, outcome: str) -> None:
    """Write what came of an attempt; where another was written first, beside what that one left."""
    _tell(outcome)
    try:
        _write_attempt(before, after)
    except Stale:
        _keep_late(after.id, after.attempts[-1])


def put_off(delivery: Delivery, until: datetime) -> Delivery:
    """Others have their turn before it."""
    after = delivery.put_off(until)
    _unless_changed(partial(write_alone, webhooks.replace_delivery(after)))
    _ask_unless_swept(delivery.id, max(until - clock.now(), timedelta()))
    return after


def give_up(delivery: Delivery, endpoint: Endpoint | None) -> None:
    """Its endpoint is deleted, or disabled: then it is kept to be replayed."""
    at = clock.to_text(clock.now())
    if endpoint:
        _give_up(delivery, delivery.missed(Attempt(at, None, 0, rules.DISABLED)))
    else:
        gone = Attempt(at, None, 0, "the endpoint is gone")
        _give_up(delivery, delivery.failed(gone, clock.now(), None))


def sweep(now: datetime) -> int:
    """Ask for the attempts that are due: longer waits than a queue's, and lost messages."""
    due = webhooks.waiting_before(now, DELIVERIES_A_SWEEP)
    queues.send(queues.WEBHOOK_ATTEMPT, [{"subject": delivery_id} for delivery_id in due])
    return len(due)


@retry_stale
def replay(delivery_id: str, caller: Caller, recorder: Recorder | None) -> Delivery:
    """Send the same body under the same id again, from the beginning of the schedule."""
    delivery = webhooks.get_delivery(delivery_id)
    if delivery is None:
        raise NotFound("There is no such webhook delivery.")
    caller.must_be("supplier", delivery.owner, "webhook delivery")
    endpoint = endpoint_store.get_endpoint(delivery.endpoint_id)
    if endpoint is None or not endpoint.is_active:
        raise Conflict(
            "The endpoint is deleted or disabled; enable it first.", code="endpoint_not_active"
        )
    replayed, written = from_the_beginning(delivery)
    if written is None:
        return delivery
    transaction = Transaction(recorder)
    transaction.add(written)
    transaction.commit(replayed)
    ask_once_written(delivery.id)
    return replayed


def from_the_beginning(delivery: Delivery) -> tuple[Delivery, Put | None]:
    """A delivery at the beginning of its schedule, and how that is written; None where it is there
    already."""
    if delivery.is_waiting_for_its_first_attempt:
        return delivery, None
    replayed = delivery.replayed(clock.now())
    return replayed, webhooks.replace_delivery(replayed)


def ask_once_written(*delivery_ids: str) -> None:
    """Ask for attempts that are written down already. What cannot be sent now is left to the sweep:
    whoever asked must not see a failure of what has happened."""
    try:
        queues.send(queues.WEBHOOK_ATTEMPT, [{"subject": each} for each in delivery_ids])
    except Exception as error:
        logger.warning("attempts left to the sweep", reason=type(error).__name__)
        metric("AttemptsLeftToSweep")


def new_delivery(told: bodies.Told, endpoint: Endpoint) -> Delivery:
    now = clock.now()
    return Delivery(
        id=ids.derived("whd", told.identity, endpoint.id),
        owner=told.owner,
        endpoint_id=endpoint.id,
        event_type=told.event_type,
        subject=told.subject,
        body=bodies.body(told.event_type, now, told.data),
        status="pending",
        attempts=(),
        round_attempts=0,
        next_attempt_at=now,
        version=1,
        created_at=now,
    )


def _begin(delivery: Delivery, endpoint: Endpoint) -> None:
    begun = _as_begun(delivery, endpoint)
    try:
        write_alone(webhooks.add_delivery(begun))
    except Stale:
        logger.info("delivery was made before", delivery_id=delivery.id)
    if begun == delivery:
        _ask_for_attempt(delivery.id)


def _as_begun(delivery: Delivery, endpoint: Endpoint) -> Delivery:
    """Where nobody is called now, it waits from its beginning."""
    if not endpoint.is_active:
        at = clock.to_text(delivery.created_at)
        return delivery.missed(Attempt(at, None, 0, rules.DISABLED))
    if endpoint.circuit == "open":
        return delivery.held(delivery.created_at)
    return delivery


def _ask_unless_swept(delivery_id: str, wait: timedelta) -> None:
    if wait <= schedule.QUEUE_DELAY_AT_MOST:
        _ask_for_attempt(delivery_id, wait)


def _ask_for_attempt(delivery_id: str, wait: timedelta = timedelta()) -> None:
    queues.send(
        queues.WEBHOOK_ATTEMPT,
        [{"subject": delivery_id}],
        delay_seconds=int(wait.total_seconds()),
    )


def _attempt(seen: Seen, *, slow_lane: bool, turn: int) -> None:
    """Make an attempt if it is due, unless its endpoint has to be spared or waited for.

    Of a slow endpoint one turn of calls is made in a batch, so that none takes longer than a call.
    """
    now = clock.now()
    delivery, endpoint = _fresh(seen)
    if delivery is None or not _is_due(delivery, now):
        return
    logger.bind(delivery_id=delivery.id, **about(delivery.subject))
    if endpoint is None or not endpoint.is_active:
        give_up(delivery, endpoint)
    elif endpoint.circuit == "open" and not delivery.is_ping:
        logger.info("webhook waits", endpoint_id=endpoint.id)
        _unless_changed(partial(write_alone, webhooks.replace_delivery(delivery.held(now))))
    elif endpoint.slow and not slow_lane:
        queues.send(queues.WEBHOOK_SLOW, [{"subject": delivery.id}])
    elif endpoint.slow and turn:
        put_off(delivery, now + turn * rules.CALLED_WITHIN)
    else:
        deliver(delivery, endpoint)


def _tell(outcome: str) -> None:
    metric("WebhookAttempts", outcome=outcome)
    logger.info("webhook attempted", outcome=outcome)


def _write_attempt(before: Delivery, after: Delivery) -> None:
    changed, *aside = webhooks.keep_attempt(before, after)
    if aside:
        write(changed, *aside)
    else:
        write_alone(changed)


@retry_stale
def _keep_late(delivery_id: str, made: Attempt) -> None:
    """Nothing that an endpoint was sent is lost from the record."""
    current = webhooks.get_delivery(delivery_id)
    # Its own writing may be what was written first: the store's answer was lost on the way.
    if current is None or made in current.attempts:
        return
    logger.info("another was written first", delivery_id=delivery_id)
    _write_attempt(current, current.tried_late(made))


def _give_up(before: Delivery, after: Delivery) -> None:
    """Nobody was called: where another was written first, there is nothing to put on record."""
    _tell("exhausted")
    _unless_changed(partial(_write_attempt, before, after))


def _unless_changed(write_it: Callable[[], None]) -> None:
    try:
        write_it()
    except Stale:
        logger.info("another was written first")


def _fresh(seen: Seen) -> tuple[Delivery | None, Endpoint | None]:
    if seen.delivery is None or time.monotonic() - seen.at <= FRESH_FOR_SECONDS:
        return seen.delivery, seen.endpoint
    delivery = webhooks.get_delivery(seen.delivery.id)
    return delivery, endpoint_store.get_endpoint(seen.delivery.endpoint_id)


def _is_due(delivery: Delivery, now: datetime) -> bool:
    due = delivery.next_attempt_at
    return delivery.status == "pending" and due is not None and due <= now + rules.TOLERANCE


@contextmanager
def _slowness_noticed(endpoint: Endpoint) -> Iterator[None]:
    """An endpoint is known to be slow while it is waited for, not only when it has timed out: for
    as long as that takes, every worker that met it would be held up with all it has yet to do."""
    note = partial(copy_context().run, health.note_slowness, endpoint)
    timer = threading.Timer(rules.GOOD_TIME.total_seconds(), note)
    if not endpoint.slow:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
