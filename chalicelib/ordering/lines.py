"""A line of an order and what it comes to for each side (contract, section 6). Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

from chalicelib.kernel.money import BASIS_POINTS, allocate, part
from chalicelib.ordering.shares import Mark, Shares, or_none, read_mark, stored_mark
from chalicelib.parties.settlement_terms import PaidBy
from chalicelib.parties.terms import STANDARD
from chalicelib.plans.rules import OFFER, is_upline
from chalicelib.stock.rules import Part, Parts, kept, parts_of, section, without


class Due(NamedTuple):
    """What somebody beside the order's leader has of a line's commission: as its role, so much of
    what that rate brings."""

    role: str
    leader_id: str
    amount: int
    rate_bps: int
    share_bps: int


class Piece(NamedTuple):
    """Units of a line that are not refunded, with their shares: those of one delivered parcel, or
    all that are not delivered."""

    units: int
    shares: Shares


class Sent(NamedTuple):
    """Units of a line that are not refunded, in the parcel that they were sent with."""

    parcel_id: str
    units: int


class Substitute(NamedTuple):
    """A SKU in place of another, with its own cost and fulfilment mode, by what its supplier is
    paid, and where its units come from."""

    sku_id: str
    supplier_id: str
    supplier_sku: str | None
    title: str
    unit_cost: int
    parts: Parts
    dispatch_id: str
    fulfilment_mode: str
    paid_by: PaidBy = PaidBy()


@dataclass(frozen=True)
class OrderLine:
    """One SKU of an order, with every term frozen as it was when the order was placed.

    Its units are refunded before they ship, then on their way, then delivered; of parcels those
    of the last one first.
    """

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
    # Which of its supplier's clocks it is shipped by.
    fulfilment_mode: str = STANDARD
    # The shards of its offer's cap that it counts in, as (shard, units).
    cap_taken: Sequence[Sequence[int]] = ()
    refunded_quantity: int = 0
    # Units of a paid order that was cancelled whole: they go back on sale.
    restock_quantity: int = 0
    # Refunded units that are on sale again.
    restocked_quantity: int = 0
    # Where a refund by amount, or of one parcel, left the line: each piece that was left begins
    # at a mark, as its units and shares, and later refunds divide the pieces.
    marks: Sequence[Sequence[Any]] = ()
    # Units that have shipped, whether they were refunded since or not.
    shipped_quantity: int = 0
    # Units not refunded that are on their way, in order of shipping, and that have arrived, in
    # order of delivery; each as (parcel, units).
    on_the_way: Sequence[Sequence[Any]] = ()
    arrived: Sequence[Sequence[Any]] = ()
    # The shards of the stock that its units were taken from, as (shard, units) in their order;
    # nothing where all came from the first.
    taken: Sequence[Sequence[int]] = ()
    # The SKU that it was put in place of, when that could not be shipped; its dispatch; and what
    # the cost of those units would have been, which commission was counted on.
    substitutes: str | None = None
    dispatch_id: str | None = None
    agreed_cost: int | None = None
    # By what its supplier is paid, its cost or the revenue without a fee, as that version of its
    # settlement terms says.
    supplier_basis: str = "cost"
    fee_bps: int = 0
    supplier_terms: int = 0
    # By which rule of which plan it earns, and what of its `commission` others than the order's
    # leader have, as (role, leader, amount, rate, share); the leader has its share of the rate.
    # How much a leader earns under the rule on one day is bounded when a run takes that day.
    rule: str = OFFER
    plan_id: str = ""
    share_bps: int = BASIS_POINTS
    others: Sequence[Sequence[Any]] = ()
    line_cap: int | None = None
    order_cap: int | None = None
    day_cap: int | None = None
    line_floor: int | None = None
    # Whether a cap or floor, and not the rate, said what its commission comes to.
    is_limited: bool = False

    @property
    def whole(self) -> Shares:
        others = or_none(each.amount for each in self.due)
        return Shares(
            self.net,
            self.shipping,
            self.cost,
            self.commission - sum(others),
            self.spread,
            self.tax,
            others,
        )

    @property
    def total_bps(self) -> int:
        """The rate with the uplines' on top."""
        return self.rate_bps + sum(each.rate_bps for each in self.due if is_upline(each.role))

    @property
    def due(self) -> tuple[Due, ...]:
        """What others than the order's leader have of the whole of its commission."""
        return tuple(Due(*each) for each in self.others)

    @property
    def parts(self) -> Parts:
        """Where all its units were taken from."""
        return parts_of(self.taken, self.quantity)

    @property
    def cap_parts(self) -> Parts:
        """Where the line counts against its offer's cap; nowhere where there is none."""
        return tuple(Part(shard, units) for shard, units in self.cap_taken)

    @property
    def counts_as(self) -> str:
        """The SKU that was ordered, to which limits apply."""
        return self.substitutes or self.sku_id

    def goes_with(self, dispatch_id: str, supplier_id: str) -> bool:
        """Whether the line is part of that dispatch of that supplier."""
        if self.substitutes:
            return self.dispatch_id == dispatch_id
        return self.supplier_id == supplier_id

    @property
    def units_left(self) -> int:
        return self.quantity - self.refunded_quantity

    @property
    def waiting(self) -> int:
        """Units that are still to be shipped."""
        return self.undelivered - _units(self.on_the_way)

    @property
    def undelivered(self) -> int:
        """Units that are paid for, and have not been delivered or refunded."""
        return self.units_left - _units(self.arrived)

    def next_parts(self, units: int) -> Parts:
        """Where the next `units` to be shipped were taken from."""
        return section(self.parts, self.quantity - self.waiting, units)

    def shipped_parts(self, units: int) -> Parts:
        """Where some `units` that left the stock were taken from."""
        return section(self.parts, 0, units)

    @property
    def parts_to_restock(self) -> Parts:
        """Where the units that go back on sale were taken from: the last ones."""
        return section(self.parts, self.quantity - self.restock_quantity, self.restock_quantity)

    def worth(self, units: int) -> Shares:
        """The shares refunded once `units` units are, so that steps add up to the whole."""
        if not self.marks:
            return self.whole.portion(units, self.quantity) if units else Shares()
        marks = (*map(read_mark, self.marks), Mark(self.quantity, self.whole))
        before, after = next(pair for pair in pairwise(marks) if units <= pair[1].units)
        if units == before.units:
            return before.shares
        step = after.shares - before.shares
        return before.shares + step.portion(units - before.units, after.units - before.units)

    @property
    def refunded(self) -> Shares:
        return self.worth(self.refunded_quantity)

    @property
    def left(self) -> Shares:
        return self.whole - self.refunded

    @property
    def held(self) -> Shares:
        """What is paid and neither refunded nor delivered."""
        return self.worth(self.quantity - _units(self.arrived)) - self.refunded

    @property
    def posted(self) -> dict[str, Shares]:
        """What is delivered and not refunded, by parcel: of the last one what is refunded next."""
        found, at = {}, self.quantity
        for parcel_id, units in self.arrived:
            found[parcel_id] = self.worth(at) - self.worth(at - units)
            at -= units
        return found

    def units_in(self, parcel_id: str) -> int:
        """How many that are not refunded have arrived in a parcel."""
        return sum(units for each, units in self.arrived if each == parcel_id)

    @property
    def refunded_amount(self) -> int:
        return self.refunded.paid

    def after_shipping(self, parcel_id: str, units: int) -> "OrderLine":
        if not 0 < units <= self.waiting:
            raise ValueError(f"{units} of {self.waiting} units cannot be shipped")
        return replace(
            self,
            shipped_quantity=self.shipped_quantity + units,
            on_the_way=(*self.on_the_way, Sent(parcel_id, units)),
        )

    def after_delivery(self, parcel_id: str) -> "OrderLine":
        """The parcel has arrived with what was not refunded of it, which may be nothing."""
        here = tuple(each for each in self.on_the_way if each[0] == parcel_id)
        still = tuple(each for each in self.on_the_way if each[0] != parcel_id)
        return replace(self, on_the_way=still, arrived=(*self.arrived, *here))

    def after_refund(self, units: int) -> "OrderLine":
        if not 0 < units <= self.units_left:
            raise ValueError(f"{units} of {self.units_left} units cannot be refunded")
        shipped = max(0, units - self.waiting)
        delivered = max(0, units - self.undelivered)
        return replace(
            self,
            refunded_quantity=self.refunded_quantity + units,
            on_the_way=_without_last(self.on_the_way, shipped - delivered),
            arrived=_without_last(self.arrived, delivered),
        )

    def after_refund_of_amount(self, net: int, shipping: int) -> "OrderLine":
        """What is not delivered and each delivered parcel give in proportion to their nets, and
        of each piece the other shares fall with its net; units only where no money is left."""
        if not net + shipping:
            return self
        if net + shipping == self.left.paid:
            return self.after_refund(self.units_left)
        pieces = self._pieces()
        taken = zip(
            pieces,
            allocate(net, [piece.shares.net for piece in pieces]),
            allocate(shipping, [piece.shares.shipping for piece in pieces]),
            strict=True,
        )
        # A piece without a net has its shipping alone to give.
        return self.divided_into(
            Piece(
                units,
                shares - replace(shares.portion(less, shares.net or 1), shipping=freight),
            )
            for (units, shares), less, freight in taken
        )

    def after_refund_of_parcel(self, parcel_id: str) -> "OrderLine":
        """All that is left of one delivered parcel is refunded, and nothing of the others."""
        units = self.units_in(parcel_id)
        if not units:
            return self
        left = replace(self, arrived=tuple(each for each in self.arrived if each[0] != parcel_id))
        shares = self.posted
        others = [Piece(n, shares[each]) for each, n in reversed(left.arrived)]
        refunded = replace(left, refunded_quantity=self.refunded_quantity + units)
        return refunded.divided_into([Piece(self.undelivered, self.held), *others])

    def without_next(self, units: int) -> "OrderLine":
        """The line without the next units to be shipped, whose part of what is held goes with
        them; what it has refunded and delivered stays with it."""
        if not 0 < units <= self.waiting:
            raise ValueError(f"{units} of {self.waiting} units cannot be given away")
        gone = self.held.portion(units, self.undelivered)
        discount = part(self.discount, units, self.quantity)
        left = self.whole - gone
        rest = replace(
            self,
            quantity=self.quantity - units,
            amount=self.amount - gone.net - discount,
            discount=self.discount - discount,
            **self._amounts(left),
            taken=kept(without(self.parts, self.quantity - self.waiting, units)),
            agreed_cost=None
            if self.agreed_cost is None
            else self.agreed_cost - self._agreed_cost_of(units),
        )
        if not (self.refunded_quantity or self.arrived or self.marks):
            return rest
        _, *arrived = self._pieces()
        return rest.divided_into([Piece(self.undelivered - units, self.held - gone), *arrived])

    def in_place(self, rest: "OrderLine", sku: "Substitute") -> "OrderLine":
        """The line that takes over what `rest`, this line without some units, does not have: the
        price and the commission stay, and its supplier is paid by its own terms: the substitute's
        cost, or its share of what the units bring."""
        units, moved = self.quantity - rest.quantity, self.whole - rest.whole
        cost = sku.paid_by.cost_of(moved.net - moved.spread, sku.unit_cost * units)
        return replace(
            self,
            sku_id=sku.sku_id,
            supplier_id=sku.supplier_id,
            supplier_sku=sku.supplier_sku,
            title=sku.title,
            quantity=units,
            amount=self.amount - rest.amount,
            discount=self.discount - rest.discount,
            **self._amounts(replace(moved, cost=cost)),
            unit_cost=sku.paid_by.unit_cost_of(cost, units, sku.unit_cost),
            supplier_basis=sku.paid_by.basis,
            fee_bps=sku.paid_by.fee_bps,
            supplier_terms=sku.paid_by.version,
            fulfilment_mode=sku.fulfilment_mode,
            cap_taken=(),
            refunded_quantity=0,
            restock_quantity=0,
            restocked_quantity=0,
            marks=(),
            shipped_quantity=0,
            on_the_way=(),
            arrived=(),
            taken=kept(sku.parts),
            substitutes=self.counts_as,
            dispatch_id=sku.dispatch_id,
            agreed_cost=moved.cost if self.agreed_cost is None else self._agreed_cost_of(units),
        )

    def divided(self, shares: Shares) -> list[tuple[Due, int]]:
        """What others than the order's leader have of some units' shares."""
        return list(zip(self.due, shares.others or [0] * len(self.others), strict=True))

    def _amounts(self, shares: Shares) -> dict[str, Any]:
        """The fields of a line that comes to these shares."""
        return {
            **vars(shares),
            "commission": shares.commission + sum(shares.others),
            "others": tuple(due._replace(amount=part) for due, part in self.divided(shares)),
        }

    def _agreed_cost_of(self, units: int) -> int:
        return part(self.agreed_cost or 0, units, self.quantity)

    def _pieces(self) -> list[Piece]:
        """What is left, in the order in which units are refunded."""
        shares = self.posted
        arrived = [Piece(units, shares[each]) for each, units in reversed(self.arrived)]
        return [Piece(self.undelivered, self.held), *arrived]

    def divided_into(self, pieces: Iterable[Piece]) -> "OrderLine":
        """The line with these pieces left of it, in the order in which units are refunded."""
        left = [piece for piece in pieces if piece.units]
        at = Mark(
            self.quantity - sum(piece.units for piece in left),
            self.whole - sum((piece.shares for piece in left), Shares()),
        )
        marks = []
        for piece in left:
            marks.append(stored_mark(at))
            at = Mark(at.units + piece.units, at.shares + piece.shares)
        return replace(self, marks=tuple(marks or [stored_mark(at)]))


def limited_units(lines: Sequence[OrderLine]) -> dict[str, tuple[int, int]]:
    """Units and limit, by the SKU that was ordered, of the lines that a customer's limit counts."""
    found: dict[str, tuple[int, int]] = {}
    for line in lines:
        if line.limit is not None:
            before, _ = found.get(line.counts_as, (0, 0))
            found[line.counts_as] = (before + line.quantity, line.limit)
    return found


def _units(sent: Iterable[Sequence[Any]]) -> int:
    return sum(units for _, units in sent)


def _without_last(sent: Sequence[Sequence[Any]], units: int) -> tuple[Sent, ...]:
    """What is left of these parcels once `units` are taken, of the last one first."""
    left = []
    for parcel_id, n in reversed(sent):
        here = min(n, units)
        units -= here
        if n > here:
            left.append(Sent(parcel_id, n - here))
    return tuple(reversed(left))
