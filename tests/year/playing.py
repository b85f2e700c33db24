"""Days of shopping, each as it goes by: the night's run, payouts, orders, deliveries, refunds."""

import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import boto3

from chalicelib.dispatch import answering, delivering, refunding, shipping
from chalicelib.dispatch.parcels import Shipment
from chalicelib.dispatch.refunding import Asked
from chalicelib.kernel.callers import Caller
from chalicelib.ordering import paying, placing
from chalicelib.ordering import store as ordering
from chalicelib.ordering.placing import NewOrder, Wanted
from chalicelib.ordering.rules import ShipTo
from chalicelib.payments.providers import PaymentSucceeded
from chalicelib.payouts import batches, holds, looking, results
from chalicelib.payouts.rules import BatchKind, PayoutShown, Told
from chalicelib.platform.idempotency import Answer, IdempotentRequest
from chalicelib.platform.pages import PageRequest
from chalicelib.settlement import runs
from infra.demo.baskets import Order
from tests.year import told
from tests.year.journal import Journal
from tests.year.market import CURRENCY, OPERATOR, OTHER_OPERATOR, Market
from tests.year.reading import number_of

HOME = ShipTo("Household", "+15135550100", "1 Vine St", None, "Cincinnati", None, "45202", "US")
AT_NIGHT, IN_THE_MORNING = time(0, 15), time(3, 0)
SHOPPING, DELIVERING, REFUNDING, SHIPPING = time(7, 0), time(18, 0), time(20, 0), time(21, 0)
WORKERS = (
    "DISPATCH_CREATE",
    "REFUND_EXECUTE",
    "SETTLEMENT_LIST",
    "SETTLEMENT_SETTLE",
    "PAYOUT_PAGE",
)
KINDS: tuple[BatchKind, ...] = ("leaders", "suppliers")


@dataclass(frozen=True, slots=True)
class Placed:
    """An order of the store's, with what it is in the data."""

    order: Order
    id: str


class Clock:
    """The time that it is in there; each look at it takes a moment."""

    def __init__(self) -> None:
        self._at = datetime(2016, 12, 31, tzinfo=UTC)

    def __call__(self) -> datetime:
        self._at += timedelta(milliseconds=1)
        return self._at

    def set(self, day: date, at: time) -> None:
        self._at = max(self._at, datetime.combine(day, at, UTC))


class Year:
    """`done` counts the operations by name, `payouts` has what each batch sent by payee."""

    def __init__(
        self, market: Market, clock: Clock, journal: Journal, seed: int, workers: Any
    ) -> None:
        self._market, self._clock, self._journal, self._seed = market, clock, journal, seed
        self._workers: dict[str, Callable[[Any], None]] = workers
        self._arriving: defaultdict[date, list[Placed]] = defaultdict(list)
        self._refunds: defaultdict[date, list[tuple[str, str, int]]] = defaultdict(list)
        self.done = Counter[str]()
        self.payouts: list[dict[str, int]] = []

    def day(self, day: date, orders: Sequence[Order], *, pays_out: bool) -> None:
        self._journal.begin(day)
        self._clock.set(day, AT_NIGHT)
        runs.start_for_last_night(self._clock())
        self.work()
        if pays_out:
            self._clock.set(day, IN_THE_MORNING)
            self._pay_out()
        self._clock.set(day, SHOPPING)
        placed = [self._sell(order) for order in orders]
        self.work()
        self._clock.set(day, DELIVERING)
        for each in self._arriving.pop(day, []):
            self._deliver(each)
        self._clock.set(day, REFUNDING)
        for refund in self._refunds.pop(day, []):
            self._refund(*refund)
        self._plan_refunds(placed)
        self._clock.set(day, SHIPPING)
        for each in placed:
            self._ship(each)
        self.work()

    def work(self) -> None:
        """Let the workers take what waits until nothing does. Nobody listens to webhooks here."""
        while waiting := list(_taken(WORKERS)):
            for queue, message in waiting:
                self._workers[queue](message)
        boto3.client("sqs").purge_queue(QueueUrl=os.environ["WEBHOOK_FAN_OUT_QUEUE"])

    def _sell(self, order: Order) -> Placed:
        customer = Caller("customer", f"cus_{order.customer}")
        request = IdempotentRequest(customer, order.basket, order.basket, lambda _: Answer(200, ""))
        new = NewOrder(
            customer_id=customer.id,
            campaign_id=self._market.campaign_id(order),
            leader_id=self._market.leaders[int(order.leader)],
            lines=[Wanted(self._market.skus[line.sku], line.quantity) for line in order.lines],
            ship_to=HOME,
            payment_method="card",
            note=None,
        )
        made = placing.place(new, request)
        paid = PaymentSucceeded(f"ch_{made.id}", made.payment.id, made.total, made.currency)
        paying.receive("local", paid)
        self.done["placed"] += 1
        self.done["paid"] += 1
        return Placed(order, made.id)

    def _plan_refunds(self, placed: Sequence[Placed]) -> None:
        """Decide what will be refunded of these orders, and refund what is not to be shipped."""
        for each in placed:
            basket = number_of(each.order)
            day = date.fromisoformat(each.order.day)
            arrives = day + timedelta(days=told.days_under_way(basket))
            self._arriving[arrives].append(each)
            for line in each.order.lines:
                refund = told.refund_of(self._seed, basket, int(line.sku), line.quantity)
                if refund is None:
                    continue
                due = (each.id, line.sku, refund.units)
                if refund.after is None:
                    self._refund(*due)
                else:
                    self._refunds[arrives + refund.after].append(due)

    def _refund(self, order_id: str, sku: str, units: int) -> None:
        asked = Asked({self._market.skus[sku]: units})
        refunding.refund(order_id, asked, "not as expected", None)
        self.done["refunded"] += 1

    def _ship(self, placed: Placed) -> None:
        for dispatch_id in self._dispatches(placed, "created"):
            answering.accept(dispatch_id, None, None, OPERATOR, None)
            shipping.ship(dispatch_id, Shipment("Freight", dispatch_id, None), OPERATOR, None)
            self.done["accepted"] += 1
            self.done["shipped"] += 1

    def _deliver(self, placed: Placed) -> None:
        for dispatch_id in self._dispatches(placed, "shipped"):
            delivering.deliver(dispatch_id, None, OPERATOR, None)
            self.done["delivered"] += 1

    def _dispatches(self, placed: Placed, status: str) -> list[str]:
        order = ordering.get_order(placed.id)
        if order is None or not order.dispatches:
            raise LookupError(f"order {placed.id} has no dispatches")
        return [each.id for each in order.dispatches if each.status == status]

    def _pay_out(self) -> None:
        """Everybody is sent what it has coming, and the bank returns some of it."""
        names = {f"leader:{id_}": f"leader {n}" for n, id_ in self._market.leaders.items()}
        names |= {f"supplier:{id_}": f"supplier {n}" for n, id_ in self._market.suppliers.items()}
        number, sent = len(self.payouts), dict[str, int]()
        for kind in KINDS:
            for payout in self._batch(kind):
                party = names[payout.party]
                sent[party] = payout.amount
                returned = told.comes_back(self._seed, number, party)
                outcome: Told = "returned" if returned else "paid"
                results.tell(payout.id, outcome, f"B{number}", None)
                if returned:
                    holds.lift(payout.payee, OPERATOR, None)
                self.done[f"payouts {outcome}"] += 1
        self.payouts.append(sent)

    def _batch(self, kind: BatchKind) -> list[PayoutShown]:
        made = batches.make(CURRENCY, kind, "manual", 1, OPERATOR, None)
        self.work()
        if batches.batch_of(made.id).status == "closed":
            return []
        batches.approve(made.id, OTHER_OPERATOR, None)
        batches.send(made.id, OPERATOR, None)
        self.work()
        return list(_all_payouts(made.id))


def _all_payouts(batch_id: str) -> Iterator[PayoutShown]:
    after = None
    while True:
        page = looking.payouts_in(batch_id, PageRequest("payouts", 100, after))
        yield from page.items
        after = page.next_after
        if after is None:
            return


def _taken(queues: Sequence[str]) -> Iterator[tuple[str, Any]]:
    client = boto3.client("sqs")
    for queue in queues:
        url = os.environ[f"{queue}_QUEUE"]
        while found := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for each in found:
                client.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
                yield queue, json.loads(each["Body"])
