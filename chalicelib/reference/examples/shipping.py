"""Dispatches, parcels and disputes."""

from typing import Any

from chalicelib.reference.examples.story import DISPATCH_VIEW, DISPUTE_VIEW, EGGS, PARCEL

EXAMPLES: dict[str, Any] = {
    "AcceptDispatch": {},
    "CancelDispatch": {"reason": "The farm called: its van broke down"},
    "CorrectParcel": {"tracking_number": "00340434161094042564"},
    "DeliverDispatch": {"delivered_at": "2026-03-04T16:20:00.000Z"},
    "DispatchView": DISPATCH_VIEW,
    "DisputeDelivery": {"reason": "Nothing came to the shop.", "parcel_id": PARCEL},
    "DisputeView": DISPUTE_VIEW,
    "FeedView": {
        "items": [DISPATCH_VIEW],
        "next_cursor": None,
        "next_updated_since": "2026-03-02T14:04:40.001Z",
    },
    "TrackingImportedView": {
        "rows": 4,
        "shipped": 2,
        "unchanged": 0,
        "skipped": 1,
        "errors": [{"line": 4, "field": "tracking_number", "message": "is required"}],
    },
    "RefundOrder": {
        "lines": [{"sku_id": EGGS, "quantity": 1}],
        "reason": "One box arrived broken",
        "cause": "damaged",
        "restock": False,
    },
    "RejectDispatch": {"reason": "out_of_stock"},
    "ResolveDispute": {
        "outcome": "dismissed",
        "note": "The carrier's photo shows it in the shop.",
    },
    "ShipDispatch": {"carrier": "DHL", "tracking_number": "00340434161094042557"},
    "WaiveFine": {"reason": "The road was flooded"},
}
