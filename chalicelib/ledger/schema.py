"""Answers about the books."""

from typing import Annotated

from pydantic import Field

from chalicelib.platform.schema import Instant, RequestModel, View


class TrialBalanceQuery(RequestModel):
    prefix: Annotated[str, Field(max_length=100, description="Only accounts that begin so.")] = ""


class AccountBalanceView(View):
    account: str
    balance: int = Field(description="Debit is positive, credit is negative.")


class CurrencyBalanceView(View):
    currency: str
    accounts: list[AccountBalanceView]
    debits: int
    credits: int
    balanced: bool


class TrialBalanceView(View):
    as_of: Instant
    currencies: list[CurrencyBalanceView]
