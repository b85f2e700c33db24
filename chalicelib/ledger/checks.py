"""What must hold of the books by themselves: small checks that answer with what is wrong. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from chalicelib.ledger.rules import REFUNDS_IN_FLIGHT, Books, Entry, Sums, party_of
from chalicelib.ledger.seals import Seal

CheckName = Literal[
    "entry_sums_to_zero",
    "ids_unique",
    "rows_kept",
    "goods",
    "entries_unchanged",
    "closed_periods_unchanged",
    "party_balances",
    "supplier_history",
    "wrong_side",
    "refunds_in_flight",
    "refunds_posted",
    "refunds_overdue",
    "receipts_posted",
    "receipts_unmatched",
    "remittances",
    "chargebacks",
    "chargebacks_twice",
    "chargeback_lines",
    "deposits",
    "settlement_terms",
    "refund_kept",
    "order_money",
    "order_shares",
    "order_lines",
    "order_sums",
    "supplier_terms",
    "supplier_share",
    "commission",
    "commission_rate",
    "statements_chain",
    "statement_lines",
    "leader_available",
    "bonuses",
    "leader_pending",
    "leader_days",
    "day_caps",
    "matured_untaken",
    "statements_posted",
    "runs",
    "run_leaders",
    "adjustments",
    "payouts_posted",
    "payout_amounts",
    "payouts_open",
    "in_payout",
    "batches",
    "reconciliations",
    "reconciled",
    "open_items",
]


@dataclass(frozen=True)
class Finding:
    """Something that does not hold: `detail` is a sentence about `subject`, and `amount` by how
    much it is out, in the currency's minor unit."""

    check: CheckName
    subject: str
    detail: str
    amount: int | None = None

    def __str__(self) -> str:
        return f"{self.check}: {self.detail}"


def entry_sums_to_zero(entry: Entry) -> Iterator[Finding]:
    if total := sum(posting.amount for posting in entry.postings):
        detail = f"Entry {entry.id} is out by {total} {entry.currency}."
        yield Finding("entry_sums_to_zero", entry.id, detail, total)


def ids_unique(entry: Entry, key: str) -> Iterator[Finding]:
    """An entry lies under its own id, so that no other can have it."""
    if entry.id != key:
        yield Finding("ids_unique", key, f"Under {key} lies an entry that names itself {entry.id}.")


def entries_unchanged(day: str, kept: Seal, found: Seal) -> Iterator[Finding]:
    if kept != found:
        yield Finding("entries_unchanged", day, _changed(f"of {day}", kept, found))


def closed_periods_unchanged(month: str, kept: Seal, found: Seal) -> Iterator[Finding]:
    if kept != found:
        detail = _changed(f"of {month}, which is closed,", kept, found)
        yield Finding("closed_periods_unchanged", month, detail)


def _changed(when: str, kept: Seal, found: Seal) -> str:
    if kept.entries != found.entries:
        return f"There are {found.entries} entries {when} and there were {kept.entries}."
    return f"One of the {kept.entries} entries {when} is not what it was."


def party_balances(
    party: str, kept: Mapping[str, int], posted: Mapping[str, int]
) -> Iterator[Finding]:
    """A party's balances, by purpose, are the sums of what was posted to them."""
    for purpose in sorted({*kept, *posted}):
        found, due = kept.get(purpose, 0), posted.get(purpose, 0)
        if found != due:
            account = f"{party}:{purpose}"
            detail = f"{account} is kept as {found}, and its postings come to {due}."
            yield Finding("party_balances", account, detail, found - due)


def supplier_history(books: Books, told: Books) -> Iterator[Finding]:
    """What a supplier's statements tell of an account is what was posted to it."""
    accounts = {key for key in books if key[1].startswith("supplier:")}
    for key in sorted(accounts | told.keys()):
        posted, tells = books.get(key, Sums()), told.get(key, Sums())
        if tells != posted:
            out = tells.balance - posted.balance
            detail = f"{posted.balance} is posted to {key[1]}, and its history tells {out} more."
            yield Finding("supplier_history", key[1], detail, out)


# On which side a balance can never lie: 1 is debit, -1 is credit.
NEVER = {
    ("leader", "in_payout"): 1,
    ("supplier", "in_payout"): 1,
    ("supplier", "held"): 1,
    ("supplier", "deposit"): 1,
    ("supplier", "owed"): -1,
}
NEVER_DEBIT = ("customer_prepayments", REFUNDS_IN_FLIGHT, "unmatched_receipts")


def wrong_side(account: str, balance: int) -> Iterator[Finding]:
    """No more of a deposit is gone than was held, no more paid out than was taken, and so on."""
    party = party_of(account)
    never = NEVER.get((party[0].partition(":")[0], party[1]), 0) if party else 0
    if account in NEVER_DEBIT:
        never = 1
    if balance * never > 0:
        side = "debit" if never > 0 else "credit"
        yield Finding(
            "wrong_side", account, f"{account} has a {side} of {abs(balance)}.", abs(balance)
        )


def wrong_sides(books: Books) -> Iterator[Finding]:
    """The same of the accounts that every order touches, which are only folded."""
    for (_, account), sums in books.items():
        if party_of(account) is None:
            yield from wrong_side(account, sums.balance)


def refunds_in_flight(
    currency: str, books: Mapping[tuple[str, str], Sums], on_their_way: int
) -> Iterator[Finding]:
    """What is in flight is what refunds that are not done yet come to."""
    balance = -books.get((currency, REFUNDS_IN_FLIGHT), Sums()).balance
    if balance != on_their_way:
        detail = f"{balance} {currency} are in flight, and refunds on their way are {on_their_way}."
        yield Finding("refunds_in_flight", currency, detail, balance - on_their_way)
