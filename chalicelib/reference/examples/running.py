"""What runs beside the sale: webhooks, cases, settlement and the ledger."""

from typing import Any

from chalicelib.reference.examples.story import (
    BAKERY,
    BREAD,
    CASE,
    DELIVERY,
    DISPATCH,
    EGGS,
    ENDPOINT,
    LEADER,
    ORDER,
    RUN,
    SUPPLIER,
)

ENDPOINT_VIEW: dict[str, Any] = {
    "id": ENDPOINT,
    "owner": SUPPLIER,
    "url": "https://havelland-farm.example/tuan",
    "event_types": ["dispatch.created", "dispatch.cancelled"],
    "status": "active",
    "generation": 1,
    "disabled_reason": None,
    "failing_since": None,
    "old_secret_until": None,
    "created_at": "2026-03-01T10:12:45.870Z",
}
STATEMENT_SUMMARY: dict[str, Any] = {
    "run_id": RUN,
    "business_date": "2026-03-11",
    "currency": "EUR",
    "opening_balance": 12500,
    "total": 102,
    "closing_balance": 12602,
}
# Eggs: 10 % of 698. Bread: 20 % of what 420 leave over a cost of 260.
STATEMENT_LINES: list[dict[str, Any]] = [
    {
        "order_id": ORDER,
        "sku_id": EGGS,
        "kind": "commission",
        "basis": "sales",
        "basis_amount": 698,
        "rate_bps": 1000,
        "amount": 70,
        "matured_on": "2026-03-11",
    },
    {
        "order_id": ORDER,
        "sku_id": BREAD,
        "kind": "commission",
        "basis": "gross_profit",
        "basis_amount": 160,
        "rate_bps": 2000,
        "amount": 32,
        "matured_on": "2026-03-11",
    },
]

EXAMPLES: dict[str, Any] = {
    "AddEndpoint": {
        "url": "https://havelland-farm.example/tuan",
        "event_types": ["dispatch.created", "dispatch.cancelled"],
    },
    "BalanceView": {
        "currency": "EUR",
        "estimated": 102,
        "pending": 4380,
        "available": 12602,
        "collected": 1118,
        "credit_limit": 50000,
        "in_payout": 0,
        "paid_out": 0,
    },
    "CaseView": {
        "id": CASE,
        "kind": "wrong_amount",
        "subject": "local:ch_91b0",
        "detail": f"1000 EUR came by local for order {ORDER} (paid, total 1118 EUR) and goes back.",
        "status": "resolved",
        "opened_at": "2026-03-02T11:40:00.217Z",
        "note": "The customer was told; the bank shows the money returned.",
        "resolved_at": "2026-03-03T08:15:32.650Z",
    },
    "ChangeEndpoint": {"status": "active"},
    "DeliveryView": {
        "id": DELIVERY,
        "endpoint_id": ENDPOINT,
        "event_type": "dispatch.created",
        "subject": DISPATCH,
        "status": "pending",
        "attempts": [
            {
                "at": "2026-03-02T09:31:08.902Z",
                "status_code": 503,
                "duration_ms": 41,
                "error": "answered 503",
            }
        ],
        "next_attempt_at": "2026-03-02T09:31:14.310Z",
        "created_at": "2026-03-02T09:31:08.640Z",
    },
    "EndpointView": ENDPOINT_VIEW,
    "EndpointWithSecretView": {
        **ENDPOINT_VIEW,
        "secret": "whsec_YW4tZXhhbXBsZS1vZi1hLXNlY3JldC1vZi0zMi1ieXQ=",
    },
    "HealthView": {"status": "ok"},
    "ResolveCase": {"note": "The customer was told; the bank shows the money returned."},
    "RunView": {
        "id": RUN,
        "business_date": "2026-03-11",
        "status": "completed",
        "leaders_total": 3,
        "leaders_settled": 3,
        "totals": [{"currency": "EUR", "amount": 9640}],
        "started_at": "2026-03-12T00:15:03.201Z",
        "completed_at": "2026-03-12T00:15:09.877Z",
    },
    "StartRun": {"business_date": "2026-03-11"},
    "StatementSummaryView": STATEMENT_SUMMARY,
    "StatementView": {**STATEMENT_SUMMARY, "lines": STATEMENT_LINES},
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
