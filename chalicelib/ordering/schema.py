"""Requests and answers about orders."""

from pydantic import Field

from chalicelib.catalogue.pricing import PriceReason
from chalicelib.ordering.line_schema import Lines
from chalicelib.ordering.rules import DispatchStatus, OrderStatus, ParcelStatus, PaymentStatus
from chalicelib.payments.rules import PaymentMethod
from chalicelib.platform.schema import (
    Country,
    Identifier,
    Instant,
    LongText,
    PageQuery,
    Phone,
    PositiveAmount,
    Reference,
    RequestModel,
    ShortText,
    Text,
    View,
)


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
    amount: int = Field(description="What its units cost at the prices of their instant.")
    discount: int = Field(description="Its part of the order's.")
    tax: int
    net: int = Field(description="`amount` less `discount`: what the customer pays for it.")


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
    subtotal: int = Field(description="The lines' `amount` together, in the minor unit.")
    discount: int = Field(description="0: nothing gives discounts on orders.")
    shipping: int = Field(description="0: nothing asks for shipping charges.")
    tax: int = Field(description="0: prices are gross, and taxes are not told apart.")
    total: int = Field(description="What the customer pays: the lines' nets, and the shipping.")
    refunded_amount: int = Field(description="What of it was given back.")
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
