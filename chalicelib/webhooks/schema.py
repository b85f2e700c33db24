"""Requests and answers about webhooks."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from chalicelib.platform.schema import Identifier, Instant, RequestModel, View
from chalicelib.webhooks.rules import CircuitState, DeliveryStatus, EndpointStatus, EventType

Url = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
EventTypes = Annotated[
    list[EventType], Field(max_length=20, description="Empty: all that concern the owner.")
]


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
