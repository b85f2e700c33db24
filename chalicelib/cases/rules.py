"""A case and its life."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

CaseStatus = Literal["open", "resolved"]
CaseKind = Literal[
    "unmatched_receipt",
    "second_payment",
    "wrong_amount",
    "wrong_currency",
    "wrong_method",
    "payment_refused",
    "payment_not_stopped",
    "payment_disputed",
    "chargeback_unmatched",
    "chargeback_differs",
    "chargeback_won",
    "dispute_charged_back",
    "foreign_refund",
    "refund_failed",
    "refund_unconfirmed",
    "endpoint_disabled",
    "settlement_failed",
    "leader_set_aside",
    "leader_owes",
    "supplier_owes",
    "shipped_of_given_up",
    "after_sales_overdue",
    "accept_missed",
    "ship_missed",
    "deliver_missed",
    "delivery_disputed",
    "stock_difference",
    "audit_finding",
    "payout_unknown",
    "payout_contradicted",
    "payout_not_prepared",
    "reconciliation_difference",
    "found_after_clearing",
]


@dataclass(frozen=True)
class Case:
    """`subject` is the id of what it is about; `detail` says in a sentence what to look at."""

    id: str
    kind: CaseKind
    subject: str
    detail: str
    status: CaseStatus
    opened_at: datetime
    note: str | None = None
    resolved_at: datetime | None = None
