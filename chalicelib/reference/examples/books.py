"""The books, and statements of banks against them."""

from typing import Any

from chalicelib.reference.examples.story import (
    BAKERY,
    DIFFERENCE_VIEW,
    LEADER,
    LINE_VIEW,
    ORDER,
    PARCEL,
    RECONCILIATION_VIEW,
    REFUND,
    SUPPLIER,
)

EXAMPLES: dict[str, Any] = {
    "ReconciliationView": RECONCILIATION_VIEW,
    "Resolve": {"resolution": "returned", "note": "The account is closed; the leader knows."},
    "LineView": LINE_VIEW,
    "DifferenceShownView": {**DIFFERENCE_VIEW, "statement_lines": [LINE_VIEW]},
    "InTransitView": {
        "entry_id": "payout-paid:pyt_7b9d1f3a5c2e40688ac4e6f0b2d4",
        "date": "2026-03-17",
        "currency": "EUR",
        "amount": -4410,
        "found_in": None,
    },
    "Assign": {"owner": "op_tom"},
    "BookedView": {
        "id": f"delivered:{PARCEL}",
        "business_date": "2026-03-03",
        "period": "2026-03",
        "belongs_to": "2026-02",
        "posted_at": "2026-03-03T09:12:00.000Z",
        "subject": ORDER,
        "currency": "EUR",
        "postings": [
            {"account": "customer_prepayments", "amount": 698},
            {"account": f"supplier:{SUPPLIER}:payable", "amount": -480},
            {"account": f"leader:{LEADER}:pending", "amount": -56},
            {"account": "platform:revenue", "amount": -162},
        ],
    },
    "ClosedPeriodView": {
        "month": "2026-02",
        "closed_at": "2026-03-03T08:00:00.000Z",
        "closed_by": "op_mia",
        "audit_id": "aud_019cb4a2c7d15e8f90a1b2c3d4e5",
        "entries": 1204,
        "digest": "7c3f0a9d2b6e4815c0d7f2a3b4e59681",
    },
    "LeaderTotalsView": {
        "leader_id": LEADER,
        "name": "Lena Wolf",
        "year": 2026,
        "currency": "EUR",
        "statements": 211,
        "by_kind": {
            "commission": 412050,
            "spread": 0,
            "bonus": 5000,
            "cap": 0,
            "clawback": -8120,
            "held": 0,
            "payout": -400000,
            "payout_returned": 0,
            "netting": 0,
            "adjustment": 0,
        },
        "earned": 417050,
        "clawed_back": 8120,
        "paid_out": 400000,
        "total": 8930,
    },
    "StartAudit": {"whole": False},
    "AuditView": {
        "checked_at": "2026-03-12T04:01:00.000Z",
        "through": "2026-03-12T03:45:00.000Z",
        "findings": [
            {
                "check": "refunds_overdue",
                "subject": REFUND,
                "detail": f"Refund {REFUND} is failed since 2026-03-10, and has no case.",
                "amount": 349,
            }
        ],
        "findings_total": 1,
        "running": None,
    },
    "TrialBalanceView": {
        "as_of": "2026-03-12T07:00:00.000Z",
        "currencies": [
            {
                "currency": "EUR",
                "accounts": [
                    {"account": "cash:local", "balance": 1118},
                    {"account": f"leader:{LEADER}:available", "balance": -102},
                    {"account": "platform:revenue", "balance": -276},
                    {"account": f"supplier:{SUPPLIER}:payable", "balance": -480},
                    {"account": f"supplier:{BAKERY}:payable", "balance": -260},
                ],
                "debits": 2338,
                "credits": 2338,
                "balanced": True,
            }
        ],
    },
}
