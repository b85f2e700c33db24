"""Entities made for tests of pure rules: plausible, and changed by what a test says."""

from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.aftersales.rules import AfterSales, AfterSalesLine, Step
from chalicelib.catalogue.rules import Offer
from chalicelib.dispatch.rules import Dispatch, DispatchLine
from chalicelib.kernel import clock
from chalicelib.ordering import pricing
from chalicelib.ordering.lines import OrderLine
from chalicelib.ordering.pricing import Basket
from chalicelib.ordering.rules import DispatchStatus, DispatchSummary, Order, ShipTo

NOW = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
HOME = ShipTo("Alice Doe", "+49 30 1", "2 Side St", None, "Berlin", None, "10117", "DE")


def an_offer(**changes: Any) -> Offer:
    usual: dict[str, Any] = {
        "campaign_id": "cmp_1",
        "sku_id": "sku_1",
        "product_id": "prd_1",
        "supplier_id": "sup_1",
        "supplier_sku": "BX-1",
        "title": "Eggs, Box",
        "price": 1000,
        "unit_cost": 700,
        "basis": "sales",
        "rate_bps": 1000,
        "limit_per_customer": None,
    }
    return Offer(**{**usual, **changes})


def a_basket(offer: Offer, quantity: int, leader_price: int | None = None) -> Basket:
    """Units of an offer outside its schedule."""
    return Basket(offer, quantity, offer.terms.price_of(quantity, leader_price=leader_price))


def a_line(quantity: int = 1, *, leader_price: int | None = None, **changes: Any) -> OrderLine:
    basket = a_basket(an_offer(**changes), quantity, leader_price)
    return pricing.price([basket], plan_version=1)[0]


def an_order(lines: tuple[OrderLine, ...] | None = None, **changes: Any) -> Order:
    """A paid order of these lines, without dispatches."""
    bought = lines or (a_line(),)
    usual: dict[str, Any] = {
        "id": "ord_1",
        "status": "paid",
        "version": 2,
        "customer_id": "cus_1",
        "leader_id": "ldr_1",
        "campaign_id": "cmp_1",
        "currency": "EUR",
        "lines": bought,
        "subtotal": sum(line.amount for line in bought),
        "discount": sum(line.discount for line in bought),
        "shipping": sum(line.shipping for line in bought),
        "tax": 0,
        "total": sum(line.net + line.shipping for line in bought),
        "payment_method": "card",
        "receipt": "ch_1",
        "cash_account": "cash:local",
        "ship_to": HOME,
        "note": None,
        "dispatches": (),
        "expires_at": NOW + timedelta(minutes=15),
        "created_at": NOW,
        "paid_at": NOW,
    }
    return Order(**{**usual, **changes})


def summaries(*statuses: DispatchStatus) -> tuple[DispatchSummary, ...]:
    """What an order shows of dispatches in these states, each of a supplier of its own."""
    return tuple(DispatchSummary(f"dsp_{n}", f"sup_{n}", each) for n, each in enumerate(statuses))


def a_dispatch(status: DispatchStatus = "created", **changes: Any) -> Dispatch:
    usual: dict[str, Any] = {
        "id": "dsp_1",
        "order_id": "ord_1",
        "supplier_id": "sup_1",
        "leader_id": "ldr_1",
        "currency": "EUR",
        "status": status,
        "version": 1,
        "lines": (DispatchLine("sku_1", "BX-1", "Eggs, Box", 2, 700),),
        "ship_to": HOME,
        "accept_by": NOW + timedelta(hours=12),
        "ship_by": NOW + timedelta(hours=24),
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Dispatch(**{**usual, **changes})


def an_after_sales(**changes: Any) -> AfterSales:
    """A request for one unit that nobody has answered yet."""
    usual: dict[str, Any] = {
        "id": "aft_1",
        "order_id": "ord_1",
        "customer_id": "cus_1",
        "leader_id": "ldr_1",
        "status": "requested",
        "lines": (AfterSalesLine("sku_1", "sup_1", "Eggs, Box", 1),),
        "reason": "broken",
        "photos": (),
        "steps": (Step(clock.to_text(NOW), "customer", "requested"),),
        "refund_id": None,
        "due_at": NOW + timedelta(hours=48),
        "created_at": NOW,
        "version": 1,
    }
    return AfterSales(**{**usual, **changes})
