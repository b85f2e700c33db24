"""A supplier's balance, and its statements by period in the forms people ask for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta

from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Invalid
from chalicelib.ledger import history_store
from chalicelib.ledger import service as books
from chalicelib.ledger import store as ledger
from chalicelib.ledger.sides import SUPPLIERS_PURPOSES
from chalicelib.parties import service as parties
from chalicelib.parties import store
from chalicelib.platform import sheets
from chalicelib.platform.schema import FIRST_YEAR, LAST_YEAR
from chalicelib.platform.settings import settings
from chalicelib.platform.sheets import Cell
from chalicelib.suppliers import rules
from chalicelib.suppliers.rules import StatementLine

# What one file holds; more is asked for in shorter periods.
LINES_A_FILE = 10_000
LONGEST = timedelta(days=366)
COLUMNS = ["currency", *(field.name for field in fields(StatementLine)), "balance", "change"]


@dataclass(frozen=True)
class Balance:
    """What a supplier has coming and what it owes, in its currency's minor unit.

    `deposit_due` is what its terms ask for as a security beyond what is held.
    """

    currency: str
    payable: int
    held: int
    owed: int
    deposit: int
    deposit_due: int
    in_payout: int
    paid_out: int


@dataclass(frozen=True)
class Period:
    """Business dates, both included."""

    first: date
    last: date

    @classmethod
    def of(cls, first: str | None, last: str | None) -> "Period":
        """Up to today, and from the first of the last day's month, where nothing else is said.

        Raises Invalid for one that ends before it begins, or is too long to be told.
        """
        ends = date.fromisoformat(last) if last else _today()
        period = cls(date.fromisoformat(first) if first else ends.replace(day=1), ends)
        for field, day in (("from", period.first), ("to", period.last)):
            if not FIRST_YEAR <= day.year <= LAST_YEAR:
                raise Invalid.field(field, f"lies outside the years {FIRST_YEAR} to {LAST_YEAR}")
        if period.last < period.first:
            raise Invalid.field("to", "must not lie before from")
        if period.last - period.first >= LONGEST:
            raise Invalid.field("to", f"lies more than {LONGEST.days} days behind from")
        return period


@dataclass(frozen=True)
class Statement:
    """What a period changed of a supplier's balances; all amounts are in its favour, so what it
    owes lies below zero. `next_after` is where the lines go on.

    Its balance is what the supplier has coming, whose accounts payouts settle with each other; a
    deposit is its own money in another's hands, and stands apart.
    """

    supplier_id: str
    currency: str
    period: Period
    opening: Mapping[str, int]
    closing: Mapping[str, int]
    lines: tuple[StatementLine, ...]
    next_after: str | None

    @property
    def opening_balance(self) -> int:
        return _coming(self.opening)

    @property
    def closing_balance(self) -> int:
        return _coming(self.closing)

    @property
    def change(self) -> Mapping[str, int]:
        return {each: self.closing[each] - self.opening[each] for each in self.closing}

    @property
    def total(self) -> int:
        return self.closing_balance - self.opening_balance


def _coming(accounts: Mapping[str, int]) -> int:
    return sum(amount for each, amount in accounts.items() if each != "deposit")


def balance(supplier_id: str, caller: Caller) -> Balance:
    """As the supplier sees it: what the platform owes or holds is positive, and so is what the
    supplier owes."""
    caller.must_be("supplier", supplier_id, "supplier")
    supplier = parties.supplier(supplier_id)
    accounts = ledger.accounts_of(f"supplier:{supplier_id}")
    asked = store.settlement_terms_of([supplier_id])[supplier_id].deposit or 0
    return Balance(
        currency=supplier.currency,
        payable=-accounts.payable,
        held=-accounts.held,
        owed=accounts.owed,
        deposit=-accounts.deposit,
        deposit_due=max(0, asked + accounts.deposit),
        in_payout=-accounts.in_payout,
        paid_out=ledger.paid_out(f"supplier:{supplier_id}"),
    )


def statement(
    supplier_id: str, period: Period, caller: Caller, after: str | None, limit: int
) -> Statement:
    """All that was posted in the period, in order, up to the lines of `limit` entries at once.

    Raises NotFound, and Invalid for a period that cannot be.
    """
    caller.must_be("supplier", supplier_id, "supplier")
    supplier = parties.supplier(supplier_id)
    party = f"supplier:{supplier_id}"
    changes, next_after = history_store.history(party, after, period.first, period.last, limit)
    before = books.balances_before(party, period.first)
    after_it = books.balances_before(party, period.last + timedelta(days=1))
    return Statement(
        supplier_id=supplier_id,
        currency=supplier.currency,
        period=period,
        opening={each: -before[each] for each in SUPPLIERS_PURPOSES},
        closing={each: -after_it[each] for each in SUPPLIERS_PURPOSES},
        lines=tuple(line for change in changes for line in rules.lines_of(change, settings().zone)),
        next_after=next_after,
    )


def as_csv(supplier_id: str, period: Period, caller: Caller) -> bytes:
    """All lines of the period between what each account opens and closes with, under a header.

    Of each account the lines' `amount` sum up to its `change`; `balance` is what it has after them.
    Raises what `statement` does, and Invalid where there are more than one file holds.
    """
    whole = statement(supplier_id, period, caller, None, LINES_A_FILE)
    if whole.next_after:
        raise Invalid.field(
            "to", f"has more than {LINES_A_FILE} entries before it; ask for a shorter period"
        )
    rows = [
        *(_row(whole, "opening", account, opens) for account, opens in whole.opening.items()),
        *_lines(whole),
        *(
            [*_row(whole, "closing", account, closes)[:-1], whole.change[account]]
            for account, closes in whole.closing.items()
        ),
    ]
    return sheets.written([sheets.Sheet("Statement", COLUMNS, rows)], "csv")


def _today() -> date:
    return clock.business_date(clock.now(), settings().zone)


def _lines(whole: Statement) -> Iterator[list[Cell]]:
    after = dict(whole.opening)
    for line in whole.lines:
        after[line.account] += line.amount
        told = {
            "posted_at": clock.to_text(line.posted_at),
            "business_date": line.business_date.isoformat(),
            "of": " ".join(line.of),
        }
        yield [whole.currency, *{**vars(line), **told}.values(), after[line.account], None]


def _row(whole: Statement, kind: str, account: str, balance: int) -> list[Cell]:
    """What an account opens or closes with."""
    cells: dict[str, Cell] = dict.fromkeys(COLUMNS)
    told: dict[str, Cell] = {
        "currency": whole.currency,
        "kind": kind,
        "account": account,
        "balance": balance,
    }
    return list({**cells, **told}.values())
