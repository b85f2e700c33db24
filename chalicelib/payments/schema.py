"""Requests and answers about refunds and remittances."""

from chalicelib.payments.rules import PaidFrom, PaymentMethod, RefundStatus
from chalicelib.platform.schema import (
    Instant,
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
