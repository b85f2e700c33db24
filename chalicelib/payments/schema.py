"""Requests and answers about refunds and remittances."""

from pydantic import Field

from chalicelib.payments.rules import PaidFrom, PaymentMethod, RefundStatus
from chalicelib.platform.schema import (
    Instant,
    PageQuery,
    PositiveAmount,
    Reference,
    RequestModel,
    Text,
    View,
)


class RefundView(View):
    id: str
    order_id: str
    amount: int
    currency: str
    status: RefundStatus
    method: PaymentMethod
    reason: str
    decided_at: Instant
    completed_at: Instant | None
    attempt: int
    paid_from: PaidFrom | None


class ConfirmRefund(RequestModel):
    paid_from: PaidFrom = "leader"


class RefundsQuery(PageQuery):
    status: RefundStatus | None = Field(default=None, description="Only those that are in it.")
    method: PaymentMethod | None = Field(
        default=None,
        description="`leader_collect` for cash that the leader hands back.",
    )


class BookRemittance(RequestModel):
    amount: PositiveAmount
    reference: Reference


class ReverseRemittance(RequestModel):
    reason: Text


class RemittanceView(View):
    id: str
    leader_id: str
    amount: int
    currency: str
    reference: str
    received_at: Instant
    reversed_at: Instant | None
    reversal_reason: str | None
