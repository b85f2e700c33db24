"""What each webhook tells, by event type."""

from typing import Any

from chalicelib.reference.examples.story import (
    AFTER_SALES,
    CAMPAIGN,
    CAMPAIGN_SUMMARY,
    CASE,
    CLOCKS,
    DISPATCH,
    DISPATCH_VIEW,
    DISPUTE,
    EGGS,
    ENDPOINT,
    ENDPOINT_VIEW,
    LEADER,
    ORDER,
    PARCEL,
    REFUND,
    RUN,
    WRONG_AMOUNT,
)

DISPATCH_TOLD: dict[str, Any] = {
    "dispatch_id": DISPATCH,
    **{name: DISPATCH_VIEW[name] for name in ("order_id", "lines", "ship_to")},
    "version": 2,
    **{name: DISPATCH_VIEW[name] for name in ("accept_by", "ship_by")},
}
CAMPAIGN_END_TOLD: dict[str, Any] = {
    "campaign_id": CAMPAIGN,
    "title": "Breakfast of the week",
    "target": {"kind": "buyers", "count": 20},
}
REFUND_TOLD: dict[str, Any] = {
    "refund_id": REFUND,
    "order_id": ORDER,
    "amount": 349,
    "currency": "EUR",
    "reason": "One box arrived broken",
}
PAYOUT_TOLD: dict[str, Any] = {
    "payout_id": "pyt_7b9d1f3a5c2e40688ac4e6f0b2d4",
    "version": 2,
    "currency": "EUR",
    "amount": 48120,
    "netted": 0,
    "reference": "NTRF 2026-03-14/17",
}
AFTER_SALES_TOLD: dict[str, Any] = {
    "after_sales_id": AFTER_SALES,
    "order_id": ORDER,
    "lines": [{"sku_id": EGGS, "quantity": 1}],
    "due_at": "2026-03-06T18:02:51.930Z",
}

# What each webhook tells, by event type.
TOLD: dict[str, Any] = {
    "dispatch.created": {**DISPATCH_TOLD, "version": 1},
    "dispatch.cancelled": DISPATCH_TOLD,
    "dispatch.updated": {
        **DISPATCH_TOLD,
        "disputes": [{"dispute_id": DISPUTE, "parcel_ids": [PARCEL], "status": "open"}],
    },
    "dispatch.reminder": {
        **DISPATCH_TOLD,
        "clock": {
            "kind": "accept",
            "parcel_id": None,
            "due_at": CLOCKS[0]["due_at"],
            "on_missed": "fine",
            "fine_amount": 500,
        },
    },
    "endpoint.disabled": {
        "endpoint_id": ENDPOINT,
        "owner": ENDPOINT_VIEW["owner"],
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
    "payout.paid": PAYOUT_TOLD,
    "payout.returned": {**PAYOUT_TOLD, "version": 3},
    "payout.failed": PAYOUT_TOLD,
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
        "detail": WRONG_AMOUNT,
    },
}
