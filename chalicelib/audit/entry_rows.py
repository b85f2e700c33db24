"""Which rows an entry is of: written with it or before it, and kept for as long as it is.

What an entry names is looked for by its kind, by what stands behind it in its id and by whom it
posts to. Nothing is read here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from chalicelib.ledger.narration import parties_in
from chalicelib.ledger.rules import Entry
from chalicelib.ordering import store as ordering
from chalicelib.parties import store as parties
from chalicelib.payments import chargeback_store, refund_store, remittance_store, remitting
from chalicelib.payments import store as payments
from chalicelib.payouts import store as payouts
from chalicelib.platform.store import Key
from chalicelib.reconciliation import store as reconciliation
from chalicelib.settlement import bonus_store, run_store
from chalicelib.settlement import store as settlement
from chalicelib.suppliers import store as suppliers


@dataclass(frozen=True)
class Kept:
    """A row as people call it, and where it lies."""

    name: str
    key: Key


def rows_of(entry: Entry) -> Iterator[Kept]:
    """None of an entry whose kind is not listed."""
    kind, _, rest = entry.id.partition(":")
    if kind in OF:
        yield from _order(entry)
        yield from _parties(entry)
        yield from OF[kind](entry, rest)


def _order(entry: Entry) -> Iterator[Kept]:
    if entry.subject.startswith("ord_"):
        yield Kept(f"order {entry.subject}", ordering.order_key(entry.subject))


def _parties(entry: Entry) -> Iterator[Kept]:
    keys = {"ldr": parties.leader_key, "sup": parties.supplier_key}
    for party_id in sorted(parties_in(entry)):
        kind = party_id.partition("_")[0]
        yield Kept(f"party {party_id}", keys[kind](party_id))


def _no_more(entry: Entry, rest: str) -> Iterable[Kept]:
    return ()


def _receipt(entry: Entry, rest: str) -> Iterable[Kept]:
    yield Kept(f"receipt {rest}", payments.receipt_key(rest))


def _refund(entry: Entry, rest: str) -> Iterable[Kept]:
    yield Kept(f"refund {rest}", refund_store.refund_key(rest))


def _chargeback(entry: Entry, rest: str) -> Iterable[Kept]:
    yield Kept(f"chargeback {rest}", chargeback_store.chargeback_key(rest))


def _charged_back_refund(entry: Entry, rest: str) -> Iterable[Kept]:
    refund_id, _, chargeback_id = rest.partition(":")
    yield from _refund(entry, refund_id)
    yield from _chargeback(entry, chargeback_id)


def _community(entry: Entry, rest: str) -> Iterable[Kept]:
    supplier_id, leader_id, fee_year = rest.split(":")
    key = suppliers.community_key(supplier_id, leader_id, date.fromisoformat(fee_year))
    yield Kept(f"community of {leader_id} for {supplier_id} in the year from {fee_year}", key)


def _deposit(entry: Entry, rest: str) -> Iterable[Kept]:
    for party_id in _of(entry, "sup_"):
        yield Kept(f"deposit {rest}", suppliers.deposit_key(party_id, rest))


def _transfer(entry: Entry, rest: str) -> Iterable[Kept]:
    for party_id in _of(entry, "sup_"):
        yield Kept(f"remittance {rest}", suppliers.remittance_key(party_id, rest))


def _bonus(entry: Entry, rest: str) -> Iterable[Kept]:
    bonus_id = rest.partition(":")[0]
    for party_id in _of(entry, "ldr_"):
        yield Kept(f"bonus {bonus_id}", bonus_store.bonus_key(party_id, bonus_id))


def _adjustment(entry: Entry, rest: str) -> Iterable[Kept]:
    for party_id in _of(entry, "ldr_"):
        key = bonus_store.adjustment_key(party_id, rest, entry.posted_at)
        yield Kept(f"adjustment {rest}", key)


def _statement(entry: Entry, rest: str) -> Iterable[Kept]:
    run_id, _, leader_id = rest.partition(":")
    yield Kept(f"run {run_id}", run_store.run_key(run_id))
    yield Kept(f"statement {run_id} of {leader_id}", settlement.statement_key(leader_id, run_id))


def _remittance(entry: Entry, rest: str) -> Iterable[Kept]:
    leader_id, _, reference = rest.partition(":")
    remittance_id = remitting.remittance_id(leader_id, reference)
    yield Kept(f"remittance {remittance_id}", remittance_store.remittance_key(remittance_id))


def _payout(entry: Entry, rest: str) -> Iterable[Kept]:
    yield Kept(f"payout {rest}", payouts.payout_key(rest))


def _difference(entry: Entry, rest: str) -> Iterable[Kept]:
    reconciliation_id, n, *_ = rest.split(":")
    key = reconciliation.difference_key(reconciliation_id, int(n))
    yield Kept(
        f"reconciliation {reconciliation_id}", reconciliation.reconciliation_key(reconciliation_id)
    )
    yield Kept(f"difference {n} of {reconciliation_id}", key)


def _of(entry: Entry, beginning: str) -> list[str]:
    return sorted(each for each in parties_in(entry) if each.startswith(beginning))


# By kind, beside the order and the parties of each. What is cleared of open items is asked of what
# they have left.
OF: Mapping[str, Callable[[Entry, str], Iterable[Kept]]] = {
    "receipt": _receipt,
    "delivered": _no_more,
    "disputed": _no_more,
    "dismissed": _no_more,
    "refund": _refund,
    "borne": _refund,
    "refund-done": _refund,
    "chargeback": _chargeback,
    "refund-charged-back": _charged_back_refund,
    "chargeback-fee": _chargeback,
    "chargeback-won": _chargeback,
    "chargeback-fee-won": _chargeback,
    "chargeback-lost": _chargeback,
    "fine": _no_more,
    "fine_waived": _no_more,
    "community_fee": _community,
    "annual_fee": _no_more,
    "deposit_received": _deposit,
    "deposit_drawn": _deposit,
    "deposit_returned": _deposit,
    "bonus": _bonus,
    "bonus-back": _bonus,
    "adjustment": _adjustment,
    "matured": _statement,
    "remittance": _remittance,
    "remittance-reversed": _remittance,
    "supplier-remittance": _transfer,
    "supplier-remittance-reversed": _transfer,
    "payout": _payout,
    "payout-netted": _payout,
    "payout-paid": _payout,
    "payout-returned": _payout,
    "payout-cancelled": _payout,
    "reconciled": _difference,
    "reconciled-undone": _difference,
    "cleared": _no_more,
}
