"""A line of an order and what it comes to for each side (contract, section 6). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from chalicelib.kernel.money import part
from chalicelib.stock.rules import Part, Parts, parts_of, section


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

    # The shards of the stock that its units were taken from, as (shard, units) in their order;
    # nothing where all came from the first.
    taken: Sequence[Sequence[int]] = ()

    @property
    def whole(self) -> Shares:
        return Shares(self.net, self.shipping, self.cost, self.commission, self.spread, self.tax)

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


def limited_units(lines: Sequence[OrderLine]) -> dict[str, tuple[int, int]]:
    """Units and limit by SKU of the lines that a customer's limit counts."""
    return {line.sku_id: (line.quantity, line.limit) for line in lines if line.limit is not None}
