"""What an operator sees of a batch before approving it: whom it pays, and whom it leaves out.

Names and holders are personal data: they are shown to operators, and never logged.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib.kernel.currencies import in_major
from chalicelib.parties import store as parties
from chalicelib.parties.rules import Leader, Supplier
from chalicelib.payouts import accounts, batch_store, rules
from chalicelib.payouts import store as payouts
from chalicelib.payouts.batches import batch_known
from chalicelib.payouts.reading import part_of
from chalicelib.payouts.rules import (
    Batch,
    LeftOut,
    Party,
    PartyRole,
    Payout,
    PayoutShown,
    WhyLeftOut,
)
from chalicelib.platform import sheets
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.sheets import Sheet

COLUMNS = (
    *("preview_of", "payout_id", "payee", "name", "holder"),
    *("account_ends_in", "amount", "netted", "currency"),
)


@dataclass(frozen=True)
class PayoutNamed(PayoutShown):
    """A payout with its party's name, and the account's holder where it has one."""

    name: str = ""
    holder: str | None = None


@dataclass(frozen=True)
class LeftOutNamed:
    party: Party
    name: str
    amount: int
    reason: WhyLeftOut


def payouts_in(batch_id: str, page: PageRequest) -> Page[PayoutNamed]:
    """Raises NotFound."""
    batch = batch_known(batch_id)
    found = payouts.payouts_in(batch.id, page)
    names = _names(each.payee for each in found.items)
    return found.map(lambda payout: _named(batch, payout, names))


def left_out(batch_id: str, page: PageRequest) -> Page[LeftOutNamed]:
    """Those that it has not taken in, with why. Raises NotFound."""
    batch = batch_known(batch_id)
    found = batch_store.left_out(batch.id, page)
    ids = {rules.payout_id(batch.id, Party.of(each.party)): each.party for each in found.items}
    taken = {ids[each.id] for each in payouts.get_payouts(ids)}
    left = tuple(each for each in found.items if each.party not in taken)
    names = _names(Party.of(each.party) for each in left)
    return Page(left, found.next_after).map(lambda each: _left_named(each, names))


def preview(batch_id: str, part: int) -> bytes:
    """A part of the batch as CSV, with no account to pay to in it. Raises NotFound, or Invalid for
    a part there is not."""
    batch = batch_known(batch_id)
    of_part = part_of(batch, part)
    names = _names(payout.payee for payout in of_part)
    rows = [_row(_named(batch, payout, names)) for payout in of_part]
    return sheets.written([Sheet("Preview", COLUMNS, rows)], "csv")


def _row(payout: PayoutNamed) -> list[str | None]:
    amount, netted = (in_major(each, payout.currency) for each in (payout.amount, payout.netted))
    return [
        *(payout.batch_id, payout.id, payout.payee.id, payout.name, payout.holder),
        *(payout.last_four, amount, netted, payout.currency),
    ]


def _named(batch: Batch, payout: Payout, names: dict[str, str]) -> PayoutNamed:
    shown = payout.shown_in(batch)
    details = accounts.details_of(payout.sealed, payout.payee) if payout.sealed else None
    holder = details.holder if details else None
    return PayoutNamed(**vars(shown), name=names.get(payout.party, ""), holder=holder)


def _left_named(left: LeftOut, names: dict[str, str]) -> LeftOutNamed:
    return LeftOutNamed(Party.of(left.party), names.get(left.party, ""), left.amount, left.reason)


def _names(of: Iterable[Party]) -> dict[str, str]:
    """By party."""
    ids: dict[PartyRole, list[str]] = {"leader": [], "supplier": []}
    for party in of:
        ids[party.role].append(party.id)
    found: list[tuple[PartyRole, Leader | Supplier]] = [
        *(("leader", each) for each in parties.get_leaders(ids["leader"])),
        *(("supplier", each) for each in parties.get_suppliers(ids["supplier"])),
    ]
    return {Party(role, each.id).key: each.name for role, each in found}
