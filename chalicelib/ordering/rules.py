"""An order and its states (contract, sections 3, 4 and 6). Pure: no clock, no store."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from chalicelib.kernel import clock, ids
from chalicelib.kernel.money import allocate
from chalicelib.ordering import charged_back
from chalicelib.ordering.charged_back import ChargedBack, Taken
from chalicelib.ordering.lines import OrderLine, Substitute
from chalicelib.ordering.shares import Shares
from chalicelib.payments.rules import PaymentMethod
from chalicelib.plans.rules import BonusTerms
from chalicelib.stock.rules import Part, Parts, even, kept

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

# What a cap on orders, instead of on a SKU's units, is of.
PLACES = "places"
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

    def with_chargeback(self, refund_id: str, before: "Order") -> "Order":
        """The order, which keeps what that refund of a chargeback has taken of it."""
        taken = charged_back.of_refund(refund_id, before.lines, self.lines)
        return replace(self, charged_back=(*self.charged_back, taken))

    def lending_to(self, refund_id: str) -> "Order":
        """The order, of whose goods that refund has the units where none of them are left."""
        lent = charged_back.lending_to(refund_id, self.charged_back, self.lines)
        return replace(self, charged_back=tuple(lent))

    def to_give_back(self, refund_id: str) -> list[Taken]:
        """What that refund of a chargeback has taken of units that are not refunded otherwise."""
        return [
            part
            for each in self.charged_back
            if each.refund_id == refund_id
            for part in each.parts
            if any(charged_back.can_be_given_back(line, part) for line in self.lines)
        ]

    def given_back(self, refund_id: str, parts: Sequence[Taken], won: str) -> "Order":
        """The lines once that chargeback is won, with these parts again. An order of which nothing
        had been left counts no more against limits and caps, which others may have taken since."""
        lines = [charged_back.given_back(line, parts) for line in self.lines]
        if self.status == "refunded":
            lines = [replace(line, limit=None, cap_taken=()) for line in lines]
        return replace(
            self,
            lines=tuple(lines),
            place=None if self.status == "refunded" else self.place,
            charged_back=tuple(
                ChargedBack(refund_id, won=won) if each.refund_id == refund_id else each
                for each in self.charged_back
            ),
        )

    def still_borne(self, refund_id: str, borne: Mapping[str, int]) -> "Order":
        """The order, which keeps what each account still pays of that won refund's commission."""
        kept = tuple(borne.items())
        return replace(
            self,
            charged_back=tuple(
                replace(each, borne=kept) if each.refund_id == refund_id else each
                for each in self.charged_back
            ),
        )

    @property
    def still_borne_by(self) -> list[tuple[str, int]]:
        """The same of all of them: an account, and what it still pays."""
        return [(account, n) for each in self.charged_back for account, n in each.borne]

    @property
    def won_back(self) -> dict[str, str]:
        """The refunds of chargebacks whose money is back, each with its chargeback."""
        return {each.refund_id: each.won for each in self.charged_back if each.won}

    def everything_left(self) -> dict[str, int]:
        """All units that have not been refunded, by SKU."""
        return {line.sku_id: line.units_left for line in self.lines if line.units_left}

    @property
    def parts(self) -> dict[str, Parts]:
        """Where all its units were taken from, by SKU."""
        return {line.sku_id: line.parts for line in self.lines}

    def next_parts(self, units: Mapping[str, int]) -> dict[str, Parts]:
        """Where the next `units` of each SKU to be shipped were taken from."""
        return {
            line.sku_id: line.next_parts(units[line.sku_id])
            for line in self.lines
            if line.sku_id in units
        }

    def shipped_parts(self, units: Mapping[str, int]) -> dict[str, Parts]:
        """Where some `units` of each SKU that left the stock were taken from."""
        return {
            line.sku_id: line.shipped_parts(units[line.sku_id])
            for line in self.lines
            if line.sku_id in units
        }

    @property
    def waiting(self) -> dict[str, int]:
        """Units that are still to be shipped, by SKU."""
        return {line.sku_id: line.waiting for line in self.lines if line.waiting}

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
    """The order as its lines and dispatches make it; its return window begins when the last of
    them was delivered, which may have been told later."""
    after = order.changed(status_after(order))
    if after.status != "delivered" or order.status == "delivered":
        return after
    delivered = [each.delivered_at for each in order.dispatches if each.delivered_at]
    begins = max(map(clock.from_text, delivered), default=now)
    return replace(after, completes_at=begins + return_window)


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
    for line in order.lines:
        parts = line.next_parts(line.waiting) if order.is_open else line.parts_to_restock
        yield from ((line.sku_id, n, Held(committed=units)) for n, units in parts)


@dataclass(frozen=True)
class Cap:
    """A pool of a campaign beside the stock: units of a SKU that it sells, or orders it takes.

    It is kept in `shards` like a hot stock, in fewer where it has fewer units, and shard n begins
    with `shares[n]`. What it was raised by lies in shards behind the others, so that no share ever
    changes.
    """

    campaign_id: str
    of: str
    whole: int
    raises: tuple[int, ...] = ()
    shards: int = 1

    @property
    def id(self) -> str:
        return cap_id(self.of)

    @property
    def shares(self) -> list[int]:
        steps = (self.whole - sum(self.raises), *self.raises)
        return [share for step in steps for share in even(step, min(step, self.shards))]


def cap_id(of: str) -> str:
    """The id of a pool that is told from the stock of the same SKU."""
    return f"cap:{of}"
