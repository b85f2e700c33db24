"""A case and its life."""

from collections.abc import Mapping
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

# Cases that end with what they are about, and where that is done: closed alone, they would leave it
# open with nobody who looks.
ENDS_WITH: Mapping[CaseKind, str] = {
    "reconciliation_difference": "POST /v1/reconciliations/{subject}/differences/{{n}}/resolve",
}


@dataclass(frozen=True)
class Case:
    """`subject` is the id of what it is about; `detail` says in a sentence what to look at. It is
    resolved by an operator, or by nobody but what settles it."""

    id: str
    kind: CaseKind
    subject: str
    detail: str
    status: CaseStatus
    opened_at: datetime
    note: str | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None

    @property
    def ends_with(self) -> str | None:
        """Where what it is about is resolved, which closes it; None where a person says that it is
        over."""
        place = ENDS_WITH.get(self.kind)
        return place.format(subject=self.subject) if place else None
