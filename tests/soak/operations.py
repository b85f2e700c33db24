"""What happens to orders: sold, paid, shipped, refunded, and settled at night.

One that is refused, or finds nothing to do, has been tried all the same: the books are checked
after it. An operation is added by a function with `@happens(weight)`, here or in a module like
this that `everything` names.
"""

from datetime import timedelta

from chalicelib.aftersales import service as aftersales
from chalicelib.dispatch import (
    answering,
    calling_off,
    cancelling,
    clocks,
    delivering,
    disputing,
    fines,
    refunding,
    shipping,
)
from chalicelib.dispatch.disputes import Outcome
from chalicelib.dispatch.parcels import Shipment
from chalicelib.dispatch.refunding import Asked, Restock
from chalicelib.dispatch.rules import Dispatch
from chalicelib.dispatch.store import DispatchRow, DisputeRow
from chalicelib.kernel.callers import Caller
from chalicelib.leaving import service as leaving
from chalicelib.ordering import campaigns, collecting, ending, paying, placing
from chalicelib.ordering.placing import NewOrder, Wanted
from chalicelib.ordering.rules import Order, ShipTo
from chalicelib.ordering.store import OrderRow
from chalicelib.payments import refunds, remitting
from chalicelib.payments.providers import PaymentSucceeded
from chalicelib.payments.remittance_store import RemittanceRow
from chalicelib.payments.rules import Handed, HandedFrom, PaymentMethod, RefundCause
from chalicelib.payouts import paging, sending
from chalicelib.platform import outbox
from chalicelib.settlement import runs, watching
from chalicelib.stock import adjusting
from chalicelib.suppliers import fees
from tests.soak.happening import Operations
from tests.soak.rows import NothingToDo
from tests.soak.town import OPERATOR, Town

SOMEWHERE = ShipTo("Alice Doe", "+49 30 1234567", "2 Side St", None, "Berlin", None, "10117", "DE")
A_WHILE = timedelta(minutes=6)
RARELY = 0.25
OUTCOMES: tuple[Outcome, ...] = ("upheld", "dismissed")
RESTOCKS: tuple[Restock, ...] = ("all", "none")
CAUSES: tuple[RefundCause, ...] = ("other", "damaged", "late")
PAID_FROM: tuple[HandedFrom, ...] = ("leader", "bank")

OPERATIONS = Operations()
happens = OPERATIONS.happens


@happens(14)
def place_by_card(town: Town) -> None:
    _place(town, "card")


@happens(5)
def place_for_the_leader_to_collect(town: Town) -> None:
    _place(town, "leader_collect")


def _place(town: Town, method: PaymentMethod) -> None:
    customer = town.customer()
    sku_ids = town.chance.sample(town.sku_ids, town.chance.choice([1, 1, 1, 2, 3]))
    new = NewOrder(
        customer_id=customer.id,
        campaign_id=town.chance.choice(town.campaign_ids),
        leader_id=town.leader(),
        lines=[Wanted(sku_id, town.chance.randint(1, 4)) for sku_id in sku_ids],
        ship_to=SOMEWHERE,
        payment_method=method,
        note=None,
    )
    placing.place(new, town.request(customer))


@happens(13)
def pay(town: Town) -> None:
    _pay(town, _order(town, "pending_payment"))


@happens(1)
def pay_late_or_again(town: Town) -> None:
    _pay(town, _order(town, "paid", "shipped", "expired", "cancelled", "refunded"))


@happens(1)
def pay_another_amount(town: Town) -> None:
    _pay(town, _order(town, "pending_payment"), more=town.chance.choice([-1, 1, 500]))


@happens(1)
def pay_for_nothing(town: Town) -> None:
    number = town.number()
    event = PaymentSucceeded(f"ch_{number}", f"pay_none{number}", number, town.currency)
    paying.receive("local", event)


def _pay(town: Town, order: Order, more: int = 0) -> None:
    # The provider may tell of the same charge twice, or take the money twice.
    reference = f"ch_{order.id}_{town.chance.randint(1, 2)}"
    event = PaymentSucceeded(reference, order.payment.id, order.total + more, order.currency)
    paying.receive("local", event)


@happens(5)
def collect(town: Town) -> None:
    order = _order(town, "pending_payment")
    leader = Caller("leader", order.leader_id)
    collecting.collect(order.id, order.total, "cash", leader, town.request(leader))


@happens(2)
def cancel(town: Town) -> None:
    order = _order(town, "pending_payment", "paid")
    caller = town.chance.choice([OPERATOR, Caller("customer", order.customer_id)])
    cancelling.cancel(order.id, None, caller, town.request(caller))


@happens(10)
def accept(town: Town) -> None:
    dispatch = _dispatch(town, "created")
    answering.accept(dispatch.id, None, None, OPERATOR, town.request())


@happens(2)
def accept_some(town: Town) -> None:
    dispatch = _dispatch(town, "created")
    answering.accept(dispatch.id, _some(town, dispatch.waiting), None, OPERATOR, town.request())


@happens(1)
def reject(town: Town) -> None:
    dispatch = _dispatch(town, "created")
    units = town.chance.choice([None, _some(town, dispatch.waiting)])
    answering.reject(dispatch.id, units, "sold out", OPERATOR, town.request())


@happens(9)
def ship(town: Town) -> None:
    _ship(town, None)


@happens(4)
def ship_a_parcel(town: Town) -> None:
    dispatch = _dispatch(town, "accepted", "shipped")
    _ship(town, dispatch)


def _ship(town: Town, some_of: Dispatch | None) -> None:
    dispatch = some_of or _dispatch(town, "accepted", "shipped")
    units = _some(town, dispatch.waiting) if some_of else None
    shipment = Shipment("DHL", f"T{town.number()}", units)
    shipping.ship(dispatch.id, shipment, OPERATOR, town.request())


@happens(9)
def deliver(town: Town) -> None:
    dispatch = _dispatch(town, "shipped")
    delivering.deliver(dispatch.id, None, OPERATOR, town.request())


@happens(4)
def deliver_a_parcel(town: Town) -> None:
    dispatch = _dispatch(town, "shipped", "delivered")
    parcel = town.chance.choice(dispatch.parcels)
    delivering.deliver_parcel(dispatch.id, parcel.id, None, OPERATOR, town.request())


@happens(2)
def dispute(town: Town) -> None:
    dispatch = _dispatch(town, "shipped", "delivered")
    parcel = town.chance.choice([None, *(each.id for each in dispatch.parcels)])
    leader = Caller("leader", dispatch.leader_id)
    disputing.dispute(dispatch.id, parcel, "Nothing came.", leader, town.request(leader))


@happens(2)
def resolve_a_dispute(town: Town) -> None:
    found = DisputeRow.from_raw_data(town.seen.one("dispute", "open")).to_entity()
    outcome = town.chance.choice(OUTCOMES)
    disputing.resolve(found.dispatch_id, found.id, outcome, "seen", town.request())


@happens(4)
def refund_units(town: Town) -> None:
    order = _dispatched(town)
    restock = town.chance.choice(RESTOCKS)
    asked = Asked(_some(town, order.everything_left()), None, restock, cause=_cause(town))
    refunding.refund(order.id, asked, "broken", town.request())


@happens(4)
def refund_an_amount(town: Town) -> None:
    order = _dispatched(town)
    amount = town.chance.choice([1, order.amount_left, town.chance.randint(1, order.total)])
    refunding.refund(order.id, Asked(amount=amount, cause=_cause(town)), "a pity", town.request())


def _cause(town: Town) -> RefundCause:
    return town.chance.choice(CAUSES)


@happens(3)
def hand_money_back(town: Town) -> None:
    refund = town.seen.one("refund", "pending", "failed")
    paid_from = town.chance.choice(PAID_FROM)
    refunds.confirm(refund["pk"]["S"], Handed(paid_from), OPERATOR, town.request())


@happens(2)
def remit(town: Town) -> None:
    leader_id, amount = town.leader(), town.chance.randint(1, 5000)
    remitting.remit(leader_id, amount, f"R{town.number()}", OPERATOR, town.request())


@happens(1)
def reverse_a_remittance(town: Town) -> None:
    made = RemittanceRow.from_raw_data(town.seen.one("remittance")).to_entity()
    remitting.reverse(made.leader_id, made.id, "booked by mistake", OPERATOR, town.request())


@happens(2)
def ask_for_after_sales(town: Town) -> None:
    order = _order(town, "delivered")
    customer = Caller("customer", order.customer_id)
    wanted = aftersales.Wanted(_some(town, order.everything_left()), "broken", ())
    aftersales.ask(order.id, wanted, customer, town.request(customer))


@happens(2)
def decide_after_sales(town: Town) -> None:
    request = town.seen.one("request", "requested", "escalated")
    granted = town.chance.choice([True, True, False])
    aftersales.decide(request["pk"]["S"], granted, "seen", OPERATOR, town.request())


@happens(1)
def call_off(town: Town) -> None:
    dispatch = _dispatch(town, "created", "accepted")
    calling_off.call_off(dispatch.id, "recalled", OPERATOR, town.request())


@happens(4)
def waive_a_fine(town: Town) -> None:
    dispatch = _dispatch(town, "created", "accepted", "shipped", "delivered")
    fined = [each for each in dispatch.clocks if each.fined]
    if not fined:
        raise NothingToDo("no fine")
    first = fined[0]
    fines.waive(dispatch.id, first.kind, first.parcel_id, "flood", OPERATOR, town.request())


@happens(1)
def cancel_a_campaign(town: Town) -> None:
    """A rare thing: all its orders are refunded. Another one opens in its place."""
    if town.chance.random() > RARELY:
        raise NothingToDo("no campaign goes wrong")
    campaign_id = town.chance.choice(town.campaign_ids)
    campaigns.cancel(campaign_id, town.request())
    town.replace_campaign(campaign_id)


@happens(2)
def more_stock(town: Town) -> None:
    sku_id, units = town.chance.choice(town.sku_ids), town.chance.randint(1, 50)
    adjusting.adjust(sku_id, units, "came in", OPERATOR, town.request())
    town.supplied[sku_id] += units


@happens(22)
def work(town: Town) -> None:
    town.work()


@happens(1)
def sweep(town: Town) -> None:
    """What the schedules of a minute do."""
    outbox.sweep(town.now())
    ending.sweep(town.now())
    clocks.sweep(town.now())
    refunds.look_after(town.now())
    aftersales.sweep(town.now())
    campaigns.sweep(town.now())
    watching.watch(town.now())
    paging.watch(town.now())
    sending.look_after(town.now())
    fees.sweep(town.now())
    leaving.sweep(town.now())


@happens(1)
def a_night_goes_by(town: Town) -> None:
    """The run of the day begins at midnight; its messages wait as all do."""
    town.at = (town.at + timedelta(days=1)).replace(hour=0, minute=15)
    runs.start_for_last_night(town.now())


def come_to_rest(town: Town) -> None:
    """Whatever was left behind is found, and nothing is left to do."""
    for _ in range(2):
        town.at += A_WHILE
        sweep(town)
        town.work()


def _order(town: Town, *statuses: str) -> Order:
    return OrderRow.from_raw_data(town.seen.one("order", *statuses)).to_entity()


def _dispatched(town: Town) -> Order:
    """One whose suppliers know of it: of one that was refunded before, nothing that is stored tells
    whether its units have left the stock or were never taken. Raises NothingToDo."""
    order = _order(town, "paid", "shipped", "delivered", "completed")
    if not order.dispatches:
        raise NothingToDo("no dispatch yet")
    return order


def _dispatch(town: Town, *statuses: str) -> Dispatch:
    return DispatchRow.from_raw_data(town.seen.one("dispatch", *statuses)).to_entity()


def _some(town: Town, units: dict[str, int]) -> dict[str, int]:
    """Some units of one of the SKUs there are any of. Raises NothingToDo."""
    left = [sku_id for sku_id, quantity in units.items() if quantity]
    if not left:
        raise NothingToDo("no units are left")
    sku_id = town.chance.choice(left)
    return {sku_id: town.chance.randint(1, units[sku_id])}
