"""Answers that are told by their route, and bodies that are text."""

from typing import Any

from chalicelib.reference.examples.selling import PRODUCT_VIEW, SKU
from chalicelib.reference.examples.story import (
    AFTER_SALES_VIEW,
    BATCH_SUMMARY,
    CAMPAIGN_SUMMARY,
    CAMPAIGN_VIEW,
    CLONE_CAMPAIGN,
    DIFFERENCE_VIEW,
    DISPATCH,
    DISPUTE_VIEW,
    EDIT_CAMPAIGN,
    EGGS,
    ORDER_VIEW,
    PAYOUT,
    RECONCILIATION_VIEW,
    UNDONE_VIEW,
)

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
AFTER_SALES_ASKED: dict[str, Any] = {
    **AFTER_SALES_VIEW,
    "status": "requested",
    "steps": AFTER_SALES_VIEW["steps"][:1],
    "refund_id": None,
    "version": 1,
}
NO_RESULTS: dict[str, int] = {
    f"{outcome}{of}": 0
    for outcome in ("paid", "returned", "failed", "unknown")
    for of in ("", "_amount")
}
BATCH_PREPARING: dict[str, Any] = {
    **BATCH_SUMMARY,
    "status": "preparing",
    "payouts": 0,
    "amount": 0,
    "netted": 0,
    "left_out": 0,
    "approved_by": None,
    "approved_at": None,
    "sent_by": None,
    "sent_at": None,
    "cancelled_by": None,
    "results": NO_RESULTS,
}
RECONCILIATION_BEGUN: dict[str, Any] = {
    **RECONCILIATION_VIEW,
    "status": "gathering",
    "progress": 0,
    "matched": 0,
    "differences": 0,
    "unresolved": 0,
    "in_transit": 0,
    "kinds": [],
    "done_at": None,
}

# Where a route answers a shape in another state than its usual example, by the route's operation.
ANSWERS: dict[str, Any] = {
    "cancel_campaign": {**CAMPAIGN_SUMMARY, "status": "cancelled"},
    "cancel_order": {
        **PLACED_ORDER,
        "status": "cancelled",
        "version": 2,
        "payment": {**PLACED_ORDER["payment"], "status": "cancelled", "client_secret": None},
        "cancel_reason": "Ordered by mistake",
    },
    "clone_campaign": {
        **CAMPAIGN_VIEW,
        **CLONE_CAMPAIGN,
        "id": "cmp_019cc0a6b1e45f2d9c7830e1a2b4",
        "status": "scheduled",
        "created_at": "2026-03-04T08:11:37.920Z",
    },
    "edit_campaign": {
        **CAMPAIGN_VIEW,
        "title": EDIT_CAMPAIGN["title"],
        "max_orders": EDIT_CAMPAIGN["max_orders"],
        "offers": [
            {**CAMPAIGN_VIEW["offers"][0], "quantity_cap": 800},
            CAMPAIGN_VIEW["offers"][1],
        ],
    },
    "edit_product": {
        **PRODUCT_VIEW,
        "category": "Eggs",
        "skus": [{"id": EGGS, **SKU, "cost": 255}],
    },
    "make_batch": BATCH_PREPARING,
    "take_statement": RECONCILIATION_BEGUN,
    "resolve_difference": {
        **DIFFERENCE_VIEW,
        "resolution": "returned",
        "note": "The account is closed; the leader knows.",
        "resolved_by": "op_tom",
        "resolved_at": "2026-03-19T09:14:20.733Z",
        "posted": [f"payout-returned:{PAYOUT}"],
    },
    "undo_resolution": {**DIFFERENCE_VIEW, "undone": [UNDONE_VIEW]},
    "approve_batch": {
        **BATCH_SUMMARY,
        "status": "approved",
        "sent_at": None,
        "results": NO_RESULTS,
    },
    "send_batch": {**BATCH_SUMMARY, "results": NO_RESULTS},
    "cancel_batch": {
        **BATCH_SUMMARY,
        "status": "cancelling",
        "sent_at": None,
        "results": NO_RESULTS,
    },
    "place_order": PLACED_ORDER,
    "ask_after_sales": AFTER_SALES_ASKED,
    "resolve_dispute": {
        **DISPUTE_VIEW,
        "status": "dismissed",
        "note": "The carrier's photo shows it in the shop.",
        "resolved_at": "2026-03-05T15:40:02.119Z",
        "version": 2,
    },
    "respond_to_after_sales": {
        **AFTER_SALES_ASKED,
        "status": "responded",
        "steps": AFTER_SALES_VIEW["steps"][:2],
        "version": 2,
    },
}

# Bodies that are no JSON, by their route.
TEXTS = {
    "take_statement": "date,amount,currency,reference,bank_ref,type\n"
    f"2026-03-13,-114.84,EUR,{PAYOUT},C13-0871,payment\n2026-03-13,-4.50,EUR,,C13-0872,fee\n",
    "import_stock": "supplier_sku,on_hand\nEGG-10,120\nEGG-6,45\nEGG-4,many\n",
    "import_tracking": f"dispatch_id,carrier,tracking_number\n{DISPATCH},DHL,00340434\n",
}
