"""What payouts post, and what of it the next statement of a leader tells (contract, section 6)."""

from datetime import datetime

from chalicelib.kernel import clock
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Bound, Entry
from chalicelib.payouts.rules import Party, Payout
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Write
from chalicelib.settlement import earning
from chalicelib.settlement.rules import EarnedLine, LineKind


def prepared(payout: Payout) -> list[Write]:
    """Take what the party has coming, and pay what it owes of it, or what it is owed beside it.

    The commit raises OutOfBounds where there is not as much of either any more.
    """
    payee, entries, within = payout.payee, list[Entry](), list[Bound]()
    if payout.taken:
        taking = {payee.coming: payout.taken, IN: -payout.taken}
        entries.append(_entry("payout", payout, payout.made_at, taking))
        within.append(_no_further(payee, payee.coming, payout.taken))
    if payout.netted:
        netting = {IN: payout.netted, payee.owed: -payout.netted}
        entries.append(_entry("payout-netted", payout, payout.made_at, netting))
        within.append(_no_further(payee, payee.owed, -payout.netted))
    lines: list[tuple[LineKind, int]] = [("payout", -payout.amount), ("netting", -payout.netted)]
    return [*ledger.post(*entries, within=within), *_told(payout, entries[0], lines)]


def paid(payout: Payout, now: datetime) -> list[Write]:
    """It has left the bank, or the provider."""
    of_bank = {payout.cash_account: -payout.amount}
    entry = _entry("payout-paid", payout, now, {IN: payout.amount}, of_bank)
    return [
        *ledger.post(entry),
        ledger.count_paid_out(payout.party, payout.currency, payout.amount),
    ]


def sent_back(payout: Payout, now: datetime) -> list[Write]:
    """It is the party's again, wherever it was; what the party owed stays paid."""
    payee = payout.payee
    was_paid = payout.outcome == "paid"
    of_party = {payee.coming: -payout.amount} | ({} if was_paid else {IN: payout.amount})
    of_bank = {payout.cash_account: payout.amount} if was_paid else {}
    entry = _entry("payout-returned", payout, now, of_party, of_bank)
    writes = [*ledger.post(entry), *_told(payout, entry, [("payout_returned", payout.amount)])]
    if was_paid:
        writes.append(ledger.count_paid_out(payout.party, payout.currency, -payout.amount))
    return writes


def cancelled(payout: Payout, now: datetime) -> list[Write]:
    """As if it had never been prepared."""
    payee = payout.payee
    amounts = {payee.coming: -payout.taken, IN: payout.amount, payee.owed: payout.netted}
    entry = _entry("payout-cancelled", payout, now, amounts)
    lines: list[tuple[LineKind, int]] = [
        ("payout_returned", payout.amount),
        ("netting", payout.netted),
    ]
    return [*ledger.post(entry), *_told(payout, entry, lines)]


IN = "in_payout"


def _no_further(payee: Party, purpose: str, moved: int) -> Bound:
    """A balance is moved towards zero and not beyond it."""
    if moved > 0:
        return Bound(payee.key, purpose, at_most=0)
    return Bound(payee.key, purpose, at_least=0)


def _entry(
    kind: str,
    payout: Payout,
    now: datetime,
    of_party: dict[str, int],
    of_others: dict[str, int] | None = None,
) -> Entry:
    amounts = {payout.payee.account(purpose): amount for purpose, amount in of_party.items()}
    return books.entry(
        f"{kind}:{payout.id}", payout.currency, payout.id, now, amounts | (of_others or {})
    )


def _told(payout: Payout, entry: Entry, amounts: list[tuple[LineKind, int]]) -> list[Write]:
    """For a leader's statement; a supplier's is made of the entries themselves."""
    if payout.payee.role == "supplier":
        return []
    day = clock.business_date(entry.posted_at, settings().zone).isoformat()
    lines = [
        EarnedLine("", "", kind, "", 0, 0, amount, day, entry_id=entry.id)
        for kind, amount in amounts
        if amount
    ]
    kind = entry.id.partition(":")[0]
    (earnings,) = earning.earnings_of([payout.payee.id]).values()
    # So that of one payout the lines stand in the order of its steps.
    return earning.adjust(earnings, payout.currency, f"{payout.id}:{kind}", lines)
