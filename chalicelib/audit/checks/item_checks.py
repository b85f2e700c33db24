"""What must hold of open items and of what is cleared of them. Pure."""

from collections.abc import Collection, Iterator, Sequence

from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import Books, Sums
from chalicelib.reconciliation.open_items import ACCOUNTS, Clearing, Item


def open_items(
    item: Item, clearings: Sequence[Clearing], posted: Collection[str]
) -> Iterator[Finding]:
    """No more of an item is cleared than there is, by clearings that say so and have posted it."""
    entry_id, said = item.entry.id, sum(each.amount for each in clearings)
    if item.cleared != said or item.uncleared < 0:
        detail = (
            f"Of {entry_id}, which is {abs(item.amount)}, {item.cleared} is cleared, and its "
            f"clearings come to {said}."
        )
        yield Finding("open_items", entry_id, detail, item.cleared - said)
    for each in clearings:
        if each.posted and each.posted not in posted:
            detail = f"Clearing {each.id} of {entry_id} has not posted {each.posted}."
            yield Finding("open_items", entry_id, detail)


def items_left(posted: Books, left: Books) -> Iterator[Finding]:
    """What stands in the accounts of open items is what these have left."""
    accounts = {key for key in posted if key[1] in ACCOUNTS}
    for key in sorted(accounts | left.keys()):
        stands, due = posted.get(key, Sums()).balance, left.get(key, Sums()).balance
        if stands != due:
            detail = f"{stands} {key[0]} stands in {key[1]}, and its open items have {due} left."
            yield Finding("open_items", " ".join(key), detail, stands - due)
