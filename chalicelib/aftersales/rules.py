"""An after-sales request, its steps and its states. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from chalicelib.dispatch.moves import check_in_order, check_units
from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller, Role
from chalicelib.kernel.errors import Conflict, FieldError, Invalid
from chalicelib.ordering.rules import Order

AfterSalesStatus = Literal["requested", "responded", "refunded", "declined"]
Action = Literal["requested", "responded", "escalated", "refunded", "declined"]
Actor = Literal[Role, "platform"]

OPEN: frozenset[AfterSalesStatus] = frozenset({"requested", "responded"})


@dataclass(frozen=True)
class AfterSalesLine:
    """Units of one of the order's SKUs that the customer wants its money back for."""

    sku_id: str
    supplier_id: str
    title: str
    quantity: int


@dataclass(frozen=True)
class Step:
    """Something that was done, by whom. `at` is an RFC 3339 text.

    `party_id` tells suppliers from each other; `accept` is what a response said.
    """

    at: str
    by: Actor
    action: Action
    note: str | None = None
    accept: bool | None = None
    party_id: str | None = None


@dataclass(frozen=True)
class AfterSales:
    """`version` is the number of its steps; `due_at` is when it has to be decided."""

    id: str
    order_id: str
    customer_id: str
    leader_id: str
    status: AfterSalesStatus
    lines: tuple[AfterSalesLine, ...]
    reason: str
    photos: tuple[str, ...]
    steps: tuple[Step, ...]
    refund_id: str | None
    due_at: datetime
    created_at: datetime
    version: int

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def escalates_at(self) -> datetime | None:
        """When a person must be called, if nobody decides before."""
        called = any(step.action == "escalated" for step in self.steps)
        return self.due_at if self.is_open and not called else None

    @property
    def units(self) -> dict[str, int]:
        return {line.sku_id: line.quantity for line in self.lines}

    @property
    def supplier_ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(line.supplier_id for line in self.lines))

    def is_for(self, caller: Caller) -> bool:
        """Whether the caller is a party to it, or an operator."""
        parties = {("customer", self.customer_id), ("leader", self.leader_id)}
        parties |= {("supplier", supplier_id) for supplier_id in self.supplier_ids}
        return caller.is_operator or (caller.role, caller.id) in parties

    def shown_to(self, caller: Caller) -> "AfterSales":
        """A supplier sees its own lines, and no other supplier's steps."""
        if caller.role != "supplier":
            return self
        lines = tuple(line for line in self.lines if line.supplier_id == caller.id)
        return replace(self, lines=lines, steps=steps_for([caller.id], self.steps))

    def responded(self, caller: Caller, accept: bool, note: str, now: datetime) -> "AfterSales":
        step = Step(clock.to_text(now), caller.role, "responded", note, accept, caller.id)
        return self._after("responded", step)

    def escalated(self, now: datetime) -> "AfterSales":
        return self._after(self.status, Step(clock.to_text(now), "platform", "escalated"))

    def refunded(self, refund_id: str, note: str, now: datetime) -> "AfterSales":
        step = Step(clock.to_text(now), "operator", "refunded", note)
        return replace(self._after("refunded", step), refund_id=refund_id)

    def declined(self, note: str, now: datetime) -> "AfterSales":
        return self._after("declined", Step(clock.to_text(now), "operator", "declined", note))

    def _after(self, status: AfterSalesStatus, step: Step) -> "AfterSales":
        return replace(self, status=status, steps=(*self.steps, step), version=self.version + 1)


@dataclass(frozen=True)
class OpenRequests:
    """The requests of one order that nobody has decided yet."""

    order_id: str
    ids: tuple[str, ...] = ()
    version: int = 0

    def plus(self, request_id: str) -> "OpenRequests":
        return OpenRequests(self.order_id, (*self.ids, request_id), self.version + 1)

    def without(self, request_id: str) -> "OpenRequests":
        ids = tuple(each for each in self.ids if each != request_id)
        return OpenRequests(self.order_id, ids, self.version + 1)


def steps_for(supplier_ids: Iterable[str], steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps without those of other suppliers."""
    shown = set(supplier_ids)
    return tuple(step for step in steps if step.by != "supplier" or step.party_id in shown)


def check_takes_requests(order: Order, now: datetime) -> None:
    """Raise Conflict unless the order has shipped and its return window is not over."""
    if order.status not in ("shipped", "delivered"):
        raise Conflict(
            f"The order is {order.status}; after-sales are asked for between shipping and the "
            "end of the return window.",
            code="after_sales_not_open",
        )
    if order.completes_at and now >= order.completes_at:
        raise Conflict(
            f"The return window was over at {clock.to_text(order.completes_at)}.",
            code="after_sales_not_open",
        )


def lines_of(
    order: Order, units: Mapping[str, int], others: Iterable[AfterSales]
) -> tuple[AfterSalesLine, ...]:
    """The lines of a request. `others` are the order's open ones: no unit is asked for twice.

    Raises Invalid where they were not ordered, have not shipped or are not left.
    """
    check_in_order(order, units)
    _check_shipped(order, units)
    left = order.everything_left()
    for other in others:
        for sku_id, quantity in other.units.items():
            left[sku_id] = max(0, left.get(sku_id, 0) - quantity)
    check_units(left, units)
    return tuple(
        AfterSalesLine(line.sku_id, line.supplier_id, line.title, units[line.sku_id])
        for line in order.lines
        if line.sku_id in units
    )


def _check_shipped(order: Order, units: Mapping[str, int]) -> None:
    shipped = {line.sku_id: line.units_left - line.waiting for line in order.lines if line.waiting}
    wrong = tuple(
        FieldError(
            f"lines.{n}.sku_id",
            f"has not been shipped yet but for {shipped[sku_id]}; until then an operator can "
            "refund it"
            if shipped[sku_id]
            else "has not been shipped yet; until then an operator can refund it",
        )
        for n, (sku_id, quantity) in enumerate(units.items())
        if quantity > shipped.get(sku_id, quantity)
    )
    if wrong:
        raise Invalid("Only what has shipped is asked for.", code="not_shipped", errors=wrong)


def repeats_response(request: AfterSales, caller: Caller, accept: bool, note: str) -> bool:
    """Whether the caller says again what it has said. Raises Conflict where it may say no more."""
    for step in request.steps:
        if step.action == "responded" and (step.by, step.party_id) == (caller.role, caller.id):
            if (step.accept, step.note) == (accept, note):
                return True
            raise Conflict("You have responded before, in other words.", code="already_responded")
    _check_open(request)
    return False


def repeats_decision(request: AfterSales, refund: bool, note: str) -> bool:
    """Whether it was decided just so. Raises Conflict where it was decided otherwise."""
    if request.status == ("refunded" if refund else "declined") and request.steps[-1].note == note:
        return True
    _check_open(request)
    return False


def _check_open(request: AfterSales) -> None:
    if not request.is_open:
        raise Conflict(f"The request was {request.status} before.", code="already_decided")


def check_still_left(order: Order, request: AfterSales) -> None:
    """Raise Conflict where an operator has refunded some of the units meanwhile."""
    left = order.everything_left()
    if any(quantity > left.get(sku_id, 0) for sku_id, quantity in request.units.items()):
        raise Conflict(
            "Of these units some were refunded meanwhile; decline the request, and refund what "
            "is left by the order's own refunds.",
            code="units_already_refunded",
        )
