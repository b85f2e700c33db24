"""An order and its states (contract, sections 3, 4 and 6). Pure: no clock, no store."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from chalicelib.kernel import clock, ids
from chalicelib.kernel.money import allocate
from chalicelib.ordering.charged_back import ChargedBack
from chalicelib.ordering.lines import OrderLine, Substitute
from chalicelib.ordering.shares import Shares
from chalicelib.payments.rules import PaymentMethod
from chalicelib.plans.rules import BonusTerms

OrderStatus = Literal[
    "pending_payment",
    "paid",
    "shipped",
    "delivered",
    "completed",
    "expired",
    "cancelled",
    "refunded",
]
DispatchStatus = Literal["created", "accepted", "shipped", "delivered", "rejected", "cancelled"]
ParcelStatus = Literal["shipped", "delivered"]
PaymentStatus = Literal["pending", "succeeded", "cancelled", "refunded"]

ENDED_UNSHIPPED = frozenset({"rejected", "cancelled"})


@dataclass(frozen=True)
class ShipTo:
    name: str
    phone: str
    line1: str
    line2: str | None
    city: str
    region: str | None
    postal_code: str
    country: str


class ParcelSummary(NamedTuple):
    """What an order shows of a parcel."""

    id: str
    carrier: str
    tracking_number: str
    status: ParcelStatus


@dataclass(frozen=True)
class DispatchSummary:
    """What an order shows of a dispatch. Carrier and tracking number are its first parcel's."""

    id: str
    supplier_id: str
    status: DispatchStatus
    carrier: str | None = None
    tracking_number: str | None = None
    sent: Sequence[Sequence[Any]] = ()
    # As text, for it is kept among the order's records.
    delivered_at: str | None = None

    @property
    def parcels(self) -> tuple[ParcelSummary, ...]:
        return tuple(ParcelSummary(*each) for each in self.sent)


@dataclass(frozen=True)
class Payment:
    """What an order shows of its payment; its id is the order's own but for the prefix."""

    id: str
    method: PaymentMethod
    status: PaymentStatus
    amount: int


@dataclass(frozen=True)
class Order:
    id: str
    status: OrderStatus
    version: int
    customer_id: str
    leader_id: str
    campaign_id: str
    currency: str
    lines: tuple[OrderLine, ...]
    subtotal: int
    discount: int
    shipping: int
    tax: int
    total: int
    payment_method: PaymentMethod
    receipt: str | None
    cash_account: str | None
    ship_to: ShipTo
    note: str | None
    dispatches: tuple[DispatchSummary, ...]
    expires_at: datetime
    created_at: datetime
    paid_at: datetime | None = None
    # Set while stock of a cancelled order still has to go back to where it was.
    restock_at: datetime | None = None
    # When the return window of a delivered order is over.
    completes_at: datetime | None = None
    refunds: tuple[str, ...] = ()
    cancel_reason: str | None = None
    # By whom a card order is paid, whatever the stack's settings become.
    provider: str | None = None
    # The shard of the campaign's places that it counts in, where there are only so many.
    place: int | None = None
    # What its campaign's target counts, where it has one.
    target_kind: str | None = None
    # The bonuses of the plan's version that it was placed under.
    bonuses: tuple[BonusTerms, ...] = ()
    # What chargebacks have taken of what was delivered, until they are won.
    charged_back: tuple[ChargedBack, ...] = ()

    @property
    def payment(self) -> Payment:
        return Payment(
            ids.sibling("pay", self.id), self.payment_method, self._payment_status, self.total
        )

    @property
    def _payment_status(self) -> PaymentStatus:
        if self.status == "refunded":
            return "refunded"
        if self.paid_at:
            return "succeeded"
        return "pending" if self.status == "pending_payment" else "cancelled"

    @property
    def refunded_amount(self) -> int:
        return sum(line.refunded_amount for line in self.lines)

    @property
    def due_at(self) -> datetime | None:
        """When a sweep must look at it: to let it expire, complete it, or put its stock back."""
        if self.status == "pending_payment":
            return self.expires_at
        return self.completes_at if self.status == "delivered" else self.restock_at

    @property
    def earning_leaders(self) -> list[str]:
        """Its own leader, then those that have a part in what it brings."""
        others = (due.leader_id for line in self.lines for due in line.due)
        return list(dict.fromkeys((self.leader_id, *others)))

    def earned_of(self, line: OrderLine, shares: Shares) -> Iterator[tuple[str, int]]:
        """What some units' shares bring which leader."""
        yield self.leader_id, shares.earned
        for due, amount in line.divided(shares):
            yield due.leader_id, amount

    @property
    def has_arrived(self) -> bool:
        """Whether anything of it was delivered, whatever became of it."""
        parcels = (parcel for each in self.dispatches for parcel in each.parcels)
        return any(parcel.status == "delivered" for parcel in parcels)

    @property
    def delivered_net(self) -> int:
        """What is delivered and not refunded has brought, without shipping and tax."""
        posted = (shares for line in self.lines for shares in line.posted.values())
        return sum(shares.net - shares.tax for shares in posted)

    @property
    def earnings_to_come(self) -> dict[str, int]:
        """What each leader earns by all that is neither refunded nor delivered."""
        found = dict.fromkeys(self.earning_leaders, 0)
        for line in self.lines:
            for leader_id, amount in self.earned_of(line, line.held):
                found[leader_id] += amount
        return found

    def earnings_lost(self, before: "Order") -> dict[str, int]:
        """What each leader had to come in the order as it was, and has no more."""
        now = self.earnings_to_come
        return {each: amount - now[each] for each, amount in before.earnings_to_come.items()}

    @property
    def depends_on_target(self) -> bool:
        return self.target_kind is not None

    @property
    def is_open(self) -> bool:
        """Whether some of it may still wait to be shipped."""
        return self.status in ("paid", "shipped")

    def changed(self, status: OrderStatus) -> "Order":
        return replace(self, status=status, version=self.version + 1)

    def lines_of(self, supplier_id: str) -> tuple[OrderLine, ...]:
        return tuple(line for line in self.lines if line.supplier_id == supplier_id)

    def supplier_ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(line.supplier_id for line in self.lines))

    def after_refund(self, units: Mapping[str, int]) -> "Order":
        """The lines after `units` of each SKU are refunded; the status is another matter."""
        lines = tuple(
            line.after_refund(units[line.sku_id]) if units.get(line.sku_id) else line
            for line in self.lines
        )
        return replace(self, lines=lines)

    @property
    def amount_left(self) -> int:
        """What was paid and is not refunded."""
        return sum(line.left.paid for line in self.lines)

    def after_refund_of_amount(self, amount: int) -> "Order":
        """The lines after `amount` is refunded: of their nets, then of their shipping, divided in
        proportion to what each has left. All that is left takes every unit with it."""
        if not 0 < amount <= self.amount_left:
            raise ValueError(f"{amount} of {self.amount_left} cannot be refunded")
        if amount == self.amount_left:
            return self.after_refund(self.everything_left())
        nets = [line.left.net for line in self.lines]
        of_nets = min(amount, sum(nets))
        shares = zip(
            self.lines,
            allocate(of_nets, nets),
            allocate(amount - of_nets, [line.left.shipping for line in self.lines]),
            strict=True,
        )
        lines = tuple(line.after_refund_of_amount(net, freight) for line, net, freight in shares)
        return replace(self, lines=lines)

    def units_since(self, before: "Order") -> dict[str, int]:
        """The units refunded since `before`, by SKU."""
        refunded = {line.sku_id: line.refunded_quantity for line in before.lines}
        units = {line.sku_id: line.refunded_quantity - refunded[line.sku_id] for line in self.lines}
        return {sku_id: quantity for sku_id, quantity in units.items() if quantity}

    def after_refund_of_parcels(self, parcel_ids: Iterable[str]) -> "Order":
        """The lines after all that is left of these delivered parcels is refunded."""
        lines = self.lines
        for parcel_id in parcel_ids:
            lines = tuple(line.after_refund_of_parcel(parcel_id) for line in lines)
        return replace(self, lines=lines)

    def with_substitute(self, sku_id: str, units: int, by: Substitute) -> "Order":
        """The lines with another SKU in place of the next `units` of one that was to be shipped."""
        lines: list[OrderLine] = []
        for line in self.lines:
            if line.sku_id != sku_id:
                lines.append(line)
                continue
            rest = line.without_next(units)
            lines += [rest, line.in_place(rest, by)]
        return replace(self, lines=tuple(lines))

    def as_placed(self) -> "Order":
        """The order with the lines that it was placed with: without refunds and substitutes."""
        ordered = (line for line in self.lines if not line.substitutes)
        return replace(self, lines=tuple(self._as_ordered(line) for line in ordered))

    def _as_ordered(self, line: OrderLine) -> OrderLine:
        """A line and those that were put in its place, together."""
        of_it = [line, *(each for each in self.lines if each.substitutes == line.sku_id)]
        return replace(
            line,
            quantity=sum(each.quantity for each in of_it),
            amount=sum(each.amount for each in of_it),
            discount=sum(each.discount for each in of_it),
            tax=sum(each.tax for each in of_it),
            net=sum(each.net for each in of_it),
            refunded_quantity=0,
            marks=(),
        )

    def after_shipping(self, parcel_id: str, units: Mapping[str, int]) -> "Order":
        lines = tuple(
            line.after_shipping(parcel_id, units[line.sku_id]) if line.sku_id in units else line
            for line in self.lines
        )
        return replace(self, lines=lines)

    def after_delivery(self, parcel_ids: Iterable[str]) -> "Order":
        """The lines once these parcels have arrived, one after another."""
        lines = self.lines
        for parcel_id in parcel_ids:
            lines = tuple(line.after_delivery(parcel_id) for line in lines)
        return replace(self, lines=lines)

    def dispatch_of(self, line: OrderLine) -> DispatchSummary | None:
        """The dispatch that a line goes with; None while there is none."""
        return next(
            (each for each in self.dispatches if line.goes_with(each.id, each.supplier_id)), None
        )

    def with_refund(self, refund_id: str) -> "Order":
        return replace(self, refunds=(*self.refunds, refund_id))

    def everything_left(self) -> dict[str, int]:
        """All units that have not been refunded, by SKU."""
        return {line.sku_id: line.units_left for line in self.lines if line.units_left}

    @property
    def waiting(self) -> dict[str, int]:
        """Units that are still to be shipped, by SKU."""
        return {line.sku_id: line.waiting for line in self.lines if line.waiting}

    def with_dispatch(self, summary: DispatchSummary) -> "Order":
        """The order after one of its dispatches has changed."""
        dispatches = tuple(summary if each.id == summary.id else each for each in self.dispatches)
        return replace(self, dispatches=dispatches)


def status_after(order: Order) -> OrderStatus:
    """The status of a paid order that its lines and dispatches make (contract, section 4)."""
    if not order.everything_left():
        return "refunded"
    if order.status == "completed":
        return "completed"
    statuses = {dispatch.status for dispatch in order.dispatches}
    if "delivered" in statuses and statuses <= ENDED_UNSHIPPED | {"delivered"}:
        return "delivered"
    if statuses & {"shipped", "delivered"}:
        return "shipped"
    return "paid"


def advanced(order: Order, now: datetime, return_window: timedelta) -> Order:
    """The order as its lines and dispatches make it; its return window begins when the last of
    them was delivered, which may have been told later."""
    after = order.changed(status_after(order))
    if after.status != "delivered" or order.status == "delivered":
        return after
    delivered = [each.delivered_at for each in order.dispatches if each.delivered_at]
    begins = max(map(clock.from_text, delivered), default=now)
    return replace(after, completes_at=begins + return_window)
