"""An order, its lines and its states (contract, sections 3, 4 and 6). Pure: no clock, no store."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.kernel import ids
from chalicelib.kernel.money import allocate, part
from chalicelib.payments.rules import PaymentMethod
from chalicelib.stock.rules import Part, Parts, even, kept, parts_of, section

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
PaymentStatus = Literal["pending", "succeeded", "cancelled", "refunded"]

# What a cap on orders, instead of on a SKU's units, is of.
PLACES = "places"
# A shard that holds fewer would be found empty too often; more shards are not needed.
UNITS_A_CAP_SHARD = 100
MOST_CAP_SHARDS = 50
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


@dataclass(frozen=True)
class Shares:
    """What a line, or some units of it, come to for each side; minor units."""

    net: int = 0
    shipping: int = 0
    cost: int = 0
    commission: int = 0
    spread: int = 0
    tax: int = 0

    @property
    def paid(self) -> int:
        """What the customer paid for it."""
        return self.net + self.shipping

    @property
    def earned(self) -> int:
        """What the leader earns by it: commission, and what it asked above the offer's price."""
        return self.commission + self.spread

    @property
    def revenue(self) -> int:
        """What it leaves the platform; negative where it loses."""
        return self.paid - self.cost - self.earned

    def portion(self, k: int, n: int) -> "Shares":
        """Of each share what `k` of `n` equal parts are worth."""
        return Shares(
            part(self.net, k, n),
            part(self.shipping, k, n),
            part(self.cost, k, n),
            part(self.commission, k, n),
            part(self.spread, k, n),
            part(self.tax, k, n),
        )

    def __bool__(self) -> bool:
        return self != Shares()

    def __add__(self, other: "Shares") -> "Shares":
        return Shares(
            self.net + other.net,
            self.shipping + other.shipping,
            self.cost + other.cost,
            self.commission + other.commission,
            self.spread + other.spread,
            self.tax + other.tax,
        )

    def __sub__(self, other: "Shares") -> "Shares":
        return Shares(
            self.net - other.net,
            self.shipping - other.shipping,
            self.cost - other.cost,
            self.commission - other.commission,
            self.spread - other.spread,
            self.tax - other.tax,
        )


@dataclass(frozen=True)
class OrderLine:
    """One SKU of an order, with every term frozen as it was when the order was placed."""

    sku_id: str
    supplier_id: str
    supplier_sku: str | None
    title: str
    quantity: int
    unit_price: int
    amount: int
    discount: int
    tax: int
    shipping: int
    net: int
    unit_cost: int
    cost: int
    basis: str
    rate_bps: int
    plan_version: int
    commission: int
    limit: int | None
    price_reason: Sequence[str] = ()
    spread: int = 0
    # The shards of its offer's cap that it counts in, as (shard, units).
    cap_taken: Sequence[Sequence[int]] = ()
    refunded_quantity: int = 0
    # Units of a paid order that was cancelled whole: they go back on sale.
    restock_quantity: int = 0
    # Refunded units that are on sale again.
    restocked_quantity: int = 0
    # Where the last refund by amount left the line: its refunded units then, and its refunded
    # shares by name. Later refunds by units divide what it left.
    fixed_units: int = 0
    fixed: Mapping[str, int] = field(default_factory=dict)

    @property
    def whole(self) -> Shares:
        return Shares(self.net, self.shipping, self.cost, self.commission, self.spread, self.tax)

    # The shards of the stock that its units were taken from, as (shard, units) in their order;
    # nothing where all came from the first.
    taken: Sequence[Sequence[int]] = ()

    @property
    def parts(self) -> Parts:
        """Where all its units were taken from."""
        return parts_of(self.taken, self.quantity)

    @property
    def cap_parts(self) -> Parts:
        """Where the line counts against its offer's cap; nowhere where there is none."""
        return tuple(Part(shard, units) for shard, units in self.cap_taken)

    def next_parts(self, units: int) -> Parts:
        """Where the first `units` that are not refunded were taken from."""
        return section(self.parts, self.refunded_quantity, units)

    @property
    def parts_to_restock(self) -> Parts:
        """Where the units that go back on sale were taken from: the last ones."""
        return section(self.parts, self.quantity - self.restock_quantity, self.restock_quantity)

    def worth(self, units: int) -> Shares:
        """The shares refunded once `units` units are, so that steps add up to the whole."""
        fixed = Shares(**self.fixed)
        open_units = self.quantity - self.fixed_units
        return fixed + (self.whole - fixed).portion(units - self.fixed_units, open_units)

    @property
    def refunded(self) -> Shares:
        return self.worth(self.refunded_quantity)

    @property
    def left(self) -> Shares:
        return self.whole - self.refunded

    @property
    def units_left(self) -> int:
        return self.quantity - self.refunded_quantity

    @property
    def refunded_amount(self) -> int:
        return self.refunded.paid

    def after_refund(self, units: int) -> "OrderLine":
        if not 0 < units <= self.units_left:
            raise ValueError(f"{units} of {self.units_left} units cannot be refunded")
        return replace(self, refunded_quantity=self.refunded_quantity + units)

    def after_refund_of_amount(self, net: int, shipping: int) -> "OrderLine":
        """The other shares fall in proportion to the net; units only where no money is left."""
        if not net + shipping:
            return self
        left = self.left
        if net + shipping == left.paid:
            return self.after_refund(self.units_left)
        # A line without a net has its shipping alone to give.
        taken = replace(left.portion(net, left.net or 1), shipping=shipping)
        fixed = vars(self.refunded + taken)
        return replace(self, fixed_units=self.refunded_quantity, fixed=fixed)


@dataclass(frozen=True)
class DispatchSummary:
    """What an order shows of a dispatch."""

    id: str
    supplier_id: str
    status: DispatchStatus
    carrier: str | None = None
    tracking_number: str | None = None


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
    def earnings_left(self) -> int:
        """What the leader earns by all that is not refunded."""
        return sum(line.left.earned for line in self.lines)

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

    def with_refund(self, refund_id: str) -> "Order":
        return replace(self, refunds=(*self.refunds, refund_id))

    def everything_left(self) -> dict[str, int]:
        """All units that have not been refunded, by SKU."""
        return {line.sku_id: line.units_left for line in self.lines if line.units_left}

    @property
    def parts(self) -> dict[str, Parts]:
        """Where all its units were taken from, by SKU."""
        return {line.sku_id: line.parts for line in self.lines}

    def next_parts(self, units: Mapping[str, int]) -> dict[str, Parts]:
        """Where the first `units` of each SKU that are not refunded were taken from."""
        return {
            line.sku_id: line.next_parts(units[line.sku_id])
            for line in self.lines
            if line.sku_id in units
        }

    @property
    def parts_to_restock(self) -> dict[str, Parts]:
        return {line.sku_id: line.parts_to_restock for line in self.lines}

    def with_parts(self, parts: Mapping[str, Parts]) -> "Order":
        """The order with its units taken from these shards of its pools: stocks, caps, places."""
        lines = tuple(
            replace(
                line,
                taken=kept(parts[line.sku_id]),
                cap_taken=parts.get(cap_id(line.sku_id), ()),
            )
            for line in self.lines
        )
        place = next((part.shard for part in parts.get(cap_id(PLACES), ())), None)
        return replace(self, lines=lines, place=place)

    def with_limits(self, limits: Mapping[str, int | None]) -> "Order":
        """The order as its customer's limits count it, by SKU."""
        lines = tuple(replace(line, limit=limits.get(line.sku_id)) for line in self.lines)
        return replace(self, lines=lines)

    @property
    def cap_parts(self) -> dict[str, Parts]:
        """Where the order counts against caps of its campaign, by pool."""
        places = {} if self.place is None else {PLACES: (Part(self.place, 1),)}
        return {line.sku_id: line.cap_parts for line in self.lines if line.cap_taken} | places

    def to_restock(self, at: datetime) -> "Order":
        """The order with all unrefunded units owed to the stock: ask before they are refunded."""
        lines = tuple(replace(line, restock_quantity=line.units_left) for line in self.lines)
        return replace(self, lines=lines, restock_at=at)

    def restocked(self) -> "Order":
        lines = tuple(
            replace(
                line,
                restock_quantity=0,
                restocked_quantity=line.restocked_quantity + line.restock_quantity,
            )
            for line in self.lines
        )
        return replace(self, lines=lines, restock_at=None, version=self.version + 1)

    def with_restocked(self, units: Mapping[str, int]) -> "Order":
        """The order after refunded units have come back on sale."""
        lines = tuple(
            replace(line, restocked_quantity=line.restocked_quantity + units.get(line.sku_id, 0))
            for line in self.lines
        )
        return replace(self, lines=lines)

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
    """The order as its lines and dispatches make it; once delivered, its return window begins."""
    status = status_after(order)
    begins = status == "delivered" and order.status != "delivered"
    return replace(
        order.changed(status), completes_at=now + return_window if begins else order.completes_at
    )


@dataclass(frozen=True)
class Held:
    """Units of one shard of a SKU that orders hold: unpaid, and paid but not shipped."""

    reserved: int = 0
    committed: int = 0

    def __add__(self, other: "Held") -> "Held":
        return Held(self.reserved + other.reserved, self.committed + other.committed)


def held(order: Order) -> Iterator[tuple[str, int, Held]]:
    """What the order holds of the stock: SKU, shard and units."""
    if order.status == "pending_payment":
        for line in order.lines:
            yield from ((line.sku_id, n, Held(reserved=units)) for n, units in line.parts)
        return
    ended = {
        each.supplier_id for each in order.dispatches if each.status not in ("created", "accepted")
    }
    for line in order.lines:
        waits = order.is_open and line.supplier_id not in ended
        parts = line.next_parts(line.units_left) if waits else line.parts_to_restock
        yield from ((line.sku_id, n, Held(committed=units)) for n, units in parts)


def limited_units(lines: Sequence[OrderLine]) -> dict[str, tuple[int, int]]:
    """Units and limit by SKU of the lines that a customer's limit counts."""
    return {line.sku_id: (line.quantity, line.limit) for line in lines if line.limit is not None}


@dataclass(frozen=True)
class Cap:
    """A pool of a campaign beside the stock: units of a SKU that it sells, or orders it takes.

    It is kept in shards like a hot stock, and shard n begins with `shares[n]`. What it was raised
    by lies in shards behind the others, so that no share ever changes.
    """

    campaign_id: str
    of: str
    whole: int
    raises: tuple[int, ...] = ()

    @property
    def id(self) -> str:
        return cap_id(self.of)

    @property
    def shares(self) -> list[int]:
        steps = (self.whole - sum(self.raises), *self.raises)
        return [share for step in steps for share in _shares(step)]


def _shares(units: int) -> list[int]:
    return even(units, min(max(units // UNITS_A_CAP_SHARD, 1), MOST_CAP_SHARDS))


def cap_id(of: str) -> str:
    """The id of a pool that is told from the stock of the same SKU."""
    return f"cap:{of}"
