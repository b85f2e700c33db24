"""Requests and answers about chargebacks."""

from typing import Any, Literal

from pydantic import Field, field_validator
from pydantic_core.core_schema import ValidationInfo

from chalicelib.payments.rules import Bearer, ChargebackStatus
from chalicelib.platform.schema import (
    Amount,
    Identifier,
    Instant,
    PositiveAmount,
    Reference,
    RequestModel,
    View,
    just_one,
)


class PaymentEvent(RequestModel):
    """An event of the local provider; every provider sends its own kind."""

    id: str
    type: str
    data: dict[str, Any]


class EventTaken(View):
    """A provider's event was taken, now or before."""

    received: bool


class BookChargeback(RequestModel):
    order_id: Identifier | None = None
    payment_id: Identifier | None = Field(
        default=None, validate_default=True, description="The order's payment, in its place."
    )
    amount: PositiveAmount
    fee: Amount = Field(default=0, description="What the provider keeps beside the amount.")
    reference: Reference = Field(description="The provider's id of the dispute.")

    @field_validator("payment_id")
    @classmethod
    def _one_of_them(cls, payment_id: str | None, sent: ValidationInfo) -> str | None:
        return just_one(payment_id, sent, "order_id")


class CloseChargeback(RequestModel):
    outcome: Literal["won", "lost"]


class PaidRefundView(View):
    refund_id: str
    amount: int


class ChargebackView(View):
    id: str
    provider: str
    reference: str
    order_id: str | None
    refund_id: str | None
    amount: int
    refunded: int = Field(
        description="What of it is the order's refund; what is neither that nor `paid` fits none."
    )
    paid: list[PaidRefundView] = Field(
        description="Refunds of before, as far as it has paid them since they had not arrived."
    )
    fee: int
    fee_bearer: Bearer = Field(
        description="Who pays the fee; suppliers whose terms say so are spared by the platform."
    )
    currency: str
    status: ChargebackStatus
    opened_at: Instant
    booked_by: str | None = Field(description="The operator; null where its provider has told it.")
    closed_at: Instant | None
    closed_by: str | None = Field(description="Likewise.")
    entries: list[str] = Field(
        description="Those that have moved its provider's cash, each of which `match` names: its "
        "refund's, its own of what is in no refund, its fee's, and of what was won."
    )
