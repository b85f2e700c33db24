"""Requests and answers about orders."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from chalicelib.catalogue.pricing import PriceReason
from chalicelib.catalogue.schema import CampaignView, CommissionView, PriceStepView, TargetView
from chalicelib.ordering.rules import DispatchStatus, OrderStatus, ParcelStatus, PaymentStatus
from chalicelib.ordering.storefront import OpenStatus, UnavailableReason
from chalicelib.parties.schema import PickupPointView
from chalicelib.payments.rules import PaymentMethod
from chalicelib.platform.schema import (
    Country,
    Identifier,
    Instant,
    LongText,
    PageQuery,
    Phone,
    PositiveAmount,
    Quantity,
    Reference,
    RequestModel,
    ShortText,
    Text,
    View,
)

MAX_LINES = 50


class LineIn(RequestModel):
    sku_id: Identifier
    quantity: Quantity


def _each_sku_once(lines: list[LineIn]) -> list[LineIn]:
    if len({line.sku_id for line in lines}) < len(lines):
        raise ValueError("must not name one SKU twice; add the quantities up")
    return lines


_EachSkuOnce = AfterValidator(_each_sku_once)
Lines = Annotated[list[LineIn], Field(min_length=1, max_length=MAX_LINES), _EachSkuOnce]


def units_of(lines: Sequence[LineIn] | None) -> dict[str, int] | None:
    """The units by SKU; None where no lines are named."""
    return {line.sku_id: line.quantity for line in lines} if lines else None


class ShipToIn(RequestModel):
    name: ShortText
    phone: Phone
    line1: ShortText
    line2: ShortText | None = None
    city: ShortText
    region: ShortText | None = None
    postal_code: ShortText
    country: Country


class PlaceOrder(RequestModel):
    campaign_id: Identifier
    leader_id: Identifier
    lines: Lines
    ship_to: ShipToIn
    payment_method: PaymentMethod = Field(
        description="`card` is a card or a wallet, which the customer chooses at the provider; "
        "`leader_collect` is cash to the leader."
    )
    note: LongText | None = None


class OrdersQuery(PageQuery):
    campaign_id: Identifier | None = Field(default=None, description="Only those of it.")


class CancelOrder(RequestModel):
    reason: Text | None = None


class CollectPayment(RequestModel):
    amount: PositiveAmount
    reference: Reference


class OrderLineView(View):
    sku_id: str
    supplier_id: str
    title: str
    substitutes: str | None = Field(
        description="The SKU that was ordered, where another supplier ships this one in its place "
        "at the same price. The line of that SKU has as many units less."
    )
    quantity: int
    refunded_quantity: int
    refunded_amount: int = Field(description="With its share of the shipping.")
    unit_price: int = Field(description="What one unit alone cost; `amount` is what counts.")
    price_reason: list[PriceReason] = Field(
        description="What changed the offer's price; empty where nothing did."
    )
    amount: int
    discount: int
    tax: int
    net: int


class PaymentView(View):
    id: str
    method: PaymentMethod
    status: PaymentStatus
    amount: int
    client_secret: str | None = Field(
        default=None,
        description="With which a provider's code on the customer's device pays. Only its customer "
        "sees it, on placing or reading a `pending_payment` order, and not in lists. Null where "
        "the provider has none, or gives none now: read the order again.",
    )


class ReceiptView(View):
    """What a leader has collected for an order."""

    payment_id: str
    order_id: str
    amount: int
    currency: str
    received_at: Instant


class ParcelSummaryView(View):
    id: str
    carrier: str
    tracking_number: str
    status: ParcelStatus


class DispatchSummaryView(View):
    id: str
    supplier_id: str
    status: DispatchStatus
    carrier: str | None = Field(description="Of the first parcel.")
    tracking_number: str | None = Field(description="Of the first parcel.")
    parcels: list[ParcelSummaryView]


class ShipToView(View):
    name: str
    phone: str
    line1: str
    line2: str | None
    city: str
    region: str | None
    postal_code: str
    country: str


class OrderView(View):
    id: str
    status: OrderStatus
    version: int
    customer_id: str
    leader_id: str
    campaign_id: str
    currency: str
    lines: list[OrderLineView]
    subtotal: int
    discount: int
    shipping: int
    tax: int
    total: int
    refunded_amount: int
    payment: PaymentView
    dispatches: list[DispatchSummaryView]
    ship_to: ShipToView
    note: str | None
    expires_at: Instant
    completes_at: Instant | None = Field(
        description="When the return window of a delivered order is over."
    )
    refunds: list[str] = Field(
        description="Ids of its refunds; a leader confirms those of cash that it hands back."
    )
    cancel_reason: str | None
    depends_on_target: bool = Field(
        description="Whether it is shipped only if its campaign meets its target, and goes back if "
        "that is missed."
    )
    created_at: Instant


class ProgressView(View):
    """What is paid and not refunded, as the target will be judged by it."""

    buyers: int
    units: int
    orders: int
    waiting_for_payment: int = Field(
        description="Orders that may still be paid; the campaign is judged once there are none."
    )
    counted_all: bool = Field(description="False where only the newest 1,000 orders were counted.")


class CampaignOnItsWayView(CampaignView):
    progress: ProgressView | None = Field(
        description="Null without a target, before it opens, and once it has been judged."
    )


class OpenBreakView(View):
    units: int
    amount: int


class LaterPriceView(View):
    at: str = Field(description="Where the platform is at home.")
    price: int


class OfferTermsView(View):
    price: int = Field(description="The offer's own for one unit, before schedule and leader.")
    leader_price: int | None = Field(description="What the leader asks in its place.")
    floor_price: int | None
    price_schedule: list[PriceStepView]
    commission: CommissionView | None = Field(
        description="The offer's own, or by the leader's plan; null where that has no rule for it."
    )


class OpenOfferView(View):
    sku_id: str
    title: str
    price: int = Field(description="What one unit costs now in this community.")
    price_reason: list[PriceReason]
    quantity_breaks: list[OpenBreakView] = Field(description="What so many cost together now.")
    later_today: list[LaterPriceView] = Field(
        description="What one unit will cost from then on, for the rest of today."
    )
    limit_per_customer: int | None
    available: int = Field(description="Units left now.")
    unavailable_reason: UnavailableReason | None = Field(description="Why none is.")
    terms: OfferTermsView | None = Field(
        description="What the leader sells it on; null to everybody but itself and operators."
    )


class OpenCampaignView(View):
    id: str
    title: str
    status: OpenStatus = Field(description="`full` has all the orders it can take for now.")
    closes_at: Instant
    currency: str
    orders_left: int | None = Field(description="Where it takes only so many orders.")
    target: TargetView | None = Field(
        description="What it must sell by its close for its orders to be shipped; else all go back."
    )
    pickup_point: PickupPointView
    offers: list[OpenOfferView]
