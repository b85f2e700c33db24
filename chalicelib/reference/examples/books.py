"""The books, and statements of banks against them."""

from typing import Any

from chalicelib.reference.examples.story import (
    BAKERY,
    DIFFERENCE_VIEW,
    DISPATCH,
    LEADER,
    LINE_VIEW,
    ORDER,
    PARCEL,
    RECONCILIATION_VIEW,
    REFUND,
    SUPPLIER,
    UNDONE_VIEW,
)


def _earned(kind: str, entries: int, debits: int, credits: int) -> dict[str, Any]:
    return {
        "currency": "EUR",
        "kind": kind,
        "entries": entries,
        "debits": debits,
        "credits": credits,
        "balance": debits - credits,
    }


def _traded(part: str, cost: int, commission: int, margin: int) -> dict[str, Any]:
    return {
        "currency": "EUR",
        "part": part,
        "sales": cost + commission + margin,
        "cost": cost,
        "commission": commission,
        "margin": margin,
    }


YEAR: dict[str, Any] = {
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
        "kept": 0,
        "held": 0,
        "payout": -400000,
        "payout_returned": 0,
        "netting": 0,
        "adjustment": 0,
    },
    "earned": 408930,
    "paid_out": 400000,
    "total": 8930,
}
MARCH: dict[str, Any] = {
    "by_kind": dict.fromkeys(YEAR["by_kind"], 0) | {"commission": 102},
    "earned": 102,
    "paid_out": 0,
    "total": 102,
}

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
    "BalancesView": {
        "account": "cash:bank",
        "as_of": "2026-03-17T22:59:59.999Z",
        "balances": [
            {
                "currency": "EUR",
                "opening": 120000,
                "closing": 98210,
                "books": 86726,
                "in_transit": 0,
                "dated_later": 0,
                "unresolved": 11484,
                "resolved_since": 0,
                "expected": 98210,
                "unexplained": 0,
            }
        ],
    },
    "Assign": {"owner": "op_tom"},
    "Undo": {"note": UNDONE_VIEW["why"]},
    "BookedView": {
        "id": f"delivered:{PARCEL}",
        "business_date": "2026-03-03",
        "period": "2026-03",
        "belongs_to": "2026-02",
        "posted_at": "2026-03-03T09:12:00.000Z",
        "subject": ORDER,
        "narration": f"Delivery of dispatch {DISPATCH} of order {ORDER}",
        "income": "margin",
        "currency": "EUR",
        "postings": [
            {"account": "customer_prepayments", "amount": 698},
            {"account": f"supplier:{SUPPLIER}:payable", "amount": -480},
            {"account": f"leader:{LEADER}:pending", "amount": -56},
            {"account": "platform:revenue", "amount": -162},
        ],
    },
    "IncomeReportView": {
        "first_day": "2026-03-01",
        "last_day": "2026-03-31",
        "through": "2026-03-31T22:59:59.999Z",
        "kinds": [
            _earned("annual_fees", 2, 0, 20000),
            _earned("margin", 412, 120, 61804),
            _earned("refunds", 9, 1458, 0),
        ],
        "trade": [
            _traded("deliveries", 204800, 20480, 61684),
            _traded("refunds", -4860, -486, -1458),
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
    "LeaderTotalsView": YEAR,
    "LeaderYearView": {
        **YEAR,
        "statements": 1,
        **MARCH,
        "months": [
            {
                "month": "2026-03",
                "statements": [
                    {
                        "run_id": "run_2026-03-10",
                        "business_date": "2026-03-10",
                        "opening_balance": 0,
                        "total": 102,
                        "closing_balance": 102,
                    }
                ],
                **MARCH,
            }
        ],
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
        "read": {
            "entries": 1204,
            "balances": 31,
            "suppliers": 4,
            "orders": 310,
            "leaders": 27,
            "runs": 1,
            "refunds": 12,
            "receipts": 311,
            "chargebacks": 1,
            "deposits": 4,
            "remittances": 6,
            "payouts": 40,
            "batches": 2,
            "reconciliations": 2,
        },
        "next_due_at": "2026-03-13T03:00:00.000Z",
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
                "listed": {
                    "debits": 2338,
                    "credits": 2338,
                    "debit_balances": 1118,
                    "credit_balances": 1118,
                },
                "debits": 2338,
                "credits": 2338,
                "balanced": True,
            }
        ],
    },
}
