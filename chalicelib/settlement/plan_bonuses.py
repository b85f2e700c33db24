"""Bonuses that a plan promises: for a new customer's first order, and for what a campaign brings.

Each is given with the delivery that it is for, in its transaction, and taken back with the refund
that takes away what it was for. Whoever bears a refund's commission, a bonus is the platform's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from chalicelib.kernel import ids
from chalicelib.ledger import rules as books
from chalicelib.plans.rules import BonusTerms
from chalicelib.settlement import bonus_store
from chalicelib.settlement.campaign_totals import moved
from chalicelib.settlement.earning import NOTHING, Beside, together
from chalicelib.settlement.rules import Bonus, Earnings, FirstOrder


class Placed(Protocol):
    """An order that keeps the bonuses of the version it was placed under."""

    @property
    def id(self) -> str: ...

    @property
    def leader_id(self) -> str: ...

    @property
    def customer_id(self) -> str: ...

    @property
    def campaign_id(self) -> str: ...

    @property
    def currency(self) -> str: ...

    @property
    def bonuses(self) -> Sequence[BonusTerms]: ...


@dataclass(frozen=True)
class Given:
    """When a bonus is given, when it matures, and under which day it waits until then."""

    at: datetime
    matures_on: str
    waits_on: str


@dataclass(frozen=True)
class Refunded:
    """A refund as bonuses see it: how much less is delivered, and whether it leaves nothing."""

    id: str
    net: int
    is_whole: bool
    at: datetime


def of_delivery(order: Placed, net: int, given: Given, is_new: Callable[[], bool]) -> Beside:
    """What a delivery of so much brings the order's leader beside its commission.

    `is_new` says whether nothing was delivered to its customer before, and is asked once for each
    customer. Stale, from the writes, where another delivery has come in between.
    """
    return together(_of_first_order(order, given, is_new), _counted(order, net, given))


def of_refund(order: Placed, refunded: Refunded, earnings: Earnings) -> Beside:
    """What a refund takes back of it; a customer is new once, whatever becomes of the order."""
    return together(
        _first_order_back(order, refunded, earnings), _counted_less(order, refunded, earnings)
    )


def of_won_chargeback(order: Placed, refunded: Refunded, given: Given) -> Beside:
    """What that refund had taken back is given again as it was, where the total comes to it; what
    else the order comes back to it brings as a delivery does."""
    first = _bonus_of_first_order(order)
    restored = NOTHING
    if first and first.taken_back_by == refunded.id:
        restored = _give_again(first, given)
    return together(restored, _counted(order, refunded.net, given, lost_by=refunded.id))


def ids_of(order: Placed) -> list[str]:
    """The ids of those that its deliveries may have brought its leader."""
    return [_id_of(order, each) for each in order.bonuses]


def _of_first_order(order: Placed, given: Given, is_new: Callable[[], bool]) -> Beside:
    terms = _terms(order, "first_order")
    if not terms or bonus_store.first_order_of(order.customer_id):
        return NOTHING
    first = FirstOrder(order.customer_id, order.id, is_rewarded=is_new())
    kept = Beside(writes=[bonus_store.keep_first_order(first)])
    return together(kept, _give(order, terms[0], order.id, given)) if first.is_rewarded else kept


def _first_order_back(order: Placed, refunded: Refunded, earnings: Earnings) -> Beside:
    if not (refunded.is_whole and _terms(order, "first_order")):
        return NOTHING
    bonus = _bonus_of_first_order(order)
    return _take_back(bonus, refunded, earnings) if bonus and bonus.stands else NOTHING


def _bonus_of_first_order(order: Placed) -> Bonus | None:
    """The bonus that was given for this order being its customer's first one."""
    first = bonus_store.first_order_of(order.customer_id)
    if first is None or first.order_id != order.id:
        return None
    return bonus_store.get_bonus(order.leader_id, _bonus_id(order, "first_order", order.id))


def _counted(order: Placed, net: int, given: Given, lost_by: str = "") -> Beside:
    terms = {each.threshold or 0: each for each in _terms(order, "campaign_total")}
    if not (terms and net):
        return NOTHING
    lost = {each.threshold or 0: each for each in _lost(order, lost_by)} if lost_by else {}
    total = bonus_store.campaign_total(order.leader_id, order.campaign_id)
    move = moved(total, net, terms.keys() | lost.keys())
    return together(
        Beside(writes=[bonus_store.move_campaign_total(move)]),
        *(
            _give_again(lost[each], given)
            if each in lost
            else _give(order, terms[each], order.campaign_id, given)
            for each in move.gained
        ),
    )


def _lost(order: Placed, refund_id: str) -> list[Bonus]:
    """The bonuses for its campaign that the refund took back, of whichever order they came."""
    return [
        each
        for each in bonus_store.all_bonuses(order.leader_id)
        if each.kind == "campaign_total"
        and each.reference == order.campaign_id
        and each.taken_back_by == refund_id
    ]


def _counted_less(order: Placed, refunded: Refunded, earnings: Earnings) -> Beside:
    if not (refunded.net and _terms(order, "campaign_total")):
        return NOTHING
    total = bonus_store.campaign_total(order.leader_id, order.campaign_id)
    move = moved(total, -refunded.net, ())
    lost = (_bonus_of_threshold(order, each) for each in move.lost)
    return together(
        Beside(writes=[bonus_store.move_campaign_total(move)]),
        *(_take_back(bonus, refunded, earnings) for bonus in lost),
    )


def _bonus_of_threshold(order: Placed, threshold: int) -> Bonus:
    """The one that was given when the total reached it. Raises LookupError."""
    bonus_id = _bonus_id(order, "campaign_total", order.campaign_id, str(threshold))
    found = bonus_store.get_bonus(order.leader_id, bonus_id)
    if found is None:
        raise LookupError(f"bonus {bonus_id} of {order.leader_id} is not stored")
    return found


def _terms(order: Placed, kind: str) -> list[BonusTerms]:
    return [each for each in order.bonuses if each.kind == kind]


def _bonus_id(order: Placed, *of: str) -> str:
    return ids.derived("bns", order.leader_id, *of)


def _id_of(order: Placed, terms: BonusTerms) -> str:
    if terms.kind == "first_order":
        return _bonus_id(order, terms.kind, order.id)
    return _bonus_id(order, terms.kind, order.campaign_id, str(terms.threshold))


def _give(order: Placed, terms: BonusTerms, reference: str, given: Given) -> Beside:
    """Give a bonus, or give one again that was taken back."""
    bonus_id = _id_of(order, terms)
    before = bonus_store.get_bonus(order.leader_id, bonus_id)
    bonus = Bonus(
        id=bonus_id,
        leader_id=order.leader_id,
        kind=terms.kind,
        task="",
        reference=reference,
        amount=terms.amount,
        currency=order.currency,
        matures_on=given.matures_on,
        given_at=given.at,
        given_by=terms.plan_id,
        order_id=order.id,
        threshold=terms.threshold,
        plan_id=terms.plan_id,
        plan_version=terms.plan_version,
        waits_on=given.waits_on,
        times=before.times + 1 if before else 1,
    )
    return _posted(before, bonus)


def _give_again(before: Bonus, given: Given) -> Beside:
    """Give again what was taken back, by the terms that it was given by."""
    bonus = replace(
        before,
        matures_on=given.matures_on,
        given_at=given.at,
        waits_on=given.waits_on,
        times=before.times + 1,
        taken_back_at=None,
        taken_back_by=None,
    )
    return _posted(before, bonus)


def _posted(before: Bonus | None, bonus: Bonus) -> Beside:
    pending = books.leader_account(bonus.leader_id, "pending")
    amounts = {books.PLATFORM_REVENUE: bonus.amount, pending: -bonus.amount}
    entry = books.entry(bonus.entry_id, bonus.currency, bonus.id, bonus.given_at, amounts)
    writes = [bonus_store.replace_bonus(before, bonus)] if before else bonus_store.add_bonus(bonus)
    return Beside([entry], [(bonus.waits_on, bonus.line)], writes)


def _take_back(bonus: Bonus, refunded: Refunded, earnings: Earnings) -> Beside:
    """A bonus that was posted to the pending balance goes from there until a run has taken it."""
    back = replace(bonus, taken_back_at=refunded.at, taken_back_by=refunded.id)
    purpose = "available" if earnings.has_taken(bonus.waits_on) else "pending"
    amounts = {
        books.leader_account(bonus.leader_id, purpose): bonus.amount,
        books.PLATFORM_REVENUE: -bonus.amount,
    }
    entry = books.entry(bonus.back_entry_id, bonus.currency, bonus.id, refunded.at, amounts)
    line = replace(
        bonus.line,
        kind="clawback",
        basis_amount=-bonus.line.basis_amount,
        amount=-bonus.amount,
        entry_id=entry.id,
    )
    return Beside([entry], [(bonus.waits_on, line)], [bonus_store.replace_bonus(bonus, back)])
