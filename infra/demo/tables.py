"""The demo's tables: what came out, in dollars shown from integer cents."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from infra.demo.client import Json
from infra.demo.figures import money

STATEMENT_LINES = 8
ID_END = 6


@dataclass(frozen=True, slots=True)
class LeaderRow:
    name: str
    orders: int
    units: int
    sold: int
    earned: int
    collected: int
    available: int


@dataclass(frozen=True, slots=True)
class SupplierRow:
    name: str
    dispatches: int
    rejected: int
    units: int
    owed: int


def leaders_table(rows: Sequence[LeaderRow]) -> Table:
    """What each leader sold and earned."""
    table = _table(
        "What the leaders sold and earned",
        ["Leader"],
        ["Orders", "Units", "Delivered", "Commission", "Available", "Cash held"],
    )
    for row in rows:
        table.add_row(
            row.name,
            str(row.orders),
            str(row.units),
            money(row.sold),
            money(row.earned),
            money(row.available),
            money(row.collected),
        )
    return table


def suppliers_table(rows: Sequence[SupplierRow]) -> Table:
    """What each supplier shipped and is owed."""
    table = _table(
        "What the suppliers are owed", ["Supplier"], ["Delivered", "Rejected", "Units", "Payable"]
    )
    for row in rows:
        table.add_row(
            row.name, str(row.dispatches), str(row.rejected), str(row.units), money(row.owed)
        )
    return table


def statement_table(leader: str, statement: Json, titles: dict[str, str]) -> Table:
    """The first lines of a leader's statement; `titles` names the goods by SKU id."""
    table = _table(
        f"Statement of {leader}", ["Order", "Goods"], ["Net", "Rate", "Commission", "Matured on"]
    )
    table.add_row("Opening balance", "", "", "", money(statement["opening_balance"]), "")
    for line in statement["lines"][:STATEMENT_LINES]:
        table.add_row(
            shortened(line["order_id"]),
            titles[line["sku_id"]],
            money(line["basis_amount"]),
            f"{line['rate_bps'] // 100}.{line['rate_bps'] % 100:02d} %",
            money(line["amount"]),
            line["matured_on"],
        )
    if (more := len(statement["lines"]) - STATEMENT_LINES) > 0:
        table.add_row(f"... and {more} more lines", "", "", "", "", "")
    table.add_section()
    table.add_row("Total", "", "", "", money(statement["total"]), "")
    table.add_row("Closing balance", "", "", "", money(statement["closing_balance"]), "")
    return table


def trial_balance_table(accounts: dict[str, int], names: dict[str, str]) -> Table:
    """Accounts with debits and credits side by side, of parties by their `names`."""
    table = _table("Trial balance", ["Account"], ["Debit", "Credit"])
    for account, balance in accounts.items():
        debit, credit = (money(balance), "") if balance > 0 else ("", money(-balance))
        table.add_row(named(account, names), debit, credit)
    table.add_section()
    debits = sum(balance for balance in accounts.values() if balance > 0)
    credits = -sum(balance for balance in accounts.values() if balance < 0)
    table.add_row("Sum", money(debits), money(credits))
    table.add_row("Difference", money(debits - credits), "")
    return table


def shortened(identifier: str) -> str:
    """An id that fits into a row: its prefix and its last characters."""
    prefix, _, rest = identifier.partition("_")
    return f"{prefix}_...{rest[-ID_END:]}"


def named(account: str, names: dict[str, str]) -> str:
    """`leader:ldr_1:pending` as `leader Store 354: pending`, for those who know no ids."""
    kind, *rest = account.split(":")
    if len(rest) == 2 and rest[0] in names:
        return f"{kind} {names[rest[0]]}: {rest[1]}"
    return account


def _table(title: str, words: Sequence[str], numbers: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for word in words:
        table.add_column(word, overflow="fold")
    for number in numbers:
        table.add_column(number, justify="right", no_wrap=True)
    return table
