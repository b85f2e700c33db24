"""Answers about the books."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from chalicelib.platform.schema import BusinessDate, Instant, PageQuery, RequestModel, View


class TrialBalanceQuery(RequestModel):
    prefix: Annotated[
        str,
        Field(
            max_length=100,
            description="Only accounts that begin so, such as `cash:` or `leader:ldr_...`. What no "
            "account can begin with is a 422.",
        ),
    ] = ""
    as_of: BusinessDate | None = Field(
        default=None,
        description="A business date that is over: the balances as it left them, by entries' own "
        "dates. Without it they are those of now.",
    )


class AccountBalanceView(View):
    account: str
    balance: int = Field(description="Debit is positive, credit is negative.")


class ListedView(View):
    debits: int = Field(description="All debits that were ever posted to them: turnover.")
    credits: int = Field(description="All credits, likewise; not below zero.")
    debit_balances: int = Field(description="The sum of those balances that are a debit.")
    credit_balances: int = Field(description="The sum of those that are a credit; not below zero.")


class CurrencyBalanceView(View):
    currency: str
    accounts: list[AccountBalanceView]
    listed: ListedView = Field(
        description="Sums over `accounts` and no others. Without a prefix the two sums of "
        "balances are equal."
    )
    debits: int = Field(
        description="All debits that were ever posted in the currency, to any account and whatever "
        "the prefix: turnover, not a sum of balances."
    )
    credits: int = Field(description="All credits, likewise; not below zero.")
    balanced: bool = Field(description="Whether those of the whole books are equal.")


class TrialBalanceView(View):
    as_of: Instant
    currencies: list[CurrencyBalanceView]


class JournalQuery(PageQuery):
    first: BusinessDate = Field(alias="from", description="The first business date.")
    last: BusinessDate = Field(
        alias="to", description="The last one, at most 366 days from the first."
    )
    account: Annotated[
        str, Field(max_length=100, description="Only entries that post to this account.")
    ] = ""
    subject: Annotated[
        str,
        Field(
            max_length=100,
            description="Only entries that tell of this: the id of an order, a leader, a supplier, "
            "a dispatch, a refund, a payout ...",
        ),
    ] = ""
    format: Literal["json", "csv", "beancount"] = Field(
        default="json", description="A file has up to 5,000 entries, whatever `limit` says."
    )


class IncomeQuery(RequestModel):
    first: BusinessDate = Field(alias="from", description="The first business date.")
    last: BusinessDate = Field(
        alias="to", description="The last one, at most 366 days from the first."
    )


class EarnedView(View):
    currency: str
    kind: str = Field(
        description="Such as `margin`, `refunds`, `annual_fees`, `fines`, `bonuses`, `caps`, "
        "`bank_fees`; docs/books.md lists all."
    )
    entries: int = Field(description="How many journal entries there are of it.")
    debits: int
    credits: int
    balance: int = Field(
        description="Debit is positive, credit is negative; those of a currency add up to what "
        "`platform:revenue` has changed by."
    )


class TradedView(View):
    currency: str
    part: str = Field(description="`deliveries`, `refunds` or `chargebacks_won`.")
    sales: int = Field(
        description="What customers pay for what was delivered, shipping with it; what they are "
        "given back of it is below zero."
    )
    cost: int = Field(description="What of it is suppliers'.")
    commission: int = Field(description="What of it is leaders'.")
    margin: int = Field(description="What it leaves the platform.")


class IncomeReportView(View):
    first_day: date
    last_day: date
    through: Instant = Field(description="Until when: now, where the last day is not over.")
    kinds: list[EarnedView]
    trade: list[TradedView] = Field(
        description="What deliveries bring: sales are cost, commission and margin. The margins are "
        "those of `margin`, `refunds`, `refunds_borne` and `chargebacks_won` in `kinds`."
    )


class PostingView(View):
    account: str
    amount: int = Field(description="Debit is positive, credit is negative; in the minor unit.")


class BookedView(View):
    id: str
    business_date: str
    period: str = Field(description="The month that it is dated into.")
    belongs_to: str | None = Field(
        description="The month of what it tells of, where that lies before its period."
    )
    posted_at: Instant
    subject: str = Field(description="What it is about, as a rule an order.")
    narration: str = Field(description="What it tells, in words.")
    income: str | None = Field(
        description="In which part of the platform's income it counts; null where it is none."
    )
    currency: str
    postings: list[PostingView]


class ClosedPeriodView(View):
    month: str
    closed_at: Instant
    closed_by: str
    audit_id: str = Field(description="The audit that found nothing wrong.")
    entries: int = Field(description="Journal entries that are dated into it.")
    digest: str = Field(description="Over all of them; what audits hold the month against.")
