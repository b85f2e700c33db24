"""How endpoints fare: which are slow, whose circuit is open, and who is disabled.

In the normal case nothing is written: an endpoint that answers in good time is as it was.
"""

from datetime import datetime

from chalicelib.cases import service as cases
from chalicelib.kernel import clock, events
from chalicelib.kernel.events import Event
from chalicelib.platform import queues
from chalicelib.platform.log import logger, metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Transaction, write_alone
from chalicelib.webhooks import endpoint_store, rules
from chalicelib.webhooks.rules import Attempt, Endpoint


@retry_stale
def note_success(called: Endpoint, made: Attempt) -> None:
    """An endpoint that answers again is no longer failing, and hears what has waited for it."""
    if called.is_well(in_good_time=made.in_good_time):
        return
    current = _that_was(called)
    if current is None or not current.is_active:
        return
    if not current.is_well(in_good_time=made.in_good_time):
        answered = current.answered(clock.now(), in_good_time=made.in_good_time)
        write_alone(endpoint_store.replace_endpoint(answered))
    if current.circuit == "open":
        logger.info("circuit closed", endpoint_id=current.id)
        ask_to_look_after(current.id)


@retry_stale
def note_failure(called: Endpoint, delivery_id: str, made: Attempt, now: datetime) -> None:
    """Remember a failure; disable an endpoint that is gone, or has failed for five days."""
    endpoint = _that_was(called)
    if endpoint is None or not endpoint.is_active:
        return
    failed = endpoint.failed(now, delivery_id)
    if reason := why_disabled(failed, made, now):
        disable(endpoint, reason)
    elif endpoint.is_news(failed):
        write_alone(endpoint_store.replace_endpoint(failed))
        _tell_of_circuit(endpoint, failed)


@retry_stale
def note_slowness(called: Endpoint) -> None:
    """Its next deliveries go where they hold up only each other."""
    endpoint = _that_was(called)
    if endpoint and not endpoint.slow:
        write_alone(endpoint_store.replace_endpoint(endpoint.slowed_down()))
        logger.info("endpoint is slow", endpoint_id=endpoint.id)


def is_gone(called: Endpoint, made: Attempt) -> bool:
    """Whether it is gone, and not merely where it was called."""
    return made.status_code == rules.GONE and _that_was(called) is not None


def why_disabled(failed: Endpoint, made: Attempt, now: datetime) -> str | None:
    """Why an endpoint that has just failed so is not called any more; None: it still is."""
    since = failed.failing_since or now
    if made.status_code == rules.GONE:
        return "It answered 410 Gone."
    if now - since >= rules.DISABLED_AFTER:
        return f"It has failed since {clock.to_text(since)}."
    return None


def disable(endpoint: Endpoint, reason: str) -> None:
    disabled = endpoint.disabled(reason, clock.now())
    transaction = Transaction()
    transaction.add(endpoint_store.replace_endpoint(disabled))
    detail = f"Webhook endpoint {endpoint.id} of {endpoint.owner} was disabled. {reason}"
    cases.open_in(
        transaction, "endpoint_disabled", endpoint.id, detail, occurrence=str(disabled.version)
    )
    transaction.publish(Event(events.ENDPOINT_DISABLED, endpoint.id))
    transaction.commit()


def ask_to_look_after(*endpoint_ids: str) -> None:
    queues.send(queues.WEBHOOK_RECOVER, [{"subject": each} for each in endpoint_ids])


def _that_was(called: Endpoint) -> Endpoint | None:
    """The endpoint as it is now; None where it has begun anew since it was called."""
    current = endpoint_store.get_endpoint(called.id)
    return current if current and current.epoch == called.epoch else None


def _tell_of_circuit(before: Endpoint, after: Endpoint) -> None:
    if after.circuit == "open" != before.circuit:
        metric("WebhookCircuitsOpened")
        logger.warning("circuit opened", endpoint_id=after.id)
