"""A line of a supplier's statement with all that it follows from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

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
from chalicelib.payments import chargeback_store, refund_store
from chalicelib.payments.rules import Chargeback, Refund
from chalicelib.payouts import batch_store
from chalicelib.payouts import store as payouts
from chalicelib.payouts.rules import PayoutShown
from chalicelib.platform.settings import settings
from chalicelib.settlement import statements
from chalicelib.settlement import store as settlement
from chalicelib.supplier_lines.borne import (
    CapExplained,
    CommissionExplained,
    caps_of,
    commission_of,
)
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
from chalicelib.suppliers.rules import Deposit, StatementLine, account_of, lines_of


class Added(NamedTuple):
    """A posting that a line adds up, with the entry that tells its parts."""

    entry: Entry
    posting: Posting


@dataclass(frozen=True)
class LineExplained:
    """What one entry has moved of a supplier's accounts, and why: that it is one of goods, a fee, a
    fine, a refund, a chargeback, a deposit, a transfer or a payout is told by which is not None."""

    line: StatementLine
    supplier_id: str
    currency: str
    accounts: Sequence[Moved]
    goods: Sequence[GoodsExplained]
    commission: Sequence[CommissionExplained]
    caps: Sequence[CapExplained]
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
    lines = lines_of(of_party[0], settings().zone)
    line = lines[0]
    refund = refund_store.get_refund(line.refund_id) if line.refund_id else None
    chargeback = _chargeback(entry, refund)
    moved = [*_moved(entry, party), *_undone(chargeback, entry, party)]
    titles = _titles(entry.subject, moved)
    return LineExplained(
        line=line,
        supplier_id=supplier_id,
        currency=entry.currency,
        accounts=[Moved(each.account, each.amount) for each in lines],
        goods=_goods(moved, titles, whole=caller.is_operator),
        commission=_commission(moved, titles),
        caps=_caps(entry, party),
        entry=entry,
        fee=_fee(supplier_id, line, entry)
        if line.kind in ("annual_fee", "community_fee")
        else None,
        fine=_fine(supplier_id, entry) if line.kind in ("fine", "fine_waived") else None,
        refund=_refund(refund, chargeback, whole=caller.is_operator),
        chargeback=ChargebackExplained.of(chargeback, whole=caller.is_operator)
        if chargeback
        else None,
        deposit=suppliers.get_deposit(supplier_id, entry.subject),
        remittance=suppliers.get_remittance(supplier_id, entry.subject),
        payout=_payout(entry.subject),
    )


def _moved(entry: Entry, party: str) -> list[Added]:
    """What the entry has posted to the supplier."""
    return [Added(entry, each) for each in entry.postings if each.account.startswith(f"{party}:")]


def _undone(won: Chargeback | None, entry: Entry, party: str) -> list[Added]:
    """What the entry of a won chargeback gives back, as its refund had taken it; nothing where it
    gives back less than all."""
    if not won or not won.refund_id or not entry.id.startswith("chargeback-won:"):
        return []
    taken = (ledger.get_entry(f"{named}:{won.refund_id}") for named in ("refund", "borne"))
    back = [
        Added(of, replace(posting, amount=-posting.amount))
        for of in taken
        if of
        for _, posting in _moved(of, party)
    ]
    given = _by_account(_moved(entry, party))
    to_payable = [of._replace(posting=_payable(of.posting, party)) for of in back]
    return next((each for each in (back, to_payable) if _by_account(each) == given), [])


def _payable(posting: Posting, party: str) -> Posting:
    return replace(posting, account=f"{party}:payable")


def _by_account(added: Sequence[Added]) -> Counter[str]:
    found = Counter[str]()
    for _, posting in added:
        found[posting.account] += posting.amount
    return found


def _goods(
    added: Sequence[Added], titles: Mapping[str, str], *, whole: bool
) -> list[GoodsExplained]:
    return [
        each
        for of, posting in added
        if not _is_borne(of)
        for each in goods_of(account_of(posting), posting, titles, whole=whole)
    ]


def _commission(added: Sequence[Added], titles: Mapping[str, str]) -> list[CommissionExplained]:
    borne = (posting for of, posting in added if _is_borne(of))
    return [each for posting in borne for each in commission_of(posting, titles)]


def _is_borne(entry: Entry) -> bool:
    return entry.id.startswith("borne:")


def _caps(entry: Entry, party: str) -> list[CapExplained]:
    """What a run has moved of the supplier's account, by the statement that it made."""
    kind, *about = entry.id.split(":")
    if kind != "matured":
        return []
    run_id, leader_id = about
    made = settlement.get_statement(leader_id, run_id)
    return list(caps_of(statements.with_lines(made), f"{party}:payable")) if made else []


def _titles(order_id: str, added: Sequence[Added]) -> Mapping[str, str]:
    order = ordering.get_order(order_id) if any(each.posting.parts for each in added) else None
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


def _refund(
    refund: Refund | None, chargeback: Chargeback | None, *, whole: bool
) -> RefundExplained | None:
    """The one that it came of, or that a chargeback has brought."""
    if refund is None and chargeback and chargeback.refund_id:
        refund = refund_store.get_refund(chargeback.refund_id)
    return RefundExplained.of(refund, whole=whole) if refund else None


def _chargeback(entry: Entry, refund: Refund | None) -> Chargeback | None:
    """The one that the entry is of, or that has brought the refund that it is of."""
    kind, _, about = entry.id.partition(":")
    brought_by = about if kind.startswith("chargeback") else refund and refund.chargeback_id
    return chargeback_store.get_chargeback(brought_by) if brought_by else None


def _payout(subject: str) -> PayoutShown | None:
    payout = payouts.get_payout(subject)
    batch = batch_store.get_batch(payout.batch_id) if payout else None
    return payout.shown_in(batch) if payout and batch else None
