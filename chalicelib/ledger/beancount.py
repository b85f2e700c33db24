"""The journal as Beancount reads it: one file of transactions, with the accounts that they open.

Source: the Beancount language syntax. An account begins with one of five roots, and each further
part with a capital letter or a digit. Debit is positive there as it is here. Pure.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from zoneinfo import ZoneInfo

from chalicelib.kernel import clock
from chalicelib.kernel.currencies import written
from chalicelib.ledger.kinds import income_of
from chalicelib.ledger.narration import narration, party_in
from chalicelib.ledger.rules import PLATFORM_REVENUE, Entry, party_of

# Of the accounts that are no party's; what is not named here is owed.
ROOTS = {
    "cash": "Assets",
    "unmatched_chargebacks": "Assets",
    "platform:capital": "Equity",
    "platform:revenue": "Income",
}
OWED = {"available", "pending", "in_payout", "payable", "held", "deposit"}
LINK = re.compile(r"[A-Za-z0-9_/.-]+")
_NO_PART = re.compile(r"[^A-Za-z0-9-]+")


def account(name: str) -> str:
    """`leader:ldr_1:in_payout` is `Liabilities:Leader:Ldr-1:In-payout`."""
    return ":".join([_root(name), *map(_part, name.split(":"))])


def account_in(entry: Entry, name: str) -> str:
    """The platform's income lies apart by what it is: `Income:Platform:Revenue:Margin`."""
    if name != PLATFORM_REVENUE:
        return account(name)
    return f"{account(name)}:{_part(income_of(entry.id))}"


def _root(name: str) -> str:
    party = party_of(name)
    if party:
        return "Liabilities" if party[1] in OWED else "Assets"
    kind = name.partition(":")[0]
    return ROOTS.get(name) or ROOTS.get(kind, "Liabilities")


def _part(word: str) -> str:
    part = _NO_PART.sub("-", word).strip("-") or "0"
    return part[0].upper() + part[1:]


def lines(
    told: Sequence[Entry], first: date, zone: ZoneInfo, *, is_whole: bool = True
) -> Iterator[str]:
    """The file's lines; every account is opened on the first day that the file tells of.

    The parts of a file may be read alone and put together: nobody knows what another part opens, so
    in each of them accounts open by themselves.
    """
    yield 'option "title" "Tuan"'
    for currency in sorted({entry.currency for entry in told}):
        yield f'option "operating_currency" "{currency}"'
    if not is_whole:
        yield 'plugin "beancount.plugins.auto_accounts"'
    yield ""
    if is_whole:
        used = {account_in(entry, posting.account) for entry in told for posting in entry.postings}
        for name in sorted(used):
            yield f"{first} open {name}"
    for entry in told:
        yield ""
        yield from _transaction(entry, zone)


def _transaction(entry: Entry, zone: ZoneInfo) -> Iterator[str]:
    day = clock.business_date(entry.posted_at, zone)
    link = f" ^{entry.subject}" if LINK.fullmatch(entry.subject) else ""
    payee = party_in(entry) or entry.subject
    yield f"{day} * {_text(payee)} {_text(narration(entry))}{link}"
    yield f"  entry_id: {_text(entry.id)}"
    yield f"  posted_at: {_text(clock.to_text(entry.posted_at))}"
    if entry.belongs_to:
        yield f"  belongs_to: {_text(entry.belongs_to)}"
    for posting in entry.postings:
        yield f"  {account_in(entry, posting.account)}  {written(posting.amount, entry.currency)}"


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
