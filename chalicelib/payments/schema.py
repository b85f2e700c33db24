"""Answers about refunds."""

from chalicelib.payments.rules import PaymentMethod, RefundStatus
from chalicelib.platform.schema import Instant, View


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
