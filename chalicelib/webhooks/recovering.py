"""Endpoints that do not hear now: probed from time to time, then told what has waited for them.

One worker at a time looks after an endpoint: it claims it by a conditional write, until an instant
by which it has ended or died. `look_at` says from when on the next may do so; a message comes then
where there is no time to lose, and the sweep sees to it where that is lost.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from chalicelib.kernel import clock
from chalicelib.kernel.errors import Stale
from chalicelib.platform.log import logger
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import write, write_alone
from chalicelib.webhooks import delivering, endpoint_store, health, rules, schedule
from chalicelib.webhooks import store as webhooks
from chalicelib.webhooks.calling import call
from chalicelib.webhooks.rules import Attempt, Delivery, Endpoint

ENDPOINTS_A_SWEEP = 500
# So many are put in order at a time.
PAGE = 500
# Then others that wait for a worker have their turn. With one call more, of 15 seconds, it must end
# before the function does, and that before another may take its place.
WORK_FOR = timedelta(seconds=30)
CLAIMED_FOR = timedelta(minutes=6)


def sweep(now: datetime) -> int:
    """Ask for a look at each endpoint whose time has come."""
    endpoint_ids = endpoint_store.endpoints_to_look_after(now, ENDPOINTS_A_SWEEP)
    health.ask_to_look_after(*endpoint_ids)
    return len(endpoint_ids)


def look_after(endpoint_id: str) -> None:
    """Do the next thing for an endpoint behind which deliveries wait, or may wait."""
    endpoint = _claim(endpoint_id)
    if endpoint is None:
        return
    logger.bind(endpoint_id=endpoint.id, circuit=endpoint.circuit)
    if not endpoint.is_active:
        _go_through_what_waits(endpoint, _give_up)
    elif endpoint.circuit == "open":
        _probe(endpoint)
    else:
        _go_through_what_waits(endpoint, _deliver)


def _claim(endpoint_id: str) -> Endpoint | None:
    """The endpoint, which is nobody else's for a while; None where there is nothing to do."""
    endpoint, now = endpoint_store.get_endpoint(endpoint_id), clock.now()
    if endpoint is None or endpoint.look_at is None or endpoint.look_at > now + rules.TOLERANCE:
        return None
    claimed = endpoint.claimed(now + CLAIMED_FOR)
    try:
        write(endpoint_store.replace_endpoint(claimed))
    except Stale:
        logger.info("another looks after it", endpoint_id=endpoint_id)
        return None
    return claimed


def _probe(endpoint: Endpoint) -> None:
    """Try one delivery, another one each time: the one before may be refused for what it says."""
    delivery = _next_to_probe(endpoint)
    if delivery is None:
        _write_unless_changed(endpoint, _with_next_look)
        return
    made, patience = call(endpoint, delivery, clock.now())
    if made.is_success:
        delivering.keep(delivery, delivery.succeeded(made), "succeeded")
        health.note_success(endpoint, made)
        return
    delivering.keep(delivery, delivery.probed(made), "probed")
    _note_failed_probe(endpoint, delivery, made, patience)


def _next_to_probe(endpoint: Endpoint) -> Delivery | None:
    younger = webhooks.held(endpoint.id, 1, after=endpoint.health.probed)
    return next(iter(younger or webhooks.held(endpoint.id, 1)), None)


@retry_stale
def _note_failed_probe(
    claimed: Endpoint, delivery: Delivery, made: Attempt, patience: timedelta | None
) -> None:
    now = clock.now()
    endpoint = _unless_changed(claimed)
    if endpoint is None:
        return
    wait = schedule.probe_after(endpoint.health.probes + 1, patience, delivering.chance)
    failed = endpoint.probed(now, delivery.id, webhooks.age(delivery), wait)
    if reason := health.why_disabled(failed, made, now):
        health.disable(endpoint, reason)
    else:
        write_alone(endpoint_store.replace_endpoint(failed))


def _with_next_look(endpoint: Endpoint, now: datetime) -> Endpoint:
    """Nothing waits to be tried, and so nothing is known that was not known before."""
    wait = schedule.probe_after(endpoint.health.probes, None, delivering.chance)
    return endpoint.claimed(now + wait)


def _go_through_what_waits(
    endpoint: Endpoint, do: Callable[[Endpoint, Sequence[Delivery]], None]
) -> None:
    """One page of what is held back, in order; what is left is for the next message."""
    page = rules.in_order(webhooks.held(endpoint.id, PAGE))
    if not page:
        _write_unless_changed(endpoint, lambda current, now: current.drained(now))
        return
    do(endpoint, page)
    _write_unless_changed(endpoint, lambda current, now: current.claimed(now))
    health.ask_to_look_after(endpoint.id)


def _deliver(endpoint: Endpoint, page: Sequence[Delivery]) -> None:
    """One after another, so that versions arrive in order, for as long as it hears. What concerns
    the same as something that was not heard comes behind that one's next attempt."""
    started = time.monotonic()
    comes_behind: dict[str, datetime] = {}
    for delivery in page:
        current = endpoint_store.get_endpoint(endpoint.id)
        if current is None or not current.is_active or current.circuit == "open":
            return
        if time.monotonic() - started > WORK_FOR.total_seconds():
            return
        before = comes_behind.get(delivery.subject)
        if before:
            after = delivering.put_off(delivery, before + rules.CALLED_WITHIN)
        else:
            after = delivering.deliver(delivery, current)
        if after.next_attempt_at:
            comes_behind[delivery.subject] = after.next_attempt_at


def _give_up(endpoint: Endpoint, page: Sequence[Delivery]) -> None:
    for delivery in page:
        delivering.give_up(delivery, endpoint)


@retry_stale
def _write_unless_changed(
    claimed: Endpoint, change: Callable[[Endpoint, datetime], Endpoint]
) -> None:
    if current := _unless_changed(claimed):
        write_alone(endpoint_store.replace_endpoint(change(current, clock.now())))


def _unless_changed(claimed: Endpoint) -> Endpoint | None:
    """The endpoint as it is now; None where it is no longer the claimer's to look after."""
    current = endpoint_store.get_endpoint(claimed.id)
    return current if current and current.look_at == claimed.look_at else None
