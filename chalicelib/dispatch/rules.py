"""A dispatch and its states (contract, section 4). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.kernel import ids
from chalicelib.kernel.errors import Conflict, FieldError, Invalid
from chalicelib.ordering.rules import DispatchStatus, DispatchSummary, Order, OrderLine, ShipTo

ACCEPT_WITHIN = timedelta(hours=12)
SHIP_WITHIN = timedelta(hours=24)
FIRST_VERSION = 1
# Who is not an operator may say at most this long afterwards when a delivery was.
DELIVERY_TOLD_WITHIN = timedelta(hours=24)

# Nothing of it has shipped, and it has not ended.
OPEN: frozenset[DispatchStatus] = frozenset({"created", "accepted"})
MOVES: Mapping[DispatchStatus, frozenset[DispatchStatus]] = {
    "created": frozenset({"accepted", "rejected", "cancelled"}),
    "accepted": frozenset({"shipped", "rejected", "cancelled"}),
    "shipped": frozenset({"delivered"}),
    "delivered": frozenset(),
    "rejected": frozenset(),
    "cancelled": frozenset(),
}


@dataclass(frozen=True)
class DispatchLine:
    """What the supplier must ship of one SKU, at the cost agreed when the order was placed."""

    sku_id: str
    supplier_sku: str | None
    title: str
    quantity: int
    unit_cost: int


@dataclass(frozen=True)
class Dispatch:
    id: str
    order_id: str
    supplier_id: str
    leader_id: str
    currency: str
    status: DispatchStatus
    version: int
    lines: tuple[DispatchLine, ...]
    ship_to: ShipTo
    accept_by: datetime
    ship_by: datetime
    created_at: datetime
    updated_at: datetime
    carrier: str | None = None
    tracking_number: str | None = None
    reason: str | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    # What the call that delivered it said, for telling a repeat from a contradiction.
    delivered_at_given: datetime | None = None
    # The day of the leader's earnings that its commission was put under.
    earned_on: str | None = None

    @property
    def summary(self) -> DispatchSummary:
        return DispatchSummary(
            self.id, self.supplier_id, self.status, self.carrier, self.tracking_number
        )

    def moved(self, status: DispatchStatus, now: datetime, **changes: Any) -> "Dispatch":
        return replace(self, status=status, version=self.version + 1, updated_at=now, **changes)


def dispatch_id(order_id: str, supplier_id: str) -> str:
    return ids.derived("dsp", order_id, supplier_id)


def dispatches_of(
    order: Order, now: datetime, judged_at: datetime | None = None
) -> tuple[Dispatch, ...]:
    """One dispatch for each supplier that still has something to ship of the order.

    Its clocks run from the payment, or from when the order's campaign met its target.
    """
    begin = max(order.paid_at or now, judged_at or order.paid_at or now)
    by_supplier = {
        supplier_id: _open_lines(order, supplier_id) for supplier_id in order.supplier_ids()
    }
    return tuple(
        Dispatch(
            id=dispatch_id(order.id, supplier_id),
            order_id=order.id,
            supplier_id=supplier_id,
            leader_id=order.leader_id,
            currency=order.currency,
            status="created",
            version=FIRST_VERSION,
            lines=lines,
            ship_to=order.ship_to,
            accept_by=begin + ACCEPT_WITHIN,
            ship_by=begin + SHIP_WITHIN,
            created_at=now,
            updated_at=now,
        )
        for supplier_id, lines in by_supplier.items()
        if lines
    )


def _open_lines(order: Order, supplier_id: str) -> tuple[DispatchLine, ...]:
    return tuple(_line(line) for line in order.lines_of(supplier_id) if line.units_left)


def _line(line: OrderLine) -> DispatchLine:
    return DispatchLine(line.sku_id, line.supplier_sku, line.title, line.units_left, line.unit_cost)


def repeats(dispatch: Dispatch, to: DispatchStatus, said: Mapping[str, Any]) -> bool:
    """Whether the call says again what has been done.

    `said` are the dispatch's fields that the call sets. Raises Conflict `already_<state>` where the
    state is reached but was said otherwise, and `invalid_transition` where it cannot be reached.
    """
    if dispatch.status == to:
        if all(getattr(dispatch, name) == value for name, value in said.items()):
            return True
        differs = ", ".join(name.removesuffix("_given") for name in said)
        raise Conflict(
            f"The dispatch was {to} before, with another {differs}.", code=f"already_{to}"
        )
    if to not in MOVES[dispatch.status]:
        raise Conflict(
            f"A dispatch that is {dispatch.status} cannot become {to}; {_next(dispatch.status)}.",
            code="invalid_transition",
        )
    return False


def _next(status: DispatchStatus) -> str:
    reached = sorted(MOVES[status])
    return f"from there it can be {' or '.join(reached)}" if reached else "that is its end"


def check_delivered_at(
    dispatch: Dispatch, given: datetime, now: datetime, *, by_operator: bool
) -> None:
    """Raise Invalid unless the instant lies between shipping and now, and is recent enough."""
    if given > now:
        raise Invalid.field("delivered_at", "lies in the future")
    if dispatch.shipped_at and given < dispatch.shipped_at:
        raise Invalid.field("delivered_at", "lies before the shipping")
    if not by_operator and given < now - DELIVERY_TOLD_WITHIN:
        raise Invalid.field(
            "delivered_at", "is more than 24 hours ago; only an operator may say so"
        )


def with_units(dispatch: Dispatch, order: Order) -> tuple[DispatchLine, ...]:
    """The dispatch's lines as the order's refunds leave them."""
    left = order.everything_left()
    return tuple(
        replace(line, quantity=left[line.sku_id]) for line in dispatch.lines if line.sku_id in left
    )


def check_in_order(order: Order, units: Mapping[str, int]) -> None:
    """Raise Invalid, naming each line of the request whose SKU was not ordered."""
    ordered = {line.sku_id for line in order.lines}
    strange = tuple(
        FieldError(f"lines.{n}.sku_id", "is not in this order")
        for n, sku_id in enumerate(units)
        if sku_id not in ordered
    )
    if strange:
        raise Invalid("Some SKUs are not in this order.", errors=strange)


def check_units(left: Mapping[str, int], units: Mapping[str, int]) -> None:
    """Raise Invalid, naming each line of the request that asks for more units than are left."""
    wrong = tuple(
        FieldError(
            f"lines.{n}.quantity", f"is more than the {left.get(sku_id, 0)} units left to refund"
        )
        for n, (sku_id, quantity) in enumerate(units.items())
        if quantity > left.get(sku_id, 0)
    )
    if wrong:
        raise Invalid(
            "More is asked for than is left to refund.", code="more_than_is_left", errors=wrong
        )


def units(lines: Sequence[DispatchLine]) -> dict[str, int]:
    return {line.sku_id: line.quantity for line in lines}
