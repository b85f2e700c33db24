"""Requests and answers about webhooks."""

from typing import Annotated, Literal, TypeVar

from pydantic import AliasChoices, ConfigDict, Field, StringConstraints

from chalicelib.platform.schema import (
    Identifier,
    Instant,
    InstantIn,
    PageQuery,
    RequestModel,
    View,
)
from chalicelib.webhooks.replays import ReplayStatus
from chalicelib.webhooks.rules import CircuitState, DeliveryStatus, EndpointStatus, EventType

Url = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
EventTypes = Annotated[
    list[EventType], Field(max_length=20, description="Empty: all that concern the owner.")
]
T = TypeVar("T")

From = Annotated[
    T, Field(validation_alias=AliasChoices("since", "from"), serialization_alias="from")
]
To = Annotated[T, Field(validation_alias=AliasChoices("until", "to"), serialization_alias="to")]


class AddEndpoint(RequestModel):
    url: Url
    event_types: EventTypes = Field(default_factory=list)
    supplier_id: Identifier | None = Field(
        default=None, description="For an operator: whose it is; left out, the platform's own."
    )


class ChangeEndpoint(RequestModel):
    url: Url | None = None
    event_types: EventTypes | None = None
    status: Literal["active", "disabled"] | None = None


class EndpointView(View):
    id: str
    owner: str = Field(description="A supplier's id, or `platform`.")
    url: str
    event_types: list[EventType]
    status: EndpointStatus
    generation: int = Field(description="Which secret it is; each rotation makes the next.")
    disabled_reason: str | None
    failing_since: Instant | None
    slow: bool = Field(
        description="It has kept us waiting; its deliveries go a way of their own until it answers "
        "within 2 seconds again."
    )
    circuit: CircuitState = Field(
        description="`open`: several deliveries failed in a row; all wait, and one at a time tries "
        "whether it answers again. `draining`: it does, and what has waited is being delivered."
    )
    old_secret_until: Instant | None
    created_at: Instant


class EndpointWithSecretView(EndpointView):
    secret: str = Field(description="Shown now; verify signatures with it.")


class ChangedEndpointView(EndpointView):
    waiting: int = Field(
        description="Deliveries that wait here, or were missed while it was disabled and can be "
        "replayed; 10000 where there are more."
    )


class AttemptView(View):
    at: str
    status_code: int | None
    duration_ms: int
    error: str | None
    answer: str = Field(description="The first 256 characters of the answer's body.")


class DeliveryView(View):
    id: str = Field(description="The `webhook-id` of every attempt.")
    endpoint_id: str
    event_type: EventType
    subject: str
    status: DeliveryStatus
    attempts: list[AttemptView]
    waits: bool = Field(
        description="While `pending`: for its endpoint's circuit to close, at most until "
        "`next_attempt_at`. Once `exhausted`: to be replayed, because the endpoint was disabled."
    )
    next_attempt_at: Instant | None
    created_at: Instant


class DeliveriesQuery(PageQuery):
    endpoint_id: Identifier | None = Field(default=None, description="Only those of one endpoint.")
    status: DeliveryStatus | None = Field(default=None, description="Only those that are in it.")


class ResentView(View):
    dispatch_id: str
    deliveries: list[DeliveryView]


class RequestSentView(View):
    url: str
    headers: dict[str, str] = Field(description="Those that Tuan sets, the signature as it was.")
    body: str


class AnswerHeardView(View):
    status_code: int | None = Field(description="Null where no answer came.")
    body: str = Field(description="How it began: its first 256 characters.")
    duration_ms: int
    error: str | None


class TestedView(DeliveryView):
    request: RequestSentView | None = Field(
        description="Null, too, in a repeat once the endpoint has another address or secret."
    )
    answer: AnswerHeardView | None = Field(
        description="Null while a repeat of the request meets the call under way."
    )


class WindowView(View):
    model_config = ConfigDict(serialize_by_alias=True)

    since: From[Instant]
    until: To[Instant]
    complete: bool = Field(
        description="False where the owner has more than 2000 deliveries in five days: then only "
        "the newest 2000 are looked at, and the backlog is at least what is told."
    )


class StatsView(View):
    success_rate_bps: int | None = Field(
        description="Of the attempts in the window; null where there are none."
    )
    attempts: int
    p50_ms: int | None = Field(description="Half of the attempts took no longer than this.")
    p95_ms: int | None
    backlog: int = Field(description="Deliveries that wait for an attempt.")
    oldest_waiting_at: Instant | None = Field(
        description="Since when the first of them has waited, from its making or its last replay."
    )
    window: WindowView


class ReplayDeliveries(RequestModel):
    endpoint_id: Identifier
    since: InstantIn | None = Field(
        default=None, alias="from", description="At most 30 days before `to`; left out, just that."
    )
    until: InstantIn | None = Field(default=None, alias="to", description="Left out: now.")
    status: DeliveryStatus | None = Field(
        default=None, description="`exhausted` for all that failed; with a range left out, any."
    )
    delivery_ids: Annotated[list[Identifier], Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="Just these, in place of a range and a status."
    )


class ReplayView(View):
    model_config = ConfigDict(serialize_by_alias=True)

    id: str
    endpoint_id: str
    status: ReplayStatus
    total: int = Field(description="How many deliveries are found; it grows while they are listed.")
    done: int = Field(
        description="How many are on their way again; whether they are heard their attempts say."
    )
    failure: str | None
    since: From[Instant | None]
    until: To[Instant | None]
    created_at: Instant
    completed_at: Instant | None
