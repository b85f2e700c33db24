"""Refunding units of a paid order, or an amount of it, whether it has been delivered or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from chalicelib.dispatch import bearing, money_back, moves, rules
from chalicelib.dispatch import store as dispatches
from chalicelib.dispatch.bearing import Borne
from chalicelib.dispatch.rules import Dispatch
from chalicelib.dispatch.taking_back import Taking
from chalicelib.kernel import clock, events
from chalicelib.kernel.currencies import written
from chalicelib.kernel.errors import Conflict, Invalid, NotFound
from chalicelib.kernel.events import Event
from chalicelib.ordering import charged_back_goods, held_units
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order, advanced
from chalicelib.payments import refunds
from chalicelib.payments.rules import Refund, RefundCause
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Recorder, Transaction, Update
from chalicelib.settlement import earning
from chalicelib.settlement.earning import NOTHING, Beside, together
from chalicelib.settlement.rules import EarnedLine
from chalicelib.stock import store as stock

REFUNDABLE = ("paid", "shipped", "delivered", "completed")
# Which of the units go back on sale: those that wait to be shipped, or what came back as well.
Restock = Literal["none", "waiting", "all"]


@dataclass(frozen=True)
class Asked:
    """What is to be refunded: `units` by SKU, or where there is an `amount` so much of it all, or
    all that is left of delivered `parcels`. Where a chargeback has brought it, the provider has
    taken the money already. `beside` is what goes with it.
    """

    units: Mapping[str, int] = field(default_factory=dict)
    amount: int | None = None
    restock: Restock = "none"
    parcels: Sequence[str] = ()
    cause: RefundCause = "other"
    chargeback_id: str | None = None
    beside: Beside = NOTHING


@retry_stale
def refund(order_id: str, asked: Asked, reason: str, recorder: Recorder | None) -> Refund:
    """Raises NotFound, and what `refund_in` and `check_fits` do."""
    order = ordering.get_order(order_id)
    if order is None:
        raise NotFound("There is no such order.")
    transaction = Transaction(recorder)
    made = refund_in(transaction, order, asked, reason, clock.now())
    check_fits(transaction, "lines" if asked.amount is None else "amount")
    transaction.commit(made)
    return made


def refund_in(
    transaction: Transaction, order: Order, asked: Asked, reason: str, now: datetime
) -> Refund:
    """Add a refund: undelivered lines lose what was prepaid, delivered ones their shares.

    Raises Conflict where the order has not been paid, Invalid where more than is left is asked.
    """
    after = _after(order, asked)
    made = _dispatches_of(order, after)
    taking, earnings = Taking(order, after, made), earning.earnings_of(order.earning_leaders)
    wanted = replace(
        money_back.new_refund(order, after, reason, now),
        cause=asked.cause,
        chargeback_id=asked.chargeback_id,
    )
    borne = bearing.borne(wanted, taking, earnings)
    decided = refunds.as_left(borne.refund) if asked.chargeback_id else borne.refund
    changed = [rules.as_left_by(after, each, now) for each in taking.noted(decided.id)]
    bonuses = money_back.bonuses_back(order, after, decided, earnings[order.leader_id])
    beside = together(asked.beside, bonuses)
    done = refunds.done_entries(decided, now) if asked.chargeback_id else ()
    also = [*borne.entries, *beside.entries, *done]
    told = {**borne.kept, order.leader_id: _lines_of(order.leader_id, borne, beside)}
    transaction.add(
        *money_back.booked(
            decided, taking.debits(earnings), taking.origins(), also, taking.goods()
        ),
        *taking.of_earnings(earnings, decided.id, told),
        *bearing.keep_undone(decided, borne.kept),
        *beside.writes,
        *_stock(order, after, asked.restock),
        *(dispatches.replace_dispatch(each) for each in changed),
    )
    transaction.publish(*_told(order, made, changed))
    refunded = after.with_refund(decided.id)
    if asked.chargeback_id:
        refunded = charged_back_goods.with_chargeback(refunded, decided.id, order)
    write_order(transaction, order, refunded, changed, now)
    refunds.decide_of_order_in(transaction, decided)
    return decided


def _lines_of(leader_id: str, borne: Borne, beside: Beside) -> list[tuple[str, EarnedLine]]:
    return [*borne.kept.get(leader_id, ()), *beside.lines]


def check_fits(transaction: Transaction, field: str) -> None:
    """Raises Invalid where a refund takes more writes than one transaction holds."""
    if not transaction.fits:
        raise Invalid.field(
            field,
            "takes from more suppliers than one refund can; refund fewer lines at a time",
            code="refund_too_large",
        )


def _after(order: Order, asked: Asked) -> Order:
    """The order's lines after the refund."""
    if order.status not in REFUNDABLE:
        raise Conflict(
            f"The order is {order.status}; only a paid one is refunded.",
            code="order_not_refundable",
        )
    if asked.amount is not None:
        _check_amount(order, asked.amount)
        return order.after_refund_of_amount(asked.amount)
    if asked.parcels:
        return order.after_refund_of_parcels(asked.parcels)
    moves.check_in_order(order, asked.units)
    moves.check_units(order.everything_left(), asked.units)
    after = order.after_refund(asked.units)
    return held_units.with_restocked(after, _to_restock(order, after, asked))


def _to_restock(order: Order, after: Order, asked: Asked) -> Mapping[str, int]:
    if asked.restock == "all":
        return asked.units
    return _waits_no_longer(order, after) if asked.restock == "waiting" else {}


def _check_amount(order: Order, amount: int) -> None:
    if amount > order.amount_left:
        raise Invalid.field(
            "amount",
            f"is more than the {written(order.amount_left, order.currency)} left to refund",
            code="more_than_is_left",
        )


def _dispatches_of(order: Order, after: Order) -> list[Dispatch]:
    """The dispatches of the lines that the refund takes from."""
    made = (
        order.dispatch_of(line)
        for line, now_line in zip(order.lines, after.lines, strict=True)
        if line != now_line
    )
    return dispatches.get_dispatches(each.id for each in made if each)


def _told(order: Order, before: Sequence[Dispatch], after: Sequence[Dispatch]) -> list[Event]:
    """What suppliers must hear before they ship what nobody wants any more."""
    told = [
        Event(events.DISPATCH_UPDATED, now.id)
        for was, now in zip(before, after, strict=True)
        if now.status != "cancelled" and now.lines != was.lines
    ]
    if any(each.status == "cancelled" for each in after):
        told.append(Event(events.DISPATCH_CANCELLED, order.id))
    return told


def _stock(before: Order, after: Order, restock: Restock) -> list[Update]:
    """Units that were waiting to be shipped wait no longer; shipped ones left the stock before."""
    waiting = _waits_no_longer(before, after)
    if restock == "none":
        return stock.let_go(held_units.next_parts(before, waiting))
    back = rules.less(after.units_since(before), waiting) if restock == "all" else {}
    return stock.back_on_sale(
        held_units.next_parts(before, waiting), held_units.shipped_parts(before, back)
    )


def _waits_no_longer(before: Order, after: Order) -> dict[str, int]:
    return rules.less(before.waiting, after.waiting)


def write_order(
    transaction: Transaction,
    before: Order,
    refunded: Order,
    changed: Sequence[Dispatch],
    now: datetime,
) -> None:
    """Write the order as its lines and dispatches make it, and tell of what that ends."""
    for each in changed:
        refunded = refunded.with_dispatch(each.summary)
    after = advanced(refunded, now, settings().return_window)
    transaction.add(ordering.replace_order(after))
    if after.status == "refunded":
        money_back.close_limits(transaction, before)
