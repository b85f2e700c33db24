"""Requests and answers about refunds and remittances."""

from typing import get_args

from pydantic import BaseModel, Field, field_validator
from pydantic_core.core_schema import ValidationInfo

from chalicelib.kernel.callers import Caller
from chalicelib.payments.rules import (
    Bearer,
    HandedFrom,
    PaidFrom,
    PaymentMethod,
    Refund,
    RefundBearers,
    RefundCause,
    RefundStatus,
)
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
    paid_from: PaidFrom | None = Field(
        description="Where the customer has had it from in another way: handed back by its leader "
        "or from the bank, or taken by its own bank, by a chargeback."
    )
    reference: str | None = Field(description="What the bank's statement calls a transfer of it.")
    charged_back: int = Field(
        description="What of it the customer's bank had taken itself before it was sent."
    )
    cause: RefundCause = Field(description="`other` where none was named.")
    bearer: Bearer | None = Field(
        description="Who pays the commission of it, by the rule of its cause; null for customers."
    )
    kept: int | None = Field(
        description="The commission that all leaders keep since another pays it; for operators "
        "alone. A leader's own is in its statement."
    )


class ByCause(BaseModel):
    """Who pays commission by cause; one that is left out is `leader`: each side loses what it was
    credited."""

    other: Bearer = "leader"
    changed_mind: Bearer = "leader"
    damaged: Bearer = "leader"
    wrong_item: Bearer = "leader"
    missing: Bearer = "leader"
    late: Bearer = "leader"
    goodwill: Bearer = "leader"
    after_sales: Bearer = "leader"
    dispute: Bearer = "leader"
    given_up: Bearer = "leader"
    chargeback: Bearer = "leader"


BORNE = frozenset(ByCause.model_fields)


CHARGEBACK_FEE = "Who pays a chargeback's fee, whoever pays the commission."


class SetRefundBearers(RequestModel, ByCause):
    chargeback_fee: Bearer = Field(default="platform", description=CHARGEBACK_FEE)


class RefundBearersView(View, ByCause):
    chargeback_fee: Bearer = Field(description=CHARGEBACK_FEE)
    version: int
    set_at: Instant | None
    set_by: str | None


def bearers_of(sent: SetRefundBearers) -> dict[RefundCause, Bearer]:
    return {cause: getattr(sent, cause) for cause in get_args(RefundCause) if cause in BORNE}


def refund_shown_to(caller: Caller, refund: Refund) -> RefundView:
    """The refund; who bears commission of it is nothing for customers, and what all leaders keep
    for operators alone."""
    view = RefundView.model_validate(refund)
    if not caller.is_operator:
        view.kept = None
    if caller.role == "customer":
        view.bearer = None
    return view


def shown_bearers(bearers: RefundBearers) -> RefundBearersView:
    named = {each.cause: each.bearer for each in bearers.rules}
    return RefundBearersView.model_validate(
        {
            **named,
            "chargeback_fee": bearers.chargeback_fee,
            "version": bearers.version,
            "set_at": bearers.set_at,
            "set_by": bearers.set_by,
        }
    )


class ConfirmRefund(RequestModel):
    paid_from: HandedFrom = "leader"
    reference: Reference | None = Field(
        default=None, description="Of the transfer from the `bank`, as its statement has it."
    )

    @field_validator("reference")
    @classmethod
    def _of_a_transfer(cls, reference: str | None, sent: ValidationInfo) -> str | None:
        if reference and sent.data.get("paid_from") == "leader":
            raise ValueError("goes with a transfer, which is paid from the bank")
        return reference


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
    booked_by: str | None = Field(description="Null for older ones.")
    reversed_at: Instant | None
    reversed_by: str | None
    reversal_reason: str | None
    entry_id: str = Field(description="The entry that it is booked by, which `match` names.")
