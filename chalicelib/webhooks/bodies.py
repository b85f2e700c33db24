"""What an event looks like from outside: one body for each owner that must hear of it."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from chalicelib.aftersales import store as aftersales
from chalicelib.cases import store as cases
from chalicelib.catalogue import store as catalogue
from chalicelib.dispatch import store as dispatches
from chalicelib.dispatch.deadlines import Clock
from chalicelib.dispatch.rules import FIRST_VERSION, Dispatch
from chalicelib.kernel import clock, events
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import ENDED_UNSHIPPED, Order
from chalicelib.payments import refund_store
from chalicelib.payments.rules import Refund
from chalicelib.payouts import store as payouts
from chalicelib.settlement import run_store
from chalicelib.webhooks import endpoint_store
from chalicelib.webhooks.rules import PLATFORM

E = TypeVar("E")


@dataclass(frozen=True)
class Told:
    """One thing to tell one owner; `identity` is the same however often the event comes."""

    owner: str
    event_type: str
    subject: str
    identity: str
    data: Mapping[str, Any]


def told_of(event_type: str, subject: str) -> list[Told]:
    """Who is told what of an event. The event names a subject; its state is read now."""
    return list(_TELL[event_type](subject))


def body(event_type: str, at: datetime, data: Mapping[str, Any]) -> str:
    """The JSON text that is signed and sent, byte for byte, at every attempt."""
    document = {"type": event_type, "timestamp": clock.to_text(at), "data": data}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def dispatch_created(dispatch: Dispatch) -> Told:
    """What its supplier hears first of a dispatch.

    However late it is told, and whatever has happened since: a receiver that compares versions
    must take it for the first.
    """
    return _of_dispatch("dispatch.created", replace(dispatch, version=FIRST_VERSION))


def _dispatches_created(order_id: str) -> Iterable[Told]:
    return map(dispatch_created, _dispatches(order_id))


def _dispatch_created(dispatch_id: str) -> Iterable[Told]:
    """Of one dispatch that was made in place of another's units."""
    return [dispatch_created(_found(dispatches.get_dispatch(dispatch_id), dispatch_id))]


def _dispatches_cancelled(order_id: str) -> Iterable[Told]:
    cancelled = (each for each in _dispatches(order_id) if each.status == "cancelled")
    return [_of_dispatch("dispatch.cancelled", each) for each in cancelled]


def _dispatch_updated(dispatch_id: str) -> Iterable[Told]:
    """There is less to ship, or a delivery is disputed, or a dispute decided. Each version is told
    once; of one that ended unshipped nothing is told here."""
    dispatch = _found(dispatches.get_dispatch(dispatch_id), dispatch_id)
    if dispatch.status in ENDED_UNSHIPPED:
        return []
    told = _of_dispatch("dispatch.updated", dispatch)
    return [
        replace(
            told,
            identity=f"{told.identity}:{dispatch.version}",
            data={**told.data, "disputes": _disputes(dispatch)},
        )
    ]


def _disputes(dispatch: Dispatch) -> list[dict[str, Any]]:
    """What people wrote is left out: it is read where it lies."""
    if not any(each.dispute_id for each in dispatch.parcels):
        return []
    return [
        {"dispute_id": each.id, "parcel_ids": list(each.parcel_ids), "status": each.status}
        for each in dispatches.disputes_of(dispatch.id)
    ]


def _dispatch_reminder(dispatch_id: str) -> Iterable[Told]:
    """Each clock tells once, while it runs: who has answered meanwhile needs no reminder."""
    dispatch = _found(dispatches.get_dispatch(dispatch_id), dispatch_id)
    reminded = (each for each in dispatch.running_clocks if each.is_in_its_second_half)
    return [_reminder(dispatch, each) for each in reminded]


def _reminder(dispatch: Dispatch, running: Clock) -> Told:
    told = _of_dispatch("dispatch.reminder", dispatch)
    shown = {
        "kind": running.kind,
        "parcel_id": running.parcel_id,
        "due_at": running.due_at,
        "on_missed": running.on_missed,
        "fine_amount": running.fine_amount,
    }
    return replace(
        told,
        identity=f"{told.identity}:{running.name}",
        data={**told.data, "clock": shown},
    )


def _order_paid(order_id: str) -> Iterable[Told]:
    return [_platform("order.paid", order_id, _of_order(_order(order_id)))]


def _order_refunded(refund_id: str) -> Iterable[Told]:
    refund = _found(refund_store.get_refund(refund_id), refund_id)
    return [_platform("order.refunded", refund_id, _of_refund(refund))]


def _refund_failed(refund_id: str) -> Iterable[Told]:
    """Each failed attempt is told once; of one that was followed by another nothing is told."""
    refund = _found(refund_store.get_refund(refund_id), refund_id)
    if refund.status != "failed":
        return []
    told = _platform("refund.failed", refund_id, _of_refund(refund))
    return [replace(told, identity=f"{told.identity}:{refund.attempt}")]


def _campaign_closed(campaign_id: str) -> Iterable[Told]:
    campaign = _found(catalogue.get_campaign(campaign_id), campaign_id)
    data = {
        "campaign_id": campaign.id,
        "title": campaign.title,
        "closes_at": clock.to_text(campaign.closes_at),
    }
    return [_platform("campaign.closed", campaign_id, data)]


def _campaign_ended(event_type: str) -> Callable[[str], Iterable[Told]]:
    """What a campaign came to: its target met or missed, or the whole of it cancelled."""

    def tell(campaign_id: str) -> Iterable[Told]:
        campaign = _found(catalogue.get_campaign(campaign_id), campaign_id)
        data = {
            "campaign_id": campaign.id,
            "title": campaign.title,
            "target": vars(campaign.target) if campaign.target else None,
        }
        return [_platform(event_type, campaign_id, data)]

    return tell


def _payout(event_type: str) -> Callable[[str], Iterable[Told]]:
    """A result of a supplier's payout; of one that has come back since only that is told."""

    def tell(payout_id: str) -> Iterable[Told]:
        payout = _found(payouts.get_payout(payout_id), payout_id)
        if event_type != f"payout.{payout.outcome}":
            return []
        data = {
            "payout_id": payout.id,
            "version": payout.version,
            "currency": payout.currency,
            "amount": payout.amount,
            "netted": payout.netted,
            "reference": payout.reference,
        }
        identity = f"{event_type}:{payout.id}"
        return [Told(payout.payee.id, event_type, payout.id, identity, data)]

    return tell


def _settlement_completed(run_id: str) -> Iterable[Told]:
    run = _found(run_store.get_run(run_id), run_id)
    data = {
        "run_id": run.id,
        "business_date": run.business_date,
        "leaders_settled": run.leaders_settled,
        "totals": [vars(total) for total in run.totals],
    }
    return [_platform("settlement.completed", run_id, data)]


def _endpoint_disabled(endpoint_id: str) -> Iterable[Told]:
    """Its owner hears of it at the other endpoints, and the platform of everybody's."""
    endpoint = endpoint_store.get_endpoint(endpoint_id)
    if endpoint is None or endpoint.is_active:
        return []
    data = {
        "endpoint_id": endpoint.id,
        "owner": endpoint.owner,
        "url": endpoint.url,
        "reason": endpoint.disabled_reason,
        "version": endpoint.version,
    }
    identity = f"endpoint.disabled:{endpoint.id}:{endpoint.version}"
    owners = dict.fromkeys([endpoint.owner, PLATFORM])
    return [Told(each, "endpoint.disabled", endpoint.id, identity, data) for each in owners]


def _after_sales_requested(request_id: str) -> Iterable[Told]:
    return [_platform("after_sales.requested", request_id, _of_after_sales(request_id))]


def _after_sales_decided(request_id: str) -> Iterable[Told]:
    return [_platform("after_sales.decided", request_id, _of_after_sales(request_id))]


def _case_opened(case_id: str) -> Iterable[Told]:
    case = _found(cases.get_case(case_id), case_id)
    data = {"case_id": case.id, "kind": case.kind, "subject": case.subject, "detail": case.detail}
    return [_platform("case.opened", case_id, data)]


_TELL: dict[str, Callable[[str], Iterable[Told]]] = {
    events.ORDER_PAID: _order_paid,
    events.ORDER_REFUNDED: _order_refunded,
    events.REFUND_FAILED: _refund_failed,
    events.DISPATCHES_CREATED: _dispatches_created,
    events.DISPATCH_CREATED: _dispatch_created,
    events.DISPATCH_CANCELLED: _dispatches_cancelled,
    events.DISPATCH_UPDATED: _dispatch_updated,
    events.DISPATCH_REMINDER: _dispatch_reminder,
    events.CAMPAIGN_CLOSED: _campaign_closed,
    events.CAMPAIGN_MET: _campaign_ended("campaign.met"),
    events.CAMPAIGN_MISSED: _campaign_ended("campaign.missed"),
    events.CAMPAIGN_CANCELLED: _campaign_ended("campaign.cancelled"),
    events.SETTLEMENT_COMPLETED: _settlement_completed,
    events.PAYOUT_PAID: _payout("payout.paid"),
    events.PAYOUT_RETURNED: _payout("payout.returned"),
    events.PAYOUT_FAILED: _payout("payout.failed"),
    events.ENDPOINT_DISABLED: _endpoint_disabled,
    events.AFTER_SALES_REQUESTED: _after_sales_requested,
    events.AFTER_SALES_DECIDED: _after_sales_decided,
    events.CASE_OPENED: _case_opened,
}


def _of_dispatch(event_type: str, dispatch: Dispatch) -> Told:
    data = {
        "dispatch_id": dispatch.id,
        "order_id": dispatch.order_id,
        "version": dispatch.version,
        "lines": [vars(line) for line in dispatch.lines],
        "ship_to": vars(dispatch.ship_to),
        "accept_by": clock.to_text(dispatch.accept_by),
        "ship_by": clock.to_text(dispatch.ship_by),
    }
    return Told(dispatch.supplier_id, event_type, dispatch.id, f"{event_type}:{dispatch.id}", data)


def _platform(event_type: str, subject: str, data: Mapping[str, Any]) -> Told:
    return Told(PLATFORM, event_type, subject, f"{event_type}:{subject}", data)


def _of_order(order: Order) -> dict[str, Any]:
    return {
        "order_id": order.id,
        "version": order.version,
        "status": order.status,
        "leader_id": order.leader_id,
        "campaign_id": order.campaign_id,
        "currency": order.currency,
        "total": order.total,
        "refunded_amount": order.refunded_amount,
    }


def _of_refund(refund: Refund) -> dict[str, Any]:
    return {
        "refund_id": refund.id,
        "order_id": refund.order_id,
        "status": refund.status,
        "amount": refund.amount,
        "currency": refund.currency,
        "reason": refund.reason,
    }


def _of_after_sales(request_id: str) -> dict[str, Any]:
    """What people wrote is left out: it is read where it lies."""
    request = _found(aftersales.get_request(request_id), request_id)
    return {
        "after_sales_id": request.id,
        "order_id": request.order_id,
        "version": request.version,
        "status": request.status,
        "lines": [
            {"sku_id": sku_id, "quantity": quantity} for sku_id, quantity in request.units.items()
        ],
        "refund_id": request.refund_id,
        "due_at": clock.to_text(request.due_at),
    }


def _dispatches(order_id: str) -> list[Dispatch]:
    return dispatches.get_dispatches(each.id for each in _order(order_id).dispatches)


def _order(order_id: str) -> Order:
    return _found(ordering.get_order(order_id), order_id)


def _found(entity: E | None, identifier: str) -> E:
    if entity is None:
        raise LookupError(f"{identifier} is not stored")
    return entity
