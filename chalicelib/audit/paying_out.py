"""What payouts' entries have brought to parties, and had back from them. Pure.

It is held against what is kept of it just as balances are, under a purpose of its own.
"""

from collections.abc import Iterable, Iterator

from chalicelib.ledger.rules import Books, Entry, Posting, Sums, party_of

PAID_OUT = "paid_out"
PAYING = ("payout-paid:", "payout-returned:")


def add(to: Books, currency: str, postings: Iterable[Posting]) -> None:
    for each in postings:
        to[currency, each.account] = to.get((currency, each.account), Sums()).plus(each.amount)


def of(entry: Entry) -> Iterator[Posting]:
    """What has left the platform's cash by it."""
    if not entry.id.startswith(PAYING):
        return
    parties = [found[0] for each in entry.postings if (found := party_of(each.account))]
    left = -sum(each.amount for each in entry.postings if each.account.startswith("cash:"))
    if parties and left:
        yield Posting(f"{parties[0]}:{PAID_OUT}", left)


def fold(entries: Iterable[Entry]) -> Books:
    found: Books = {}
    for each in entries:
        add(found, each.currency, of(each))
    return found
