"""One example for each shape that callers send or read, by the name of its model.

They tell one story: two suppliers, one community, one order of eggs and bread, and the night after.
"""

from typing import Any

from chalicelib.reference.examples import buying, running, selling
from chalicelib.reference.examples.buying import (
    AFTER_SALES_ASKED,
    AFTER_SALES_TOLD,
    AFTER_SALES_VIEW,
    CAMPAIGN_END_TOLD,
    DISPATCH_TOLD,
    PLACED_ORDER,
    REFUND_TOLD,
)
from chalicelib.reference.examples.running import ENDPOINT_VIEW
from chalicelib.reference.examples.selling import CAMPAIGN_SUMMARY
from chalicelib.reference.examples.story import (
    CAMPAIGN,
    CASE,
    DISPATCH,
    ENDPOINT,
    LEADER,
    ORDER,
    REFUND,
    RUN,
)

EXAMPLES: dict[str, Any] = {**selling.EXAMPLES, **buying.EXAMPLES, **running.EXAMPLES}
# Where a route answers a shape in another state than its usual example, by the route's operation.
ANSWERS: dict[str, Any] = {
    "place_order": PLACED_ORDER,
    "ask_after_sales": AFTER_SALES_ASKED,
    "respond_to_after_sales": {
        **AFTER_SALES_ASKED,
        "status": "responded",
        "steps": AFTER_SALES_VIEW["steps"][:2],
        "version": 2,
    },
}

# Bodies that are no JSON, by their route.
TEXTS = {
    "import_stock": "supplier_sku,on_hand\nEGG-10,120\nEGG-6,45\nEGG-4,many\n",
    "import_tracking": f"dispatch_id,carrier,tracking_number\n{DISPATCH},DHL,00340434\n",
}

# What each webhook tells, by event type.
TOLD: dict[str, Any] = {
    "dispatch.created": {**DISPATCH_TOLD, "version": 1},
    "dispatch.cancelled": DISPATCH_TOLD,
    "dispatch.updated": DISPATCH_TOLD,
    "endpoint.disabled": {
        "endpoint_id": ENDPOINT,
        "url": ENDPOINT_VIEW["url"],
        "reason": "It answered 410 Gone.",
        "version": 4,
    },
    "ping": {"endpoint_id": ENDPOINT},
    "order.paid": {
        "order_id": ORDER,
        "version": 2,
        "status": "paid",
        "leader_id": LEADER,
        "campaign_id": CAMPAIGN,
        "currency": "EUR",
        "total": 1118,
        "refunded_amount": 0,
    },
    "order.refunded": {**REFUND_TOLD, "status": "succeeded"},
    "refund.failed": {**REFUND_TOLD, "status": "failed"},
    "campaign.closed": {
        "campaign_id": CAMPAIGN,
        "title": CAMPAIGN_SUMMARY["title"],
        "closes_at": CAMPAIGN_SUMMARY["closes_at"],
    },
    "campaign.met": CAMPAIGN_END_TOLD,
    "campaign.missed": CAMPAIGN_END_TOLD,
    "campaign.cancelled": {**CAMPAIGN_END_TOLD, "target": None},
    "settlement.completed": {
        "run_id": RUN,
        "business_date": "2026-03-11",
        "leaders_settled": 3,
        "totals": [{"currency": "EUR", "amount": 9640}],
    },
    "after_sales.requested": {
        **AFTER_SALES_TOLD,
        "version": 1,
        "status": "requested",
        "refund_id": None,
    },
    "after_sales.decided": {
        **AFTER_SALES_TOLD,
        "version": 3,
        "status": "refunded",
        "refund_id": REFUND,
    },
    "case.opened": {
        "case_id": CASE,
        "kind": "wrong_amount",
        "subject": "local:ch_91b0",
        "detail": f"1000 EUR came by local for order {ORDER} (paid, total 1118 EUR) and goes back.",
    },
}
