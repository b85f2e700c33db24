"""What suppliers pay by the year, and for each community that they deliver to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from chalicelib.kernel import clock
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Entry
from chalicelib.ledger.service import belongs_to
from chalicelib.parties import service as suppliers
from chalicelib.parties import store as parties
from chalicelib.parties.settlement_terms import SettlementTerms
from chalicelib.platform.log import metric
from chalicelib.platform.settings import settings
from chalicelib.platform.sweeping import sweep_each
from chalicelib.platform.transaction import Write, write, write_alone
from chalicelib.suppliers import rules
from chalicelib.suppliers import store as kept

SUPPLIERS_A_READ = 100


class Delivered(Protocol):
    """An order that some of was delivered."""

    @property
    def id(self) -> str: ...

    @property
    def leader_id(self) -> str: ...

    @property
    def currency(self) -> str: ...


@dataclass(frozen=True)
class FirstDelivery:
    """What the first delivery to a community in a fee year writes, and the fee that it brings."""

    entries: Sequence[Entry] = ()
    writes: Sequence[Write] = ()


def of_delivery(
    order: Delivered, supplier_id: str, delivered_on: str, now: datetime
) -> FirstDelivery:
    """What a supplier pays for delivering to a leader's community, once in each of its fee years.

    A fee that falls due in a waiver window is waived for that year, and none is brought back by
    what becomes of the order. Stale, from the writes, where another delivery was the first
    meanwhile.
    """
    leader_id, terms = order.leader_id, parties.settlement_terms_of([supplier_id])[supplier_id]
    day = date.fromisoformat(delivered_on)
    fee_year = terms.fee_year(day)
    if not terms.community_fee or fee_year is None:
        return FirstDelivery()
    if kept.has_delivered_to(supplier_id, leader_id, fee_year):
        return FirstDelivery()
    first = kept.deliver_first_to(supplier_id, leader_id, fee_year)
    if terms.is_waived_on(day):
        return FirstDelivery(writes=[first])
    owed, fee = books.supplier_owed(supplier_id), terms.community_fee
    entry = books.entry(
        rules.community_fee_id(supplier_id, leader_id, fee_year),
        order.currency,
        order.id,
        now,
        {owed: fee, books.PLATFORM_REVENUE: -fee},
        belongs_to=belongs_to(delivered_on, now),
    )
    return FirstDelivery([entry], [first])


def sweep(now: datetime) -> int:
    """Post the annual fees that had fallen due by the end of yesterday. Returns at how many
    suppliers was looked for it.

    A year's fee is what the terms say that were in force when its first day ended: so it is the
    same however late it is posted, and its entry is written once.
    """
    through = clock.day_before(clock.business_date(now, settings().zone))
    behind = [
        each for some in parties.fee_payers(SUPPLIERS_A_READ) for each in _behind(some, through)
    ]
    return sweep_each(behind, lambda supplier_id: _post_annual(supplier_id, through, now))


def _behind(some: Sequence[SettlementTerms], through: date) -> list[str]:
    """Those that have come into a fee year since it was last decided what they pay."""
    decided = kept.decided_through(terms.supplier_id for terms in some)
    last = {terms.supplier_id: terms.fee_year(through) for terms in some}
    return [
        supplier_id
        for supplier_id, fee_year in last.items()
        if fee_year and fee_year > decided.get(supplier_id, date.min)
    ]


def _post_annual(supplier_id: str, through: date, now: datetime) -> None:
    """Each fee by itself, and that of all years is decided once all are written."""
    due = {each.id: each for each in _annual_fees(supplier_id, through, now)}
    for entry_id in due.keys() - ledger.posted(due):
        write(*ledger.post(due[entry_id]))
        metric("AnnualFeesPosted")
    last = parties.settlement_terms_of([supplier_id])[supplier_id].fee_year(through)
    if last:
        write_alone(kept.decide_through(supplier_id, last))


def _annual_fees(supplier_id: str, through: date, now: datetime) -> Iterator[Entry]:
    supplier, zone = suppliers.supplier(supplier_id), settings().zone
    versions = parties.settlement_terms_versions(supplier_id)
    for fee_year in versions[-1].fee_years(through):
        terms = rules.in_force(versions, clock.begin_of(fee_year + timedelta(days=1), zone))
        if terms and terms.annual_fee and not terms.is_waived_on(fee_year):
            yield books.entry(
                rules.annual_fee_id(supplier_id, fee_year),
                supplier.currency,
                supplier_id,
                now,
                {
                    books.supplier_owed(supplier_id): terms.annual_fee,
                    books.PLATFORM_REVENUE: -terms.annual_fee,
                },
                belongs_to=belongs_to(fee_year.isoformat(), now),
            )
