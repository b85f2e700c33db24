"""What must hold of open items and of what is cleared of them. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import Books, Entry, Sums
from chalicelib.ledger.waiting import ACCOUNTS
from chalicelib.reconciliation.open_items import Clearing, Item, item_of


def open_items(
    item: Item,
    clearings: Sequence[Clearing],
    entries: Mapping[str, Entry],
    mirrors: Mapping[str, Clearing],
) -> Iterator[Finding]:
    """No more of an item is cleared than there is, by clearings that say so and have moved as much
    out of its account. `entries` are what these have posted and the items beside this one, and
    `mirrors` by id what those say of them."""
    entry_id, said = item.entry.id, sum(each.amount for each in clearings)
    if item.cleared != said or item.uncleared < 0:
        detail = (
            f"Of {entry_id}, which is {abs(item.amount)}, {item.cleared} is cleared, and its "
            f"clearings come to {said}."
        )
        yield Finding("open_items", entry_id, detail, item.cleared - said)
    for each in clearings:
        moved, due = _moved(item, each, entries), _due(item, each, entries)
        if moved != due:
            by = each.posted or "no entry"
            detail = f"Clearing {each.id} of {entry_id} has moved {moved} by {by}, not {due}."
            yield Finding("open_items", entry_id, detail, moved - due)
        if each.goes == "item" and mirrors.get(each.id) != each.mirrored:
            detail = f"Clearing {each.id} of {entry_id} is not the same of {each.about}."
            yield Finding("open_items", entry_id, detail)


def _moved(item: Item, each: Clearing, entries: Mapping[str, Entry]) -> int:
    """What stands on the item's account by the entry."""
    entry = entries.get(each.posted)
    postings = entry.postings if entry and entry.currency == item.entry.currency else ()
    return sum(posting.amount for posting in postings if posting.account == item.account)


def _due(item: Item, each: Clearing, entries: Mapping[str, Entry]) -> int:
    """Nothing where two items of one account make each other up."""
    beside = entries.get(each.about) if each.goes == "item" else None
    other = item_of(beside, 0) if beside else None
    return 0 if other and other.account == item.account else -item.signed(each.amount)


def items_left(posted: Books, left: Books) -> Iterator[Finding]:
    """What stands in the accounts of open items is what these have left."""
    accounts = {key for key in posted if key[1] in ACCOUNTS}
    for key in sorted(accounts | left.keys()):
        stands, due = posted.get(key, Sums()).balance, left.get(key, Sums()).balance
        if stands != due:
            detail = f"{stands} {key[0]} stands in {key[1]}, and its open items have {due} left."
            yield Finding("open_items", " ".join(key), detail, stands - due)
