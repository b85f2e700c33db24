"""A dispatch and its states (contract, section 4). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib.dispatch import deadlines
from chalicelib.dispatch.answers import Acceptance, Reason, Rejection, Said
from chalicelib.dispatch.deadlines import Clock
from chalicelib.dispatch.parcels import Parcel
from chalicelib.kernel import clock, ids
from chalicelib.ordering.lines import OrderLine
from chalicelib.ordering.rules import DispatchStatus, DispatchSummary, Order, ParcelSummary, ShipTo
from chalicelib.parties.terms import Terms
from chalicelib.parties.working_time import Calendar

FIRST_VERSION = 1
# Nothing of it has shipped, and it has not ended.
OPEN: frozenset[DispatchStatus] = frozenset({"created", "accepted"})
# Something of it may still have to be shipped.
SHIPPING: frozenset[DispatchStatus] = OPEN | {"shipped"}


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
    # What it owes by when, as its supplier's terms of this version say.
    clocks: tuple[Clock, ...] = ()
    terms_version: int = 0
    parcels: tuple[Parcel, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    acceptance: Acceptance | None = None

    @property
    def summary(self) -> DispatchSummary:
        parcels = tuple(
            ParcelSummary(each.id, each.carrier, each.tracking_number, each.status)
            for each in self.parcels
        )
        return DispatchSummary(
            self.id,
            self.supplier_id,
            self.status,
            self.carrier,
            self.tracking_number,
            parcels,
            clock.to_text(self.delivered_at) if self.delivered_at else None,
        )

    @property
    def reason_code(self) -> Reason | None:
        """Of the rejection that `reason` tells of."""
        return Said.of(self.reason).code if self.reason else None

    @property
    def waiting(self) -> dict[str, int]:
        """Units that are still to be shipped, by SKU."""
        if self.status not in SHIPPING:
            return {}
        waiting = {
            line.sku_id: line.quantity
            - sum(each.units.get(line.sku_id, 0) for each in self.parcels)
            for line in self.lines
        }
        return {sku_id: quantity for sku_id, quantity in waiting.items() if quantity}

    def expired(self, reason: str, now: datetime) -> "Dispatch":
        """The dispatch without what was waiting to be shipped; cancelled where that was all."""
        if kept := self._lines_without(self.waiting):
            return self.moved(self.status, now, lines=kept)
        return self.moved("cancelled", now, reason=reason)

    def _lines_without(self, units: Mapping[str, int]) -> tuple[DispatchLine, ...]:
        return tuple(
            replace(line, quantity=line.quantity - units.get(line.sku_id, 0))
            for line in self.lines
            if line.quantity > units.get(line.sku_id, 0)
        )

    @property
    def on_the_way(self) -> list[Parcel]:
        return [each for each in self.parcels if not each.delivered_at]

    @property
    def awaited(self) -> frozenset[str]:
        """The parcels on their way with units that are not refunded."""
        return frozenset(each.id for each in self.on_the_way if not each.is_refunded)

    def parcel(self, parcel_id: str) -> Parcel | None:
        return next((each for each in self.parcels if each.id == parcel_id), None)

    def without(
        self,
        rejected: Mapping[str, int],
        said: Said,
        now: datetime,
        *,
        named: Mapping[str, int] | None = None,
        by_acceptance: bool = False,
    ) -> "Dispatch":
        """The dispatch without these units, as its supplier said; where none are left it has been
        rejected. `named` are the units that the call named, if it did."""
        rejection = Rejection(
            said.code, said.note, clock.to_text(now), rejected, named, by_acceptance
        )
        kept = self._lines_without(rejected)
        after = replace(self, rejections=(*self.rejections, rejection), lines=kept or self.lines)
        return after if kept else replace(after, status="rejected", reason=said.text)

    def sent(self, parcel: Parcel, now: datetime) -> "Dispatch":
        """The dispatch with one more parcel on its way; what it shows as its own is the first's."""
        moved = self.moved("shipped", now, parcels=(*self.parcels, parcel))
        if self.parcels:
            return moved
        return replace(
            moved,
            shipped_at=now,
            carrier=parcel.carrier,
            tracking_number=parcel.tracking_number,
        )

    def with_parcels(self, changed: Sequence[Parcel]) -> "Dispatch":
        """The dispatch with these of its parcels as they are now. The first one is its own."""
        by_id = {each.id: each for each in changed}
        parcels = tuple(by_id.get(each.id, each) for each in self.parcels)
        first = parcels[0]
        return replace(
            self,
            parcels=parcels,
            carrier=first.carrier,
            tracking_number=first.tracking_number,
        )

    @property
    def next_clock(self) -> Clock | None:
        """The running clock whose half time or end comes first."""
        waiting = (each for each in self.running_clocks if each.next_at)
        return min(waiting, key=lambda each: each.next_at or "", default=None)

    @property
    def due_at(self) -> datetime | None:
        """When a sweep must look at it: at the half time or the end of a clock."""
        upcoming = self.next_clock
        return clock.from_text(upcoming.next_at) if upcoming and upcoming.next_at else None

    def due_clock(self, now: datetime) -> Clock | None:
        """The running clock that came to its half time or its end the longest ago, if one has."""
        return self.next_clock if self.due_at and self.due_at <= now else None

    @property
    def deliver_by(self) -> datetime | None:
        """When the next of its parcels must have arrived; None where none is awaited."""
        ends = (each.end for each in self.running_clocks if each.kind == "deliver")
        return min(ends, default=None)

    def is_due_by(self, instant: datetime) -> bool:
        """Whether it owes something by an instant, or owed it and has not done it."""
        return any(each.is_over_at(instant) for each in self.running_clocks)

    @property
    def running_clocks(self) -> tuple[Clock, ...]:
        return tuple(each for each in self.clocks if self._runs(each))

    def _runs(self, each: Clock) -> bool:
        if each.kind == "deliver":
            return each.parcel_id in self.awaited
        # Some of it may have shipped while the rest is still owed.
        return each.runs_while(self.status) or (each.kind == "ship" and bool(self.waiting))

    def with_clock(self, changed: Clock) -> "Dispatch":
        clocks = tuple(changed if each.name == changed.name else each for each in self.clocks)
        return replace(self, clocks=clocks)

    def delivering(self, parcel_id: str, begin: datetime, calendar: Calendar) -> "Dispatch":
        """The dispatch with the clock of a parcel begun; the first takes the place of that of
        none."""
        agreed = next((each for each in self.clocks if each.kind == "deliver"), None)
        if agreed is None:
            return self
        others = (each for each in self.clocks if each.kind != "deliver" or each.parcel_id)
        begun = agreed.of_parcel(parcel_id).begun(begin, calendar)
        return replace(self, clocks=(*others, begun))

    def moved(self, status: DispatchStatus, now: datetime, **changes: Any) -> "Dispatch":
        return replace(self, status=status, version=self.version + 1, updated_at=now, **changes)


def dispatch_id(order_id: str, supplier_id: str, *in_place: str) -> str:
    """A supplier has one dispatch of an order, and one for each SKU it ships in place of others."""
    return ids.derived("dsp", order_id, supplier_id, *in_place)


def dispatches_of(order: Order, now: datetime, terms: Mapping[str, Terms]) -> tuple[Dispatch, ...]:
    """One dispatch for each supplier that still has something to ship of the order.

    Its clocks run, by its supplier's `terms`, from its making, which the payment comes before and
    where the order's campaign has a target its meeting: no supplier could have known of it earlier.
    """
    by_supplier = {
        supplier_id: [line for line in order.lines_of(supplier_id) if line.units_left]
        for supplier_id in order.supplier_ids()
    }
    return tuple(
        _made(order, dispatch_id(order.id, supplier_id), lines, terms[supplier_id], now)
        for supplier_id, lines in by_supplier.items()
        if lines
    )


def dispatch_in_place(order: Order, line: OrderLine, terms: Terms, now: datetime) -> Dispatch:
    """The dispatch of a line that was put in place of another."""
    made = line.dispatch_id or dispatch_id(order.id, line.supplier_id, line.sku_id)
    return _made(order, made, [line], terms, now)


def _made(
    order: Order,
    made: str,
    lines: Sequence[OrderLine],
    terms: Terms,
    now: datetime,
) -> Dispatch:
    modes = dict.fromkeys(line.fulfilment_mode for line in lines)
    accept, ship, deliver = deadlines.clocks_of(terms, modes, now)
    return Dispatch(
        id=made,
        order_id=order.id,
        supplier_id=terms.supplier_id,
        leader_id=order.leader_id,
        currency=order.currency,
        status="created",
        version=FIRST_VERSION,
        lines=tuple(_line(line) for line in lines),
        ship_to=order.ship_to,
        accept_by=accept.end,
        ship_by=ship.end,
        created_at=now,
        updated_at=now,
        clocks=(accept, ship, deliver),
        terms_version=terms.version,
    )


def _line(line: OrderLine) -> DispatchLine:
    return DispatchLine(line.sku_id, line.supplier_sku, line.title, line.units_left, line.unit_cost)


def as_left_by(order: Order, dispatch: Dispatch, now: datetime, **changes: Any) -> Dispatch:
    """The dispatch as its order's lines make it: with what is left to ship, and at its end where
    nothing of it is left to ship or to deliver. Its version is raised."""
    lines = with_units(dispatch, order)
    if not lines and dispatch.status in OPEN:
        return dispatch.moved("cancelled", now, **changes)
    left = dispatch.moved(
        dispatch.status, now, lines=lines, parcels=_as_refunded(dispatch, order), **changes
    )
    return ended(order, left)


def _as_refunded(dispatch: Dispatch, order: Order) -> tuple[Parcel, ...]:
    """The parcels, those marked of which nothing is on its way that anybody has paid for."""
    awaited = {parcel_id for line in order.lines for parcel_id, _ in line.on_the_way}
    return tuple(
        each if each.delivered_at else replace(each, is_refunded=each.id not in awaited)
        for each in dispatch.parcels
    )


def ended(order: Order, dispatch: Dispatch) -> Dispatch:
    """The dispatch at its end, where it has shipped and no unit that is paid for is waiting or on
    its way: delivered if some parcel has arrived, else cancelled."""
    skus = {line.sku_id for line in dispatch.lines}
    undelivered = sum(line.undelivered for line in order.lines if line.sku_id in skus)
    if dispatch.status != "shipped" or undelivered:
        return dispatch
    arrived = [each.delivered_at for each in dispatch.parcels if each.delivered_at]
    if not arrived:
        return replace(dispatch, status="cancelled")
    return replace(dispatch, status="delivered", delivered_at=clock.from_text(max(arrived)))


def is_as_shown(dispatch: Dispatch, order: Order) -> bool:
    """Whether the order shows just this dispatch, and its lines wait for as many units."""
    skus = {line.sku_id for line in dispatch.lines}
    waiting = {sku_id: units for sku_id, units in order.waiting.items() if sku_id in skus}
    return dispatch.summary in order.dispatches and waiting == dispatch.waiting


def with_units(dispatch: Dispatch, order: Order) -> tuple[DispatchLine, ...]:
    """The dispatch's lines as the order's refunds leave them: what has shipped, and what waits."""
    units = {line.sku_id: line.shipped_quantity + line.waiting for line in order.lines}
    return tuple(
        replace(line, quantity=units[line.sku_id])
        for line in dispatch.lines
        if units.get(line.sku_id)
    )


def less(left: Mapping[str, int], units: Mapping[str, int]) -> dict[str, int]:
    """What is left of `left` without these units, by SKU."""
    rest = {sku_id: quantity - units.get(sku_id, 0) for sku_id, quantity in left.items()}
    return {sku_id: quantity for sku_id, quantity in rest.items() if quantity}


def units(lines: Sequence[DispatchLine]) -> dict[str, int]:
    return {line.sku_id: line.quantity for line in lines}
