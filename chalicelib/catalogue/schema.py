"""Requests and answers about campaigns and what leaders ask in them."""

from datetime import datetime
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from chalicelib.catalogue import pricing
from chalicelib.catalogue.pricing import PriceStep, QuantityBreak, Terms
from chalicelib.catalogue.rules import (
    CampaignStatus,
    CommissionBasis,
    Outcome,
    TargetKind,
)
from chalicelib.platform.schema import (
    BasisPoints,
    Currency,
    EditModel,
    Identifier,
    Instant,
    InstantIn,
    PositiveAmount,
    Quantity,
    RequestModel,
    ShortText,
    TimeOfDay,
    View,
    stays,
)

# One transaction must be able to change all offers of a campaign together with it.
MAX_OFFERS = 90
MAX_LEADERS = 1000
MAX_STEPS = 48
MAX_BREAKS = 5


class CommissionIn(RequestModel):
    basis: CommissionBasis
    rate_bps: BasisPoints


class PriceStepIn(RequestModel):
    at: TimeOfDay
    percent: Annotated[int, Field(ge=1, le=100)]


class QuantityBreakIn(RequestModel):
    units: Annotated[int, Field(ge=2, le=pricing.MOST_UNITS_A_BREAK)]
    amount: PositiveAmount


class OfferIn(RequestModel):
    sku_id: Identifier
    price: PositiveAmount
    commission: CommissionIn | None = Field(
        default=None, description="Left out, it is what the leader's commission plan says."
    )
    limit_per_customer: Quantity | None = None
    quantity_cap: Annotated[int, Field(ge=1, le=10**9)] | None = Field(
        default=None, description="How many units the campaign sells, apart from the stock."
    )
    floor_price: PositiveAmount | None = Field(
        default=None, description="The lowest price a leader may set; left out, the offer's price."
    )
    price_schedule: Annotated[list[PriceStepIn], Field(max_length=MAX_STEPS)] = Field(
        default=[],
        description="From each time of day, in the platform's time zone, that part of the price.",
    )
    quantity_breaks: Annotated[list[QuantityBreakIn], Field(max_length=MAX_BREAKS)] = Field(
        default=[], description="What so many units cost together."
    )

    @field_validator("floor_price")
    @classmethod
    def _leaves_the_price(cls, floor_price: int | None, sent: ValidationInfo) -> int | None:
        price = sent.data.get("price")
        if floor_price is not None and price is not None and floor_price > price:
            raise ValueError("must not be above the price, which a leader may always ask")
        return floor_price

    @field_validator("price_schedule")
    @classmethod
    def _steps_follow_and_fall(cls, steps: list[PriceStepIn]) -> list[PriceStepIn]:
        for before, step in pairwise(steps):
            if step.at <= before.at:
                raise ValueError(f"must name its times in order and once: {step.at} overlaps")
            if step.percent >= before.percent:
                raise ValueError(f"must fall from step to step: {step.at} does not")
        return steps

    @field_validator("quantity_breaks")
    @classmethod
    def _breaks_save(
        cls, breaks: list[QuantityBreakIn], sent: ValidationInfo
    ) -> list[QuantityBreakIn]:
        if len({each.units for each in breaks}) < len(breaks):
            raise ValueError("must not name one number of units twice")
        price = sent.data.get("price")
        if price is not None:
            _check_breaks(price, breaks)
        return breaks

    @model_validator(mode="after")
    def _something_is_left_to_pay(self) -> "OfferIn":
        if not terms_of(self).leaves_a_price():
            raise ValueError("leaves no price: a step takes it below one minor unit")
        return self


def _check_breaks(price: int, breaks: list[QuantityBreakIn]) -> None:
    """Raise ValueError where units cost more together than singly, or less in all than fewer."""
    for each in breaks:
        if each.amount > price * each.units:
            raise ValueError(f"must not raise the price: {each.units} units cost less singly")
    sums = [(1, price), *sorted((each.units, each.amount) for each in breaks)]
    for (fewer, less), (units, amount) in pairwise(sums):
        if amount < less:
            raise ValueError(f"must not make more cost less: {units} units cost less than {fewer}")


class TargetIn(RequestModel):
    kind: TargetKind
    count: Annotated[int, Field(ge=1, le=10**6)]


def _one_offer_a_sku(offers: list[OfferIn]) -> list[OfferIn]:
    if len({offer.sku_id for offer in offers}) < len(offers):
        raise ValueError("must not name one SKU twice")
    return offers


def _each_leader_once(leader_ids: list[str]) -> list[str]:
    if len(set(leader_ids)) < len(leader_ids):
        raise ValueError("must not name one leader twice")
    return leader_ids


OffersIn = Annotated[
    list[OfferIn],
    Field(min_length=1, max_length=MAX_OFFERS),
    AfterValidator(_one_offer_a_sku),
]
LeaderIds = Annotated[
    list[Identifier],
    Field(min_length=1, max_length=MAX_LEADERS),
    AfterValidator(_each_leader_once),
]
MaxOrders = Annotated[int, Field(ge=1, le=10**9)]


class CreateCampaign(RequestModel):
    title: ShortText
    opens_at: InstantIn
    closes_at: InstantIn
    currency: Currency
    offers: OffersIn
    leader_ids: LeaderIds | None = Field(
        default=None, description="The leaders it is for; left out, it is for every leader."
    )
    max_orders: MaxOrders | None = Field(
        default=None,
        description="How many live orders it takes: pick-up points have so much room.",
    )
    target: TargetIn | None = Field(
        default=None, description="What it must sell for its orders to go on; judged at its close."
    )

    @field_validator("closes_at")
    @classmethod
    def _after_it_opens(cls, closes_at: datetime, sent: ValidationInfo) -> datetime:
        return after_it_opens(closes_at, sent)


class SetLeaderPrice(RequestModel):
    campaign_id: Identifier
    sku_id: Identifier
    price: PositiveAmount | None = Field(description="Null takes the leader's own price back.")


class LeaderPriceView(View):
    leader_id: str
    campaign_id: str
    sku_id: str
    price: int | None


class PriceStepView(View):
    at: str
    percent: int


class QuantityBreakView(View):
    units: int
    amount: int


class CommissionView(View):
    basis: CommissionBasis
    rate_bps: int


class OfferView(View):
    sku_id: str
    title: str
    price: int
    commission: CommissionView | None = Field(
        description="Null where it is what the leader's commission plan says."
    )
    limit_per_customer: int | None
    quantity_cap: int | None
    floor_price: int | None
    price_schedule: list[PriceStepView]
    quantity_breaks: list[QuantityBreakView]


class TargetView(View):
    kind: TargetKind
    count: int


class CloneCampaign(RequestModel):
    title: ShortText | None = None
    opens_at: InstantIn
    closes_at: InstantIn

    @field_validator("closes_at")
    @classmethod
    def _after_it_opens(cls, closes_at: datetime, sent: ValidationInfo) -> datetime:
        return after_it_opens(closes_at, sent)


class EditCampaign(EditModel):
    """What is left out stays as it is."""

    title: ShortText = stays()
    opens_at: InstantIn = stays()
    closes_at: InstantIn = stays()
    target: TargetIn | None = stays("Null takes it away.")
    max_orders: MaxOrders | None = stays("Null lifts it.")
    leader_ids: LeaderIds | None = stays("The leaders it is for; null for every leader.")
    offers: OffersIn = stays("All of them: one that is not named is taken away.")


class CampaignSummaryView(View):
    id: str
    title: str
    status: CampaignStatus
    opens_at: Instant
    closes_at: Instant
    currency: str
    for_every_leader: bool
    target: TargetView | None
    max_orders: int | None
    outcome: Outcome | None = Field(description="Whether the target was met, once it is judged.")
    created_at: Instant


class CampaignView(CampaignSummaryView):
    leader_ids: list[str] = Field(description="Empty where it is for every leader.")
    offers: list[OfferView]


def terms_of(sent: OfferIn) -> Terms:
    return Terms(
        sent.price,
        tuple(PriceStep(step.at, step.percent) for step in sent.price_schedule),
        tuple(QuantityBreak(each.units, each.amount) for each in sent.quantity_breaks),
    )


def after_it_opens(closes_at: datetime, sent: ValidationInfo) -> datetime:
    if "opens_at" in sent.data and closes_at <= sent.data["opens_at"]:
        raise ValueError("must be after opens_at")
    return closes_at
