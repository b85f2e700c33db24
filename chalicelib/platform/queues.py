"""Queues, and which of them each kind of event goes to."""

import json
import threading
from collections.abc import Sequence
from functools import cache
from typing import Any

from chalicelib.kernel import events
from chalicelib.kernel.events import Event
from chalicelib.platform.settings import required

DISPATCH_CREATE = "DISPATCH_CREATE_QUEUE"
CAMPAIGN_ORDERS = "CAMPAIGN_ORDERS_QUEUE"
REFUND_EXECUTE = "REFUND_EXECUTE_QUEUE"
WEBHOOK_FAN_OUT = "WEBHOOK_FAN_OUT_QUEUE"
WEBHOOK_ATTEMPT = "WEBHOOK_ATTEMPT_QUEUE"
WEBHOOK_SLOW = "WEBHOOK_SLOW_QUEUE"
WEBHOOK_RECOVER = "WEBHOOK_RECOVER_QUEUE"
WEBHOOK_REPLAY = "WEBHOOK_REPLAY_QUEUE"
PLAN_SIMULATE = "PLAN_SIMULATE_QUEUE"
SETTLEMENT_LIST = "SETTLEMENT_LIST_QUEUE"
SETTLEMENT_SETTLE = "SETTLEMENT_SETTLE_QUEUE"
PAYOUT_PAGE = "PAYOUT_PAGE_QUEUE"
RECONCILE = "RECONCILE_QUEUE"

# In the order of an order's way; each has its worker and its dead-letter queue.
ALL = (
    DISPATCH_CREATE,
    CAMPAIGN_ORDERS,
    REFUND_EXECUTE,
    WEBHOOK_FAN_OUT,
    WEBHOOK_ATTEMPT,
    WEBHOOK_SLOW,
    WEBHOOK_RECOVER,
    WEBHOOK_REPLAY,
    PLAN_SIMULATE,
    SETTLEMENT_LIST,
    SETTLEMENT_SETTLE,
    PAYOUT_PAGE,
    RECONCILE,
)
# How often a message is given to its worker before it is put aside.
MAX_RECEIVES = 5

RECEIVERS: dict[str, tuple[str, ...]] = {
    events.ORDER_PAID: (DISPATCH_CREATE, WEBHOOK_FAN_OUT),
    events.ORDER_REFUNDED: (WEBHOOK_FAN_OUT,),
    events.DISPATCHES_CREATED: (WEBHOOK_FAN_OUT,),
    events.DISPATCH_CREATED: (WEBHOOK_FAN_OUT,),
    events.DISPATCH_CANCELLED: (WEBHOOK_FAN_OUT,),
    events.DISPATCH_UPDATED: (WEBHOOK_FAN_OUT,),
    events.DISPATCH_REMINDER: (WEBHOOK_FAN_OUT,),
    events.REFUND_DECIDED: (REFUND_EXECUTE,),
    events.REFUND_FAILED: (WEBHOOK_FAN_OUT,),
    events.CAMPAIGN_CLOSED: (WEBHOOK_FAN_OUT,),
    events.CAMPAIGN_MET: (CAMPAIGN_ORDERS, WEBHOOK_FAN_OUT),
    events.CAMPAIGN_MISSED: (CAMPAIGN_ORDERS, WEBHOOK_FAN_OUT),
    events.CAMPAIGN_CANCELLED: (CAMPAIGN_ORDERS, WEBHOOK_FAN_OUT),
    events.SETTLEMENT_STARTED: (SETTLEMENT_LIST,),
    events.SETTLEMENT_COMPLETED: (WEBHOOK_FAN_OUT,),
    events.PAYOUTS_ASKED: (PAYOUT_PAGE,),
    events.PAYOUT_PAID: (WEBHOOK_FAN_OUT,),
    events.PAYOUT_RETURNED: (WEBHOOK_FAN_OUT,),
    events.PAYOUT_FAILED: (WEBHOOK_FAN_OUT,),
    events.RECONCILIATION_ASKED: (RECONCILE,),
    events.ENDPOINT_DISABLED: (WEBHOOK_FAN_OUT,),
    events.AFTER_SALES_REQUESTED: (WEBHOOK_FAN_OUT,),
    events.AFTER_SALES_DECIDED: (WEBHOOK_FAN_OUT,),
    events.CASE_OPENED: (WEBHOOK_FAN_OUT,),
    events.REPLAY_ASKED: (WEBHOOK_REPLAY,),
    events.SIMULATION_ASKED: (PLAN_SIMULATE,),
}

SEND_LIMIT = 10
# boto3 makes its clients in one thread at a time; any number may use them.
_making = threading.Lock()


class NotSent(Exception):
    """The queue refused some messages of a batch; what it took will come again and is harmless."""


def send_event(event: Event) -> None:
    """Give the event to every queue whose worker wants it."""
    for queue in RECEIVERS[event.type]:
        send(queue, [{"type": event.type, "subject": event.subject, "data": dict(event.data)}])


def send(queue: str, messages: Sequence[dict[str, Any]], *, delay_seconds: int = 0) -> None:
    """Send each message as JSON, up to ten a call, at most 900 seconds late. Raises NotSent."""
    with _making:
        sqs = client()
    for start in range(0, len(messages), SEND_LIMIT):
        batch = messages[start : start + SEND_LIMIT]
        entries = [
            {"Id": str(n), "MessageBody": json.dumps(message), "DelaySeconds": delay_seconds}
            for n, message in enumerate(batch)
        ]
        answer = sqs.send_message_batch(QueueUrl=required(queue), Entries=entries)
        if answer.get("Failed"):
            raise NotSent(
                f"{queue}: {len(answer['Failed'])} of {len(entries)} messages were refused"
            )


@cache
def client() -> Any:
    import boto3  # a request that publishes nothing does not pay for a client of SQS

    return boto3.client("sqs")
