"""What must hold of the goods that entries tell suppliers of. Pure."""

from collections.abc import Iterator

from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import Entry
from chalicelib.suppliers.rules import Goods

TOLD = ("delivered:", "refund:", "disputed:", "dismissed:")


def goods(entry: Entry) -> Iterator[Finding]:
    """What is delivered, refunded and held of a supplier tells its goods, which come to it."""
    if not entry.id.startswith(TOLD):
        return
    for posting in entry.postings:
        if posting.account.startswith("supplier:"):
            cost = sum(Goods(*each).cost for each in posting.parts)
            if out := cost - abs(posting.amount):
                detail = f"{entry.id} tells goods of {cost}, and has posted {posting.amount}."
                yield Finding("goods", entry.id, detail, out)
