"""Requests and answers about parties."""

from pydantic import Field

from chalicelib.platform.schema import (
    Amount,
    Country,
    Currency,
    Email,
    Instant,
    RequestModel,
    ShortText,
    View,
)


class RegisterSupplier(RequestModel):
    name: ShortText
    email: Email
    currency: Currency


class SupplierView(View):
    id: str
    name: str
    email: str
    currency: str
    created_at: Instant


class PickupPointIn(RequestModel):
    line1: ShortText
    city: ShortText
    postal_code: ShortText
    country: Country
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)


class RegisterLeader(RequestModel):
    name: ShortText
    community: ShortText
    pickup_point: PickupPointIn
    currency: Currency


class PickupPointView(View):
    line1: str
    city: str
    postal_code: str
    country: str
    latitude: float | None
    longitude: float | None


class SetCreditLimit(RequestModel):
    amount: Amount | None = Field(description="Null: no limit. 0: it collects nothing.")


class LeaderView(View):
    id: str
    name: str
    community: str
    pickup_point: PickupPointView
    currency: str
    credit_limit: int | None = Field(
        description="How much collected cash it may hold; null where there is no limit."
    )
    plan_id: str | None = Field(
        description="The commission plan that is set for it; null where the platform's default is."
    )
    level: str | None
    pickup_leader_id: str | None = Field(description="Who has the pick-up point's part.")
    hub_id: str | None = Field(description="Who has the hub's part.")
    invited_by: str | None
    leaving_at: Instant | None = Field(description="Since when it takes no more orders.")
    left_at: Instant | None
    created_at: Instant


class IssuedKeyView(View):
    id: str
    key: str = Field(description="Shown this once; only its hash is stored.")
    created_at: str


class ApiKeyView(View):
    id: str
    created_at: str
