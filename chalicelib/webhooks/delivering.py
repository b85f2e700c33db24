"""Deliveries: one for each endpoint that wants an event, tried until it has heard.

Whatever comes twice is harmless: a delivery's id follows from event and endpoint, and the outcome
of an attempt is written on condition of the delivery's version.
"""

import random
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.cases import service as cases
from chalicelib.kernel import clock, events, ids
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict, NotFound, Stale
from chalicelib.kernel.events import Event
from chalicelib.platform import http_out, queues
from chalicelib.platform.log import about, logger, metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Recorder, Transaction, write
from chalicelib.webhooks import bodies, rules
from chalicelib.webhooks import store as webhooks
from chalicelib.webhooks.rules import Attempt, Delivery, Endpoint
from chalicelib.webhooks.secrets import signed_headers

DELIVERIES_A_SWEEP = 500
QUEUE_DELAY_AT_MOST = timedelta(minutes=15)
# A message this little early is not early: clocks differ.
TOLERANCE = timedelta(seconds=2)
_chance = random.SystemRandom()


def fan_out(event_type: str, subject: str) -> None:
    """Make a delivery for each endpoint that wants the event, and ask for its attempt.

    What a disabled endpoint misses is kept, to be replayed once it is enabled.
    """
    for told in bodies.told_of(event_type, subject):
        for endpoint in webhooks.endpoints_of(told.owner):
            # That it was disabled itself is nothing an endpoint could hear.
            if endpoint.wants(told.event_type) and endpoint.id != told.subject:
                _begin(_delivery(told, endpoint), endpoint)


def ping(endpoint: Endpoint, recorder: Recorder | None) -> Delivery:
    """Make a `ping` for an endpoint, whatever events it wants otherwise; it is not sent yet."""
    delivery_id = ids.new("whd")
    told = bodies.Told(
        endpoint.owner, "ping", endpoint.id, delivery_id, {"endpoint_id": endpoint.id}
    )
    delivery = replace(_delivery(told, endpoint), id=delivery_id)
    transaction = Transaction(recorder)
    transaction.add(webhooks.add_delivery(delivery))
    transaction.commit(delivery)
    return delivery


def attempt(delivery_id: str) -> None:
    """Make the attempt that is due and write what came of it."""
    delivery, now = webhooks.get_delivery(delivery_id), clock.now()
    if delivery is None or not _is_due(delivery, now):
        return
    logger.bind(delivery_id=delivery.id, **about(delivery.subject))
    endpoint = webhooks.get_endpoint(delivery.endpoint_id)
    if endpoint is None or not endpoint.is_active:
        reason = rules.DISABLED if endpoint else "the endpoint is gone"
        _finish(delivery.never_attempted(clock.to_text(now), reason), "exhausted")
        return
    deliver(delivery, endpoint)


def deliver(delivery: Delivery, endpoint: Endpoint) -> bool:
    """Call the endpoint now, write what came of it, and see to the next attempt. Was it heard?"""
    made, retry_after = _call(endpoint, delivery, clock.now())
    if made.is_success:
        _finish(delivery.succeeded(made), "succeeded")
        note_success(endpoint)
        return True
    wait = rules.wait_after(delivery.round_attempts + 1, retry_after, _chance)
    if made.status_code == rules.GONE:
        wait = None
    after = delivery.failed(made, clock.now(), wait)
    _finish(after, "exhausted" if wait is None else "failed")
    note_failure(endpoint.id, made, clock.now())
    if wait is not None and wait <= QUEUE_DELAY_AT_MOST:
        _ask_for_attempt(delivery.id, wait)
    return False


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
    endpoint = webhooks.get_endpoint(delivery.endpoint_id)
    if endpoint is None or not endpoint.is_active:
        raise Conflict(
            "The endpoint is deleted or disabled; enable it first.", code="endpoint_not_active"
        )
    if delivery.status == "pending" and delivery.round_attempts == 0:
        return delivery
    replayed = delivery.replayed(clock.now())
    transaction = Transaction(recorder)
    transaction.add(webhooks.replace_delivery(replayed))
    transaction.commit(replayed)
    _ask_for_attempt(delivery.id)
    return replayed


@retry_stale
def note_success(endpoint: Endpoint) -> None:
    """An endpoint that answers again is no longer failing."""
    current = webhooks.get_endpoint(endpoint.id) if endpoint.failing_since else None
    if current and current.failing_since:
        write(webhooks.replace_endpoint(current.recovered()))


@retry_stale
def note_failure(endpoint_id: str, made: Attempt, now: datetime) -> None:
    """Remember since when an endpoint fails; disable one that is gone or fails for five days."""
    endpoint = webhooks.get_endpoint(endpoint_id)
    if endpoint is None or not endpoint.is_active:
        return
    failed = endpoint.failed(now)
    since = failed.failing_since or now
    if made.status_code == rules.GONE:
        _disable(endpoint, "It answered 410 Gone.")
    elif now - since >= rules.DISABLED_AFTER:
        _disable(endpoint, f"It has failed since {clock.to_text(since)}.")
    elif endpoint.is_failure_news(now):
        write(webhooks.replace_endpoint(failed))


def _disable(endpoint: Endpoint, reason: str) -> None:
    disabled = endpoint.disabled(reason)
    transaction = Transaction()
    transaction.add(webhooks.replace_endpoint(disabled))
    detail = f"Webhook endpoint {endpoint.id} of {endpoint.owner} was disabled. {reason}"
    cases.open_in(
        transaction, "endpoint_disabled", endpoint.id, detail, occurrence=str(disabled.version)
    )
    transaction.publish(Event(events.ENDPOINT_DISABLED, endpoint.id))
    transaction.commit()


def _delivery(told: bodies.Told, endpoint: Endpoint) -> Delivery:
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
    at = clock.to_text(delivery.created_at)
    begun = delivery if endpoint.is_active else delivery.never_attempted(at, rules.DISABLED)
    try:
        write(webhooks.add_delivery(begun))
    except Stale:
        logger.info("delivery was made before", delivery_id=delivery.id)
    if endpoint.is_active:
        _ask_for_attempt(delivery.id)


def _ask_for_attempt(delivery_id: str, wait: timedelta = timedelta()) -> None:
    queues.send(
        queues.WEBHOOK_ATTEMPT,
        [{"subject": delivery_id}],
        delay_seconds=round(wait.total_seconds()),
    )


def _is_due(delivery: Delivery, now: datetime) -> bool:
    due = delivery.next_attempt_at
    return delivery.status == "pending" and due is not None and due <= now + TOLERANCE


def _call(
    endpoint: Endpoint, delivery: Delivery, now: datetime
) -> tuple[Attempt, timedelta | None]:
    headers = signed_headers(endpoint, delivery.id, delivery.body, now)
    at = clock.to_text(now)
    try:
        answer = http_out.post(
            endpoint.url,
            delivery.body.encode(),
            headers,
            allow_loopback=settings().allow_loopback_webhooks,
        )
    except http_out.AddressRefused as refused:
        return Attempt(at, None, 0, refused.reason), None
    except http_out.CallFailed as failed:
        return Attempt(at, None, failed.duration_ms, failed.reason), None
    error = None if 200 <= answer.status < 300 else f"answered {answer.status}"
    retry_after = rules.read_retry_after(answer.headers.get("retry-after"), now)
    made = Attempt(at, answer.status, answer.duration_ms, error, rules.excerpt(answer.body))
    return made, retry_after


def _finish(after: Delivery, outcome: str) -> None:
    metric("WebhookAttempts", outcome=outcome)
    logger.info("webhook attempted", outcome=outcome)
    try:
        write(webhooks.replace_delivery(after))
    except Stale:
        logger.info("another attempt was written first", outcome=outcome)
