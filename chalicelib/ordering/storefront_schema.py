"""What customers see of the campaigns of a leader, and operators of a campaign on its way."""

from pydantic import Field

from chalicelib.catalogue.pricing import PriceReason
from chalicelib.catalogue.schema import CampaignView, CommissionView, PriceStepView, TargetView
from chalicelib.ordering.storefront import OpenStatus, UnavailableReason
from chalicelib.parties.schema import PickupPointView
from chalicelib.platform.schema import Instant, View


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
