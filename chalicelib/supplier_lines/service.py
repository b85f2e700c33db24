"""A line of a supplier's statement with all that it follows from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from chalicelib.dispatch import store as dispatches
from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import NotFound
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Entry, Posting, changes
from chalicelib.ordering import store as ordering
from chalicelib.parties import service as parties
from chalicelib.parties import store as party_store
from chalicelib.parties.settlement_terms import SettlementTerms
from chalicelib.payments import store as payments
from chalicelib.payouts import batch_store
from chalicelib.payouts import store as payouts
from chalicelib.payouts.rules import PayoutShown
from chalicelib.platform.settings import settings
from chalicelib.supplier_lines.rules import (
    ChargebackExplained,
    FeeExplained,
    FineExplained,
    GoodsExplained,
    Moved,
    RefundExplained,
    goods_of,
)
from chalicelib.suppliers import rules
from chalicelib.suppliers import store as suppliers
from chalicelib.suppliers.remittances import SupplierRemittance
from chalicelib.suppliers.rules import Deposit, StatementLine, lines_of


@dataclass(frozen=True)
class LineExplained:
    """What one entry has moved of a supplier's accounts, and why: that it is one of goods, a fee, a
    fine, a refund, a chargeback, a deposit, a transfer or a payout is told by which is not None."""

    line: StatementLine
    supplier_id: str
    currency: str
    accounts: Sequence[Moved]
    goods: Sequence[GoodsExplained]
    entry: Entry
    fee: FeeExplained | None
    fine: FineExplained | None
    refund: RefundExplained | None
    chargeback: ChargebackExplained | None
    deposit: Deposit | None
    remittance: SupplierRemittance | None
    payout: PayoutShown | None


def explain(supplier_id: str, entry_id: str, caller: Caller) -> LineExplained:
    """For operators the whole, for the supplier what is its own of it. Raises NotFound where the
    supplier's statements have no line of that entry."""
    caller.must_be("supplier", supplier_id, "supplier")
    parties.supplier(supplier_id)
    entry, party = ledger.get_entry(entry_id), f"supplier:{supplier_id}"
    of_party = [each for each in changes([entry]) if each.party == party] if entry else []
    if entry is None or not of_party:
        raise NotFound("The supplier's statements have no line of that entry.")
    lines = lines_of(of_party[0])
    line = lines[0]
    return LineExplained(
        line=line,
        supplier_id=supplier_id,
        currency=entry.currency,
        accounts=[Moved(each.account, each.amount) for each in lines],
        goods=_goods(entry, lines, party, whole=caller.is_operator),
        entry=entry,
        fee=_fee(supplier_id, line, entry)
        if line.kind in ("annual_fee", "community_fee")
        else None,
        fine=_fine(supplier_id, entry) if line.kind in ("fine", "fine_waived") else None,
        refund=_refund(line, whole=caller.is_operator),
        chargeback=_chargeback(entry, whole=caller.is_operator),
        deposit=suppliers.get_deposit(supplier_id, entry.subject),
        remittance=suppliers.get_remittance(supplier_id, entry.subject),
        payout=_payout(entry.subject),
    )


def _goods(
    entry: Entry, lines: Sequence[StatementLine], party: str, *, whole: bool
) -> list[GoodsExplained]:
    own = [each for each in entry.postings if each.account.startswith(f"{party}:")]
    titles = _titles(entry.subject, own)
    return [
        each
        for line, posting in zip(lines, own, strict=True)
        for each in goods_of(line.account, posting, titles, whole=whole)
    ]


def _titles(order_id: str, postings: Sequence[Posting]) -> Mapping[str, str]:
    order = ordering.get_order(order_id) if any(each.parts for each in postings) else None
    return {line.sku_id: line.title for line in order.lines} if order else {}


def _fee(supplier_id: str, line: StatementLine, entry: Entry) -> FeeExplained:
    """By the terms that were in force: for a year's when its first day ended, however late it was
    posted, for a community's when it was."""
    fee_year = entry.id.rpartition(":")[2]
    until = entry.posted_at
    if line.kind == "annual_fee":
        until = clock.begin_of(date.fromisoformat(fee_year) + timedelta(days=1), settings().zone)
    terms = _terms_before(supplier_id, until)
    return FeeExplained(-line.amount, fee_year, terms.version, terms.waivers, line.leader_id)


def _fine(supplier_id: str, entry: Entry) -> FineExplained | None:
    _, dispatch_id, name = entry.id.split(":", 2)
    dispatch = dispatches.get_dispatch(dispatch_id)
    fined = [each for each in dispatch.clocks if each.name == name] if dispatch else []
    if not fined:
        return None
    missed = fined[0]
    fired_at = clock.from_text(missed.fired_at) if missed.fired_at else entry.posted_at
    terms = _terms_before(supplier_id, fired_at)
    return FineExplained(
        dispatch_id=dispatch_id,
        clock=missed.kind,
        parcel_id=missed.parcel_id,
        due_at=missed.due_at,
        missed_at=missed.fired_at,
        asked=missed.fine_amount,
        charged=missed.fined or 0,
        month=f"{clock.business_date(fired_at, settings().zone):%Y-%m}",
        cap=terms.fine_cap,
        terms_version=terms.version,
        waived_at=missed.waived_at,
        waived_for=missed.waived_for,
    )


def _terms_before(supplier_id: str, instant: datetime) -> SettlementTerms:
    versions = party_store.settlement_terms_versions(supplier_id)
    return rules.in_force(versions, instant) or SettlementTerms(supplier_id)


def _refund(line: StatementLine, *, whole: bool) -> RefundExplained | None:
    refund = payments.get_refund(line.refund_id) if line.refund_id else None
    return RefundExplained.of(refund, whole=whole) if refund else None


def _chargeback(entry: Entry, *, whole: bool) -> ChargebackExplained | None:
    kind, _, about = entry.id.partition(":")
    found = payments.get_chargeback(about) if kind.startswith("chargeback") else None
    return ChargebackExplained.of(found, whole=whole) if found else None


def _payout(subject: str) -> PayoutShown | None:
    payout = payouts.get_payout(subject)
    batch = batch_store.get_batch(payout.batch_id) if payout else None
    return payout.shown_in(batch) if payout and batch else None
