"""What a provider keeps for a chargeback: whom `chargeback_fee` of the rules names pays it, and has
it back from the platform once the chargeback is won."""

from collections import Counter
from datetime import datetime

from chalicelib.kernel import clock
from chalicelib.kernel.money import allocate
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ordering.lines import OrderLine
from chalicelib.ordering.rules import Order
from chalicelib.parties import store as parties
from chalicelib.payments import store as payments
from chalicelib.payments.rules import Bearer, Chargeback
from chalicelib.platform.settings import settings
from chalicelib.settlement.earning import NOTHING, Beside
from chalicelib.settlement.rules import AT_ONCE, EarnedLine


def bearer_for(order: Order) -> Bearer:
    """Who pays the fee of a chargeback of the order; what was not delivered was nobody's to
    deliver better, so that it is the platform's."""
    return payments.refund_bearers().chargeback_fee if order.delivered_net else "platform"


def charged(of: Chargeback, order: Order | None, now: datetime) -> Beside:
    """The fee as its bearer pays it."""
    if not of.fee:
        return NOTHING
    amounts = Counter[str]({of.cash_account: -of.fee})
    amounts.update(_payers(of, order))
    return _posted(f"chargeback-fee:{of.id}", of, order, amounts, now)


def given_back(won: Chargeback, order: Order | None, now: datetime) -> Beside:
    """The fee to whom paid it, from the platform. Whether the provider gives it back is not known
    before its statement tells."""
    entry = ledger.get_entry(f"chargeback-fee:{won.id}")
    amounts = Counter[str](
        {each.account: -each.amount for each in entry.postings if books.party_of(each.account)}
        if entry
        else {}
    )
    if not amounts:
        return NOTHING
    amounts[books.PLATFORM_REVENUE] = -sum(amounts.values())
    return _posted(f"chargeback-fee-won:{won.id}", won, order, amounts, now)


def _payers(of: Chargeback, order: Order | None) -> Counter[str]:
    """What of the fee each account pays: suppliers by what their shipped lines came to."""
    if order is None or of.fee_bearer == "platform":
        return Counter({books.PLATFORM_REVENUE: of.fee})
    if of.fee_bearer == "leader":
        return Counter({books.leader_account(order.leader_id, "available"): of.fee})
    shipped = [line for line in order.lines if line.shipped_quantity]
    paid = Counter[str]()
    parts = allocate(of.fee, [line.net for line in shipped])
    for line, part in zip(shipped, parts, strict=True):
        paid[_account(line)] += part
    return paid


def _account(line: OrderLine) -> str:
    """Of its supplier, unless the terms that it was placed under spare it."""
    terms = parties.settlement_terms_at(line.supplier_id, line.supplier_terms)
    if terms.refund_bearer == "platform":
        return books.PLATFORM_REVENUE
    return books.supplier_payable(line.supplier_id)


def _posted(
    entry_id: str, of: Chargeback, order: Order | None, amounts: Counter[str], now: datetime
) -> Beside:
    entry = books.entry(entry_id, of.currency, of.order_id or of.id, now, amounts)
    leader = books.leader_account(order.leader_id, "available") if order else ""
    gets = -amounts[leader]
    return Beside([entry], [(AT_ONCE, _line(of, gets, entry_id, now))] if gets else [])


def _line(of: Chargeback, amount: int, entry_id: str, now: datetime) -> EarnedLine:
    return EarnedLine(
        order_id=of.order_id or "",
        sku_id="",
        kind="adjustment",
        basis="chargeback_fee",
        basis_amount=of.fee,
        rate_bps=0,
        amount=amount,
        matured_on=clock.business_date(now, settings().zone).isoformat(),
        rule="chargeback_fee" if amount < 0 else "chargeback_won",
        entry_id=entry_id,
    )
