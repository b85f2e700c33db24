"""Answers about refunds; requests and answers about remittances."""

from chalicelib.payments.rules import PaymentMethod, RefundStatus
from chalicelib.platform.schema import Instant, PositiveAmount, Reference, RequestModel, View


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


class BookRemittance(RequestModel):
    amount: PositiveAmount
    reference: Reference


class RemittanceView(View):
    id: str
    leader_id: str
    amount: int
    currency: str
    reference: str
    received_at: Instant
