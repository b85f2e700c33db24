"""What a person does about open items: says whose the money is, and has it go there. Each once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chalicelib.cases.service import close_in
from chalicelib.kernel import clock, ids
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.currencies import written
from chalicelib.kernel.errors import Conflict, Invalid, NotFound
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ledger.store import OutOfBounds
from chalicelib.parties import store as parties
from chalicelib.payments import remitting
from chalicelib.payments.rules import Remittance
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder, Transaction
from chalicelib.reconciliation import item_store
from chalicelib.reconciliation.open_items import Clearing, Goes, Item, item_of
from chalicelib.suppliers import deposits


@dataclass(frozen=True)
class Wanted:
    """What an operator asks for: of all that is left, unless an amount is said."""

    goes: Goes
    about: str
    reference: str
    amount: int | None = None


@dataclass(frozen=True)
class Cleared:
    """A clearing, and whether it was made just now."""

    clearing: Clearing
    is_new: bool


@dataclass(frozen=True)
class ItemWithClearings:
    item: Item
    clearings: Sequence[Clearing]


def open_item(entry_id: str) -> ItemWithClearings:
    """Raises NotFound."""
    return ItemWithClearings(_item(entry_id), item_store.clearings(entry_id))


@retry_stale
def clear(entry_id: str, wanted: Wanted, caller: Caller, recorder: Recorder | None) -> Cleared:
    """Have some of an item go where it belongs, and close its case once nothing is left of it.

    Raises NotFound; Invalid where it cannot go there; and Conflict where the reference stands for
    another clearing, less is left, or the leader does not hold as much.
    """
    item = _item(entry_id)
    other = _other(item, wanted.about) if wanted.goes == "item" else None
    asked = _asked(item, other, wanted, caller)
    before = item_store.get_clearing(entry_id, asked.id)
    if before:
        return Cleared(_the_same(before, wanted, item.entry.currency), is_new=False)
    _check_left(asked, item, *([other] if other else []))
    transaction = Transaction(recorder)
    if other:
        made = offset_in(transaction, item, other, asked)
    else:
        made = _book_in(transaction, item, asked, caller)
        _clear_in(transaction, item, made)
    try:
        transaction.commit(Cleared(made, is_new=True))
    except OutOfBounds:
        raise remitting.too_much(_remittance(item, asked)) from None
    return Cleared(made, is_new=True)


def offset_in(transaction: Transaction, item: Item, other: Item, asked: Clearing) -> Clearing:
    """Let two items of opposite sides make each other up, as far as the clearing says."""
    made = asked
    if item.account != other.account:
        made = replace(asked, posted=_entry_id(asked))
        transaction.add(*ledger.post(_entry(item, made, other.account)))
    _clear_in(transaction, item, made)
    _clear_in(transaction, other, made.mirrored)
    return made


def _clear_in(transaction: Transaction, item: Item, made: Clearing) -> None:
    transaction.add(*item_store.clear(item, made))
    if item.case and made.amount == item.uncleared:
        close_in(transaction, *item.case, f"{made.goes}: {made.reference}")


def _book_in(transaction: Transaction, item: Item, asked: Clearing, caller: Caller) -> Clearing:
    """Post where it goes. Raises Conflict where a remittance or deposit has the reference."""
    if asked.goes == "remittance":
        posted = remitting.add_in(transaction, _remittance(item, asked))
        return replace(asked, posted=posted)
    if asked.goes == "deposit":
        deposit = deposits.Asked(
            "received", asked.about, asked.amount, asked.reference, asked.reference
        )
        posted = deposits.add_in(transaction, deposit, caller, item.account)
        return replace(asked, posted=posted)
    made = replace(asked, posted=_entry_id(asked))
    against = {"payer": made.about, "capital": books.PLATFORM_CAPITAL}.get(
        made.goes, books.PLATFORM_REVENUE
    )
    transaction.add(*ledger.post(_entry(item, made, against)))
    return made


def _remittance(item: Item, asked: Clearing) -> Remittance:
    """As if it had been booked when it came, out of where it stands."""
    return Remittance(
        id=remitting.remittance_id(asked.about, asked.reference),
        leader_id=asked.about,
        amount=asked.amount,
        currency=item.entry.currency,
        reference=asked.reference,
        received_at=asked.cleared_at,
        cash_account=item.account,
        booked_by=asked.cleared_by,
    )


def _entry(item: Item, made: Clearing, against: str) -> books.Entry:
    """The item's account has so much less on its side, and the other so much more."""
    moved = item.signed(made.amount)
    return books.entry(
        made.posted,
        item.entry.currency,
        item.entry.subject,
        made.cleared_at,
        {item.account: -moved, against: moved},
    )


def _entry_id(made: Clearing) -> str:
    return f"cleared:{made.id}:{made.reference}"


def _item(entry_id: str) -> Item:
    entry = ledger.get_entry(entry_id)
    cleared = item_store.cleared([entry_id]).get(entry_id, 0)
    found = item_of(entry, cleared) if entry else None
    if found is None:
        raise NotFound("There is no such open item.")
    return found


def _other(item: Item, entry_id: str) -> Item:
    try:
        other = _item(entry_id)
    except NotFound:
        raise Invalid.field("entry_id", "is no open item") from None
    if (other.is_owed, other.entry.currency) == (not item.is_owed, item.entry.currency):
        return other
    raise Invalid.field("entry_id", "must be an item of the other side, in the same currency")


def _asked(item: Item, other: Item | None, wanted: Wanted, caller: Caller) -> Clearing:
    _check_goes(item, wanted)
    left = min(each.uncleared for each in (item, other) if each)
    return Clearing(
        id=ids.derived("clr", item.entry.id, wanted.reference),
        entry_id=item.entry.id,
        amount=wanted.amount or left,
        goes=wanted.goes,
        about=wanted.about,
        reference=wanted.reference,
        cleared_at=clock.now(),
        cleared_by=caller.id,
    )


def _check_goes(item: Item, wanted: Wanted) -> None:
    if wanted.goes == "payer":
        known = {books.cash("bank"), *_cash_of(item)}
        if wanted.about not in known:
            raise Invalid.field("account", f"is none of {', '.join(sorted(known))}")
    if wanted.goes in ("remittance", "deposit"):
        if not item.is_owed:
            raise Invalid.field("goes", "is for money that has come, and this is missing")
        _check_party(item, wanted)


def _cash_of(item: Item) -> list[str]:
    """Where the money has come in."""
    accounts = (posting.account for posting in item.entry.postings)
    return [each for each in accounts if each.startswith("cash:")]


def _check_party(item: Item, wanted: Wanted) -> None:
    is_leader = wanted.goes == "remittance"
    party = parties.get_leader(wanted.about) if is_leader else parties.get_supplier(wanted.about)
    field = "leader_id" if is_leader else "supplier_id"
    if party is None:
        raise Invalid.field(field, "is not known")
    if party.currency != item.entry.currency:
        raise Invalid.field(
            field,
            f"has the currency {party.currency}, not {item.entry.currency}",
            code="currency_mismatch",
        )


def _check_left(asked: Clearing, *items: Item) -> None:
    for each in items:
        if not 0 < asked.amount <= each.uncleared:
            left, currency = written(each.uncleared, each.entry.currency), each.entry.currency
            raise Conflict(
                f"Of {each.entry.id} {left} is left, less than {written(asked.amount, currency)}."
                if each.uncleared
                else f"Of {each.entry.id} nothing is left.",
                code="more_than_left",
            )


def _the_same(before: Clearing, wanted: Wanted, currency: str) -> Clearing:
    same = (before.goes, before.about) == (wanted.goes, wanted.about)
    if same and wanted.amount in (None, before.amount):
        return before
    raise Conflict(
        f"The reference {before.reference} stands for {written(before.amount, currency)} of it "
        f"that went to {before.goes} {before.about}".rstrip()
        + " already.",
        code="reference_reused",
    )
