"""What is bought: orders, their payments and refunds, dispatches and after-sales."""

from typing import Any

from chalicelib.reference.examples.story import (
    ADDRESS,
    AFTER_SALES,
    BAKERY,
    BREAD,
    CAMPAIGN,
    DISPATCH,
    EGGS,
    FULL_ADDRESS,
    LEADER,
    ORDER,
    OTHER_DISPATCH,
    PAYMENT,
    REFUND,
    SUPPLIER,
)

ORDER_LINES: list[dict[str, Any]] = [
    {
        "sku_id": EGGS,
        "supplier_id": SUPPLIER,
        "title": "Free-range eggs, Box of 10",
        "quantity": 2,
        "refunded_quantity": 0,
        "refunded_amount": 0,
        "unit_price": 349,
        "price_reason": [],
        "amount": 698,
        "discount": 0,
        "tax": 0,
        "net": 698,
    },
    {
        "sku_id": BREAD,
        "supplier_id": BAKERY,
        "title": "Rye bread",
        "quantity": 1,
        "refunded_quantity": 0,
        "refunded_amount": 0,
        "unit_price": 420,
        "price_reason": [],
        "amount": 420,
        "discount": 0,
        "tax": 0,
        "net": 420,
    },
]
DISPATCHED: list[dict[str, Any]] = [
    {
        "id": DISPATCH,
        "supplier_id": SUPPLIER,
        "status": "shipped",
        "carrier": "DHL",
        "tracking_number": "00340434161094042557",
    },
    {
        "id": OTHER_DISPATCH,
        "supplier_id": BAKERY,
        "status": "accepted",
        "carrier": None,
        "tracking_number": None,
    },
]
ORDER_VIEW: dict[str, Any] = {
    "id": ORDER,
    "status": "shipped",
    "version": 5,
    "customer_id": "cus_ada",
    "leader_id": LEADER,
    "campaign_id": CAMPAIGN,
    "currency": "EUR",
    "lines": ORDER_LINES,
    "subtotal": 1118,
    "discount": 0,
    "shipping": 0,
    "tax": 0,
    "total": 1118,
    "refunded_amount": 0,
    "payment": {
        "id": PAYMENT,
        "method": "card",
        "status": "succeeded",
        "amount": 1118,
        "client_secret": None,
    },
    "dispatches": DISPATCHED,
    "ship_to": FULL_ADDRESS,
    "note": "Please ring twice",
    "expires_at": "2026-03-02T09:45:12.640Z",
    "completes_at": None,
    "refunds": [],
    "cancel_reason": None,
    "created_at": "2026-03-02T09:30:12.640Z",
}
PLACED_ORDER: dict[str, Any] = {
    **ORDER_VIEW,
    "status": "pending_payment",
    "version": 1,
    "payment": {
        **ORDER_VIEW["payment"],
        "status": "pending",
        "client_secret": "pi_3QmT7aB2_secret_9xVtR4",
    },
    "dispatches": [],
}
DISPATCH_VIEW: dict[str, Any] = {
    "id": DISPATCH,
    "order_id": ORDER,
    "supplier_id": SUPPLIER,
    "status": "shipped",
    "version": 3,
    "currency": "EUR",
    "lines": [
        {
            "sku_id": EGGS,
            "supplier_sku": "EGG-10",
            "title": "Free-range eggs, Box of 10",
            "quantity": 2,
            "unit_cost": 240,
        }
    ],
    "ship_to": FULL_ADDRESS,
    "accept_by": "2026-03-02T21:31:07.118Z",
    "ship_by": "2026-03-03T09:31:07.118Z",
    "carrier": "DHL",
    "tracking_number": "00340434161094042557",
    "reason": None,
    "shipped_at": "2026-03-02T14:05:40.001Z",
    "delivered_at": None,
    "created_at": "2026-03-02T09:31:08.330Z",
    "updated_at": "2026-03-02T14:05:40.001Z",
}
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
AFTER_SALES_VIEW: dict[str, Any] = {
    "id": AFTER_SALES,
    "order_id": ORDER,
    "leader_id": LEADER,
    "status": "refunded",
    "lines": [
        {
            "sku_id": EGGS,
            "supplier_id": SUPPLIER,
            "title": "Free-range eggs, Box of 10",
            "quantity": 1,
        }
    ],
    "reason": "Four of the ten eggs were broken.",
    "photos": ["https://photos.example/ada/eggs.jpg"],
    "steps": [
        {
            "at": "2026-03-04T18:02:51.930Z",
            "by": "customer",
            "action": "requested",
            "note": None,
            "accept": None,
            "party_id": None,
        },
        {
            "at": "2026-03-04T19:40:12.004Z",
            "by": "leader",
            "action": "responded",
            "note": "I saw the box, it was wet.",
            "accept": True,
            "party_id": LEADER,
        },
        {
            "at": "2026-03-05T08:00:44.310Z",
            "by": "operator",
            "action": "refunded",
            "note": "Refunded; we are sorry.",
            "accept": None,
            "party_id": None,
        },
    ],
    "refund_id": REFUND,
    "due_at": "2026-03-06T18:02:51.930Z",
    "created_at": "2026-03-04T18:02:51.930Z",
    "version": 3,
}
AFTER_SALES_ASKED: dict[str, Any] = {
    **AFTER_SALES_VIEW,
    "status": "requested",
    "steps": AFTER_SALES_VIEW["steps"][:1],
    "refund_id": None,
    "version": 1,
}
AFTER_SALES_TOLD: dict[str, Any] = {
    "after_sales_id": AFTER_SALES,
    "order_id": ORDER,
    "lines": [{"sku_id": EGGS, "quantity": 1}],
    "due_at": "2026-03-06T18:02:51.930Z",
}

EXAMPLES: dict[str, Any] = {
    "AcceptDispatch": {},
    "AfterSalesView": AFTER_SALES_VIEW,
    "AskAfterSales": {
        "lines": [{"sku_id": EGGS, "quantity": 1}],
        "reason": "Four of the ten eggs were broken.",
        "photos": ["https://photos.example/ada/eggs.jpg"],
    },
    "BookRemittance": {"amount": 48200, "reference": "transfer 2026-0310-4471"},
    "CancelOrder": {"reason": "Ordered by mistake"},
    "CollectPayment": {"amount": 1118, "reference": "cash box, receipt 17"},
    "DecideAfterSales": {"refund": True, "note": "Refunded; we are sorry."},
    "DeliverDispatch": {"delivered_at": "2026-03-04T16:20:00.000Z"},
    "DispatchView": DISPATCH_VIEW,
    "EventTaken": {"received": True},
    "FeedView": {
        "items": [DISPATCH_VIEW],
        "next_cursor": None,
        "next_updated_since": "2026-03-02T14:04:40.001Z",
    },
    "OpenCampaignView": {
        "id": CAMPAIGN,
        "title": "Breakfast of the week",
        "status": "open",
        "closes_at": "2026-03-03T18:00:00.000Z",
        "currency": "EUR",
        "orders_left": 41,
        "offers": [
            {
                "sku_id": EGGS,
                "title": "Free-range eggs, Box of 10",
                "price": 359,
                "price_reason": ["leader_price"],
                "quantity_breaks": [{"units": 6, "amount": 1805}],
                "limit_per_customer": 4,
                "available": 86,
                "unavailable_reason": None,
            }
        ],
    },
    "OrderView": ORDER_VIEW,
    "PaymentEvent": {
        "id": "evt_4b8f",
        "type": "payment.succeeded",
        "data": {
            "payment_id": PAYMENT,
            "amount": 1118,
            "currency": "EUR",
            "reference": "ch_4b8f",
        },
    },
    "PlaceOrder": {
        "campaign_id": CAMPAIGN,
        "leader_id": LEADER,
        "lines": [{"sku_id": EGGS, "quantity": 2}, {"sku_id": BREAD, "quantity": 1}],
        "ship_to": ADDRESS,
        "payment_method": "card",
        "note": "Please ring twice",
    },
    "ReceiptView": {
        "payment_id": PAYMENT,
        "order_id": ORDER,
        "amount": 1118,
        "currency": "EUR",
        "received_at": "2026-03-02T09:31:07.118Z",
    },
    "RefundOrder": {
        "lines": [{"sku_id": EGGS, "quantity": 1}],
        "reason": "One box arrived broken",
        "restock": False,
    },
    "RefundView": {
        "id": REFUND,
        "order_id": ORDER,
        "amount": 349,
        "currency": "EUR",
        "status": "succeeded",
        "method": "card",
        "reason": "One box arrived broken",
        "decided_at": "2026-03-05T08:00:44.310Z",
        "completed_at": "2026-03-05T08:00:45.972Z",
    },
    "RejectDispatch": {"reason": "Sold out at the farm"},
    "RemittanceView": {
        "id": "rem_0d2b4f6a8c1e3057f9b1d3e5a7c9",
        "leader_id": LEADER,
        "amount": 48200,
        "currency": "EUR",
        "reference": "transfer 2026-0310-4471",
        "received_at": "2026-03-10T15:47:02.336Z",
    },
    "RespondAfterSales": {"accept": True, "note": "I saw the box, it was wet."},
    "ShipDispatch": {"carrier": "DHL", "tracking_number": "00340434161094042557"},
}
