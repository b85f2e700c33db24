"""`/v1/webhook-endpoints` and `/v1/webhook-deliveries`."""

from collections.abc import Mapping
from typing import Any

from chalicelib.kernel.callers import Caller, Role
from chalicelib.kernel.errors import NotFound
from chalicelib.parties.authorizer import authorizer
from chalicelib.platform.endpoints import Request, Unrecorded
from chalicelib.platform.http_in import Routes
from chalicelib.platform.pages import Page
from chalicelib.webhooks import (
    delivering,
    endpoint_store,
    endpoints,
    replaying,
    resending,
    stats,
    testing,
)
from chalicelib.webhooks import store as webhooks
from chalicelib.webhooks.delivering import Which
from chalicelib.webhooks.endpoints import Changes, WithSecret, WithWaiting
from chalicelib.webhooks.replaying import Asked
from chalicelib.webhooks.replays import Replay
from chalicelib.webhooks.resending import Resent
from chalicelib.webhooks.rules import Delivery, Endpoint
from chalicelib.webhooks.schema import (
    AddEndpoint,
    ChangedEndpointView,
    ChangeEndpoint,
    DeliveriesQuery,
    DeliveryView,
    EndpointView,
    EndpointWithSecretView,
    ReplayDeliveries,
    ReplayView,
    ResentView,
    StatsView,
    TestedView,
)
from chalicelib.webhooks.secrets import endpoint_secret
from chalicelib.webhooks.stats import Stats
from chalicelib.webhooks.testing import Tested

routes = Routes(__name__, tag="Webhooks", authorizer=authorizer)

WHO: tuple[Role, ...] = ("supplier", "operator")


def _secret(shown: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"secret": endpoint_secret(shown["id"], shown["generation"])}


@routes.endpoint(
    "POST",
    "/v1/webhook-endpoints",
    summary="Add an endpoint; its secret is in the answer",
    roles=WHO,
    body=AddEndpoint,
    answer=EndpointWithSecretView,
    status=201,
    key="optional",
    unrecorded=Unrecorded(("secret",), _secret),
    errors={"address_refused": 422, "too_many_endpoints": 409},
)
def add_endpoint(request: Request) -> WithSecret:
    sent: AddEndpoint = request.body
    return endpoints.add(
        sent.url, sent.event_types, sent.supplier_id, request.caller, request.idempotency
    )


@routes.endpoint(
    "GET",
    "/v1/webhook-endpoints",
    summary="List endpoints: a supplier its own, an operator all",
    roles=WHO,
    answer=EndpointView,
    is_list=True,
)
def list_endpoints(request: Request) -> Page[Endpoint]:
    return endpoint_store.endpoints(_whose(request.caller), request.page)


@routes.endpoint(
    "GET", "/v1/webhook-endpoints/{id}", summary="Read an endpoint", roles=WHO, answer=EndpointView
)
def read_endpoint(request: Request, id: str) -> Endpoint:
    return endpoints.endpoint_for(id, request.caller)


@routes.endpoint(
    "PATCH",
    "/v1/webhook-endpoints/{id}",
    summary="Change an endpoint, disable it or enable it again",
    roles=WHO,
    body=ChangeEndpoint,
    answer=ChangedEndpointView,
    errors={"address_refused": 422},
)
def change_endpoint(request: Request, id: str) -> WithWaiting:
    sent: ChangeEndpoint = request.body
    return endpoints.change(id, Changes(sent.url, sent.event_types, sent.status), request.caller)


@routes.endpoint(
    "DELETE", "/v1/webhook-endpoints/{id}", summary="Delete an endpoint", roles=WHO, status=204
)
def delete_endpoint(request: Request, id: str) -> None:
    endpoints.remove(id, request.caller)


@routes.endpoint(
    "POST",
    "/v1/webhook-endpoints/{id}/rotate-secret",
    summary="A new secret; the old one signs beside it for 24 hours",
    roles=WHO,
    answer=EndpointWithSecretView,
    key="optional",
    unrecorded=Unrecorded(("secret",), _secret),
)
def rotate_secret(request: Request, id: str) -> WithSecret:
    return endpoints.rotate_secret(id, request.caller, request.idempotency)


@routes.endpoint(
    "POST",
    "/v1/webhook-endpoints/{id}/test",
    summary="Send a `ping` now, and show what was sent and answered",
    notes="A disabled endpoint is called too. It is sent once: a failure is shown, and neither "
    "tried again nor counted, unless it is 410.",
    roles=WHO,
    answer=TestedView,
    status=202,
    key="optional",
    unrecorded=Unrecorded(testing.TOLD_AFTERWARDS, testing.told_again),
)
def test_endpoint(request: Request, id: str) -> Tested:
    return testing.test(id, request.caller, request.recorder(testing.as_made))


@routes.endpoint(
    "GET",
    "/v1/webhook-endpoints/{id}/stats",
    summary="How an endpoint has answered in the last 24 hours, and what waits for it",
    roles=WHO,
    answer=StatsView,
)
def read_stats(request: Request, id: str) -> Stats:
    return stats.of_endpoint(id, request.caller)


@routes.endpoint(
    "GET",
    "/v1/webhook-deliveries",
    summary="List deliveries with their attempts: a supplier its own, an operator all",
    roles=WHO,
    query=DeliveriesQuery,
    answer=DeliveryView,
    is_list=True,
)
def list_deliveries(request: Request) -> Page[Delivery]:
    sent: DeliveriesQuery = request.query
    which = Which(_whose(request.caller), sent.endpoint_id, sent.status)
    return delivering.listed(which, request.page)


@routes.endpoint(
    "GET", "/v1/webhook-deliveries/{id}", summary="Read a delivery", roles=WHO, answer=DeliveryView
)
def read_delivery(request: Request, id: str) -> Delivery:
    delivery = webhooks.get_delivery(id)
    if delivery is None:
        raise NotFound("There is no such webhook delivery.")
    request.caller.must_be("supplier", delivery.owner, "webhook delivery")
    return webhooks.with_all_attempts([delivery])[0]


@routes.endpoint(
    "POST",
    "/v1/webhook-deliveries/{id}/replay",
    summary="Send the same body under the same id again",
    roles=WHO,
    answer=DeliveryView,
    status=202,
    key="optional",
    errors={"endpoint_not_active": 409},
)
def replay_delivery(request: Request, id: str) -> Delivery:
    return delivering.replay(id, request.caller, request.idempotency)


@routes.endpoint(
    "POST",
    "/v1/dispatches/{id}/resend",
    summary="Send `dispatch.created` again, to endpoints made since as well",
    notes="The same body under the same `webhook-id`, so that a supplier that has it drops it.",
    roles=WHO,
    answer=ResentView,
    status=202,
    key="optional",
    errors={"dispatch_not_open": 409, "endpoint_not_active": 409},
)
def resend_dispatch(request: Request, id: str) -> Resent:
    return resending.resend(id, request.caller, request.idempotency)


@routes.endpoint(
    "POST",
    "/v1/webhook-deliveries/replays",
    summary="Send many deliveries of an endpoint again, as a job",
    notes="Each is sent once, with its own body and `webhook-id`. Those of a time of up to 30 "
    "days, of one `status`, or both; or the `delivery_ids` that are named.",
    roles=WHO,
    body=ReplayDeliveries,
    answer=ReplayView,
    status=202,
    key="optional",
    errors={"not_found": 404, "endpoint_not_active": 409},
)
def start_replay(request: Request) -> Replay:
    sent: ReplayDeliveries = request.body
    asked = Asked(sent.endpoint_id, sent.since, sent.until, sent.status, sent.delivery_ids)
    return replaying.start(asked, request.caller, request.idempotency)


@routes.endpoint(
    "GET",
    "/v1/webhook-deliveries/replays/{id}",
    summary="Read how far a replay has come",
    roles=WHO,
    answer=ReplayView,
)
def read_replay(request: Request, id: str) -> Replay:
    return replaying.replay_for(id, request.caller)


def _whose(caller: Caller) -> str | None:
    return None if caller.is_operator else caller.id
