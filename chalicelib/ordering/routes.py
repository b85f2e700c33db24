"""`/v1/orders`, payment events, and what a community can buy."""

from collections.abc import Mapping
from typing import Any

from chalicelib.catalogue.rules import Campaign
from chalicelib.catalogue.schema import CampaignSummaryView
from chalicelib.ordering import (
    campaigns,
    charging,
    collecting,
    placing,
    reading,
    storefront,
)
from chalicelib.ordering.campaigns import CampaignOnItsWay
from chalicelib.ordering.placing import NewOrder, Wanted
from chalicelib.ordering.rules import Order, ShipTo
from chalicelib.ordering.schema import (
    CollectPayment,
    OrdersQuery,
    OrderView,
    PlaceOrder,
    ReceiptView,
)
from chalicelib.ordering.storefront import OpenCampaign
from chalicelib.ordering.storefront_schema import CampaignOnItsWayView, OpenCampaignView
from chalicelib.parties.authorizer import authorizer
from chalicelib.platform.endpoints import Also, Reply, Request, Unrecorded
from chalicelib.platform.http_in import Routes
from chalicelib.platform.pages import Page

routes = Routes(__name__, tag="Orders", authorizer=authorizer)


@routes.endpoint(
    "POST",
    "/v1/campaigns/{id}/cancel",
    summary="Cancel a campaign: every order of it is refunded whole",
    notes="Orders follow within minutes, each by itself: unpaid ones are cancelled, all others "
    "refunded, with a case for each of which something has shipped.",
    roles=("operator",),
    answer=CampaignSummaryView,
    key="optional",
    errors={"campaign_judged": 409},
)
def cancel_campaign(request: Request, id: str) -> Campaign:
    return campaigns.cancel(id, request.idempotency)


@routes.endpoint(
    "GET",
    "/v1/campaigns/{id}",
    summary="Read a campaign with its offers, and how far it is on the way to its target",
    roles=("operator",),
    answer=CampaignOnItsWayView,
)
def read_campaign(request: Request, id: str) -> CampaignOnItsWay:
    return campaigns.on_its_way(id)


def _as_placed(placed: Mapping[str, Any]) -> Mapping[str, Any]:
    order = reading.order_as_placed(placed["id"])
    payment = {**placed["payment"], "client_secret": charging.client_secret(order)}
    return {
        "lines": order.lines,
        "ship_to": order.ship_to,
        "note": order.note,
        "payment": payment,
    }


def _payable(order: Order) -> Order | OrderView:
    """The order as its customer is answered: with what it takes to pay it."""
    secret = charging.client_secret(order)
    if secret is None:
        return order
    shown = OrderView.model_validate(order)
    shown.payment.client_secret = secret
    return shown


@routes.endpoint(
    "POST",
    "/v1/orders",
    summary="Place an order; its stock is reserved until `expires_at`",
    notes="Where stock, a cap or a limit refuses it, `errors` names the line.",
    roles=("customer",),
    body=PlaceOrder,
    answer=OrderView,
    status=201,
    key="required",
    reads_key_itself=True,
    unrecorded=Unrecorded(("lines", "ship_to", "note"), _as_placed),
    errors={
        "out_of_stock": 409,
        "customer_limit_reached": 409,
        "campaign_not_open": 409,
        "no_commission_rule": 409,
        "currency_mismatch": 422,
        "method_not_taken": 422,
        "order_too_large": 422,
    },
)
def place_order(request: Request) -> Order | OrderView:
    sent: PlaceOrder = request.body
    new = NewOrder(
        customer_id=request.caller.id,
        campaign_id=sent.campaign_id,
        leader_id=sent.leader_id,
        lines=[Wanted(line.sku_id, line.quantity) for line in sent.lines],
        ship_to=ShipTo(**dict(sent.ship_to)),
        payment_method=sent.payment_method,
        note=sent.note,
    )
    return _payable(placing.place(new, request.required_idempotency))


@routes.endpoint(
    "GET",
    "/v1/orders",
    summary="List orders: a customer its own, a leader its community's, an operator all",
    roles=("customer", "leader", "operator"),
    query=OrdersQuery,
    answer=OrderView,
    is_list=True,
)
def list_orders(request: Request) -> Page[Order]:
    return reading.orders_for(request.caller, request.query.campaign_id, request.page)


@routes.endpoint(
    "GET",
    "/v1/orders/{id}",
    summary="Read an order",
    roles=("customer", "leader", "operator"),
    answer=OrderView,
)
def read_order(request: Request, id: str) -> Order | OrderView:
    order = reading.order_for(id, request.caller)
    return _payable(order) if request.caller.role == "customer" else order


@routes.endpoint(
    "POST",
    "/v1/orders/{id}/payments",
    summary="Book money that a leader collected",
    notes="For orders whose `payment_method` is `leader_collect`. `reference` is the leader's own "
    "word for the payment, such as the number of a receipt: the same again with the same amount "
    "answers 200 with the same receipt.",
    roles=("leader", "operator"),
    body=CollectPayment,
    answer=ReceiptView,
    status=201,
    key="optional",
    errors={
        "not_leader_collect": 409,
        "order_not_payable": 409,
        "credit_limit_reached": 409,
        "amount_mismatch": 422,
    },
    also=Also(statuses={200: "The receipt of that reference, which was booked before."}),
)
def collect_payment(request: Request, id: str) -> Reply:
    sent: CollectPayment = request.body
    collected = collecting.collect(
        id, sent.amount, sent.reference, request.caller, request.idempotency
    )
    return Reply(collected.receipt, status=201 if collected.is_new else 200)


@routes.endpoint(
    "GET",
    "/v1/leaders/{id}/campaigns",
    summary="What a community can buy now: offers, prices and what is left",
    notes="The leader itself and operators also see the `terms` of each offer.",
    roles=("operator", "leader", "customer", "supplier"),
    answer=OpenCampaignView,
    is_list=True,
)
def list_open_campaigns(request: Request, id: str) -> Page[OpenCampaign]:
    return storefront.open_campaigns(id, request.caller, request.page)
