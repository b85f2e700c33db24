"""Asking for, answering and deciding after-sales requests, and the clock that escalates them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.aftersales import rules
from chalicelib.aftersales import store as aftersales
from chalicelib.aftersales.rules import AfterSales, AfterSalesStatus, Step
from chalicelib.cases import service as cases
from chalicelib.dispatch import refunding
from chalicelib.dispatch.refunding import Asked
from chalicelib.kernel import clock, events, ids
from chalicelib.kernel.callers import Caller, Role
from chalicelib.kernel.errors import NotFound
from chalicelib.kernel.events import Event
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order
from chalicelib.payments.rules import RefundCause
from chalicelib.platform.log import logger, metric
from chalicelib.platform.pages import Page, PageRequest, matching
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.settings import settings
from chalicelib.platform.sweeping import sweep_each
from chalicelib.platform.transaction import Recorder, Transaction

REQUESTS_A_SWEEP = 500


@dataclass(frozen=True)
class Wanted:
    """What a customer asks for: units by SKU, and why."""

    units: Mapping[str, int]
    reason: str
    photos: tuple[str, ...]


@retry_stale
def ask(order_id: str, wanted: Wanted, caller: Caller, recorder: Recorder | None) -> AfterSales:
    """Raises NotFound for another's order, Conflict outside of its return window, Invalid where
    units have not shipped, are not left or are asked for already."""
    order = ordering.get_order(order_id)
    if order is None or order.customer_id != caller.id:
        raise NotFound("There is no such order.")
    now = clock.now()
    rules.check_takes_requests(order, now)
    others = aftersales.open_of(order.id)
    lines = rules.lines_of(order, wanted.units, aftersales.get_requests(others.ids))
    request = AfterSales(
        id=ids.new("aft"),
        order_id=order.id,
        customer_id=order.customer_id,
        leader_id=order.leader_id,
        status="requested",
        lines=lines,
        reason=wanted.reason,
        photos=wanted.photos,
        steps=(Step(clock.to_text(now), "customer", "requested"),),
        refund_id=None,
        due_at=now + settings().after_sales,
        created_at=now,
        version=1,
    )
    transaction = Transaction(recorder)
    transaction.add(
        *aftersales.add_request(request),
        aftersales.replace_open(others.plus(request.id)),
        ordering.unchanged(order),
    )
    transaction.publish(Event(events.AFTER_SALES_REQUESTED, request.id))
    transaction.commit(request)
    metric("AfterSalesRequested")
    return request


@retry_stale
def respond(
    request_id: str, accept: bool, note: str, caller: Caller, recorder: Recorder | None
) -> AfterSales:
    """The leader, or a supplier of the lines, says what it thinks of it: nothing is decided."""
    request = request_for(request_id, caller)
    if rules.repeats_response(request, caller, accept, note):
        return request
    responded = request.responded(caller, accept, note, clock.now())
    transaction = Transaction(recorder)
    transaction.add(aftersales.replace_request(responded))
    transaction.commit(responded)
    return responded


@retry_stale
def decide(
    request_id: str,
    refund: bool,
    note: str,
    caller: Caller,
    recorder: Recorder | None,
    cause: RefundCause = "after_sales",
) -> AfterSales:
    """Refund the units with the decision, or decline them. Raises Conflict where it was decided
    otherwise, or where some of the units have been refunded meanwhile."""
    request = request_for(request_id, caller)
    if rules.repeats_decision(request, refund, note):
        return request
    now, transaction = clock.now(), Transaction(recorder)
    if refund:
        refund_id = _refund_in(transaction, request, cause, now)
        decided = request.refunded(refund_id, note, now)
    else:
        decided = request.declined(note, now)
    others = aftersales.open_of(request.order_id)
    transaction.add(
        aftersales.replace_request(decided), aftersales.replace_open(others.without(request.id))
    )
    transaction.publish(Event(events.AFTER_SALES_DECIDED, request.id))
    refunding.check_fits(transaction, "refund")
    transaction.commit(decided)
    return decided


def request_for(request_id: str, caller: Caller) -> AfterSales:
    """The request, whole, for its parties and operators. Raises NotFound for anyone else."""
    request = aftersales.get_request(request_id)
    if request is None or not request.is_for(caller):
        raise NotFound("There is no such after-sales request.")
    logger.bind(order_id=request.order_id)
    return request


def requests_for(
    caller: Caller, status: AfterSalesStatus | None, page: PageRequest
) -> Page[AfterSales]:
    """The requests that the caller is a party to, or for an operator all; those of one status."""

    def read(some: PageRequest) -> Page[AfterSales]:
        if caller.is_operator:
            return aftersales.all_requests(some)
        return _LISTS[caller.role](caller.id, some)

    if status is None:
        return read(page)
    return matching(read, lambda each: each.status == status, lambda each: each.id, page)


def sweep(now: datetime) -> int:
    """Call a person for requests that nobody has decided in time. Returns how many there were."""
    due = aftersales.due_before(now, REQUESTS_A_SWEEP)
    return sweep_each(due, lambda request_id: _escalate(request_id, now))


def _escalate(request_id: str, now: datetime) -> None:
    request = aftersales.get_request(request_id)
    if request is None or request.escalates_at is None or request.escalates_at > now:
        return
    transaction = Transaction()
    transaction.add(aftersales.replace_request(request.escalated(now)))
    detail = (
        f"Nobody has decided after-sales request {request.id} of order {request.order_id} "
        f"by {clock.to_text(request.due_at)}."
    )
    cases.open_in(transaction, "after_sales_overdue", request.id, detail)
    transaction.commit()


def _refund_in(
    transaction: Transaction, request: AfterSales, cause: RefundCause, now: datetime
) -> str:
    order = _order_of(request)
    rules.check_still_left(order, request)
    reason = f"after-sales {request.id}"
    asked = Asked(request.units, cause=cause)
    return refunding.refund_in(transaction, order, asked, reason, now).id


def _order_of(request: AfterSales) -> Order:
    order = ordering.get_order(request.order_id)
    if order is None:
        raise LookupError(f"order {request.order_id} of {request.id} is not stored")
    return order


_LISTS: dict[Role, Callable[[str, PageRequest], Page[AfterSales]]] = {
    "customer": aftersales.of_customer,
    "leader": aftersales.of_leader,
    "supplier": aftersales.of_supplier,
}
