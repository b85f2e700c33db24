"""`/v1/suppliers` and `/v1/leaders`."""

from chalicelib.parties import service, terms_schema
from chalicelib.parties import store as parties
from chalicelib.parties.authorizer import authorizer
from chalicelib.parties.rules import ApiKey, Leader, PickupPoint, Supplier
from chalicelib.parties.schema import (
    ApiKeyView,
    IssuedKeyView,
    LeaderView,
    RegisterLeader,
    RegisterSupplier,
    SetCreditLimit,
    SupplierView,
)
from chalicelib.parties.service import IssuedKey
from chalicelib.parties.terms_schema import SetTerms, TermsView
from chalicelib.platform.endpoints import Request, Unrecorded
from chalicelib.platform.http_in import Routes
from chalicelib.platform.pages import Page, paged

routes = Routes(__name__, tag="Parties", authorizer=authorizer)


@routes.endpoint(
    "POST",
    "/v1/suppliers",
    summary="Register a supplier",
    roles=("operator",),
    body=RegisterSupplier,
    answer=SupplierView,
    status=201,
    key="optional",
)
def register_supplier(request: Request) -> Supplier:
    sent: RegisterSupplier = request.body
    return service.register_supplier(sent.name, sent.email, sent.currency, request.idempotency)


@routes.endpoint(
    "GET",
    "/v1/suppliers",
    summary="List suppliers",
    roles=("operator",),
    answer=SupplierView,
    is_list=True,
)
def list_suppliers(request: Request) -> Page[Supplier]:
    return parties.suppliers(request.page)


@routes.endpoint(
    "GET",
    "/v1/suppliers/{id}",
    summary="Read a supplier",
    roles=("operator", "supplier"),
    answer=SupplierView,
)
def read_supplier(request: Request, id: str) -> Supplier:
    request.caller.must_be("supplier", id, "supplier")
    return service.supplier(id)


@routes.endpoint(
    "POST",
    "/v1/suppliers/{id}/api-keys",
    summary="Make an API key, shown this once",
    roles=("operator", "supplier"),
    answer=IssuedKeyView,
    status=201,
    key="optional",
    unrecorded=Unrecorded(("key",), lambda issued: {"key": service.api_key(issued["id"])}),
    errors={"too_many_api_keys": 409},
)
def issue_api_key(request: Request, id: str) -> IssuedKey:
    request.caller.must_be("supplier", id, "supplier")
    return service.issue_api_key(id, request.idempotency)


@routes.endpoint(
    "GET",
    "/v1/suppliers/{id}/api-keys",
    summary="List live API keys",
    roles=("operator", "supplier"),
    answer=ApiKeyView,
    is_list=True,
)
def list_api_keys(request: Request, id: str) -> Page[ApiKey]:
    page = request.page
    request.caller.must_be("supplier", id, "supplier")
    return paged(service.supplier(id).api_keys[::-1], page)


@routes.endpoint(
    "DELETE",
    "/v1/suppliers/{id}/api-keys/{key_id}",
    summary="Revoke an API key at once",
    roles=("operator", "supplier"),
    status=204,
)
def revoke_api_key(request: Request, id: str, key_id: str) -> None:
    request.caller.must_be("supplier", id, "supplier")
    service.revoke_api_key(id, key_id)


@routes.endpoint(
    "PUT",
    "/v1/suppliers/{id}/terms",
    summary="Set how soon a supplier must act, within which hours, and what a delay costs",
    notes="The whole of them: what is left out is as usual. Dispatches keep the terms that they "
    "were made under.",
    roles=("operator",),
    body=SetTerms,
    answer=TermsView,
)
def set_terms(request: Request, id: str) -> TermsView:
    return terms_schema.shown(service.set_terms(terms_schema.terms_of(id, request.body)))


@routes.endpoint(
    "GET",
    "/v1/suppliers/{id}/terms",
    summary="Read a supplier's terms",
    roles=("operator", "supplier"),
    answer=TermsView,
)
def read_terms(request: Request, id: str) -> TermsView:
    request.caller.must_be("supplier", id, "supplier")
    return terms_schema.shown(service.terms_of(id))


@routes.endpoint(
    "POST",
    "/v1/leaders",
    summary="Register a leader and the community it serves",
    roles=("operator",),
    body=RegisterLeader,
    answer=LeaderView,
    status=201,
    key="optional",
)
def register_leader(request: Request) -> Leader:
    sent: RegisterLeader = request.body
    point = PickupPoint(**sent.pickup_point.model_dump())
    return service.register_leader(
        sent.name, sent.community, point, sent.currency, request.idempotency
    )


@routes.endpoint(
    "GET",
    "/v1/leaders",
    summary="List leaders",
    roles=("operator",),
    answer=LeaderView,
    is_list=True,
)
def list_leaders(request: Request) -> Page[Leader]:
    return parties.leaders(request.page)


@routes.endpoint(
    "GET",
    "/v1/leaders/{id}",
    summary="Read a leader",
    roles=("operator", "leader"),
    answer=LeaderView,
)
def read_leader(request: Request, id: str) -> Leader:
    request.caller.must_be("leader", id, "leader")
    return service.leader(id)


@routes.endpoint(
    "PUT",
    "/v1/leaders/{id}/credit-limit",
    summary="Limit how much collected cash a leader may hold",
    notes="Money that would take what the leader holds beyond its limit is not booked until the "
    "leader has remitted. A limit below what it holds already only stops further collecting.",
    roles=("operator",),
    body=SetCreditLimit,
    answer=LeaderView,
)
def set_credit_limit(request: Request, id: str) -> Leader:
    return service.set_credit_limit(id, request.body.amount)
