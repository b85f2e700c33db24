"""A chargeback that is won: its money goes to whom it was taken from, and what nobody else has a
claim to is the customer's."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.chargebacks import fees, owing
from chalicelib.dispatch import giving_back
from chalicelib.dispatch.giving_back import GivenBack
from chalicelib.kernel import clock
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ordering import charged_back_goods
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order
from chalicelib.payments import refund_store
from chalicelib.payments.rules import Chargeback, Refund
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Transaction
from chalicelib.settlement import earning, plan_bonuses
from chalicelib.settlement import store as settlement
from chalicelib.settlement.earning import Beside, together
from chalicelib.settlement.plan_bonuses import Given, Refunded
from chalicelib.settlement.rules import EarnedLine, Earnings


def give_back_in(transaction: Transaction, won: Chargeback, now: datetime) -> None:
    """Add what its refund took to the order and each side again, and a refund of the rest."""
    refund = refund_store.get_refund(won.refund_id) if won.refund_id else None
    order = ordering.get_order(refund.order_id) if refund else None
    if order and refund:
        _give_lines_back_in(transaction, won, order, refund, now)
        return
    amounts = _cash_back(won, owed=won.paid_amount)
    transaction.add(*ledger.post(_entry(won, amounts, now)))
    if won.paid_amount:
        again = owing.refund_again_in(transaction, won, won.paid_amount, None, now)
        if again:
            transaction.add(ordering.replace_order(again.changed(again.status)))


def _give_lines_back_in(
    transaction: Transaction, won: Chargeback, order: Order, refund: Refund, now: datetime
) -> None:
    back = giving_back.given_back(order, refund.id, won.id)
    earnings = earning.earnings_of(order.earning_leaders)
    kept = settlement.taken(list(earnings), refund.id)
    undone = _undone(back, kept)
    owed = won.paid_amount + refund.amount - back.paid
    amounts = _cash_back(won, owed)
    amounts.update(back.amounts(earnings))
    amounts.update(_borne_back(undone))
    beside = _beside(won, back, earnings[order.leader_id], now)
    transaction.add(*ledger.post(_entry(won, amounts, now), *beside.entries), *beside.writes)
    for leader_id, of_leader in earnings.items():
        lines = earning.again(of_leader, undone.get(leader_id, ()))
        own = beside.lines if leader_id == order.leader_id else ()
        change = back.of_earnings(leader_id, of_leader, [*lines, *own])
        if change.parts or change.beside or change.held:
            transaction.add(*earning.take_back(of_leader, won.currency, change))
    after = charged_back_goods.still_borne(back.after, refund.id, _still_borne(back, kept))
    if owed:
        after = owing.refund_again_in(transaction, won, owed, after, now) or after
    back.write_in(transaction, after, now)


def _undone(
    back: GivenBack, kept: Mapping[str, Sequence[EarnedLine]]
) -> dict[str, list[EarnedLine]]:
    """By leader the lines by which others have back what they had paid it for goods that are given
    back."""
    posted_by = giving_back.entry_id(back.chargeback_id)
    return {
        leader_id: [replace(each, entry_id=posted_by) for each in lines if back.is_of(each)]
        for leader_id, lines in kept.items()
    }


def _still_borne(back: GivenBack, kept: Mapping[str, Sequence[EarnedLine]]) -> Counter[str]:
    """What each account has paid for goods that stay refunded, which stays with it."""
    amounts = Counter[str]()
    for each in (line for lines in kept.values() for line in lines if not back.is_of(line)):
        amounts[_payer(each)] -= each.amount
    return amounts


def _payer(undone: EarnedLine) -> str:
    return undone.borne_by or books.PLATFORM_REVENUE


def _cash_back(won: Chargeback, owed: int) -> Counter[str]:
    """What has come, but for what each side gets of it."""
    return Counter(
        {
            won.cash_account: won.amount,
            books.UNMATCHED_CHARGEBACKS: -won.unmatched,
            books.UNMATCHED_RECEIPTS: -owed,
        }
    )


def _borne_back(undone: Mapping[str, Sequence[EarnedLine]]) -> Counter[str]:
    """Whoever paid commission that leaders kept has it back from them."""
    amounts = Counter[str]()
    for leader_id, lines in undone.items():
        for each in lines:
            amounts[books.leader_account(leader_id, "pending")] -= each.amount
            amounts[_payer(each)] += each.amount
    return amounts


def _beside(won: Chargeback, back: GivenBack, earnings: Earnings, now: datetime) -> Beside:
    """The fee to whom paid it, and the bonuses that the refund had taken back, to mature today."""
    fee = fees.given_back(won, back.before, now)
    if not (back.before.bonuses and back.net):
        return fee
    today = clock.business_date(now, settings().zone)
    given = Given(now, today.isoformat(), earnings.bucket_for(today))
    refunded = Refunded(back.refund_id, back.net, is_whole=False, at=now)
    return together(fee, plan_bonuses.of_won_chargeback(back.before, refunded, given))


def _entry(won: Chargeback, amounts: Mapping[str, int], now: datetime) -> books.Entry:
    subject = won.order_id or won.id
    return books.entry(giving_back.entry_id(won.id), won.currency, subject, now, amounts)
