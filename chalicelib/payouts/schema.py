"""Requests and answers about payouts."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator

from chalicelib.payouts import account_numbers
from chalicelib.payouts.rules import (
    MOST_PARTS,
    AccountKind,
    BatchKind,
    BatchStatus,
    Method,
    Outcome,
    PartyRole,
    PayoutStatus,
    Told,
    WhyLeftOut,
    WhyNotSepa,
)
from chalicelib.platform.schema import (
    ONE_LINE,
    Amount,
    Currency,
    Instant,
    Reference,
    RequestModel,
    StripeAccount,
    View,
    just_one,
)

Iban = Annotated[
    str,
    StringConstraints(max_length=60),
    AfterValidator(account_numbers.iban),
    Field(examples=["DE89370400440532013000"]),
]
Bic = Annotated[
    str,
    StringConstraints(max_length=20),
    AfterValidator(account_numbers.bic),
    Field(examples=["COBADEFFXXX"]),
]
Holder = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=70, pattern=ONE_LINE),
    Field(description="The account holder's name, as its bank knows it."),
]


class SetPayoutAccount(RequestModel):
    holder: Holder
    iban: Iban | None = None
    stripe_account: StripeAccount | None = Field(
        default=None,
        validate_default=True,
        description="A connected account of Stripe's, in place of an IBAN.",
    )
    bic: Bic | None = Field(default=None, description="Of the IBAN's bank, where it is wanted.")

    @field_validator("stripe_account")
    @classmethod
    def _one_account(cls, value: str | None, sent: ValidationInfo) -> str | None:
        return just_one(value, sent, "iban")

    @field_validator("bic")
    @classmethod
    def _bic_of_a_bank(cls, value: str | None, sent: ValidationInfo) -> str | None:
        if value and sent.data.get("iban", "") is None:
            raise ValueError("is sent with an IBAN alone")
        return value


class PayoutAccountView(View):
    kind: AccountKind
    holder: str
    last_four: str = Field(description="No more of the account is ever shown.")
    not_by_sepa: WhyNotSepa | None = Field(
        description="Why no batch in EUR by `bank_file` can pay there: its country is not one of "
        "SEPA, or is one outside the European Economic Area, to which transfers name the bank's "
        "`bic`. Null where one can, and of an account of Stripe's."
    )
    changed_at: Instant
    changed_by: str = Field(description="The role and id of who set it.")


class AccountChangeView(View):
    version: int = Field(description="Counts the party's accounts from 1.")
    kind: AccountKind
    holder: str
    last_four: str
    changed_at: Instant
    changed_by: str = Field(description="The role and id of who set it.")


class HoldView(View):
    payout_id: str = Field(description="The payout that came back.")
    held_at: Instant
    lifted_at: Instant | None = Field(description="Null while it holds.")
    lifted_by: str | None = Field(description="The operator.")


class MakeBatch(RequestModel):
    currency: Currency
    kind: BatchKind
    method: Method
    minimum: Amount | None = Field(
        default=None,
        description="One of the currency itself, such as 1.00 EUR, unless it is said. Whoever has "
        "less coming, once it has paid what it owes, is not paid; whoever has nothing left then "
        "has paid all the same.",
    )


class ResultsView(View):
    paid: int
    paid_amount: int
    returned: int
    returned_amount: int
    failed: int
    failed_amount: int
    unknown: int
    unknown_amount: int
    offset: int = Field(
        description="Those of whom nothing is left to send: what they have coming pays what they "
        "owe."
    )


class PayerView(View):
    name: str
    iban: str
    bic: str | None


class BatchSummaryView(View):
    id: str
    currency: str
    kind: BatchKind
    method: Method
    minimum: int = Field(description="What a party must have coming at least, in the minor unit.")
    status: BatchStatus
    payouts: int = Field(description="How many it has.")
    amount: int = Field(description="What is sent, in the currency's minor unit.")
    netted: int = Field(
        description="What parties have paid of what they owed, less what they were owed beside "
        "what they have coming; with `amount` it is what was taken of what they had coming."
    )
    left_out: int = Field(
        description="Parties with enough coming that could not be taken in: they have no account "
        "that the method can pay to, another payout without a result, one that came back, or are "
        "leaving."
    )
    payer: PayerView | None = Field(
        description="The platform's own account that the batch's file pays from, as it was when "
        "the batch was made; null where no SEPA transfers are made of it."
    )
    made_by: str
    made_at: Instant
    approved_by: str | None
    approved_at: Instant | None
    sent_by: str | None
    sent_at: Instant | None
    cancelled_by: str | None
    ended_at: Instant | None = Field(
        description="Since when each of its payouts has a result, or it is cancelled."
    )


class PayeeView(View):
    role: PartyRole
    id: str


class ToldView(View):
    status: Outcome
    reference: str | None
    told_at: Instant
    told_by: str | None = Field(description="The operator; null where the provider says so.")


class LeftOutView(View):
    party: PayeeView
    name: str
    amount: int = Field(description="What it would have been sent.")
    reason: WhyLeftOut


class BatchView(BatchSummaryView):
    results: ResultsView


class PayoutView(View):
    id: str
    batch_id: str
    payee: PayeeView
    currency: str
    method: Method
    amount: int = Field(description="What is sent, in the currency's minor unit.")
    netted: int = Field(
        description="What the payee has paid of what it owed; below zero, what it was owed beside "
        "what it had coming."
    )
    status: PayoutStatus
    last_four: str | None = Field(
        description="Of the account as it was when the payout was prepared; null where, by hand, "
        "there was none."
    )
    reference: str | None = Field(description="The bank's or the provider's.")
    made_at: Instant
    told_at: Instant | None = Field(description="When its result was told.")
    results: list[ToldView] = Field(
        description="All that was told of it, in order: what was paid may come back."
    )


class PayoutNamedView(PayoutView):
    name: str = Field(description="Of the leader or supplier.")
    holder: str | None = Field(
        description="Of the account as it was when the payout was prepared; null where, by hand, "
        "there was none."
    )


class TellResult(RequestModel):
    status: Told
    reference: Reference


class PreviewQuery(RequestModel):
    part: Annotated[
        int, Field(ge=1, le=MOST_PARTS, description="Of a batch that fills several.")
    ] = 1


class FileQuery(RequestModel):
    format: Literal["pain.001", "csv"] = "pain.001"
    part: Annotated[
        int, Field(ge=1, le=MOST_PARTS, description="Of a batch that fills several.")
    ] = 1
